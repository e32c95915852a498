"""Areas on the CGCS2000 ellipsoid, of many polygons at once, and cents that add up."""

import numpy as np
import shapely

from data.sample.shapes import Floats, Ints, Shapes

_MAJOR = 6378137.0
_FLATTENING = 1 / 298.257222101
_E2 = _FLATTENING * (2 - _FLATTENING)
_E = np.sqrt(_E2)


def _q(sine: Floats) -> Floats:
    """What authalic latitude is made of, by the sine of the geodetic one (Snyder 3-12)."""
    value: Floats = (1 - _E2) * (sine / (1 - _E2 * sine**2) + np.arctanh(_E * sine) / _E)
    return value


_QP = float(_q(np.array([1.0]))[0])
_R2 = _MAJOR**2 * _QP / 2  # of the sphere as large as the ellipsoid


def ellipsoidal_areas(shapes: Shapes) -> Floats:
    """Square metres of polygons in EPSG:4490, longitude first; edges are geodesics, as of pyproj.Geod.

    On the sphere of equal area an edge is a great circle: for edges of less than a kilometre that differs from the
    geodesic by less than a square millimetre.
    """
    polygons, owner = shapely.get_parts(shapes, return_index=True)
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    signed = _ring_areas(coordinates, ring, len(rings))
    outer = np.r_[True, polygon[1:] != polygon[:-1]] if len(polygon) else np.zeros(0, dtype=bool)
    areas = np.where(outer, np.abs(signed), -np.abs(signed))
    return np.bincount(owner[polygon], weights=areas, minlength=len(shapes))


def _ring_areas(coordinates: Floats, ring: Ints, count: int) -> Floats:
    """The signed area of each ring: the sum of its edges' areas, down to the ring's own first latitude."""
    longitude = np.radians(coordinates[:, 0])
    half = np.tan(np.arcsin(_q(np.sin(np.radians(coordinates[:, 1]))) / _QP) / 2)
    base = half[np.searchsorted(ring, ring)]
    same = ring[1:] == ring[:-1]
    across = np.tan((longitude[1:] - longitude[:-1]) / 2)
    # E = 2 atan(tan(dl/2) (t1 + t2) / (1 + t1 t2)), less the part below the base, which is exact in sin(latitude)
    excess = 2 * np.arctan(across * (half[:-1] + half[1:]) / (1 + half[:-1] * half[1:]))
    below = (longitude[1:] - longitude[:-1]) * (2 * base[1:] / (1 + base[1:] ** 2))
    return np.bincount(ring[1:][same], weights=((excess - below) * _R2)[same], minlength=count)


def share_out(exact: Floats, groups: Ints, totals: Ints) -> Ints:
    """Whole cents for `exact` square metres so that each group adds up to its total: largest remainders first."""
    cents = np.floor(exact * 100).astype(np.int64)
    missing = totals - np.bincount(groups, weights=cents, minlength=len(totals)).astype(np.int64)
    size = np.bincount(groups, minlength=len(totals))
    cents += (missing // np.maximum(size, 1))[groups]  # nought, unless a total was set otherwise
    missing %= np.maximum(size, 1)
    order = np.lexsort((-(exact * 100 - np.floor(exact * 100)), groups))
    place = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order])
    cents[order] += place < missing[groups[order]]
    return cents


def cents(square_metres: Floats) -> Ints:
    """Square metres as whole square centimetres of a hundred: 0.01 m2."""
    return np.rint(square_metres * 100).astype(np.int64)
