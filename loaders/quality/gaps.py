"""Gaps: the uncovered places that the edges of a coverage enclose."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import shapely

from loaders.quality.edges import NOBODY, Edges, Floats, Ints, Lattice


class Gap(NamedTuple):
    """An uncovered place, and its neighbours, the one with the longest border first."""

    shape: shapely.Geometry
    neighbours: tuple[int, ...]


def find_gaps(edges: Edges, lattice: Lattice) -> list[Gap]:
    """The places that edges, cut where they meet, enclose on their right side, without what stands alone within them."""
    if len(edges) == 0:
        return []
    following = _following(edges)
    ring = _ring_of(following)
    firsts, areas = _areas(edges, ring)
    holes = [_walk(following, first) for first in firsts[areas < 0].tolist()]
    islands = [_walk(following, first) for first in firsts[areas > 0].tolist()] if holes else []
    within = _within(holes, islands, edges)
    return [_gap([hole, *within[number]], edges, lattice) for number, hole in enumerate(holes)]


def _ring_of(following: Ints) -> Ints:
    """The first edge of the ring that each edge is part of, -1 where it leads into one, or nowhere.

    Who looks twice as far with each step has gone around the longest ring after a few: then only rings are in sight.
    """
    nowhere = len(following)
    ahead = np.append(np.where(following < 0, nowhere, following), nowhere)
    first = np.arange(nowhere + 1)
    for _ in range(nowhere.bit_length() + 1):
        first = np.minimum(first, first[ahead])
        ahead = ahead[ahead]
    in_sight = np.zeros(nowhere + 1, np.bool_)
    in_sight[ahead] = True
    return np.where(in_sight, first, -1)[:-1]


def _areas(edges: Edges, ring: Ints) -> tuple[Ints, Floats]:
    """The first edge of each ring, and twice its area in cells; below zero where it runs with the clock."""
    on_ring = np.flatnonzero(ring >= 0)
    firsts, place = np.unique(ring[on_ring], return_inverse=True)
    start, end = ((part[on_ring] - edges.start[firsts[place]]).astype(float) for part in (edges.start, edges.end))
    return firsts, np.bincount(place, weights=start[:, 0] * end[:, 1] - end[:, 0] * start[:, 1], minlength=len(firsts))


def _walk(following: Ints, first: int) -> Ints:
    """The edges of a ring in their order."""
    ring = [first]
    while (at := int(following[ring[-1]])) != first:
        ring.append(at)
    return np.array(ring)


def _following(edges: Edges) -> Ints:
    """The edge after each: from its end the one that bounds the same place at its right; -1 where there is none."""
    _, place = np.unique(np.concatenate([edges.start, edges.end]), axis=0, return_inverse=True)
    begins, ends = place.reshape(2, -1)
    order = np.argsort(begins, kind="stable")
    first = np.searchsorted(begins[order], ends, side="left")
    many = np.searchsorted(begins[order], ends, side="right") - first
    following = np.where(many > 0, order[np.minimum(first, len(order) - 1)], -1)
    way = (edges.end - edges.start).astype(float)
    bearing = np.arctan2(way[:, 1], way[:, 0])
    for edge in np.flatnonzero(many > 1):
        choices = order[first[edge] : first[edge] + many[edge]]
        turn = (bearing[choices] - bearing[edge] - np.pi) % (2 * np.pi)  # against the clock, from the way back
        following[edge] = choices[np.argmin(np.where(turn == 0, 2 * np.pi, turn))]
    return following


def _within(holes: list[Ints], islands: list[Ints], edges: Edges) -> dict[int, list[Ints]]:
    """The islands that lie in each hole: in the smallest one around them."""
    found: dict[int, list[Ints]] = defaultdict(list)
    if not islands:
        return found
    shells = np.array([shapely.Polygon(edges.start[ring]) for ring in holes])
    points = shapely.points(np.array([edges.start[ring[0]] for ring in islands], dtype=float))
    island, shell = shapely.STRtree(shells).query(points, predicate="within")
    order = np.lexsort((shapely.area(shells)[shell], island))
    island, shell = island[order], shell[order]
    for place in np.flatnonzero(np.r_[True, island[1:] != island[:-1]][: len(island)]):
        found[int(shell[place])].append(islands[island[place]])
    return found


def _gap(rings: list[Ints], edges: Edges, lattice: Lattice) -> Gap:
    shell, *holes = (lattice.points(edges.start[ring]) for ring in rings)
    shape = shapely.Polygon(shell, holes)
    return Gap(shape if shape.is_valid else shapely.make_valid(shape), _neighbours(edges.take(np.concatenate(rings))))


def _neighbours(around: Edges) -> tuple[int, ...]:
    """The owners of some edges, the one that has most of them, by length, first."""
    owners, place = np.unique(around.owner, return_inverse=True)
    lengths = np.bincount(place, weights=np.linalg.norm((around.end - around.start).astype(float), axis=1))
    return tuple(int(owner) for owner in owners[np.argsort(-lengths)] if owner != NOBODY)
