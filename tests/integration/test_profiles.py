"""A source that follows a profile is recognised, read as the standard has it, and published as one."""

from pathlib import Path

import geopandas as gpd
import psycopg
import pytest
from psycopg.rows import dict_row

from core.catalogue import get_dataset, list_datasets
from core.database import connect
from core.errors import ChengtuError
from loaders.errors import ManyLayers
from loaders.job import NotThisProduct
from loaders.profiles import BadProfile, NoSuchProfile, find_profile, read_profile
from loaders.profiles.conform import FieldsMissing, WrongValue
from tests.conftest import Load
from tests.survey import dltb, square, write_survey


def rows(dsn: str, statement: str) -> list[dict[str, object]]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def test_the_layers_of_a_survey_become_data_sets_together(database: str, load_into: Load, tmp_path: Path) -> None:
    other = gpd.GeoDataFrame({"name": ["x"]}, geometry=[square(9, 9)], crs=4551)
    report = load_into(write_survey(tmp_path / "survey.gpkg", note=other))
    assert [one.id for one in report.datasets if not one.id.endswith("_quality")] == ["dltb", "xzq", "cjdcq"]
    assert [one.profile for one in report.layers] == ["land-survey/DLTB", "land-survey/XZQ", "land-survey/CJDCQ"]
    assert any("note" in note.en for note in report.layers[0].notes)
    with connect(database) as connection:
        parcels = get_dataset(connection, "dltb")
    assert parcels.key == "BSM"
    assert parcels.title == ("Land parcels by class", "地类图斑")
    assert parcels.profile == "land-survey/DLTB"
    assert parcels.about_fields["DLBM"] == (("Land class code", "地类编码"), "survey-classes", None, True)
    assert parcels.about_fields["TBMJ"].unit == "m2"
    assert parcels.update_period == "P1Y"
    assert [one.name for one in parcels.fields][:6] == ["BSM", "YSDM", "TBYBH", "TBBH", "DLBM", "DLMC"]


def test_several_data_sets_share_the_name_and_title_that_were_given(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    load_into(write_survey(tmp_path / "a.gpkg"), id="s2024", title_zh="二〇二四年")
    with connect(database) as connection:
        titles = {one.id: one.title.zh for one in list_datasets(connection)}
    assert titles["s2024_dltb"] == "二〇二四年:地类图斑"


def test_names_in_any_case_cut_at_ten_bytes_and_in_chinese_are_understood(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    frame = dltb().rename(columns={"BSM": "bsm", "DLBM": "地类编码", "QSXZ": "qsxz", "ZLDWDM": "ZlDwDm"})
    frame["more"] = [1, 2, 3, 4]
    frame.to_file(tmp_path / "220202DLTB2024.shp", encoding="GBK")
    report = load_into(tmp_path / "220202DLTB2024.shp", encoding="GBK")
    assert report.layers[0].profile == "land-survey/DLTB"
    found = rows(database, 'select "BSM", "DLBM", "ZLDWMC", "SJNF", more from data.dltb order by 1 limit 1')
    assert found == [
        {"BSM": "220202211000000000", "DLBM": "0101", "ZLDWMC": "一村", "SJNF": 2024, "more": 1},
    ]


def test_codes_kept_as_numbers_and_numbers_kept_as_text_are_read(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    frame = dltb(QSXZ=[30.0, 30.0, 20.0, 20.0], TBMJ=["10000.5", " 1 ", "", "2e4"], SJNF=["2024"] * 4)
    load_into(
        write_survey(tmp_path / "a.gpkg", DLTB=frame), profile="land-survey", layer="DLTB", accept=frozenset({"all"})
    )
    found = rows(database, 'select "QSXZ", "TBMJ", "SJNF" from data.dltb order by "BSM"')
    assert [tuple(one.values()) for one in found] == [
        ("30", 10000.5, 2024),
        ("30", 1.0, 2024),
        ("20", None, 2024),
        ("20", 20000.0, 2024),
    ]


def test_a_layer_alone_is_held_against_what_is_served_and_says_what_it_could_not_judge(
    load_into: Load, tmp_path: Path
) -> None:
    survey = write_survey(tmp_path / "a.gpkg")
    alone = {one.id: one for one in load_into(survey, layer="DLTB", id="dltb").quality["dltb"]}
    assert alone["unit-known"].unjudged is not None
    load_into(survey, layer="CJDCQ", id="cjdcq")
    held = {one.id: one for one in load_into(survey, layer="DLTB", id="dltb").quality["dltb"]}
    assert held["unit-known"].unjudged is None


def refused(load_into: Load, path: Path, **options: object) -> ChengtuError:
    with pytest.raises(ChengtuError) as caught:
        load_into(path, **options)
    return caught.value


def test_what_does_not_fit_the_profile_is_said_in_one_line(load_into: Load, tmp_path: Path) -> None:
    text = write_survey(tmp_path / "text.gpkg", DLTB=dltb(TBMJ=["1", "2", "about 3", "4"]))
    error = refused(load_into, text)
    assert isinstance(error, WrongValue)
    assert "TBMJ" in str(error)
    assert "'about 3'" in str(error)
    lacking = write_survey(tmp_path / "lacking.gpkg", DLTB=dltb().drop(columns=["TBMJ", "QSXZ"]))
    error = refused(load_into, lacking)
    assert isinstance(error, FieldsMissing)
    assert "QSXZ, TBMJ" in str(error)
    assert isinstance(refused(load_into, lacking, profile="none"), ManyLayers)
    assert isinstance(refused(load_into, lacking, profile="lnad-survey"), NoSuchProfile)


def test_a_layer_that_only_resembles_a_profile_is_left_as_it_is(database: str, load_into: Load, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"BSM": ["1"], "DLBM": ["0101"], "name": ["x"]}, geometry=[square(0, 0)], crs=4551)
    frame.to_file(tmp_path / "land.gpkg")
    report = load_into(tmp_path / "land.gpkg")
    assert report.layers[0].profile is None
    assert [one.id for one in report.datasets] == ["land"]


def test_whoever_insists_on_a_profile_gets_it_or_hears_why_not(load_into: Load, tmp_path: Path) -> None:
    squares = gpd.GeoDataFrame({"sort": ["x"], "ZDDM": ["220202001001GB00001"]}, geometry=[square(0, 0)], crs=4551)
    squares["BDCDYH"] = "220202001001GB00001W00000000"
    squares["ZDMJ"] = 10_000.0
    squares.to_file(tmp_path / "a.gpkg", layer="anything")
    report = load_into(tmp_path / "a.gpkg", profile="cadastre")
    assert report.layers[0].profile == "cadastre/ZDJBXX"
    error = refused(load_into, tmp_path / "a.gpkg", profile="planning")
    assert isinstance(error, NotThisProduct)
    assert "anything" in str(error)


def test_a_profile_of_ones_own_is_a_file(database: str, load_into: Load, tmp_path: Path) -> None:
    trees = find_profile("street-trees")
    frame = gpd.GeoDataFrame(
        {
            "树号": ["T1", "T2"],
            "species": ["ginkgo", "pine"],
            "planted": ["2020-04-01", "20210402"],
            "diameter": [12.5, 30],
        },
        geometry=[square(0, 0).centroid, square(1, 0).centroid],
        crs=4551,
    )
    frame.to_file(tmp_path / "trees.geojson")
    report = load_into(tmp_path / "trees.geojson", profile="data/profiles/street-trees.toml")
    assert report.layers[0].profile == f"{trees.id}/TREES"
    assert rows(database, 'select "TREE_ID", "PLANTED"::text from data.street_trees order by 1') == [
        {"TREE_ID": "T1", "PLANTED": "2020-04-01"},
        {"TREE_ID": "T2", "PLANTED": "2021-04-02"},
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id = ", "Invalid value"),
        ('id = "x"', "missing"),
        ('id = "x"\nstandard = "y"\ntitle = {zh = "a", en = "b"}\nlayrs = {}', "layrs"),
        ('id = "x"\nstandard = "y"\ntitle = {zh = "a"}\nlayers = {}', "'en' is missing"),
        ('id = "x"\nstandard = "y"\ntitle = "a"\nlayers = {}', "wrong kind"),
    ],
)
def test_a_bad_profile_says_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(BadProfile, match=problem):
        read_profile(path)
