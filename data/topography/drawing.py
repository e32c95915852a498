"""Writing a drawing object by object, so that its size is bounded by the disk alone."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import shapely

from core.language import Text
from data.sample.shapes import Plane, xy
from data.survey.landscape import city_with_centre
from data.topography import objects
from data.topography.features import KINDS, PITCH, UNKNOWN, Place, dice_of
from data.topography.objects import Pen
from data.topography.template import ENCODING, template

MARK = Text("synthetic: nothing of it exists", "模拟数据,并非真实地物")
_FIXED = 4  # objects of the frame


class DrawingTruth(NamedTuple):
    """How many objects there are by layer and DXF kind, how many have a code that no list has, and the CRS."""

    objects: dict[str, dict[str, int]]
    unmapped: int
    srid: int
    corner: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """As it is written beside the drawing."""
        total = sum(sum(kinds.values()) for kinds in self.objects.values())
        return {"total": total, **self._asdict()}


class Ground(NamedTuple):
    """Where a drawing lies: its CRS (x = east) and its south-west corner, whole metres."""

    srid: int
    west: float
    south: float


def ground_of(city: str, srid: int | None = None) -> Ground:
    """The middle of a city in the Gauss-Krüger zone of the city; `srid` 4513 to 4533 has the zone's number in front."""
    _, centre = city_with_centre(city)
    plane = Plane.at(centre[0])
    east, north = xy(plane.project(np.array([shapely.Point(centre)])))[0]
    zone = (srid - 4488) * 1_000_000 if srid is not None and srid <= 4533 else 0  # 4513 is zone 25
    return Ground(srid or plane.srid, float(zone + np.floor(east / 500) * 500), float(np.floor(north / 500) * 500))


def write_drawing(
    path: Path, count: int, *, city: str = "220200", seed: int = 20261, srid: int | None = None
) -> DrawingTruth:
    """A drawing of `count` objects as CASS writes it: DXF R2000 in GBK, feature codes as extended data of SOUTH."""
    ground = ground_of(city, srid)
    side = int(np.ceil(np.sqrt(max(count, 1))))
    dice, lots = dice_of(seed, count), _drawn_lots(count - _FIXED)
    dice.shuffle(lots)
    counts: Counter[tuple[str, str]] = Counter()
    unmapped = 0
    with drawing(path, count) as (out, pen):
        for layer, drawn, words in frame(pen, ground, side * PITCH, count - _FIXED, path.stem):
            counts[layer, drawn] += 1
            out.write(words)
        for number, lot in enumerate(lots):
            kind = KINDS[lot]
            code = dice.choice(kind.codes)
            where = Place(PITCH * (number % side), PITCH * (number // side), ground.west, ground.south, number)
            out.write(kind.draw(pen, dice, where, kind.layer, code))
            counts[kind.layer, kind.object] += 1
            unmapped += code == UNKNOWN
    return DrawingTruth(nested(counts), unmapped, ground.srid, (ground.west, ground.south))


@contextmanager
def drawing(path: Path, count: int) -> Iterator[tuple[TextIO, Pen]]:
    """A file for the objects of a drawing, whole or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = template(count, "DATA_ORIGIN synthetic / 模拟数据")
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with partial.open("w", encoding=ENCODING, newline="\r\n") as out:
            out.write(form.before)
            yield out, Pen(form.space, form.first)
            out.write(form.behind)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def frame(pen: Pen, ground: Ground, side: float, first: int, name: str) -> Iterator[tuple[str, str, str]]:
    """Layer, kind and text of the sheet's frame, name and title, and of a skeleton line, numbered from `first`."""
    west, south = ground.west, ground.south
    corners = [
        (west, south, 0.0),
        (west + side, south, 0.0),
        (west + side, south + side, 0.0),
        (west, south + side, 0.0),
    ]
    yield "TK", "LWPOLYLINE", objects.light_polyline(pen, first, "TK", "", corners, closed=True)
    yield "TK", "TEXT", objects.text(pen, first + 1, "TK", "", (west + side / 2, south + side + 8), name, 5.0)
    yield "TK", "TEXT", objects.text(pen, first + 2, "TK", "", (west, south - 8), MARK.zh, 3.0)
    yield "ASSIST", "LINE", objects.line(pen, first + 3, "ASSIST", "", (west, south), (west + 10, south + 10))


def nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Counts by layer, then by kind, in order."""
    found: dict[str, dict[str, int]] = {}
    for (layer, kind), number in sorted(counts.items()):
        found.setdefault(layer, {})[kind] = number
    return found


def _drawn_lots(count: int) -> list[int]:
    """So many kinds, as places in `KINDS`, each with its share, and one of each at the least where there is room."""
    shares = np.array([kind.share for kind in KINDS])
    wanted = np.floor(shares / shares.sum() * max(count, 0)).astype(int)
    wanted = np.maximum(wanted, min(1, max(count, 0) // len(KINDS)))
    lots = np.repeat(np.arange(len(KINDS)), wanted)[: max(count, 0)]
    more = np.zeros(max(count, 0) - len(lots), dtype=int)
    return [int(one) for one in (*lots, *more)]


__all__ = ["DrawingTruth", "Ground", "drawing", "frame", "ground_of", "nested", "write_drawing"]
