"""The promise that stock pygeoapi breaks: right coordinates and right axes for every storage and every asked-for CRS.

One point, 126.55 E 43.84 N, stored in EPSG:4326, 4490, 3857 and, as a parcel, 4551; the expected numbers are PROJ's.
"""

from typing import Any

import httpx
import pytest

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def epsg(code: int) -> str:
    return f"http://www.opengis.net/def/crs/EPSG/0/{code}"


LON, LAT = 126.55, 43.84
NORTH, EAST = 4856191.7102, 544231.8094  # EPSG:4551
EXPECTED = {
    CRS84: (LON, LAT),
    epsg(4326): (LAT, LON),
    epsg(4490): (LAT, LON),
    epsg(4551): (NORTH, EAST),
    epsg(3857): (14087481.560, 5440715.108),
}
POINT_COLLECTIONS = ["places", "sites_wgs84", "sites_mercator"]


def features(api: httpx.Client, collection: str, **parameters: str) -> list[dict[str, Any]]:
    answer = api.get(f"/collections/{collection}/items", params={"f": "json", **parameters})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["features"]
    return found


@pytest.mark.parametrize("collection", POINT_COLLECTIONS)
def test_the_default_output_is_longitude_and_latitude(api: httpx.Client, collection: str) -> None:
    first = features(api, collection)[0]
    assert first["geometry"]["coordinates"] == pytest.approx((LON, LAT), abs=1e-8)


@pytest.mark.parametrize("collection", POINT_COLLECTIONS)
@pytest.mark.parametrize(("crs", "expected"), EXPECTED.items())
def test_each_offered_crs_comes_in_its_own_axis_order(
    api: httpx.Client, collection: str, crs: str, expected: tuple[float, float]
) -> None:
    answer = api.get(f"/collections/{collection}/items", params={"f": "json", "crs": crs, "limit": 1})
    assert answer.json()["features"][0]["geometry"]["coordinates"] == pytest.approx(expected, rel=1e-9)
    assert answer.headers["content-crs"] == f"<{crs}>"
    item = api.get(f"/collections/{collection}/items/1", params={"f": "json", "crs": crs})
    assert item.json()["geometry"]["coordinates"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("collection", POINT_COLLECTIONS)
@pytest.mark.parametrize(("crs", "at"), EXPECTED.items())
def test_a_bbox_is_read_in_the_axis_order_of_its_crs(
    api: httpx.Client, collection: str, crs: str, at: tuple[float, float]
) -> None:
    reach = 0.001 if abs(at[0]) < 1000 else 100
    hit = ",".join(f"{number:.6f}" for number in (at[0] - reach, at[1] - reach, at[0] + reach, at[1] + reach))
    assert [one["id"] for one in features(api, collection, bbox=hit, **{"bbox-crs": crs})] == [1]


def test_a_bbox_with_swapped_axes_is_refused_with_advice(api: httpx.Client) -> None:
    answer = api.get("/collections/places/items", params={"f": "json", "bbox": "43,126,44,127"})
    assert answer.status_code == 400
    assert "axis order" in answer.json()["description"]


@pytest.mark.parametrize("collection", [*POINT_COLLECTIONS, "parcels"])
def test_every_collection_offers_the_citys_crss_and_names_its_storage(api: httpx.Client, collection: str) -> None:
    described = api.get(f"/collections/{collection}", params={"f": "json"}).json()
    assert described["crs"][0] == CRS84
    assert set(EXPECTED) <= set(described["crs"])
    storage = {"places": 4490, "sites_wgs84": 4326, "sites_mercator": 3857, "parcels": 4551}[collection]
    assert described["storageCrs"] == epsg(storage)


def test_a_gauss_krueger_table_keeps_its_numbers_in_its_own_crs(api: httpx.Client) -> None:
    parcel = features(api, "parcels", crs=epsg(4551), limit="1")[0]
    assert parcel["geometry"]["coordinates"][0][0][0] == [4_850_000.0, 540_090.0]


def test_a_bbox_in_the_zone_is_exact_to_the_metre(api: httpx.Client) -> None:
    # The gap between the first two parcels of the first row, 10 m wide, then a metre more to either side.
    gap = {"bbox-crs": epsg(4551), "f": "json"}
    assert features(api, "parcels", bbox="4850010,540091,4850020,540099", **gap) == []
    assert [one["id"] for one in features(api, "parcels", bbox="4850010,540089,4850020,540099", **gap)] == [1]
    assert [one["id"] for one in features(api, "parcels", bbox="4850010,540091,4850020,540101", **gap)] == [2]


def test_a_bbox_across_the_antimeridian_is_legal_and_holds_china_not(api: httpx.Client) -> None:
    assert features(api, "places", bbox="170,-10,-170,80") == []
    assert len(features(api, "places", bbox="100,-10,-170,80")) == 4


@pytest.mark.parametrize("crs", ["http://127.0.0.1:1/", "file:///etc/passwd", epsg(99999), epsg(4549), "+proj=longlat"])
@pytest.mark.parametrize("parameter", ["crs", "bbox-crs"])
def test_a_crs_that_is_not_offered_is_refused(api: httpx.Client, parameter: str, crs: str) -> None:
    answer = api.get("/collections/places/items", params={"f": "json", "bbox": "126,43,127,44", parameter: crs})
    assert answer.status_code == 400
    assert answer.json()["code"]


@pytest.mark.parametrize(
    "bbox", ["nan,43,127,44", "inf,43,127,44", "1e308,43,127,44", "126,43,127", "126,44,127,43", "a,b,c,d"]
)
def test_a_bbox_that_is_none_is_refused(api: httpx.Client, bbox: str) -> None:
    answer = api.get("/collections/places/items", params={"f": "json", "bbox": bbox})
    assert answer.status_code == 400
    assert answer.json()["description"]
