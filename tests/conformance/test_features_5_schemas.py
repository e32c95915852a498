"""OGC API - Features - Part 5: Schemas (OGC 23-058), published as Part 3 of OGC API - Common, by its requirements.

QGIS looks for the draft's conformance classes, other clients for the published ones: both are kept.
"""

import httpx
import pytest
from jsonschema.validators import Draft202012Validator

from tests.conformance.conftest import TYPES
from tests.ogc import Json, Requirements, get, links

schemas, published = Requirements("ogcapi-features-5", "schemas"), Requirements("ogcapi-common-3", "schemas")
roles = Requirements("ogcapi-features-5", "core-roles-features")
advanced = Requirements("ogcapi-common-3", "advanced-property-roles")
returnables = Requirements("ogcapi-features-5", "returnables-and-receivables")
receivables = Requirements("ogcapi-common-3", "returnables-and-receivables")

REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"
SPATIAL = (
    "point",
    "multipoint",
    "linestring",
    "multilinestring",
    "polygon",
    "multipolygon",
    "geometrycollection",
    "any",
)


@pytest.fixture(scope="module")
def every_schema(api: httpx.Client, lab: httpx.Client) -> dict[str, Json]:
    """The schemas of all collections of both services."""
    found = {}
    for client in (api, lab):
        for one in get(client, "/collections")["collections"]:
            (link,) = [link for link in links(one, REL) if link["type"] == "application/schema+json"]
            found[one["id"]] = get(client, link["href"])
    return found


@returnables("link", "op", "response")
@receivables("link", "op", "response")
@schemas("json-schema")
@published("json-schema")
def test_every_collection_has_a_schema_at_its_own_address(api: httpx.Client, live_server: str) -> None:
    for one in get(api, "/collections")["collections"]:
        path = f"/collections/{one['id']}/schema"
        answer = api.get(path, headers={"Accept": "application/schema+json"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/schema+json")
        schema = answer.json()
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == f"{live_server}{path}"
        assert schema["type"] == "object"
        Draft202012Validator.check_schema(schema)
        assert [link["href"].partition("?")[0] for link in links(one, REL)] == [f"{live_server}{path}"] * 2


@schemas("properties", "additional-keywords")
@published("properties", "additional-keywords")
def test_properties_say_their_types(every_schema: dict[str, Json]) -> None:
    for schema in every_schema.values():
        for name, one in schema["properties"].items():
            if name == "geometry":
                assert not {"type", "$ref"} & one.keys()
                assert one["format"].removeprefix("geometry-") in SPATIAL
            else:
                assert one["type"] in ("string", "number", "integer", "boolean", "object", "array")
            plain = {"title", "description", "type", "format", "items", "readOnly", "writeOnly"}
            assert all(key in plain or key.startswith("x-ogc-") for key in one)
    events = every_schema["events"]["properties"]
    assert {name: events[name].get("format") for name in ("day", "at", "uid")} == {
        "day": "date",
        "at": "date-time",
        "uid": "uuid",
    }


@schemas("role", "role-id", "property-seq")
@published("role", "role-id", "property-seq")
def test_one_property_is_the_id_and_all_have_an_order(api: httpx.Client, every_schema: dict[str, Json]) -> None:
    for schema in every_schema.values():
        (key,) = with_role(schema, "id")
        assert key["type"] in ("integer", "string")
        order = [one["x-ogc-propertySeq"] for one in schema["properties"].values()]
        assert order == sorted(set(order))
    feature = get(api, "/collections/parcels/items/7")
    assert with_role(every_schema["parcels"], "id")[0]["title"] == "parcel_no"
    assert feature["id"] == feature["properties"]["parcel_no"] == 7


def with_role(schema: Json, role: str) -> list[Json]:
    return [one for one in schema["properties"].values() if one.get("x-ogc-role") == role]


@roles(
    "role-primary-geometry",
    "role-primary-instant",
    "role-primary-interval-start",
    "role-primary-interval-end",
    "primary-temporal-constraints",
    "role-type",
)
@advanced(
    "role-primary-geometry",
    "role-primary-instant",
    "role-primary-interval-start",
    "role-primary-interval-end",
    "role-primary-interval",
    "primary-temporal-constraints",
    "role-type",
)
def test_geometry_and_time_have_their_roles(every_schema: dict[str, Json]) -> None:
    """Intervals and feature types are no roles here."""
    for id_, schema in every_schema.items():
        assert with_role(schema, "primary-geometry") == [schema["properties"]["geometry"]]
        told = {one["x-ogc-role"] for one in schema["properties"].values() if "x-ogc-role" in one}
        assert told <= {"id", "primary-geometry", "primary-instant"}
        assert len(with_role(schema, "primary-instant")) == (id_ in ("parcels", "events"))
    assert with_role(every_schema["events"], "primary-instant")[0]["format"] == "date-time"


@returnables("response")
@receivables("response")
def test_features_hold_what_their_schema_says_and_nothing_else(
    api: httpx.Client, lab: httpx.Client, every_schema: dict[str, Json]
) -> None:
    for client, id_ in ((api, "parcels"), (api, "places"), (lab, "events"), (lab, "shapes")):
        schema = every_schema[id_]
        assert schema["additionalProperties"] is False
        attributes = {
            name: {key: value for key, value in one.items() if key in ("type", "format", "items")}
            for name, one in schema["properties"].items()
            if name != "geometry"
        }
        for feature in get(client, f"/collections/{id_}/items")["features"]:
            assert feature["properties"].keys() <= attributes.keys()
            for name, value in feature["properties"].items():
                assert value is None or Draft202012Validator(attributes[name]).is_valid(value), name


def test_features_are_what_they_are_said_to_be_described_by(lab: httpx.Client) -> None:
    """GDAL reads this link; what is null in a feature has no type."""
    for id_ in ("events", "shapes"):
        (link,) = links(get(lab, f"/collections/{id_}"), "describedBy")
        assert link["type"] == "application/schema+json"
        schema = get(lab, link["href"])
        Draft202012Validator.check_schema(schema)
        attributes = Draft202012Validator(schema["properties"]["properties"])
        for feature in get(lab, f"/collections/{id_}/items")["features"]:
            attributes.validate({name: value for name, value in feature["properties"].items() if value is not None})


def test_the_attributes_come_in_the_order_of_the_schema(lab: httpx.Client, every_schema: dict[str, Json]) -> None:
    told = [name for name in every_schema["events"]["properties"] if name not in ("fid", "geometry")]
    assert told == list(TYPES) == list(get(lab, "/collections/events/items/1")["properties"])
