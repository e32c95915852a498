"""A client's bounding box as a polygon in the CRS of storage."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.bbox import BadBbox, BboxOutOfRange, BboxReversed, bbox_polygon
from core.crs import (
    CGCS2000,
    CRS84,
    WEB_MERCATOR,
    WGS84,
    Srid,
    UnknownOperation,
    is_axis_swapped,
    postgis_srid,
    transformer,
)
from core.errors import ChengtuError

JILIN, JILIN_PREFIXED, JILIN_6_DEGREES = Srid(4551), Srid(4530), Srid(4511)
BOX = (126.3, 43.7, 126.8, 44.0)


def polygon(bbox: tuple[float, ...], source: int, target: int) -> shapely.Geometry:
    wkb = bbox_polygon(bbox, Srid(source), Srid(target))
    assert wkb is not None
    return shapely.from_wkb(wkb)


def in_axis_order(box: tuple[float, float, float, float], srid: Srid) -> tuple[float, ...]:
    west, south, east, north = box
    return (south, west, north, east) if is_axis_swapped(srid) else (west, south, east, north)


@pytest.mark.parametrize("target", [4326, 4490, 4551, 4530, 3857])
def test_the_same_box_in_another_axis_order_is_the_same_polygon(target: int) -> None:
    flipped = (43.7, 126.3, 44.0, 126.8)
    expected = polygon(BOX, CRS84, target)
    assert polygon(flipped, 4326, target).equals(expected)
    assert polygon(flipped, 4490, target).equals(expected)


@pytest.mark.parametrize("target", [4326, 4490])
def test_a_box_in_degrees_stays_the_exact_rectangle_in_degrees(target: int) -> None:
    assert polygon(BOX, CRS84, target).normalize() == shapely.box(*BOX).normalize()


def test_a_box_in_the_storage_crs_stays_the_exact_rectangle() -> None:
    northing_first = (4.80e6, 5.0e5, 4.90e6, 6.0e5)
    assert polygon(northing_first, JILIN, JILIN).equals_exact(shapely.box(5.0e5, 4.80e6, 6.0e5, 4.90e6), 0)


def test_web_mercator_and_degrees_need_no_bent_edges() -> None:
    assert shapely.get_num_coordinates(polygon(BOX, CRS84, WEB_MERCATOR)) == 5
    assert shapely.get_num_coordinates(polygon((-3e7, -3e7, 3e7, 3e7), WEB_MERCATOR, WGS84)) == 5


def test_heights_are_set_aside() -> None:
    assert polygon((126.3, 43.7, -10, 126.8, 44.0, 900), CRS84, 4551).equals(polygon(BOX, CRS84, 4551))


def test_a_city_sized_box_has_hundreds_of_points_not_thousands() -> None:
    assert shapely.get_num_coordinates(polygon((126, 43, 127, 44), CRS84, JILIN)) < 500


@settings(deadline=None)
@given(
    st.floats(74, 134),
    st.floats(18, 53),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
    st.sampled_from([CRS84, CGCS2000, WEB_MERCATOR, JILIN, JILIN_6_DEGREES]),
    st.sampled_from([WGS84, WEB_MERCATOR, JILIN, JILIN_PREFIXED, JILIN_6_DEGREES]),
)
def test_the_edges_of_a_city_sized_box_are_true_to_5_cm(
    lon: float, lat: float, width: float, height: float, source: Srid, target: Srid
) -> None:
    plane = source if source not in (CRS84, CGCS2000) else WGS84
    if plane != WGS84 or target not in (WGS84, WEB_MERCATOR):
        lon = 120 + (lon - 74) / 5  # near the zone's own meridian, as a city's data are
    corners = shapely.box(lon, lat, lon + width, lat + height)
    box: tuple[float, float, float, float] = shapely.bounds(
        shapely.transform(corners, lambda p: np.column_stack(transformer(WGS84, plane).transform(*p.T)))
    )
    ring = shapely.segmentize(shapely.box(*box).exterior, max(box[2] - box[0], box[3] - box[1]) / 500)
    exact = np.column_stack(transformer(plane, target).transform(*shapely.get_coordinates(ring).T))
    found = polygon(in_axis_order(box, source), source, target)
    metres = 111_320 if target == WGS84 else 1
    assert shapely.distance(shapely.points(exact), found.boundary).max() * metres < 0.05


degrees = st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90))


@settings(deadline=None)
@given(degrees, st.sampled_from([4326, 4490, 3857, 4551, 4530, 4500, 32660, 3067]), st.sampled_from([CRS84, WGS84]))
def test_any_legal_box_becomes_a_valid_finite_shape_or_nothing(
    box: tuple[float, float, float, float], target: Srid, source: Srid
) -> None:
    west, south, east, north = box
    south, north = sorted((south, north))
    found = bbox_polygon(in_axis_order((west, south, east, north), source), source, target)
    if found is not None:
        shape = shapely.from_wkb(found)
        assert shape.is_valid
        assert not shape.is_empty
        assert np.isfinite(shapely.get_coordinates(shape)).all()


metres = st.floats(-1e8, 1e8) | st.floats(-1e9, 1e9)


@settings(deadline=None)
@given(
    st.tuples(metres, metres, metres, metres),
    st.sampled_from([3857, 4551, 4530, 32660]),
    st.sampled_from([4326, 3857, 4551, 4511]),
)
def test_any_legal_box_of_a_plane_becomes_a_valid_finite_shape_or_nothing(
    box: tuple[float, float, float, float], source: Srid, target: Srid
) -> None:
    (west, east), (south, north) = sorted((box[0], box[2])), sorted((box[1], box[3]))
    found = bbox_polygon(in_axis_order((west, south, east, north), source), source, target)
    if found is not None:
        shape = shapely.from_wkb(found)
        assert shape.is_valid
        assert np.isfinite(shapely.get_coordinates(shape)).all()


@settings(deadline=None)
@given(degrees, st.floats(-179, 179), st.floats(-80, 80), st.sampled_from([4326, 3857, 4551, 32660]))
def test_a_point_is_in_the_polygon_if_it_is_in_the_box(
    box: tuple[float, float, float, float], lon: float, lat: float, target: Srid
) -> None:
    west, south, east, north = box
    south, north = sorted((south, north))
    meridian = {4551: 126, 32660: 177}.get(target)
    assume(meridian is None or abs((lon - meridian + 180) % 360 - 180) < 29)
    assume(min(abs(lon - west), abs(lon - east), abs(lat - south), abs(lat - north)) > 1e-3)
    within = (west <= lon <= east if west <= east else lon >= west or lon <= east) and south <= lat <= north
    wkb = bbox_polygon((west, south, east, north), CRS84, target)
    point = shapely.Point(transformer(WGS84, target).transform(lon, lat))
    assert (wkb is not None and shapely.from_wkb(wkb).covers(point)) is within


@pytest.mark.parametrize("target", [4326, 3857])
def test_a_box_across_the_antimeridian_has_two_parts(target: int) -> None:
    parts = shapely.get_parts(polygon((170, -10, -170, 10), CRS84, target))
    scale = 1 if target == 4326 else 20037508.342789244 / 180
    spans = sorted((part.bounds[0] / scale, part.bounds[2] / scale) for part in parts)
    assert np.allclose(spans, [(-180, -170), (170, 180)])


def test_a_zone_across_the_antimeridian_takes_such_a_box_in_one_part() -> None:
    assert polygon((170, -10, -170, 10), CRS84, 32660).geom_type == "Polygon"


def test_a_plane_box_across_the_antimeridian_has_two_parts_in_degrees() -> None:
    parts = shapely.get_parts(polygon((-5e5, -1e6, 1.5e6, 1e6), 32660, 4326))
    assert len(parts) == 2
    assert all(part.bounds[2] - part.bounds[0] < 20 for part in parts)


@pytest.mark.parametrize(
    ("bbox", "kind"), [((126.5, 43.8, 126.5, 43.8), "Point"), ((126.5, 43.8, 126.6, 43.8), "LineString")]
)
@pytest.mark.parametrize("target", [4326, 4551])
def test_a_box_without_width_or_height_is_a_line_or_a_point(bbox: tuple[float, ...], kind: str, target: int) -> None:
    assert polygon(bbox, CRS84, target).geom_type == kind


@pytest.mark.parametrize(
    ("bbox", "source", "target"),
    [
        ((-10, 0, 10, 10), CRS84, 4551),
        ((-80, 40, -70, 50), CRS84, 4530),
        ((100, 86, 110, 89), CRS84, 3857),
        ((2.5e7, 0, 2.6e7, 1), WEB_MERCATOR, 4326),
        ((0, 9e8, 1, 9.1e8), JILIN, 4326),
    ],
)
def test_a_box_beyond_the_targets_reach_is_nothing(bbox: tuple[float, ...], source: Srid, target: Srid) -> None:
    assert bbox_polygon(bbox, source, target) is None


def test_a_box_around_the_world_is_clipped_to_the_zones_reach() -> None:
    west, south, east, north = polygon((-180, -90, 180, 90), CRS84, JILIN).bounds
    assert -4e6 < west < 0 < east < 5e6
    assert -1e7 < south < 0 < north < 1e7


def test_rounding_at_the_edge_of_the_world_is_forgiven() -> None:
    edge = 180.0000000003
    assert polygon((-edge, -90, edge, 90), CRS84, 4326).bounds == (-180, -90, 180, 90)


nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("bbox", "source", "error"),
    [
        ((), CRS84, BadBbox),
        ((1, 2, 3), CRS84, BadBbox),
        ((1, 2, 3, 4, 5), CRS84, BadBbox),
        ((1, 2, 3, 4, 5, 6, 7), CRS84, BadBbox),
        ((nan, 1, 2, 3), CRS84, BadBbox),
        ((1, 1, inf, 3), WEB_MERCATOR, BadBbox),
        ((1, 2, nan, 3, 4, 5), CRS84, BadBbox),
        ((126, 44, 127, 43), CRS84, BboxReversed),
        ((6, 4, 5, 7), WEB_MERCATOR, BboxReversed),
        ((4.9e6, 5e5, 4.8e6, 6e5), JILIN, BboxReversed),
        ((126, 43, 127, 44), WGS84, BboxOutOfRange),
        ((43, 126, 44, 127), CRS84, BboxOutOfRange),
        ((-181, 0, 10, 10), CRS84, BboxOutOfRange),
        ((0, 0, 1e308, 1e308), WEB_MERCATOR, BboxOutOfRange),
        ((5e5, 4.8e6, 6e5, 4.9e6), CGCS2000, BboxOutOfRange),
    ],
)
def test_a_box_that_cannot_be_one_is_refused_with_400(
    bbox: tuple[float, ...], source: Srid, error: type[ChengtuError]
) -> None:
    with pytest.raises(error) as caught:
        bbox_polygon(bbox, source, WGS84)
    assert type(caught.value) is error
    assert caught.value.status == 400
    assert caught.value.code == "InvalidParameterValue"


def test_only_a_geographic_box_may_cross_the_antimeridian_and_its_latitudes_never_turn() -> None:
    assert polygon((10, -170, 20, 170), WGS84, 4326).geom_type == "Polygon"
    with pytest.raises(BboxReversed):
        bbox_polygon((20, 170, 10, -170), WGS84, WGS84)


@pytest.mark.parametrize(("source", "target"), [(4610, 4490), (4214, 4551), (4258, 4490)])
def test_a_box_on_a_datum_without_a_known_way_is_refused(source: Srid, target: Srid) -> None:
    with pytest.raises(UnknownOperation, match=f"EPSG:{source} to EPSG:{target}"):
        bbox_polygon((43, 126, 44, 127), source, target)


def test_postgis_gets_a_plain_two_dimensional_wkb() -> None:
    wkb = bbox_polygon(BOX, CRS84, postgis_srid(CRS84))
    assert wkb is not None
    assert wkb[:5] == b"\x01\x03\x00\x00\x00"
