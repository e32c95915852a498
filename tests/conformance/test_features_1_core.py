"""OGC API - Features - Part 1: Core (OGC 17-069r4), by its requirements."""

import json
import math
import re
from datetime import datetime
from typing import Any

import httpx
import psycopg
import pytest
import shapely
from openapi_spec_validator import validate
from pyproj import Transformer

from tests.conformance.conftest import MAXIMUM
from tests.ogc import (
    Json,
    Requirements,
    all_links,
    get,
    ids,
    links,
    next_of,
    nulls,
    pages,
    parameter,
    refused,
    resolved,
)

core = Requirements("ogcapi-features-1", "core")
oas30 = Requirements("ogcapi-features-1", "oas30")
html = Requirements("ogcapi-features-1", "html")
geojson = Requirements("ogcapi-features-1", "geojson")

EVENTS, PARCELS = "/collections/events/items", "/collections/parcels/items"
EVERYWHERE = [
    "/",
    "/openapi",
    "/conformance",
    "/collections",
    "/collections/parcels",
    "/collections/parcels/queryables",
    "/collections/parcels/schema",
    "/collections/parcels/items",
    "/collections/parcels/items/1",
]
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@pytest.fixture(scope="module")
def openapi(api: httpx.Client) -> Json:
    return get(api, "/openapi")


def absolute(links_: list[Json], base: str) -> bool:
    return all(one["href"].startswith(base) for one in links_)


# The landing page, the API definition and the conformance declaration.


@core("root-op", "root-success")
def test_the_landing_page_links_to_what_there_is(api: httpx.Client, live_server: str) -> None:
    landing = get(api, "/")
    assert isinstance(landing["title"], str)
    for rel in ("service-desc", "service-doc", "conformance", "data"):
        (one,) = links(landing, rel)
        assert one["href"].startswith(f"{live_server}/")
        assert api.get(one["href"]).status_code == 200


@core("api-definition-op", "api-definition-success")
@oas30("oas-definition-1")
def test_the_api_definition_is_what_its_links_say(api: httpx.Client) -> None:
    landing = get(api, "/")
    (definition,), (explanation,) = links(landing, "service-desc"), links(landing, "service-doc")
    assert definition["type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert explanation["type"] == "text/html"
    for one in (definition, explanation):
        answer = api.get(one["href"], headers={"Accept": one["type"]})
        assert answer.status_code == 200
        assert answer.headers["content-type"].replace(" ", "").startswith(one["type"])
    assert api.get(definition["href"]).json()["openapi"].startswith("3.0")


@oas30("oas-definition-2")
def test_the_api_definition_is_openapi_and_whole_in_itself(openapi: Json, live_server: str) -> None:
    validate(openapi)
    assert openapi["servers"][0]["url"] == live_server
    assert set(re.findall(r'"\$ref": "(.)', str(openapi).replace("'", '"'))) == {"#"}


@core("conformance-op", "conformance-success")
def test_conformance_is_declared(api: httpx.Client) -> None:
    declared = get(api, "/conformance")["conformsTo"]
    assert f"{'http://www.opengis.net/spec/'}ogcapi-features-1/1.0/conf/core" in declared
    assert all(isinstance(one, str) for one in declared)


# What holds of every resource.


@pytest.mark.parametrize("path", EVERYWHERE)
@core("http")
def test_methods_are_answered_as_http_has_them(api: httpx.Client, path: str) -> None:
    whole = api.get(path)
    head = api.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    refused(api.request("TRACE", path), 405)
    refused(api.request("PROPFIND", path), 405)


@core("http")
def test_what_is_not_there_and_what_is_not_offered_have_their_own_statuses(api: httpx.Client) -> None:
    for path in (
        "/nothing",
        "/collections/nothing",
        "/collections/nothing/items",
        "/collections/parcels/items/nothing",
    ):
        refused(api.get(path), 404)
    refused(api.get(PARCELS, headers={"Accept": "image/png"}), 406)


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize("form", ["json", "html"])
@core("query-param-unknown")
def test_an_unknown_parameter_is_refused_in_every_form(api: httpx.Client, path: str, form: str) -> None:
    refused(api.get(path, params={"f": form, "unknown": "x"}))


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "unlimited"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "1.5"},
        {"limit": ""},
        {"bbox": "1,2,3"},
        {"bbox": "1,2,3,4,5"},
        {"bbox": "1,2,3,x"},
        {"bbox": "1_0,2,30,40"},
        {"bbox": "10,50,20,40"},
        {"bbox": "0,-100,10,100"},
        {"datetime": "2024-13-01T00:00:00Z"},
        {"datetime": "2024-01-01T00:00:00"},
        {"datetime": "20240101T000000Z"},
        {"datetime": "2024-01-01 00:00:00Z"},
        {"datetime": "2024-01-02T00:00:00Z/2024-01-01T00:00:00Z"},
        {"datetime": "../.."},
        {"datetime": "2024-01-01T00:00:00Z/2024-01-02T00:00:00Z/2024-01-03T00:00:00Z"},
        {"f": "unknown"},
        {"lang": "unknown"},
    ],
)
@pytest.mark.parametrize("form", ["json", "html"])
@core("query-param-invalid")
def test_an_invalid_value_is_refused_in_every_form(api: httpx.Client, parameters: dict[str, str], form: str) -> None:
    answer = api.get(PARCELS, params={"f": form} | parameters)
    if answer.headers["content-type"].startswith("text/html"):  # a person is told on a page
        assert answer.status_code == 400
    else:
        refused(answer)


@pytest.mark.parametrize("path", EVERYWHERE)
@core("fc-md-links", "fc-links", "fc-rel-type", "f-links")
def test_every_resource_links_to_itself_and_its_other_forms(api: httpx.Client, live_server: str, path: str) -> None:
    document = get(api, path)
    assert absolute([*all_links(document)], f"{live_server}/")
    assert all({"href", "rel", "type"} <= one.keys() for one in all_links(document))
    if path.endswith(("/openapi", "/conformance", "/queryables", "/schema")):
        return  # these have no links
    (own,) = links(document, "self")
    others = links(document, "alternate")
    assert own["type"] == api.get(own["href"]).headers["content-type"].split("; ")[0]
    assert "text/html" in [one["type"] for one in others]
    for one in others:
        answer = api.get(one["href"])
        assert answer.status_code == 200
        assert answer.headers["content-type"].replace(" ", "").lower().startswith(one["type"].replace(" ", "").lower())


@pytest.mark.parametrize("path", EVERYWHERE)
@core("root-success")
def test_json_is_what_a_client_gets_that_asks_for_nothing(api: httpx.Client, path: str) -> None:
    for headers in ({"Accept": ""}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        assert "json" in api.get(path, headers=headers).headers["content-type"]


@pytest.mark.parametrize("path", EVERYWHERE[:7])
@core("fc-md-success", "sfc-md-success")
def test_what_is_not_known_is_left_out(api: httpx.Client, path: str) -> None:
    assert [*nulls(get(api, path))] == []


# Collections.


@core("fc-md-op", "fc-md-success", "fc-md-items")
def test_every_data_set_is_a_collection(api: httpx.Client, city_database: str) -> None:
    with psycopg.connect(city_database) as connection:
        wanted = [row[0] for row in connection.execute("select id from chengtu.dataset order by id")]
    collections = get(api, "/collections")["collections"]
    assert [one["id"] for one in collections] == wanted
    assert all(isinstance(one["title"], str) and isinstance(one["description"], str) for one in collections)


@core("fc-md-items-links")
def test_features_are_linked_in_every_form(api: httpx.Client) -> None:
    for one in get(api, "/collections")["collections"]:
        forms = {item["type"]: item["href"] for item in links(one, "items")}
        assert {"application/geo+json", "text/html"} <= forms.keys()
        for type_, href in forms.items():
            answer = api.get(href)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(type_.partition(";")[0])


@core("fc-md-extent", "fc-md-extent-multi")
def test_extents_hold_every_feature(api: httpx.Client, lab: httpx.Client) -> None:
    for client, collection in ((api, "parcels"), (api, "places"), (lab, "many")):
        extent = get(client, f"/collections/{collection}")["extent"]
        (bbox,) = extent["spatial"]["bbox"]
        for page in pages(client, f"/collections/{collection}/items?limit=1000"):
            bounds = shapely.bounds(shapely.from_geojson([_text(one["geometry"]) for one in page["features"]]))
            assert (bounds[:, :2] >= [number - 1e-9 for number in bbox[:2]]).all()
            assert (bounds[:, 2:] <= [number + 1e-9 for number in bbox[2:]]).all()
    ((begin, end),) = get(lab, "/collections/events")["extent"]["temporal"]["interval"]
    assert [datetime.fromisoformat(one).isoformat() for one in (begin, end)] == [
        "2024-01-01T00:00:00+00:00",
        "2025-01-01T00:00:00+00:00",
    ]


def _text(geometry: Json) -> str:
    return json.dumps(geometry)


@core("sfc-md-op", "sfc-md-success")
def test_a_collection_alone_tells_what_the_list_told(api: httpx.Client) -> None:
    for one in get(api, "/collections")["collections"]:
        alone = get(api, f"/collections/{one['id']}")
        names = ("id", "title", "description", "extent", "itemType", "crs", "storageCrs")
        assert {name: alone.get(name) for name in names} == {name: one.get(name) for name in names}
        assert all(link in alone["links"] for link in one["links"])


# Features: what is asked for, and how many.


@core("fc-op", "fc-response")
def test_every_collection_has_its_features(api: httpx.Client, lab: httpx.Client) -> None:
    for client in (api, lab):
        for one in get(client, "/collections")["collections"]:
            page = get(client, f"/collections/{one['id']}/items")
            assert page["type"] == "FeatureCollection"
            assert len(page["features"]) == min(100, page["numberMatched"])


@core("fc-limit-definition")
def test_limit_is_defined_as_the_standard_has_it(openapi: Json) -> None:
    limit = parameter(openapi, PARCELS, "limit")
    assert (limit["in"], limit.get("required", False), limit["style"], limit["explode"]) == (
        "query",
        False,
        "form",
        False,
    )
    assert limit["schema"] == {"type": "integer", "minimum": 1, "default": 100, "maximum": 10_000}


@core("fc-limit-response-1")
def test_no_page_holds_more_than_the_limit_or_the_maximum(lab: httpx.Client) -> None:
    maximum = parameter(get(lab, "/openapi"), "/collections/many/items", "limit")["schema"]["maximum"]
    assert maximum == MAXIMUM
    for limit in (1, 7, MAXIMUM, MAXIMUM + 1, 10**6):
        page = get(lab, "/collections/many/items", limit=str(limit))
        assert len(page["features"]) == page["numberReturned"] == min(limit, MAXIMUM)


@core("fc-limit-response-1", "fc-links")
@pytest.mark.parametrize("limit", [400, MAXIMUM, 10 * MAXIMUM])
def test_next_links_lead_through_all_features_once(lab: httpx.Client, limit: int) -> None:
    seen = [*pages(lab, f"/collections/many/items?limit={limit}")]
    assert len(seen) == math.ceil(2500 / min(limit, MAXIMUM))
    assert sum(page["numberReturned"] for page in seen) == seen[0]["numberMatched"] == 2500
    assert [one for page in seen for one in ids(page)] == [*range(1, 2501)]
    assert next_of(seen[-1]) is None
    assert all(one["type"] == "application/geo+json" for page in seen[:-1] for one in links(page, "next"))


@core("fc-numberMatched", "fc-numberReturned", "fc-timeStamp")
def test_numbers_are_those_of_the_features(api: httpx.Client) -> None:
    """`timeStamp` is left out: an answer is the same, byte for byte, as long as its data are."""
    for query, matched in (
        ("", 2500),
        ("&bbox=126,43,127,44", 2500),
        ("&land_class=0303", 833),
        ("&limit=1&q=宗地7号", 1),
    ):
        page = get(api, f"{PARCELS}?limit=30{query}" if "limit" not in query else f"{PARCELS}?{query[1:]}")
        assert page["numberMatched"] == matched
        assert page["numberReturned"] == len(page["features"]) <= 30
        assert "timeStamp" not in page


@core("crs84")
def test_coordinates_are_longitude_and_latitude(api: httpx.Client, city_database: str) -> None:
    page = get(api, PARCELS, limit="20")
    with psycopg.connect(city_database) as connection:
        rows = connection.execute("select parcel_no, st_x(c), st_y(c) from (select parcel_no, st_centroid(geom) as c from data.parcels) as t")  # fmt: skip
        centres = {row[0]: row[1:] for row in rows}
    to_degrees = Transformer.from_crs(4551, 4490, always_xy=True).transform
    for one in page["features"]:
        centre = shapely.from_geojson(_text(one["geometry"])).centroid
        assert (centre.x, centre.y) == pytest.approx(to_degrees(*centres[one["id"]]), abs=1e-8)


# Features in a box.


@core("fc-bbox-definition")
def test_bbox_is_defined_as_the_standard_has_it(openapi: Json) -> None:
    bbox = parameter(openapi, PARCELS, "bbox")
    assert (bbox["in"], bbox.get("required", False), bbox["style"], bbox["explode"]) == ("query", False, "form", False)
    assert bbox["schema"] == {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}


@pytest.mark.parametrize(
    ("bbox", "found"),
    [
        ("126.5,43.8,126.6,43.8", [1, 2]),
        ("126.55,43.7,126.8,44", [2, 3]),
        ("126.55,43.7,-10,126.8,44,10", [2, 3]),
        ("179,-20,-179,-10", [4, 5]),
        ("-180,-90,180,90", [1, 2, 3, 4, 5]),
        ("0,0,1,1", []),
    ],
)
@core("fc-bbox-definition", "fc-bbox-response")
def test_a_box_finds_what_meets_it_and_what_has_no_place(lab: httpx.Client, bbox: str, found: list[int]) -> None:
    page = get(lab, EVENTS, bbox=bbox)
    assert ids(page) == [*found, 6]
    assert page["numberMatched"] == len(found) + 1


@core("fc-bbox-response")
def test_a_box_finds_what_postgis_finds(api: httpx.Client, city_database: str) -> None:
    box = (126.5013, 43.7881, 126.5121, 43.7967)
    with psycopg.connect(city_database) as connection:
        rows = connection.execute(
            "select parcel_no from data.parcels where st_intersects(st_transform(geom, 4490),"
            " st_segmentize(st_makeenvelope(%s, %s, %s, %s, 4490), 0.0001)) order by parcel_no",
            box,
        ).fetchall()
    assert ids(get(api, PARCELS, bbox=",".join(map(str, box)), limit="1000")) == [row[0] for row in rows]


# Features in time.


@core("fc-time-definition")
def test_datetime_is_defined_as_the_standard_has_it(openapi: Json) -> None:
    found = parameter(openapi, PARCELS, "datetime")
    assert (found["in"], found.get("required", False), found["style"], found["explode"]) == (
        "query",
        False,
        "form",
        False,
    )
    assert found["schema"] == {"type": "string"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("2024-01-01T12:00:00Z", [2]),
        ("2024-01-01T20:00:00+08:00", [2]),
        ("2024-01-01t12:00:00z", [2]),
        ("2024-01-01T12:00:00.000Z", [2]),
        ("2024-01-01T12:00:00.001Z", []),
        ("2024-01-01", [1, 2]),
        ("2024-01-01T00:00:00Z/2024-01-02T00:00:00Z", [1, 2, 3]),
        ("2024-01-01T00:00:01Z/2024-01-01T23:59:59Z", [2]),
        ("2024-01-01/2024-01-02", [1, 2, 3]),
        ("2024-01-01T12:00:00Z/2024-01-01T12:00:00Z", [2]),
        ("../2024-01-01T12:00:00Z", [1, 2]),
        ("/2024-01-01T12:00:00Z", [1, 2]),
        ("2024-01-02T00:00:00Z/..", [3, 4, 6]),
        ("2024-01-02T00:00:00Z/", [3, 4, 6]),
        ("2024-06-01/..", [4, 6]),
        ("../2024-01-01", [1, 2]),
        ("1900-01-01/1900-12-31", []),
        ("0001-01-01/9999-12-31", [1, 2, 3, 4, 6]),
        ("9999-12-31", []),
        ("2024-06-01T08:30:00Z/9999-12-31T00:00:00Z", [4, 6]),
    ],
)
@core("fc-time-definition", "fc-time-response")
def test_a_time_finds_what_meets_it_and_what_has_no_time(lab: httpx.Client, asked: str, found: list[int]) -> None:
    page = get(lab, EVENTS, datetime=asked)
    assert ids(page) == sorted([*found, 5])
    assert page["numberMatched"] == len(found) + 1


@core("fc-time-response")
def test_data_without_time_belong_to_every_time(lab: httpx.Client) -> None:
    assert get(lab, "/collections/many/items", datetime="1900-01-01T00:00:00Z", limit="1")["numberMatched"] == 2500


@core("fc-response")
def test_conditions_are_joined(lab: httpx.Client) -> None:
    asked = {"bbox": "126,43,127,44", "datetime": "2024-01-01", "ok": "true"}
    assert ids(get(lab, EVENTS, **asked)) == [1]
    assert ids(get(lab, EVENTS, **asked, filter="n > 1")) == []


# One feature.


@core("f-op", "f-success", "f-links")
@geojson("content")
def test_every_feature_has_its_own_address(api: httpx.Client, lab: httpx.Client, live_server: str) -> None:
    for client, collection in ((api, "places"), (api, "roads"), (lab, "events")):
        for listed in get(client, f"/collections/{collection}/items")["features"]:
            alone = get(client, f"/collections/{collection}/items/{listed['id']}")
            assert {name: alone[name] for name in listed} == listed
            (home,) = links(alone, "collection")
            assert home["href"].endswith(f"/collections/{collection}")
            assert get(client, home["href"])["id"] == collection


@core("fc-links", "f-links")
@geojson("definition", "content")
def test_features_are_geojson_with_their_links(api: httpx.Client) -> None:
    for path, type_ in ((f"{PARCELS}?limit=3", "FeatureCollection"), (f"{PARCELS}/1", "Feature")):
        answer = api.get(path, headers={"Accept": "application/geo+json"})
        assert answer.headers["content-type"].startswith("application/geo+json")
        document = answer.json()
        assert document["type"] == type_
        assert {one["rel"] for one in document["links"]} >= {"self", "alternate", "collection"}
        for feature in document.get("features", [document]):
            assert feature.keys() >= {"type", "id", "geometry", "properties"}
            assert shapely.from_geojson(_text(feature["geometry"])).is_valid
    for path in ("/", "/conformance", "/collections", "/collections/parcels"):
        assert api.get(path, headers={"Accept": "application/json"}).headers["content-type"] == "application/json"


@geojson("content")
def test_a_feature_without_a_place_has_a_null_geometry(lab: httpx.Client) -> None:
    feature = get(lab, f"{EVENTS}/6")
    assert feature["geometry"] is None
    assert feature["properties"]["name"] is None


# Pages for people, and the API definition against what is served.


@pytest.mark.parametrize("path", EVERYWHERE)
@html("definition", "content")
def test_every_resource_has_a_page_with_what_it_tells(api: httpx.Client, path: str) -> None:
    answer = api.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    page = answer.text
    assert re.match(r"\s*<!doctype html>", page, re.IGNORECASE)
    assert "<a " in page
    document = get(api, path)
    for text in _texts(document):
        assert text in page, text


def _texts(document: Json) -> list[str]:
    """Some of what a document says, which its page must say too."""
    if "collections" in document:
        return [one["title"] for one in document["collections"]]
    if "conformsTo" in document:
        return list(document["conformsTo"])
    if "features" in document:
        return [one["properties"]["名称"] for one in document["features"][:10]]
    if document.get("type") == "Feature":
        return [document["properties"]["名称"]]
    if "paths" in document:
        return []  # drawn by a program
    return [*document.get("properties", ()), document["title"]]


@oas30("completeness", "exceptions-codes")
def test_every_operation_declares_its_answers_and_errors(openapi: Json) -> None:
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            declared = operation["responses"]
            assert any(status.startswith("2") for status in declared)
            assert path in ("/healthz", "/readyz") or {"400", "500"} <= declared.keys(), path
            assert "{" not in path or "404" in declared, path
            for status, one in declared.items():
                for media in resolved(openapi, one).get("content", {}) if status[0] in "45" else ():
                    assert media in ("application/json", "text/html")


@oas30("oas-impl")
def test_every_path_that_is_declared_is_there(api: httpx.Client, openapi: Json) -> None:
    values = {"collectionId": "parcels", "featureId": "1", "processId": "grid-cell-query"}
    values |= {"codelistId": "ownership", "crosswalkId": "survey-to-planning"}
    tile = {"tileMatrixSetId": "WebMercatorQuad", "tileMatrix": 12, "tileRow": 1492, "tileCol": 3487}
    for path in (path for path, item in openapi["paths"].items() if "get" in item):
        with api.stream("GET", path.format(**values, **tile)) as answer:  # for one of them never ends
            assert answer.status_code == 200, path


@oas30("security")
def test_nothing_is_locked_that_is_not_said_to_be(openapi: Json) -> None:
    """Every operation is open: the tests here carry no key."""
    assert "security" not in openapi
    operations: list[Any] = [
        one for item in openapi["paths"].values() for one in item.values() if isinstance(one, dict)
    ]
    assert not any("security" in one for one in operations)
