"""The OpenAPI document: valid, whole in itself, and readable for QGIS."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from openapi_spec_validator import validate

from core.catalogue import Dataset, Field
from core.language import Language, Text
from core.settings import ROOT
from features.documents import Site
from processes.base import Inputs, JsonObject, Processor
from server.asked import FORMS
from server.openapi import openapi
from server.service import Process, read_service
from server.service import Processor as Named
from tests.unit.test_documents import ROADS, SURVEYS

SERVICE = read_service(ROOT / "pygeoapi-config.yml")
AWKWARD = ROADS._replace(
    id="awkward",
    title=Text('"Roads" & {braces}', "“道路”"),
    editable=True,
    fields=(Field("limit", "integer"), Field("f", "text"), Field("100%", "text"), Field('a "b" <c>', "boolean")),
)


def document(*datasets: Dataset, language: Language = "en") -> dict[str, Any]:
    return openapi(datasets, SERVICE, Site("https://city.example/ogc", language, FORMS), ["WebMercatorQuad"])


def parts(thing: object) -> Iterator[dict[str, Any]]:
    """Every object inside."""
    if isinstance(thing, dict):
        yield thing
    for inner in thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ():
        yield from parts(inner)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("datasets", [(), (ROADS,), (ROADS, SURVEYS, AWKWARD)])
def test_it_is_valid(language: Language, datasets: tuple[Dataset, ...]) -> None:
    validate(document(*datasets, language=language))


def test_it_refers_to_nothing_outside() -> None:
    told = document(ROADS, AWKWARD)
    assert {one["$ref"][:13] for one in parts(told) if "$ref" in one} == {"#/components/"}


def test_its_server_is_the_landing_pages_address() -> None:
    assert [one["url"] for one in document()["servers"]] == ["https://city.example/ogc"]


def test_operations_have_ids_of_their_own() -> None:
    ids = [one["operationId"] for one in parts(document(ROADS, SURVEYS, AWKWARD)) if "operationId" in one]
    assert len(ids) == len(set(ids)) > 15


def simple_queryables(told: dict[str, Any], collection: str) -> dict[str, str]:
    """What QGIS takes for attributes to filter by, by its own rules (qgsoapifapirequest.cpp)."""
    found = {}
    for one in told["paths"][f"/collections/{collection}/items"]["get"]["parameters"]:
        parameter = told["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one
        if parameter["in"] == "query" and parameter.get("style") == "form" and parameter.get("explode") is False:
            found[parameter["name"]] = parameter["schema"]["type"]
    for known in ("crs", "bbox", "bbox-crs", "filter", "filter-lang", "filter-crs", "datetime", "limit"):
        del found[known]
    return found


def test_qgis_finds_each_attribute_that_a_parameter_can_ask_for() -> None:
    told = document(ROADS, SURVEYS)
    lists = {"sortby": "array", "properties": "array"}  # harmless: attributes are never arrays
    assert simple_queryables(told, "roads") == lists | {
        "fid": "integer", "名称": "string", "code": "string", "length": "number",
    }  # fmt: skip
    assert simple_queryables(told, "surveys") == lists | {"code": "string", "day": "string", "seen": "string"}


def test_an_attribute_named_like_a_parameter_does_not_take_its_place() -> None:
    told = document(AWKWARD)
    assert simple_queryables(told, "awkward").keys() == {"sortby", "properties", "fid", "100%", 'a "b" <c>'}
    assert told["components"]["parameters"]["limit"]["schema"]["maximum"] == 10_000


def test_only_editable_data_sets_say_how_to_edit() -> None:
    paths = document(ROADS, AWKWARD)["paths"]
    assert paths["/collections/roads/items/{featureId}"].keys() == {"parameters", "get"}
    assert "201" not in paths["/collections/roads/items"]["post"]["responses"]
    assert "201" in paths["/collections/awkward/items"]["post"]["responses"]
    assert paths["/collections/awkward/items/{featureId}"].keys() == {"parameters", "get", "put", "patch", "delete"}


def test_the_id_of_a_feature_has_the_type_of_the_key() -> None:
    paths = document(ROADS, SURVEYS)["paths"]
    types = [
        paths[f"/collections/{id_}/items/{{featureId}}"]["parameters"][0]["schema"] for id_ in ("roads", "surveys")
    ]
    assert types == [{"type": "integer"}, {"type": "string"}]


def test_texts_follow_the_language() -> None:
    english, chinese = (json.dumps(document(ROADS, language=one), ensure_ascii=False) for one in ("en", "zh"))
    assert "All data sets" in english
    assert "全部数据集" in chinese
    assert "All data sets" not in chinese


def test_a_process_tells_its_inputs() -> None:
    operation = document()["paths"]["/processes/grid-cell-query/execution"]["post"]
    inputs = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["inputs"]
    assert inputs["required"] == ["dataset"]
    assert inputs["properties"]["size"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 1_000_000,
        "title": "Size",
        "description": "Side of a square in metres; 1000 if left out.",
    }
    assert "application/geo+json" in operation["responses"]["200"]["content"]


class Modern(Processor[Inputs]):
    """A process whose output is described in words that OpenAPI 3.0 does not know."""

    inputs = Inputs
    media_type = "application/geo+json"
    described: ClassVar[JsonObject] = {
        "id": "modern",
        "version": "1.0.0",
        "title": {"en": "Modern", "zh": "新"},
        "description": {"en": "Modern.", "zh": "新。"},
        "outputs": {
            "it": {
                "schema": {
                    "type": "object",
                    "properties": {"kind": {"const": "x"}, "share": {"type": "number", "exclusiveMinimum": 0}},
                    "contentMediaType": "application/geo+json",
                }
            }
        },
    }


def test_newer_json_schema_is_told_in_the_words_of_openapi_3_0() -> None:
    process = Process(type="process", processor=Named(name=f"{__name__}.Modern"))
    told = openapi([], SERVICE.model_copy(update={"resources": {"modern": process}}), Site("http://h", "en", FORMS), [])
    validate(told)
    content = told["paths"]["/processes/modern/execution"]["post"]["responses"]["200"]["content"]
    assert content["application/geo+json"]["schema"] == {
        "type": "object",
        "properties": {
            "kind": {"enum": ["x"]},
            "share": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
        },
    }


def test_five_hundred_data_sets_fit_in_two_megabytes() -> None:
    fields = tuple(Field(f"attribute_{n:02}", "double precision" if n % 2 else "text") for n in range(30))
    many = [ROADS._replace(id=f"dataset_{n:03}", fields=fields) for n in range(500)]
    assert len(json.dumps(document(*many), ensure_ascii=False, separators=(",", ":")).encode()) < 2_000_000
