"""Neighbouring sheets of a city's rectangular layout, with features that cross their common edge, and mismatches there."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

from data.topography import objects
from data.topography.drawing import Ground, drawing, frame, ground_of, nested
from data.topography.features import dice_of
from data.topography.objects import Pen
from data.topography.terrain import BASE, SLOPE, contour

Mismatch = Literal["geometry", "attribute"]
_DIGITS = {500: 2, 1000: 1, 2000: 1}  # of a kilometre in a sheet's name
_REACH = 40.0  # metres that a feature runs into each sheet
_STEPS = 8
_SHIFT = 4.0  # millimetres on paper by which an end is off; a tenth of one is what edges are matched within
_FIXED = 4


class Crossing(NamedTuple):
    """A feature that crosses the edge at `y`: its layer, its code in both sheets, its height, and what is wrong with it."""

    layer: str
    codes: tuple[str, str]
    y: float
    levels: tuple[float, float]
    shift: float
    wrong: Mismatch | None


class SheetsTruth(NamedTuple):
    """The two sheets by name and file, west and east; which crossings do not match, as points of the edge; how many do."""

    scale: int
    srid: int
    sheets: dict[str, str]
    objects: dict[str, dict[str, dict[str, int]]]
    mismatches: dict[Mismatch, list[dict[str, Any]]]
    matching: int

    def as_json(self) -> dict[str, Any]:
        """As it is written beside the sheets."""
        return self._asdict()


def write_sheets(
    folder: Path, *, scale: int = 500, crossings: int = 40, geometry: int = 3, attribute: int = 3,
    city: str = "220200", seed: int = 20261, srid: int | None = None,
) -> SheetsTruth:  # fmt: skip
    """Two sheets side by side, of 50 cm on paper; of the `crossings`, some are shifted and some change their attributes."""
    corner, side = ground_of(city, srid), scale / 2.0
    planned = _plan(dice_of(seed, scale, crossings), side, crossings, geometry, attribute)
    grounds = [corner, corner._replace(west=corner.west + side)]
    names = [sheet_name(one, scale) for one in grounds]
    counts = {}
    for east, (name, ground) in enumerate(zip(names, grounds, strict=True)):
        counts[name] = _write(folder / f"{name}.dxf", name, ground, side, planned, east=bool(east))
    wrong: dict[Mismatch, list[dict[str, Any]]] = {
        kind: [_told(one, grounds[1]) for one in planned if one.wrong == kind] for kind in ("geometry", "attribute")
    }
    files = {name: f"{name}.dxf" for name in names}
    return SheetsTruth(scale, corner.srid, files, counts, wrong, crossings - geometry - attribute)


def sheet_name(ground: Ground, scale: int) -> str:
    """The south-west corner in kilometres, northing first, without the zone's number."""
    digits = _DIGITS[scale]
    return f"{ground.south / 1000:.{digits}f}-{ground.west % 1_000_000 / 1000:.{digits}f}"


def _plan(dice: Random, side: float, crossings: int, geometry: int, attribute: int) -> list[Crossing]:
    """Roads and contours in turn, at heights so far apart that none is taken for its neighbour."""
    wrong: list[Mismatch | None] = [None] * crossings
    wrong[:geometry] = ["geometry"] * geometry
    wrong[geometry : geometry + attribute] = ["attribute"] * attribute
    dice.shuffle(wrong)
    gap = side / (crossings + 1)
    shift = min(_SHIFT * side / 500, gap / 4)
    planned = []
    for number, kind in enumerate(wrong, 1):
        y = gap * number
        level = float(round(BASE + SLOPE * y)) if number % 2 else 0.0
        codes = ("201101", "201101") if number % 2 else ("164300", "164400" if kind == "attribute" else "164300")
        levels = (level, level + (1.0 if number % 2 and kind == "attribute" else 0.0))
        planned.append(Crossing("DGX" if number % 2 else "DLSS", codes, y, levels, shift * (kind == "geometry"), kind))
    return planned


def _write(
    path: Path, name: str, ground: Ground, side: float, planned: list[Crossing], *, east: bool
) -> dict[str, dict[str, int]]:
    counts: Counter[tuple[str, str]] = Counter()
    with drawing(path, len(planned) + _FIXED) as (out, pen):
        for layer, kind, words in frame(pen, ground, side, len(planned), name):
            counts[layer, kind] += 1
            out.write(words)
        for number, crossing in enumerate(planned):
            counts[crossing.layer, "LWPOLYLINE"] += 1
            out.write(_half(pen, number, crossing, ground, side, east=east))
    return nested(counts)


def _half(pen: Pen, number: int, crossing: Crossing, ground: Ground, side: float, *, east: bool) -> str:
    """One sheet's half of a feature: the eastern one begins at the edge, shifted to the north if so planned."""
    points = [
        (ground.west + x, ground.south + crossing.y + bend + (crossing.shift if east else 0.0), 0.0)
        for x, bend in _run(crossing, side, east=east)
    ]
    code, level = crossing.codes[east], crossing.levels[east]
    return objects.light_polyline(pen, number, crossing.layer, code, points, closed=False, z=level)


def _run(crossing: Crossing, side: float, *, east: bool) -> Iterator[tuple[float, float]]:
    """Metres from the western edge of the sheet, and how far the feature has bent off its place at the common edge."""
    for step in range(_STEPS + 1):
        along = _REACH * (step / _STEPS - (0 if east else 1))
        bend = contour(along, 0) - contour(0, 0) if crossing.layer == "DGX" else 0.1 * along
        yield (along if east else side + along), bend * 0.1


def _told(crossing: Crossing, east: Ground) -> dict[str, Any]:
    return {
        "layer": crossing.layer,
        "x": east.west,
        "y": east.south + crossing.y,
        "codes": [*crossing.codes],
        "levels": [*crossing.levels],
        "shift": crossing.shift,
    }
