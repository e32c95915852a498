"""A code, its list, and the way from one list to another: values, and what can be wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple

from core.errors import ChengtuError
from core.language import Text

Confidence = Literal["high", "medium", "low"]  # how sure we are that the standard has it so
Sureness = Literal["exact", "rule", "human"]  # of a crosswalk: the same; as a note says; a person decides


class BadCodelist(ChengtuError):
    """A file of data/codelists or data/crosswalks that cannot be right."""

    en = "{where}: {problem}. docs/codelists.md tells how a list is written."
    zh = "{where}:{problem}。代码表的写法见 docs/codelists.md。"
    exit_code = 2


class NoSuchCodelist(ChengtuError):
    """An id that no code list has."""

    en = "There is no code list {id!r}. /codelists lists those there are."
    zh = "没有代码表 {id!r}。可用代码表见 /codelists。"
    code = "NotFound"
    status = 404
    exit_code = 2


class NoSuchCrosswalk(ChengtuError):
    """An id that no crosswalk has."""

    en = "There is no crosswalk {id!r}. /crosswalks lists those there are."
    zh = "没有对照表 {id!r}。可用对照表见 /crosswalks。"
    code = "NotFound"
    status = 404
    exit_code = 2


class NoSuchCode(ChengtuError):
    """A code that a list or a crosswalk does not have, or not on a day."""

    en = "{list} has no code {given!r}{day}. Leave `code` out to see all of them."
    zh = "{list} 中没有代码 {given!r}{day}。省略 code 可查看全部。"
    code = "NotFound"
    status = 404
    exit_code = 2


class Code(NamedTuple):
    """One code of a list; the same characters in another list mean something else."""

    scheme: str  # the id of its list
    code: str
    name: Text
    parent: str | None
    level: int  # 1 at the top
    color: str | None  # "#rrggbb": its own, else that of the nearest above it
    assignable: bool  # whether features carry it; False for those that only sum others up
    valid_from: date | None
    valid_to: date | None  # the last day
    confidence: Confidence
    note: Text | None
    more: Mapping[str, str]  # further columns of its list

    def holds_on(self, day: date) -> bool:
        """Whether it is valid on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Codelist:
    """One edition of a list, in the order of its file, parents before their children."""

    id: str
    title: Text
    standard: str
    edition: str
    valid_from: date | None
    valid_to: date | None  # the last day
    confidence: Confidence
    colors: Text | None  # where its colours come from
    note: Text | None
    codes: tuple[Code, ...]

    @cached_property
    def _by_code(self) -> Mapping[str, tuple[Code, ...]]:
        found: dict[str, tuple[Code, ...]] = {}
        for one in self.codes:
            found[one.code] = (*found.get(one.code, ()), one)
        return found

    def find(self, code: str, day: date | None = None) -> Code | None:
        """What a code means, on a day, else last; None where the list does not have it, or did not then."""
        meanings = self._by_code.get(code, ())
        if day is None:
            return meanings[-1] if meanings else None
        return next((one for one in meanings if one.holds_on(day)), None)

    def name_of(self, code: str, day: date | None = None) -> Text | None:
        """What a code is called."""
        found = self.find(code, day)
        return found.name if found else None

    def on(self, day: date | None) -> tuple[Code, ...]:
        """The codes that are valid on a day; without one, all."""
        return self.codes if day is None else tuple(one for one in self.codes if one.holds_on(day))

    def __contains__(self, code: object) -> bool:
        return code in self._by_code


class Target(NamedTuple):
    """One class that a code may become, and how sure that is."""

    code: str
    confidence: Sureness
    note: Text | None


class Match(NamedTuple):
    """What a crosswalk says of a code."""

    code: str
    to: str | None  # what it becomes; None where a person must choose
    confidence: Sureness | None  # of that; None where the crosswalk knows nothing of the code
    candidates: tuple[Target, ...]  # all that it may become, the likely one first


@dataclass(frozen=True)
class Crosswalk:
    """The way from the codes of one list to those of another, in one direction."""

    id: str
    title: Text
    standard: str
    source: str  # the id of the list that codes come from
    target: str  # of the one they lead to
    note: Text | None
    targets: Mapping[str, tuple[Target, ...]]

    def match(self, code: str) -> Match:
        """What a code becomes: by itself where the crosswalk decides, else the candidates for a person."""
        candidates = self.targets.get(code, ())
        decided = next((one for one in candidates if one.confidence != "human"), None)
        if decided is not None:
            return Match(code, decided.code, decided.confidence, candidates)
        return Match(code, None, "human" if candidates else None, candidates)
