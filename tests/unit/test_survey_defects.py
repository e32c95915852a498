"""Planted defects are exactly those that the truth tells of: looked for here in the plainest way, rule by rule."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import shapely
from pyproj import Geod

from data.survey import RULES, Survey, Truth, build_survey, plant
from data.survey.classes import NAMES
from data.survey.defects import NoSuchRule, TooManyDefects

EACH = 3
GEOD = Geod(a=6378137.0, rf=298.257222101)
METRES = np.array([111_195 * np.cos(np.radians(43.85)), 111_195])
FARMED = ("0101", "0102", "0103")


@pytest.fixture(scope="module")
def clean() -> Survey:
    return build_survey("220200", 2_000)


@pytest.fixture(scope="module")
def planted(clean: Survey) -> tuple[Survey, Truth]:
    return plant(clean, dict.fromkeys(RULES, EACH))


def test_every_defect_is_there_and_nothing_else_is_wrong(planted: tuple[Survey, Truth]) -> None:
    survey, truth = planted
    expected = {
        rule: {one if isinstance(one, str) else frozenset(one) for one in found} for rule, found in truth.rules.items()
    }
    assert found_in(survey) == expected
    assert {rule: len(found) for rule, found in expected.items()} == dict.fromkeys(RULES, EACH)


def test_nothing_is_wrong_where_nothing_is_planted(clean: Survey) -> None:
    assert not any(found_in(clean).values())
    survey, truth = plant(clean, {})
    assert truth.rules == {}
    assert all(list(survey.parcels[name]) == list(clean.parcels[name]) for name in ("BSM", "TBMJ"))


def test_the_survey_that_defects_are_planted_in_stays_as_it_was(clean: Survey) -> None:
    before = shapely.to_wkb(clean.parcels.shapes)
    plant(clean, {"overlap": 5, "village-sum": 2, "class-name": 5})
    assert (shapely.to_wkb(clean.parcels.shapes) == before).all()


def test_the_same_seed_plants_the_same_and_the_truth_is_json(clean: Survey, planted: tuple[Survey, Truth]) -> None:
    again = plant(clean, dict.fromkeys(RULES, EACH))[1]
    assert again == planted[1]
    assert plant(clean, dict.fromkeys(RULES, EACH), seed=7)[1] != planted[1]
    read = json.loads(json.dumps(again.as_json()))
    assert read["rules"]["overlap"][0] == list(again.rules["overlap"][0])


def test_what_cannot_be_planted_is_said(clean: Survey) -> None:
    with pytest.raises(NoSuchRule, match="no-such"):
        plant(clean, {"no-such": 1})
    with pytest.raises(TooManyDefects, match="room for"):
        plant(clean, {"outside-boundary": 2_000})
    with pytest.raises(TooManyDefects, match="room for"):
        plant(clean, {"district-sum": 2_000})


def found_in(survey: Survey) -> dict[str, set[object]]:
    """What is wrong in a survey, by rule."""
    rows = [
        dict(zip(survey.parcels.columns, row, strict=True))
        for row in zip(*survey.parcels.columns.values(), strict=True)
    ]
    found: dict[str, set[object]] = {rule: set() for rule in RULES}
    keys = [row["BSM"] for row in rows]
    found["bsm-unique"] = {key for key in keys if keys.count(key) > 1}
    units = set(survey.villages["ZLDWDM"])
    for row in rows:
        for rule in broken(row, units):
            found[rule].add(row["BSM"])
    for rule, one in shapes_wrong(survey):
        found[rule].add(one)
    return found


def broken(row: dict[str, object], units: set[str]) -> Iterator[str]:
    """The rules that a row breaks by itself."""
    code, slope = row["DLBM"], row["GDPDJB"]
    area, taken, rest, ratio = (float(str(row[name])) for name in ("TBMJ", "KCMJ", "TBDLMJ", "KCXS"))
    wrong = {
        "class-known": code not in NAMES,
        "class-name": code in NAMES and NAMES[str(code)] != row["DLMC"],
        "slope-class-required": code in FARMED and slope is None,
        "cultivated-type-required": slope in ("2", "3", "4", "5") and row["GDLX"] is None,
        "deduction-coefficient": not 0 <= ratio < 1,
        "deduction-area": abs(area * ratio - taken) > 0.02,
        "class-area": abs(area - taken - rest) > 0.005,
        "deduction-only-for-farmland": code not in FARMED and ratio > 0,
        "unit-known": row["ZLDWDM"] not in units,
        "required-fields": any(row[name] is None for name in ("BSM", "DLBM", "DLMC", "QSDWDM", "ZLDWDM")),
        "ownership-known": row["QSXZ"] not in ("10", "20", "30"),
    }
    return (rule for rule, is_so in wrong.items() if is_so)


def shapes_wrong(survey: Survey) -> Iterator[tuple[str, object]]:
    """The rules on shapes, areas and sums, and what breaks them."""
    parcels, villages, townships = survey.parcels, survey.villages, survey.townships
    valid = shapely.is_valid(parcels.shapes)
    yield from (("self-crossing", key) for key in parcels["BSM"][~valid])
    shapes = shapely.make_valid(parcels.shapes)
    geodesic = np.array([abs(GEOD.geometry_area_perimeter(shape)[0]) for shape in shapes])
    off = np.abs(geodesic - parcels["TBMJ"].astype(float)) > np.maximum(1, geodesic / 1000)
    yield from (("area-ellipsoidal", key) for key in parcels["BSM"][off])
    flat = shapely.transform(shapes, lambda points: points * METRES)
    thin = 2 * shapely.area(flat) / shapely.length(flat) < 1
    yield from (("sliver", key) for key in parcels["BSM"][thin])
    whole = shapely.coverage_union_all(townships.shapes)
    shapely.prepare(whole)
    out = ~shapely.covers(whole, shapes)
    yield from (("outside-boundary", key) for key in parcels["BSM"][out])
    yield from edges_wrong(parcels["BSM"], shapes, flat)
    home = np.array([np.argmax(shapely.area(shapely.intersection(shape, villages.shapes))) for shape in shapes])
    known, elsewhere = (
        np.isin(parcels["ZLDWDM"].astype(str), villages["ZLDWDM"].astype(str)),
        parcels["ZLDWDM"] != villages["ZLDWDM"][home],
    )
    yield from (("unit-inside", key) for key in parcels["BSM"][known & elsewhere])
    yield from sums_wrong(survey, home)


def edges_wrong(keys: np.ndarray, shapes: np.ndarray, flat: np.ndarray) -> Iterator[tuple[str, object]]:
    """Overlaps, gaps, and edges that nearly match, which are either, but thinner than half a metre."""
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    common = shapely.intersection(flat[one], flat[other])
    for pair in np.flatnonzero((one < other) & (shapely.area(common) > 1e-4)):
        rule = "overlap" if thickness(common[pair]) > 0.5 else "near-edge"
        yield rule, frozenset((keys[one[pair]], keys[other[pair]]))
    union = shapely.union_all(flat)
    for part in shapely.get_parts(union):
        for ring in part.interiors:
            inside = shapely.Polygon(ring)
            around = np.flatnonzero(shapely.length(shapely.intersection(flat, shapely.buffer(inside, 1e-4))) > 1)
            yield "gap" if thickness(inside) > 0.5 else "near-edge", frozenset(keys[around])


def thickness(shape: shapely.Geometry) -> float:
    return float(2 * shape.area / shape.length)


def sums_wrong(survey: Survey, home: np.ndarray) -> Iterator[tuple[str, object]]:
    villages, townships = survey.villages, survey.townships
    own = np.array([list(townships["XZQDM"]).index(code[:9]) for code in villages["ZLDWDM"]])
    sums = np.bincount(home, weights=survey.parcels["TBMJ"].astype(float), minlength=len(villages.shapes))
    for rule, units, total in (
        ("village-sum", villages, sums),
        ("district-sum", townships, np.bincount(own, weights=sums)),
    ):
        yield from ((rule, key) for key in units["BSM"][np.abs(units["DCMJ"].astype(float) - total) > 0.005])
