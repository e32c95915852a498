"""Points, a zoom coarser: in each cell of a grid the most important one is shown."""

import numpy as np
import shapely

from tiles.levels.level import Level, Step
from tiles.levels.units import PIXEL, Floats, Ints, rounded

STEPS = (4, 8, 16, 32, 64, 128, 256)  # pixels a side of a cell


def coarser(level: Level, rank: Ints, side: int) -> Step:
    """Show the point of least rank of each cell so many pixels wide.

    Cells of a coarser zoom are made of whole cells of the finer one: so what is shown at a zoom is shown at all after it.
    """
    level = level._replace(shapes=rounded(level.shapes))  # first: what is shown must lie in its own cell
    middle = np.floor(cells(level, side)).astype(np.int64)
    order = np.lexsort((rank[level.traits.feature], middle[:, 0], middle[:, 1]))  # equal ones as they come: by key
    x, y = middle[order].T
    first = (np.diff(x, prepend=x[:1] - 1) != 0) | (np.diff(y, prepend=y[:1] - 1) != 0)
    kept = np.sort(order[first])
    parent = np.full(len(middle), -1)
    parent[kept] = np.arange(len(kept))
    shown = level.take(kept)
    return Step(shown, parent)


def cells(level: Level, side: int) -> Floats:
    """The place of each point (of several, the first) on a grid of cells so many pixels wide."""
    points, index = shapely.get_coordinates(level.shapes, return_index=True)
    first: Floats = points[np.diff(index, prepend=-1) > 0]
    return first / (side * PIXEL)
