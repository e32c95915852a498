"""Polygons from labelled cells of a lattice: each label one polygon, all vertices shared with its neighbours."""

from typing import NamedTuple

import numpy as np
import shapely

from data.sample.shapes import Flags, Floats, Ints, Shapes

OUTSIDE = -1


class Edges(NamedTuple):
    """Edges of cells with another label beyond, anticlockwise around `left`.

    `start` and `end` are numbers of nodes, `middle` numbers of edge middles; `left` and `right` are labels.
    """

    start: Ints
    end: Ints
    middle: Ints
    left: Ints
    right: Ints

    def where(self, keep: Ints | Flags) -> "Edges":
        """The chosen edges."""
        return Edges(*(column[keep] for column in self))


def border_edges(labels: Ints) -> Edges:
    """The edges around each label of (rows, columns) cells; `OUTSIDE` has none of its own."""
    rows, columns = labels.shape
    node = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    along = np.arange((rows + 1) * columns).reshape(rows + 1, columns)
    up = along.size + np.arange(rows * (columns + 1)).reshape(rows, columns + 1)
    wide = np.pad(labels, 1, constant_values=OUTSIDE)
    sides = [
        (node[:-1, :-1], node[:-1, 1:], along[:-1], wide[:-2, 1:-1]),  # south, eastward
        (node[:-1, 1:], node[1:, 1:], up[:, 1:], wide[1:-1, 2:]),  # east, northward
        (node[1:, 1:], node[1:, :-1], along[1:], wide[2:, 1:-1]),  # north, westward
        (node[1:, :-1], node[:-1, :-1], up[:, :-1], wide[1:-1, :-2]),  # west, southward
    ]
    found = []
    for start, end, middle, beyond in sides:
        keep = (labels != beyond) & (labels != OUTSIDE)
        found.append(Edges(start[keep], end[keep], middle[keep], labels[keep], beyond[keep]))
    return Edges(*(np.concatenate(column) for column in zip(*found, strict=True)))


def polygons(edges: Edges, points: Floats, middles: Floats, count: int) -> Shapes:
    """One polygon for each label 0 … `count` - 1; a label's cells touch each other along edges, not in a point alone."""
    edges = edges.where(np.lexsort((edges.start, edges.left)))
    following = _following(edges)
    first, place = _trace(following)
    order = np.lexsort((place, first))
    coordinates = np.stack([points[edges.start[order]], middles[edges.middle[order]]], axis=1).reshape(-1, 2)
    heads, ring = np.unique(first[order], return_inverse=True)
    rings = shapely.linearrings(coordinates, indices=np.repeat(ring, 2))
    return _assemble(rings, edges.left[heads], count)


def lines(edges: Edges, points: Floats, middles: Floats, groups: Ints) -> tuple[Shapes, Ints]:
    """The edges of each group merged into lines, and the group of each line."""
    order = np.argsort(groups, kind="stable")
    edges, groups = edges.where(order), groups[order]
    bends = np.stack([points[edges.start], middles[edges.middle], points[edges.end]], axis=1)
    kinds, group = np.unique(groups, return_inverse=True)
    pieces = shapely.multilinestrings(shapely.linestrings(bends), indices=group)
    merged, index = shapely.get_parts(shapely.line_merge(pieces), return_index=True)
    return merged, kinds[index]


def _following(edges: Edges) -> Ints:
    """For each edge the one that goes on from its end around the same label; edges are ordered by label and start."""
    width = int(max(edges.start.max(), edges.end.max())) + 1
    found: Ints = np.searchsorted(edges.left * width + edges.start, edges.left * width + edges.end)
    return found


def _trace(following: Ints) -> tuple[Ints, Ints]:
    """For each edge the smallest edge of its ring, and its place in the ring counted from there."""
    first, jump = np.minimum(np.arange(len(following)), following), following[following]
    while not np.array_equal(lower := np.minimum(first, first[jump]), first):
        first, jump = lower, jump[jump]
    head = first == np.arange(len(following))
    # distance to the head, going on: by doubling, heads stay where they are
    ahead = np.where(head, np.arange(len(following)), following)
    far = np.where(head, 0, 1)
    while not head[ahead].all():
        far, ahead = far + far[ahead], ahead[ahead]
    length = np.bincount(first, minlength=len(following))
    return first, np.where(head, 0, length[first] - far)


def _assemble(rings: Shapes, labels: Ints, count: int) -> Shapes:
    """Anticlockwise rings are outlines, one a label; the others are holes."""
    outer = shapely.is_ccw(rings)
    shells = np.empty(count, dtype=object)
    shells[labels[outer]] = rings[outer]
    made: Shapes = shapely.polygons(shells)
    holes = np.flatnonzero(~outer)
    for label in np.unique(labels[holes]):
        made[label] = shapely.Polygon(shells[label], list(rings[holes[labels[holes] == label]]))
    return made
