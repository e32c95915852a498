"""WMTS 1.0.0: what OWSLib, GDAL and Tianditu's clients read, right corners and scales, and errors as WMTS has them."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import httpx
import mapbox_vector_tile
import pytest
from owslib.wmts import WebMapTileService

from core.catalogue import BBox
from core.settings import ROOT
from tests.conftest import service
from tests.filter_data import asking, dsn_of
from tests.made_data import make_dataset
from tiles.matrix import matrix_sets
from tiles.wmts.capabilities import About, WmtsLayer, capabilities
from tiles.wmts.sets import wmts_sets

VECTORS = json.loads((ROOT / "tests" / "vectors" / "tianditu.json").read_text("utf-8"))
SETS = ["c", "w", "WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad"]
OWS = "{http://www.opengis.net/ows/1.1}"
WMTS = "{http://www.opengis.net/wmts/1.0}"
MVT = "application/vnd.mapbox-vector-tile"
TILE = {"layer": "places", "tilematrixset": "c", "tilematrix": "14", "tilerow": "2100", "tilecol": "13951"}


@pytest.fixture(scope="module")
def wmts(live_server: str) -> WebMapTileService:
    return WebMapTileService(f"{live_server}/wmts")


def get_tile(api: httpx.Client, **given: str) -> httpx.Response:
    return api.get("/wmts", params={"SERVICE": "WMTS", "REQUEST": "GetTile", "VERSION": "1.0.0", **TILE, **given})


def error_of(answer: httpx.Response) -> tuple[int, str, str | None, str]:
    """Status, code, locator and text of an ows:ExceptionReport."""
    assert answer.headers["content-type"].startswith("application/xml")
    report = ElementTree.fromstring(answer.content)
    assert report.tag == f"{OWS}ExceptionReport"
    (exception,) = report
    return answer.status_code, exception.attrib["exceptionCode"], exception.get("locator"), exception[0].text or ""


def test_owslib_finds_each_data_set_and_the_city_in_every_set(wmts: WebMapTileService) -> None:
    assert list(wmts.contents) == ["city", "parcels", "places", "roads", "sites_mercator", "sites_wgs84"]
    assert list(wmts.tilematrixsets) == SETS
    assert [one.name for one in wmts.operations] == ["GetCapabilities", "GetTile"]
    for layer in wmts.contents.values():
        assert list(layer.tilematrixsetlinks) == SETS
        assert layer.formats == [MVT]
    assert wmts.contents["parcels"].boundingBoxWGS84 == pytest.approx((126.4969, 43.7842, 126.5593, 43.8294), abs=1e-4)


def test_a_tile_by_owslib_is_the_tile_of_the_api(wmts: WebMapTileService, api: httpx.Client) -> None:
    got = wmts.gettile(layer="places", tilematrixset="c", tilematrix="14", row=2100, column=13951, format=MVT)
    assert got.read() == api.get("/collections/places/tiles/CGCS2000Quad/13/2100/13951").content != b""


def test_the_city_is_one_layer_of_all(api: httpx.Client) -> None:
    tile = mapbox_vector_tile.decode(get_tile(api, layer="city", tilecol="13949", tilerow="2102").content)
    assert {"parcels", "roads"} <= tile.keys()


@pytest.mark.parametrize("scales", ["ogc", "tianditu"])
@pytest.mark.parametrize("one", VECTORS["levels"], ids=lambda one: one["level"])
def test_levels_are_tianditus(scales: Any, one: dict[str, Any]) -> None:
    sets = wmts_sets(matrix_sets(("WebMercatorQuad", "CGCS2000Quad")), scales)
    level = one["level"]
    for name, unit in (("c", "degrees"), ("w", "metres")):
        assert sets[name].scale(level) == pytest.approx(one[scales], rel=1e-8)
        assert sets[name].matrix(level).cell == pytest.approx(one[unit], rel=1e-9)
    assert (sets["c"].matrix(level).columns, sets["c"].matrix(level).rows) == (one["columns"], one["rows"])
    assert (sets["w"].matrix(level).columns, sets["w"].matrix(level).rows) == (2**level, 2**level)
    assert sets["WebMercatorQuad"].scale(level) == pytest.approx(one["ogc"], rel=1e-8)


@pytest.mark.parametrize("name", ["c", "w"])
def test_a_known_place_is_in_the_tile_that_tianditu_has_it_in(api: httpx.Client, name: str) -> None:
    for level, (column, row) in VECTORS["tiles"][name].items():
        answer = get_tile(api, tilematrixset=name, tilematrix=level, tilerow=str(row), tilecol=str(column))
        features = mapbox_vector_tile.decode(answer.content)["places"]["features"]
        assert "市中心" in [one["properties"].get("name") for one in features]


def test_corners_are_in_the_axis_order_of_the_crs(wmts: WebMapTileService, api: httpx.Client) -> None:
    corners = {
        one: wmts.tilematrixsets[one].tilematrix[next(iter(wmts.tilematrixsets[one].tilematrix))].topleftcorner
        for one in SETS
    }
    assert corners["c"] == corners["CGCS2000Quad"] == (90, -180)
    assert corners["WorldCRS84Quad"] == (-180, 90)
    assert corners["w"] == corners["WebMercatorQuad"] == pytest.approx((-20037508.3427892, 20037508.3427892))
    document = ElementTree.fromstring(api.get("/wmts/1.0.0/WMTSCapabilities.xml").content)
    boxes = {
        box.attrib["crs"]: [float(number) for corner in box for number in (corner.text or "").split()]
        for box in document.iterfind(f"{WMTS}Contents/{WMTS}Layer[2]/*")
        if box.tag == f"{OWS}BoundingBox"
    }
    assert boxes["urn:ogc:def:crs:EPSG::4490"] == pytest.approx([43.7842, 126.4969, 43.8294, 126.5593], abs=1e-4)
    assert boxes["urn:ogc:def:crs:OGC:1.3:CRS84"] == pytest.approx([126.4969, 43.7842, 126.5593, 43.8294], abs=1e-4)
    assert boxes["urn:ogc:def:crs:EPSG::3857"][:2] == pytest.approx([14081572.6, 5432104.8], abs=20)


def test_limits_hold_all_tiles_of_a_layer_and_no_row_or_column_more(wmts: WebMapTileService, api: httpx.Client) -> None:
    limits = wmts.contents["parcels"].tilematrixsetlinks["c"].tilematrixlimits["16"]
    rows, columns = range(limits.mintilerow, limits.maxtilerow + 1), range(limits.mintilecol, limits.maxtilecol + 1)
    filled = {
        (row, column)
        for row in rows
        for column in columns
        if get_tile(api, layer="parcels", tilematrix="16", tilerow=str(row), tilecol=str(column)).content
    }
    assert {row for row, _ in filled} == set(rows)
    assert {column for _, column in filled} == set(columns)


def test_addresses_give_what_parameters_give(wmts: WebMapTileService, api: httpx.Client) -> None:
    template = wmts.contents["places"].resourceURLs[0]["template"]
    names = {"style": "default", "TileMatrixSet": "c", "TileMatrix": "14", "TileRow": "2100", "TileCol": "13951"}
    by_address = api.get(template.format(**names))
    assert by_address.content == get_tile(api).content != b""
    assert by_address.headers["content-type"] == MVT
    assert api.get("/wmts/1.0.0/WMTSCapabilities.xml").content == capabilities_of(api, {}).content


def capabilities_of(api: httpx.Client, given: dict[str, str]) -> httpx.Response:
    return api.get("/wmts", params={"service": "WMTS", "request": "GetCapabilities", **given})


def test_names_of_parameters_are_read_in_any_case_and_strange_ones_passed_over(api: httpx.Client) -> None:
    asked = "SeRvIcE=wmts&Request=gettile&VERSION=1.0.0&Layer=places&STYLE=default&TileMatrixSet=c&FORMAT=tiles"
    answer = api.get(f"/wmts?{asked}&TILEMATRIX=14&TileRow=2100&tilecol=13951&tk=0123456789")
    assert (answer.status_code, answer.content) == (200, get_tile(api).content)


def test_capabilities_are_in_the_language_of_the_request_and_answer_304(api: httpx.Client) -> None:
    english, chinese = capabilities_of(api, {"lang": "en"}), capabilities_of(api, {"lang": "zh"})
    assert ">Parcels<" in english.text
    assert ">宗地<" in chinese.text
    again = api.get(
        "/wmts", params=dict(english.request.url.params), headers={"If-None-Match": english.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_capabilities_name_no_dtd_and_no_schema_to_be_fetched(api: httpx.Client) -> None:
    text = capabilities_of(api, {}).text
    assert "<!DOCTYPE" not in text
    assert "schemaLocation" not in text


def test_titles_with_anything_in_them_stay_xml() -> None:
    nasty = "<a href='x'>&amp; ]]> \x01 \ufffe \ud800 松花江"
    about = About(nasty, nasty, [nasty], nasty, nasty, None, nasty, "a&b@example.org", "http://x/?a=1&b=2", "zh")
    sets = [*wmts_sets(matrix_sets(("WebMercatorQuad",)), "ogc").values()]
    body = capabilities(about, [WmtsLayer("a", nasty, "", [], BBox(1, 2, 3, 4), None)], sets)
    title = ElementTree.fromstring(body).find(f"{WMTS}Contents/{WMTS}Layer/{OWS}Title")
    assert title is not None
    assert title.text == "<a href='x'>&amp; ]]>    松花江"


@pytest.mark.parametrize(
    ("changed", "status", "code", "locator"),
    [
        ({"service": "WMS"}, 400, "InvalidParameterValue", "Service"),
        ({"service": ""}, 400, "MissingParameterValue", "Service"),
        ({"request": "GetFeatureInfo"}, 501, "OperationNotSupported", "GetFeatureInfo"),
        ({"request": "GetCapabilities", "acceptversions": "2.0.0"}, 400, "VersionNegotiationFailed", "AcceptVersions"),
        ({"version": "1.1.0"}, 400, "InvalidParameterValue", "VERSION"),
        ({"layer": ""}, 400, "MissingParameterValue", "Layer"),
        ({"layer": "no_such"}, 400, "InvalidParameterValue", "Layer"),
        ({"style": "night"}, 400, "InvalidParameterValue", "Style"),
        ({"format": "image/png"}, 400, "InvalidParameterValue", "Format"),
        ({"format": "text/plain"}, 400, "InvalidParameterValue", "Format"),
        ({"tilematrixset": "EPSG:4490"}, 400, "InvalidParameterValue", "TileMatrixSet"),
        ({"tilematrix": "0"}, 400, "InvalidParameterValue", "TileMatrix"),
        ({"tilematrix": "19"}, 400, "InvalidParameterValue", "TileMatrix"),
        ({"tilematrix": "-1"}, 400, "InvalidParameterValue", "TileMatrix"),
        ({"tilerow": "8192"}, 400, "TileOutOfRange", "TileRow"),
        ({"tilecol": "99999999999999999999"}, 400, "InvalidParameterValue", "TileCol"),
        ({"tilecol": "٣"}, 400, "InvalidParameterValue", "TileCol"),
    ],
)
def test_what_is_wrong_is_reported_as_wmts_does(
    api: httpx.Client, changed: dict[str, str], status: int, code: str, locator: str
) -> None:
    params = {"service": "WMTS", "request": "GetTile", "version": "1.0.0", **TILE, **changed}
    assert error_of(api.get("/wmts", params=params))[:3] == (status, code, locator)


def test_a_picture_is_refused_with_advice_in_both_languages(api: httpx.Client) -> None:
    assert "vector" in error_of(get_tile(api, format="image/png", lang="en"))[3]
    assert "矢量瓦片" in error_of(get_tile(api, format="image/png", lang="zh"))[3]


def test_every_example_of_the_page_answers(api: httpx.Client) -> None:
    examples = re.findall(r"^GET (.+)$", (ROOT / "docs" / "wmts.md").read_text("utf-8"), re.MULTILINE)
    assert len(examples) == 5
    for one in examples:
        answer = api.get(one)
        assert (answer.status_code, len(answer.content) > 50) == (200, True), one


def test_a_parameter_given_twice_is_refused(api: httpx.Client) -> None:
    answer = api.get("/wmts?service=WMTS&request=GetTile&layer=places&LAYER=parcels")
    assert error_of(answer)[:3] == (400, "InvalidParameterValue", "LAYER")


@pytest.mark.parametrize(
    "path", ["no_such/default/c/14/2100/13951.mvt", "places/default/c/14/9000/13951.mvt", "places/default/c/14/1/1.png"]
)
def test_an_address_of_nothing_is_404(api: httpx.Client, path: str) -> None:
    assert error_of(api.get(f"/wmts/1.0.0/{path}"))[0] == 404


def test_a_tile_with_nothing_in_it_is_empty(api: httpx.Client) -> None:
    answer = get_tile(api, tilerow="0", tilecol="0")
    assert (answer.status_code, answer.content) == (200, b"")


def test_time_chooses_among_the_features_of_a_layer_that_has_times(api: httpx.Client) -> None:
    place = {"layer": "parcels", "tilematrix": "10", "tilerow": "131", "tilecol": "871"}
    every, some = get_tile(api, **place), get_tile(api, **place, time="2024-01-01/2024-01-31")
    counts = [len(mapbox_vector_tile.decode(one.content)["parcels"]["features"]) for one in (every, some)]
    assert 0 < counts[1] < counts[0]
    assert error_of(get_tile(api, **place, time="yesterday"))[:2] == (400, "InvalidParameterValue")
    assert get_tile(api, time="yesterday").status_code == 200


def test_a_time_is_offered_only_where_there_is_one(api: httpx.Client) -> None:
    document = ElementTree.fromstring(capabilities_of(api, {}).content)
    timed = [
        layer.findtext(f"{OWS}Identifier")
        for layer in document.iter(f"{WMTS}Layer")
        if layer.find(f"{WMTS}Dimension") is not None
    ]
    assert timed == ["parcels"]
    assert document.findtext(f".//{WMTS}Dimension/{WMTS}Default") == "2024-01-01T00:00:00Z/2024-12-31T00:00:00Z"


@pytest.mark.gdal
def test_gdal_places_a_layer_of_each_set_where_it_is(live_server: str) -> None:
    for name, expected in {"c": (126.4969, 43.8294), "w": (14081573, 5439077)}.items():
        source = f"WMTS:{live_server}/wmts/1.0.0/WMTSCapabilities.xml,layer=parcels,tilematrixset={name}"
        done = subprocess.run(["gdalinfo", "-json", source], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["cornerCoordinates"]["upperLeft"] == pytest.approx(expected, rel=1e-5)


@pytest.fixture(scope="module")
def tianditu(server_dsn: str, template: str) -> Iterator[str]:
    with asking(server_dsn, template) as connection:
        make_dataset(dsn_of(connection), "city", "Point", 4490, [(1, "POINT(126.55 43.84)")])
        make_dataset(dsn_of(connection), "empty", "Point", 4490, [])
        with service(dsn_of(connection), wmts_scales="tianditu", workers="1") as url:
            yield url


def test_tianditus_scales_are_a_setting(tianditu: str) -> None:
    sets = WebMapTileService(f"{tianditu}/wmts").tilematrixsets
    assert sets["c"].tilematrix["1"].scaledenominator == pytest.approx(295829355.45)
    assert sets["WebMercatorQuad"].tilematrix["1"].scaledenominator == pytest.approx(279541132.01)


def test_a_data_set_called_city_keeps_its_name_and_one_with_nothing_in_it_is_no_layer(tianditu: str) -> None:
    assert list(WebMapTileService(f"{tianditu}/wmts").contents) == ["_city", "city"]
    address = "c/14/2100/13951.mvt"
    tiles = [httpx.get(f"{tianditu}/wmts/1.0.0/{one}/default/{address}").content for one in ("_city", "city")]
    assert tiles[0] == tiles[1] != b""
