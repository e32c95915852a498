"""What a loader makes of declared CRSs, of none, and of numbers that contradict them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from core.crs import BBox, Srid, UnknownCrs, Zone, area_of_use, transformer, zone_by_number
from core.errors import ChengtuError
from loaders.crs import Axes, decide, read_datum_shift
from loaders.crs_errors import (
    AxesUnclear,
    CrsNeeded,
    CrsProblem,
    DegreesInMetreCrs,
    FarOutside,
    MetresInDegreeCrs,
    NoEpsgCode,
    OldDatum,
    ShiftForOtherCrs,
    UnreadableCrs,
    WrongZone,
)

# Bounds of one city as they come in different CRSs, and of one in the far west.
DEGREES: BBox = (126.3, 43.7, 126.8, 44.0)
PLANE: BBox = (524_000, 4_840_000, 565_000, 4_875_000)
PREFIXED: BBox = (42_524_000, 4_840_000, 42_565_000, 4_875_000)
WIDE_ZONE: BBox = (22_283_000, 4_842_000, 22_324_000, 4_877_000)
MERCATOR: BBox = (14_060_000, 5_419_000, 14_115_000, 5_466_000)
LOCAL: BBox = (-12_000, -30_000, 4_000, 8_000)
XINJIANG: BBox = (80.0, 40.0, 86.0, 44.0)


def flip(bounds: BBox) -> BBox:
    return bounds[1], bounds[0], bounds[3], bounds[2]


def refusal(error: type[ChengtuError], declared: str | None, bounds: BBox | None, **options: Any) -> ChengtuError:
    """The error that a decision ends with; both its languages must be complete sentences."""
    with pytest.raises(error) as caught:
        decide(declared, bounds, **options)
    for sentence in caught.value.text:
        assert sentence[-1] in ".。"
        assert "Text(" not in sentence
    assert caught.value.exit_code == 2
    return caught.value


# Declared, and the numbers agree.


@pytest.mark.parametrize(
    ("declared", "bounds", "srid"),
    [
        ("EPSG:4490", DEGREES, 4490),
        ("EPSG:4326", DEGREES, 4326),
        ("OGC:CRS84", DEGREES, 4326),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", DEGREES, 4326),
        ("+init=epsg:4326", DEGREES, 4326),
        ("EPSG:4551", PLANE, 4551),
        ("EPSG:4530", PREFIXED, 4530),
        ("EPSG:4500", WIDE_ZONE, 4500),
        ("EPSG:3857", MERCATOR, 3857),
        ("EPSG:32652", (283_000, 4_840_000, 324_000, 4_875_000), 32652),
        ("EPSG:3067", (380_000, 6_670_000, 390_000, 6_680_000), 3067),
        ("EPSG:6677", (-10_000, -30_000, 20_000, 10_000), 6677),
    ],
)
def test_a_declared_crs_is_taken_when_the_numbers_agree(declared: str, bounds: BBox, srid: int) -> None:
    decision = decide(declared, bounds)
    assert (decision.srid, decision.swap_axes, decision.certain) == (srid, False, True)
    assert f"EPSG:{srid}" in decision.reason.en
    assert f"EPSG:{srid}" in decision.reason.zh
    assert not decision.moves


@pytest.mark.parametrize("code", [4490, 4326, 3857, 32652, *range(4491, 4555)])
def test_a_prj_file_of_arcgis_leads_back_to_its_code(code: int) -> None:
    # Meridians that the 3° and the 6° scheme share give one plane two codes, told apart by name only.
    assert decide(CRS.from_epsg(code).to_wkt("WKT1_ESRI"), None).srid == code


@pytest.mark.parametrize("code", [4490, 4326, 3857, 32652, 4502, 4511, 4500, 4551, 4530])
@pytest.mark.parametrize("form", ["WKT1_GDAL", "WKT2_2015", "WKT2_2019"])
def test_other_dialects_lead_back_to_the_code_too(code: int, form: Any) -> None:
    assert decide(CRS.from_epsg(code).to_wkt(form), None).srid == code


def esri(
    name: str,
    easting: float,
    meridian: float,
    *,
    datum: str = "D_China_2000",
    spheroid: str = '"CGCS2000",6378137.0,298.257222101',
    unit: str = '"Meter",1.0',
) -> str:
    """A .prj file as ArcGIS writes it."""
    geographic = f'GEOGCS["GCS_x",DATUM["{datum}",SPHEROID[{spheroid}]],PRIMEM["Greenwich",0.0],{DEGREE}]'
    parameters = {
        "False_Easting": easting,
        "False_Northing": 0.0,
        "Central_Meridian": meridian,
        "Scale_Factor": 1.0,
        "Latitude_Of_Origin": 0.0,
    }
    listed = ",".join(f'PARAMETER["{key}",{value}]' for key, value in parameters.items())
    return f'PROJCS["{name}",{geographic},PROJECTION["Gauss_Kruger"],{listed},UNIT[{unit}]]'


DEGREE = 'UNIT["Degree",0.0174532925199433]'
WGS84_SPHEROID = '"WGS_1984",6378137.0,298.257223563'


@pytest.mark.parametrize(
    ("declared", "srid"),
    [
        (esri("Jilin_survey_2011", 500000, 126), 4551),
        (esri("Jilin_survey_2011", 42500000, 126), 4530),
        (esri("Jilin_survey_2011", 22500000, 129), 4500),
        (esri("x", 500000, 126, datum="D_CGCS_2000"), 4551),
        (esri("x", 42500000, 126, datum="CGCS2000"), 4530),
        (esri("x", 500000, 126, datum="China_Geodetic_Coordinate_System_2000"), 4551),
        (f'GEOGCS["x",DATUM["D_CGCS2000",SPHEROID["x",6378137,298.257222101]],PRIMEM["Greenwich",0],{DEGREE}]', 4490),
        (
            f'GEOGCS["WGS84",DATUM["WGS84",SPHEROID["WGS84",6378137,298.257223563]],PRIMEM["Greenwich",0],{DEGREE}]',
            4326,
        ),
        (f'GEOGCS["y",DATUM["WGS_1984",SPHEROID["z",6378137,298.25722356]],PRIMEM["Greenwich",0],{DEGREE}]', 4326),
        ("+proj=longlat +datum=WGS84 +no_defs", 4326),
        ("+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +nadgrids=@null +no_defs", 3857),
        ("+proj=merc +a=6378137 +b=6378137 +no_defs", 3857),
        ("ESRI:102100", 3857),
        (CRS.from_epsg(4551).to_json(), 4551),
        (CRS.from_user_input("OGC:CRS84").to_json(), 4326),
    ],
)
def test_spellings_that_no_register_has_are_known_by_their_parameters(declared: str, srid: int) -> None:
    decision = decide(declared, None)
    assert (decision.srid, decision.certain) == (srid, True)


@pytest.mark.parametrize(
    ("declared", "srid"),
    [
        ("+proj=tmerc +lat_0=0 +lon_0=126 +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m +no_defs", 4551),
        ("+proj=tmerc +lat_0=0 +lon_0=126 +k=1 +x_0=42500000 +y_0=0 +ellps=GRS80 +units=m +no_defs", 4530),
        ("+proj=longlat +ellps=GRS80 +no_defs", 4490),
        (f'GEOGCS["x",DATUM["unknown",SPHEROID["x",6378137,298.257223563]],PRIMEM["Greenwich",0],{DEGREE}]', 4326),
    ],
)
def test_an_unnamed_datum_is_concluded_from_its_ellipsoid_and_said_to_be(declared: str, srid: int) -> None:
    decision = decide(declared, None)
    assert (decision.srid, decision.certain) == (srid, False)
    assert "ellipsoid" in decision.notes[0].en


@pytest.mark.parametrize(
    ("name", "easting", "meridian", "srid"),
    [
        ("CGCS2000_3_Degree_GK_Zone_42", 500000, 126, 4551),
        ("CGCS2000_3_Degree_GK_CM_126E", 500000, 123, 4550),
        ("CGCS2000_3_Degree_GK_CM_126E", 42500000, 126, 4530),
    ],
)
def test_a_name_that_contradicts_the_parameters_loses_and_is_noted(
    name: str, easting: float, meridian: float, srid: int
) -> None:
    decision = decide(esri(name, easting, meridian), None)
    assert decision.srid == srid
    assert "parameters" in decision.notes[0].en


@pytest.mark.parametrize(
    ("declared", "srid", "note"),
    [
        ("EPSG:4490+5737", 4490, "Heights (Yellow Sea 1985 height)"),
        ("EPSG:4551+5737", 4551, "Heights (Yellow Sea 1985 height)"),
        (CRS.from_user_input("EPSG:4551+5737").to_wkt(), 4551, "Heights"),
        ("EPSG:4480", 4490, "Ellipsoidal heights"),
        ("EPSG:4979", 4326, "Ellipsoidal heights"),
        ("+proj=longlat +ellps=WGS84 +towgs84=0,0,0,0,0,0,0 +no_defs", 4326, "datum shift"),
    ],
)
def test_heights_and_embedded_shifts_are_set_aside_with_a_note(declared: str, srid: int, note: str) -> None:
    decision = decide(declared, None)
    assert decision.srid == srid
    assert note in decision.notes[0].en


@pytest.mark.parametrize(
    "declared",
    [
        esri("Jilin_local", 500000, 126.5),  # a meridian of the city's own
        esri("in_feet", 500000, 126, unit='"Foot",0.3048'),
        'LOCAL_CS["Nonearth",UNIT["Meter",1.0]]',
        "EPSG:4479",
        "EPSG:5737",
        "ESRI:102012",
        "+proj=longlat +ellps=GRS80 +pm=paris +no_defs",
    ],
)
def test_a_crs_without_an_epsg_code_is_refused_with_advice(declared: str) -> None:
    assert "--srs" in str(refusal(NoEpsgCode, declared, None))


def test_gauss_kruger_on_wgs84_is_refused_with_the_twin_on_cgcs2000_named() -> None:
    declared = esri("x", 500000, 126, datum="D_WGS_1984", spheroid=WGS84_SPHEROID)
    assert "EPSG:4551" in str(refusal(NoEpsgCode, declared, PLANE))


@pytest.mark.parametrize("declared", ["rubbish", '{"type": "x"}', "PROJCS[", "EPSG:99999", "http://127.0.0.1:1/x"])
def test_a_crs_that_cannot_be_read_is_refused_with_advice(declared: str) -> None:
    assert "--srs" in str(refusal(UnreadableCrs, declared, None))


def test_a_megabyte_of_rubbish_makes_a_short_message() -> None:
    assert len(str(refusal(UnreadableCrs, "x" * 1_000_000, None))) < 300


# Declared, and the numbers disagree.


@pytest.mark.parametrize(
    ("declared", "bounds"),
    [
        ("EPSG:4551", flip(PLANE)),
        ("EPSG:4530", flip(PREFIXED)),
        ("EPSG:32652", (4_840_000, 283_000, 4_875_000, 324_000)),
        ("EPSG:4490", flip(DEGREES)),
        ("EPSG:4326", flip(DEGREES)),
        ("EPSG:4490", flip(XINJIANG)),  # latitudes of 80 to 86 are not Chinese
    ],
)
def test_swapped_axes_are_noticed_and_put_right(declared: str, bounds: BBox) -> None:
    decision = decide(declared, bounds)
    assert decision.swap_axes
    assert decision.certain
    assert "swapped" in decision.reason.en or "surveyors" in decision.reason.en
    x, y = decision.move(np.array([bounds[0]]), np.array([bounds[1]]))
    assert (x[0], y[0]) == (bounds[1], bounds[0])


def test_degrees_that_may_be_either_way_round_are_asked_for() -> None:
    assert "--axes" in str(refusal(AxesUnclear, "EPSG:4326", flip(XINJIANG)))
    assert not decide("EPSG:4326", XINJIANG).swap_axes
    assert decide("EPSG:4326", flip(XINJIANG), axes="yx").swap_axes
    assert not decide("EPSG:4326", flip(XINJIANG), axes="xy").swap_axes


def test_a_stray_point_in_swapped_data_makes_the_order_a_question() -> None:
    with_origin = (0.0, 0.0, 4_875_000.0, 565_000.0)
    refusal(AxesUnclear, "EPSG:4551", with_origin)
    assert decide("EPSG:4551", with_origin, axes="yx").swap_axes


@pytest.mark.parametrize(("axes", "bounds"), [("xy", flip(PLANE)), ("yx", PLANE)])
def test_an_axis_order_that_the_numbers_deny_is_refused(axes: Axes, bounds: BBox) -> None:
    assert "other way round" in str(refusal(AxesUnclear, "EPSG:4551", bounds, axes=axes))
    assert "other way round" in str(refusal(AxesUnclear, None, bounds, asked="EPSG:4551", axes=axes))


@pytest.mark.parametrize(("axes", "swap"), [("xy", False), ("yx", True), ("auto", False)])
def test_without_numbers_the_axis_order_is_as_told(axes: Axes, swap: bool) -> None:
    assert decide("EPSG:4551", None, axes=axes).swap_axes is swap
    assert decide("EPSG:4551", (float("nan"),) * 4, axes=axes).swap_axes is swap


@pytest.mark.parametrize(
    ("declared", "bounds", "right"),
    [
        ("EPSG:4551", PREFIXED, 4530),
        ("EPSG:4551", flip(PREFIXED), 4530),
        ("EPSG:4530", PLANE, 4551),
        ("EPSG:4530", flip(PLANE), 4551),
        ("EPSG:4529", PREFIXED, 4530),  # the number of another zone
        ("EPSG:4500", PREFIXED, 4530),  # 3° numbers in a 6° zone
        ("EPSG:4530", WIDE_ZONE, 4500),
        ("EPSG:4551", WIDE_ZONE, 4500),
        ("EPSG:4511", WIDE_ZONE, 4500),
    ],
)
def test_zone_numbers_that_dont_fit_lead_to_the_right_code(declared: str, bounds: BBox, right: int) -> None:
    assert f"Load with --srs EPSG:{right}." in str(refusal(WrongZone, declared, bounds))
    assert f"Load with --srs EPSG:{right}." in str(refusal(WrongZone, None, bounds, asked=declared))
    assert decide(declared, bounds, asked=f"EPSG:{right}").srid == right


@pytest.mark.parametrize("bounds", [DEGREES, flip(DEGREES)])
@pytest.mark.parametrize(("declared", "right"), [("EPSG:4551", 4490), ("EPSG:3857", 4326), ("EPSG:32652", 4326)])
def test_degrees_in_a_metre_crs_are_refused_with_the_right_code(declared: str, right: int, bounds: BBox) -> None:
    assert f"--srs EPSG:{right}" in str(refusal(DegreesInMetreCrs, declared, bounds))
    assert f"--srs EPSG:{right}" in str(refusal(DegreesInMetreCrs, None, bounds, asked=declared))


@pytest.mark.parametrize("declared", ["EPSG:4490", "EPSG:4326", "OGC:CRS84"])
@pytest.mark.parametrize(
    ("bounds", "hint"),
    [(PREFIXED, "EPSG:4530"), (PLANE, "EPSG:4551"), (MERCATOR, "EPSG:3857"), (LOCAL, "local grid")],
)
def test_metres_in_a_degree_crs_are_refused_with_what_they_may_be(declared: str, bounds: BBox, hint: str) -> None:
    assert hint in str(refusal(MetresInDegreeCrs, declared, bounds))


def test_a_plane_whose_origin_lies_where_it_is_used_may_have_small_numbers() -> None:
    assert decide("EPSG:6677", (-80, -60, 70, 50)).srid == 6677


@pytest.mark.parametrize(
    ("declared", "bounds"),
    [
        ("EPSG:4551", MERCATOR),
        ("EPSG:3857", PREFIXED),
        ("EPSG:4551", LOCAL),
        ("EPSG:4551", (500_000, 1_000_000, 600_000, 1_100_000)),
        ("EPSG:4551", (1e15, 1e15, 2e15, 2e15)),
    ],
)
def test_numbers_nowhere_near_the_declared_crs_are_refused(declared: str, bounds: BBox) -> None:
    refusal(FarOutside, declared, bounds)


def test_who_insists_on_a_crs_far_away_gets_it_with_a_note_unless_it_is_off_the_earth() -> None:
    decision = decide(None, (500_000, 1_000_000, 600_000, 1_100_000), asked="EPSG:4551")
    assert "far outside" in decision.notes[0].en
    refusal(FarOutside, None, (1e15, 1e15, 2e15, 2e15), asked="EPSG:4551")


@pytest.mark.parametrize(
    ("declared", "bounds", "note"),
    [
        ("EPSG:4551", (660_000, 4_840_000, 700_000, 4_875_000), "outside the area"),
        ("EPSG:4551", (0, 0, 565_000, 4_875_000), "outside the area"),  # one stray point at 0, 0
        ("EPSG:4490", (24, 60, 25, 61), "outside the area"),
        ("EPSG:4326", (24, 60, 25, 61), "outside China"),
    ],
)
def test_numbers_beyond_the_area_of_use_are_noted(declared: str, bounds: BBox, note: str) -> None:
    assert note in decide(declared, bounds).notes[0].en


# Old datums.


@pytest.mark.parametrize(
    "code", [4214, 4610, 4555, 2401, 2442, 2437, 21413, 21463, 21482, 2327, 2348, 2349, 2390, 2385, 4568, 4652]
)
@pytest.mark.parametrize("form", ["WKT1_ESRI", "WKT2_2019"])
def test_old_datums_are_refused_without_parameters(code: int, form: Any) -> None:
    crs = CRS.from_epsg(code)
    assert "--datum-shift" in str(refusal(OldDatum, crs.to_wkt(form), None))
    assert "--datum-shift" in str(refusal(OldDatum, None, None, asked=f"EPSG:{code}"))


@pytest.mark.parametrize(
    "declared",
    [
        esri("x", 500000, 126, datum="D_Beijing_1954", spheroid='"Krasovsky_1940",6378245.0,298.3'),
        esri("x", 500000, 126.5, datum="D_Beijing_1954", spheroid='"Krasovsky_1940",6378245.0,298.3'),
        esri("x", 500000, 126, datum="D_Xian_1980", spheroid='"Xian_1980",6378140.0,298.257'),
        esri("x", 500000, 126.5, datum="西安80", spheroid='"IAG75",6378140.0,298.257'),
        "+proj=tmerc +lat_0=0 +lon_0=126 +k=1 +x_0=500000 +y_0=0 +ellps=krass +units=m +no_defs",
        "+proj=longlat +a=6378140 +rf=298.257 +no_defs",
        "+proj=longlat +ellps=krass +towgs84=15,-155,-98,0,0,0,0 +no_defs",
        "EPSG:2437+5737",
    ],
)
def test_old_datums_are_known_by_name_or_ellipsoid_under_any_spelling(declared: str) -> None:
    refusal(OldDatum, declared, None)


def test_soviet_coordinates_on_the_same_ellipsoid_are_not_chinese() -> None:
    assert decide("EPSG:4284", (27.0, 53.0, 28.0, 54.0)).srid == 4284


SHIFT = """
kind = "seven-parameter"
source = "EPSG:4610"
convention = "position_vector"
translation_unit = "metre"
rotation_unit = "arcsecond"
scale_unit = "ppm"
dx = 11.0
dy = -22.0
dz = 33.0
rx = 0.4
ry = -0.5
rz = 0.6
scale = 1.5
"""  # invented


def shift_file(folder: Path, text: str = SHIFT) -> Path:
    path = folder / "shift.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def test_with_parameters_old_data_come_to_the_twin_on_cgcs2000(tmp_path: Path) -> None:
    shift = read_datum_shift(shift_file(tmp_path))
    decision = decide("EPSG:2384", None, datum_shift=shift)
    assert (decision.srid, decision.certain, decision.moves) == (4548, True, True)
    assert decision.shift is not None
    assert decision.shift.source == 2384
    assert "EPSG:4548" in decision.notes[-1].en


def test_axes_are_swapped_before_the_datum_is_shifted(tmp_path: Path) -> None:
    shift = read_datum_shift(shift_file(tmp_path))
    straight = decide("EPSG:2387", PLANE, datum_shift=shift)
    swapped = decide("EPSG:2387", flip(PLANE), datum_shift=shift)
    assert (straight.swap_axes, swapped.swap_axes) == (False, True)
    x, y = np.array([540_000.0]), np.array([4_850_000.0])
    assert straight.move(x, y) == swapped.move(y, x)
    assert 1 < abs(straight.move(x, y)[0][0] - x[0]) < 200


def test_zone_numbers_are_watched_on_old_datums_too(tmp_path: Path) -> None:
    shift = read_datum_shift(shift_file(tmp_path))
    assert "--srs EPSG:2366" in str(refusal(WrongZone, "EPSG:2387", PREFIXED, datum_shift=shift))


def test_parameters_name_the_crs_of_a_source_that_names_none(tmp_path: Path) -> None:
    decision = decide(None, DEGREES, datum_shift=read_datum_shift(shift_file(tmp_path)))
    assert (decision.srid, decision.certain) == (4490, True)
    assert "EPSG:4610" in decision.reason.en


@pytest.mark.parametrize("declared", ["EPSG:4490", "EPSG:4551", "EPSG:4214", "EPSG:2437"])
def test_parameters_for_other_data_are_refused(declared: str, tmp_path: Path) -> None:
    refusal(ShiftForOtherCrs, declared, None, datum_shift=read_datum_shift(shift_file(tmp_path)))


# Asked.


@pytest.mark.parametrize("asked", ["EPSG:4551", "epsg:4551", "4551", " EPSG:4551 ", "urn:ogc:def:crs:EPSG::4551"])
def test_the_user_wins_over_the_source_with_a_note(asked: str) -> None:
    decision = decide("EPSG:4326", PLANE, asked=asked)
    assert (decision.srid, decision.certain) == (4551, True)
    assert "--srs wins" in decision.notes[0].en


def test_a_user_who_agrees_with_the_source_gets_no_note() -> None:
    assert decide("EPSG:4551", PLANE, asked="EPSG:4551").notes == ()


def test_the_user_wins_over_a_crs_that_cannot_be_read() -> None:
    assert decide("rubbish", PLANE, asked="EPSG:4551").srid == 4551
    assert decide("EPSG:2439", PLANE, asked="EPSG:4551").srid == 4551


def test_crs84_asked_for_is_stored_as_4326() -> None:
    assert decide(None, DEGREES, asked="OGC:CRS84").srid == 4326


@pytest.mark.parametrize("asked", ["", "rubbish", "EPSG:99999", "EPSG:5737", "http://127.0.0.1:1/"])
def test_the_user_may_name_known_crss_only(asked: str) -> None:
    with pytest.raises(UnknownCrs):
        decide(None, DEGREES, asked=asked)


# Not declared.


@pytest.mark.parametrize("declared", [None, ""])
@pytest.mark.parametrize(
    ("bounds", "srid", "swap"),
    [
        (DEGREES, 4490, False),
        (flip(DEGREES), 4490, True),
        (XINJIANG, 4490, False),
        (PREFIXED, 4530, False),
        (flip(PREFIXED), 4530, True),
        (WIDE_ZONE, 4500, False),
        (flip(WIDE_ZONE), 4500, True),
    ],
)
def test_numbers_that_can_mean_one_thing_only_are_detected_with_reason_and_caveat(
    declared: str | None, bounds: BBox, srid: int, swap: bool
) -> None:
    decision = decide(declared, bounds)
    assert (decision.srid, decision.swap_axes, decision.certain) == (srid, swap, False)
    assert f"EPSG:{srid}" in decision.reason.en
    assert "Xian 1980" in decision.notes[0].en


@pytest.mark.parametrize(
    ("bounds", "candidates"),
    [
        (PLANE, tuple(range(4534, 4555))),
        (flip(PLANE), tuple(range(4534, 4555))),
        (MERCATOR, (3857,)),
        ((13_400_000, 4_400_000, 13_500_000, 4_500_000), (4491, 3857)),  # zone 13 in the west, or Web Mercator
        (flip(XINJIANG), (4490, 4326)),
        ((24, 60, 25, 61), (4326,)),
        ((0, 0, 50, 60), (4326,)),  # degrees, or metres in a local grid
        (LOCAL, ()),
        ((39_524_000, 4_840_000, 42_565_000, 4_875_000), ()),  # eastings of two zones
        (None, ()),
        ((float("inf"), float("inf"), float("-inf"), float("-inf")), ()),
    ],
)
def test_numbers_that_can_mean_more_or_nothing_are_asked_for(bounds: BBox | None, candidates: tuple[int, ...]) -> None:
    error = refusal(CrsNeeded, None, bounds)
    assert error.facts["candidates"] == candidates
    assert all(f"EPSG:{srid}" in str(error) for srid in candidates)
    assert "--srs EPSG:n" in str(error)


def test_an_axis_order_told_leaves_one_meaning() -> None:
    assert decide(None, flip(XINJIANG), axes="yx").srid == 4490


# In general.


@st.composite
def city(draw: st.DrawFn) -> tuple[Zone, float, float]:
    """A zone and a place in the part of China that lies in it."""
    number = draw(st.integers(25, 45) | st.integers(13, 23))
    zone = zone_by_number(number, 3 if number >= 25 else 6)
    assert zone is not None
    west, south, east, north = area_of_use(zone.srid) or (0, 0, 0, 0)
    return zone, draw(st.floats(west, east)), draw(st.floats(south, north))


@settings(deadline=None)
@given(city(), st.booleans(), st.booleans(), st.floats(1_000, 40_000))
def test_a_city_is_found_at_its_place_whatever_the_prefix_and_the_axes(
    place: tuple[Zone, float, float], prefixed: bool, swapped: bool, size: float
) -> None:
    zone, lon, lat = place
    srid = zone.prefixed if prefixed else zone.srid
    x, y = transformer(Srid(4490), srid).transform(lon, lat)
    bounds: BBox = (x - size, y - size, x + size, y + size)
    decision = decide(f"EPSG:{srid}", flip(bounds) if swapped else bounds)
    assert (decision.srid, decision.swap_axes) == (srid, swapped)
    if prefixed and not 13 <= zone.number <= 15:
        assert decide(None, flip(bounds) if swapped else bounds)[:2] == (srid, swapped)
    wrong = zone.srid if prefixed else zone.prefixed
    with pytest.raises(WrongZone, match=f"--srs EPSG:{srid}"):
        decide(f"EPSG:{wrong}", flip(bounds) if swapped else bounds)


@settings(deadline=None)
@given(
    st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 4),
    st.sampled_from([None, "EPSG:4326", "EPSG:4490", "EPSG:4551", "EPSG:4530", "EPSG:3857", "EPSG:6677"]),
    st.sampled_from(["auto", "xy", "yx"]),
)
def test_no_numbers_whatever_break_the_decision(bounds: BBox, declared: str | None, axes: Axes) -> None:
    try:
        outcome = decide(declared, bounds, axes=axes).reason
    except CrsProblem as error:
        outcome = error.text
    assert outcome.en
    assert outcome.zh
