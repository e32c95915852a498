"""Edges cut where they meet: at corners that others have along them, and where they cross.

Parcels may share a border although their corners along it differ: a long side against two short ones. Once the long one
is cut at the corner between these, its parts cancel out.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import shapely

from loaders.quality.edges import Edges, Flags, Floats, Ints, Lattice, Shapes, cancelled

_AT_ONCE = 250_000  # edges


class _Cuts(NamedTuple):
    """Where edges are cut: the edge's place, how far along it (0 to 1), and the cell."""

    edge: Ints
    along: Floats
    cell: Ints


def noded(edges: Edges, lattice: Lattice, reach: float) -> Edges:
    """The edges cut at each corner within `reach` cells of them and at each crossing, without what then cancels out."""
    if len(edges) == 0:
        return edges
    cuts = [
        cut
        for pairs in _near(edges, reach)
        for cut in (_at_corners(edges, *pairs, reach), _at_crossings(edges, *pairs))
    ]
    edge, along, cell = (np.concatenate(parts) for parts in zip(*cuts, strict=True))
    return cancelled(_cut(edges, _Cuts(edge, along, cell)), lattice) if len(edge) else edges


def _near(edges: Edges, reach: float) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of edges whose boxes come close, each pair both ways; from west to east, so that few are in memory."""
    low, high = np.minimum(edges.start, edges.end) - reach, np.maximum(edges.start, edges.end) + reach
    order = np.argsort(low[:, 0], kind="stable")
    for first in range(0, len(order), _AT_ONCE):
        these = order[first : first + _AT_ONCE]
        east = high[these, 0].max()
        others = np.flatnonzero((high[:, 0] >= low[these[0], 0]) & (low[:, 0] <= east))
        one, other = shapely.STRtree(_boxes(low, high, others)).query(_boxes(low, high, these))
        one, other = these[one], others[other]
        apart = one != other
        yield one[apart], other[apart]


def _boxes(low: Floats, high: Floats, which: Ints) -> Shapes:
    boxes: Shapes = shapely.box(low[which, 0], low[which, 1], high[which, 0], high[which, 1])
    return boxes


def _at_corners(edges: Edges, one: Ints, other: Ints, reach: float) -> _Cuts:
    """Cuts of an edge at the start of another one; each corner that is left over is the start of one."""
    corner = edges.start[other]
    start, way = edges.start[one], (edges.end - edges.start)[one].astype(float)
    square = (way**2).sum(axis=1)
    from_start = (corner - start).astype(float)
    along = (from_start * way).sum(axis=1) / square
    off = np.abs(_cross(way, from_start)) / np.sqrt(square)
    new = (corner != start).any(axis=1) & (corner != edges.end[one]).any(axis=1)
    hit = new & (off <= reach) & (along > 0) & (along < 1)
    return _Cuts(one[hit], along[hit], corner[hit])


def _at_crossings(edges: Edges, one: Ints, other: Ints) -> _Cuts:
    """Cuts of an edge where another one crosses it; the other way round is another pair."""
    way, across = (edges.end - edges.start)[one].astype(float), (edges.end - edges.start)[other].astype(float)
    between = (edges.start[other] - edges.start[one]).astype(float)
    turn = _cross(way, across)
    crossing = turn != 0
    divisor = np.where(crossing, turn, 1)
    along, along_other = _cross(between, across) / divisor, _cross(between, way) / divisor
    hit = crossing & _inside(along) & _inside(along_other)
    # Both edges of a pair must be cut at the same cell, so it is computed from the one that comes first.
    first = one < other
    base = np.where(first[:, np.newaxis], edges.start[one], edges.start[other])
    step = np.where(first[:, np.newaxis], along[:, np.newaxis] * way, along_other[:, np.newaxis] * across)
    cell = base + np.rint(np.where(hit[:, np.newaxis], step, 0)).astype(np.int64)
    hit &= (cell != edges.start[one]).any(axis=1) & (cell != edges.end[one]).any(axis=1)
    return _Cuts(one[hit], along[hit], cell[hit])


def _inside(along: Floats) -> Flags:
    return np.asarray((along > 0) & (along < 1))


def _cross(one: Floats, other: Floats) -> Floats:
    return np.asarray(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])


def _cut(edges: Edges, cuts: _Cuts) -> Edges:
    """The parts of all edges, in the order of the way along each."""
    whole = np.arange(len(edges))
    edge = np.concatenate([whole, cuts.edge])
    along = np.concatenate([np.zeros(len(edges)), cuts.along])
    cell = np.concatenate([edges.start, cuts.cell])
    order = np.lexsort((along, edge))
    edge, start = edge[order], cell[order]
    last = np.r_[edge[1:] != edge[:-1], True]
    end = np.where(last[:, np.newaxis], edges.end[edge], np.roll(start, -1, axis=0))
    long = (start != end).any(axis=1)
    return Edges(start[long], end[long], edges.owner[edge][long])
