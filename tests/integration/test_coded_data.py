"""A survey with its code lists: names and colours in the schema, in the style of the map, and in the style for QGIS."""

from collections.abc import Iterator
from xml.etree import ElementTree

import httpx
import pytest

from tests.conftest import loader_for, service
from tests.filter_data import asking, dsn_of
from tests.ogc import get, links
from tests.survey import dltb, write_survey

CLASSES = {"0101": "水田", "0301": "乔木林地", "0702": "农村宅基地", "1101": "河流水面"}


@pytest.fixture(scope="module")
def survey(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service that has a tiny survey, of parcels of four classes."""
    folder = tmp_path_factory.mktemp("survey")
    parcels = dltb(DLBM=[*CLASSES], DLMC=[*CLASSES.values()])
    with asking(server_dsn, template) as connection:
        dsn = dsn_of(connection)
        loader_for(dsn, folder)(write_survey(folder / "survey.gpkg", DLTB=parcels))
        with service(dsn) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield client


def test_a_schema_tells_titles_units_and_codes(survey: httpx.Client) -> None:
    told = get(survey, "/collections/dltb/schema?lang=zh")["properties"]
    assert told["TBMJ"]["x-ogc-unit"] == "m2"
    assert told["DLBM"]["title"] == "地类编码"
    names = {one["const"]: one["title"] for one in told["DLBM"]["oneOf"]}
    assert CLASSES.items() <= names.items()
    listed = get(survey, told["DLBM"]["x-ogc-codelistUri"])
    assert [one["code"] for one in listed["codes"]] == told["DLBM"]["enum"]
    searched = get(survey, "/collections/dltb/queryables?lang=en")["properties"]
    assert {"const": "0101", "title": "Paddy field"} in searched["DLBM"]["oneOf"]


def test_the_page_of_the_fields_has_titles_and_leads_to_the_lists(survey: httpx.Client) -> None:
    page = survey.get("/collections/dltb/schema", headers={"Accept": "text/html", "Accept-Language": "zh"}).text
    assert "地类编码" in page
    assert 'href="/codelists/survey-classes"' in page
    assert "m2" in page


@pytest.mark.parametrize(("language", "first"), [("zh", "水田"), ("en", "Paddy field")])
def test_the_map_is_coloured_by_the_class_with_the_lists_names(survey: httpx.Client, language: str, first: str) -> None:
    style = get(survey, f"/collections/dltb/style.json?lang={language}")
    (legend,) = style["metadata"]["chengtu:legend"]
    assert legend["class"] == "DLBM"
    assert [one["value"] for one in legend["entries"]] == [*CLASSES, None]
    assert legend["entries"][0] == {"value": "0101", "title": first, "colour": "#f8d072"}


def test_qgis_gets_a_style_with_the_same_classes_and_with_names_for_codes(survey: httpx.Client) -> None:
    described = get(survey, "/collections/dltb?lang=zh")
    (link,) = [one for one in links(described, "stylesheet") if one["type"] == "application/x-qgis-layer-settings"]
    answer = survey.get(link["href"])
    assert answer.headers["content-type"] == link["type"]
    assert "dltb.qml" in answer.headers["content-disposition"]
    root = ElementTree.fromstring(answer.content)
    (renderer,) = root.iter("renderer-v2")
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "DLBM")
    labels = [one.get("label") for one in renderer.iter("category")]
    assert labels == ["水田 (0101)", "乔木林地 (0301)", "农村宅基地 (0702)", "河流水面 (1101)", "其他"]
    assert {one.get("field"): one.get("name") for one in root.iter("alias")}["DLBM"] == "地类编码"
    assert {"DLBM", "QSXZ", "GDPDJB", "CZCSXM"} <= value_maps(root).keys()
    assert value_maps(root)["QSXZ"]["30"] == "集体土地所有权"
    assert value_maps(root)["DLBM"]["205"] == "特殊用地 (205)"  # since 09 is called so as well
    assert "/collections/{collectionId}/style.qml" in get(survey, "/openapi")["paths"]
    again = survey.get(link["href"], headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert survey.get("/collections/dltb/style.qml?theme=dark").status_code == 400


def value_maps(root: ElementTree.Element) -> dict[str, dict[str, str]]:
    """By field: what each code is called."""
    return {
        field.get("name", ""): {
            pair.get("value", ""): pair.get("name", "") for pair in field.findall(".//Option[@type='QString']")
        }
        for field in root.iter("field")
        if field.find("editWidget[@type='ValueMap']") is not None
    }


def test_what_follows_no_profile_has_a_style_for_qgis_too(api: httpx.Client) -> None:
    for one in get(api, "/collections")["collections"]:
        root = ElementTree.fromstring(api.get(f"/collections/{one['id']}/style.qml").content)
        assert root.find("renderer-v2") is not None
        assert value_maps(root) == {}
