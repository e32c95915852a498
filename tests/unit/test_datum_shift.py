"""Shifts from old datums against PROJ's own pipeline and against complex numbers; all parameters are invented."""

import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from core.crs import Srid, lookup
from loaders.crs_declared import gauss_kruger
from loaders.crs_errors import BadShiftFile, ShiftForOtherCrs, ShiftHasNoTwin
from loaders.datum_shift import DatumShift, read_datum_shift

SEVEN: dict[str, Any] = {
    "kind": "seven-parameter",
    "source": "EPSG:4610",
    "convention": "position_vector",
    "translation_unit": "metre",
    "rotation_unit": "arcsecond",
    "scale_unit": "ppm",
    "dx": 31.4159,
    "dy": -27.1828,
    "dz": 16.1803,
    "rx": 1.4142,
    "ry": -1.7320,
    "rz": 2.2360,
    "scale": -3.3166,
}
FOUR: dict[str, Any] = {
    "kind": "four-parameter",
    "source": "EPSG:2439",
    "first_axis": "north",
    "translation_unit": "metre",
    "rotation_unit": "arcsecond",
    "scale_unit": "ppm",
    "dx": -48.7,
    "dy": 59.3,
    "rotation": 7.7,
    "scale": 4.4,
}
SECRETS = ("31.4159", "27.1828", "16.1803", "1.4142", "1.732", "2.236", "3.3166", "6.856")  # the last: rx in radians
XIAN_80 = "+a=6378140 +rf=298.257"
KRASSOVSKY = "+ellps=krass"


def write(folder: Path, table: dict[str, Any]) -> Path:
    path = folder / "shift.toml"
    lines = (f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value!r}" for key, value in table.items())
    path.write_text("\n".join(lines), "utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def seven(tmp_path: Path) -> DatumShift:
    return read_datum_shift(write(tmp_path, SEVEN))


def by_proj(table: dict[str, Any], plane: str, ellipsoid: str, twin: str) -> Transformer:
    """The same shift as one pipeline that PROJ works out by itself."""
    helmert = (
        f"+x={table['dx']} +y={table['dy']} +z={table['dz']} +rx={table['rx']} +ry={table['ry']} +rz={table['rz']}"
        f" +s={table['scale']} +convention={table['convention']}"
    )
    return Transformer.from_pipeline(
        f"+proj=pipeline +step +inv {plane} +step +proj=cart {ellipsoid} +step +proj=helmert {helmert}"
        f" +step +inv +proj=cart +a=6378137 +rf=298.257222101 +step {twin}"
    )


def zone_126(ellipsoid: str, easting: int = 500_000) -> str:
    return f"+proj=tmerc +lat_0=0 +lon_0=126 +k=1 +x_0={easting} +y_0=0 {ellipsoid}"


CGCS2000_ZONE = zone_126("+a=6378137 +rf=298.257222101")
CGCS2000_PREFIXED = zone_126("+a=6378137 +rf=298.257222101", 42_500_000)
EAST = np.array([380_000.0, 500_000.0, 544_231.8, 640_000.0])
NORTH = np.array([4_500_000.0, 4_856_191.7, 4_860_000.0, 5_100_000.0])
HEIGHT = np.array([0.0, 190.0, -20.0, 2000.0])


@pytest.mark.parametrize("convention", ["position_vector", "coordinate_frame"])
@pytest.mark.parametrize(
    ("datum", "source", "offset", "ellipsoid", "target", "twin"),
    [
        ("EPSG:4610", 2387, 0, XIAN_80, 4551, CGCS2000_ZONE),
        ("EPSG:4610", 2366, 42_000_000, XIAN_80, 4530, CGCS2000_PREFIXED),
        ("EPSG:4214", 2439, 0, KRASSOVSKY, 4551, CGCS2000_ZONE),
        ("EPSG:2439", 2418, 42_000_000, KRASSOVSKY, 4530, CGCS2000_PREFIXED),
    ],
)
def test_seven_parameters_agree_with_proj_to_a_tenth_of_a_millimetre(
    tmp_path: Path, convention: str, datum: str, source: Srid, offset: int, ellipsoid: str, target: int, twin: str
) -> None:
    table = SEVEN | {"source": datum, "convention": convention}
    shift = read_datum_shift(write(tmp_path, table)).between(source)
    assert shift.target == target
    plane = zone_126(ellipsoid, 500_000 + offset)
    expected_x, expected_y, _ = by_proj(table, plane, ellipsoid, twin).transform(EAST + offset, NORTH, HEIGHT)
    x, y = shift.apply(EAST + offset, NORTH, HEIGHT)
    assert np.abs(x - expected_x).max() < 1e-4
    assert np.abs(y - expected_y).max() < 1e-4
    assert np.abs(x - EAST - offset).min() > 1  # it did move


def test_degrees_move_as_proj_moves_them(seven: DatumShift) -> None:
    lon, lat = np.array([73.7, 105.0, 126.55, 134.5]), np.array([39.0, 18.5, 43.84, 48.0])
    to_degrees = "+proj=unitconvert +xy_in=rad +xy_out=deg"
    pipeline = by_proj(SEVEN, to_degrees, XIAN_80, to_degrees)
    expected_lon, expected_lat, _ = pipeline.transform(lon, lat, np.zeros(4))
    moved_lon, moved_lat = seven.apply(lon, lat)
    assert seven.target == 4490
    assert np.abs(moved_lon - expected_lon).max() < 1e-9  # 0.1 mm
    assert np.abs(moved_lat - expected_lat).max() < 1e-9


def test_the_two_conventions_turn_opposite_ways(tmp_path: Path) -> None:
    frame = read_datum_shift(write(tmp_path, SEVEN | {"convention": "coordinate_frame"})).between(Srid(2387))
    turned = {key: -SEVEN[key] for key in ("rx", "ry", "rz")}
    vector = read_datum_shift(write(tmp_path, SEVEN | turned)).between(Srid(2387))
    assert np.array_equal(frame.apply(EAST, NORTH), vector.apply(EAST, NORTH))


@pytest.mark.parametrize(
    "units",
    [
        {"rotation_unit": "radian", **{key: SEVEN[key] * np.pi / 648_000 for key in ("rx", "ry", "rz")}},
        {"rotation_unit": "degree", **{key: SEVEN[key] / 3600 for key in ("rx", "ry", "rz")}},
        {"scale_unit": "factor", "scale": 1 + SEVEN["scale"] * 1e-6},
    ],
)
def test_units_are_respected(tmp_path: Path, seven: DatumShift, units: dict[str, Any]) -> None:
    plain = {key: value if isinstance(value, str) else float(value) for key, value in units.items()}
    other = read_datum_shift(write(tmp_path, SEVEN | plain)).between(Srid(2387))
    assert np.allclose(other.apply(EAST, NORTH), seven.between(Srid(2387)).apply(EAST, NORTH), rtol=0, atol=1e-6)


def test_missing_heights_count_as_zero(seven: DatumShift) -> None:
    shift = seven.between(Srid(2387))
    expected = shift.apply(EAST, NORTH, np.zeros(4))
    assert np.array_equal(shift.apply(EAST, NORTH), expected)
    assert np.array_equal(shift.apply(EAST, NORTH, np.full(4, np.nan)), expected)


def test_infinite_coordinates_end_as_no_finite_ones_and_spoil_no_others(seven: DatumShift) -> None:
    shift = seven.between(Srid(2387))
    x, y = shift.apply(np.array([np.inf, np.nan, 5e5]), np.array([4.8e6, 4.8e6, 4.8e6]))
    assert not np.isfinite(x[:2]).any()
    assert np.isfinite((x[2], y[2])).all()


def test_no_points_stay_no_points(seven: DatumShift) -> None:
    x, y = seven.between(Srid(2387)).apply(np.array([]), np.array([]))
    assert (len(x), len(y)) == (0, 0)


@settings(deadline=None)
@given(
    st.floats(1e5, 9e5),
    st.floats(2e6, 6e6),
    st.floats(-1000, 1000),
    st.floats(-1000, 1000),
    st.floats(-3600, 3600),
    st.floats(-100, 100),
)
def test_four_parameters_are_one_multiplication_of_complex_numbers(
    tmp_path_factory: pytest.TempPathFactory,
    east: float,
    north: float,
    dx: float,
    dy: float,
    rotation: float,
    scale: float,
) -> None:
    table = FOUR | {"dx": dx, "dy": dy, "rotation": rotation, "scale": scale}
    factor = (1 + scale * 1e-6) * np.exp(1j * np.radians(rotation / 3600))
    folder = tmp_path_factory.mktemp("shift")
    point = np.array([east]), np.array([north])
    x, y = read_datum_shift(write(folder, table)).apply(*point)
    assert complex(y[0], x[0]) == pytest.approx(complex(dx, dy) + factor * complex(north, east), abs=1e-4)
    x, y = read_datum_shift(write(folder, table | {"first_axis": "east"})).apply(*point)
    assert complex(x[0], y[0]) == pytest.approx(complex(dx, dy) + factor * complex(east, north), abs=1e-4)


def test_four_parameters_hold_for_their_own_plane_only(tmp_path: Path) -> None:
    shift = read_datum_shift(write(tmp_path, FOUR))
    assert (shift.source, shift.target) == (2439, 4551)
    assert shift.between(Srid(2439)) == shift
    for other in (2438, 2418, 4214, 2387):  # another zone, the same zone with its number, degrees, another datum
        with pytest.raises(ShiftForOtherCrs):
            shift.between(Srid(other))


def test_seven_parameters_hold_for_every_plane_of_their_datum_only(seven: DatumShift) -> None:
    assert seven.between(Srid(2387)).between(Srid(2366)).between(Srid(4610)) == seven
    for other in (2439, 4214, 4555, 4551, 4490):
        with pytest.raises(ShiftForOtherCrs):
            seven.between(Srid(other))


@pytest.mark.parametrize("source", [*range(2401, 2443), *range(21413, 21424), *range(21453, 21464), *range(2327, 2391)])
def test_every_zone_has_a_twin_with_the_same_projection(source: Srid, tmp_path: Path) -> None:
    datum = "EPSG:4610" if source < 2400 else "EPSG:4214"
    twin = read_datum_shift(write(tmp_path, SEVEN | {"source": datum})).between(source).target
    assert gauss_kruger(lookup(twin)) == gauss_kruger(lookup(source))
    assert lookup(twin).name.split(" / ") == ["CGCS2000", lookup(source).name.split(" / ")[1]]


def test_a_plane_without_a_twin_is_refused(tmp_path: Path) -> None:
    shift = read_datum_shift(write(tmp_path, SEVEN | {"source": "EPSG:4214"})).between(Srid(21482))
    with pytest.raises(ShiftHasNoTwin, match="Beijing 1954"):
        _ = shift.target


# The parameters are secret.


def test_no_parameter_shows_in_a_representation(seven: DatumShift) -> None:
    shown = f"{seven!r} {seven} {seven.between(Srid(2387))!r} {vars(seven)!r} {seven._parameters!r}"
    assert not [secret for secret in SECRETS if secret in shown]
    assert "4610" in shown


BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": None}, "kind"),
    ({"kind": "31.4159"}, "kind"),
    ({"source": None}, "source"),
    ({"source": "31.4159"}, "source"),
    ({"source": "EPSG:4490"}, "source"),
    ({"source": "EPSG:99999"}, "source"),
    ({"convention": None}, "convention"),
    ({"convention": "31.4159"}, "convention"),
    ({"translation_unit": None}, "translation_unit"),
    ({"translation_unit": "foot"}, "translation_unit"),
    ({"rotation_unit": None}, "rotation_unit"),
    ({"scale_unit": None}, "scale_unit"),
    ({"scale_unit": "unity"}, "scale_unit"),
    ({"dx": None}, "dx"),
    ({"dx": "31.4159"}, "dx"),
    ({"dx": True}, "dx"),
    ({"dx": float("nan")}, "dx"),
    ({"rz": float("inf")}, "rz"),
    ({"rotation_unit": "radian"}, "rotation_unit"),  # arcseconds given as radians
    ({"scale_unit": "factor"}, "scale_unit"),  # ppm given as a factor
    ({"ppm": 31.4159}, "ppm"),
    ({"first_axis": "north"}, "first_axis"),
]


@pytest.mark.parametrize(("change", "told"), BAD)
def test_a_bad_file_is_refused_without_showing_a_value(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    table = {key: value for key, value in (SEVEN | change).items() if value is not None}
    text = "\n".join(
        f"{key} = {str(value).lower()}" if isinstance(value, bool | float) else f'{key} = "{value}"'
        for key, value in table.items()
    )
    path = write(tmp_path, {})
    path.write_text(text, "utf-8")
    with pytest.raises(BadShiftFile) as caught:
        read_datum_shift(path)
    assert told in caught.value.text.en
    assert told in caught.value.text.zh
    assert_nothing_leaks(caught.value)


@pytest.mark.parametrize(
    "text", ["dx = 31.4159 27.1828", "dx = 31.4159\ndx = 27.1828", 'kind = "31.4159', "31.4159", "[dx]\n31.4159 = ]"]
)
def test_a_file_that_is_not_toml_is_refused_without_showing_a_value(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, {})
    path.write_text(text, "utf-8")
    with pytest.raises(BadShiftFile) as caught:
        read_datum_shift(path)
    assert "not valid TOML" in caught.value.text.en
    assert_nothing_leaks(caught.value)


def assert_nothing_leaks(error: BaseException) -> None:
    assert error.__context__ is None
    everything = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert not [secret for secret in SECRETS if secret in everything]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00" * 10])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "shift.toml"
    path.write_bytes(content)
    with pytest.raises(BadShiftFile, match="TOML"):
        read_datum_shift(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadShiftFile, match="No such file"):
        read_datum_shift(tmp_path / "absent.toml")


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_can_read_is_warned_of(tmp_path: Path, mode: int, warned: bool) -> None:
    path = write(tmp_path, SEVEN)
    path.chmod(mode)
    notes = read_datum_shift(path).notes
    assert bool(notes) is warned
    assert all("chmod 600" in note.en and "chmod 600" in note.zh for note in notes)


def test_the_ellipsoids_here_are_those_of_the_datums() -> None:
    for code, shape in ((4610, (6378140.0, 298.257)), (4214, (6378245.0, 298.3)), (4490, (6378137.0, 298.257222101))):
        ellipsoid = CRS.from_epsg(code).ellipsoid
        assert ellipsoid is not None
        assert (ellipsoid.semi_major_metre, ellipsoid.inverse_flattening) == shape
