"""A city's own rectangular sheets at large scales (GB/T 20257.1): named by the south-west corner in kilometres.

Northing first, then easting: `10.40-27.75` of 1:500. The name holds neither scale nor CRS: both stand beside it.
"""

import re
from decimal import Decimal
from typing import Literal, NamedTuple

from core.errors import BadRequest
from grids.sheets import DIRECTIONS, Bounds, TooManySheets

Layout = Literal["50x50", "40x50"]  # centimetres on paper, north by east; at 1:5000 both are 40 by 40

_DIGITS = {5_000: 0, 2_000: 1, 1_000: 1, 500: 2}  # behind the point, in kilometres
SCALES = tuple(_DIGITS)
_NAME = re.compile(r"(-?\d{1,5}(?:\.\d{1,3})?)-(-?\d{1,5}(?:\.\d{1,3})?)", re.ASCII)


class BadSheetName(BadRequest):
    """Not the name of a rectangular sheet of that scale."""

    en = (
        "{name!r} is no sheet of 1:{scale}. A name is the south-west corner in km, northing first, at a multiple of"
        " {height:g} by {width:g} m, like {example}."
    )
    zh = (
        "{name!r} 不是 1:{scale} 图幅号。图幅号为西南角公里坐标,纵坐标在前,取 {height:g}×{width:g} 米的整倍数,"
        "如 {example}。"
    )


class NoCityScale(BadRequest):
    """A scale that has no rectangular sheets."""

    en = "Rectangular sheets have the scales 1:5000, 1:2000, 1:1000 and 1:500, not 1:{scale}."
    zh = "矩形分幅的比例尺为 1:5000、1:2000、1:1000 和 1:500,没有 1:{scale}。"


class CitySheet(NamedTuple):
    """A rectangular sheet: its scale and layout, and how many sheets east and north of the plane's origin it lies."""

    scale: int
    layout: Layout
    column: int
    row: int


def size_of(scale: int, layout: Layout) -> tuple[int, int]:
    """Metres from west to east and from south to north."""
    if scale not in _DIGITS:
        raise NoCityScale(scale=scale)
    if scale == 5_000:
        return 2_000, 2_000
    return scale // 2, (scale // 2 if layout == "50x50" else scale * 2 // 5)


def sheet_at(x: float, y: float, scale: int, layout: Layout = "50x50") -> CitySheet:
    """The sheet that holds a point of the plane, x = east; its western and southern edges belong to it."""
    width, height = size_of(scale, layout)
    return CitySheet(scale, layout, int(x // width), int(y // height))


def name_of(sheet: CitySheet) -> str:
    """The name of a sheet: northing and easting of its south-west corner, in kilometres."""
    digits, bounds = _DIGITS[sheet.scale], bounds_of(sheet)
    return f"{bounds.south / 1000:.{digits}f}-{bounds.west / 1000:.{digits}f}"


def sheet_of(name: str, scale: int, layout: Layout = "50x50") -> CitySheet:
    """The sheet of a name; `BadSheetName` where no sheet of that scale has its corner there."""
    width, height = size_of(scale, layout)
    match = _NAME.fullmatch(name.strip())
    north, east = (Decimal(one) * 1000 for one in match.groups()) if match else (Decimal(1), Decimal(1))
    if north % height or east % width:
        example = name_of(CitySheet(scale, layout, 27_000 // width, 10_000 // height))
        raise BadSheetName(name=name[:60], scale=scale, width=width, height=height, example=example)
    return CitySheet(scale, layout, int(east // width), int(north // height))


def bounds_of(sheet: CitySheet) -> Bounds:
    """West, south, east and north of a sheet, in metres."""
    width, height = size_of(sheet.scale, sheet.layout)
    west, south = sheet.column * width, sheet.row * height
    return Bounds(west, south, west + width, south + height)


def neighbours_of(sheet: CitySheet) -> dict[str, CitySheet]:
    """The eight sheets around one, by direction (`n`, `ne`, …)."""
    return {
        name: sheet._replace(column=sheet.column + east, row=sheet.row + north)
        for name, (east, north) in DIRECTIONS.items()
    }


def cover(box: Bounds, scale: int, limit: int, layout: Layout = "50x50") -> list[CitySheet]:
    """The sheets that share area with a box in metres, from the north-west, row by row."""
    width, height = size_of(scale, layout)
    west, south = int(box.west // width), int(box.south // height)
    east, north = max(west, int(-(-box.east // width)) - 1), max(south, int(-(-box.north // height)) - 1)
    if (count := (east - west + 1) * (north - south + 1)) > limit:
        raise TooManySheets(count=count, limit=limit)
    return [
        CitySheet(scale, layout, column, row) for row in range(north, south - 1, -1) for column in range(west, east + 1)
    ]
