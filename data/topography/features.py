"""Map features of every kind that a CASS drawing has, each drawn around a place of its own."""

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from data.topography import objects
from data.topography.objects import Pen
from data.topography.terrain import contour, height

PITCH = 12.0  # metres between places
UNKNOWN = "999900"  # a feature code that no list has
_NAMES = ("和平路", "松花江", "幸福小区", "模拟中学", "向阳屯", "北山", "永安大街", "新华村")


def dice_of(*words: object) -> Random:
    """Dice that fall alike for the same words."""
    return Random("-".join(map(str, words)))  # noqa: S311 — a made-up map keeps no secret


class Place(NamedTuple):
    """Where a feature goes: metres from the south-west corner `west`, `south` of the drawing, and its own number."""

    x: float
    y: float
    west: float
    south: float
    number: int

    def at(self, east: float, north: float) -> tuple[float, float]:
        """Coordinates in the plane of a point so far from the place."""
        return self.west + self.x + east, self.south + self.y + north


class Kind(NamedTuple):
    """A kind of feature: its layer, what DXF calls the object, the codes to choose from, and what draws it."""

    layer: str
    object: str
    codes: tuple[str, ...]
    share: int
    draw: Callable[[Pen, Random, Place, str, str], str]


def _house(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    width, depth = 4 + 6 * dice.random(), 4 + 4 * dice.random()
    corners = [(*place.at(*corner), 0.0) for corner in ((0, 0), (width, 0), (width, depth), (0, depth))]
    return objects.light_polyline(pen, place.number, layer, code, corners, closed=True)


def _round_house(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    """With a semicircle instead of one side."""
    width = 4 + 4 * dice.random()
    corners = [(0.0, 0.0, 0.0), (width, 0.0, 1.0), (width, 4.0, 0.0), (0.0, 4.0, 0.0)]
    points = [(*place.at(east, north), bulge) for east, north, bulge in corners]
    return objects.light_polyline(pen, place.number, layer, code, points, closed=True)


def _area(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    radius = 3 + 2 * dice.random()
    turns = [math.tau * step / 7 for step in range(7)]
    points = [(*place.at(5 + radius * math.cos(turn), 5 + radius * math.sin(turn)), 0.0) for turn in turns]
    return objects.light_polyline(pen, place.number, layer, code, points, closed=True)


def _parcel(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    """A cadastral parcel, with its code, owner and class behind the feature code."""
    side = 8 + 2 * dice.random()
    corners = [(*place.at(*corner), 0.0) for corner in ((0, 0), (side, 0), (side, side), (0, side))]
    more = (f"220202001001GB{place.number % 100_000:05d}", "模拟权利人", "0701")
    return objects.light_polyline(pen, place.number, layer, code, corners, closed=True, more=more)


def _bent_line(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    """A line with an arc in it."""
    points = [
        (*place.at(0, 0), 0.0),
        (*place.at(4, 1), 0.3 + 0.3 * dice.random()),
        (*place.at(8, 3), 0.0),
        (*place.at(10, 8), 0.0),
    ]
    return objects.light_polyline(pen, place.number, layer, code, points, closed=False)


def _straight(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    return objects.line(pen, place.number, layer, code, place.at(0, 0), place.at(10, 10 * dice.random()))


def _curve(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    points = [place.at(2.0 * step, 4 * dice.random()) for step in range(6)]
    return objects.spline(pen, place.number, layer, code, points)


def _arc(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    begin = 360 * dice.random()
    return objects.arc(
        pen, place.number, layer, code, place.at(5, 5), 2 + 2 * dice.random(), (begin, (begin + 150) % 360)
    )


def _circle(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    return objects.circle(pen, place.number, layer, code, place.at(5, 5), 1 + 2 * dice.random())


def _symbol(block: str) -> Callable[[Pen, Random, Place, str, str], str]:
    def draw(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
        turn, scale = 360 * dice.random(), dice.choice((0.5, 1.0, 2.0))
        return objects.symbol(pen, place.number, layer, code, block, (*place.at(5, 5), 0.0), turn, scale)

    return draw


def _control(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    z = height(place.x + 5, place.y + 5)
    at = (*place.at(5, 5), z)
    return objects.symbol(pen, place.number, layer, code, "GC113", at, name=f"K{place.number}", height=f"{z:.3f}")


def _spot(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    east, north = 10 * dice.random(), 10 * dice.random()
    z = height(place.x + east, place.y + north)
    return objects.symbol(pen, place.number, layer, code, "GC200", (*place.at(east, north), z), height=f"{z:.2f}")


def _contour_points(place: Place) -> list[tuple[float, float, float]]:
    level = float(round(height(place.x, place.y)))
    steps = [place.x + 4 * step for step in range(12)]
    return [(place.west + x, place.south + contour(x, level), level) for x in steps]


def _contour(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    """A piece of a contour, its height as the polyline's elevation; each fifth one is an index contour."""
    points = _contour_points(place)
    level = points[0][2]
    code = "201102" if level % 5 == 0 else "201101"
    return objects.light_polyline(
        pen, place.number, layer, code, [(x, y, 0.0) for x, y, _ in points], closed=False, z=level
    )


def _contour_3d(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    """Likewise, with the height at each vertex."""
    points = _contour_points(place)
    return objects.heavy_polyline(pen, place.number, layer, "201102" if points[0][2] % 5 == 0 else "201101", points)


def _name(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    size, turn = dice.choice((1.5, 2.0, 3.0)), 90 * dice.random()
    return objects.text(pen, place.number, layer, code, place.at(0, 2), dice.choice(_NAMES), size, turn)


def _note(pen: Pen, dice: Random, place: Place, layer: str, code: str) -> str:
    return objects.paragraph(pen, place.number, layer, place.at(0, 8), rf"{dice.choice(_NAMES)}\P模拟数据", 1.5)


KINDS = (
    Kind("JMD", "LWPOLYLINE", ("141101", "141111", "141121", "141161", "141200"), 20, _house),
    Kind("JMD", "LWPOLYLINE", ("141101", "141111"), 3, _round_house),
    Kind("JMD", "LINE", ("144400", "144500"), 4, _straight),
    Kind("JMD", "LWPOLYLINE", (UNKNOWN,), 1, _house),
    Kind("DLDW", "CIRCLE", ("155210",), 1, _circle),
    Kind("DLSS", "LWPOLYLINE", ("163200", "164200", "164300", "164400"), 8, _bent_line),
    Kind("DLSS", "ARC", ("164400",), 2, _arc),
    Kind("DLSS", "LINE", ("164300",), 3, _straight),
    Kind("SXSS", "SPLINE", ("181101",), 3, _curve),
    Kind("SXSS", "LWPOLYLINE", ("185101",), 2, _area),
    Kind("GXYZ", "LINE", ("171101", "171201", "172001"), 4, _straight),
    Kind("GXYZ", "INSERT", ("171300",), 4, _symbol("GC129")),
    Kind("DMTZ", "LWPOLYLINE", ("204202", "204102"), 2, _bent_line),
    Kind("DGX", "LWPOLYLINE", ("",), 10, _contour),
    Kind("DGX", "POLYLINE", ("",), 2, _contour_3d),
    Kind("GCD", "INSERT", ("202101",), 14, _spot),
    Kind("ZBTZ", "LWPOLYLINE", ("211100", "211200", "211400", "212100"), 4, _area),
    Kind("ZBTZ", "INSERT", ("211100",), 3, _symbol("GC168")),
    Kind("KZD", "INSERT", ("131500", "131700"), 1, _control),
    Kind("JJ", "LWPOLYLINE", ("191401", "191501"), 1, _bent_line),
    Kind("JZD", "LWPOLYLINE", ("300000",), 3, _parcel),
    Kind("ZJ", "TEXT", ("",), 4, _name),
    Kind("ZJ", "MTEXT", ("",), 1, _note),
)
