"""Areas on the ellipsoid: what Karney's geodesics say of the same outlines, cut into short edges."""

import math

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import rotate

from core.crs import Srid, geographic_base, is_geographic, transformer
from loaders.quality.ellipsoid import ellipsoidal_areas, in_metres

GEOD = pyproj.Geod(a=6_378_137, rf=298.257222101)


def by_geodesics(shape: shapely.Geometry, srid: int) -> float:
    """The area inside edges that are straight in the CRS, by geodesics of a few metres."""
    step = 2e-5 if is_geographic(Srid(srid)) else 2.0
    dense = shapely.segmentize(shape, step)
    if not is_geographic(Srid(srid)):
        move = transformer(Srid(srid), geographic_base(Srid(srid)))
        dense = shapely.transform(dense, lambda xy: np.column_stack(move.transform(xy[:, 0], xy[:, 1])))
    return abs(float(GEOD.geometry_area_perimeter(dense)[0]))


def parcel(x: float, y: float, metre_x: float, metre_y: float) -> shapely.Geometry:
    """About 120 m by 60 m, askew, with a pond in it."""
    shape = shapely.Polygon(
        [(0, 0), (120, 10), (130, 70), (60, 55), (-5, 65)], [[(50, 20), (50, 30), (65, 30), (65, 20)]]
    )
    return shapely.transform(rotate(shape, 30), lambda xy: np.array([x, y]) + xy * [metre_x, metre_y])


@pytest.mark.parametrize(("x", "y"), [(126.55, 43.84), (75.0, 39.5), (109.5, 18.2), (122.4, 53.4)])
def test_a_parcel_in_degrees(x: float, y: float) -> None:
    shape = parcel(x, y, 1 / (111_320 * math.cos(math.radians(y))), 1 / 110_950)
    assert ellipsoidal_areas(np.array([shape]), 4490)[0] == pytest.approx(by_geodesics(shape, 4490), abs=0.001)


@pytest.mark.parametrize(
    ("srid", "false_easting"),
    [(4513, 25_500_000), (4530, 42_500_000), (4551, 500_000), (4554, 500_000), (4500, 22_500_000), (4511, 500_000)],
)
@pytest.mark.parametrize("off", [-140_000.0, 0.0, 44_231.0])
def test_a_parcel_in_any_gauss_krueger_zone(srid: int, false_easting: float, off: float) -> None:
    shape = parcel(false_easting + off, 4_856_191, 1, 1)
    assert ellipsoidal_areas(np.array([shape]), srid)[0] == pytest.approx(by_geodesics(shape, srid), abs=0.001)


def test_a_field_of_degrees_has_the_area_that_the_closed_formula_gives() -> None:
    """Between two meridians and two parallels: straight in degrees, and no geodesics at all (Snyder, equation 3-12)."""
    e2 = (2 - 1 / 298.257222101) / 298.257222101
    e = math.sqrt(e2)

    def q(latitude: float) -> float:
        s = math.sin(math.radians(latitude))
        return (1 - e2) * (s / (1 - e2 * s * s) + math.atanh(e * s) / e)

    for south, north in ((43.84, 43.845), (43.0, 44.0)):
        exact = 6_378_137**2 * math.radians(0.01) / 2 * (q(north) - q(south))
        found = ellipsoidal_areas(np.array([shapely.box(126.5, south, 126.51, north)]), 4490)[0]
        assert found == pytest.approx(exact, rel=1e-9)


def test_a_district_is_as_large_in_degrees_as_in_the_plane() -> None:
    plane = shapely.segmentize(shapely.box(42_480_000, 4_820_000, 42_560_000, 4_880_000), 100)
    move = transformer(Srid(4530), Srid(4490)).transform
    degrees = shapely.transform(plane, lambda xy: np.column_stack(move(xy[:, 0], xy[:, 1])))
    in_plane = ellipsoidal_areas(np.array([plane]), 4530)[0]
    assert ellipsoidal_areas(np.array([degrees]), 4490)[0] == pytest.approx(in_plane, rel=1e-9)
    assert in_plane == pytest.approx(by_geodesics(plane, 4530), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-150_000, 150_000),
    st.floats(2_000_000, 5_900_000),
    st.floats(1, 999),
    st.floats(1, 999),
    st.floats(0, 90),
)
def test_parcels_of_any_size_anywhere(off: float, north: float, wide: float, high: float, turn: float) -> None:
    shape = rotate(shapely.box(500_000 + off, north, 500_000 + off + wide, north + high), turn)
    assert ellipsoidal_areas(np.array([shape]), 4551)[0] == pytest.approx(by_geodesics(shape, 4551), abs=0.003)


def test_nothing_has_no_area() -> None:
    assert ellipsoidal_areas(np.empty(0, object), 4490).tolist() == []
    assert ellipsoidal_areas(np.array([shapely.MultiPolygon()]), 4551).tolist() == [0]


def test_thin_shapes_in_degrees_are_measured_in_metres() -> None:
    strip = shapely.box(126.5, 43.8, 126.5 + 10 / 80_400, 43.8 + 1 / 111_100)
    true = in_metres(np.array([strip]), 4490)[0]
    assert true.bounds[2] - true.bounds[0] == pytest.approx(10, rel=0.002)
    assert true.bounds[3] - true.bounds[1] == pytest.approx(1, rel=0.002)
