"""The made-up survey is right by construction: a coverage, areas that add up to the cent, codes that agree."""

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Geod

from core.codelists import codelist
from data.sample.divisions import find_city
from data.survey import Increment, Survey, Table, build_increment, build_survey, spoil, write_tables
from data.survey.areas import share_out
from data.survey.classes import NAMES
from data.survey.increment import applied

PARCELS = 2_000
GEOD = Geod(a=6378137.0, rf=298.257222101)


@pytest.fixture(scope="module")
def survey() -> Survey:
    return build_survey("220200", PARCELS)


@pytest.fixture(scope="module")
def increment(survey: Survey) -> Increment:
    return build_increment(survey, 60)


def cents(table: Table, name: str) -> np.ndarray:
    return np.rint(table[name].astype(float) * 100).astype(np.int64)


def test_it_has_about_as_many_parcels_as_were_asked_for(survey: Survey) -> None:
    assert abs(len(survey.parcels.shapes) - PARCELS) < 0.08 * PARCELS
    assert set(survey.layers) == {"DLTB", "XZQ", "XZQJX", "CJDCQ", "CJDCQJX", "PDT", "YJJBNTTB", "STBHHX", "CZCDYD"}
    assert all(len(table.shapes) for table in survey.layers.values())


@pytest.mark.parametrize("layer", ["DLTB", "CJDCQ", "XZQ"])
def test_polygons_are_valid_and_a_coverage(layer: str, survey: Survey) -> None:
    shapes = survey.layers[layer].shapes
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)


def test_parcels_fill_their_village_and_villages_their_township_vertex_by_vertex(survey: Survey) -> None:
    parcels, villages, townships = survey.parcels, survey.villages, survey.townships
    for code, village in zip(villages["ZLDWDM"], villages.shapes, strict=True):
        assert shapely.equals(shapely.coverage_union_all(parcels.shapes[parcels["ZLDWDM"] == code]), village)
    prefixes = np.array([code[:9] for code in villages["ZLDWDM"]])
    for code, township in zip(townships["XZQDM"], townships.shapes, strict=True):
        assert shapely.equals(shapely.coverage_union_all(villages.shapes[prefixes == code]), township)
    whole = shapely.coverage_union_all(townships.shapes)
    assert shapely.area(whole) == pytest.approx(shapely.area(parcels.shapes).sum(), rel=1e-12)
    assert not shapely.get_num_interior_rings(shapely.get_parts(whole)).any()


def test_the_survey_lies_inside_the_real_city(survey: Survey) -> None:
    city = find_city("220200").shape
    shapely.prepare(city)
    assert shapely.contains(city, survey.townships.shapes).all()


def test_areas_are_those_of_the_ellipsoid(survey: Survey) -> None:
    parcels = survey.parcels
    geodesic = np.array([abs(GEOD.geometry_area_perimeter(shape)[0]) for shape in parcels.shapes])
    assert np.abs(parcels["TBMJ"].astype(float) - geodesic).max() < 0.02


def test_areas_add_up_to_the_cent(survey: Survey) -> None:
    parcels, villages, townships = survey.parcels, survey.villages, survey.townships
    for code, area in zip(villages["ZLDWDM"], cents(villages, "DCMJ"), strict=True):
        assert cents(parcels, "TBMJ")[parcels["ZLDWDM"] == code].sum() == area
    prefixes = np.array([code[:9] for code in villages["ZLDWDM"]])
    for code, area in zip(townships["XZQDM"], cents(townships, "DCMJ"), strict=True):
        assert cents(villages, "DCMJ")[prefixes == code].sum() == area


def test_what_is_left_over_goes_to_the_largest_remainders() -> None:
    assert share_out(np.array([0.014, 0.016, 0.02]), np.zeros(3, dtype=np.int64), np.array([5])).tolist() == [1, 2, 2]
    assert share_out(np.array([1.0, 1.0]), np.zeros(2, dtype=np.int64), np.array([197])).tolist() == [99, 98]


def test_deductions_and_what_farmland_must_say_are_right(survey: Survey) -> None:
    parcels = survey.parcels
    farmed = np.isin(parcels["DLBM"].astype(str), ["0101", "0102", "0103"])
    taken = np.rint(cents(parcels, "TBMJ") * parcels["KCXS"].astype(float))
    assert np.abs(cents(parcels, "KCMJ") - taken).max() <= 1
    assert (cents(parcels, "TBDLMJ") == cents(parcels, "TBMJ") - cents(parcels, "KCMJ")).all()
    assert not parcels["KCXS"].astype(float)[~farmed].any()
    sloping = farmed & np.isin(parcels["GDPDJB"].astype(str), list("2345"))
    assert (np.isin(parcels["GDPDJB"].astype(str), list("12345")) == farmed).all()
    assert (np.isin(parcels["GDLX"].astype(str), ["PD", "TT"]) == sloping).all()


def test_codes_and_names_agree_and_identifiers_are_unique(survey: Survey) -> None:
    parcels, villages = survey.parcels, survey.villages
    for table in survey.layers.values():
        assert len(set(table["BSM"])) == len(table["BSM"])
        assert {len(key) for key in table["BSM"]} <= {18}
    assert len(dict(zip(parcels["DLBM"], parcels["DLMC"], strict=True))) == len(set(parcels["DLMC"])) > 20
    named = dict(zip(villages["ZLDWDM"], villages["ZLDWMC"], strict=True))
    assert [named[code] for code in parcels["ZLDWDM"]] == list(parcels["ZLDWMC"])
    assert {len(code) for code in named} == {19}
    assert {code[:6] for code in named} <= set(survey.counties)


def test_classes_are_called_as_in_the_list_of_codes(survey: Survey) -> None:
    names = {one.code: one.name.zh for one in codelist("survey-classes").codes if one.assignable}
    assert {code: names.get(code) for code in NAMES} == NAMES
    parcels = survey.parcels
    for field, list_ in {"QSXZ": "ownership", "GDPDJB": "slope-classes", "CZCSXM": "urban-village"}.items():
        assert set(parcels[field]) - {None} <= {one.code for one in codelist(list_).codes}


def test_boundary_lines_are_those_of_the_units(survey: Survey) -> None:
    lines, villages = survey.layers["CJDCQJX"], survey.villages
    edges = shapely.union_all(shapely.boundary(villages.shapes))
    assert shapely.length(lines.shapes).sum() == pytest.approx(shapely.length(edges), rel=1e-9)
    assert set(lines["JXLX"]) == {"650200", "660200", "670500"}
    assert set(survey.layers["XZQJX"]["JXLX"]) == {"650200", "660200"}


def test_the_same_seed_makes_the_same_rows(survey: Survey) -> None:
    again = build_survey("220200", PARCELS)
    for name, table in survey.layers.items():
        assert (shapely.to_wkb(table.shapes) == shapely.to_wkb(again.layers[name].shapes)).all()
        assert all(list(map(str, table[one])) == list(map(str, again.layers[name][one])) for one in table.columns)
    other = build_survey("220200", PARCELS, seed=7)
    assert other.parcels.shapes[0] != survey.parcels.shapes[0]


def test_one_district_alone_can_be_surveyed_and_its_parcels_get_smaller_where_it_is_small() -> None:
    survey = build_survey("220204", 2_000)
    assert {code[:6] for code in survey.villages["ZLDWDM"]} == {"220204"}
    district = find_city("220200").districts
    assert shapely.contains(district.shapes[list(district.codes).index("220204")], survey.townships.shapes).all()


@pytest.mark.parametrize("form", ["gpkg", "gdb", "shp", "zip"])
@pytest.mark.parametrize("srid", [4490, 4530])
def test_files_hold_the_layers_and_say_that_they_are_made_up(
    form: str, srid: int, survey: Survey, tmp_path: Path
) -> None:
    path = write_tables(survey.layers, tmp_path / f"survey.{form}", form=form, srid=srid)
    source = path / "DLTB.shp" if form == "shp" else f"/vsizip/{path}/DLTB.shp" if form == "zip" else path
    meta, _, geometry, fields = pyogrio.raw.read(source, layer="DLTB")
    assert meta["crs"] == f"EPSG:{srid}"
    shapes = shapely.from_wkb(geometry)
    assert shapely.coverage_is_valid(shapes)
    assert (form, srid) != ("gpkg", 4490) or (shapes == survey.parcels.shapes).all()
    read = dict(zip(meta["fields"], fields, strict=True))
    assert set(read["DATA_ORIGI" if form in ("shp", "zip") else "DATA_ORIGIN"]) == {"synthetic"}
    assert list(read["DLMC"]) == list(survey.parcels["DLMC"])
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_an_increment_replaces_parcels_by_others_on_the_same_ground(survey: Survey, increment: Increment) -> None:
    assert increment.changes == {"attributes": 24, "boundary": 12, "split": 15, "join": 9}
    after = applied(survey, increment)
    assert shapely.coverage_is_valid(after.shapes)
    assert len(set(after["BSM"])) == len(after["BSM"])
    one, other = (shapely.coverage_union_all(table.shapes) for table in (survey.parcels, after))
    assert shapely.equals(one, other)


def test_an_increment_balances_to_the_cent(survey: Survey, increment: Increment) -> None:
    after, process, new = applied(survey, increment), increment.layers["DLTBGXGC"], increment.layers["DLTBGX"]
    for code in survey.villages["ZLDWDM"]:
        before_area, after_area = (cents(one, "TBMJ")[one["ZLDWDM"] == code].sum() for one in (survey.parcels, after))
        assert before_area == after_area
    for table, side in ((survey.parcels, "BGQ"), (new, "BGH")):
        for key in np.unique(process[f"{side}TBBSM"].astype(str)):
            rows, row = process[f"{side}TBBSM"] == key, table["BSM"] == key
            assert row.sum() == 1
            assert cents(process, "TBBGMJ")[rows].sum() == cents(table, "TBMJ")[row][0]
            for field in ("KCMJ", "TBDLMJ"):
                assert cents(process, f"{side}{field}")[rows].sum() == cents(table, field)[row][0]
    assert set(process["BGHTBBSM"]) == set(new["BSM"])
    assert set(np.unique(process["GXSJ"])) == {np.datetime64("2026-12-31")}


def test_the_new_parcels_keep_the_rules(survey: Survey, increment: Increment) -> None:
    new = increment.layers["DLTBGX"]
    geodesic = np.array([abs(GEOD.geometry_area_perimeter(shape)[0]) for shape in new.shapes])
    assert np.abs(new["TBMJ"].astype(float) - geodesic).max() < 0.03
    farmed = np.isin(new["DLBM"].astype(str), ["0101", "0102", "0103"])
    assert (np.array([one is not None for one in new["GDPDJB"]]) == farmed).all()
    assert not new["KCXS"].astype(float)[~farmed].any()


@pytest.mark.parametrize("how", ["wrong-year", "other-county", "unbalanced", "unknown-before", "missing-after"])
def test_an_increment_can_be_spoilt_in_one_way(how: str, survey: Survey, increment: Increment) -> None:
    spoilt, shows = spoil(increment, how)
    new, process = spoilt.layers["DLTBGX"], spoilt.layers["DLTBGXGC"]
    old, made = set(survey.parcels["BSM"]), set(new["BSM"])
    wrong = {
        "wrong-year": bool((process["GXSJ"] != np.datetime64("2026-12-31")).all()) and spoilt.year == 2025,
        "other-county": {key[:6] for key in made} == {"110101"},
        "unbalanced": cents(new, "TBMJ").sum() != cents(process, "TBBGMJ").sum(),
        "unknown-before": not set(process["BGQTBBSM"]) <= old,
        "missing-after": not set(process["BGHTBBSM"]) <= made,
    }
    follows = {"other-county": {"unknown-before"}, "missing-after": {"unbalanced"}}
    assert {one for one, is_so in wrong.items() if is_so} == {how} | follows.get(how, set())
    assert len(shows) == (0 if how in ("wrong-year", "other-county") else 1)
