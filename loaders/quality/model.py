"""What is checked, and what the checks say of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import sql

from core.errors import ChengtuError
from core.language import Text
from loaders.profiles import LayerProfile, Rule


class BadRule(ChengtuError):
    """A rule of a profile that says nothing that could be checked."""

    en = "The rule {rule} of {layer} cannot be understood: {problem}. docs/quality.md tells how rules are written."
    zh = "无法理解 {layer} 的规则 {rule}:{problem}。规则的写法见 docs/quality.md。"
    exit_code = 2


class Checked(NamedTuple):
    """A layer under its profile's column names: filled and analyzed; rows may lack the key, or share it."""

    table: sql.Identifier
    key: str  # the column whose values name features in findings
    srid: int  # of `geom`, x = east
    profile: LayerProfile
    repaired: Sequence[tuple[str, str]] = ()  # key and GEOS's reason of each geometry that had to be repaired
    judged: bool = True  # False: only what others are held against


@dataclass(frozen=True)
class RuleResult:
    """How often a rule is broken; `unjudged` says why that cannot be told, such as for want of another layer."""

    rule: Rule
    layer: str
    count: int
    unjudged: Text | None = None


class Quality(NamedTuple):
    """What all rules say, those included that nothing breaks; the findings are rows of pg_temp.ct_findings."""

    results: tuple[RuleResult, ...]
