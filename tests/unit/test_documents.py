"""Collection, queryables and schema, made of a data set."""

from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator

from core.catalogue import AboutField, BBox, Dataset, Field, State
from core.language import Text
from features.documents import Site, collection, is_simple, queryables, schema
from features.filters.sql_values import _KIND_OF_TYPE, kind_of
from features.table import Table
from server.features import FORMS

WHEN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
ENGLISH, CHINESE = Site("https://city.example/ogc", "en", FORMS), Site("https://city.example/ogc", "zh", FORMS)
ROADS = Dataset(
    id="roads",
    title=Text("Roads", "道路"),
    description=Text("", ""),
    keywords=(),
    geometry_type="MultiLineStringZ",
    srid=4551,
    key="fid",
    time=None,
    fields=(
        Field("名称", "text"),
        Field("code", "character varying(20)"),
        Field("length", "double precision"),
        Field("tags", "text[]"),
        Field("opens", "time without time zone"),
        Field("more", "jsonb"),
    ),
    extent=None,
    feature_count=10,
    owner=None,
    update_period=None,
    licence=None,
    attribution=None,
    sensitivity="public",
    origin=None,
    source="roads.gpkg",
    release=1,
    updated=WHEN,
    editable=False,
    max_age=0,
    change=0,
    changed=WHEN,
    interval=None,
    problem=None,
)
SURVEYS = ROADS._replace(
    id="surveys",
    key="code",
    time="day",
    geometry_type="Geometry",
    fields=(Field("code", "text"), Field("day", "date"), Field("seen", "timestamp with time zone")),
    extent=BBox(126, 43, 127, 44),
    keywords=("城市",),
    interval=(datetime(2025, 1, 1, tzinfo=UTC), WHEN),
    licence="CC BY 4.0",
    attribution=Text("The city", "本市"),
)


def described(dataset: Dataset, site: Site = ENGLISH) -> dict[str, Any]:
    return collection(Table(dataset), dataset.state, site)


def test_what_is_not_known_is_left_out_and_never_null() -> None:
    told = described(ROADS)
    assert told.keys() == {
        "id", "title", "description", "itemType", "itemCount", "updated", "crs", "storageCrs", "links",
    }  # fmt: skip
    assert described(ROADS._replace(feature_count=0))["itemCount"] == 0


def test_what_is_known_is_told_in_the_readers_language() -> None:
    english, chinese = described(SURVEYS), described(SURVEYS, CHINESE)
    assert (english["attribution"], chinese["attribution"]) == ("The city", "本市")
    assert chinese["title"] == "道路"
    assert chinese["description"].endswith("(EPSG:4551)。")
    assert english["extent"]["temporal"] == {"interval": [["2025-01-01T00:00:00Z", "2026-03-01T08:30:00Z"]]}
    assert english["updated"] == "2026-03-01T08:30:00Z"
    assert english["keywords"] == ["城市"]
    assert {link["title"] for link in english["links"]}.isdisjoint(link["title"] for link in chinese["links"][:8])


def test_the_numbers_are_those_of_the_state_given() -> None:
    later = datetime(2026, 4, 1, tzinfo=UTC)
    told = collection(Table(SURVEYS), State(7, BBox(125, 43, 127, 44), (later, later), later), ENGLISH)
    assert told["itemCount"] == 7
    assert told["extent"]["spatial"]["bbox"] == [[125, 43, 127, 44]]
    assert told["updated"] == "2026-04-01T00:00:00Z"


def test_no_time_column_is_no_temporal_extent() -> None:
    assert "temporal" not in described(SURVEYS._replace(time=None))["extent"]


def test_crs84_comes_first_and_what_is_stored_is_listed() -> None:
    told = described(SURVEYS)
    assert told["crs"][0] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert told["storageCrs"] == "http://www.opengis.net/def/crs/EPSG/0/4551"
    assert told["storageCrs"] in told["crs"]
    assert told["extent"]["spatial"]["crs"] == told["crs"][0]


def test_an_extent_across_the_antimeridian_keeps_west_above_east() -> None:
    fiji = SURVEYS._replace(srid=4326, extent=BBox(177, -20, -178, -15))
    assert described(fiji)["extent"]["spatial"]["bbox"] == [[177, -20, -178, -15]]
    # Its middle is 179.5°, not 0°: no zone of China is offered on either side.
    assert [uri.rsplit("/", 1)[1] for uri in described(fiji)["crs"]] == ["CRS84", "4326", "3857"]


def test_every_form_of_the_features_is_linked_geojson_first() -> None:
    forms = {"json": "application/geo+json", "html": "text/html", "csv": "text/csv"}
    links = [one for one in described(ROADS, ENGLISH._replace(forms=forms))["links"] if one["rel"] == "items"]
    assert [(one["type"], one["href"]) for one in links] == [
        (media, f"https://city.example/ogc/collections/roads/items?f={name}") for name, media in forms.items()
    ]


def test_every_link_is_absolute_and_says_what_it_leads_to() -> None:
    links = described(SURVEYS)["links"]
    assert all(one.keys() == {"rel", "type", "title", "href"} and all(one.values()) for one in links)
    assert all(one["href"].startswith("https://city.example/ogc/") for one in links)
    rels = {one["rel"].rsplit("/", 1)[-1] for one in links}
    assert rels == {
        "self",
        "alternate",
        "items",
        "queryables",
        "schema",
        "describedBy",
        "license",
        "via",
        "stylesheet",
        "tilesets-vector",
        "changes",
        "parent",
        "root",
    }


def test_a_licence_that_is_an_address_is_linked_itself() -> None:
    address = "https://creativecommons.org/licenses/by/4.0/"
    (licence,) = [one for one in described(SURVEYS._replace(licence=address))["links"] if one["rel"] == "license"]
    assert licence["href"] == address


@pytest.mark.parametrize(
    ("stored", "geojson", "ogc"),
    [
        ("Point", "Point", "geometry-point"),
        ("PointZM", "Point", "geometry-point"),
        ("MultiLineStringM", "MultiLineString", "geometry-multilinestring"),
        ("MultiPolygonZ", "MultiPolygon", "geometry-multipolygon"),
        ("GeometryCollection", "GeometryCollection", "geometry-geometrycollection"),
        ("Geometry", "Geometry", "geometry-any"),
        ("GeometryZ", "Geometry", "geometry-any"),
    ],
)
def test_the_geometry_is_named_as_qgis_reads_it(stored: str, geojson: str, ogc: str) -> None:
    dataset = ROADS._replace(geometry_type=stored)
    asked = queryables(dataset, ENGLISH)["properties"]["geometry"]
    given = schema(dataset, ENGLISH)["properties"]["geometry"]
    assert asked["$ref"] == f"https://geojson.org/schema/{geojson}.json"
    assert given["format"] == ogc
    assert asked["x-ogc-role"] == given["x-ogc-role"] == "primary-geometry"
    assert "type" not in asked
    assert not given.keys() & {"type", "$ref"}


def test_queryables_are_what_filters_can_compare_and_nothing_else() -> None:
    told = queryables(ROADS, ENGLISH)
    assert told["properties"].keys() == {"geometry", "fid", "名称", "code", "length", "tags"}
    assert told["additionalProperties"] is False
    assert told["properties"]["tags"] == {"title": "tags", "type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    "type_", [*_KIND_OF_TYPE, "character varying(20)", "numeric(8,2)", "json", "time without time zone"]
)
def test_a_simple_queryable_is_what_filters_compare(type_: str) -> None:
    assert is_simple(Field("x", type_)) == (kind_of(type_) is not None)


def test_the_schema_has_every_attribute_in_order() -> None:
    told = schema(ROADS, ENGLISH)["properties"]
    assert list(told) == ["fid", "名称", "code", "length", "tags", "opens", "more", "geometry"]
    assert [one["x-ogc-propertySeq"] for one in told.values()] == list(range(1, 9))
    types = {name: (one.get("type"), one.get("format")) for name, one in told.items() if name != "geometry"}
    assert types == {
        "fid": ("integer", None),
        "名称": ("string", None),
        "code": ("string", None),
        "length": ("number", None),
        "tags": ("array", None),
        "opens": ("string", "time"),
        "more": ("object", None),
    }


def test_a_key_that_the_service_numbers_is_read_only_and_one_of_the_data_is_not() -> None:
    numbered, own = schema(ROADS, ENGLISH)["properties"]["fid"], schema(SURVEYS, ENGLISH)["properties"]["code"]
    assert numbered["readOnly"] is True
    assert "readOnly" not in own
    assert numbered["x-ogc-role"] == own["x-ogc-role"] == "id"


def test_dates_and_moments_say_their_format_and_the_time_column_its_role() -> None:
    told = queryables(SURVEYS, ENGLISH)["properties"]
    assert (told["day"]["format"], told["day"]["x-ogc-role"]) == ("date", "primary-instant")
    assert told["seen"]["format"] == "date-time"
    assert "x-ogc-role" not in told["seen"]


@pytest.mark.parametrize(("make", "name"), [(queryables, "queryables"), (schema, "schema")])
def test_both_are_json_schemas_under_their_own_address(make: Any, name: str) -> None:
    told = make(SURVEYS, CHINESE)
    assert told["$id"] == f"https://city.example/ogc/collections/surveys/{name}"
    assert told["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (told["type"], told["title"]) == ("object", "道路")


CODED = ROADS._replace(
    fields=(
        Field("DLBM", "text"),
        Field("PDJB", "integer"),
        Field("TBMJ", "double precision"),
        Field("QSXZ", "jsonb"),
        Field("TBXHDM", "text"),
    ),
    about_fields={
        "DLBM": AboutField(Text("Class code", "地类编码"), "survey-classes"),
        "PDJB": AboutField(Text("Slope class", "坡度级别"), "slope-classes"),
        "TBMJ": AboutField(Text("Area", "图斑面积"), unit="m2"),
        "QSXZ": AboutField(Text("", ""), "ownership"),
        "TBXHDM": AboutField(Text("Refinement", "细化代码"), "gone"),
    },
)


@pytest.mark.parametrize("describe", [queryables, schema])
def test_a_field_with_a_code_list_has_its_codes_with_their_names(describe: Any) -> None:
    told = describe(CODED, CHINESE)["properties"]
    Draft202012Validator.check_schema(describe(CODED, CHINESE))
    assert told["DLBM"]["title"] == "地类编码"
    assert {"const": "0101", "title": "水田"} in told["DLBM"]["oneOf"]
    assert told["DLBM"]["enum"] == [one["const"] for one in told["DLBM"]["oneOf"]]
    assert told["DLBM"]["x-ogc-codelistUri"] == "https://city.example/ogc/codelists/survey-classes"
    assert told["PDJB"]["enum"] == [1, 2, 3, 4, 5]
    assert told["TBMJ"]["x-ogc-unit"] == "m2"
    assert told["TBXHDM"] == {"title": "细化代码", "type": "string"} | (
        {"x-ogc-propertySeq": 6} if describe is schema else {}
    )
    if describe is schema:
        assert told["QSXZ"] == {"title": "QSXZ", "type": "object", "x-ogc-propertySeq": 5}
    assert {"const": "0101", "title": "Paddy field"} in describe(CODED, ENGLISH)["properties"]["DLBM"]["oneOf"]


def test_a_long_list_is_only_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.coded._MOST_CODES", 50)
    told = schema(CODED, ENGLISH)["properties"]
    assert told["DLBM"].keys() == {"title", "type", "x-ogc-codelistUri", "x-ogc-propertySeq"}
    assert "oneOf" in told["PDJB"]
