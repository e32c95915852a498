"""CRS names, axis order, zones, and which transformations may be offered."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.crs import (
    CGCS2000,
    CRS84,
    WEB_MERCATOR,
    WGS84,
    BBox,
    Srid,
    UnknownCrs,
    area_of_use,
    bounds_in_degrees,
    gauss_kruger_zone,
    geographic_base,
    is_axis_swapped,
    is_geographic,
    is_known_operation,
    lookup,
    old_datum,
    parse_uri,
    postgis_srid,
    public_crs_list,
    transformer,
    uri,
    zone_by_number,
)

ROOT = Path(__file__).parents[2]
VECTORS: dict[str, Any] = json.loads((ROOT / "tests/vectors/gauss_kruger.json").read_text("utf-8"))
JILIN, JILIN_PREFIXED = Srid(4551), Srid(4530)
ZONES = [zone for width in (3, 6) for number in range(100) if (zone := zone_by_number(number, width))]


@pytest.mark.parametrize(
    ("name", "srid"),
    [
        ("http://www.opengis.net/def/crs/EPSG/0/4490", 4490),
        ("http://www.opengis.net/def/crs/EPSG/9.9.1/4490", 4490),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", CRS84),
        ("http://www.opengis.net/def/crs/OGC/0/CRS84h", CRS84),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", CRS84),
        ("urn:ogc:def:crs:EPSG::4551", 4551),
        ("urn:ogc:def:crs:EPSG:9.9.1:4551", 4551),
        ("EPSG:3857", 3857),
        ("OGC:CRS84", CRS84),
        ("[EPSG:4326]", 4326),
        ("[OGC:CRS84]", CRS84),
        ("[http://www.opengis.net/def/crs/EPSG/0/4530]", 4530),
    ],
)
def test_every_usual_spelling_of_a_crs_is_read(name: str, srid: int) -> None:
    assert parse_uri(name) == srid


@pytest.mark.parametrize(
    "name",
    [
        "",
        "[]",
        "4490",
        "EPSG:4490 ",
        "EPSG:4490\n",
        "EPSG:-1",
        "EPSG:0",
        "EPSG:04490",
        "EPSG:٤٤٩٠",
        "EPSG:99999",
        "EPSG:" + "9" * 5000,
        "EPSG:84",  # the internal number of CRS84 is nobody else's business
        "EPSG:5737",  # heights only
        "EPSG:4979",  # three-dimensional
        "EPSG:4479",  # geocentric
        "EPSG:4490+5737",
        "http://127.0.0.1:1/def/crs/EPSG/0/4490",
        "http://www.opengis.net.example.org/def/crs/EPSG/0/4490",
        "http://www.opengis.net/def/crs/EPSG/0/4490?x=1",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS83",
        "file:///etc/passwd",
        "+proj=longlat +datum=WGS84 +nadgrids=http://127.0.0.1:1/x",
        "WGS 84",
        "\ud800",
    ],
)
def test_anything_else_is_refused_without_a_socket(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_socket(*_: object, **__: object) -> None:
        raise AssertionError("a CRS name opened a socket")

    monkeypatch.setattr(socket, "socket", no_socket)
    with pytest.raises(UnknownCrs) as caught:
        parse_uri(name)
    assert caught.value.status == 400
    assert len(caught.value.message("en")) < 300


@settings(deadline=None)
@given(st.sampled_from([CRS84, WGS84, CGCS2000, WEB_MERCATOR, *(zone.srid for zone in ZONES)]))
def test_a_crs_survives_its_own_uri(srid: Srid) -> None:
    assert parse_uri(uri(srid)) == srid


def test_an_srid_that_proj_does_not_know_is_an_error() -> None:
    with pytest.raises(UnknownCrs, match="EPSG:999999"):
        lookup(Srid(999999))


@pytest.mark.parametrize(
    ("srid", "swapped"),
    [*((srid, True) for srid in (4326, 4490, 4551, 4530, 4500, 2385)), (CRS84, False), (3857, False), (32652, False)],
)
def test_the_advertised_axis_order_is_that_of_the_epsg_register(srid: Srid, swapped: bool) -> None:
    assert is_axis_swapped(srid) is swapped


def test_every_gauss_kruger_zone_is_advertised_northing_first() -> None:
    assert all(is_axis_swapped(srid) for zone in ZONES for srid in (zone.srid, zone.prefixed))


def test_postgis_knows_crs84_as_4326() -> None:
    assert postgis_srid(CRS84) == 4326
    assert postgis_srid(CGCS2000) == 4490


@pytest.mark.parametrize("zone", VECTORS["zones"], ids=lambda zone: f"{zone['city']}-{zone['width']}")
def test_a_city_is_in_its_zone(zone: dict[str, Any]) -> None:
    found = gauss_kruger_zone(zone["lon"], zone["width"])
    assert found is not None
    assert found._asdict() == {key: zone[key] for key in ("width", "number", "meridian", "srid", "prefixed")}


def test_there_are_21_zones_of_3_degrees_and_11_of_6() -> None:
    assert [zone.number for zone in ZONES] == [*range(25, 46), *range(13, 24)]


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: f"{zone.width}-{zone.number}")
def test_the_codes_of_a_zone_are_those_of_the_epsg_register(zone: Any) -> None:
    width = "3-degree " if zone.width == 3 else ""
    assert lookup(zone.srid).name == f"CGCS2000 / {width}Gauss-Kruger CM {zone.meridian}E"
    assert lookup(zone.prefixed).name == f"CGCS2000 / {width}Gauss-Kruger zone {zone.number}"


@settings(deadline=None)
@given(st.floats(-180, 180), st.sampled_from([3, 6]))
def test_a_longitude_is_within_half_a_zone_of_its_meridian(lon: float, width: int) -> None:
    zone = gauss_kruger_zone(lon, width)
    if zone is None:
        assert lon < 73.5 or lon >= 136.5
    else:
        assert -width / 2 <= lon - zone.meridian <= width / 2


@pytest.mark.parametrize("srid", VECTORS["planes"])
def test_the_reference_point_comes_out_within_a_tenth_of_a_millimetre(srid: str) -> None:
    expected = VECTORS["planes"][srid]
    point = transformer(CGCS2000, Srid(int(srid))).transform(VECTORS["lon"], VECTORS["lat"])
    digits = 1e-3 if srid == "3857" else 1e-4
    assert point == pytest.approx((expected["easting"], expected["northing"]), abs=digits)


def test_between_cgcs2000_and_wgs84_degrees_stay_the_same_to_the_last_bit() -> None:
    lon, lat = np.random.default_rng(7).uniform((73, 3), (135, 54), (1000, 2)).T
    same = transformer(CGCS2000, WGS84).transform(lon, lat)
    assert np.array_equal(same, (lon, lat))


def test_threads_may_share_a_transformer() -> None:
    to_plane = transformer(CGCS2000, JILIN)
    expected = to_plane.transform(126.55, 43.84)
    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(lambda _: to_plane.transform(126.55, 43.84), range(2000)))
    assert results == {expected}


def test_the_area_of_use_is_in_degrees() -> None:
    assert area_of_use(JILIN) == (124.5, 40.19, 127.5, 53.2)


@pytest.mark.parametrize(("srid", "base"), [(4551, 4490), (4490, 4490), (3857, 4326), (2385, 4610)])
def test_a_plane_has_a_geographic_base(srid: Srid, base: int) -> None:
    assert geographic_base(srid) == base
    assert is_geographic(srid) is (srid == base)


@pytest.mark.parametrize(
    ("srid", "datum"),
    [
        *((srid, "Beijing 1954") for srid in (4214, 2437, 2416, 21422, 21462, 21482)),
        *((srid, "Xian 1980") for srid in (4610, 2385, 2364, 2337, 2348)),
        *((srid, "New Beijing") for srid in (4555, 4568)),
        *((srid, None) for srid in (4490, 4551, 4326, 4284, 3857)),
    ],
)
def test_old_chinese_datums_are_recognised(srid: Srid, datum: str | None) -> None:
    assert old_datum(lookup(srid)) == datum


@pytest.mark.parametrize(
    ("source", "target", "known"),
    [
        (4490, 4326, True),
        (4326, 4490, True),
        (4551, 3857, True),
        (4530, 4511, True),
        (4490, CRS84, True),
        (4258, 4326, True),  # published as null
        (6677, 3857, True),
        (2385, 4610, True),  # same datum
        (4610, 4326, False),
        (4610, 4490, False),
        (2385, 4551, False),
        (4214, 4490, False),
        (4214, 4326, False),  # published for regions, some metres wrong elsewhere
        (4326, 2437, False),
        (4555, 4490, False),
        (6677, 4490, False),
        (4258, 4551, False),
    ],
)
def test_silent_no_ops_of_proj_are_told_from_real_operations(source: Srid, target: Srid, known: bool) -> None:
    assert is_known_operation(source, target) is known


@pytest.mark.parametrize(
    ("srid", "lon", "expected"),
    [
        (4490, 126.55, (CRS84, 4326, 4490, 4551, 3857)),
        (4326, 121.47, (CRS84, 4326, 4490, 4549, 3857)),
        (4551, 126.55, (CRS84, 4326, 4490, 4551, 3857)),
        (4530, 126.55, (CRS84, 4326, 4490, 4551, 3857, 4530)),
        (3067, 25.0, (CRS84, 4326, 3857, 3067)),  # Helsinki: nothing Chinese on offer
        (6677, 139.7, (CRS84, 4326, 3857, 6677)),
        (6677, 130.0, (CRS84, 4326, 3857, 6677)),  # within a zone, but with no way to CGCS2000
    ],
)
def test_a_data_set_is_offered_in_the_citys_crss(srid: Srid, lon: float, expected: tuple[int, ...]) -> None:
    assert public_crs_list(srid, lon) == expected


@settings(deadline=None)
@given(st.sampled_from([4326, 4490, 3857, 4551, 4530, 4511, 32652, 6677]), st.floats(-180, 180))
def test_crs84_is_offered_first_and_the_storage_crs_always(srid: Srid, lon: float) -> None:
    offered = public_crs_list(srid, lon)
    assert offered[0] == CRS84
    assert srid in offered
    assert len(set(offered)) == len(offered)


def test_bounds_of_a_plane_are_told_in_degrees() -> None:
    west, south, east, north = bounds_in_degrees((544131.8, 4856091.7, 544331.8, 4856291.7), JILIN) or (0,) * 4
    assert west < 126.55 < east
    assert south < 43.84 < north
    assert east - west < 0.003


@pytest.mark.parametrize(
    ("bounds", "srid"),
    [
        ((5e5, 4e6, 6e5, 5e6), CGCS2000),
        ((4.25e7, 4.8e6, 4.26e7, 4.9e6), JILIN),
        ((float("nan"), 40, 127, 44), WGS84),
        ((126, float("nan"), 127, 44), WGS84),
        ((126, 40, 127, float("inf")), WGS84),
        ((126, 40, 127, 91), WGS84),
    ],
)
def test_bounds_off_the_earth_are_none(bounds: BBox, srid: Srid) -> None:
    assert bounds_in_degrees(bounds, srid) is None


def test_proj_stays_off_the_network_in_every_thread_whatever_the_environment_says() -> None:
    program = (
        "import threading, pyproj.network as network, core.crs\n"
        "found = [network.is_network_enabled()]\n"
        "thread = threading.Thread(target=lambda: found.append(network.is_network_enabled()))\n"
        "thread.start(); thread.join(); print(found)"
    )
    environment = {**os.environ, "PROJ_NETWORK": "ON"}
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[False, False]"
