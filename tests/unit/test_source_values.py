"""Values on their way into a table: names, types found in text, plain types, valid text, and coordinates."""

import datetime as dt
import decimal
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from loaders.columns import Words, plan
from loaders.coordinates import Asked, declared_srid, find_place, points, read_number, shapes
from loaders.errors import NoCoordinates, NoSuchColumn, TooManyColumns, UnsafeSource
from loaders.infer import Kind, narrow, typed
from loaders.moments import Moments
from loaders.names import LIMIT, distinct
from loaders.tally import Tally
from loaders.wkb import check_nesting

PATH = Path("x.csv")


@given(st.lists(st.text(max_size=40) | st.sampled_from(["Name", "NAME", "name_2", "", "xmin", "geometry", "字" * 30])))
def test_any_names_become_distinct_column_names(names: list[str]) -> None:
    found, _ = distinct(names)
    assert len(found) == len(names)
    assert len({name.casefold() for name in found}) == len(names)
    assert all(0 < len(name.encode()) <= LIMIT and "\0" not in name for name in found)
    assert not {"geometry", "xmin", "ctid", "tableoid"}.intersection(found)


def test_good_names_stay_as_they_are_and_changes_are_told() -> None:
    found, notes = distinct(["宗地代码", "Name", "NAME", "", "界" * 25])
    assert found == ["宗地代码", "Name", "NAME_2", "field_4", "界" * 21]
    assert "'NAME' -> NAME_2" in notes[0].text.en
    assert distinct(["a", "b"]) == (["a", "b"], ())


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "0", " 3 ", "", None], "int"),
        (["1", "2.5", "-0.1", "1.5e-3"], "float"),
        (["0303", "0304"], "text"),
        (["1", "007"], "text"),
        (["220200123456789012"], "text"),
        (["1234567890123456"], "text"),
        (["3E10", "4"], "text"),
        (["true", "FALSE"], "bool"),
        (["是", "否"], "text"),
        (["2024-01-05", "2024/1/5", "2024年1月5日"], "date"),
        (["2024-02-31"], "text"),
        (["20240105"], "int"),
        (["2024-01-05 10:11", "2024/1/5 9:00:01.5"], "local"),
        (["2024-01-05T10:11:12Z", "2024-01-05T10:11:12+08:00"], "zoned"),
        (["2024-01-05T10:11:12Z", "2024-01-05T10:11:12"], "text"),
        (["2024-01-05", "1"], "text"),
        (["", None, "  "], "empty"),
    ],
)
def test_a_text_column_gets_the_narrowest_type_that_loses_nothing(values: list[str | None], kind: Kind) -> None:
    assert narrow("empty", pa.array(values, pa.string())) == kind


def test_a_type_only_ever_widens() -> None:
    kind: Kind = "empty"
    seen = []
    for batch in (["1"], [None], ["2.5"], ["3"], ["0303"], ["4"]):
        kind = narrow(kind, pa.array(batch, pa.string()))
        seen.append(kind)
    assert seen == ["int", "int", "float", "float", "text", "text"]


@given(st.lists(st.integers(-(10**14), 10**14) | st.none(), min_size=1))
def test_numbers_read_as_themselves(numbers: list[int | None]) -> None:
    text = pa.array([None if number is None else str(number) for number in numbers], pa.string())
    kind = narrow("empty", text)
    _, convert = typed(kind, Words(Tally()))
    assert convert(text).to_pylist() == numbers


def test_dates_and_times_are_read_with_and_without_zones() -> None:
    day, local, zoned = (typed(kind, Words(Tally()))[1] for kind in ("date", "local", "zoned"))
    assert day(pa.array(["2024/1/5", None])).to_pylist() == [dt.date(2024, 1, 5), None]
    assert local(pa.array(["2024/1/5 9:30"])).to_pylist() == [dt.datetime(2024, 1, 5, 9, 30)]
    assert zoned(pa.array(["2024-01-05T10:00:00+08:00"])).to_pylist() == [dt.datetime(2024, 1, 5, 2, tzinfo=dt.UTC)]


def test_times_with_and_without_zone_in_one_column_are_kept_and_counted() -> None:
    tally = Tally()
    read = Moments(tally, zoned=True)(pa.array(["2024-01-05T10:00:00+08:00", "2024-01-05T10:00:00", "soon", None]))
    utc = [dt.datetime(2024, 1, 5, hour, tzinfo=dt.UTC) for hour in (2, 10)]
    assert read.to_pylist() == [*utc, None, None]
    assert {note.code for note in tally.notes()} == {"time-zone-assumed", "time-unread"}


def one_column(array: pa.Array, words: Words | None = None) -> tuple[pa.DataType, list[Any]]:
    """What a column of any type becomes."""
    tally = Tally()
    (column,), _ = plan(PATH, [(0, "a", array.type)], words or Words(tally), tally)
    converted = column.convert(array)
    converted.validate(full=True)
    assert converted.type == column.field.type
    return converted.type, converted.to_pylist()


UUID = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("array", "type_", "values"),
    [
        (pa.array([1, None], pa.int8()), pa.int16(), [1, None]),
        (pa.array([4_000_000_000], pa.uint32()), pa.int64(), [4_000_000_000]),
        (pa.array([2**64 - 1], pa.uint64()), pa.string(), [str(2**64 - 1)]),
        (pa.array([1.5], pa.float16()), pa.float32(), [1.5]),
        (pa.array(["中"], pa.large_string()), pa.string(), ["中"]),
        (pa.array(["中"], pa.string_view()), pa.string(), ["中"]),
        (pa.array([b"\0"], pa.large_binary()), pa.binary(), [b"\0"]),
        (pa.array([b"ab"], pa.binary(2)), pa.binary(), [b"ab"]),
        (pa.array(["a", "b", "a", None]).dictionary_encode(), pa.string(), ["a", "b", "a", None]),
        (pa.array([decimal.Decimal("1.50")], pa.decimal128(10, 2)), pa.float64(), [1.5]),
        (pa.array([decimal.Decimal(7)], pa.decimal128(18, 0)), pa.int64(), [7]),
        (pa.array([decimal.Decimal("0.10")], pa.decimal128(30, 2)), pa.string(), ["0.10"]),
        (pa.array([[1, 2], None], pa.list_(pa.int32())), pa.string(), ["[1, 2]", None]),
        (pa.array([{"k": "中"}]), pa.string(), ['{"k": "中"}']),
        (pa.array([dt.time(10, 11)], pa.time32("ms")), pa.time64("us"), [dt.time(10, 11)]),
        (pa.array([dt.date(2024, 1, 5)], pa.date64()), pa.date32(), [dt.date(2024, 1, 5)]),
        (pa.array([0], pa.timestamp("ns")), pa.timestamp("us"), [dt.datetime(1970, 1, 1)]),
        (
            pa.array([0], pa.timestamp("ms", "+08:00")),
            pa.timestamp("us", "UTC"),
            [dt.datetime(1970, 1, 1, tzinfo=dt.UTC)],
        ),
        (pa.nulls(2), pa.string(), [None, None]),
        (pa.array([UUID.bytes], pa.uuid()), pa.string(), [str(UUID)]),
        (pa.array(["{}"], pa.json_(pa.string())), pa.string(), ["{}"]),
        (pa.array([dt.timedelta(seconds=1)], pa.duration("s")), pa.string(), ["0:00:01"]),
    ],
)
def test_every_type_becomes_one_that_copy_takes(array: pa.Array, type_: pa.DataType, values: list[Any]) -> None:
    assert one_column(array) == (type_, values)


def as_text(*values: bytes | None) -> pa.Array:
    """A text column of raw bytes, valid or not."""
    return pa.array(values, pa.binary()).view(pa.string())


def test_nul_is_removed_and_counted() -> None:
    tally = Tally()
    cleaned = Words(tally)(as_text(b"a\0b", None, "中\0".encode(), b""))
    assert cleaned.to_pylist() == ["ab", None, "中", ""]
    assert [note.text.en for note in tally.notes()] == [
        "NUL characters, which PostgreSQL cannot hold, removed from texts: 2."
    ]


def test_lone_surrogates_and_broken_utf8_become_valid_text() -> None:
    tally = Tally()
    cleaned = Words(tally)(as_text(b"a\xed\xa0\x80b", b"\xff", b"\xc0\xaf", "好".encode()))
    cleaned.validate(full=True)
    assert cleaned[3].as_py() == "好"
    assert "\ufffd" in cleaned[0].as_py()
    assert [(note.code, "3" in note.text.en) for note in tally.notes()] == [("text-replaced", True)]


def test_gbk_in_a_format_of_utf8_is_read_if_the_user_says_so() -> None:
    assert (
        Words(Tally(), fallback="gb18030")(as_text("中文".encode("gbk"), "中文".encode())).to_pylist() == ["中文"] * 2
    )


def test_bytes_wrapped_as_latin1_are_decoded_each_value_once() -> None:
    tally = Tally()
    raw = ["住宅".encode("gbk"), b"plain", "住宅".encode("gbk")[:3], "住宅".encode("gbk")]
    wrapped = pa.array([None, *(value.decode("latin-1") for value in raw)])
    assert Words(tally, "gb18030", latin=True)(wrapped).to_pylist() == [None, "住宅", "plain", "住", "住宅"]
    assert [note.code for note in tally.notes()] == ["text-cut"]


def test_a_slice_of_a_column_is_judged_by_its_own_bytes() -> None:
    cleaned = Words(Tally())(as_text(b"\xff", b"ab", b"c\0d").slice(1, 1))
    assert cleaned.to_pylist() == ["ab"]


def test_more_columns_than_a_table_can_have_are_refused() -> None:
    with pytest.raises(TooManyColumns, match="1501"):
        plan(PATH, [(n, f"c{n}", pa.int64()) for n in range(1501)], Words(Tally()), Tally())


@pytest.mark.parametrize(
    ("names", "x", "y"),
    [
        (["id", "lon", "lat"], 1, 2),
        (["LAT", "LNG"], 1, 0),
        (["名称", "经度", "纬度"], 1, 2),
        (["经度(°)", "纬度(°)"], 0, 1),
        (["longitude", "latitude", "x", "y"], 0, 1),
        (["东坐标", "北坐标"], 0, 1),
        (["横坐标", "纵坐标"], 0, 1),
        (["X坐标(m)", "Y坐标(m)"], 0, 1),
        (["POINT_X", "POINT_Y"], 0, 1),
        (["site_lng", "site_lat"], 0, 1),
    ],
)
def test_coordinate_columns_are_known_by_their_names(names: list[str], x: int, y: int) -> None:
    place = find_place(PATH, names, Asked())
    assert (place.x, place.y, place.wkt) == (x, y, None)
    assert place.notes[0].code == "coordinate-columns"


def test_coordinates_are_asked_for_where_names_do_not_tell() -> None:
    with pytest.raises(NoCoordinates, match=r"Columns: a, b.*--x and --y"):
        find_place(PATH, ["a", "b"], Asked())
    with pytest.raises(NoCoordinates):
        find_place(PATH, ["start_lon", "start_lat", "end_lon", "end_lat"], Asked())
    with pytest.raises(NoSuchColumn, match="no column c"):
        find_place(PATH, ["a", "b"], Asked(x="a", y="c"))
    assert find_place(PATH, ["A", "b"], Asked(x="a", y="B"))[1:3] == (0, 1)


def test_shifted_chinese_coordinates_are_warned_of() -> None:
    codes = [note.code for note in find_place(PATH, ["gcj02_lng", "gcj02_lat"], Asked()).notes]
    assert codes == ["coordinate-columns", "offset-coordinates"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("126.5", 126.5),
        (" 4,867,123.5 ", 4867123.5),
        ("43,8", None),
        ("126°33′36″", 126.56),
        ("126°33'36\"E", 126.56),
        ("126度33分36秒", 126.56),
        ("S 43° 30'", -43.5),
        ("西经126度", None),
        ("", None),
        ("abc", None),
        (None, None),
    ],
)
def test_coordinates_are_read_as_people_write_them(text: str | None, number: float | None) -> None:
    assert read_number(text) == (pytest.approx(number) if number is not None else None)


def test_points_are_made_of_two_columns() -> None:
    tally = Tally()
    x = pa.array(["126.5", "", None, "abc", "126°30′0″", "nan"])
    y = pa.array([43.8, None, None, 43.0, 44.0, 1.0])
    made = points(x, y, tally)
    made.validate(full=True)
    assert shapely.to_wkt(shapely.from_wkb(made.to_pylist())).tolist() == [
        "POINT (126.5 43.8)",
        None,
        None,
        None,
        "POINT (126.5 44)",
        None,
    ]
    assert [note.text.en[-2:] for note in tally.notes()] == ["2."]


def test_shapes_are_read_from_wkt_ewkt_hex_and_geojson() -> None:
    tally = Tally()
    texts = [
        "POINT ZM (1 2 3 4)",
        "SRID=4549;POINT (1 2)",
        "0101000020C5110000000000000000F03F0000000000000040",
        '{"type":"Point","coordinates":[1,2]}',
        None,
        "",
        "POINT (1",
        "POLYGON M ((0 0 1,1 0 1,1 1 1,0 0 1))",
    ]
    made = shapes(pa.array(texts), tally).to_pylist()
    assert [value and value[:5].hex() for value in made] == [
        "01b90b0000",
        "0101000000",
        "0101000000",
        "0101000000",
        None,
        None,
        None,
        "01d3070000",
    ]
    assert [note.code for note in tally.notes()] == ["geometry-unread"]
    assert declared_srid(pa.array([None, texts[1]])) == "EPSG:4549"
    assert declared_srid(pa.array(["POINT (1 2)"])) is None


def nested(depth: int) -> bytes:
    """A point in a collection in a collection ... as WKB."""
    return b"\x01\x07\0\0\0\x01\0\0\0" * depth + bytes(shapely.to_wkb(shapely.Point(1, 2)))


@pytest.mark.parametrize(
    "text",
    [
        "GEOMETRYCOLLECTION(" * 100_000 + ")" * 100_000,
        '{"type":"GeometryCollection","geometries":[' * 100_000 + "]}" * 100_000,
        nested(50_000).hex(),
    ],
)
def test_collections_nested_too_deep_never_reach_the_parser(text: str) -> None:
    tally = Tally()
    assert shapes(pa.array([text, "POINT (1 2)"]), tally).is_valid().to_pylist() == [False, True]
    assert [note.code for note in tally.notes()] == ["geometry-unread"]


def test_wkb_nested_too_deep_is_refused() -> None:
    fine = pa.array([None, nested(3), shapely.to_wkb(shapely.box(0, 0, 1, 1)), b""])
    check_nesting(PATH, fine)
    with pytest.raises(UnsafeSource, match="too many collections"):
        check_nesting(PATH, pa.array([None, nested(30_000)]))
    big_endian = np.frombuffer(b"\0\0\0\0\x07\0\0\0\x01" * 30_000, np.uint8).tobytes()
    with pytest.raises(UnsafeSource):
        check_nesting(PATH, pa.array([b"x", big_endian]).slice(1))
