"""What every grid gives: its cells over an area, in the plane they are measured in and on the globe."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from core.crs import Srid, gauss_kruger_zone, lookup
from core.errors import BadRequest
from core.language import Text

Shapes = NDArray[Any]  # of shapely geometries

WIDE_SEARCH = 40  # times the limit: as many candidate cells as are looked at before giving up


MAX_CROSSINGS = 50_000  # of an area's outline with cells: a comb without any surface would take minutes to cut


class OutlineTooLong(BadRequest):
    """An area so ragged that following its outline through the cells takes too long."""

    en = "The outline of the area crosses about {count} cells; at most {limit} are followed. Simplify the area."
    zh = "范围边界约穿过 {count} 个网格,最多 {limit} 个。请先简化范围。"


class TooManyCells(BadRequest):
    """The area holds more cells than may be asked for."""

    en = "The area holds about {count} cells; at most {limit} are computed at once. {advice}"
    zh = "该范围约有 {count} 个网格,一次最多计算 {limit} 个。{advice}"


class Cells(NamedTuple):
    """Cells over an area, side by side: each position of the arrays is one cell.

    A cell is half-open, so that every point belongs to exactly one: `lost` is the part of its outline that
    belongs to its neighbours.
    """

    ids: list[str]
    shapes: Shapes  # polygons in the plane, x = east
    lost: Shapes  # lines in the plane
    outlines: Shapes  # polygons in CRS84, anticlockwise
    inner: NDArray[
        np.float64
    ]  # (n, 4): a box in the plane whose points, but for its upper and right edge, are the cell's


def plane_of(srid: Srid, lon: float, lat: float) -> Srid:
    """The CRS that the cells of a data set stored in `srid` around a place are measured in, in metres.

    Its own where that is a transverse Mercator in metres (Gauss-Krüger, UTM); else the 3° Gauss-Krüger zone of
    CGCS2000 that holds the place; elsewhere than in China, the UTM zone. Web Mercator doubles areas in the north.
    """
    crs = lookup(srid)
    method = crs.coordinate_operation.method_name if crs.is_projected and crs.coordinate_operation else ""
    if method == "Transverse Mercator" and all(axis.unit_conversion_factor == 1 for axis in crs.axis_info):
        return srid
    if zone := gauss_kruger_zone(lon):
        return zone.srid
    return Srid((32601 if lat >= 0 else 32701) + int((lon + 180) // 6) % 60)


def check_count(count: float, limit: int, advice: Callable[[], Text]) -> None:
    """Refuse more cells than the limit, and say what to do about it."""
    if count > limit:
        raise TooManyCells(count=f"{count:.0f}", limit=limit, advice=advice())


def check_outline(crossings: float) -> None:
    """Refuse an area whose outline crosses too many cells."""
    if crossings > MAX_CROSSINGS:
        raise OutlineTooLong(count=f"{crossings:.0f}", limit=MAX_CROSSINGS)


def touching(shapes: Shapes, area: shapely.Geometry) -> NDArray[np.bool_]:
    """Which shapes have a point in common with the area, its outline included."""
    shapely.prepare(area)
    found: NDArray[np.bool_] = shapely.intersects(area, shapes)
    return found
