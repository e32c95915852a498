"""The edges of a coverage, and those of them that no neighbour has the other way round.

How many polygons cover a place changes only across an edge. Where two polygons share an edge, one runs along it in each
direction, and nothing changes: the pair cancels out. What is left over tells all there is to tell: it bounds every
overlap, every gap, and the coverage itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Marks = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Shapes = NDArray[np.object_]

NOBODY = -1  # the owner of an edge of the boundary around a coverage
_BATCH = 20_000  # polygons
_ONE = np.uint64(1)


class Lattice(NamedTuple):
    """Whole numbers instead of coordinates: what lies in one cell is one point."""

    origin: Floats
    cell: float  # of the CRS's units
    columns: int

    def numbers(self, points: Floats) -> Ints:
        """The (n, 2) cells of some points."""
        return np.rint((points - self.origin) / self.cell).astype(np.int64)

    def points(self, numbers: Ints) -> Floats:
        """The points of some cells."""
        return np.asarray(self.origin + numbers * self.cell)

    def snapped(self, shapes: Shapes) -> Shapes:
        """Shapes with their corners in the midst of cells, as those of edges are."""
        corners = self.points(self.numbers(shapely.get_coordinates(shapes)))
        moved: Shapes = shapely.set_coordinates(shapes.copy(), corners)
        return moved

    def marks(self, numbers: Ints) -> Marks:
        """A number for each cell."""
        x, y = numbers.astype(np.uint64).T
        return np.asarray(x + y * np.uint64(self.columns))


@dataclass(frozen=True)
class Edges:
    """Edges with their polygon at their left, as the cells of their ends; `owner` is the polygon's place."""

    start: Ints  # (n, 2)
    end: Ints
    owner: Ints

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, which: Ints | Flags) -> "Edges":
        """Some of the edges."""
        return Edges(self.start[which], self.end[which], self.owner[which])


def lattice_for(bounds: Floats, cell: float) -> Lattice:
    """A lattice over (xmin, ymin, xmax, ymax); over a country its cells grow, so that 64 bits number them."""
    origin = bounds[:2] - 4 * cell
    extent = bounds[2:] - origin
    while np.prod(extent / cell + 8) > 2.0**63:
        cell *= 2
    return Lattice(origin, cell, int(extent[0] / cell) + 8)


def leftover(shapes: Shapes, boundary: Shapes, lattice: Lattice) -> Edges:
    """What is left of the edges of polygons and, the other way round, of the boundary's."""
    marks, counts = _all_marks(shapes, boundary, lattice)
    return _edges_marked(shapes, boundary, lattice, marks, counts, _odd(marks))


def cancelled(edges: Edges, lattice: Lattice) -> Edges:
    """What is left of some edges when those that run both ways are taken out."""
    marks = _marks(edges, lattice)
    return edges.take(_among(marks, _odd(marks)))


def doubles(edges: Edges, lattice: Lattice) -> Ints:
    """(n, 2) pairs of polygons that run along an edge in the same direction, and so lie on the same side of it."""
    edges = edges.take(edges.owner != NOBODY)
    marks = _marks(edges, lattice)
    order = np.lexsort((edges.owner, marks))
    marks, owner = marks[order], edges.owner[order]
    same = (marks[1:] == marks[:-1]) & (owner[1:] != owner[:-1])
    return np.unique(np.column_stack([owner[:-1][same], owner[1:][same]]), axis=0)


def _edges_of(shapes: Shapes, lattice: Lattice, owners: Ints | None = None) -> Edges:
    """All edges of polygons, without those that a cell swallows."""
    _, points, (rings, polygons, parts) = shapely.to_ragged_array(_multi(shapes))
    numbers = lattice.numbers(points)
    begins = np.ones(len(points), np.bool_)
    begins[rings[1:] - 1] = False
    at = np.flatnonzero(begins)
    start, end = numbers[at], numbers[at + 1]
    firsts = rings[polygons[parts]]  # the first point of each shape
    owner = np.searchsorted(firsts, at, side="right") - 1
    long = (start != end).any(axis=1)
    named = owner if owners is None else owners[owner]
    return Edges(start[long], end[long], named[long])


def _multi(shapes: Shapes) -> Shapes:
    """All as multi-polygons, wound against the clock."""
    wound: Shapes = shapely.orient_polygons(shapes)
    single = shapely.get_type_id(wound) == 3
    wound[single] = shapely.multipolygons(wound[single][:, np.newaxis]) if single.any() else wound[single]
    return wound


def _batches(shapes: Shapes) -> Iterator[tuple[int, Shapes]]:
    for first in range(0, len(shapes), _BATCH):
        yield first, shapes[first : first + _BATCH]


def _marks(edges: Edges, lattice: Lattice, *, turned: bool = False) -> Marks:
    """A number for each edge, the same for both directions but for its last bit.

    Sixty-three bits of a hash: among ten million edges, two share one by chance once in 100 000 runs.
    """
    one, other = lattice.marks(edges.start), lattice.marks(edges.end)
    low, high = np.minimum(one, other), np.maximum(one, other)
    mixed = _mixed(_mixed(low) + high)
    return np.asarray((mixed & ~_ONE) | ((one < other) ^ turned).astype(np.uint64))


def _mixed(numbers: Marks) -> Marks:
    """Each bit spread over all others (the finaliser of SplitMix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(numbers ^ (numbers >> np.uint64(31)))


def _all_marks(shapes: Shapes, boundary: Shapes, lattice: Lattice) -> tuple[Marks, Ints]:
    """The marks of all edges, the boundary's behind the others, and how many edges each polygon has."""
    marks, counts = [], []
    for turned, these in ((False, shapes), (True, boundary)):
        for _, batch in _batches(these):
            edges = _edges_of(batch, lattice)
            marks.append(_marks(edges, lattice, turned=turned))
            counts.append(np.bincount(edges.owner, minlength=len(batch)))
    none = np.empty(0, np.int64)
    return np.concatenate([none.astype(np.uint64), *marks]), np.concatenate([none, *counts])


def _odd(marks: Marks) -> Marks:
    """The marks that do not cancel out, in order and in the direction that is left."""
    ordered = np.sort(marks)
    undirected = ordered & ~_ONE
    new = np.flatnonzero(np.r_[True, undirected[1:] != undirected[:-1]][: len(ordered)])
    many = np.diff(np.r_[new, len(ordered)])
    forward = np.add.reduceat((ordered & _ONE).astype(np.int64), new) if len(new) else many
    net = 2 * forward - many
    return np.sort(np.r_[undirected[new[net > 0]] | _ONE, undirected[new[net < 0]]])


def _edges_marked(
    shapes: Shapes, boundary: Shapes, lattice: Lattice, marks: Marks, counts: Ints, wanted: Marks
) -> Edges:
    """The edges that have one of the marks, made again of the polygons that own them."""
    ends = np.cumsum(counts)
    owners = np.unique(np.searchsorted(ends, np.flatnonzero(_among(marks, wanted)), side="right"))
    inside, outside = owners[owners < len(shapes)], owners[owners >= len(shapes)] - len(shapes)
    ours = _edges_of(shapes[inside], lattice, inside) if len(inside) else _no_edges()
    theirs = _edges_of(boundary[outside], lattice) if len(outside) else _no_edges()
    around = Edges(theirs.end, theirs.start, np.full(len(theirs), NOBODY))
    both = Edges(
        np.concatenate([ours.start, around.start]),
        np.concatenate([ours.end, around.end]),
        np.concatenate([ours.owner, around.owner]),
    )
    return both.take(_among(_marks(both, lattice), wanted))


def _no_edges() -> Edges:
    return Edges(np.empty((0, 2), np.int64), np.empty((0, 2), np.int64), np.empty(0, np.int64))


def _among(marks: Marks, wanted: Marks) -> Flags:
    """Which marks are among a few that are in order."""
    if not len(wanted):
        return np.zeros(len(marks), np.bool_)
    at = np.minimum(np.searchsorted(wanted, marks), len(wanted) - 1)
    return np.asarray(wanted[at] == marks)
