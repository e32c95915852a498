"""Points after an edit: the cells that it touches are decided again, zoom by zoom."""

import numpy as np
import shapely

from tiles.levels import points
from tiles.levels.shelf import Rows, Shelf
from tiles.levels.units import PIXEL, Floats, Ints, Shapes, rounded

_NEAR = 2  # units: rounding may bring a point from one cell into the next


def patch_points(shelf: Shelf, zoom: int, places: Floats, step: int) -> Floats:
    """Decide the cells of some places (boxes in units) again; the places where this changed what is shown."""
    side = points.STEPS[step] * PIXEL
    cells = _cells(places, side)
    boxes = np.column_stack([cells * side, (cells + 1) * side]).astype(np.float64)
    shown = _in_cells(shelf.rows_near(zoom, boxes), cells, side)
    around = boxes + np.array([-_NEAR, -_NEAR, _NEAR, _NEAR])
    finer = _in_cells(_candidates(shelf, zoom, around), cells, side)
    rank = _ranks(shelf)
    made = points.coarser(finer.level, rank, points.STEPS[step])
    old, new = _keyed(shown), _keyed(Rows([], np.empty(0, dtype=np.int64), made.level))
    gone = shown.take(np.array([n for n, key in enumerate(old) if key not in new], dtype=np.int64))
    come = made.level.take(np.array([n for n, key in enumerate(new) if key not in old], dtype=np.int64))
    shelf.replace(zoom, gone, come, np.full(len(come.shapes), -1))
    return np.concatenate([shapely.bounds(gone.level.shapes), shapely.bounds(come.shapes)])


def _cells(places: Floats, side: int) -> Ints:
    """All cells that boxes touch; a place lies within half a unit of where the finer zoom has it."""
    low, high = np.floor((places[:, :2] - 1) / side), np.floor((places[:, 2:] + 1) / side)
    cells = [
        (x, y)
        for (west, south), (east, north) in zip(low.astype(int).tolist(), high.astype(int).tolist(), strict=True)
        for x in range(west, east + 1)
        for y in range(south, north + 1)
    ]
    return np.array(sorted(set(cells)), dtype=np.int64).reshape(-1, 2)


def _candidates(shelf: Shelf, zoom: int, boxes: Floats) -> Rows:
    """What may be shown in some boxes: the rows of the finer zoom, or features."""
    if zoom < shelf.whole_zoom - 1:
        return shelf.rows_near(zoom + 1, boxes * 2, into=zoom)
    return shelf.features_near(zoom, boxes)


def _in_cells(rows: Rows, cells: Ints, side: int) -> Rows:
    """Those that lie in the cells: boxes that touch are not enough."""
    wanted = {(x, y) for x, y in cells.tolist()}
    mine = np.floor(first_points(rounded(rows.level.shapes)) / side).astype(np.int64).tolist()
    return rows.take(np.array([n for n, cell in enumerate(mine) if tuple(cell) in wanted], dtype=np.int64))


def first_points(shapes: Shapes) -> Floats:
    """The point that stands for each shape: of several, the first."""
    places, index = shapely.get_coordinates(shapes, return_index=True)
    first: Floats = places[np.diff(index, prepend=-1) > 0]
    return first


def _ranks(shelf: Shelf) -> Ints:
    """The rank of each feature that is known by now, by its number."""
    ranks = np.full(max(shelf.ranks, default=-1) + 1, np.iinfo(np.int64).max)
    ranks[list(shelf.ranks)] = list(shelf.ranks.values())
    return ranks


def _keyed(rows: Rows) -> dict[tuple[object, ...], int]:
    """What each row shows, to tell whether it is there already."""
    traits, shapes = rows.level.traits, shapely.to_wkb(rows.level.shapes)
    columns = (traits.feature.tolist(), map(tuple, traits.codes.tolist()), shapes.tolist())
    return {key: n for n, key in enumerate(zip(*columns, strict=True))}
