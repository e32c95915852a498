"""Geometries of any kind brought from one CRS to another: bounded, and with straight edges bent as the plane asks."""

import numpy as np
import shapely
from numpy.typing import NDArray

from core.crs import (
    BBox,
    Srid,
    UnknownOperation,
    area_of_use,
    is_axis_swapped,
    is_known_operation,
    lookup,
    postgis_srid,
)
from core.crs import transformer as transformer_between

_WORLD: BBox = (-180.0, -90.0, 180.0, 90.0)
_MARGIN = 15.0  # degrees beyond its area of use in which a projection is still sound
_STEP = 0.0005  # degrees between the points of a bent edge: within a tenth of a millimetre of the true curve
_POINTS = 20_000  # roughly as many as a bent outline may get


def transform_shape(shape: shapely.Geometry, from_srid: Srid, to_srid: Srid) -> bytes | None:
    """A shape in the axis order of its CRS as WKB in `to_srid`, x = east; None where nothing of it can be there."""
    moved = project(_east_first(shape, from_srid), from_srid, to_srid)
    if not moved.is_valid:  # a needle whose sides met by the rounding of coordinates
        moved = shapely.make_valid(moved)
    return None if moved.is_empty else bytes(shapely.to_wkb(moved))


def reaches_beyond(shape: shapely.Geometry, from_srid: Srid, to_srid: Srid) -> bool:
    """Whether a part of a shape, in the axis order of its CRS, lies where `to_srid` cannot show it."""
    source = postgis_srid(from_srid)
    if source == to_srid or not lookup(source).is_geographic or lookup(to_srid).is_geographic:
        return False
    return not shapely.contains(reach_of(to_srid), _east_first(shape, from_srid))


def project(shape: shapely.Geometry, from_srid: Srid, to_srid: Srid) -> shapely.Geometry:
    """A shape in another CRS, x = east in both: edges straight in the first, what the second can't hold cut."""
    source = postgis_srid(from_srid)
    if source == to_srid:
        return shape
    if not is_known_operation(source, to_srid):
        raise UnknownOperation(source=source, target=to_srid)
    if lookup(source).is_geographic and not lookup(to_srid).is_geographic:
        shape = bent(_cut(shape, to_srid))
    moved = transform_points(shape, source, to_srid)
    finite = bool(np.isfinite(shapely.get_coordinates(moved)).all())
    return moved if finite else shapely.GeometryCollection()


def transform_points(shape: shapely.Geometry, from_srid: Srid, to_srid: Srid) -> shapely.Geometry:
    """A shape, or an array of them, with each vertex transformed and no more; x = east on both sides."""
    transform = transformer_between(postgis_srid(from_srid), postgis_srid(to_srid)).transform

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transform(points[:, 0], points[:, 1]))

    return shapely.transform(shape, moved)


def bent(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape in degrees with points added to its edges, so that they may become curves."""
    return shapely.segmentize(shape, max(_STEP, shapely.length(shape) / _POINTS))


def reach_of(srid: Srid) -> shapely.Polygon:
    """Where a plane CRS is still sound, in CRS84: some way beyond its area of use."""
    west, south, east, north = area_of_use(srid) or _WORLD
    return shapely.box(west - _MARGIN, max(south - _MARGIN, -89.9), east + _MARGIN, min(north + _MARGIN, 89.9))


def _cut(shape: shapely.Geometry, srid: Srid) -> shapely.Geometry:
    """What of a shape in degrees lies in reach of a plane CRS; a shape well inside stays as it is."""
    frame = reach_of(srid)
    return shape if shapely.contains(frame, shape) else shapely.intersection(shape, frame)


def _east_first(shape: shapely.Geometry, srid: Srid) -> shapely.Geometry:
    """A shape in the axis order of its CRS, turned so that x = east."""
    return shapely.transform(shape, lambda points: points[:, ::-1]) if is_axis_swapped(srid) else shape
