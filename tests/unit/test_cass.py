"""CASS drawings: what becomes of every object, of damaged files, and of hostile ones."""

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from ezdxf.document import Drawing

from core.settings import ROOT
from loaders.cass.codes import cass_codes, cass_layers, meaning_of
from loaders.cass.drawing import read_drawing
from loaders.errors import DamagedSource, SourceError, UnsafeSource
from loaders.source import list_layers, open_layer
from tests.cass_drawing import EAST, NORTH, block, coded, insert, new_drawing, on, point, write_tags

Row = dict[str, Any]


def read(path: Path, workspace: Path) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """The features of all layers of a drawing, and its notes by their code."""
    workspace.mkdir(exist_ok=True)
    drawing = read_drawing(path, path, workspace, None)
    assert drawing is not None
    found: dict[str, list[Row]] = {}
    for name, _ in drawing.layers():
        with drawing.open(name) as layer:
            rows = [row for batch in layer.batches(1000) for row in batch.to_pylist()]
            assert len(rows) == layer.feature_count
        found[name] = [row | {"geometry": shapely.from_wkb(row["geometry"])} for row in rows]
    return found, {note.code: note.text.en for note in drawing.notes}


def saved(drawing: Drawing, folder: Path) -> Path:
    path = folder / "map.dxf"
    drawing.saveas(path)
    return path


@pytest.fixture(scope="module", params=["R2000", "R2010"])
def city(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Any]:
    """A drawing with an object of every kind, in GBK and in UTF-8."""
    drawing = new_drawing(request.param)
    model = drawing.modelspace()
    square = [(EAST, NORTH), (EAST + 10, NORTH), (EAST + 10, NORTH + 8), (EAST, NORTH + 8)]
    coded(model.add_lwpolyline(square, close=True, dxfattribs=on("JMD")), "141121", "3")
    coded(model.add_lwpolyline([*square, square[0]], dxfattribs=on("JMD")), "141111")
    coded(model.add_lwpolyline([(EAST, NORTH, 1), (EAST + 2, NORTH, 1)], format="xyb", close=True), "182200")
    coded(model.add_polyline3d([(EAST, NORTH, 1), (EAST + 5, NORTH, 2)], dxfattribs=on("GXYZ")), "171201")
    coded(model.add_polyline2d(square, dxfattribs=on("DGX", elevation=(0, 0, 205))), "201101")
    coded(model.add_lwpolyline(square, dxfattribs=on("DGX", elevation=210.0)), "201102")
    spot = model.add_blockref("GC200", (EAST + 3, NORTH + 3, 203.45), dxfattribs=on("GCD", rotation=30, xscale=0.5))
    coded(spot, "202101")
    named = model.add_blockref("GC114", (EAST + 1, NORTH + 1, 201), dxfattribs=on("KZD"))
    named.add_attrib("NAME", "图根7", dxfattribs=on("KZD"))
    coded(named, "131700")
    coded(model.add_arc((EAST, NORTH), 100, 0, 90, dxfattribs=on("DLSS")), "164300")
    coded(model.add_circle((EAST, NORTH), 5, dxfattribs=on("SXSS")), "185300")
    coded(model.add_ellipse((EAST, NORTH), (10, 0), 0.5, dxfattribs=on("SXSS")), "182100")
    spline = model.add_spline([(EAST, NORTH, 0), (EAST + 5, NORTH + 5, 0), (EAST + 9, NORTH, 0)], dxfattribs=on("DLSS"))
    coded(spline, "164300")
    hatch = model.add_hatch(dxfattribs=on("ZBTZ"))
    hatch.paths.add_polyline_path(square, is_closed=True)
    hatch.paths.add_polyline_path([(EAST + 2, NORTH + 2), (EAST + 6, NORTH + 2), (EAST + 6, NORTH + 5)], is_closed=True)
    coded(hatch, "211200")
    model.add_text("人民路%%d", height=2.5, rotation=45, dxfattribs=on("ZJ")).set_placement((EAST, NORTH + 20))
    model.add_mtext("{\\fSimSun;市政府}\\P大楼", dxfattribs=on("ZJ", char_height=4, insert=(EAST, NORTH)))
    coded(model.add_line((EAST, NORTH), (EAST + 1, NORTH), dxfattribs=on("JMD")), "149999")
    model.add_point((EAST, NORTH), dxfattribs=on("我的图层"))
    model.add_line((EAST, NORTH), (EAST + 1, NORTH), dxfattribs=on("DLSS"))
    model.add_line((EAST, NORTH), (EAST + 1, NORTH), dxfattribs=on("ASSIST"))
    model.add_line((EAST, NORTH), (EAST + 1, NORTH), dxfattribs=on("TK"))
    model.add_ray((EAST, NORTH), (1, 0), dxfattribs=on("DLSS"))
    drawing.layout("Layout1").add_line((0, 0), (1, 1), dxfattribs=on("JMD"))
    mirrored = model.add_lwpolyline([(-EAST, NORTH), (-EAST - 5, NORTH)], dxfattribs=on("DLSS", extrusion=(0, 0, -1)))
    coded(mirrored, "163200")
    folder = tmp_path_factory.mktemp("city")
    return read(saved(drawing, folder), folder / "work")


def only(rows: list[Row], **wanted: str) -> Row:
    """The one row whose fields are as said."""
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    assert len(found) == 1, found
    return found[0]


def test_closed_lines_of_areal_classes_are_areas_with_class_edition_and_source(city: Any) -> None:
    house = only(city[0]["settlement"], source_code="141121")
    assert house["geometry"].geom_type == "Polygon"
    assert house["geometry"].area == 80
    assert (house["gb_code"], house["gb_edition"], house["mapped"]) == ("310300", "2022", "code")
    assert (house["source_name"], house["source_layer"], house["object"]) == ("砖房屋", "JMD", "LWPOLYLINE")
    assert house["details"] == "3"
    assert only(city[0]["settlement"], source_code="141111")["geometry"].area == 80


def test_arcs_bulges_and_curves_lie_within_a_centimetre(city: Any) -> None:
    pond = only(city[0]["water_polygons"], source_code="182200")["geometry"]
    middle = np.array([EAST + 1, NORTH])
    assert np.allclose(np.hypot(*(np.array(pond.exterior.coords)[:, :2] - middle).T), 1)
    assert 0 < math.pi - pond.area < 0.05
    arc = next(row["geometry"] for row in city[0]["transport"] if row["object"] == "ARC")
    assert arc.length == pytest.approx(50 * math.pi, abs=0.05)
    steps = np.hypot(*np.diff(np.array(arc.coords)[:, :2], axis=0).T)
    assert (100 - np.sqrt(100**2 - (steps / 2) ** 2)).max() <= 0.0101
    tank = only(city[0]["water_polygons"], source_code="185300")["geometry"]
    assert tank.area == pytest.approx(25 * math.pi, rel=0.005)
    lake = only(city[0]["water_polygons"], source_code="182100")["geometry"]
    assert lake.area == pytest.approx(50 * math.pi, rel=0.005)
    assert next(row["geometry"] for row in city[0]["transport"] if row["object"] == "SPLINE").length > 13.5


def test_heights_come_from_elevation_or_from_the_points_themselves(city: Any) -> None:
    first, index = only(city[0]["relief"], source_code="201101"), only(city[0]["relief"], source_code="201102")
    assert (first["elevation"], index["elevation"]) == (205, 210)
    assert (first["gb_code"], index["gb_code"]) == ("710101", "710102")
    assert {z for _, _, z in first["geometry"].coords} == {205}
    spot = only(city[0]["relief_points"], source_code="202101")
    assert (spot["elevation"], spot["geometry"].z) == (203.45, 203.45)
    cable = only(city[0]["pipelines"], source_code="171201")
    assert cable["elevation"] is None
    assert [z for _, _, z in cable["geometry"].coords] == [1, 2]
    assert not only(city[0]["settlement"], source_code="141121")["geometry"].has_z


def test_symbols_keep_block_angle_scale_and_attributes(city: Any) -> None:
    spot = only(city[0]["relief_points"], source_code="202101")
    assert (spot["block"], spot["angle"], spot["scale"]) == ("GC200", 30, 0.5)
    control = only(city[0]["control"], source_code="131700")
    assert (control["text"], control["gb_code"], control["elevation"]) == ("图根7", "110103", 201)


def test_texts_keep_their_words_angle_and_height(city: Any) -> None:
    street = only(city[0]["text"], object="TEXT")
    assert (street["text"], street["angle"], street["height"]) == ("人民路°", 45, 2.5)
    assert street["gb_code"] is None
    hall = only(city[0]["text"], object="MTEXT")
    assert (hall["text"], hall["height"]) == ("市政府\n大楼", 4)


def test_hatches_are_areas_with_holes(city: Any) -> None:
    field = only(city[0]["vegetation"], gb_code="810302")["geometry"]
    assert field.geom_type == "Polygon"
    assert field.area == 80 - 6
    assert len(field.interiors) == 1


def test_mirrored_objects_lie_where_they_are_seen(city: Any) -> None:
    road = only(city[0]["transport"], source_code="163200")["geometry"]
    assert road.bounds == (EAST, NORTH, EAST + 5, NORTH)


def test_unknown_codes_and_layers_are_kept_as_unmapped_and_told(city: Any) -> None:
    odd = only(city[0]["settlement_lines"], source_code="149999")
    assert (odd["gb_code"], odd["gb_edition"], odd["mapped"]) == ("unmapped", None, "none")
    assert only(city[0]["unmapped"], source_layer="我的图层")["gb_code"] == "unmapped"
    assert "149999 (JMD) × 1" in city[1]["codes-unmapped"]
    assert "我的图层 × 1" in city[1]["layers-unmapped"]
    assert only(city[0]["transport"], mapped="layer")["gb_code"] == "400000"
    assert "class of their layer: 1" in city[1]["class-by-layer"]


def test_every_object_is_a_feature_or_counted_with_the_reason(city: Any) -> None:
    features = sum(map(len, city[0].values()))
    aside = city[1]["objects-aside"]
    for told in (
        "LINE 1: layer ASSIST, skeleton lines",
        "LINE 1: layer TK, sheet frame",
        "RAY 1: no kind of map object",
        "LINE 1: on a paper layout",
    ):
        assert told in aside
    assert f"{features + 4} objects: {features} features, 4 kept aside" in city[1]["cass"]
    assert "SOUTH" in city[1]["cass"]
    ids = [row["id"] for rows in city[0].values() for row in rows]
    assert len(set(ids)) == len(ids)


def test_numbers_beside_spots_are_their_heights_and_lonely_ones_are_spots(tmp_path: Path) -> None:
    drawing = new_drawing()
    model = drawing.modelspace()
    coded(model.add_blockref("GC200", (EAST, NORTH), dxfattribs=on("GCD")), "202101")
    model.add_text("203.4", height=1, dxfattribs=on("GCD")).set_placement((EAST + 1, NORTH))
    model.add_text("198.7", height=1, dxfattribs=on("GCD")).set_placement((EAST + 100, NORTH))
    found, _ = read(saved(drawing, tmp_path), tmp_path / "work")
    assert sorted((row["object"], row["elevation"]) for row in found["relief_points"]) == [
        ("INSERT", 203.4),
        ("TEXT", 198.7),
    ]
    assert [row["text"] for row in found["text"]] == ["203.4"]
    assert sorted(row["geometry"].z for row in found["relief_points"]) == [198.7, 203.4]


def test_maps_in_blocks_are_taken_apart_where_they_were_put(tmp_path: Path) -> None:
    drawing = new_drawing()
    inner, outer = drawing.blocks.new("INNER"), drawing.blocks.new("OUTER", base_point=(5, 0))
    coded(inner.add_line((0, 0), (10, 0), dxfattribs=on("DLSS")), "164300")
    inner.add_line((0, 0), (0, 1), dxfattribs=on("0"))
    outer.add_blockref("INNER", (5, 0), dxfattribs=on("JMD", rotation=90))
    coded(outer.add_blockref("GC200", (6, 0, 7), dxfattribs=on("GCD", rotation=10)), "202101")
    model = drawing.modelspace()
    model.add_blockref("OUTER", (EAST, NORTH, 1), dxfattribs=on("0", rotation=90, xscale=2, yscale=2, zscale=2))
    found, notes = read(saved(drawing, tmp_path), tmp_path / "work")
    road = found["transport"][0]["geometry"]
    assert np.allclose(np.array(road.coords)[:, :2], [(EAST, NORTH), (EAST - 20, NORTH)])
    spot = found["relief_points"][0]
    assert (spot["angle"], spot["scale"]) == (100, 2)
    assert np.allclose(spot["geometry"].coords, [(EAST, NORTH + 2, 15)])
    assert found["settlement_lines"][0]["source_layer"] == "JMD"
    assert "1" in notes["blocks-taken-apart"]


def test_rows_of_a_symbol_are_a_feature_each(tmp_path: Path) -> None:
    drawing = new_drawing()
    attributes = on("ZBTZ", row_count=2, column_count=3, row_spacing=10, column_spacing=5)
    coded(drawing.modelspace().add_blockref("GC200", (EAST, NORTH), dxfattribs=attributes), "213701")
    found, _ = read(saved(drawing, tmp_path), tmp_path / "work")
    assert len(found["vegetation_points"]) == 6
    assert max(row["geometry"].x for row in found["vegetation_points"]) == EAST + 10
    assert len({row["id"] for row in found["vegetation_points"]}) == 6


def test_a_drawing_of_something_else_is_read_as_before(tmp_path: Path) -> None:
    import ezdxf  # noqa: PLC0415 — a drawing without any trait of CASS

    drawing = ezdxf.new("R2000")
    drawing.layers.add("walls")
    drawing.modelspace().add_line((0, 0), (1, 1), dxfattribs=on("walls"))
    path = saved(drawing, tmp_path)
    assert read_drawing(path, path, tmp_path, None) is None
    assert list_layers(path, workspace=tmp_path) == ["entities"]


def test_layer_names_alone_tell_a_map_and_give_classes(tmp_path: Path) -> None:
    drawing = new_drawing()
    drawing.modelspace().add_line((EAST, NORTH), (EAST + 9, NORTH), dxfattribs=on("SXSS"))
    found, notes = read(saved(drawing, tmp_path), tmp_path / "work")
    assert found["water"][0]["gb_code"] == "200000"
    assert "layers are called KZD, JMD" in notes["cass"]


LAYERS = [point("GCD", "202101", handle="1", z=200), point("DGX", "201101", handle="2")]


def test_a_drawing_that_breaks_off_is_read_up_to_there_and_says_so(tmp_path: Path) -> None:
    path = write_tags(tmp_path / "cut.dxf", [*LAYERS, "0\nPOINT\n5\n3\n8\nGCD\n10\n405"], end="")
    found, notes = read(path, tmp_path / "work")
    assert sum(map(len, found.values())) == 2
    assert "breaks off after line" in notes["drawing-cut"]


def test_a_section_without_its_end_is_told(tmp_path: Path) -> None:
    path = write_tags(tmp_path / "open.dxf", LAYERS, end="0\nEOF\n")
    found, notes = read(path, tmp_path / "work")
    assert sum(map(len, found.values())) == 2
    assert "no end mark" in notes["drawing-frame"]


def test_a_drawing_broken_inside_is_repaired_and_says_what_was_mended(tmp_path: Path) -> None:
    many = [point("GCD", "202101", handle=f"{n + 16:X}", z=n + 1) for n in range(20)]
    many[10] = many[10].replace("\n20\n", "\nnot a code\n", 1)
    path = write_tags(tmp_path / "bad.dxf", many)
    found, notes = read(path, tmp_path / "work")
    assert len(found["relief_points"]) >= 18
    assert "should be a group code" in notes["drawing-repaired"]


def test_numbers_that_are_none_cost_their_object_alone(tmp_path: Path) -> None:
    odd = point("GCD", "202101", handle="3").replace(f"{NORTH}", "north")
    unsettled = point("JMD", "141101", handle="4").replace(f"{NORTH}", "nan")
    found, notes = read(write_tags(tmp_path / "odd.dxf", [*LAYERS, odd, unsettled]), tmp_path / "work")
    assert "POINT 1: its numbers cannot be read" in notes["objects-aside"]
    assert len(found["settlement_points"]) == 1


def test_handles_that_are_missing_or_double_still_give_keys(tmp_path: Path) -> None:
    rows = [point("GCD", "202101", handle=one, z=1) for one in ("A", "A", "", "", "FFFFFFFFFF", "FFFFFFFFFF")]
    found, _ = read(write_tags(tmp_path / "same.dxf", rows), tmp_path / "work")
    assert len({row["id"] for row in found["relief_points"]}) == 6


def test_a_huge_text_is_cut_and_told(tmp_path: Path) -> None:
    text = f"0\nTEXT\n5\n9\n8\nZJ\n10\n{EAST}\n20\n{NORTH}\n30\n0\n40\n2\n1\n{'大' * 500_000}"
    found, notes = read(write_tags(tmp_path / "huge.dxf", [*LAYERS, text]), tmp_path / "work")
    assert len(found["text"][0]["text"]) == 65_536
    assert "longer than 65 536" in notes["text-long"]


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        ([block("a", insert("a"), point("JMD", "141101"))], "a block holds itself"),
        ([block("a", insert("b")), block("b", insert("a"))], "a block holds itself"),
        ([block("a", *[insert("b")] * 10)] + [block(chr(98 + n), *[insert(chr(99 + n))] * 10) for n in range(6)]
         + [block("h", point("JMD", "141101"))], "more than 1000000 objects"),
        ([block("a", insert("b"))] + [block(f"b{'x' * n}", insert(f"b{'x' * (n + 1)}")) for n in range(30)], "deep"),
        ([block("a", insert("b").replace("\n30\n0.0", "\n30\n0.0\n70\n32000\n71\n32000")), block("b", LAYERS[0])],
         "more than 1000000 objects"),
    ],
    ids=["itself", "each other", "by tens", "deep", "in rows"],
)  # fmt: skip
def test_floods_of_blocks_are_one_clear_error(tmp_path: Path, blocks: list[str], told: str) -> None:
    path = write_tags(tmp_path / "flood.dxf", [*LAYERS, insert("a")], blocks)
    with pytest.raises(UnsafeSource, match=told) as caught:
        read(path, tmp_path / "work")
    assert "Explode or purge" in caught.value.message("en")
    assert caught.value.exit_code == 2


def test_a_line_without_an_end_is_refused(tmp_path: Path) -> None:
    path = write_tags(tmp_path / "line.dxf", [*LAYERS, "0\nTEXT\n1\n" + "x" * 6_000_000])
    with pytest.raises(SourceError):
        read(path, tmp_path / "work")


def test_a_map_without_objects_is_damaged(tmp_path: Path) -> None:
    path = saved(new_drawing(), tmp_path)
    with pytest.raises(DamagedSource, match="no objects"):
        read_drawing(path, path, tmp_path, None)


def test_a_layer_is_opened_like_that_of_any_source(tmp_path: Path) -> None:
    path = write_tags(tmp_path / "map.dxf", LAYERS)
    with open_layer(path, workspace=tmp_path, layer="relief_points") as layer:
        assert layer.geometry_type == "Point Z"
        assert layer.bounds == (EAST, NORTH, EAST, NORTH)
        assert layer.encoding == "GB18030"


def test_drawings_in_an_archive_have_all_their_themes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "maps.zip", "w") as archive:
        for name in ("a", "b"):
            archive.write(write_tags(tmp_path / f"{name}.dxf", LAYERS), f"{name}.dxf")
    names = list_layers(tmp_path / "maps.zip", workspace=tmp_path)
    assert names == ["a/relief_points", "b/relief_points"]


def test_codes_have_a_class_of_the_standard_and_a_theme() -> None:
    assert len(cass_codes()) > 300
    for code, one in cass_codes().items():
        assert code.isdecimal()
        assert len(code) == len(one.gb_code) == 6
        assert one.name.en
        assert one.name.zh
    assert {one.theme for one in cass_layers().values()} >= {"control", "water", "relief", "text", ""}
    assert meaning_of("0", "141101-2", is_text=False).gb_code == "310300"
    assert meaning_of("图1$0$JMD", "", is_text=False).theme == "settlement"
    assert (ROOT / "data/codelists/cass.toml").is_file()
