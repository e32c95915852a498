"""OGC API - Tiles - Part 1: Core (OGC 20-057), and the documents of OGC 2DTMS 2.0 (17-083r4), by their requirements."""

import math
import re
from typing import Any

import httpx
import morecantile
import pytest
import shapely
from pyproj import Transformer

from tests.ogc import Json, Requirements, all_links, get, links, nulls, parameter, refused, resolved
from tests.tiles import SQUARE, decode

core = Requirements("ogcapi-tiles-1", "core")
tileset = Requirements("ogcapi-tiles-1", "tileset")
tilesets_list = Requirements("ogcapi-tiles-1", "tilesets-list")
dataset = Requirements("ogcapi-tiles-1", "dataset-tilesets")
geodata = Requirements("ogcapi-tiles-1", "geodata-tilesets")
selection = Requirements("ogcapi-tiles-1", "collections-selection")
datetime_ = Requirements("ogcapi-tiles-1", "datetime")
mvt = Requirements("ogcapi-tiles-1", "mvt")
oas30 = Requirements("ogcapi-tiles-1", "oas30")

REL = "http://www.opengis.net/def/rel/ogc/1.0/"
MVT = "application/vnd.mapbox-vector-tile"
SETS = ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad"]
SOURCES = ["", "/collections/parcels"]
TILE = "/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
PATHS = [TILE, f"/collections/{{collectionId}}{TILE}"]


@pytest.fixture(scope="module")
def openapi(api: httpx.Client) -> Json:
    return get(api, "/openapi")


def set_of(api: httpx.Client, source: str, name: str) -> Json:
    return get(api, f"{source}/tiles/{name}")


def template(told: Json) -> str:
    (item,) = [one for one in links(told, "item") if one.get("templated") is True]
    assert item["type"] == MVT
    return str(item["href"])


def at(told: Json, z: int, row: int, column: int) -> str:
    return template(told).format(tileMatrix=z, tileRow=row, tileCol=column)


def limits(told: Json, z: int) -> tuple[range, range]:
    (one,) = [one for one in told["tileMatrixSetLimits"] if one["tileMatrix"] == str(z)]
    return range(one["minTileRow"], one["maxTileRow"] + 1), range(one["minTileCol"], one["maxTileCol"] + 1)


def full_tile(api: httpx.Client, told: Json, z: int) -> httpx.Response:
    """The first tile of a matrix that has something in it."""
    rows, columns = limits(told, z)
    for row in rows:
        for column in columns:
            answer = api.get(at(told, z, row, column))
            if answer.status_code == 200:
                return answer
    pytest.fail("every tile is empty")


@core("conformance-success")
def test_the_classes_are_declared(api: httpx.Client) -> None:
    told = get(api, "/conformance")["conformsTo"]
    for name in ("core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets", "mvt", "oas30"):
        assert f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{name}" in told


@dataset("landingpage")
def test_the_landing_page_leads_to_the_tile_sets(api: httpx.Client, live_server: str) -> None:
    (found,) = links(get(api, "/"), f"{REL}tilesets-vector")
    assert found["href"] == f"{live_server}/tiles"
    assert found["type"] == "application/json"
    (schemes,) = links(get(api, "/"), f"{REL}tiling-schemes")
    assert get(api, schemes["href"])["tileMatrixSets"]


@geodata("desc-links")
def test_each_collection_leads_to_its_tile_sets(api: httpx.Client, live_server: str) -> None:
    for one in get(api, "/collections")["collections"]:
        (found,) = links(one, f"{REL}tilesets-vector")
        assert found["href"] == f"{live_server}/collections/{one['id']}/tiles"


@dataset("operation")
@geodata("operation")
@tilesets_list("tileset-path", "tileset-links")
@pytest.mark.parametrize("source", SOURCES)
def test_the_tile_sets_are_listed(api: httpx.Client, live_server: str, source: str) -> None:
    told = get(api, f"{source}/tiles")
    assert [one["tileMatrixSetId"] for one in told["tilesets"]] == SETS
    for one in told["tilesets"]:
        assert one["dataType"] == "vector"
        (self_,) = links(one, "self")
        assert get(api, self_["href"])["tileMatrixSetId"] == one["tileMatrixSetId"]
        (scheme,) = links(one, f"{REL}tiling-scheme")
        assert get(api, scheme["href"])["crs"] == one["crs"]
        assert template(one)
    assert all(one["href"].startswith(live_server) for one in all_links(told))
    assert not list(nulls(told))


@tileset("description")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", SETS)
def test_a_tile_set_says_what_is_in_it(api: httpx.Client, source: str, name: str) -> None:
    told = set_of(api, source, name)
    (scheme,) = links(told, f"{REL}tiling-scheme")
    registered = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{name}"
    assert told["tileMatrixSetURI"] == (scheme["href"] if name == "CGCS2000Quad" else registered)
    assert {"{tileMatrix}", "{tileRow}", "{tileCol}"} == set(re.findall(r"{\w+}", template(told)))
    assert {one["id"] for one in told["layers"]} >= {"parcels"}
    assert [one["tileMatrix"] for one in told["tileMatrixSetLimits"]] == [
        one["id"] for one in get(api, scheme["href"])["tileMatrices"]
    ]
    west, south = told["boundingBox"]["lowerLeft"]
    assert west == pytest.approx(126.497, abs=0.01 if source else 10)
    assert -90 <= south <= told["boundingBox"]["upperRight"][1] <= 90
    assert not list(nulls(told))


@core("tc-op", "tc-success")
@mvt("content")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("z", [9, 14, 17])
def test_the_template_leads_to_tiles_of_what_lies_there(api: httpx.Client, source: str, name: str, z: int) -> None:
    told = set_of(api, source, name)
    answer = full_tile(api, told, z)
    assert answer.headers["content-type"] == MVT
    layers = decode(answer.content)
    assert source == "" or list(layers) == ["parcels"]
    for features in layers.values():
        assert features
        for one in features:
            assert one.geometry.intersects(SQUARE.buffer(300))


@core("tc-success")
@pytest.mark.parametrize("name", SETS)
def test_a_feature_lies_where_the_set_says(api: httpx.Client, name: str) -> None:
    """A parcel's corner in the tile is the parcel's corner on the ground."""
    told = set_of(api, "/collections/parcels", name)
    scheme = get(api, f"/tileMatrixSets/{name}")
    matrix = next(one for one in scheme["tileMatrices"] if one["id"] == "16")
    rows, columns = limits(told, 16)
    row, column = rows[len(rows) // 2], columns[len(columns) // 2]
    features = decode(api.get(at(told, 16, row, column)).content)["parcels"]
    inside = [one for one in features if SQUARE.contains(one.geometry)]
    origin = matrix["pointOfOrigin"]
    west, north = origin[::-1] if name == "CGCS2000Quad" else origin  # its axes are latitude and longitude
    side = matrix["cellSize"] * matrix["tileWidth"]
    back = Transformer.from_crs(3857 if name == "WebMercatorQuad" else 4326, 4326, always_xy=True)
    for one in inside[:5]:
        x, y = one.geometry.centroid.coords[0]
        lon, lat = back.transform(west + (column + x / 4096) * side, north - (row + y / 4096) * side)
        item = get(api, f"/collections/parcels/items/{one.id}")
        place = shapely.geometry.shape(item["geometry"]).centroid
        assert math.hypot(lon - place.x, lat - place.y) < 2 * 180 / 2**16 / 4096
    assert inside


@core("tc-error")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "place",
    [
        "99/0/0",
        "3/8/0",
        "3/0/8",
        "3/2147483647/0",
        "3/0/2147483647",
        "16/0/0",
        "999/0/0",
        "3/9999999999/0",
        "x/0/0",
        "3/-1/0",
        "3/0/1.5",
        "3/0/ 1",
    ],
)
def test_what_is_no_tile_is_refused(api: httpx.Client, source: str, place: str) -> None:
    refused(api.get(f"{source}/tiles/WebMercatorQuad/{place}"), 404)


@core("tc-error")
def test_a_tile_without_data_is_empty(api: httpx.Client) -> None:
    """Where there is nothing between the places, the OGC address says so, and XYZ sends a tile of no bytes."""
    told = set_of(api, "/collections/places", "WebMercatorQuad")
    rows, columns = limits(told, 16)
    for row in rows:
        for column in columns:
            answer = api.get(at(told, 16, row, column))
            if answer.status_code == 204:
                assert answer.content == b""
                plain = api.get(f"/xyz/places/16/{column}/{row}.mvt")
                assert (plain.status_code, plain.content) == (200, b"")
                return
    pytest.fail("no tile is empty")


def test_what_is_not_offered_is_refused(api: httpx.Client) -> None:
    refused(api.get("/tiles/Nowhere"), 404)
    refused(api.get("/tiles/Nowhere/0/0/0"), 404)
    refused(api.get("/tileMatrixSets/Nowhere"), 404)
    refused(api.get("/collections/nothing/tiles"), 404)
    refused(api.get("/collections/nothing/tiles/WebMercatorQuad/0/0/0"), 404)
    refused(api.get("/tiles/WebMercatorQuad/0/0/0?collection=parcels"))
    refused(api.get("/tiles/WebMercatorQuad/0/0/0", headers={"Accept": "image/png"}), 406)
    refused(api.get("/xyz/parcels/0/0/0.mvt?f=png"))


@selection("collections-parameter", "collections-response")
def test_some_collections_can_be_chosen(api: httpx.Client, openapi: Json) -> None:
    said = parameter(openapi, PATHS[0], "collections")
    assert said["in"] == "query"
    told = set_of(api, "", "WebMercatorQuad")
    rows, columns = limits(set_of(api, "/collections/parcels", "WebMercatorQuad"), 12)
    url = at(told, 12, rows[0], columns[0])
    assert list(decode(api.get(url, params={"collections": "parcels"}).content)) == ["parcels"]
    assert list(decode(api.get(url, params={"collections": "roads,parcels"}).content)) == ["roads", "parcels"]
    refused(api.get(url, params={"collections": "parcels,nothing"}), 404)


@datetime_("datetime-axis")
def test_a_time_can_be_chosen(api: httpx.Client, openapi: Json) -> None:
    said = parameter(openapi, PATHS[1], "datetime")
    assert (said["in"], said["schema"]["type"], said["explode"]) == ("query", "string", False)
    told = set_of(api, "/collections/parcels", "WebMercatorQuad")
    rows, columns = limits(told, 16)
    url = at(told, 16, rows[len(rows) // 2], columns[len(columns) // 2])
    every = {one.id for one in decode(api.get(url).content)["parcels"]}
    answer = api.get(url, params={"datetime": "2024-01-01/2024-03-01"})
    chosen = {one.id for one in decode(answer.content)["parcels"]}
    assert chosen < every
    assert {n for n in every if (n - 1) % 366 <= 60} == chosen
    refused(api.get(url, params={"datetime": "never"}))


def test_a_filter_can_be_given(api: httpx.Client) -> None:
    told = set_of(api, "/collections/parcels", "CGCS2000Quad")
    rows, columns = limits(told, 14)
    url = at(told, 14, rows[len(rows) // 2], columns[len(columns) // 2])
    found = decode(api.get(url, params={"filter": "land_class = '0303' and parcel_no <> 5"}).content)["parcels"]
    assert found
    assert all(one.properties["land_class"] == "0303" and one.id != 5 for one in found)
    refused(api.get(url, params={"filter": "nothing = 1"}))
    refused(api.get(url, params={"filter": "parcel_no <"}))


@core("tc-tilematrix-definition", "tc-tilerow-definition", "tc-tilecol-definition")
@oas30("completeness", "operation-id")
@pytest.mark.parametrize("path", PATHS)
def test_the_api_describes_tiles(openapi: Json, path: str) -> None:
    for name, type_ in (("tileMatrix", "string"), ("tileRow", "integer"), ("tileCol", "integer")):
        said = parameter(openapi, path, name)
        assert (said["in"], said["required"], said["schema"]["type"]) == ("path", True, type_)
    operation = openapi["paths"][path]["get"]
    assert ".getTile" in operation["operationId"]
    assert MVT in resolved(openapi, operation["responses"]["200"])["content"]
    assert {"400", "404", "406", "500", "503"} <= operation["responses"].keys()
    for part in ("", "/{tileMatrixSetId}"):
        listed = openapi["paths"][path.replace(TILE, f"/tiles{part}")]["get"]
        assert ".getTileSet" in listed["operationId"]


@pytest.mark.parametrize("name", SETS)
def test_a_tile_matrix_set_is_as_the_registry_has_it(api: httpx.Client, name: str) -> None:
    told = get(api, f"/tileMatrixSets/{name}")
    theirs = morecantile.tms.get("WorldCRS84Quad" if name == "CGCS2000Quad" else name)
    assert told["id"] == name
    assert (
        told["crs"]
        == {
            "WebMercatorQuad": "http://www.opengis.net/def/crs/EPSG/0/3857",
            "WorldCRS84Quad": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            "CGCS2000Quad": "http://www.opengis.net/def/crs/EPSG/0/4490",
        }[name]
    )
    for ours, one in zip(told["tileMatrices"], theirs.tileMatrices, strict=True):
        assert (ours["id"], ours["matrixWidth"], ours["matrixHeight"]) == (one.id, one.matrixWidth, one.matrixHeight)
        assert ours["scaleDenominator"] == pytest.approx(one.scaleDenominator)
        origin = list(one.pointOfOrigin)
        assert ours["pointOfOrigin"] == (origin[::-1] if name == "CGCS2000Quad" else origin)
    assert not list(nulls(told))


def test_pages_for_people_exist_in_both_languages(api: httpx.Client) -> None:
    for path in (
        "/tiles",
        "/tiles/CGCS2000Quad",
        "/collections/parcels/tiles",
        "/tileMatrixSets",
        "/tileMatrixSets/CGCS2000Quad",
    ):
        for language, word in (("zh", "瓦片"), ("en", "ile")):
            page = api.get(path, headers={"Accept": "text/html"}, params={"lang": language})
            assert page.headers["content-type"].startswith("text/html")
            assert word in page.text


def test_tilejson_tells_web_maps_all_they_need(api: httpx.Client, live_server: str) -> None:
    told = get(api, "/xyz/parcels.json")
    assert told["tilejson"] == "3.0.0"
    assert told["tiles"] == [f"{live_server}/xyz/parcels/{{z}}/{{x}}/{{y}}.mvt"]
    (layer,) = told["vector_layers"]
    assert layer["id"] == "parcels"
    tile = morecantile.tms.get("WebMercatorQuad").tile(*told["center"][:2], 14)
    url = told["tiles"][0].format(z=tile.z, x=tile.x, y=tile.y)
    features: list[Any] = decode(api.get(url).content)["parcels"]
    assert {name for one in features for name in one.properties} <= layer["fields"].keys()
    city = get(api, "/xyz.json")
    assert {one["id"] for one in city["vector_layers"]} == {
        one["id"] for one in get(api, "/collections")["collections"]
    }
    assert api.get(city["tiles"][0].format(z=tile.z, x=tile.x, y=tile.y)).status_code == 200
