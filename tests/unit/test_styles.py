"""Styles made of portrayals: valid, the same for the same data, and drawn in the right order; and styles of one's own."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.catalogue import AboutField, BBox, Dataset, Field
from core.errors import ChengtuError
from core.language import Text
from core.settings import ROOT
from tests.unit.test_documents import SURVEYS
from tiles.portrayal import Portrayal
from tiles.style.colours import class_colours, mix, usual_colour
from tiles.style.document import LEGEND, Drawing, NamePoint, style
from tiles.style.own import own_style, read_style

VALIDATOR = ROOT / "node_modules" / "@maplibre" / "maplibre-gl-style-spec" / "dist" / "gl-style-validate.cjs"
USES = Portrayal(
    fields=("code", "name_zh", "use"),
    class_field="use",
    classes=("住宅用地", "工业用地", "甲", "乙"),
    label_field="name_zh",
    twins=(("name_en", "name_zh"),),
    class_titles=(("Housing", "住宅用地"), ("Industry", "工业用地"), ("A", "甲"), ("B", "乙")),
)
BASE = SURVEYS._replace(
    fields=(
        Field("code", "text"), Field("name_zh", "text"), Field("name_en", "text"), Field("use", "text"),
        Field("grade", "smallint"), Field("picture", "bytea"),
    ),
    extent=BBox(126.4, 43.8, 126.6, 43.9),
    portrayal=USES._asdict(),
    licence=None,
)  # fmt: skip


def a_dataset(id_: str, geometry_type: str, count: int = 1000, **more: Any) -> Dataset:
    return BASE._replace(id=id_, title=Text(id_, id_), geometry_type=geometry_type, feature_count=count)._replace(
        **more
    )


PLAIN = {"portrayal": Portrayal(("a",), None, (), None)._asdict()}
BY_GRADE = {"portrayal": Portrayal(("grade",), "grade", ("1", "2", "3"), None)._asdict()}
CITY = [
    a_dataset("districts", "MultiPolygon", 9),
    a_dataset("land_use", "MultiPolygon", 500, **PLAIN),
    a_dataset("parcels", "MultiPolygonZ", 5000),
    a_dataset("buildings", "MultiPolygon", 9000),
    a_dataset("roads", "MultiLineString"),
    a_dataset("pipes", "MultiLineStringZM", **BY_GRADE),
    a_dataset("places", "Point", 20),
    a_dataset("trees", "MultiPoint", 90_000, **PLAIN),
    a_dataset("mixed", "Geometry", **BY_GRADE),
]
NAMES = {"districts": [NamePoint(126.5, 43.85, {"name_zh": "丰满区"})]}
HERE = Drawing("https://city.example", "zh")


def made(datasets: list[Dataset], drawing: Drawing = HERE) -> dict[str, Any]:
    return style("A city", datasets, NAMES, drawing)


@pytest.mark.skipif(not VALIDATOR.exists() or not shutil.which("node"), reason="MapLibre's validator needs node")
def test_every_made_style_passes_maplibres_own_validator(tmp_path: Path) -> None:
    groups = [CITY, [CITY[0]], [CITY[4]], [CITY[8]]]
    files = []
    for number, datasets in enumerate(groups):
        files.append(tmp_path / f"{number}.json")
        drawing = Drawing("https://city.example", "en", "dark" if number % 2 else "light")
        files[-1].write_text(json.dumps(made(datasets, drawing)), "utf-8")
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(made(CITY) | {"version": 7}), "utf-8")
    told = [subprocess.run(["node", VALIDATOR, file], capture_output=True, text=True, check=False) for file in files]
    assert [(one.returncode, one.stdout) for one in told] == [(0, "")] * len(files)
    assert subprocess.run(["node", VALIDATOR, bad], capture_output=True, check=False).returncode == 1


def test_a_style_asks_nobody_for_fonts_or_pictures_and_names_no_other_host() -> None:
    whole = made(CITY)
    assert not {"glyphs", "sprite"} & whole.keys()
    addresses = {source["url"] for source in whole["sources"].values() if source["type"] == "vector"}
    assert addresses == {f"https://city.example/xyz/{one.id}.json" for one in CITY}


def test_each_layer_draws_the_vector_layer_that_has_its_collections_name() -> None:
    for layer in made(CITY)["layers"]:
        if "source-layer" in layer:
            assert layer["id"].split("-")[0] == layer["source"] == layer["source-layer"]
    ids = [layer["id"] for layer in made(CITY)["layers"]]
    assert {one.id for one in CITY} <= set(ids)
    assert len(ids) == len(set(ids))


def test_areas_lie_under_lines_under_points_under_names_and_large_areas_under_small() -> None:
    kinds = [layer["type"] for layer in made(CITY)["layers"] if layer["id"] != "parcels-outline"]
    assert kinds.index("background") == 0
    assert max(n for n, kind in enumerate(kinds) if kind == "fill") < kinds.index("circle")
    assert max(n for n, kind in enumerate(kinds) if kind == "circle") < kinds.index("symbol")
    ids = [layer["id"] for layer in made(CITY)["layers"]]
    order = ["districts", "land_use", "parcels", "buildings", "districts-outline", "roads-outline", "roads", "places"]
    assert sorted(order, key=ids.index) == order


def test_the_order_of_data_sets_is_nothing_to_a_style() -> None:
    assert made(CITY)["layers"] == made(CITY[::-1])["layers"]


def test_the_legend_says_what_the_layers_show_in_the_readers_language() -> None:
    whole = made([CITY[2]], Drawing("https://city.example", "en"))
    (legend,) = whole["metadata"][LEGEND]
    (fill,) = [layer for layer in whole["layers"] if layer["id"] == "parcels"]
    match = fill["paint"]["fill-color"]
    assert match[:2] == ["match", ["get", "use"]]
    shown = {value: colour for (value,), colour in zip(match[2:-1:2], match[3::2], strict=True)} | {None: match[-1]}
    assert {entry["value"]: entry["colour"] for entry in legend["entries"]} == shown
    assert [entry["title"] for entry in legend["entries"]] == ["Housing", "Industry", "A", "B", "Other"]


def test_classes_that_are_numbers_are_matched_as_numbers() -> None:
    (pipes,) = [layer for layer in made([CITY[5]])["layers"] if layer["id"] == "pipes"]
    assert pipes["paint"]["line-color"][2:8:2] == [[1], [2], [3]]


def test_names_are_in_the_readers_language_and_else_in_the_other() -> None:
    def text(language: Any) -> Any:
        whole = made([CITY[4]], Drawing("https://city.example", language))
        return next(layer for layer in whole["layers"] if layer["type"] == "symbol")["layout"]["text-field"]

    assert text("zh") == ["coalesce", ["get", "name_zh"], ["get", "name_en"]]
    assert text("en") == ["coalesce", ["get", "name_en"], ["get", "name_zh"]]


def test_few_large_areas_are_named_at_one_point_each() -> None:
    whole = made([CITY[0]])
    assert whole["sources"]["districts-names"]["data"]["features"][0]["properties"]["chengtu:name"] == "丰满区"
    (label,) = [layer for layer in whole["layers"] if layer["type"] == "symbol"]
    assert label["source"] == "districts-names"
    assert "source-layer" not in label


def test_a_data_set_without_geometry_is_not_drawn() -> None:
    assert made([a_dataset("table", "Point", extent=None)])["sources"] == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [("城镇住宅用地", "Urban residential"), ("工业用地", "Industry"), ("水体", "Water bodies"), ("公园绿地", "Park")],
)
def test_usual_classes_have_their_usual_colour_in_both_languages(one: str, other: str) -> None:
    assert usual_colour(one) == usual_colour(other) is not None


def test_no_two_classes_look_the_same_and_a_class_keeps_its_colour() -> None:
    names = [f"{kind}{n}" for kind in ("住宅", "林地", "x") for n in range(8)]
    colours = class_colours([(name, "") for name in names])
    assert len(set(colours)) == len(names)
    assert class_colours([("住宅", ""), ("甲", "")]) == class_colours([("甲", ""), ("住宅", "")])[::-1]


def test_colours_mix_like_paint() -> None:
    assert mix("#000000", "#ffffff", 0.5) == "#808080"
    assert mix("#123456", "#ffffff", 0) == "#123456"


OWN = {
    "version": 8,
    "sources": {"elsewhere": {"type": "vector", "url": "https://elsewhere.example/tiles.json"}},
    "layers": [
        {
            "id": "fill",
            "type": "fill",
            "source": "elsewhere",
            "source-layer": "parcels",
            "paint": {"fill-color": "red"},
        },
        {"id": "parcels-text", "type": "symbol", "layout": {"text-field": "{name_zh}"}},
    ],
}


def with_layer(**layer: Any) -> dict[str, Any]:
    return OWN | {"layers": [{"id": "a", "type": "fill", **layer}]}


def test_a_style_of_ones_own_draws_our_tiles_and_nothing_else() -> None:
    dataset = CITY[2]._replace(style=own_style(OWN, CITY[2]))
    whole = made([dataset])
    assert list(whole["sources"]) == ["parcels"]
    assert "elsewhere" not in json.dumps(whole)
    assert [layer["id"] for layer in whole["layers"][1:]] == ["parcels-fill", "parcels-text"]
    assert {layer["source-layer"] for layer in whole["layers"][1:]} == {"parcels"}


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ([], "version 8"),
        (OWN | {"version": 7}, "version 8"),
        (OWN | {"layers": []}, "1 to 100 layers"),
        (OWN | {"layers": [{"type": "fill"}]}, "no id"),
        (OWN | {"layers": [*OWN["layers"], OWN["layers"][0]]}, "two layers"),  # type: ignore[misc]
        (with_layer(type="background"), "leave it out"),
        (with_layer(**{"source-layer": "roads"}), "source-layer must be parcels"),
        (with_layer(paint=[]), "no object"),
        (with_layer(paint={"fill-pattern": "dots"}), "no pictures"),
        (with_layer(paint={"fill-colour": "red"}), "does not know"),
        (with_layer(filter=["==", "usage", "x"]), "'usage'; there are code, name_zh"),
        (with_layer(filter=["==", ["get", "picture"], "x"]), "'picture'"),
    ],
)
def test_a_style_that_cannot_draw_the_data_is_refused_with_advice(bad: Any, told: str) -> None:
    with pytest.raises(ChengtuError) as refused:
        own_style(bad, CITY[2])
    assert told in refused.value.text.en
    assert refused.value.text.zh.startswith("该样式不能用于 parcels")


def test_a_file_that_is_no_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{", "utf-8")
    with pytest.raises(ChengtuError, match=r"a\.json cannot be read"):
        read_style(tmp_path / "a.json")


CODED = a_dataset("land", "MultiPolygon", fields=(Field("DLBM", "text"), Field("PDJB", "smallint")))._replace(
    portrayal=Portrayal(("DLBM",), "DLBM", ("0301", "0101", "9999"), None)._asdict(),
    about_fields={
        "DLBM": AboutField(Text("Class", "地类编码"), "survey-classes", is_class=True),
        "PDJB": AboutField(Text("Slope", "坡度级别"), "slope-classes"),
    },
)


def legend(dataset: Dataset, **how: Any) -> list[tuple[str | None, str, str]]:
    (told,) = style("city", [dataset], {}, Drawing("http://city", **how))["metadata"][LEGEND]
    return [(one["value"], one["title"], one["colour"]) for one in told["entries"]]


def test_classes_of_a_code_list_have_its_names_and_colours_in_its_order() -> None:
    assert legend(CODED)[:2] == [("0101", "水田", "#f8d072"), ("0301", "乔木林地", "#31ad69")]
    value, title, _ = legend(CODED)[2]
    assert (value, title) == ("9999", "9999")
    assert [title for _, title, _ in legend(CODED, language="en")] == [
        "Paddy field",
        "Arbor forest land",
        "9999",
        "Other",
    ]
    assert legend(CODED, theme="dark")[0][2] != "#f8d072"
    fill = next(one for one in style("city", [CODED], {}, Drawing("http://city"))["layers"] if one["type"] == "fill")
    assert fill["paint"]["fill-color"][:4] == ["match", ["get", "DLBM"], ["0101"], "#f8d072"]


def test_whole_numbers_find_their_codes_too() -> None:
    by_slope = CODED._replace(portrayal=Portrayal(("PDJB",), "PDJB", ("2", "5"), None)._asdict())
    assert legend(by_slope)[0] == ("2", "2°<坡度≤6°", "#fde08d")
    assert CODED.class_field == "DLBM"


def test_findings_lie_over_all_else_with_a_line_that_shows_the_thinnest() -> None:
    about = {"severity": AboutField(Text("Severity", "级别"), "finding-severities", is_class=True)}
    by_severity = Portrayal(("severity", "title_zh"), "severity", ("error", "warning"), "title_zh")._asdict()
    fields = (Field("severity", "text"), Field("title_zh", "text"))
    found = a_dataset("dltb_quality", "Geometry", 40, fields=fields, about_fields=about, portrayal=by_severity)
    layers = made([found, *CITY])["layers"]
    drawn = [one["id"] for one in layers if one["type"] != "symbol"]
    assert drawn[-1].startswith(("dltb_quality", "trees", "places", "mixed"))
    assert drawn.index("dltb_quality-outline") > max(drawn.index(one) for one in ("parcels", "roads", "buildings"))
    outline = next(one for one in layers if one["id"] == "dltb_quality-outline")
    assert outline["paint"]["line-color"][2:6] == [["error"], "#d7191c", ["warning"], "#f28e00"]
