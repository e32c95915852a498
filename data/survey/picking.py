"""Choosing parcels to change or to spoil, far from each other, and the edges of theirs that can be moved."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import shapely

from data.sample.shapes import Floats, Ints, Shapes
from data.survey.table import Table

DEGREE = 111_195.0  # metres of latitude
CLEAR = 4.0  # metres that a moved vertex keeps from all other edges
DECIMALS = 9

Point = tuple[float, float]
NOBODY = -1


class Bend(NamedTuple):
    """A vertex `at` that two parcels alone share, with the one before and the one after it: all three are theirs.

    The neighbour is -1 where the other side is outside the survey.
    """

    parcel: int
    neighbour: int
    before: Point
    at: Point
    after: Point


class Move(NamedTuple):
    """A bend whose vertex goes `to` another place; `piece` is the ground between the old edge and the new one."""

    bend: Bend
    to: Point
    piece: shapely.Polygon


class Picker:
    """Offers parcels in random order; those taken, and all that touch them, are not offered again."""

    def __init__(self, rng: np.random.Generator, parcels: Table) -> None:
        self.rng = rng
        self.shapes: Shapes = parcels.shapes
        self.villages = parcels["ZLDWDM"]
        self._tree = shapely.STRtree(parcels.shapes)
        self._taken = np.zeros(len(parcels.shapes), dtype=bool)
        self._compact = _compactness(parcels.shapes) > 0.35  # no strip

    def offers(self, among: Ints | None = None) -> Iterator[int]:
        """Free parcels, of `among` if given; ask again after taking."""
        numbers = np.arange(len(self.shapes)) if among is None else among
        for number in self.rng.permutation(numbers[self._compact[numbers] & ~self._taken[numbers]]):
            if not self._taken[number]:
                yield int(number)

    def is_free(self, parcel: int) -> bool:
        """Whether a parcel is no strip, not taken, and touches none that is."""
        return bool(self._compact[parcel] and not self._taken[parcel])

    def take(self, *parcels: int, neighbours: bool = True) -> None:
        """Offer these, and their neighbours, no more."""
        for parcel in parcels:
            self._taken[parcel] = True
            if neighbours:
                self._taken[self._touching(parcel)] = True

    def neighbours(self, parcel: int) -> list[int]:
        """Those that touch a parcel."""
        return [int(other) for other in self._touching(parcel) if other != parcel]

    def bends(self, parcel: int) -> Iterator[Bend]:
        """The vertices of a parcel's outline that could be moved, in random order."""
        around = {other: _vertices(self.shapes[other]) for other in self.neighbours(parcel)}
        ring = [*map(tuple, shapely.get_coordinates(shapely.get_exterior_ring(self.shapes[parcel]))[:-1])]
        for place in self.rng.permutation(len(ring)):
            before, at, after = ring[place - 1], ring[place], ring[(place + 1) % len(ring)]
            owners = [other for other, vertices in around.items() if at in vertices]
            if not owners and not any({before, after} & vertices for vertices in around.values()):
                yield Bend(parcel, NOBODY, before, at, after)
            elif len(owners) == 1 and {before, after} <= around[owners[0]]:
                yield Bend(parcel, owners[0], before, at, after)

    def outward(self, bend: Bend, metres: float) -> Move | None:
        """The move of a bend's vertex out of the parcel, by `metres` square to the edge; None where it hits an edge."""
        scale = np.array([DEGREE * np.cos(np.radians(bend.at[1])), DEGREE])
        along = (np.array(bend.after) - np.array(bend.before)) * scale
        square = np.array([along[1], -along[0]]) / np.hypot(*along)
        if shapely.contains_xy(self.shapes[bend.parcel], *(np.array(bend.at) + 0.5 * square / scale)):
            square = -square
        x, y = np.round(np.array(bend.at) + metres * square / scale, DECIMALS)
        piece = shapely.Polygon([bend.before, bend.at, bend.after, (x, y)])
        if not piece.is_valid or not self._is_clear(bend, (float(x), float(y)), scale, inward=metres < 0):
            return None
        return Move(bend, (float(x), float(y)), piece)

    def _is_clear(self, bend: Bend, to: Point, scale: Floats, *, inward: bool) -> bool:
        """Whether the vertex lands well inside the parcel that gives ground, away from its other edges."""
        giver = bend.parcel if inward else bend.neighbour
        if giver == NOBODY:
            others = [other for other in self._near(to) if other != bend.parcel]
            return all(shapely.distance(self.shapes[other], shapely.Point(to)) > CLEAR / DEGREE for other in others)
        if not shapely.contains_xy(self.shapes[giver], *to):
            return False
        rest = list(_lines_without(self.shapes[giver], bend.at))
        flat = shapely.transform(np.array(rest, dtype=object), lambda points: (points - to) * scale)
        new = shapely.linestrings((np.array([bend.before, to, bend.after]) - to) * scale)
        apart = shapely.distance(flat, shapely.Point(0, 0)).min() > CLEAR
        return bool(apart and not shapely.crosses(flat, new).any())

    def _near(self, point: Point) -> Ints:
        found: Ints = self._tree.query(shapely.Point(point).buffer(3 * CLEAR / DEGREE), predicate="intersects")
        return found

    def _touching(self, parcel: int) -> Ints:
        found: Ints = self._tree.query(self.shapes[parcel], predicate="intersects")
        return found


def with_vertex(shape: shapely.Geometry, old: Point, new: Point) -> shapely.Geometry:
    """The shape with one vertex elsewhere."""
    points = shapely.get_coordinates(shape)
    points[(points == old).all(axis=1)] = new
    return shapely.set_coordinates(shapely.transform(shape, lambda same: same), points)


def _vertices(shape: shapely.Geometry) -> set[Point]:
    return {*map(tuple, shapely.get_coordinates(shape).tolist())}


def _lines_without(shape: shapely.Geometry, vertex: Point) -> Iterator[shapely.LineString]:
    """The rings of a shape, open at a vertex that they pass."""
    for ring in shapely.get_rings(shape):
        points = shapely.get_coordinates(ring)
        here = np.flatnonzero((points[:-1] == vertex).all(axis=1))
        if not here.size:
            yield shapely.LineString(points)
            continue
        turned = np.roll(points[:-1], -int(here[0]), axis=0)[1:]
        yield shapely.LineString(turned)


def _compactness(shapes: Shapes) -> Floats:
    """4 pi A / P2 with degrees stretched to metres: 0.79 for a square."""
    latitude = float(np.mean(shapely.total_bounds(shapes)[1::2]))
    flat = shapely.transform(shapes, lambda points: points * [np.cos(np.radians(latitude)), 1.0])
    ratio: Floats = 4 * np.pi * shapely.area(flat) / shapely.length(flat) ** 2
    return ratio
