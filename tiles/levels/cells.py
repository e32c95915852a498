"""How much of each class there is in each cell of a square grid: exactly, for any number of areas."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely

from tiles.levels.units import Bools, Floats, Ints, Shapes

_AT_ONCE = 50_000  # areas
_NOTHING = 1e-6  # of a cell: what rounding leaves


class Cells(NamedTuple):
    """What lies in cells: the share of a cell that a class covers, and how many features have their middle there."""

    x: Ints
    y: Ints
    klass: Ints
    share: Floats
    members: Floats


def cells_of(shapes: Shapes, classes: Ints, side: float, members: Ints) -> Cells:
    """Cover areas with cells `side` units wide; areas that overlap count twice."""
    starts = range(0, max(len(shapes), 1), _AT_ONCE)
    pieces = [slice(start, start + _AT_ONCE) for start in starts]
    some = [_cells_of(shapes[piece], classes[piece], side, members[piece]) for piece in pieces]
    return some[0] if len(some) == 1 else gathered(joined_cells(some))


def joined_cells(some: Sequence[Cells]) -> Cells:
    """The rows of all of them."""
    return Cells(
        np.concatenate([one.x for one in some]),
        np.concatenate([one.y for one in some]),
        np.concatenate([one.klass for one in some]),
        np.concatenate([one.share for one in some]),
        np.concatenate([one.members for one in some]),
    )


def _cells_of(shapes: Shapes, classes: Ints, side: float, members: Ints) -> Cells:
    x, y, klass, share = _summed(*_swept(*_pieces(shapes, classes, side)))
    solid = shapely.area(shapes) > 0
    middle = np.floor(_inside(shapes[solid]) / side).astype(np.int64)
    nothing = np.zeros(len(middle))
    return gathered(
        Cells(
            np.concatenate([x, middle[:, 0]]),
            np.concatenate([y, middle[:, 1]]),
            np.concatenate([klass, classes[solid]]),
            np.concatenate([share, nothing]),
            np.concatenate([np.zeros(len(x)), members[solid]]),
        )
    )


def _inside(shapes: Shapes) -> Floats:
    """A point that stands for each area, in one of its own cells."""
    corners, index = shapely.get_coordinates(shapes, return_index=True)
    first = np.flatnonzero(np.diff(index, prepend=-1))
    middle: Floats = shapely.get_coordinates(shapely.centroid(shapes))
    within = shapely.contains_xy(shapes, middle[:, 0], middle[:, 1])
    middle[~within] = corners[first[~within]]
    return middle


def halved_cells(cells: Cells) -> Cells:
    """The same on a grid twice as coarse."""
    return gathered(cells._replace(x=cells.x >> 1, y=cells.y >> 1, share=cells.share / 4))


def coarsened(cells: Cells, times: int) -> Cells:
    """The same on a grid so many times twice as coarse."""
    for _ in range(times):
        cells = halved_cells(cells)
    return cells


def gathered(cells: Cells) -> Cells:
    """One row a cell and class, in the order of rows, columns and classes."""
    order = np.lexsort((cells.klass, cells.x, cells.y))
    x, y, klass = cells.x[order], cells.y[order], cells.klass[order]
    first = np.flatnonzero(_differs(x) | _differs(y) | _differs(klass))
    if not len(first):
        return cells
    share, members = np.add.reduceat(cells.share[order], first), np.add.reduceat(cells.members[order], first)
    return Cells(x[first], y[first], klass[first], _as_kept(share), _as_kept(members))


def _as_kept(values: Floats) -> Floats:
    """With the digits that the database keeps, so that what is read back gives the same picture."""
    return values.astype(np.float32).astype(np.float64)


def _differs(values: Ints) -> Bools:
    differs: Bools = np.diff(values, prepend=values[:1] - 1) != 0
    return differs


def _pieces(shapes: Shapes, classes: Ints, side: float) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    """All edges, cut at the lines of the grid: their cell, their class, the height they climb and their place in the cell."""
    parts, owner = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    points = points / side
    real = (ring[1:] == ring[:-1]) & (points[1:, 1] != points[:-1, 1])
    start, end, klass = points[:-1][real], points[1:][real], classes[owner[part[ring[1:][real]]]]
    edge, at = _cuts(start, end)
    step = end - start
    until = np.append(at[1:], 0.0)
    until[np.append(edge[1:] != edge[:-1], True)] = 1.0
    low, high = start[edge] + step[edge] * at[:, None], start[edge] + step[edge] * until[:, None]
    middle = (low + high) / 2
    cell = np.floor(middle).astype(np.int64)
    return cell[:, 0], cell[:, 1], klass[edge], high[:, 1] - low[:, 1], middle[:, 0] - cell[:, 0]


def _cuts(start: Floats, end: Floats) -> tuple[Ints, Floats]:
    """Where along each edge a piece begins: at its start, and at each line of the grid that it crosses."""
    edges, places = [np.arange(len(start))], [np.zeros(len(start))]
    for axis in (0, 1):
        one, other = start[:, axis], end[:, axis]
        low, high = np.minimum(one, other), np.maximum(one, other)
        first = np.floor(low).astype(np.int64) + 1
        count = np.maximum(np.ceil(high).astype(np.int64) - first, 0)
        edge = np.repeat(np.arange(len(start)), count)
        number = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
        edges.append(edge)
        places.append((first[edge] + number - one[edge]) / (other[edge] - one[edge]))
    edge, place = np.concatenate(edges), np.concatenate(places)
    order = np.lexsort((place, edge))
    return edge[order], place[order]


def _swept(x: Ints, y: Ints, klass: Ints, climb: Floats, inset: Floats) -> tuple[Ints, Ints, Ints, Floats]:
    """Sum what edges cut off in their own cells, and fill what lies between them: each row from west to east."""
    order = np.lexsort((x, y, klass))
    x, y, klass, climb, inset = x[order], y[order], klass[order], climb[order], inset[order]
    first = np.flatnonzero(_differs(x) | _differs(y) | _differs(klass))
    if not len(first):
        return x, y, klass, climb
    own = np.add.reduceat(-climb * (1 - inset), first)
    beyond = np.cumsum(np.add.reduceat(-climb, first))  # each row's sum is nothing: closed rings
    x, y, klass = x[first], y[first], klass[first]
    share = own + np.concatenate([[0.0], beyond[:-1]])
    gap = np.append(x[1:] - x[:-1] - 1, 0)
    gap[(np.abs(beyond) < _NOTHING) | np.append((y[1:] != y[:-1]) | (klass[1:] != klass[:-1]), True)] = 0
    run = np.repeat(np.arange(len(x)), gap)
    number = np.arange(len(run)) - np.repeat(np.cumsum(gap) - gap, gap)
    between = (x[run] + 1 + number, y[run], klass[run], beyond[run])
    return tuple(np.concatenate(pair) for pair in zip((x, y, klass, share), between, strict=True))  # type: ignore[return-value]  # four of them


def _summed(x: Ints, y: Ints, klass: Ints, share: Floats) -> tuple[Ints, Ints, Ints, Floats]:
    some = share > _NOTHING
    return x[some], y[some], klass[some], share[some]
