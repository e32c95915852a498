"""From the records of a drawing to coordinates in its world, x = east; and from those to WKB."""

import functools
import math
import struct
from array import array
from collections.abc import Callable, Sequence
from itertools import compress
from typing import NamedTuple

import shapely
from ezdxf.math import OCS

from core.language import Text
from loaders.cass.arcs import Numbers, arc, bulged
from loaders.cass.tags import Record

_MESHES = 16 | 64  # flags of a POLYLINE that is a surface


class Unread(Exception):
    """An object that gives no feature; `why` goes into the report."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class Ring(NamedTuple):
    """A run of points."""

    x: Numbers
    y: Numbers
    z: Numbers


class Shape(NamedTuple):
    """The place of an object: a point, a line, or what may be an area, whose first ring is the outer one."""

    rings: list[Ring]
    closed: bool = False
    area: bool = False  # whatever its class says: a hatch, a filled triangle

    @property
    def is_point(self) -> bool:
        """Whether it is a single place."""
        return len(self.rings[0].x) == 1 and not self.closed


class Drawn(NamedTuple):
    """An object, with the vertices or attributes that follow it in the file."""

    record: Record
    parts: list[Record]


_NO_POINTS = Text("it has no points", "没有坐标点")
_SURFACE = Text("a surface, not a line", "为曲面网格")
_NUMBERS = Text("its numbers cannot be read", "坐标数值无法解析")


def shape_of(drawn: Drawn) -> Shape:
    """The shape of an object of a kind in `SHAPES`; raises `Unread`."""
    try:
        shape = SHAPES[drawn.record.kind](drawn)
    except (ValueError, OverflowError) as error:
        raise Unread(_NUMBERS) from error
    if not shape.rings or not shape.rings[0].x:
        raise Unread(_NO_POINTS)
    return shape


def at(record: Record, code: int = 10) -> Ring:
    """The place that a record has at a group code."""
    return Ring([record.number(code)], [record.number(code + 10)], [record.number(code + 20)])


def _point(drawn: Drawn) -> Shape:
    return Shape([at(drawn.record)])


def _flat_point(drawn: Drawn) -> Shape:
    return Shape([in_world(drawn.record, at(drawn.record))])


def _text(drawn: Drawn) -> Shape:
    """A text that is aligned otherwise than to its lower left has its place in a second point."""
    record = drawn.record
    aligned = record.kind != b"MTEXT" and (72 in record.codes or 73 in record.codes) and 11 in record.codes
    moved = aligned and (record.flags(72) or record.flags(73))
    place = at(record, 11 if moved else 10)
    return Shape([place if record.kind == b"MTEXT" else in_world(record, place)])


def _line(drawn: Drawn) -> Shape:
    record = drawn.record
    (x0, y0, z0), (x1, y1, z1) = at(record, 10), at(record, 11)
    return Shape([Ring(x0 + x1, y0 + y1, z0 + z1)])


def _lwpolyline(drawn: Drawn) -> Shape:
    record = drawn.record
    codes, values = record.codes, record.values
    x = list(map(float, compress(values, map((10).__eq__, codes))))
    y = list(map(float, compress(values, map((20).__eq__, codes))))
    closed = bool(record.flags(70) & 1)
    if 42 in codes:
        x, y = bulged(x, y, _bulges(record), closed=closed)
    return Shape([in_world(record, Ring(x, y, [record.number(38)] * len(x)))], closed)


def _bulges(record: Record) -> Numbers:
    """The bulge of each side: it stands behind the vertex that the side begins at, where it is not zero."""
    bulges: Numbers = []
    for code, value in zip(record.codes, record.values, strict=True):
        if code == 10:
            bulges.append(0.0)
        elif code == 42 and bulges:
            bulges[-1] = float(value)
    return bulges


def _polyline(drawn: Drawn) -> Shape:
    flags = drawn.record.flags(70)
    if flags & _MESHES:
        raise Unread(_SURFACE)
    control = 16 if flags & 4 else 0  # of a line that was smoothed, the points that hold it are not on it
    vertices = [one for one in drawn.parts if one.kind == b"VERTEX" and not (control and one.flags(70) & control)]
    x, y = [one.number(10) for one in vertices], [one.number(20) for one in vertices]
    closed = bool(flags & 1)
    if flags & 8:
        return Shape([Ring(x, y, [one.number(30) for one in vertices])], closed)
    bulges = [one.number(42) for one in vertices]
    if any(bulges):
        x, y = bulged(x, y, bulges, closed=closed)
    return Shape([in_world(drawn.record, Ring(x, y, [drawn.record.number(30)] * len(x)))], closed)


def _arc(drawn: Drawn) -> Shape:
    record = drawn.record
    begin, end = math.radians(record.number(50)), math.radians(record.number(51))
    x, y = arc(record.number(10), record.number(20), record.number(40), begin, (end - begin) % math.tau or math.tau)
    return Shape([in_world(record, Ring(x, y, [record.number(30)] * len(x)))])


def _circle(drawn: Drawn) -> Shape:
    record = drawn.record
    x, y = arc(record.number(10), record.number(20), record.number(40), 0.0, math.tau)
    return Shape([in_world(record, Ring(x[:-1], y[:-1], [record.number(30)] * (len(x) - 1)))], closed=True)


def _corners(order: tuple[int, ...]) -> Callable[[Drawn], Shape]:
    """A filled triangle or quadrangle by its corners; the last of three is said twice."""

    def shape(drawn: Drawn) -> Shape:
        record = drawn.record
        places = list(dict.fromkeys(_xyz(record, code) for code in order if code in record.codes))
        ring = Ring([p[0] for p in places], [p[1] for p in places], [p[2] for p in places])
        area = len(places) > 2
        return Shape([ring if record.kind == b"3DFACE" else in_world(record, ring)], closed=area, area=area)

    return shape


def _xyz(record: Record, code: int) -> tuple[float, float, float]:
    return record.number(code), record.number(code + 10), record.number(code + 20)


SHAPES: dict[bytes, Callable[[Drawn], Shape]] = {
    b"POINT": _point,
    b"INSERT": _flat_point,
    b"LINE": _line,
    b"LWPOLYLINE": _lwpolyline,
    b"POLYLINE": _polyline,
    b"ARC": _arc,
    b"CIRCLE": _circle,
    b"TEXT": _text,
    b"MTEXT": _text,
    b"SOLID": _corners((10, 11, 13, 12)),
    b"TRACE": _corners((10, 11, 13, 12)),
    b"3DFACE": _corners((10, 11, 12, 13)),
}


def in_world(record: Record, ring: Ring) -> Ring:
    """Coordinates of an object's own plane in those of the drawing: a mirrored object has its plane face down."""
    if 210 not in record.codes:
        return ring
    normal = (record.number(210), record.number(220), record.number(230))
    if normal == (0.0, 0.0, 1.0) or not any(normal):
        return ring
    plane = OCS(normal)
    points = [plane.to_wcs(one) for one in zip(*ring, strict=True)]
    return Ring([p.x for p in points], [p.y for p in points], [p.z for p in points])


def as_wkb(shape: Shape, *, area: bool) -> bytes:
    """ISO WKB with z, little-endian; a polygon where the shape is closed and its class is an area."""
    if shape.is_point:
        ring = shape.rings[0]
        return struct.pack("<BI3d", 1, 1001, ring.x[0], ring.y[0], ring.z[0])
    ends = _ends_meet(shape.rings[0])
    if len(shape.rings) > 1:
        return _even_odd(shape.rings)
    if shape.area or (area and (shape.closed or ends) and len(shape.rings[0].x) - ends > 2):
        return struct.pack("<BII", 1, 1003, 1) + _run(_closed(shape.rings[0]))
    ring = shape.rings[0]
    if len(ring.x) == 1:  # a closed line of one point: the line of no length that it is
        ring = Ring(ring.x * 2, ring.y * 2, ring.z * 2)
    return struct.pack("<BI", 1, 1002) + _run(_closed(ring) if shape.closed else ring)


def _even_odd(rings: Sequence[Ring]) -> bytes:
    """The area within an odd number of rings: CAD programs fill hatches so."""
    areas = [shapely.make_valid(shapely.Polygon(list(zip(*ring, strict=True)))) for ring in rings]
    area = shapely.force_3d(functools.reduce(shapely.symmetric_difference, areas), rings[0].z[0])
    wkb: bytes = shapely.to_wkb(area, output_dimension=3, byte_order=1, flavor="iso")
    return wkb


def _ends_meet(ring: Ring) -> bool:
    return len(ring.x) > 1 and ring.x[0] == ring.x[-1] and ring.y[0] == ring.y[-1]


def _closed(ring: Ring) -> Ring:
    if _ends_meet(ring):
        return ring
    return Ring([*ring.x, ring.x[0]], [*ring.y, ring.y[0]], [*ring.z, ring.z[0]])


def _run(ring: Ring) -> bytes:
    """The number of points, and the points."""
    return struct.pack("<I", len(ring.x)) + _interleaved((ring.x, ring.y, ring.z))


def _interleaved(ordinates: Sequence[Numbers]) -> bytes:
    run = [0.0] * (3 * len(ordinates[0]))
    for place, numbers in enumerate(ordinates):
        run[place::3] = numbers
    return array("d", run).tobytes()
