"""Which areas become one: neighbours found by the edges that they share, and small ones joined to them."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.levels.units import Floats, Ints, Shapes

_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0xBF58476D1CE4E5B9))


class Borders(NamedTuple):
    """Pairs of areas that share edges, the smaller number first, and the length that they share."""

    left: Ints
    right: Ints
    length: Floats


class Limits(NamedTuple):
    """Areas below which one joins a neighbour: any, or only one of its own class."""

    any: float
    same: float


def borders(shapes: Shapes) -> Borders:
    """Find the neighbours among areas whose vertices lie on a grid: equal edges are found by hashing."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    edges, ring, lengths = _edges(rings)
    owners = owner[part[ring]]
    order = np.lexsort((owners, edges))
    twin = edges[order][1:] == edges[order][:-1]
    one, other = owners[order][:-1][twin], owners[order][1:][twin]
    apart = one != other
    return _summed(one[apart], other[apart], lengths[order][1:][twin][apart], len(shapes))


def edges_of(lines: Shapes) -> tuple[NDArray[np.uint64], Ints]:
    """A number for each edge, the same in either direction, and the line that it is of."""
    edges, line, _ = _edges(lines)
    return edges, line


def _edges(lines: Shapes) -> tuple[NDArray[np.uint64], Ints, Floats]:
    points, line = shapely.get_coordinates(lines, return_index=True)
    step = np.diff(points, axis=0)
    real = (line[1:] == line[:-1]) & step.any(axis=1)
    hashes = _hashed(points)
    return (hashes[1:] + hashes[:-1])[real], line[1:][real], np.hypot(*step[real].T)


def _hashed(points: Floats) -> NDArray[np.uint64]:
    """A number of 64 bits for each vertex: those of different vertices practically never meet."""
    x, y = (np.round(points * 4).astype(np.int64)).view(np.uint64).T
    mixed = x * _MIX[0] ^ (y * _MIX[1] + (x >> np.uint64(17)))
    mixed = (mixed ^ (mixed >> np.uint64(31))) * _MIX[2]
    result: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(29))
    return result


def _summed(one: Ints, other: Ints, lengths: Floats, count: int) -> Borders:
    low, high = np.minimum(one, other), np.maximum(one, other)
    pairs, place = np.unique(low * np.int64(count) + high, return_inverse=True)
    return Borders(pairs // max(count, 1), pairs % max(count, 1), np.bincount(place, lengths, len(pairs)))


def merge(areas: Floats, classes: Ints, shared: Borders, limits: Limits) -> Ints:
    """The group of each area, numbered from 0 in the order of their first members.

    The smallest go first, each to the neighbour that it shares the longest border with, best one of its own class;
    equal ones in the order given. What has no neighbour stays alone.
    """
    label = np.arange(len(areas))
    areas, classes, one = areas.copy(), classes.copy(), shared
    while len(one.left):
        source, target = _choices(areas, classes, one, limits)
        if not len(source):
            break
        source, target = _settled(source, target, areas)
        np.add.at(areas, target, areas[source])
        towards = np.arange(len(areas))
        towards[source] = target
        label = towards[label]
        one = contracted(one, towards, len(areas))
    return numbered(label)


def connected(count: int, one: Ints, other: Ints) -> Ints:
    """The least number of all that each of `count` things hangs together with, given pairs that do."""
    label = np.arange(count)
    while True:
        before = label.copy()
        least = np.minimum(label[one], label[other])
        np.minimum.at(label, one, least)
        np.minimum.at(label, other, least)
        label = label[label]
        if (label == before).all():
            return label


def numbered(label: Ints) -> Ints:
    """Labels as numbers from 0, in the order in which they come."""
    _, first, place = np.unique(label, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    result: Ints = number[place]
    return result


def _choices(areas: Floats, classes: Ints, one: Borders, limits: Limits) -> tuple[Ints, Ints]:
    """Each area that is too small, and the neighbour that it would join."""
    source = np.concatenate([one.left, one.right])
    target = np.concatenate([one.right, one.left])
    length = np.concatenate([one.length, one.length])
    same = classes[source] == classes[target]
    wanted = (areas[source] < limits.any) | (same & (areas[source] < limits.same))
    source, target, length, same = source[wanted], target[wanted], length[wanted], same[wanted]
    order = np.lexsort((target, -length, ~same, source))
    source, target = source[order], target[order]
    first = np.diff(source, prepend=-1) > 0
    return source[first], target[first]


def _settled(source: Ints, target: Ints, areas: Floats) -> tuple[Ints, Ints]:
    """Those that may join now: none that another joins in the same round, the smaller before the larger."""
    rank = np.empty(len(areas), dtype=np.int64)
    rank[np.lexsort((np.arange(len(areas)), areas))] = np.arange(len(areas))
    moves = np.zeros(len(areas), dtype=bool)
    moves[source] = True
    least = np.full(len(areas), len(areas))
    np.minimum.at(least, target, rank[source])
    ready = (~moves[target] | (rank[source] < rank[target])) & (rank[source] < least[source])
    return source[ready], target[ready]


def contracted(one: Borders, towards: Ints, count: int) -> Borders:
    """The borders between groups, given the group (of `count`) of each area."""
    left, right = towards[one.left], towards[one.right]
    apart = left != right
    return _summed(left[apart], right[apart], one.length[apart], count)
