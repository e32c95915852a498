"""Rows that are no place: totals, which are held against the sum of the others, and notes below a table."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from loaders.tables.divisions import division
from loaders.tables.headers import Header, unit_of
from loaders.tables.matching import Outcome, plain_code
from loaders.tables.reading import Sheet
from loaders.tables.values import Read, half_width

type Aside = Literal["total", "subtotal", "note"]

_TOTAL = re.compile(
    r"(?:全[国省市县区州旗].{0,4}?)?(?:合计|总计|共计|总和)|全[国省市县区州旗]|total|sum|all", re.IGNORECASE
)
_SUBTOTAL = re.compile(r".{0,12}小计|subtotal|平均值?|均值|average|mean", re.IGNORECASE)
_NOTE = re.compile(
    r"(?:注|说明|备注|附注|资料来源|数据来源|来源|单位|制表|填表|审核|notes?|source)\s*\d*\s*[:.]", re.IGNORECASE
)
_RATIO = re.compile(r"率|比|均|密度|指数|percent|rate|ratio|average|mean|index", re.IGNORECASE)
_LEVELS = (2, 4, 6, 9)  # digits of a province, a prefecture, a county, a town
_LOOK = 3  # text cells of a row that may say what it is


class Row(NamedTuple):
    """A row that is left aside: its number, what it says, and what it is."""

    number: int
    text: str
    kind: Aside


@dataclass(frozen=True)
class Held:
    """A total held against the sum of the rows it stands for."""

    row: int
    column: str
    stated: float
    sum: float


def find_aside(sheet: Sheet, column: int | None = None) -> list[Row]:
    """The rows that say themselves what they are; `column` is the one that names the places, where it is known."""
    columns = [sheet.texts(place) for place in range(len(sheet.headers))]
    found = []
    for number, cells in enumerate(zip(*columns, strict=True), start=1):
        place = cells[column] if column is not None else ""
        words = [half_width(cell) for cell in (place, *cells) if cell][: _LOOK + 1]
        kind = _kind(words, sum(bool(cell) for cell in cells), bool(place))
        if kind is not None:
            found.append(Row(number, " ".join(dict.fromkeys(words))[:100], kind))
    return found


def _kind(words: Sequence[str], filled: int, placed: bool) -> Aside | None:
    plain = ["".join(word.split()) for word in words]
    if any(_TOTAL.fullmatch(word) for word in plain):
        return "total"
    if any(_SUBTOTAL.fullmatch(word) for word in plain):
        return "subtotal"
    alone = filled == 1 and (_NOTE.match(plain[0]) or not (placed or any(map(str.isdigit, plain[0]))))
    return "note" if alone else None


def parent_totals(cells: Sequence[str], outcomes: Sequence[Outcome], numbers: Sequence[int]) -> list[Row]:
    """Rows of the unit above: a code without a place, which the codes of two or more other rows begin with."""
    if all(one.why != "unknown" for one in outcomes):
        return []
    codes = [division(plain_code(cell)) for cell in cells]
    within = Counter(
        code[:length]
        for code, one in zip(codes, outcomes, strict=True)
        if one.place is not None and code
        for length in _LEVELS
        if length < len(code)
    )
    return [
        Row(number, cell, "total")
        for number, cell, code, one in zip(numbers, cells, codes, outcomes, strict=True)
        if one.why == "unknown" and code and within[_start(code)] > 1
    ]


def _start(code: str) -> str:
    """What the codes in a unit begin with: 22 in 220000, 2202 in 220200, all of it in a county or a town."""
    while len(code) <= 6 and code.endswith("00"):
        code = code[:-2]
    return code


def hold(
    totals: Sequence[int],
    rows: Sequence[int],
    groups: Sequence[object],
    columns: Sequence[tuple[Header, Read, str | None]],
) -> tuple[int, list[Held]]:
    """Hold totals (positions) against the sums of `rows` of the same group: how many numbers were held, and what differs.

    `columns` are those of the whole table, with the unit of each; shares and rates are not added up.
    """
    held, differing = 0, []
    members: defaultdict[object, list[int]] = defaultdict(list)
    for row in rows:
        members[groups[row]].append(row)
    for header, read, unit in columns:
        if not totals or not read.is_number or _is_share(header, read, unit):
            continue
        values = read.values.to_pylist()
        for total in totals:
            parts = [values[row] for row in members[groups[total]] if values[row] is not None]
            if values[total] is None or not parts:
                continue
            held += 1
            summed = float(sum(parts))
            if abs(values[total] - summed) > _tolerance([*parts, values[total]]):
                differing.append(Held(total + 1, header.title, float(values[total]), round(summed, 6)))
    return held, differing


def _is_share(header: Header, read: Read, unit: str | None) -> bool:
    return read.percent or bool(_RATIO.search(header.name)) or (unit is not None and not unit_of(unit).sums)


def _tolerance(values: Sequence[float]) -> float:
    """Half of the last decimal of each number that was rounded."""
    decimals = max(
        len(repr(value).partition(".")[2].rstrip("0")) if isinstance(value, float) else 0 for value in values
    )
    return 0.5 * 10.0**-decimals * len(values) if decimals else 0.5
