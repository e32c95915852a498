"""The grid that tiles are drawn on: 4096 units a side of a WebMercatorQuad tile, counted from the south-west."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]
Bools = NDArray[np.bool_]

EXTENT = 4096  # units a side of a tile
PIXEL = 8  # units: a tile is drawn at 512 pixels
FINER = 4  # the whole is put on a grid so many times finer than a level's before it is compared
WEB_MERCATOR_SRID = 3857
HALF_WORLD = 20037508.342789244  # metres of EPSG:3857 from the middle of the world to its edge


def unit(zoom: int) -> float:
    """Metres of EPSG:3857 that a unit of a zoom measures."""
    return 2 * HALF_WORLD / (EXTENT << zoom)


def in_units(shapes: Shapes, zoom: int) -> Shapes:
    """Shapes in metres as shapes in units, not yet rounded."""
    return _moved(shapes, lambda xy: (xy + HALF_WORLD) / unit(zoom))


def on_grid(shapes: Shapes, zoom: int) -> Shapes:
    """Shapes in metres as shapes in units, with each vertex on a grid that is a few times finer."""
    return _moved(shapes, lambda xy: np.round((xy + HALF_WORLD) / (unit(zoom) / FINER)) / FINER)


def in_metres(shapes: Shapes, zoom: int) -> Shapes:
    """Shapes in units as shapes in metres."""
    return _moved(shapes, lambda xy: xy * unit(zoom) - HALF_WORLD)


def halved(shapes: Shapes) -> Shapes:
    """Shapes in units of a zoom as shapes in units of the one above it."""
    return _moved(shapes, lambda xy: xy / 2)


def rounded(shapes: Shapes, parts: int = 1) -> Shapes:
    """Shapes with each vertex on the grid, or on one that is so many times finer."""
    return _moved(shapes, lambda xy: np.round(xy * parts) / parts)


def _moved(shapes: Shapes, move: Any) -> Shapes:  # noqa: ANN401 — a function of coordinates
    result: Shapes = shapely.set_coordinates(shapes.copy(), move(shapely.get_coordinates(shapes)))
    return result


def centres(shapes: Shapes) -> Floats:
    """The middle of each shape's bounds."""
    bounds = shapely.bounds(shapes)
    middle: Floats = (bounds[:, :2] + bounds[:, 2:]) / 2
    return middle


def hilbert(x: Ints, y: Ints, bits: int) -> Ints:
    """The place of each cell along the Hilbert curve of a square of `2 ** bits` cells a side."""
    x, y = x.copy(), y.copy()
    place = np.zeros(len(x), dtype=np.int64)
    for bit in range(bits - 1, -1, -1):
        side = np.int64(1) << bit
        right, upper = (x & side) > 0, (y & side) > 0
        place += side * side * ((3 * right) ^ upper)
        turn = ~upper
        flip = turn & right
        x[flip], y[flip] = side - 1 - (x[flip] & (side - 1)), side - 1 - (y[flip] & (side - 1))
        x[turn], y[turn] = y[turn], x[turn]
        x &= side - 1
        y &= side - 1
    return place


def spatial_order(shapes: Shapes, zoom: int) -> Ints:
    """The order in which neighbours on the map are neighbours on the disk."""
    places = np.clip(centres(shapes) / (EXTENT << zoom), 0, 1 - 2**-20)
    cells: Ints = (places * 2**20).astype(np.int64)
    return np.argsort(hilbert(cells[:, 0], cells[:, 1], 20), kind="stable").astype(np.int64)
