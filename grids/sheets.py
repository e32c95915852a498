"""Map sheets by latitude and longitude, GB/T 13989-2012: eleven scales, codes like J50 and J50G015010.

A sheet of 1:1 000 000 spans 6° of longitude and 4° of latitude; every larger scale cuts it into equal rows and columns,
counted from the north and from the west. Degrees are those of the CRS that the sheets are drawn in, CGCS2000.
"""

import re
from typing import NamedTuple

from core.errors import BadRequest

_UNIT = 28_800  # to the degree: in eighths of a second every edge of every sheet is a whole number
_WIDTH, _HEIGHT = 6 * _UNIT, 4 * _UNIT
_TOP = 15  # rows of 1:1 000 000 up to 60°, where sheets begin to be joined
_COLUMNS = 60
_A_HAIR = 1e-6  # of a unit, a few micrometres: degrees of an edge are seldom exact
_CODE = re.compile(r"(S?)([A-V])(\d{2})(?:([B-K])(\d{6}|\d{8}))?", re.ASCII)


class _Cut(NamedTuple):
    """How a scale cuts the sheet of 1:1 000 000: its letter, the rows and columns, and the digits of each number."""

    letter: str
    parts: int
    digits: int


_CUTS: dict[int, _Cut] = {
    1_000_000: _Cut("", 1, 0),
    500_000: _Cut("B", 2, 3),
    250_000: _Cut("C", 4, 3),
    100_000: _Cut("D", 12, 3),
    50_000: _Cut("E", 24, 3),
    25_000: _Cut("F", 48, 3),
    10_000: _Cut("G", 96, 3),
    5_000: _Cut("H", 192, 3),
    2_000: _Cut("I", 576, 3),
    1_000: _Cut("J", 1152, 4),
    500: _Cut("K", 2304, 4),
}
SCALES = tuple(_CUTS)  # their denominators, the smallest scale first
_SCALE_OF = {cut.letter: scale for scale, cut in _CUTS.items()}


class BadSheetCode(BadRequest):
    """Not the code of a sheet."""

    en = "{code!r} is no sheet of GB/T 13989-2012. A code is like J50 (1:1 000 000) or J50G015010 (1:10 000)."
    zh = "{code!r} 不是 GB/T 13989-2012 图幅号。图幅号形如 J50(1:100 万)或 J50G015010(1:1 万)。"


class NoSuchScale(BadRequest):
    """A scale that the standard has no sheets for."""

    en = "Sheets of GB/T 13989-2012 have the scales 1:{scales}, not 1:{scale}."
    zh = "GB/T 13989-2012 的比例尺为 1:{scales},没有 1:{scale}。"


class OutsideTheSheets(BadRequest):
    """A place where sheets of 6° by 4° end."""

    en = "There is no sheet at {lon:g} {lat:g}: sheets of 6° by 4° reach from 60° S to 60° N."
    zh = "{lon:g} {lat:g} 处没有图幅:6°×4° 图幅的范围是南北纬 60° 之间。"


class TooManySheets(BadRequest):
    """The area holds more sheets than may be asked for."""

    en = "The area holds {count} sheets; at most {limit} are listed at once. Ask for a smaller scale or area."
    zh = "该范围有 {count} 幅图,一次最多列出 {limit} 幅。请改用更小的比例尺或缩小范围。"


class Bounds(NamedTuple):
    """The edges of a sheet: degrees, or metres in a plane."""

    west: float
    south: float
    east: float
    north: float


class Sheet(NamedTuple):
    """A sheet by its place among those of its scale: columns from 180° W to the east, rows from the equator north."""

    scale: int
    column: int
    row: int


def sheet_at(lon: float, lat: float, scale: int) -> Sheet:
    """The sheet that holds a place in degrees; its western and southern edges belong to it."""
    cut = _cut(scale)
    if not (-180 <= lon <= 180 and -4 * _TOP <= lat < 4 * _TOP):
        raise OutsideTheSheets(lon=lon, lat=lat)
    column = _units(lon + 180) * cut.parts // _WIDTH
    return Sheet(scale, column % (_COLUMNS * cut.parts), _units(lat) * cut.parts // _HEIGHT)


def code_at(lon: float, lat: float, scale: int) -> str:
    """The code of the sheet that holds a place in degrees."""
    return code_of(sheet_at(lon, lat, scale))


def code_of(sheet: Sheet) -> str:
    """The code of a sheet; south of the equator an S stands in front, as N is left out in the north."""
    cut = _cut(sheet.scale)
    band, up = divmod(sheet.row, cut.parts)
    zone, along = divmod(sheet.column, cut.parts)
    hemisphere, letter = ("", band) if band >= 0 else ("S", -band - 1)
    code = f"{hemisphere}{chr(ord('A') + letter)}{zone + 1:02}{cut.letter}"
    return code + (f"{cut.parts - up:0{cut.digits}}{along + 1:0{cut.digits}}" if cut.digits else "")


def sheet_of(code: str) -> Sheet:
    """The sheet of a code, written in either case; `BadSheetCode` where there is none."""
    match = _CODE.fullmatch(code.strip().upper())
    if match is None:
        raise BadSheetCode(code=code[:60])
    scale = _SCALE_OF[match[4] or ""]
    cut, numbers = _CUTS[scale], match[5] or ""
    half = len(numbers) // 2
    down, along = (int(numbers[:half]), int(numbers[half:])) if numbers else (1, 1)
    zone, letter = int(match[3]), ord(match[2]) - ord("A")
    fits = half == cut.digits and 1 <= down <= cut.parts and 1 <= along <= cut.parts
    if not (fits and 1 <= zone <= _COLUMNS and letter < _TOP):
        raise BadSheetCode(code=code[:60])
    band = -letter - 1 if match[1] else letter
    return Sheet(scale, (zone - 1) * cut.parts + along - 1, (band + 1) * cut.parts - down)


def bounds_of(sheet: Sheet) -> Bounds:
    """West, south, east and north of a sheet in degrees."""
    parts = _cut(sheet.scale).parts
    width, height = _WIDTH // parts, _HEIGHT // parts
    west, south = sheet.column * width, sheet.row * height
    return Bounds(west / _UNIT - 180, south / _UNIT, (west + width) / _UNIT - 180, (south + height) / _UNIT)


def neighbours_of(sheet: Sheet) -> dict[str, Sheet]:
    """The up to eight sheets around one, by direction (`n`, `ne`, …); across 180° too, none beyond 60°."""
    parts = _cut(sheet.scale).parts
    around = {name: (sheet.column + east, sheet.row + north) for name, (east, north) in DIRECTIONS.items()}
    return {
        name: Sheet(sheet.scale, column % (_COLUMNS * parts), row)
        for name, (column, row) in around.items()
        if -_TOP * parts <= row < _TOP * parts
    }


DIRECTIONS: dict[str, tuple[int, int]] = {
    "n": (0, 1), "ne": (1, 1), "e": (1, 0), "se": (1, -1),
    "s": (0, -1), "sw": (-1, -1), "w": (-1, 0), "nw": (-1, 1),
}  # fmt: skip


def cover(box: Bounds, scale: int, limit: int) -> list[Sheet]:
    """The sheets that share area with a box in degrees, from the north-west, row by row; west > east crosses 180°."""
    first = sheet_at(box.west, box.south, scale)
    last = sheet_at(box.east, min(box.north, 4 * _TOP - 1 / _UNIT), scale)
    total, edge = _COLUMNS * _cut(scale).parts, bounds_of(last)
    row = last.row - (abs(box.north - edge.south) * _UNIT < _A_HAIR and last.row > first.row)
    column = last.column - (abs((box.east - edge.west + 180) % 360 - 180) * _UNIT < _A_HAIR and box.east != box.west)
    width = (column - first.column) % total + 1
    if (count := width * (row - first.row + 1)) > limit:
        raise TooManySheets(count=count, limit=limit)
    return [
        Sheet(scale, (first.column + along) % total, up)
        for up in range(row, first.row - 1, -1)
        for along in range(width)
    ]


def _cut(scale: int) -> _Cut:
    if scale not in _CUTS:
        raise NoSuchScale(scale=scale, scales=", ".join(map(str, SCALES)))
    return _CUTS[scale]


def _units(degrees: float) -> int:
    """Whole units below an angle; what is a hair below an edge is the edge."""
    units = degrees * _UNIT
    nearest = round(units)
    return nearest if abs(units - nearest) < _A_HAIR else int(units // 1)
