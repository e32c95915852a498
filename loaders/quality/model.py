"""What the checks are given, and what they give back; the findings themselves stay in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import sql

from loaders.profiles import LayerProfile, Rule


class Checked(NamedTuple):
    """A layer to check, or to check others against: a filled and analyzed table, east before north in its SRID."""

    table: sql.Identifier
    key: str  # the column whose values findings name
    srid: int
    profile: LayerProfile
    repaired: Sequence[tuple[str, str]] = ()  # key and GEOS's reason of each geometry that came in invalid
    judged: bool = True  # False: others are held against it


@dataclass(frozen=True)
class RuleResult:
    """A rule that was checked on a layer, and how many findings it has."""

    rule: Rule
    layer: str
    count: int


class Quality(NamedTuple):
    """Every rule of every judged layer; the findings are the rows of pg_temp.ct_findings."""

    results: tuple[RuleResult, ...]
