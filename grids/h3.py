"""H3, the hexagonal grid of the globe: codes, outlines, and the cells over an area."""

import math

import h3.api.basic_int as index
import numpy as np
import shapely
from h3 import H3BaseException
from numpy.typing import NDArray

from core.crs import CRS84, Srid
from core.errors import BadRequest
from core.language import Text
from core.shapes import project, transform_points
from grids.cells import Cells, Shapes, check_count, check_outline, touching

_A_HAIR = 1e-7  # degrees, a centimetre: the cells of a slightly larger area, then exactly those that touch it
_KM_OF_DEGREE = 111.32


class BadH3Code(BadRequest):
    """Not the code of an H3 cell."""

    en = "{code!r} is no H3 cell. A code is 15 hexadecimal digits, like 8731aab91ffffff."
    zh = "{code!r} 不是 H3 网格编码。编码为 15 位十六进制数,如 8731aab91ffffff。"


def code_at(lon: float, lat: float, resolution: int) -> str:
    """The code of the cell that holds a place."""
    return str(index.int_to_str(index.latlng_to_cell(lat, lon, resolution)))


def cell_of(code: str) -> int:
    """The cell of a code."""
    try:
        cell = index.str_to_int(code)
    except (H3BaseException, ValueError):
        raise BadH3Code(code=code[:60]) from None
    if not index.is_valid_cell(cell) or index.int_to_str(cell) != code:
        raise BadH3Code(code=code[:60])
    return int(cell)


def outline_of(cell: int) -> shapely.Polygon:
    """A cell as a polygon in CRS84, anticlockwise; cells over the edges of H3's icosahedron have extra corners."""
    return shapely.Polygon([(lon, lat) for lat, lon in index.cell_to_boundary(cell)])


def lost_of(cell: int) -> shapely.MultiLineString:
    """The edges of a cell that belong to its neighbours: of two cells, the one with the smaller code has the edge."""
    edges = (edge for edge in index.origin_to_directed_edges(cell) if index.get_directed_edge_destination(edge) < cell)
    lines = map(index.directed_edge_to_boundary, edges)
    return shapely.MultiLineString([[(lon, lat) for lat, lon in line] for line in lines])


def cover(area: shapely.Geometry, srid: Srid, resolution: int, limit: int) -> Cells:
    """The cells that an area in CRS84 touches, by code, with straight edges in the plane `srid`."""
    flat = project(area, CRS84, srid)
    check_count(_estimate(area, resolution), limit, lambda: _advice(area, limit))
    check_outline(_crossings(area, resolution))
    candidates = _candidates(area, resolution, limit)
    outlines = np.array([outline_of(cell) for cell in candidates], dtype=object)
    shapes = transform_points(outlines, CRS84, srid)
    chosen = touching(shapes, flat)
    check_count(int(chosen.sum()), limit, lambda: _advice(area, limit))
    cells = [cell for cell, is_chosen in zip(candidates, chosen, strict=True) if is_chosen]
    lost = np.array([lost_of(cell) for cell in cells], dtype=object)
    codes = [str(index.int_to_str(cell)) for cell in cells]
    shapes = shapes[chosen]
    return Cells(codes, shapes, transform_points(lost, CRS84, srid), outlines[chosen], _inner(shapes))


def _inner(shapes: Shapes) -> NDArray[np.float64]:
    """The square in a circle around each middle, a little smaller than the hexagon allows."""
    middles = shapely.centroid(shapes)
    half = 0.7 * shapely.distance(middles, shapely.boundary(shapes))
    x, y = shapely.get_x(middles), shapely.get_y(middles)
    return np.column_stack([x - half, y - half, x + half, y + half])


def _candidates(area: shapely.Geometry, resolution: int, limit: int) -> list[int]:
    """All cells that touch an area, and perhaps some beside it."""
    if area.is_empty:
        return []
    around = shapely.buffer(area, _A_HAIR, join_style="mitre")
    shape = index.geo_to_h3shape(around.__geo_interface__)
    return sorted(index.h3shape_to_cells_experimental(shape, resolution, contain="overlap"))


def _estimate(area: shapely.Geometry, resolution: int) -> float:
    """About how many whole cells an area holds."""
    square = _KM_OF_DEGREE**2 * math.cos(math.radians(area.centroid.y)) if not area.is_empty else 0
    return float(area.area * square / index.average_hexagon_area(resolution, unit="km^2"))


def _crossings(area: shapely.Geometry, resolution: int) -> float:
    """About how many cells the outline of an area crosses."""
    return float(area.length * _KM_OF_DEGREE / index.average_hexagon_edge_length(resolution, unit="km"))


def _advice(area: shapely.Geometry, limit: int) -> Text:
    """The finest resolution that will do."""
    finest = max((n for n in range(16) if _estimate(area, n) < 0.8 * limit), default=0)
    return Text(
        f"Ask for resolution {finest} or less, or for a smaller area.", f"请使用 {finest} 级或更低的分辨率,或缩小范围。"
    )
