"""Areas and lines after an edit: the groups that it touches are made anew among their neighbours, zoom by zoom."""

from typing import NamedTuple

import numpy as np
import shapely

from tiles.levels import areas, lines
from tiles.levels.level import NO_FEATURE, Level, Step, Traits
from tiles.levels.merge import Limits, borders, contracted, merge, numbered
from tiles.levels.shelf import Rows, Shelf
from tiles.levels.units import PIXEL, Bools, Floats, Ints, halved

_TOUCH = 2  # units


class Touched(NamedTuple):
    """What an edit changed at the finer zoom: rows of this one that lost a part, or whose parts changed, and new parts."""

    lost: list[int]
    fresh: Rows


def patch_areas(shelf: Shelf, zoom: int, touched: Touched, step: int) -> Touched:
    """Make the groups of areas anew that an edit touches; their neighbours' borders as well, should they have moved."""
    mine = shelf.rows(zoom, touched.lost)
    near = _near(shelf, zoom, mine, touched.fresh)
    beyond = _near(shelf, zoom, _together(mine, near), touched.fresh)
    groups = _together(mine, near, beyond)
    units = _units(shelf, zoom, groups, touched.fresh)
    of = _group_of(units, groups)
    fixed = np.arange(len(groups.names)) >= len(mine.names)
    final = _merged(units, of, fixed, groups, step)
    decided = np.full(int(final.max(initial=-1)) + 1, NO_FEATURE)
    known = of >= 0
    decided[final[known][::-1]] = groups.level.traits.klass[of[known]][::-1]
    made = areas.grouped(units.level, final, shelf.constants, decided)
    writable = np.arange(len(groups.names)) < len(mine.names) + len(near.names)
    return _settle(shelf, zoom, groups, writable, units, of, made)


def patch_lines(shelf: Shelf, zoom: int, touched: Touched, step: int) -> Touched:
    """Make the chains of lines anew that an edit touches, and those that go on in them."""
    mine = shelf.rows(zoom, touched.lost)
    groups = _together(mine, _near(shelf, zoom, mine, touched.fresh))
    units = _units(shelf, zoom, groups, touched.fresh)
    alike = lines.alike(units.level.traits, shelf.table.label)
    made = lines.coarser(units.level, alike, lines.STEPS[step])
    return _settle(shelf, zoom, groups, np.ones(len(groups.names), dtype=bool), units, _group_of(units, groups), made)


def _near(shelf: Shelf, zoom: int, rows: Rows, fresh: Rows) -> Rows:
    """The rows that touch some rows or new parts, without the rows themselves."""
    boxes = np.concatenate([shapely.bounds(rows.level.shapes), shapely.bounds(fresh.level.shapes)])
    found = shelf.rows_near(zoom, boxes + np.array([-_TOUCH, -_TOUCH, _TOUCH, _TOUCH]))
    known = set(rows.names)
    return found.take(np.array([n for n, name in enumerate(found.names) if name not in known], dtype=np.int64))


def _together(*some: Rows) -> Rows:
    level = some[0].level
    traits = Traits(*(np.concatenate(columns) for columns in zip(*(one.level.traits for one in some), strict=True)))
    shapes = np.concatenate([one.level.shapes for one in some])
    names = [name for one in some for name in one.names]
    return Rows(names, np.concatenate([one.parents for one in some]), Level(level.zoom, shapes, traits))


def _units(shelf: Shelf, zoom: int, groups: Rows, fresh: Rows) -> Rows:
    """The parts of groups, and new parts."""
    known = set(fresh.names)
    parts = shelf.children(zoom, [int(name) for name in groups.names])
    old = np.array([n for n, name in enumerate(parts.names) if name not in known], dtype=np.int64)
    return _together(parts.take(old), fresh)


def _group_of(units: Rows, groups: Rows) -> Ints:
    """The place of each part's group; -1 for new parts."""
    place = {int(name): n for n, name in enumerate(groups.names)}
    return np.array([place.get(int(parent), -1) for parent in units.parents], dtype=np.int64)


def _merged(units: Rows, of: Ints, fixed: Bools, groups: Rows, step: int) -> Ints:
    """The final group of each part: groups stay together, new parts and what has become too small join others."""
    fresh = np.flatnonzero(of < 0)
    label = of.copy()
    label[fresh] = len(groups.names) + np.arange(len(fresh))
    count = len(groups.names) + len(fresh)
    sizes: Floats = np.bincount(label, shapely.area(units.level.shapes), count)
    sizes[: len(fixed)][fixed] = np.inf  # never the one to move
    klass = np.concatenate([groups.level.traits.klass, units.level.traits.klass[fresh]])
    one, same = (number * PIXEL**2 for number in areas.STEPS[step])
    joined = merge(sizes, klass, contracted(borders(units.level.shapes), label, count), Limits(one, same))
    return numbered(joined[label])


def _settle(shelf: Shelf, zoom: int, groups: Rows, writable: Bools, units: Rows, of: Ints, made: Step) -> Touched:
    """Write what differs, and tell what that means for the zoom above."""
    survivor = _survivors(of, made, len(groups.names))
    kept = np.flatnonzero(survivor >= 0)
    same = np.zeros(len(survivor), dtype=bool)
    same[kept] = _alike(made.level.take(kept), groups.level.take(survivor[kept]))
    write = np.flatnonzero(~same & ((survivor < 0) | writable[survivor]))
    stays = np.zeros(len(groups.names), dtype=bool)
    stays[survivor[kept]] = True
    stays[survivor[write[survivor[write] >= 0]]] = False
    gone = groups.take(np.flatnonzero(~stays & writable))
    numbers = np.array([int(groups.names[one]) if one >= 0 else -1 for one in survivor], dtype=np.int64)
    reclassed = np.zeros(len(survivor), dtype=bool)
    reclassed[kept] = made.level.traits.klass[kept] != groups.level.traits.klass[survivor[kept]]
    parents = np.where((survivor >= 0) & ~reclassed, groups.parents[survivor] if len(groups.parents) else -1, -1)
    numbers[write] = shelf.replace(zoom, gone, made.level.take(write), parents[write], numbers[write])
    _note_moves(shelf, zoom, units, made, numbers)
    above = [int(one) for one in np.unique(gone.parents) if one >= 0]
    new = write[parents[write] < 0]
    fresh = made.level.take(new)
    rows = Rows([str(one) for one in numbers[new]], np.full(len(new), -1), fresh._replace(shapes=halved(fresh.shapes)))
    return Touched(above, _scaled(rows, zoom))


def _scaled(rows: Rows, zoom: int) -> Rows:
    return rows._replace(level=rows.level._replace(zoom=zoom - 1))


def _survivors(of: Ints, made: Step, count: int) -> Ints:
    """For each new row the first of the old ones that its parts come from, each old one once; -1 for none."""
    survivor = np.full(len(made.level.shapes), -1)
    taken = np.zeros(count, dtype=bool)
    pairs = sorted(
        {(int(group), int(row)) for group, row in zip(of, made.parent, strict=True) if group >= 0 and row >= 0}
    )
    for group, row in pairs:
        if survivor[row] < 0 and not taken[group]:
            survivor[row], taken[group] = group, True
    return survivor


def _alike(one: Level, other: Level) -> Bools:
    """Whether rows are the same in shape and in what they say."""
    same: Bools = shapely.equals_exact(shapely.normalize(one.shapes), shapely.normalize(other.shapes))
    a, b = one.traits, other.traits
    same &= (a.feature == b.feature) & (a.klass == b.klass) & (a.members == b.members)
    same &= (a.codes == b.codes).all(axis=1)
    return same


def _note_moves(shelf: Shelf, zoom: int, units: Rows, made: Step, numbers: Ints) -> None:
    target = np.where(made.parent >= 0, numbers[made.parent] if len(numbers) else -1, -1)
    moved = np.flatnonzero(target != units.parents)
    if len(moved):
        parents = [int(one) if one >= 0 else None for one in target[moved]]
        shelf.move(zoom, [units.names[one] for one in moved], parents)
