"""The head of a table as statistics offices write it: names with units, one row or two, titles and years above."""

import csv
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from core.language import Text
from core.settings import ROOT
from loaders.tables.errors import UnclearHeader

_UNITS = ROOT / "data" / "tables" / "units.csv"
_IN_BRACKETS = re.compile(r"^(.+?)\s*[(\[【〔]\s*(?:单位\s*:\s*)?([^()\[\]【】〔〕]+?)\s*[)\]】〕]$")
_AFTER_MARK = re.compile(r"^(.+?)\s*[/,:]\s*(?:单位\s*:\s*)?(\S+)$")
_TITLE_UNIT = re.compile(r"单位\s*:\s*([^\s,;、)]+)")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_NUMBER = re.compile(r"[-+]?[\d,]+(?:\.\d+)?\s*[%‰]?")
YEAR_NAMES = frozenset({"年份", "年度", "统计年份", "统计年度", "年", "year", "数据年份", "所属年份"})


class Unit(NamedTuple):
    """A unit as UCUM writes it, and whether amounts in it may be added up over places."""

    ucum: str
    sums: bool


class Header(NamedTuple):
    """What a column is called: its name without the unit, its unit as written, and all of it as the source has it."""

    name: str
    unit: str | None
    title: str


def read_header(text: str) -> Header:
    """Take a header apart: 人口(万人), GDP/亿元 and 面积 [km²] have a unit; in 人口(常住) the brackets are part of the name."""
    title = " ".join(text.split())
    plain = unicodedata.normalize("NFKC", title)
    if (match := _IN_BRACKETS.match(plain)) and is_unit(match[2]):
        return Header(match[1].strip(), match[2].strip(), title)
    if (match := _AFTER_MARK.match(plain)) and find_unit(match[2]):
        return Header(match[1].strip(), match[2], title)
    return Header(plain, None, title)


def is_unit(text: str) -> bool:
    """Whether words in brackets are a unit: one that is known, or made of such with a slash."""
    return find_unit(text) is not None or all(find_unit(part) for part in re.split(r"[/每]", text))


def find_unit(text: str) -> Unit | None:
    """What is known of a unit, whatever width its characters have."""
    return _units().get(_plain(text))


def unit_of(text: str) -> Unit:
    """A unit that is perhaps not known: then its own spelling, in the braces that UCUM has for that."""
    known = find_unit(text)
    if known:
        return known
    parts = [find_unit(part) for part in text.split("/")]
    if len(parts) == 2 and all(parts):
        return Unit("/".join(part.ucum for part in parts if part), sums=False)
    return Unit("{" + _plain(text).replace("}", "").replace("{", "") + "}", sums="/" not in text)


def title_unit(titles: Sequence[str]) -> str | None:
    """The one unit that the lines above a table name for all of it, as in 单位:万人."""
    plain = [unicodedata.normalize("NFKC", title) for title in titles]
    found = {unit for title in plain for unit in _TITLE_UNIT.findall(title) if is_unit(unit)}
    return found.pop() if len(found) == 1 else None


def years_in(text: str) -> tuple[int, ...]:
    """The years that a title or a file's name speaks of, each once."""
    return tuple(dict.fromkeys(int(year) for year in _YEAR.findall(unicodedata.normalize("NFKC", text))))


def join_rows(path: Path, upper: Sequence[str], rows: Sequence[Sequence[str | None]]) -> list[str] | None:
    """The names of a header of two rows, groups above: 人口 over 男 and 女 gives 人口 男 and 人口 女; None for one row.

    `upper` has an empty name right of each group's first column; `rows` are the first ones below.
    Raises `UnclearHeader` for what is neither.
    """
    below, *next_ = [_lower(upper, row) for row in rows[:2]] or [[]]
    gaps = [place for place, name in enumerate(upper) if not name]
    if not _are_names(below) or not any(below[place] for place in gaps):
        return None
    if all(below) or not upper[0]:
        raise UnclearHeader(path=path, why=Text("nameless columns, with words below", "存在无名列,其下为文字"))
    if next_ and _are_names(next_[0]) and not next_[0][0]:
        raise UnclearHeader(path=path, why=Text("more than two rows of names", "表头多于两行"))
    return _joined(path, upper, below)


def _lower(upper: Sequence[str], row: Sequence[str | None]) -> list[str]:
    """A row below the upper one; a cell that is merged with the one above says nothing new."""
    cells = [(cell or "").strip() for cell in [*row, *[""] * (len(upper) - len(row))]]
    return ["" if cell == above else cell for cell, above in zip(cells, upper, strict=True)]


def _are_names(cells: Sequence[str]) -> bool:
    """Whether the cells of a row are names: words, or all of them years."""
    plain = [unicodedata.normalize("NFKC", cell) for cell in cells if cell]
    return bool(plain) and (
        not any(_NUMBER.fullmatch(cell) for cell in plain) or all(_YEAR.fullmatch(cell) for cell in plain)
    )


def _joined(path: Path, upper: Sequence[str], below: Sequence[str]) -> list[str]:
    names, group = [], ""
    for above, under in zip(upper, below, strict=True):
        group = above or group
        if not above and not under:
            raise UnclearHeader(path=path, why=Text("a column without any name", "存在没有列名的列"))
        names.append(_under(group, under) if under else above)
    return names


def _under(group: str, name: str) -> str:
    """A name below its group; the group's unit is that of all below it that have none."""
    above, own = read_header(group), read_header(name)
    unit = own.unit or above.unit
    return f"{above.name} {own.name}({unit})" if unit else f"{group} {name}"


@cache
def _units() -> dict[str, Unit]:
    with _UNITS.open(encoding="utf-8", newline="") as file:
        return {_plain(row["spelling"]): Unit(row["ucum"], row["sums"] == "yes") for row in csv.DictReader(file)}


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(" ", "").strip()
