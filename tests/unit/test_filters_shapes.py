"""A filter's geometries on their way into the data set's CRS."""

import shapely

from core.crs import CRS84, WEB_MERCATOR, WGS84, Srid
from core.shapes import project, reaches_beyond, transform_shape

PLANE = Srid(4551)
NEEDLE = shapely.Polygon(
    [
        (126.54131056932616, 43.07865688238253),
        (126.54182638329672, 43.07943263511729),
        (126.5415818631981, 43.078811149616854),
        (126.54131056932617, 43.078656882382525),
    ]
)


def test_a_needle_stays_valid_where_its_sides_meet_by_rounding() -> None:
    assert NEEDLE.is_valid
    assert not project(NEEDLE, CRS84, PLANE).is_valid
    wkb = transform_shape(NEEDLE, CRS84, PLANE)
    assert wkb is not None
    assert shapely.from_wkb(wkb).is_valid


def test_what_a_plane_cannot_show_reaches_beyond_it() -> None:
    far = shapely.MultiPoint([(126.5, 43.8), (-60.0, -40.0)])
    assert reaches_beyond(far, CRS84, PLANE)
    assert reaches_beyond(shapely.Point(-40.0, -60.0), WGS84, PLANE)
    assert not reaches_beyond(shapely.Point(43.8, 126.5), WGS84, PLANE)
    assert not reaches_beyond(far, CRS84, WGS84)
    assert not reaches_beyond(shapely.Point(1e7, 5e6), WEB_MERCATOR, PLANE)
