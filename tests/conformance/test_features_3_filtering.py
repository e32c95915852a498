"""OGC API - Features - Part 3: Filtering (OGC 19-079r2), by its requirements."""

import json
from typing import Any

import httpx
import psycopg
import pytest
from pyproj import Transformer

from tests.conformance.conftest import TYPES
from tests.ogc import Json, Requirements, get, ids, links, pages, parameter, refused

queryables = Requirements("ogcapi-features-3", "queryables")
parameters = Requirements("ogcapi-features-3", "queryables-query-parameters")
filter_ = Requirements("ogcapi-features-3", "filter")
features_filter = Requirements("ogcapi-features-3", "features-filter")

EVENTS, PARCELS = "/collections/events/items", "/collections/parcels/items"
REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SIMPLE = ("string", "number", "integer", "boolean")


@pytest.fixture(scope="module")
def described(lab: httpx.Client) -> dict[str, Any]:
    """The queryables of the events."""
    properties: Json = get(lab, "/collections/events/queryables")["properties"]
    return properties


# Queryables.


@queryables("get-queryables-op", "get-queryables-response")
@features_filter("get-queryables-op")
def test_every_collection_has_queryables_as_json_schema(api: httpx.Client, live_server: str) -> None:
    for one in get(api, "/collections")["collections"]:
        path = f"/collections/{one['id']}/queryables"
        answer = api.get(path, headers={"Accept": "application/schema+json"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/schema+json")
        schema = answer.json()
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == f"{live_server}{path}"
        assert api.get(schema["$id"], headers={"Accept": "application/schema+json"}).json() == schema
        assert (schema["type"], schema["additionalProperties"]) == ("object", False)


@queryables("get-queryables-response")
def test_queryables_say_their_types(described: Json) -> None:
    assert {name: (one.get("type"), one.get("format")) for name, one in described.items()} == {
        "geometry": (None, "geometry-point"),
        "fid": ("integer", None),
        "name": ("string", None),
        "n": ("integer", None),
        "x": ("number", None),
        "ok": ("boolean", None),
        "day": ("string", "date"),
        "at": ("string", "date-time"),
        "uid": ("string", "uuid"),
        "tags": ("array", None),
    }


@queryables("get-queryables-response")
def test_a_spatial_queryable_says_its_geometry_type(api: httpx.Client) -> None:
    """Its `$ref` is one thing more than the standard allows: QGIS recognises a geometry by that alone."""
    for collection, format_ in (("parcels", "multipolygon"), ("roads", "multilinestring"), ("places", "point")):
        geometry = get(api, f"/collections/{collection}/queryables")["properties"]["geometry"]
        assert "type" not in geometry
        assert geometry["format"] == f"geometry-{format_}"


@queryables("queryables-link")
@features_filter("queryables-link")
def test_queryables_are_linked(api: httpx.Client) -> None:
    for one in get(api, "/collections")["collections"]:
        found = [link for link in links(one, REL) if link["type"] == "application/schema+json"]
        assert len(found) == 1
        assert get(api, found[0]["href"])["$id"].endswith(f"/collections/{one['id']}/queryables")


@queryables("expression-construction", "get-queryables-response")
@pytest.mark.parametrize("name", ["unknown", "ct_release", "xmin", "ctid", "tableoid", "__class__", "dataset"])
def test_only_queryables_may_stand_in_a_filter(lab: httpx.Client, name: str) -> None:
    refused(lab.get(EVENTS, params={"filter": f"{name} IS NULL"}))
    refused(lab.get(EVENTS, params={"filter": json.dumps({"op": "isNull", "args": [{"property": name}]}), "filter-lang": "cql2-json"}))  # fmt: skip
    refused(lab.get(EVENTS, params={name: "1"}))


@queryables("expression-construction")
def test_every_queryable_may_stand_in_a_filter(lab: httpx.Client, described: Json) -> None:
    assert described.keys() == {"geometry", "fid", *TYPES}
    for name in described:
        found = ids(get(lab, EVENTS, filter=f'"{name}" IS NULL')) + ids(
            get(lab, EVENTS, filter=f'"{name}" IS NOT NULL')
        )
        assert sorted(found) == [1, 2, 3, 4, 5, 6]


# Queryables as query parameters.


@parameters("parameters")
def test_every_simple_queryable_is_a_parameter_of_its_schema(lab: httpx.Client, described: Json) -> None:
    document = get(lab, "/openapi")
    simple = {name: one for name, one in described.items() if one.get("type") in SIMPLE}
    assert simple.keys() == {"fid", *TYPES} - {"tags"}
    for name, one in simple.items():
        found = parameter(document, EVENTS, name)
        assert (found["in"], found["style"], found["explode"]) == ("query", "form", False)
        assert found["schema"] == {key: one[key] for key in ("type", "format") if key in one}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"name": "it's"}, [5]),
        ({"name": "四"}, [4]),
        ({"name": "ONE"}, []),
        ({"name": "%"}, []),
        ({"n": "3"}, [3]),
        ({"x": "1.5"}, [2]),
        ({"x": "1e9"}, [5]),
        ({"ok": "true"}, [1, 3, 5]),
        ({"ok": "false"}, [2]),
        ({"day": "2024-01-01"}, [1, 2]),
        ({"at": "2024-01-01T20:00:00+08:00"}, [2]),
        ({"uid": "6f1c9a52-0000-4000-8000-000000000003"}, [3]),
        ({"fid": "6"}, [6]),
        ({"day": "2024-01-01", "ok": "true"}, [1]),
    ],
)
@parameters("parameters")
def test_a_parameter_finds_what_has_its_value(lab: httpx.Client, asked: dict[str, str], found: list[int]) -> None:
    assert ids(get(lab, EVENTS, **asked)) == found


# Filters.


@filter_("filter-param", "filter-lang-param", "filter-crs-param")
@features_filter("filter-param", "filter-lang-param", "filter-crs-param")
def test_the_parameters_are_defined_as_the_standard_has_them(api: httpx.Client) -> None:
    document = get(api, "/openapi")
    for collection in get(api, "/collections")["collections"]:
        path = f"/collections/{collection['id']}/items"
        found = {name: parameter(document, path, name) for name in ("filter", "filter-lang", "filter-crs")}
        assert all(one["in"] == "query" and not one.get("required") for one in found.values())
        assert {one["schema"]["type"] for one in found.values()} == {"string"}
        assert found["filter-lang"]["schema"]["enum"] == ["cql2-text", "cql2-json"]
        assert found["filter-lang"]["schema"]["default"] == "cql2-text"


AS_JSON = {"op": "and", "args": [{"op": "=", "args": [{"property": "ok"}, True]}, {"op": ">", "args": [{"property": "n"}, 1]}]}  # fmt: skip


@filter_("response", "filter-lang-param")
@features_filter("response")
@pytest.mark.parametrize(
    "asked",
    [
        {"filter": "ok = TRUE AND n > 1"},
        {"filter": "ok = TRUE AND n > 1", "filter-lang": "cql2-text"},
        {"filter": json.dumps(AS_JSON), "filter-lang": "cql2-json"},
    ],
)
def test_a_filter_finds_what_it_holds_for(lab: httpx.Client, asked: dict[str, str]) -> None:
    page = get(lab, EVENTS, **asked)
    assert ids(page) == [3, 5]
    assert page["numberMatched"] == 2


@filter_("response")
@features_filter("response")
def test_a_filter_holds_on_every_page(api: httpx.Client, city_database: str) -> None:
    with psycopg.connect(city_database) as connection:
        wanted = [row[0] for row in connection.execute("select parcel_no from data.parcels where parcel_no % 7 = 3 order by parcel_no")]  # fmt: skip
    first = api.get(PARCELS, params={"filter": "parcel_no % 7 = 3", "limit": "50"}).url
    seen = [*pages(api, str(first))]
    assert [one for page in seen for one in ids(page)] == wanted
    assert {page["numberMatched"] for page in seen} == {len(wanted)}


@filter_("mixing-expressions")
@features_filter("response")
def test_a_filter_is_joined_with_all_else_that_is_asked(lab: httpx.Client) -> None:
    """Box and time pass what has no place or time; the filter does not."""
    assert ids(get(lab, EVENTS, filter="n >= 2", bbox="126,43,127,44")) == [2, 3]
    assert ids(get(lab, EVENTS, filter="n >= 2", datetime="2024-01-01")) == [2, 5]
    assert ids(get(lab, EVENTS, filter="n >= 2", name="drei")) == [3]
    assert ids(get(lab, EVENTS, filter="n >= 2", ok="true", bbox="126,43,127,44", datetime="2024-01-02/..")) == [3]


@filter_("filter-crs-wgs84", "filter-crs-param")
@features_filter("filter-crs-param")
def test_geometries_are_in_the_crs_that_is_said(api: httpx.Client) -> None:
    box = Transformer.from_crs(4326, 3857, always_xy=True).transform_bounds(126.545, 43.835, 126.575, 43.855)
    for asked in (
        {"filter": "S_INTERSECTS(geometry, BBOX(126.545, 43.835, 126.575, 43.855))"},
        {
            "filter": "S_INTERSECTS(geometry, BBOX(43.835, 126.545, 43.855, 126.575))",
            "filter-crs": "http://www.opengis.net/def/crs/EPSG/0/4490",
        },
        {
            "filter": f"S_INTERSECTS(geometry, BBOX({', '.join(map(str, box))}))",
            "filter-crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        },
    ):
        assert ids(get(api, "/collections/places/items", **asked)) == [1, 2], asked
        assert ids(get(api, "/collections/sites_mercator/items", **asked)) == [1, 2], asked


@features_filter("response")
@filter_("filter-crs-param")
@pytest.mark.parametrize(
    "asked",
    [
        {"filter": ""},
        {"filter": "n >"},
        {"filter": "n = 'one'"},
        {"filter": "unknown = 1"},
        {"filter": "unknown(n) = 1"},
        {"filter": "n = 1", "filter-lang": "cql-text"},
        {"filter": "n = 1", "filter-lang": ""},
        {"filter": "n = 1", "filter-lang": "cql2-json"},
        {"filter": "{}", "filter-lang": "cql2-json"},
        {"filter": "n = 1", "filter-crs": "http://www.opengis.net/def/crs/EPSG/0/99999"},
        {"filter": "n = 1", "filter-crs": "http://www.opengis.net/def/crs/EPSG/0/2056"},
    ],
)
def test_an_invalid_filter_is_refused(lab: httpx.Client, asked: dict[str, str]) -> None:
    refused(lab.get(EVENTS, params=asked))
    assert lab.get(EVENTS, params={"f": "html", **asked}).status_code == 400


@filter_("get-functions-operation", "get-functions-response-json")
def test_functions_are_listed(api: httpx.Client) -> None:
    types = {"string", "number", "integer", "datetime", "geometry", "boolean"}
    listed = get(api, "/functions")["functions"]
    assert {one["name"] for one in listed} >= {"lower", "upper", "area"}
    for one in listed:
        assert set(one["returns"]) <= types
        assert all(set(argument["type"]) <= types for argument in one["arguments"])
    (link,) = links(get(api, "/"), "http://www.opengis.net/def/rel/ogc/1.0/functions")
    assert get(api, link["href"])["functions"] == listed
