"""Attribute values against the types of their columns."""

import pytest

from features.receive import NotJson, read_json
from features.values import BadValue, as_stored


@pytest.mark.parametrize(
    ("type_", "value", "stored"),
    [
        ("smallint", -32768, "-32768"), ("bigint", 2**63 - 1, "9223372036854775807"), ("integer", 7.0, "7"), ("integer", None, None),
        ("real", 1, "1"), ("real", 3.4e38, "3.4e+38"), ("double precision", 1.7976931348623157e308, "1.7976931348623157e+308"),
        ("double precision", 0.1, "0.1"), ("real", "NaN", "NaN"), ("boolean", True, "true"), ("text", "", ""), ("text", "𠮷\n", "𠮷\n"), ("bytea", "\\x00fF", "\\x00fF"),
        ("date", "2024-02-29", "2024-02-29"), ("time without time zone", "08:00:00.25", "08:00:00.250000"),
        ("timestamp without time zone", "2024-05-31t08:00:00", "2024-05-31T08:00:00"),
        ("timestamp without time zone", "2024-05-31T08:00:00+08:00", "2024-05-31T00:00:00"),
        ("timestamp with time zone", "2024-05-31 08:00:00.1234567z", "2024-05-31T08:00:00.123456+00:00"),
        ("integer[]", [1, None, 2], ["1", None, "2"]), ("text[]", [], []), ("numeric(10,2)", 1.25, "1.25"), ("uuid", "x", "x"),
    ],
)  # fmt: skip
def test_what_fits_is_passed_on_as_postgresql_reads_it(type_: str, value: object, stored: object) -> None:
    assert as_stored("a", value, type_) == stored


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("smallint", 32768), ("bigint", 2**63), ("integer", 1e300), ("integer", float("inf")), ("integer", "1"), ("integer", False),
        ("real", 3.5e38), ("real", "nan"), ("integer", "NaN"), ("double precision", float("inf")), ("double precision", True), ("boolean", "true"), ("text", 1),
        ("text", "\0"), ("text", "\udfff"), ("bytea", "00ff"), ("bytea", "\\x0"), ("date", "2024-2-9"), ("date", "２０２４-02-29"), ("date", "2023-02-29"),
        ("date", "2024-02-29\n"), ("time without time zone", "8:00"), ("time without time zone", "08:00:60"), ("timestamp without time zone", "2024-05-31"),
        ("timestamp without time zone", "9999-12-31T23:59:59-01:00"), ("timestamp with time zone", "2024-05-31T08:00:00"),
        ("integer[]", 1), ("integer[]", ["1"]), ("integer[]", [[1]]), ("uuid", {}), ("numeric", [1]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_belongs_there(type_: str, value: object) -> None:
    with pytest.raises(BadValue) as caught:
        as_stored("a", value, type_)
    assert caught.value.message("zh").startswith("a = ")
    caught.value.message("zh").encode()


def test_json_is_read_strictly() -> None:
    assert read_json(b'{"a": [1, 2.5, "x"]}') == {"a": [1, 2.5, "x"]}
    for body in (
        b"{'a': 1}",
        b"[1,]",
        b"NaN",
        b"-Infinity",
        b"\xef\xbb\xbf{}",
        b"\x80",
        b"[" * 500_000,
        b'{"a":1,"a":1}',
        b"01",
    ):
        with pytest.raises(NotJson):
            read_json(body)
