"""Cells as areas: which cells are shown and as what class, and the outlines of those that belong together."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import shapely

from tiles.levels.cells import Cells
from tiles.levels.districts import BITS, district_codes
from tiles.levels.share import share_out
from tiles.levels.units import Bools, Floats, Ints, Shapes

FULL = 0.5  # of a cell
_MANY = 1000.0  # more than the cells of a district


class Mosaic(NamedTuple):
    """The cells that are shown, by rows, their class, and how many features they stand for."""

    x: Ints
    y: Ints
    klass: Ints
    members: Floats


def mosaic(cells: Cells, count: int) -> Mosaic:
    """Show each cell that is at least half covered, as a class (of `count`) that its district still owes it.

    Of what lies thinner, a district shows as many cells as it covers in all, and at least one: so that a suburb's
    houses do not vanish, nor a lone one.
    """
    if not len(cells.x):
        return Mosaic(cells.x, cells.y, cells.klass, cells.members)
    first = np.flatnonzero(np.diff(cells.x, prepend=cells.x[0] - 1) | np.diff(cells.y, prepend=cells.y[0] - 1))
    cell = np.repeat(np.arange(len(first)), np.diff(first, append=len(cells.x)))
    x, y = cells.x[first], cells.y[first]
    region = np.unique(district_codes(x, y), return_inverse=True)[1]
    share = np.add.reduceat(cells.share, first)
    shown = _shown(x, y, region, share)
    klass = _shared_out(cells, cell, shown, region, count)
    members = _handed_on(np.add.reduceat(cells.members, first), shown, np.lexsort((_morton(x, y), region)), region)
    return Mosaic(x[shown], y[shown], klass[shown], members[shown])


def _handed_on(members: Floats, shown: Bools, order: Ints, region: Ints) -> Floats:
    """The features of cells that are not shown are stood for by the next that is, or by the last, of their district."""
    places = np.flatnonzero(shown[order])
    after = np.minimum(np.searchsorted(places, np.arange(len(order))), len(places) - 1)
    other = region[order[places[after]]] != region[order]
    target = order[places[after - other]]
    handed: Floats = np.bincount(target, members[order], len(members))
    return handed


def _shown(x: Ints, y: Ints, region: Ints, share: Floats) -> Bools:
    """Half covered, or thin cells of a district in which less would be shown than there is."""
    order = np.lexsort((_morton(x, y), region))
    full, where = (share >= FULL)[order], region[order]
    missing = _within(np.where(full, share[order] - 1, share[order]), where)
    wanted = np.where(full, 0.0, np.maximum(np.floor(missing + 0.5), 0.0)) + where * _MANY
    most = np.maximum.accumulate(wanted)
    shown = np.zeros(len(share), dtype=bool)
    shown[order] = full | (most > np.maximum(np.concatenate([[0.0], most[:-1]]), where * _MANY))
    some = np.bincount(region, shown) > 0
    best = np.lexsort((np.arange(len(share)), -share, region))
    best = best[np.diff(region[best], prepend=-1) > 0]
    shown[best[~some[region[best]]]] = True
    return shown


def _within(values: Floats, where: Ints) -> Floats:
    """Running sums that begin anew with each region; regions are in order."""
    total = np.cumsum(values)
    start = np.searchsorted(where, where)
    sums: Floats = total - (total[start] - values[start])
    return sums


def _shared_out(cells: Cells, cell: Ints, shown: Bools, region: Ints, count: int) -> Ints:
    """The class of each cell that is shown, one after the other within its district; chunks keep memory small."""
    klass = np.zeros(len(shown), dtype=np.int64)
    which = np.flatnonzero(shown)
    which = which[np.argsort(region[which], kind="stable")]
    place = np.full(len(shown), -1)
    place[which] = np.arange(len(which))
    row = place[cell]
    amounts = np.zeros((len(which), count))
    amounts[row[row >= 0], cells.klass[row >= 0]] = cells.share[row >= 0] + _A_LITTLE
    amounts /= amounts.sum(axis=1, keepdims=True)
    klass[which] = share_out(amounts, region[which])
    return klass


_A_LITTLE = 1e-9  # a cell that is shown for its middle alone has a class as well


def _morton(x: Ints, y: Ints) -> Ints:
    place = np.zeros(len(x), dtype=np.int64)
    for bit in range(BITS):
        place |= ((x >> bit) & 1) << (2 * bit) | ((y >> bit) & 1) << (2 * bit + 1)
    return place


def outlines(shown: Mosaic) -> tuple[Shapes, Ints]:
    """The areas that cells of one class make, in cells, and the number of the area of each cell."""
    faces = shapely.orient_polygons(shapely.get_parts(shapely.polygonize(_lines(shown.x, shown.y, shown.klass))))
    face = _of_cells(faces, shown)
    used, face = np.unique(face, return_inverse=True)
    return faces[used], face


def _of_cells(faces: Shapes, shown: Mosaic) -> Ints:
    """The face of each cell: that of the first of its run, whose western side is a border that goes down."""
    rings, face = shapely.get_rings(faces, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    points = np.round(points).astype(np.int64)
    down = np.flatnonzero((ring[1:] == ring[:-1]) & (points[1:, 1] < points[:-1, 1]))
    height = points[down, 1] - points[down + 1, 1]
    edge = np.repeat(down, height)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(height) - height, height)
    code = points[edge + 1, 1] + number << 32 | points[edge, 0]
    order = np.argsort(code)
    begins = np.diff(shown.x, prepend=-2) != 1
    begins |= (np.diff(shown.y, prepend=-1) != 0) | (np.diff(shown.klass, prepend=-1) != 0)
    wanted = (shown.y << 32 | shown.x)[begins]
    of_run: Ints = face[ring[edge]][order[np.searchsorted(code[order], wanted)]]
    of_cell: Ints = of_run[np.cumsum(begins) - 1]
    return of_cell


def _finder(x: Ints, y: Ints) -> Callable[[Ints, Ints], Ints]:
    """Where cells are in a list of cells ordered by rows; -1 for none."""
    code = y << 32 | x

    def find(at_x: Ints, at_y: Ints) -> Ints:
        wanted = at_y << 32 | at_x
        place = np.minimum(np.searchsorted(code, wanted), len(code) - 1)
        return np.where(code[place] == wanted, place, -1)

    return find


def _lines(x: Ints, y: Ints, klass: Ints) -> Shapes:
    """The lines between cells that differ, as long as nothing branches off."""
    find = _finder(x, y)
    beside = np.append(klass, -1)
    upright: list[Ints] = []
    level: list[Ints] = []
    for dx, dy, out in ((-1, 0, upright), (1, 0, upright), (0, -1, level), (0, 1, level)):
        other = beside[find(x + dx, y + dy)]
        edge = (other != klass) & ((dx + dy < 0) | (other < 0))
        out.append(np.column_stack([x[edge] + (dx > 0), y[edge] + (dy > 0)]))
    vertical, horizontal = np.concatenate(upright), np.concatenate(level)
    tall = _runs(vertical[:, ::-1], horizontal[:, ::-1])[..., ::-1]
    lines: Shapes = shapely.linestrings(np.concatenate([tall, _runs(horizontal, vertical)]))
    return lines


def _runs(along: Ints, across: Ints) -> Ints:
    """Steps of one along the first axis as pieces that end where one across begins or ends."""
    order = np.lexsort((along[:, 0], along[:, 1]))
    first, line = along[order].T
    touched = np.unique(np.concatenate([across[:, 1] << 32 | across[:, 0], across[:, 1] + 1 << 32 | across[:, 0]]))
    goes_on = (np.diff(first, prepend=-2) == 1) & (np.diff(line, prepend=-1) == 0)
    starts = np.flatnonzero(~goes_on | np.isin(line << 32 | first, touched))
    ends = np.append(starts[1:], len(first)) - 1
    return np.stack(
        [np.column_stack([first[starts], line[starts]]), np.column_stack([first[ends] + 1, line[ends]])], axis=1
    )
