"""How data sets are drawn, from their values in PostGIS to the style that is served, and a style of one's own."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import httpx
import pytest
import shapely
from openapi_schema_validator import OAS30Validator

from core.catalogue import Dataset, get_dataset
from core.database import Connection, connect, rows
from core.settings import ROOT, Settings
from server.levels import draw_by
from tests.city import write_city
from tests.conftest import Load
from tests.integration.test_cli import Shell
from tests.made_data import make_dataset
from tiles.portrayal import Portrayal, portray, portrayal_of, restyle, served_table
from tiles.style.points import name_points, needs_points


@pytest.fixture
def chengtu(database: str, tmp_path: Path) -> Shell:
    return Shell(database, tmp_path / "var")


@pytest.fixture
def lots(database: str, load_into: Load, tmp_path: Path) -> Dataset:
    """Three hundred lots of five uses, a sixth of them without one."""
    number = range(300)
    uses = ["住宅用地", "工业用地", "公园绿地", "商业用地", "住宅用地", None]
    english = {"住宅用地": "Housing", "工业用地": "Industry", "公园绿地": "Park", "商业用地": "Retail"}
    frame = gpd.GeoDataFrame(
        {
            "lot_code": [f"L{n:05d}" for n in number],
            "name_zh": [f"{n}号地" for n in number],
            "name_en": [f"Lot {n}" for n in number],
            "use_zh": [uses[n % 6] for n in number],
            "use_en": [english.get(uses[n % 6] or "") for n in number],
            "district": ["甲区"] * 150 + ["乙区"] * 150,
            "floors": [n % 30 for n in number],
            "remark": [f"a long remark about lot {n}" for n in number],
        },
        geometry=[shapely.box(126 + n % 20 / 100, 43 + n // 20 / 100, 126.009 + n % 20 / 100, 43.009 + n // 20 / 100) for n in number],
        crs=4490,
    )  # fmt: skip
    frame.to_file(tmp_path / "lots.gpkg", driver="GPKG")
    load_into(tmp_path / "lots.gpkg", id="lots", key="lot_code")
    with connect(database) as connection:
        return get_dataset(connection, "lots")


def portrayed(database: str, dataset: Dataset, style: dict[str, Any] | None = None) -> Portrayal:
    with connect(database) as connection:
        table = served_table(connection, dataset.id)
        return portray(connection, table, dataset.fields, dataset.key, style)


def test_a_data_set_is_coloured_by_its_classes_most_frequent_first(database: str, lots: Dataset) -> None:
    found = portrayed(database, lots)
    assert found.class_field == "use_zh"
    assert found.classes[0] == "住宅用地"
    assert set(found.classes[1:]) == {"工业用地", "公园绿地", "商业用地"}
    assert found.class_titles[0] == ("Housing", "住宅用地")


def test_a_tile_carries_names_in_both_languages_the_class_and_what_tells_most(database: str, lots: Dataset) -> None:
    assert portrayed(database, lots).fields == ("lot_code", "name_en", "name_zh", "use_zh", "floors")


def test_what_all_features_share_and_what_each_has_alone_is_no_class(database: str) -> None:
    points = [(n, "one", f"kind {n}", "POINT(126 43)") for n in range(200)]
    make_dataset(database, "dull", "Point", 4490, points, {"type": "text", "kind": "text"})
    with connect(database) as connection:
        connection.execute("analyze data.dull__1")
        dataset = get_dataset(connection, "dull")
    assert portrayed(database, dataset).class_field is None


def test_of_too_many_classes_the_most_frequent_are_shown(database: str) -> None:
    points = [(n, f"{n % 40:02d}", "POINT(126 43)") for n in range(2000)] + [(9000 + n, "39", None) for n in range(5)]
    make_dataset(database, "dltb", "Point", 4490, points, {"DLMC": "text"})
    with connect(database) as connection:
        connection.execute("analyze data.dltb__1")
        dataset = get_dataset(connection, "dltb")
    found = portrayed(database, dataset)
    assert (found.class_field, len(found.classes), found.classes[0]) == ("DLMC", 24, "39")


def test_a_data_set_of_an_older_version_is_drawn_by_its_names_alone(lots: Dataset) -> None:
    found = portrayal_of(lots._replace(portrayal=None))
    assert (found.class_field, found.label_field) == (None, "name_zh")
    assert "lot_code" in found.fields


def test_a_style_changes_what_tiles_carry_and_the_default_brings_it_back(database: str, lots: Dataset) -> None:
    own = {"version": 8, "layers": [{"id": "a", "type": "fill", "filter": ["==", ["get", "remark"], "x"]}]}
    with connect(database) as connection:
        assert "remark" in restyle(connection, lots, own).fields
        styled = get_dataset(connection, "lots")
        assert (styled.style, "remark" in portrayal_of(styled).fields) == (own, True)
        assert styled.updated > lots.updated
        assert "remark" not in restyle(connection, lots, None).fields
        assert get_dataset(connection, "lots").style is None


def test_generalised_features_carry_what_a_style_reads_as_well(
    database: str, load_into: Load, tmp_path: Path, settings: Settings
) -> None:
    number = range(3600)
    frame = gpd.GeoDataFrame(
        {"name": [f"{n}" for n in number], "height": [n % 9 for n in number], "lanes": [n % 5 for n in number]}
        | {f"other_{n}": ["x"] * 3600 for n in range(4)}
        | {"remark": ["all the same"] * 3600},
        geometry=[shapely.box(n % 60, n // 60, n % 60 + 1, n // 60 + 1) for n in number],
        crs=4490,
    )
    frame.to_file(tmp_path / "squares.gpkg", driver="GPKG")
    load_into(tmp_path / "squares.gpkg", id="squares")
    own = {"version": 8, "layers": [{"id": "a", "type": "fill", "filter": ["==", ["get", "remark"], "x"]}]}
    with connect(database) as connection:
        before = get_dataset(connection, "squares")
        assert before.levels
        assert "remark" not in _columns_of_levels(connection)
        draw_by(connection, settings, before, own)
        after = get_dataset(connection, "squares")
        assert _rows_by_zoom(after) == _rows_by_zoom(before)
        remarks = connection.execute("select remark, sum(members) as n from tiles.squares where zoom = 0 group by 1")
        assert remarks.fetchall() == [{"remark": "all the same", "n": 3600}]
        draw_by(connection, settings, after, None)
        assert "remark" not in _columns_of_levels(connection)


def _rows_by_zoom(dataset: Dataset) -> dict[int, int]:
    return {one["zoom"]: one["rows"] for one in (dataset.levels or {})["zooms"]}


def _columns_of_levels(connection: Connection) -> set[str]:
    columns = rows(connection, "relation_columns", table="tiles.squares")
    return {row["name"] for row in columns}


def test_the_name_of_a_large_area_lies_within_it(database: str) -> None:
    horseshoe = "MULTIPOLYGON(((126 43,127 43,127 44,126.9 44,126.9 43.1,126.1 43.1,126.1 44,126 44,126 43)))"
    areas = [
        (1, "凹", "Bay", horseshoe),
        (2, None, None, horseshoe),
        (3, "无", None, None),
        (4, "空", None, "MULTIPOLYGON EMPTY"),
    ]
    make_dataset(database, "areas", "MultiPolygon", 4490, areas, {"name_zh": "text", "name_en": "text"})
    with connect(database) as connection:
        dataset = get_dataset(connection, "areas")
        assert needs_points(dataset)
        (point,) = name_points(connection, dataset)
    assert shapely.from_wkt(horseshoe).contains(shapely.Point(point.east, point.north))
    assert point.names == {"name_zh": "凹", "name_en": "Bay"}


def test_the_collection_leads_to_its_style_and_the_style_is_as_the_api_says(api: httpx.Client) -> None:
    links = api.get("/collections/parcels").json()["links"]
    (there,) = [one for one in links if one["rel"] == "stylesheet" and "qgis" not in one["type"]]
    answer = api.get(there["href"])
    assert answer.headers["content-type"] == there["type"] == "application/vnd.mapbox.style+json"
    document = api.get("/openapi").json()
    schema = document["components"]["schemas"]["style"]
    OAS30Validator(schema).validate(answer.json())
    assert {"/style.json", "/collections/{collectionId}/style.json"} <= document["paths"].keys()


def test_a_style_is_sent_again_only_where_it_has_changed(api: httpx.Client) -> None:
    first = api.get("/style.json")
    again = api.get("/style.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = api.get("/style.json?theme=dark", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_the_city_may_be_asked_for_in_parts(api: httpx.Client) -> None:
    assert list(api.get("/style.json?collections=roads,places").json()["sources"]) == ["roads", "places"]
    assert {"parcels", "roads", "places"} <= api.get("/style.json").json()["sources"].keys()


def test_the_title_and_the_legend_are_in_the_language_that_is_asked_for(api: httpx.Client) -> None:
    answers = {say: api.get(f"/collections/parcels/style.json?lang={say}") for say in ("en", "zh")}
    assert {say: answer.json()["name"] for say, answer in answers.items()} == {"en": "Parcels", "zh": "宗地"}
    assert {answer.headers["content-language"] for answer in answers.values()} == {"en", "zh"}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/collections/nothing/style.json", 404),
        ("/style.json?collections=parcels,nothing", 404),
        ("/style.json?theme=sepia", 400),
        ("/style.json?lang=fr", 400),
        ("/style.json?f=html", 400),
        ("/style.json?colour=red", 400),
        ("/collections/parcels/style.json?collections=roads", 400),
    ],
)
def test_what_no_style_is_made_for_is_refused(api: httpx.Client, address: str, status: int) -> None:
    answer = api.get(address)
    assert (answer.status_code, answer.json()["description"] != "") == (status, True)


def test_a_style_of_ones_own_is_published_at_once_by_a_command(
    chengtu: Shell, lots: Dataset, serve: str, tmp_path: Path
) -> None:
    own = {"version": 8, "layers": [{"id": "red", "type": "fill", "paint": {"fill-color": "red"}}]}
    (tmp_path / "own.json").write_text(json.dumps(own), "utf-8")
    assert chengtu("datasets", "set", "lots", "--style", tmp_path / "own.json").returncode == 0
    _wait_for(serve, {"lots-red"})
    (tmp_path / "own.json").write_text(json.dumps(own).replace('"fill"', '"fil"'), "utf-8")
    refused = chengtu("datasets", "set", "lots", "--style", tmp_path / "own.json")
    assert (refused.returncode, "is of type fil" in refused.stderr) == (2, True)
    assert chengtu("datasets", "set", "lots", "--style", "default").returncode == 0
    _wait_for(serve, {"lots", "lots-outline"})


def test_the_commands_and_the_style_of_the_page_on_styles_work(
    chengtu: Shell, database: str, load_into: Load, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "styles.md").read_text("utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (commands,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (tmp_path / "roads-style.json").write_text(example, "utf-8")
    roads = next(one for one in write_city(tmp_path) if one.id == "roads")
    load_into(roads.path, id="roads")
    for command, style in zip(commands.splitlines(), (json.loads(example)["layers"][0]["id"], None), strict=True):
        words = command.replace("roads-style.json", str(tmp_path / "roads-style.json")).split()[1:]
        done = chengtu(*words)
        assert done.returncode == 0, done.stderr
        with connect(database) as connection:
            kept = get_dataset(connection, "roads").style
        assert (kept["layers"][0]["id"] if kept else None) == style


def _wait_for(url: str, wanted: set[str]) -> None:
    for ids in _styles(url):
        if wanted <= ids:
            return
    pytest.fail(f"no style with {wanted}")


def _styles(url: str) -> Iterator[set[str]]:
    for _ in range(100):
        answer = httpx.get(f"{url}/collections/lots/style.json")
        yield {layer["id"] for layer in answer.json().get("layers", [])}
        time.sleep(0.1)
