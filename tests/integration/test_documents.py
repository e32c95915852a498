"""The documents as served: the same for every client, strict, true of the service, and fresh."""

import gzip
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

from core.catalogue import list_datasets, states
from core.database import connect
from features.documents import QML_MEDIA
from features.formats.files import FILES
from server.asked import FORMS
from server.tiles.answers import MVT
from tests.city import write_city
from tests.conftest import Load

TILE = {"tileMatrixSetId": "WebMercatorQuad", "tileMatrix": 12, "tileRow": 1492, "tileCol": 3487}  # within the city
DOCUMENTS = [
    "/",
    "/openapi",
    "/conformance",
    "/collections",
    "/collections/parcels",
    "/collections/parcels/queryables",
    "/collections/parcels/schema",
]
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_the_landing_page_leads_qgis_on(api: httpx.Client, live_server: str) -> None:
    links = api.get("/").json()["links"]
    (definition,) = [n for n, one in enumerate(links) if one["rel"] == "service-desc"]
    (explanation,) = [n for n, one in enumerate(links) if one["rel"] == "service-doc"]
    assert definition < explanation
    assert links[definition]["type"] == "application/vnd.oai.openapi+json;version=3.0"
    found = {one["rel"].rsplit("/", 1)[-1]: one["href"] for one in links if one["rel"] not in ("self", "alternate")}
    assert found == {
        "service-desc": f"{live_server}/openapi",
        "service-doc": f"{live_server}/openapi?f=html",
        "conformance": f"{live_server}/conformance",
        "data": f"{live_server}/collections",
        "functions": f"{live_server}/functions",
        "tilesets-vector": f"{live_server}/tiles",
        "tiling-schemes": f"{live_server}/tileMatrixSets",
        "changes": f"{live_server}/changes",
        "codelists": f"{live_server}/codelists",
        "crosswalks": f"{live_server}/crosswalks",
        "processes": f"{live_server}/processes",
    }


def test_conformance_is_the_same_on_its_page(api: httpx.Client) -> None:
    told = api.get("/conformance").json()["conformsTo"]
    assert re.findall(r"<code>(http[^<]+)</code>", api.get("/conformance", headers=PAGE).text) == told
    assert len(told) == len(set(told))


def test_qgis_finds_every_class_that_it_looks_for(api: httpx.Client) -> None:
    told = {one.removeprefix("http://www.opengis.net/spec/") for one in api.get("/conformance").json()["conformsTo"]}
    assert told >= {
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-3/1.0/conf/filter",
        "ogcapi-features-3/1.0/conf/features-filter",
        "ogcapi-features-5/1.0/conf/schemas",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/basic-cql2",
        "cql2/1.0/conf/advanced-comparison-operators",
        "cql2/1.0/conf/case-insensitive-comparison",
        "cql2/1.0/conf/basic-spatial-functions",
    }
    assert not [one for one in told if "callback" in one]


def test_functions_are_listed_with_what_they_take_and_return(api: httpx.Client) -> None:
    told = {one["name"]: one for one in api.get("/functions", headers={"Accept-Language": "zh"}).json()["functions"]}
    assert told["upper"] == {
        "name": "upper",
        "description": "转为大写。",
        "arguments": [{"title": "文本", "type": ["string"]}],
        "returns": ["string"],
    }
    found = api.get("/collections/places/items", params={"filter": "upper(name) = 'O''BRIEN & SÖHNE'"}).json()
    assert [one["id"] for one in found["features"]] == [4]
    assert api.get("/functions", headers=PAGE).json()["functions"]  # there is no page of them
    assert api.get("/functions?x=1").status_code == 400


def test_a_collection_is_the_same_alone_and_in_the_list(api: httpx.Client) -> None:
    listed = api.get("/collections").json()
    assert [one["id"] for one in listed["collections"]] == [
        "parcels",
        "places",
        "roads",
        "sites_mercator",
        "sites_wgs84",
    ]
    for one in listed["collections"]:
        assert api.get(f"/collections/{one['id']}").json() == one


def test_a_collection_tells_its_count_and_its_times(api: httpx.Client) -> None:
    parcels, roads = api.get("/collections/parcels").json(), api.get("/collections/roads").json()
    assert (parcels["itemCount"], roads["itemCount"]) == (2500, 10)
    assert parcels["extent"]["temporal"]["interval"] == [["2024-01-01T00:00:00Z", "2024-12-31T00:00:00Z"]]
    assert "temporal" not in roads["extent"]


def test_its_page_tells_the_same(api: httpx.Client) -> None:
    page = api.get("/collections/parcels", headers=PAGE).text
    assert "2,500" in page
    assert "2024-12-31T00:00:00Z" in page


@pytest.mark.parametrize("path", ["/", "/collections", "/collections/roads"])
def test_search_engines_still_get_json_ld_of_the_host(api: httpx.Client, path: str) -> None:
    answer = api.get(path, params={"f": "jsonld"})
    assert answer.headers["content-type"].startswith("application/ld+json")
    assert "@context" in answer.json()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_each_is_json_unless_a_browser_asks(api: httpx.Client, path: str) -> None:
    for answer in (api.get(path), api.get(path, params={"f": "json"}, headers=PAGE)):
        assert answer.status_code == 200
        assert re.fullmatch(r"application/(\S+\+)?json(;version=3\.0)?", answer.headers["content-type"])
        assert "Accept-Language" in answer.headers["vary"]
        assert isinstance(answer.json(), dict)
    assert api.get(path, headers=PAGE).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", DOCUMENTS)
def test_what_is_asked_wrongly_is_refused_with_advice(api: httpx.Client, path: str) -> None:
    for parameters, status in (
        ({"bbox": "1,2,3,4"}, 400),
        ({"f": "xml"}, 400),
        ({"lang": ["en", "zh"]}, 400),
        ({"f": ["json", "json"]}, 400),
        ({"api-key": "k", "lang": "zh"}, 200),
    ):
        answer = api.get(path, params=parameters)
        assert answer.status_code == status, parameters
        assert status == 200 or answer.json().keys() >= {"code", "description"}
    refused = api.get(path, headers={"Accept": "image/png"})
    assert (refused.status_code, refused.json()["code"]) == (406, "NotAcceptable")


@pytest.mark.parametrize("path", DOCUMENTS[1:])
def test_a_slash_at_the_end_changes_nothing(api: httpx.Client, path: str) -> None:
    assert api.get(f"{path}/", follow_redirects=False).json() == api.get(path).json()


@pytest.mark.parametrize("path", ["", "/queryables", "/schema"])
def test_a_collection_that_is_not_there_is_404(api: httpx.Client, path: str) -> None:
    answer = api.get(f"/collections/nowhere{path}", headers={"Accept-Language": "zh"})
    assert answer.status_code == 404
    assert answer.json()["description"] == "没有集合 'nowhere'。可用集合见 /collections。"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_texts_follow_the_language(api: httpx.Client, path: str) -> None:
    english, chinese = (api.get(path, headers={"Accept-Language": one}) for one in ("en", "zh-CN"))
    assert (english.headers["content-language"], chinese.headers["content-language"]) == ("en", "zh")
    assert path == "/conformance" or english.text != chinese.text


@pytest.mark.parametrize("path", ["/collections", "/openapi"])
def test_large_documents_are_sent_zipped_to_those_who_can_read_it(api: httpx.Client, path: str) -> None:
    plain = api.get(path, headers={"Accept-Encoding": "identity"})
    with api.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        zipped = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped) == plain.content


@pytest.fixture(scope="module")
def openapi(live_server: str) -> dict[str, Any]:
    """The document of the running service."""
    document: dict[str, Any] = httpx.get(f"{live_server}/openapi").json()
    return document


def test_the_api_is_described_validly_at_its_own_address(openapi: dict[str, Any], live_server: str) -> None:
    validate(openapi)
    assert [one["url"] for one in openapi["servers"]] == [live_server]


def test_every_answer_is_as_the_api_describes_it(api: httpx.Client, openapi: dict[str, Any]) -> None:
    values = {"collectionId": "parcels", "featureId": "1", "processId": "grid-cell-query"} | TILE
    values |= {"codelistId": "survey-classes", "crosswalkId": "survey-to-planning"}
    asked = [path for path, item in openapi["paths"].items() if "get" in item and path != "/changes"]  # that never ends
    named = FORMS | {"mvt": MVT, "qml": QML_MEDIA}
    written = set()  # a file is written by a process of its own, which takes a second: once a form, then
    for path in asked:
        operation = openapi["paths"][path]["get"]
        forms = _resolved(openapi, operation["responses"]["200"])["content"]
        for media, content in forms.items():
            form = next((name for name, one in named.items() if one == media and name != "json"), "json")
            if form in written:
                continue
            written |= {form} & FILES.keys()
            answer = api.get(path.format(**values), params={"f": form})
            assert answer.status_code == 200, path
            told = answer.headers["content-type"].replace(" ", "").lower()
            assert told.startswith(media.replace(" ", "")), path
            if form == "json":
                schema = content["schema"] | {"components": openapi["components"]}
                OAS30Validator(schema).validate(answer.json())
    assert len(asked) > 15


def test_every_parameter_of_a_document_is_taken(api: httpx.Client, openapi: dict[str, Any]) -> None:
    for path in ("/", "/conformance", "/collections", "/collections/{collectionId}/queryables"):
        for one in openapi["paths"][path]["get"]["parameters"]:
            parameter = _resolved(openapi, one)
            for value in parameter["schema"]["enum"] if parameter["in"] == "query" else ():
                answer = api.get(path.format(collectionId="parcels"), params={parameter["name"]: value})
                assert answer.status_code == 200, (path, parameter)


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    found: Any = document
    for step in part["$ref"].split("/")[1:] if "$ref" in part else ():
        found = found[step]
    return found if "$ref" in part else part


def test_edits_move_the_numbers_at_once(database: str, load_into: Load, serve: str, tmp_path: Path) -> None:
    (parcels,) = [one for one in write_city(tmp_path) if one.id == "parcels"]
    load_into(parcels.path, id="parcels", key="parcel_no", time="surveyed", title_en="Parcels", title_zh="宗地")
    with httpx.Client(base_url=serve) as client:
        before = _once_there(client)
        with connect(database) as connection:
            connection.execute("delete from data.parcels where parcel_no <= 100")
            connection.execute("update data.parcels set surveyed = '2031-05-01' where parcel_no = 2000")
        for one in (client.get("/collections/parcels").json(), client.get("/collections").json()["collections"][0]):
            assert (before["itemCount"], one["itemCount"]) == (2500, 2400)
            assert one["extent"]["temporal"]["interval"][0][1] == "2031-05-01T00:00:00Z"
            assert one["updated"] > before["updated"]
        assert "2,400" in client.get("/collections/parcels", headers=PAGE).text


def _once_there(client: httpx.Client) -> dict[str, Any]:
    """The collection, as soon as it is published."""
    for _ in range(100):
        if (answer := client.get("/collections/parcels")).status_code == 200:
            told: dict[str, Any] = answer.json()
            return told
        time.sleep(0.05)
    pytest.fail("the collection was not published")


def test_a_moment_beyond_every_calendar_harms_nothing(database: str, load_into: Load, tmp_path: Path) -> None:
    (parcels,) = [one for one in write_city(tmp_path) if one.id == "parcels"]
    load_into(parcels.path, id="parcels", key="parcel_no", time="surveyed", title_en="Parcels", title_zh="宗地")
    for moment in ("infinity", "-infinity", "0044-03-15 BC", "25000-01-01"):
        with connect(database) as connection:
            connection.execute("update data.parcels set surveyed = %s where parcel_no = 1", [moment])
        with connect(database) as connection:
            assert [one.interval for one in list_datasets(connection)] == [None]
            assert states(connection)["parcels"].interval is None
