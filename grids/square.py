"""A square grid in a plane CRS: cells of whole metres, their corners at multiples of the size.

A cell's code is its size and its lower left corner, in kilometres where the size is whole kilometres, else in metres:
`1km_E544N4856` is the cell from E 544 000, N 4 856 000 to E 545 000, N 4 857 000; `250m_E544250N4856000` one of 250 m.
The code holds no CRS: it is unique within one, and stands beside that CRS's EPSG code wherever it is given out.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from core.crs import CRS84, Srid
from core.errors import BadRequest
from core.language import Text
from core.shapes import project, transform_points
from grids.cells import WIDE_SEARCH, Cells, Shapes, check_count, check_outline, touching

_CODE = re.compile(r"([1-9]\d{0,6})(km|m)_E(-?\d{1,9})N(-?\d{1,9})", re.ASCII)
_EDGE = 2000.0  # metres: longer edges get points in between, for they are curves on the globe


class BadCellCode(BadRequest):
    """Not the code of a square cell."""

    en = "{code!r} is no square cell. A code is like 1km_E544N4856 or 250m_E544250N4856000."
    zh = "{code!r} 不是方格编码。编码形如 1km_E544N4856 或 250m_E544250N4856000。"


class Cell(NamedTuple):
    """A square cell: its size, and its lower left corner, in metres."""

    size: int
    east: int
    north: int


def cell_at(x: float, y: float, size: int) -> Cell:
    """The cell that holds a point of the plane; its lower and left edges belong to it, the others do not."""
    return Cell(size, int(x // size) * size, int(y // size) * size)


def code_of(cell: Cell) -> str:
    """The code of a cell."""
    unit, name = (1000, "km") if cell.size % 1000 == 0 else (1, "m")
    return f"{cell.size // unit}{name}_E{cell.east // unit}N{cell.north // unit}"


def cell_of(code: str) -> Cell:
    """The cell of a code; each cell has one code only."""
    match = _CODE.fullmatch(code)
    if match is None:
        raise BadCellCode(code=code[:60])
    unit = 1000 if match[2] == "km" else 1
    cell = Cell(int(match[1]) * unit, int(match[3]) * unit, int(match[4]) * unit)
    if code_of(cell) != code or cell.east % cell.size or cell.north % cell.size:
        raise BadCellCode(code=code[:60])
    return cell


def polygon_of(cell: Cell) -> shapely.Polygon:
    """The cell in its plane, anticlockwise from the lower left corner."""
    return _boxes(np.array([[cell.east, cell.north]], dtype=float), cell.size)[0]


def outline_of(shapes: Shapes, srid: Srid) -> Shapes:
    """Cells of the plane as polygons in CRS84."""
    outlines: Shapes = transform_points(shapely.segmentize(shapes, _EDGE), srid, CRS84)
    return outlines


def cover(area: shapely.Geometry, srid: Srid, size: int, limit: int) -> Cells:
    """The cells in the plane `srid` that an area in CRS84 touches, from the south-west, row by row."""
    flat = project(area, CRS84, srid)
    corners = _corners(flat, size, limit)
    check_outline(flat.length / size)
    shapes = _boxes(corners, size)
    chosen = touching(shapes, flat)
    check_count(int(chosen.sum()), limit, lambda: _advice(flat, limit))
    corners, shapes = corners[chosen], shapes[chosen]
    codes = [code_of(Cell(size, int(east), int(north))) for east, north in corners]
    north_east = corners[:, None] + np.array([[0, size], [size, size], [size, 0]])
    return Cells(codes, shapes, shapely.linestrings(north_east), outline_of(shapes, srid), shapely.bounds(shapes))


def _corners(flat: shapely.Geometry, size: int, limit: int) -> NDArray[np.float64]:
    """The lower left corners of all cells that the bounds of an area touch, (n, 2)."""
    if flat.is_empty:
        return np.empty((0, 2))
    west, south, east, north = (int(bound // size) for bound in flat.bounds)
    columns, rows = east - west + 1, north - south + 1
    if columns * rows > limit:  # the bounds of a narrow area hold many more cells than the area
        check_count(flat.area / size**2, limit, lambda: _advice(flat, limit))
        check_count(columns * rows, WIDE_SEARCH * limit, lambda: _advice(flat, limit))
    grid = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1))
    return np.column_stack([axis.ravel() for axis in grid]).astype(float) * size


def _boxes(corners: NDArray[np.float64], size: int) -> Shapes:
    x, y = corners.T
    boxes: Shapes = shapely.box(x, y, x + size, y + size, ccw=True)
    return boxes


def _advice(flat: shapely.Geometry, limit: int) -> Text:
    """A size that will do: that of so many squares as large as the bounds, rounded up to two digits."""
    west, south, east, north = flat.bounds
    enough = math.sqrt((east - west) * (north - south) / limit) * 1.1
    digits = 10 ** max(0, math.floor(math.log10(max(enough, 1))) - 1)
    size = math.ceil(enough / digits) * digits
    return Text(
        f"Ask for a size of {size} m or more, or for a smaller area.", f"请使用 {size} 米或更大的网格,或缩小范围。"
    )
