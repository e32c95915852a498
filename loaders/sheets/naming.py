"""Which sheet a source is: as the user says, or as its file is called."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import shapely

from core.crs import CGCS2000, Srid
from core.errors import BadRequest, ChengtuError
from core.language import Text
from core.shapes import transform_points
from grids import city_sheets, sheets
from grids.sheets import DIRECTIONS, Bounds
from loaders.layer import Note
from loaders.options import SheetOptions
from loaders.profiles import Match
from loaders.topographic import PROFILE

STANDARD: Final = "GB/T 13989-2012"
_RECTANGLE = re.compile(r"-?\d+(?:\.\d+)?--?\d+(?:\.\d+)?")
_WORD = re.compile(r"(?<![0-9A-Za-z])[A-Oa-o]\d{2}[B-Kb-k]\d{6}(?:\d{2})?(?![0-9A-Za-z])")
_SPOTS = 33  # points along an edge: it is a curve in another plane


class ScaleNeeded(ChengtuError):
    """The name of a rectangular sheet without its scale."""

    en = "The name of sheet {sheet} does not tell its scale. Give it with --scale, such as --scale 1000."
    zh = "图幅号 {sheet} 不能确定比例尺。请用 --scale 指定,例如 --scale 1000。"
    exit_code = 2


class OtherScale(ChengtuError):
    """A scale that the code of a sheet contradicts."""

    en = "Sheet {sheet} is one of 1:{its}, not of 1:{scale}. Leave --scale out, or give the right sheet."
    zh = "图幅 {sheet} 的比例尺是 1:{its},不是 1:{scale}。请去掉 --scale 或改正图幅号。"
    exit_code = 2


class NotOnSheet(ChengtuError):
    """Features that lie elsewhere than the sheet."""

    en = "The features lie at {data}, but sheet {sheet} is at {place}. Check --sheet, --scale and --srs."
    zh = "要素位于 {data},而图幅 {sheet} 位于 {place}。请检查 --sheet、--scale 与 --srs。"
    exit_code = 2


class NoMap(ChengtuError):
    """--sheet for a source that is no topographic map."""

    en = "{path} is no topographic map by themes, so --sheet says nothing of it. Leave it out, or see docs/topographic.md."
    zh = "{path} 不是按专题组织的地形图,--sheet 不适用。请去掉该选项,或参阅 docs/topographic.md。"
    exit_code = 2


class Sheet(NamedTuple):
    """One sheet: its name, its scale, and the layout of rectangular ones; without one it is of GB/T 13989."""

    name: str
    scale: int
    layout: city_sheets.Layout | None

    @property
    def system(self) -> str:
        """The system of sheets, as the index calls it."""
        return STANDARD if self.layout is None else f"{self.layout} cm"

    @property
    def key(self) -> str:
        """What tells it from all others: names of rectangular sheets repeat at other scales."""
        return self.name if self.layout is None else f"{self.name}@{self.scale}"

    def outline(self, srid: Srid, around: Bounds | None) -> shapely.Polygon:
        """The sheet as an area in the CRS `srid`, x = east; `around` are the bounds of its features.

        A rectangular sheet is in the plane of its features; its name may leave out the number of the zone, which
        their eastings tell.
        """
        outline: shapely.Polygon = self._drawn(shapely.box(*self._bounds(around)), srid)
        return outline

    def edges(self, srid: Srid, around: Bounds | None) -> dict[str, shapely.LineString]:
        """Its four edges in the CRS `srid`, by the direction in which they lie."""
        west, south, east, north = self._bounds(around)
        sides = {
            "n": [(west, north), (east, north)],
            "e": [(east, south), (east, north)],
            "s": [(west, south), (east, south)],
            "w": [(west, south), (west, north)],
        }
        return {way: self._drawn(shapely.LineString(side), srid) for way, side in sides.items()}

    def _bounds(self, around: Bounds | None) -> Bounds:
        """In degrees of CGCS2000, or in metres of the plane."""
        if self.layout is None:
            return sheets.bounds_of(sheets.sheet_of(self.name))
        box = city_sheets.bounds_of(city_sheets.sheet_of(self.name, self.scale, self.layout))
        zone = around.west // 1_000_000 * 1_000_000 if around and box.west < 1_000_000 <= around.west else 0
        return Bounds(box.west + zone, box.south, box.east + zone, box.north)

    def _drawn(self, shape: shapely.Geometry, srid: Srid) -> shapely.Geometry:
        """Edges with points between, for they are curves in another plane."""
        if self.layout is not None:
            return shape
        bounds = sheets.bounds_of(sheets.sheet_of(self.name))
        return transform_points(shapely.segmentize(shape, (bounds.east - bounds.west) / _SPOTS), CGCS2000, srid)

    def neighbours(self) -> dict[str, str]:
        """The keys of the sheets that share an edge with this one, by direction."""
        if self.layout is None:
            found = {way: sheets.code_of(one) for way, one in sheets.neighbours_of(sheets.sheet_of(self.name)).items()}
        else:
            mine = city_sheets.sheet_of(self.name, self.scale, self.layout)
            found = {way: city_sheets.name_of(one) for way, one in city_sheets.neighbours_of(mine).items()}
        return {way: self._replace(name=found[way]).key for way in DIRECTIONS if len(way) == 1 and way in found}


def asked_sheet(name: str, scale: int | None, layout: city_sheets.Layout = "50x50") -> Sheet:
    """The sheet of a name that the user gives; raises `BadSheetCode`, `BadSheetName`, `ScaleNeeded` or `OtherScale`."""
    name = name.strip()
    if not _RECTANGLE.fullmatch(name):
        found = sheets.sheet_of(name)
        if scale not in (None, found.scale):
            raise OtherScale(sheet=name, its=found.scale, scale=scale)
        return Sheet(sheets.code_of(found), found.scale, None)
    scale = scale or _scale_by_digits(name)
    if scale is None:
        raise ScaleNeeded(sheet=name)
    return Sheet(city_sheets.name_of(city_sheets.sheet_of(name, scale, layout)), scale, layout)


def find_sheet(source: Path, matches: Sequence[Match], asked: SheetOptions) -> tuple[Sheet | None, tuple[Note, ...]]:
    """The sheet that a topographic source is: the one asked for, else the one that its file is called after.

    Raises `NoMap` where a sheet is asked for of something else, and what `asked_sheet` does.
    """
    if not any(match.profile.id == PROFILE for match in matches):
        if asked.name is not None:
            raise NoMap(path=source)
        return None, ()
    if asked.name is not None:
        return asked_sheet(asked.name, asked.scale, asked.layout), ()
    sheet = sheet_in(source.name, asked.scale, asked.layout)
    if sheet is None:
        return None, ()
    text = Text(
        f"It is sheet {sheet.name} (1:{sheet.scale}), by the name of the file.",
        f"依据文件名,本图为图幅 {sheet.name}(1:{sheet.scale})。",
    )
    return sheet, (Note("sheet", text),)


def sheet_in(file: str, scale: int | None, layout: city_sheets.Layout = "50x50") -> Sheet | None:
    """The sheet that a file is called after: by its whole name, or by a code of GB/T 13989 in it."""
    stem = re.sub(r"\.(dxf|zip|gpkg|gdb|shp)$", "", file, flags=re.IGNORECASE)
    code = _WORD.search(stem)
    if code is None and not _RECTANGLE.fullmatch(stem):
        return None
    try:
        return asked_sheet(code[0] if code else stem, scale, layout)
    except (BadRequest, ScaleNeeded, OtherScale):
        return None


def check_place(sheet: Sheet, outline: shapely.Polygon, data: Bounds | None) -> None:
    """Refuse features that are nowhere near the sheet."""
    if data is None or shapely.box(*data).intersects(outline):
        return
    shown = (" … ".join(f"{x:.0f} {y:.0f}" for x, y in (box[:2], box[2:])) for box in (data, Bounds(*outline.bounds)))
    where, place = shown
    raise NotOnSheet(data=where, sheet=sheet.name, place=place)


def in_degrees(outline: shapely.Polygon, srid: Srid) -> shapely.Polygon:
    """An outline in CGCS2000, degrees, with points along its edges."""
    fine = outline if srid == CGCS2000 else shapely.segmentize(outline, outline.length / 4 / _SPOTS)
    moved: shapely.Polygon = transform_points(fine, srid, CGCS2000)
    return moved


def _scale_by_digits(name: str) -> int | None:
    """Two digits behind the point are those of 1:500; one may be of two scales."""
    digits = {len(part) for part in re.findall(r"\.(\d+)", name)}
    return 500 if digits == {2} else None
