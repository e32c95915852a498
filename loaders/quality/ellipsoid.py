"""Areas on the ellipsoid, as surveys state them: what lies inside the edges as they are drawn, straight in the data's CRS.

A parcel's area in the plane times the scale of areas at its centroid is its area on the ellipsoid, but for terms of the
second order in its size: below 0.002 m² for a square kilometre, and for a road of ten. Larger ones are cut into short edges, whose
geodesics Karney's method adds up.
"""

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from core.crs import Srid, geographic_base, lookup, transformer

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

_A, _F = 6_378_137.0, 1 / 298.257222101  # CGCS2000
_E2 = _F * (2 - _F)
_SMALL = 1_000.0**4  # square metres of a parcel, times the square of the longer side of its box
_STEP = 50.0  # metres of an edge of a large one
_DEGREE = np.pi / 180


def ellipsoidal_areas(shapes: Shapes, srid: int) -> Floats:
    """(n,) square metres of polygons (x = east); geographic CRSs are taken on CGCS2000's ellipsoid, planes on their own."""
    if not len(shapes):
        return np.zeros(0)
    areas = np.nan_to_num(_small(shapes, Srid(srid)))
    metres = metres_per_unit(shapes, srid)
    bounds = shapely.bounds(shapes)
    sides = np.maximum((bounds[:, 2] - bounds[:, 0]) * metres[:, 0], (bounds[:, 3] - bounds[:, 1]) * metres[:, 1])
    large = np.flatnonzero(areas * sides**2 > _SMALL)
    areas[large] = _large(shapes[large], Srid(srid), metres[large, 1])
    return areas


def metres_per_unit(shapes: Shapes, srid: int) -> Floats:
    """(n, 2) metres to the east and to the north that one unit of the CRS is where each shape lies."""
    crs = lookup(Srid(srid))
    if not crs.is_geographic:
        return np.full((len(shapes), 2), crs.axis_info[0].unit_conversion_factor)
    bounds = shapely.bounds(shapes)
    latitude = np.radians(np.nan_to_num((bounds[:, 1] + bounds[:, 3]) / 2))
    return np.column_stack([_normal(latitude) * np.cos(latitude), _meridian(latitude)]) * _DEGREE


def in_metres(shapes: Shapes, srid: int) -> Shapes:
    """Small shapes at their true size, to measure widths by: each in a plane of its own, and not where it was."""
    factors = metres_per_unit(shapes, srid)
    if (factors == 1).all():
        return shapes
    points, index = shapely.get_coordinates(shapes, return_index=True)
    moved: Shapes = shapely.set_coordinates(shapes.copy(), (points - _corners(shapes)[index]) * factors[index])
    return moved


def _corners(shapes: Shapes) -> Floats:
    corners: Floats = np.nan_to_num(shapely.bounds(shapes)[:, :2])
    return corners


def _small(shapes: Shapes, srid: Srid) -> Floats:
    x, y = shapely.bounds(shapely.centroid(shapes))[:, :2].T
    crs = lookup(srid)
    plane = shapely.area(shapes)
    if crs.is_geographic:
        latitude = np.radians(y)
        return np.asarray(plane * _normal(latitude) * np.cos(latitude) * _meridian(latitude) * _DEGREE**2)
    longitude, latitude = transformer(srid, geographic_base(srid)).transform(x, y)
    scale = pyproj.Proj(crs).get_factors(longitude, latitude, errcheck=False).areal_scale
    return np.asarray(plane * crs.axis_info[0].unit_conversion_factor ** 2 / scale)


def _large(shapes: Shapes, srid: Srid, metres: Floats) -> Floats:
    crs = lookup(srid)
    geod = pyproj.Geod(a=_A, rf=1 / _F) if crs.is_geographic else crs.get_geod()
    if geod is None:
        return np.asarray(shapely.area(shapes))
    return np.array(
        [_by_geodesics(shape, srid, geod, _STEP / unit) for shape, unit in zip(shapes, metres, strict=True)]
    )


def _by_geodesics(shape: shapely.Geometry, srid: Srid, geod: pyproj.Geod, step: float) -> float:
    dense = shapely.segmentize(shapely.orient_polygons(shape), step)
    if not lookup(srid).is_geographic:
        move = transformer(srid, geographic_base(srid)).transform
        dense = shapely.transform(dense, lambda points: np.column_stack(move(points[:, 0], points[:, 1])))
    return float(abs(geod.geometry_area_perimeter(dense)[0]))


def _normal(latitude: Floats) -> Floats:
    """Radius of curvature across the meridian, metres."""
    return np.asarray(_A / np.sqrt(1 - _E2 * np.sin(latitude) ** 2))


def _meridian(latitude: Floats) -> Floats:
    """Radius of curvature along the meridian, metres."""
    return np.asarray(_A * (1 - _E2) / (1 - _E2 * np.sin(latitude) ** 2) ** 1.5)
