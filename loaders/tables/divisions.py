"""Administrative divisions through time: which unit of today a code or a name of another year stands for."""

import csv
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

from core.language import Text
from core.settings import ROOT
from loaders.tables.errors import BadDivisions

SHIPPED = ROOT / "data" / "tables" / "division-changes.csv"
type Kind = Literal["renamed", "merged", "split", "recoded"]

_COLUMNS = ("old_code", "old_name", "new_code", "new_name", "date", "kind")
_COUNTRY = "156"  # ISO 3166-1 numeric, written before the code of a division
_PROVINCES = range(11, 83)
_LENGTHS = (6, 9, 12)  # county, town, village: GB/T 2260 and the statistical codes below it
_LONGER = (15, 19)  # grid cells and parcels, which begin with the code of a village


class Change(NamedTuple):
    """One unit became another, wholly or in part."""

    old_code: str
    old_name: str
    new_code: str
    new_name: str
    date: str  # a year, or a day
    kind: Kind

    @property
    def year(self) -> int:
        """The year from whose end the new unit holds."""
        return int(self.date[:4])


class Followed(NamedTuple):
    """Where a code leads: by which steps, or to which parts, where it was split."""

    code: str | None
    steps: tuple[Change, ...] = ()
    split: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Divisions:
    """All changes that are known, by the code and by the name before."""

    by_code: Mapping[str, tuple[Change, ...]]
    by_name: Mapping[str, tuple[Change, ...]]

    def follow(self, code: str, known: Container[str], year: int | None = None) -> Followed:
        """The unit among `known` that a code of six digits stands for, in a table of `year`.

        A code that is known is taken as it is, but for a later change that took it elsewhere. A split is told, and
        never followed.
        """
        steps: list[Change] = []
        seen = {code}
        while ways := self._ways(code, known, year):
            if len(ways) > 1 or ways[0].kind == "split":
                return Followed(None, tuple(steps), ways)
            if ways[0].new_code in seen:
                break
            steps.append(ways[0])
            code, year = ways[0].new_code, ways[0].year - 1
            seen.add(code)
        return Followed(code if code in known else None, tuple(steps))

    def renamed(self, name: str, year: int | None = None) -> Change | None:
        """What became of the unit of that name, where only one unit had it and it was not split."""
        found = [one for one in self.by_name.get(name, ()) if year is None or one.year > year]
        return found[0] if len(found) == 1 and found[0].kind != "split" else None

    def _ways(self, code: str, known: Container[str], year: int | None) -> tuple[Change, ...]:
        changes = [one for one in self.by_code.get(code, ()) if one.kind == "split" or one.new_code != code]
        later = [one for one in changes if year is not None and one.year > year]
        if later:
            first = min(one.year for one in later)
            return tuple(one for one in later if one.year == first)
        return () if code in known else tuple(changes)


def division(text: str) -> str | None:
    """The code of a division in its shortest form, without country and closing zeros; None for what is none.

    156220202, 220202000000 and a parcel's 19 digits that end with the zeros of a village are 220202.
    """
    if not re.fullmatch(r"[0-9]{6,19}", text):
        return None
    if text.startswith(_COUNTRY) and len(text) - len(_COUNTRY) in _LENGTHS and _is_province(text[3:5]):
        text = text.removeprefix(_COUNTRY)
    if len(text) not in (*_LENGTHS, *_LONGER) or not _is_province(text[:2]):
        return None
    if len(text) in _LONGER and not text[12:].strip("0"):
        text = text[:12]
    while len(text) in _LENGTHS[1:] and text.endswith("000"):
        text = text[:-3]
    return text


def parents(code: str) -> tuple[str, ...]:
    """The units that a code lies in, from the nearest up to the county."""
    return tuple(code[:length] for length in (12, 9, 6) if length < len(code))


def read_changes(*files: Path) -> Divisions:
    """The changes that Chengtu knows, and those of a user's own files, which go before: all of a code, or none."""
    changes = list(_shipped())
    for file in files:
        own = _read(file)
        replaced = {one.old_code for one in own}
        changes = [one for one in changes if one.old_code not in replaced] + list(own)
    return Divisions(_grouped((one.old_code, one) for one in changes), _grouped((one.old_name, one) for one in changes))


@cache
def _shipped() -> tuple[Change, ...]:
    return _read(SHIPPED)


def _read(path: Path) -> tuple[Change, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in _COLUMNS if name not in (reader.fieldnames or ())]:
                raise BadDivisions(where=path, problem=Text(f"no column {missing[0]}", f"缺少列 {missing[0]}"))
            return tuple(_change(row, f"{path}:{reader.line_num}") for row in reader)
    except (OSError, UnicodeError, csv.Error) as error:
        raise BadDivisions(where=path, problem=Text(str(error), str(error))) from error


def _change(row: Mapping[str, str | None], where: str) -> Change:
    values = {name: (row[name] or "").strip() for name in _COLUMNS}
    kinds = get_args(Kind.__value__)
    if values["kind"] not in kinds:
        allowed = ", ".join(kinds)
        raise BadDivisions(where=where, problem=Text(f"kind is none of {allowed}", f"kind 不在 {allowed} 之中"))
    for name, form in (("old_code", r"\d{6}"), ("new_code", r"\d{6}"), ("date", r"\d{4}(-\d\d){0,2}")):
        if not re.fullmatch(form, values[name]):
            wrong = values[name]
            raise BadDivisions(where=where, problem=Text(f"{name} is {wrong!r}", f"{name} 为 {wrong!r}"))
    kind = cast(Kind, values.pop("kind"))
    return Change(**values, kind=kind)


def _grouped(pairs: Iterable[tuple[str, Change]]) -> dict[str, tuple[Change, ...]]:
    groups: dict[str, tuple[Change, ...]] = {}
    for key, one in pairs:
        groups[key] = (*groups.get(key, ()), one)
    return groups


def _is_province(text: str) -> bool:
    return text.isdigit() and int(text) in _PROVINCES
