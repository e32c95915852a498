"""Areas, a zoom coarser: small ones join their neighbours, and all borders are simplified together."""

import numpy as np
import shapely

from tiles.levels.dissolve import dissolve, simplify
from tiles.levels.level import Codes, Level, Step, classed, joined, tiles_of
from tiles.levels.merge import Limits, borders, connected, merge
from tiles.levels.share import share_out
from tiles.levels.units import EXTENT, PIXEL, Floats, Ints, centres

# In square pixels: below the first number an area joins any neighbour, below the second one of its class.
STEPS = ((4, 4), (4, 8), (4, 12), (4, 16), (6, 24), (8, 32), (12, 48), (16, 64), (20, 80))
VISIBLE = 2  # square pixels: a map of smaller areas shows noise


def groups_by_step(level: Level) -> tuple[list[Ints], Ints]:
    """The groups that areas (in the units of the coarser zoom) make at each step, and what hangs together at all."""
    shared = borders(level.shapes)
    areas: Floats = shapely.area(level.shapes)
    limits = [Limits(one * PIXEL**2, same * PIXEL**2) for one, same in STEPS]
    groups = [merge(areas, level.traits.klass, shared, limit) for limit in limits]
    return groups, connected(len(areas), shared.left, shared.right)


def fullest(level: Level, groups: Ints) -> int:
    """About how many groups the fullest tile has."""
    first = np.unique(groups, return_index=True)[1]
    return int(np.unique(tiles_of(level.shapes[first]), return_counts=True)[1].max(initial=0))


def grouped(
    level: Level, groups: Ints, constants: Codes, decided: Ints | None = None, parts: Ints | None = None
) -> Step:
    """Unite the groups, decide their classes and simplify; what collapses is left out.

    `decided` names the classes of groups that have one already; `parts` is the least number of what each area hangs
    together with, where that is known.
    """
    traits = joined(level.traits, groups)
    shapes = dissolve(level.shapes, groups)
    klass = traits.klass.copy() if decided is None else np.where(traits.klass < 0, decided, traits.klass)
    mixed = np.flatnonzero(klass < 0)
    klass[mixed] = share_out(traits.amounts[mixed].astype(np.float64), _districts(shapes[mixed]))
    traits = classed(traits, klass, constants)
    simple = simplify(shapes, None if parts is None else parts[np.unique(groups, return_index=True)[1]])
    kept = np.flatnonzero(~shapely.is_empty(simple))
    number = np.full(len(simple), -1)
    number[kept] = np.arange(len(kept))
    return Step(Level(level.zoom, simple, traits).take(kept), number[groups])


def _districts(shapes: "np.ndarray[tuple[int], np.dtype[np.object_]]") -> Ints:
    """Quarters of a tile's side: within one, classes get their shares; what has collapsed to nothing is in the first."""
    cell = np.floor(np.nan_to_num(centres(shapes)) / (EXTENT / 4)).astype(np.int64)
    result: Ints = cell[:, 1] << 32 | cell[:, 0]
    return result


def small_share(level: Level, groups: Ints) -> float:
    """The share of the area that lies in groups too small to be seen."""
    areas = np.bincount(groups, shapely.area(level.shapes))
    return float(areas[areas < VISIBLE * PIXEL**2].sum() / max(areas.sum(), 1e-9))
