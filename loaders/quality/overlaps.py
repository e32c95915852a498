"""Overlaps: which polygons of a coverage share ground, and where.

A pair that overlaps is seen in one of three ways: an edge that is left over of one polygon passes through the other;
both run along an edge in the same direction; or, where two whole coverages lie on each other, it is next to a pair that
was seen already.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import shapely

from loaders.quality.edges import NOBODY, Edges, Flags, Ints, Lattice, Shapes, doubles

_INSIDE = "T********"  # of a line and an area: the line passes through the area (DE-9IM)


class Overlap(NamedTuple):
    """Two polygons, by their places, and the ground that they share."""

    one: int
    other: int
    shape: shapely.Geometry


def find_overlaps(
    shapes: Shapes, tree: shapely.STRtree, edges: Edges, lattice: Lattice, counts: Callable[[Shapes], Flags]
) -> list[Overlap]:
    """All pairs that overlap so much that it `counts`; `edges` are the leftover ones cut where they meet."""
    tree = shapely.STRtree(shapes)
    frontier = np.concatenate([doubles(edges, lattice), _through(shapes, tree, edges, lattice)])
    seen: set[tuple[int, int]] = set()
    found: list[Overlap] = []
    asked: set[int] = set()
    while len(pairs := _new(frontier, seen)):
        overlaps = _shared(shapes, pairs, counts)
        found += overlaps
        next_ = np.array(sorted({place for one in overlaps for place in (one.one, one.other)} - asked), np.int64)
        asked.update(next_.tolist())
        frontier = _beside(shapes, tree, next_)
    return found


def chains(edges: Edges, lattice: Lattice) -> tuple[Ints, Shapes]:
    """The owners of edges, but the boundary's, and what each owns of them as one line."""
    edges = edges.take(edges.owner != NOBODY)
    order = np.argsort(edges.owner, kind="stable")
    owners, place = np.unique(edges.owner[order], return_inverse=True)
    ends = np.stack([lattice.points(edges.start[order]), lattice.points(edges.end[order])], axis=1)
    lines = shapely.multilinestrings(shapely.linestrings(ends), indices=place) if len(edges) else np.empty(0, object)
    return owners, lines


def _through(shapes: Shapes, tree: shapely.STRtree, edges: Edges, lattice: Lattice) -> Ints:
    """Pairs of which an edge of one passes through the other."""
    owners, lines = chains(edges, lattice)
    line, polygon = tree.query(lines)
    other = owners[line] != polygon
    line, polygon = line[other], polygon[other]
    places, at = np.unique(polygon, return_inverse=True)
    inside = shapely.relate_pattern(lines[line], lattice.snapped(shapes[places])[at], _INSIDE)
    return np.column_stack([owners[line[inside]], polygon[inside]])


def _beside(shapes: Shapes, tree: shapely.STRtree, places: Ints) -> Ints:
    """Pairs of the neighbours of some polygons, these included, with whatever lies at the same place."""
    _, near = tree.query(shapes[places], predicate="intersects")
    near = np.unique(near)
    one, other = tree.query(shapes[near], predicate="intersects")
    return np.column_stack([near[one], other])


def _new(pairs: Ints, seen: set[tuple[int, int]]) -> Ints:
    """The pairs that were not looked at before, each once, the lower place first."""
    ordered = np.unique(np.sort(pairs, axis=1), axis=0)
    ordered = ordered[ordered[:, 0] != ordered[:, 1]]
    new = [pair for pair in map(tuple, ordered.tolist()) if pair not in seen]
    seen.update(new)
    return np.array(new, np.int64).reshape(-1, 2)


def _shared(shapes: Shapes, pairs: Ints, counts: Callable[[Shapes], Flags]) -> list[Overlap]:
    common = shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]])
    some = np.flatnonzero(shapely.area(common) > 0)
    some = some[counts(common[some])]
    return [Overlap(int(pairs[place, 0]), int(pairs[place, 1]), common[place]) for place in some]
