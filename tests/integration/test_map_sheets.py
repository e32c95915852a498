"""Topographic maps by sheet: loaded, asked for over HTTP, replaced alone, indexed, and matched at their edges."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import httpx
import psycopg
import pytest
import shapely
from psycopg.rows import dict_row

from data.topography import write_sheets
from loaders import SheetOptions
from loaders.sheets.edges import Bordering, match, tolerance_of
from loaders.sheets.exchange import SheetNeeded
from loaders.sheets.naming import NoMap, NotOnSheet, OtherScale, ScaleNeeded, asked_sheet, sheet_in
from tests.cass_drawing import coded, new_drawing, on
from tests.conftest import Load, loader_for, service
from tests.source_files import frame, write

EAST, NORTH = 40_500_000, 4_850_000  # the south-west corner of the western sheet, 250 m wide at 1:500
BORDER = EAST + 250
WEST_SHEET, EAST_SHEET = "4850.00-500.00", "4850.00-500.25"


def rows(dsn: str, statement: str) -> list[dict[str, Any]]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def west(folder: Path, name: str = WEST_SHEET, houses: int = 2) -> Path:
    """The western sheet: houses, contours that end at the border, and a road."""
    drawing = new_drawing()
    model = drawing.modelspace()
    for n in range(houses):
        x, y = EAST + 20 * n + 10, NORTH + 10
        square = [(x, y), (x + 10, y), (x + 10, y + 10), (x, y + 10)]
        coded(model.add_lwpolyline(square, close=True, dxfattribs=on("JMD")), "141121")
    for height in (200, 201, 202, 203):
        line = [(EAST + 50, NORTH + height - 150), (BORDER, NORTH + height - 150)]
        coded(model.add_lwpolyline(line, dxfattribs=on("DGX", elevation=height)), "201101")
    coded(model.add_line((EAST, NORTH + 100), (BORDER, NORTH + 100), dxfattribs=on("DLSS")), "163200")
    field = [(EAST + 200, NORTH + 150), (BORDER, NORTH + 150), (BORDER, NORTH + 200), (EAST + 200, NORTH + 200)]
    coded(model.add_lwpolyline(field, close=True, dxfattribs=on("ZBTZ")), "211200")
    spot = model.add_blockref("GC200", (EAST + 30, NORTH + 30, 203.45), dxfattribs=on("GCD"))
    coded(spot, "202101")
    path = folder / f"{name}.dxf"
    drawing.saveas(path)
    return path


def east(folder: Path) -> Path:
    """The eastern sheet: of the contours one matches, one lies 0.2 m off, one has another height, one is missing."""
    drawing = new_drawing()
    model = drawing.modelspace()
    for height, y in ((200, 50), (201, 51.2), (205, 52)):
        line = [(BORDER, NORTH + y), (BORDER + 90, NORTH + y)]
        coded(model.add_lwpolyline(line, dxfattribs=on("DGX", elevation=height)), "201101")
    coded(model.add_line((BORDER, NORTH + 100.05), (BORDER + 90, NORTH + 100), dxfattribs=on("DLSS")), "164300")
    field = [(BORDER, NORTH + 150), (BORDER + 20, NORTH + 150), (BORDER + 20, NORTH + 200), (BORDER, NORTH + 200)]
    coded(model.add_lwpolyline(field, close=True, dxfattribs=on("ZBTZ")), "211200")
    path = folder / f"{EAST_SHEET}.dxf"
    drawing.saveas(path)
    return path


@pytest.fixture(scope="module")
def city(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Two sheets that were loaded, the western one twice; what the service says of them afterwards."""
    folder = tmp_path_factory.mktemp("sheets")
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"create database sheets_city template {template}")  # type: ignore[arg-type]
    dsn = psycopg.conninfo.make_conninfo(server_dsn, dbname="sheets_city")
    load = loader_for(dsn, folder)
    first = load(west(folder), sheet=SheetOptions(edition="2014", producer="测绘一院"))
    second = load(east(folder), sheet=SheetOptions(edition="2024"))
    before = rows(dsn, "select id, xmin::text from data.relief where sheet like '4850.00-500.25%'")
    again = load(west(folder, houses=3), sheet=SheetOptions(edition="2025"))
    after = rows(dsn, "select id, xmin::text from data.relief where sheet like '4850.00-500.25%'")
    with service(dsn) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield {"dsn": dsn, "reports": (first, second, again), "kept": (before, after), "http": client, "load": load,
               "folder": folder}  # fmt: skip
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute("drop database sheets_city with (force)")


def items(city: dict[str, Any], id_: str, **query: str) -> list[dict[str, Any]]:
    answer = city["http"].get(f"/collections/{id_}/items", params={"f": "json", "limit": "100", **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["features"]
    return found


def test_themes_of_all_sheets_are_asked_for_over_http(city: dict[str, Any]) -> None:
    ids = {one["id"] for one in city["http"].get("/collections", params={"f": "json"}).json()["collections"]}
    assert {"settlement", "relief", "relief_points", "transport", "vegetation", "map_sheets", "map_sheets_edges"} <= ids
    contours = items(city, "relief", filter="elevation > 201")
    assert sorted(one["properties"]["elevation"] for one in contours) == [202, 203, 205]
    spot = items(city, "relief_points")[0]
    assert spot["geometry"]["coordinates"][2] == 203.45
    assert spot["properties"]["gb_code"] == "720100"
    assert spot["properties"]["gb_edition"] == "2022"
    assert spot["properties"]["sheet"] == f"{WEST_SHEET}@500"
    assert all(one["id"].startswith(one["properties"]["sheet"]) for one in items(city, "settlement"))


def test_a_sheet_is_replaced_alone(city: dict[str, Any]) -> None:
    assert len(items(city, "settlement")) == 3
    third = {one.id: one for one in city["reports"][2].datasets}
    assert third["settlement"].changes == (1, 0, 0)
    before, after = city["kept"]
    assert before == after
    assert third["relief"].release == next(one.release for one in city["reports"][0].datasets if one.id == "relief")


def test_the_index_knows_scale_edition_producer_and_age(city: dict[str, Any]) -> None:
    found = {one["id"]: one["properties"] for one in items(city, "map_sheets")}
    newer = found[f"{WEST_SHEET}@500"]
    assert (newer["sheet"], newer["scale"], newer["system"]) == (WEST_SHEET, 500, "50x50 cm")
    assert (newer["edition"], newer["producer"], newer["surveyed"]) == ("2025", "测绘一院", "2025-01-01")
    assert newer["age"] == "new"
    assert newer["features"] == 3 + 4 + 1 + 1 + 1
    assert newer["source"] == f"{WEST_SHEET}.dxf"
    area = rows(city["dsn"], "select st_area(geom::geography) as area from data.map_sheets limit 1")
    assert area[0]["area"] == pytest.approx(250 * 250, rel=0.001)


def test_edges_that_do_not_match_are_found_all_of_them_and_nothing_else(city: dict[str, Any]) -> None:
    found = sorted(
        (one["properties"]["rule"], one["properties"]["theme"], one["properties"]["note_en"][:30])
        for one in items(city, "map_sheets_edges")
    )
    assert [one[:2] for one in found] == [
        ("edge-attribute", "relief"),
        ("edge-attribute", "transport"),
        ("edge-geometry", "relief"),
        ("edge-missing", "relief"),
    ]
    assert found[2][2].startswith("The ends lie 0.20 m apart")
    assert found[3][2].startswith("710101 203 m ends")
    note = city["reports"][1].notes[-1].en
    assert "edge-attribute 2, edge-geometry 1, edge-missing 1" in note


def test_loading_the_same_sheet_again_changes_nothing(city: dict[str, Any]) -> None:
    again = city["load"](city["folder"] / f"{EAST_SHEET}.dxf", sheet=SheetOptions(edition="2024"))
    assert {one.outcome for one in again.datasets} == {"unchanged"}


def test_a_dry_run_leaves_everything_as_it_is(city: dict[str, Any]) -> None:
    folder = city["folder"] / "dry"
    folder.mkdir()
    report = city["load"](west(folder, houses=1), dry_run=True)
    assert next(one for one in report.datasets if one.id == "settlement").changes.removed == 2
    assert rows(city["dsn"], "select count(*) from data.settlement")[0]["count"] == 3


def test_a_theme_that_a_new_state_lacks_is_emptied_and_a_sheet_may_return(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    drawing = new_drawing()
    coded(drawing.modelspace().add_line((EAST, NORTH), (EAST + 9, NORTH), dxfattribs=on("DLSS")), "164300")
    drawing.saveas(tmp_path / "other.dxf")
    sheet = SheetOptions(name=WEST_SHEET)
    states = [west(tmp_path), tmp_path / "other.dxf"] * 2
    contours = []
    for path in states:
        load_into(path, sheet=sheet)
        contours.append(len(rows(database, "select * from data.relief")))
    assert contours == [4, 0, 4, 0]
    with pytest.raises(SheetNeeded, match="would replace them all"):
        load_into(tmp_path / "other.dxf")
    assert len(rows(database, "select * from data.transport")) == 1
    told = rows(database, "select kind, label, removed from chengtu.amendment where dataset = 'relief' order by id")
    assert told[0] == {"kind": "sheet", "label": f"{WEST_SHEET}@500", "removed": 4}
    assert len(told) == 3


def test_a_sheet_of_the_standard_lies_in_degrees(database: str, load_into: Load, tmp_path: Path) -> None:
    path = west(tmp_path, "K51H047184 2023")
    sheet = sheet_in(path.name, None)
    assert sheet is not None
    assert sheet.scale == 5000
    with pytest.raises(NotOnSheet, match="K51H047184"):
        load_into(path)


def test_what_is_amiss_with_a_sheet_is_one_clear_line(load_into: Load, tmp_path: Path) -> None:
    path = west(tmp_path)
    with pytest.raises(NotOnSheet, match="lie at 40500000 4850010"):
        load_into(path, sheet=SheetOptions(name="4900.00-500.00"))
    with pytest.raises(ScaleNeeded, match="--scale 1000"):
        load_into(path, sheet=SheetOptions(name="4850.0-500.0"))
    with pytest.raises(OtherScale, match="1:10000, not of 1:500"):
        load_into(path, sheet=SheetOptions(name="K52G004009", scale=500))
    with pytest.raises(NoMap, match="no topographic map"):
        load_into(write(frame(), tmp_path / "a.gpkg", "GPKG"), sheet=SheetOptions(name="K52G004009"))


def test_names_of_sheets_are_read_from_files() -> None:
    assert asked_sheet("k52g004009", None).key == "K52G004009"
    assert sheet_in("吉林市_K52G004009_2024.dxf", None) == asked_sheet("K52G004009", None)
    assert sheet_in("10.50-27.75.dxf", None) == asked_sheet("10.50-27.75", 500)
    assert sheet_in("10.4-27.5.dxf", None) is None
    assert sheet_in("10.4-27.5.dxf", 1000, "40x50").key == "10.4-27.5@1000"  # type: ignore[union-attr]
    assert sheet_in("2024-05-06.dxf", None) is None
    assert asked_sheet("10.50-27.75", 500).neighbours()["n"] == "10.75-27.75@500"


BORDER_LINE = shapely.LineString([(0, 0), (0, 100)])


def side(*features: tuple[str, str, str]) -> list[Bordering]:
    return [Bordering(id_, (code, None, None), shapely.from_wkt(wkt)) for id_, code, wkt in features]


@pytest.mark.parametrize(
    ("ours", "theirs", "rules"),
    [
        ([("a", "1", "LINESTRING(-9 5, 0 5)")], [("b", "1", "LINESTRING(0 5, 9 5)")], []),
        ([("a", "1", "LINESTRING(-9 5, 0 5)")], [], ["edge-missing"]),
        ([], [("b", "1", "LINESTRING(0 5, 9 5)")], ["edge-missing"]),
        ([("a", "1", "LINESTRING(-9 5, 0 5)")], [("b", "1", "LINESTRING(0.25 5, 9 5)")], ["edge-geometry"]),
        ([("a", "1", "LINESTRING(-9 5, 0 5)")], [("b", "2", "LINESTRING(0 5, 9 5)")], ["edge-attribute"]),
        ([("a", "1", "LINESTRING(-9 5, -3 5)")], [("b", "1", "LINESTRING(3 5, 9 5)")], []),
        ([("a", "1", "POLYGON((-9 1, 0 1, 0 9, -9 9, -9 1))")], [("b", "1", "POLYGON((0 1, 9 1, 9 9, 0 9, 0 1))")], []),
        ([("a", "1", "POLYGON((-9 1, 0 1, 0 9, -9 9, -9 1))")], [("b", "1", "POLYGON((0 1, 9 1, 9 8, 0 8, 0 1))")],
         ["edge-geometry"]),
        ([("a", "1", "LINESTRING(-9 5, 0 5)"), ("c", "2", "LINESTRING(-9 5, 0 5.05)")],
         [("b", "2", "LINESTRING(0 5, 9 5)"), ("d", "1", "LINESTRING(0 5.05, 9 5)")], []),
    ],
)  # fmt: skip
def test_ends_meet_their_like_within_the_tolerance(ours: Any, theirs: Any, rules: list[str]) -> None:
    assert tolerance_of(500) == pytest.approx(0.1)
    found = match(BORDER_LINE, side(*ours), side(*theirs), tolerance_of(500))
    assert [one.rule for one in found] == rules


def test_a_loaded_sheet_is_told_as_json(city: dict[str, Any]) -> None:
    plain = json.loads(json.dumps(city["reports"][0].as_json()))
    assert plain["layers"][0]["profile"].startswith("topographic/")


def layer(rows: list[tuple[Any, str, shapely.Geometry]], **more: list[Any]) -> gpd.GeoDataFrame:
    codes, names, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"GB": codes, "NAME": names, **more}, geometry=list(shapes), crs=4490)


def test_the_layers_of_a_topographic_database_become_themes(database: str, load_into: Load, tmp_path: Path) -> None:
    line, area = shapely.LineString([(126.5, 43.8), (126.6, 43.9)]), shapely.box(126.5, 43.8, 126.6, 43.9)
    layers = {
        "LRRL": layer([(4101012, "长图线", line)], RN=["G1"]),
        "LRDL": layer([(420100, "国道", line), (990000, "?", line)]),
        "水系面": layer([("2101013", "松花江", area)]),
        "TERP": layer([("720100", "", area.centroid)], ELEV=["203.4"]),
        "无关": layer([("1", "", area)]),
    }
    for name, one in layers.items():
        write(one, tmp_path / "db.gpkg", "GPKG", layer=name, append=(tmp_path / "db.gpkg").exists())
    report = load_into(tmp_path / "db.gpkg", sheet=SheetOptions(name="K52G004009"))
    assert any("无关" in note.zh for read in report.layers for note in read.notes)
    assert sorted(one.id for one in report.datasets) == ["map_sheets", "relief_points", "transport", "water_polygons"]
    found = rows(database, "select gb_code, gb_name, gb_edition, source_code, name, source_layer, sheet, details, id"
                 " from data.transport order by gb_code")  # fmt: skip
    assert [one["gb_code"] for one in found] == ["410101", "420100", "990000"]
    assert found[0]["source_code"] == "4101012"
    assert (found[0]["source_layer"], found[0]["details"], found[0]["sheet"]) == ("LRRL", "RN=G1", "K52G004009")
    assert (found[1]["gb_name"], found[1]["gb_edition"], found[1]["name"]) == ("国道", "2022", "国道")
    assert (found[2]["gb_name"], found[2]["gb_edition"]) == (None, None)
    assert len({one["id"] for one in found}) == 3
    assert rows(database, "select gb_code, elevation from data.relief_points") == [
        {"gb_code": "720100", "elevation": 203.4}
    ]
    assert rows(database, "select gb_name from data.water_polygons") == [{"gb_name": "地面河流"}]


def test_made_up_sheets_have_exactly_the_mismatches_that_were_planted(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    truth = write_sheets(tmp_path, crossings=30, geometry=4, attribute=3)
    for file in truth.sheets.values():
        load_into(tmp_path / file, srs=f"EPSG:{truth.srid}")
    found = rows(
        database,
        "select rule, round(st_x(p)::numeric, 0) as x, st_y(p) as y from data.map_sheets_edges,"
        f" st_transform(geom, {truth.srid}) as p order by rule, y",
    )
    for kind, rule in (("geometry", "edge-geometry"), ("attribute", "edge-attribute")):
        planted = sorted(one["y"] for one in truth.mismatches[kind])  # type: ignore[index]
        measured = [one["y"] for one in found if one["rule"] == rule]
        assert measured == pytest.approx(planted, abs=2)
    assert len(found) == 7
    assert rows(database, "select count(*) from data.map_sheets")[0]["count"] == 2
