"""OGC API - Features - Part 2: Coordinate Reference Systems by Reference (OGC 18-058r1), by its requirements."""

import json
import re

import httpx
import pytest
import shapely
from pyproj import CRS, Transformer

from tests.ogc import Json, Requirements, get, ids, links, parameter, refused

crs = Requirements("ogcapi-features-2", "crs")

COLLECTIONS = ["parcels", "places", "sites_wgs84", "sites_mercator"]
PARCELS = "/collections/parcels/items"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def offered(api: httpx.Client, collection: str) -> list[str]:
    """The CRSs of a collection, by their URIs."""
    listed: list[str] = get(api, f"/collections/{collection}")["crs"]
    return listed


def moved(uri: str, lon: float, lat: float) -> tuple[float, float]:
    """A place in the numbers of a CRS, in its own axis order, by PROJ."""
    if uri == CRS84:
        return lon, lat
    code = int(uri.removeprefix(EPSG))
    source = 4490 if CRS(code).geodetic_crs.to_epsg() == 4490 else 4326  # the two are passed through as one
    x, y = Transformer.from_crs(source, code, always_xy=True).transform(lon, lat)
    return (y, x) if CRS(code).axis_info[0].direction == "north" else (x, y)


def first_point(feature: Json) -> tuple[float, float]:
    x, y = shapely.get_coordinates(shapely.from_geojson(json.dumps(feature["geometry"])))[0]
    return float(x), float(y)


@crs("crs-uri", "fc-md-crs-list", "fc-md-storageCrs", "fc-md-storageCrs-valid-value", "fc-md-crs-list-global")
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_collection_lists_its_crss_by_uri(api: httpx.Client, collection: str) -> None:
    """None refers to a list for all collections: each has its own."""
    described = get(api, f"/collections/{collection}")
    assert described["crs"][0] == CRS84
    assert all(one == CRS84 or re.fullmatch(EPSG + "[0-9]+", one) for one in described["crs"])
    assert len(set(described["crs"])) == len(described["crs"]) >= 4
    assert described["storageCrs"] in described["crs"]


@crs("fc-crs-definition", "fc-bbox-crs-definition")
@pytest.mark.parametrize("name", ["crs", "bbox-crs"])
def test_the_parameters_are_defined_as_the_standard_has_them(api: httpx.Client, name: str) -> None:
    document = get(api, "/openapi")
    for path in (PARCELS, f"{PARCELS}/{{featureId}}")[: 2 if name == "crs" else 1]:
        found = parameter(document, path, name)
        assert (found["in"], found["style"], found["explode"], found["schema"]["type"]) == (
            "query",
            "form",
            False,
            "string",
        )


@crs("fc-crs-action", "fc-crs-default-value", "ogc-crs-header", "ogc-crs-header-value", "geojson")
@pytest.mark.parametrize("collection", COLLECTIONS[1:])
def test_coordinates_are_those_of_the_crs_in_its_axis_order(api: httpx.Client, collection: str) -> None:
    plain = api.get(f"/collections/{collection}/items")
    assert plain.headers["content-crs"] == f"<{CRS84}>"
    places = {one["id"]: first_point(one) for one in plain.json()["features"]}
    assert places[1] == pytest.approx((126.55, 43.84), abs=1e-8)
    for uri in offered(api, collection):
        answer = api.get(f"/collections/{collection}/items", params={"crs": uri})
        assert answer.headers["content-crs"] == f"<{uri}>"
        for one in answer.json()["features"]:
            assert first_point(one) == pytest.approx(moved(uri, *places[one["id"]]), rel=1e-9)
            alone = api.get(f"/collections/{collection}/items/{one['id']}", params={"crs": uri})
            assert alone.headers["content-crs"] == f"<{uri}>"
            assert alone.json()["geometry"] == one["geometry"]


@crs("fc-crs-action")
def test_the_next_pages_stay_in_the_crs(api: httpx.Client) -> None:
    page = get(api, PARCELS, crs=f"{EPSG}4551", limit="3")
    (following,) = links(page, "next")
    answer = api.get(following["href"])
    assert answer.headers["content-crs"] == f"<{EPSG}4551>"
    assert first_point(answer.json()["features"][0])[0] > 4_000_000


@crs("fc-bbox-crs-action", "fc-bbox-crs-default-value")
@pytest.mark.parametrize("collection", COLLECTIONS[1:])
def test_a_box_finds_the_same_in_every_crs(api: httpx.Client, collection: str) -> None:
    corners = (126.545, 43.835), (126.575, 43.855)
    plain = ",".join(str(number) for corner in corners for number in corner)
    assert ids(get(api, f"/collections/{collection}/items", bbox=plain)) == [1, 2]
    for uri in offered(api, collection):
        box = [number for corner in corners for number in moved(uri, *corner)]
        asked = {"bbox": ",".join(map(repr, map(float, box))), "bbox-crs": uri, "crs": uri}
        assert ids(get(api, f"/collections/{collection}/items", **asked)) == [1, 2], uri


@crs("fc-crs-valid-value", "fc-bbox-crs-valid-value", "crs-exception", "bbox-crs-exception")
@pytest.mark.parametrize(
    "value",
    [
        "http://www.opengis.net/def/crs/OGC/1.3/CRS00",
        f"{EPSG}99999",
        f"{EPSG}27700",
        "http://example.com/crs/1",
        "",
        "CRS84; drop table",
        "+proj=longlat",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("name", ["crs", "bbox-crs"])
def test_a_crs_that_is_not_listed_is_refused(api: httpx.Client, name: str, value: str) -> None:
    refused(api.get(PARCELS, params={name: value, "bbox": "126,43,127,44"}))
    if name == "crs":
        refused(api.get(f"{PARCELS}/1", params={"crs": value}))
