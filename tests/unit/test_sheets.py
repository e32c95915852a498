"""Map sheets: GB/T 13989-2012 by degrees, and a city's rectangular ones by kilometres."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.settings import ROOT
from grids import city_sheets, sheets
from grids.city_sheets import BadSheetName, CitySheet, NoCityScale
from grids.sheets import BadSheetCode, Bounds, NoSuchScale, OutsideTheSheets, Sheet, TooManySheets

VECTORS = json.loads((ROOT / "tests/vectors/map_sheets.json").read_text("utf-8"))
PRINTED = [
    (place["lon"], place["lat"], int(scale), code)
    for place in VECTORS["places"]
    for scale, code in place["codes"].items()
]
LON, LAT = some.floats(-180, 180), some.floats(-60, 59.999)
SCALES = some.sampled_from(sheets.SCALES)
OPPOSITE = {"n": "s", "ne": "sw", "e": "w", "se": "nw", "s": "n", "sw": "ne", "w": "e", "nw": "se"}


@pytest.mark.parametrize(("lon", "lat", "scale", "code"), PRINTED)
def test_a_place_lies_on_the_sheet_that_the_standard_says(lon: float, lat: float, scale: int, code: str) -> None:
    assert sheets.code_at(lon, lat, scale) == code
    west, south, east, north = sheets.bounds_of(sheets.sheet_of(code))
    assert west <= lon < east
    assert south <= lat < north


@given(LON, LAT, SCALES)
def test_every_sheet_has_one_code_and_every_code_one_sheet(lon: float, lat: float, scale: int) -> None:
    sheet = sheets.sheet_at(lon, lat, scale)
    assert sheets.sheet_of(sheets.code_of(sheet)) == sheet
    assert sheets.sheet_of(sheets.code_of(sheet).lower()) == sheet


@given(LON, LAT, SCALES)
def test_the_corner_of_a_sheet_lies_on_it_in_spite_of_rounding(lon: float, lat: float, scale: int) -> None:
    sheet = sheets.sheet_at(lon, lat, scale)
    west, south, east, north = sheets.bounds_of(sheet)
    assert sheets.sheet_at(west, south, scale) == sheet
    assert sheets.sheet_at((west + east) / 2, (south + north) / 2, scale) == sheet


@given(LON, LAT, SCALES)
def test_neighbours_share_an_edge_or_a_corner_and_know_one_another(lon: float, lat: float, scale: int) -> None:
    sheet = sheets.sheet_at(lon, lat, scale)
    edges = sheets.bounds_of(sheet)
    for direction, other in sheets.neighbours_of(sheet).items():
        assert sheets.neighbours_of(other)[OPPOSITE[direction]] == sheet
        theirs = sheets.bounds_of(other)
        assert ("n" in direction) == (theirs.south == edges.north)
        assert ("s" in direction) == (theirs.north == edges.south)
        assert ("e" in direction) == ((theirs.west - edges.east) % 360 == 0)


@given(LON, LAT, some.sampled_from(sheets.SCALES[:-1]))
def test_a_sheet_is_covered_by_the_sheets_of_a_larger_scale(lon: float, lat: float, scale: int) -> None:
    finer = sheets.SCALES[sheets.SCALES.index(scale) + 1]
    sheet = sheets.sheet_at(lon, lat, scale)
    edges = sheets.bounds_of(sheet)
    inside = [sheets.bounds_of(one) for one in sheets.cover(edges, finer, 100)]
    assert len(set(inside)) == len(inside)
    area = sum((one.east - one.west) * (one.north - one.south) for one in inside)
    assert area == pytest.approx((edges.east - edges.west) * (edges.north - edges.south))
    assert (inside[0].west, inside[0].north) == (edges.west, edges.north)


def test_a_box_is_covered_across_the_antimeridian_and_in_the_south() -> None:
    found = [sheets.code_of(one) for one in sheets.cover(Bounds(179, -1, -179, 1), 1_000_000, 10)]
    assert found == ["A60", "A01", "SA60", "SA01"]


def test_rows_are_counted_from_the_north_south_of_the_equator_too() -> None:
    assert sheets.code_at(117, -0.5, 500_000) == "SA50B001002"
    assert sheets.code_at(117, -3.5, 500_000) == "SA50B002002"


@pytest.mark.parametrize(
    "code",
    ["", "J", "J5", "J00", "J61", "P50", "J50A001001", "J50G000001", "J50G097001", "J50G015", "J50G15010",
     "J50J001001", "J50G00150010", "50J", "NJ50", "J50L001001", "J５0", "J50B003001", "J" * 5000],
)  # fmt: skip
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(BadSheetCode, match="J50G015010"):
        sheets.sheet_of(code)


def test_other_scales_and_places_are_refused() -> None:
    with pytest.raises(NoSuchScale, match="1:3000"):
        sheets.sheet_at(0, 0, 3000)
    with pytest.raises(OutsideTheSheets, match="60°"):
        sheets.sheet_at(100, 60, 500)
    with pytest.raises(OutsideTheSheets):
        sheets.sheet_at(float("nan"), 0, 500)
    with pytest.raises(TooManySheets, match="at most 100"):
        sheets.cover(Bounds(100, 20, 110, 30), 500, 100)


METRES = some.integers(-90_000_000, 90_000_000)
CITY_SCALES = some.sampled_from(city_sheets.SCALES)
LAYOUTS = some.sampled_from(["50x50", "40x50"])


@pytest.mark.parametrize(
    ("name", "scale", "bounds"),
    [
        ("10.40-27.75", 500, (27_750, 10_400, 28_000, 10_600)),
        ("10.4-27.5", 1000, (27_500, 10_400, 28_000, 10_800)),
        ("10.4-27.0", 2000, (27_000, 10_400, 28_000, 11_200)),
        ("10-28", 5000, (28_000, 10_000, 30_000, 12_000)),
        ("4850.00-40540.25", 500, (40_540_250, 4_850_000, 40_540_500, 4_850_200)),
        ("-0.40--0.25", 500, (-250, -400, 0, -200)),
    ],
)
def test_a_rectangular_sheet_is_named_by_its_corner(name: str, scale: int, bounds: tuple[float, ...]) -> None:
    sheet = city_sheets.sheet_of(name, scale, "40x50")
    assert city_sheets.bounds_of(sheet) == bounds
    assert city_sheets.name_of(sheet) == name


@given(METRES, METRES, CITY_SCALES, LAYOUTS)
def test_every_rectangle_has_one_name(x: int, y: int, scale: int, layout: city_sheets.Layout) -> None:
    sheet = city_sheets.sheet_at(x, y, scale, layout)
    west, south, east, north = city_sheets.bounds_of(sheet)
    assert west <= x < east
    assert south <= y < north
    assert city_sheets.sheet_of(city_sheets.name_of(sheet), scale, layout) == sheet


@given(METRES, METRES, CITY_SCALES, LAYOUTS)
def test_rectangles_tile_the_plane(x: int, y: int, scale: int, layout: city_sheets.Layout) -> None:
    sheet = city_sheets.sheet_at(x, y, scale, layout)
    west, south, east, north = city_sheets.bounds_of(sheet)
    around = city_sheets.neighbours_of(sheet)
    assert city_sheets.bounds_of(around["ne"])[:2] == (east, north)
    assert city_sheets.bounds_of(around["sw"])[2:] == (west, south)
    assert city_sheets.cover(Bounds(west, south, east, north), scale, 1, layout) == [sheet]
    wide = Bounds(west - 1, south - 1, east + 1, north + 1)
    assert set(city_sheets.cover(wide, scale, 9, layout)) == {sheet, *around.values()}


@pytest.mark.parametrize("name", ["", "10.40", "10.45-27.75", "10.40-27.70", "27.75", "a-b", "10.40_27.75"])
def test_what_is_no_rectangle_is_refused(name: str) -> None:
    with pytest.raises(BadSheetName, match="northing first"):
        city_sheets.sheet_of(name, 500, "40x50")


def test_rectangles_have_four_scales() -> None:
    with pytest.raises(NoCityScale, match="1:10000"):
        city_sheets.sheet_at(0, 0, 10_000)
    with pytest.raises(TooManySheets):
        city_sheets.cover(Bounds(0, 0, 10_000, 10_000), 500, 100)
    assert CitySheet(500, "50x50", 0, 0) in city_sheets.cover(Bounds(0, 0, 10, 10), 500, 4)
    assert Sheet(500, 0, 0) == sheets.sheet_at(-180, 0, 500)
