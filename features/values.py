"""Attribute values that clients send, held strictly against the columns that they are for."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from core.errors import BadRequest
from core.language import Text

Value = str | list[str | None] | None  # as PostgreSQL reads it: the statement casts it to the column's type

_WHOLE = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_REAL = {"real": 3.4028235e38, "double precision": math.inf}
_MOMENT = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?"


class BadValue(BadRequest):
    """A value that its column cannot hold."""

    en = "{name} = {value} is not {expected}."
    zh = "{name} = {value} 不是{expected}。"


class _Unfit(Exception):
    """A value that is not as the column wants it."""

    def __init__(self, en: str, zh: str) -> None:
        self.expected = Text(en, zh)


def as_stored(name: str, value: Any, type_: str) -> Value:  # noqa: ANN401 — what a client sent
    """A JSON value as a column of a type takes it; `BadValue` says what belongs there."""
    if value is None:
        return None
    try:
        if type_.endswith("[]"):
            return _array(value, type_.removesuffix("[]"))
        return _single(value, type_)
    except _Unfit as error:
        shown = json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace").decode()
        raise BadValue(name=name, value=shown[:60], expected=error.expected) from None


def _array(value: object, type_: str) -> list[str | None]:
    if not isinstance(value, list):
        raise _Unfit("an array", "数组")
    return [None if one is None else _single(one, type_) for one in value]


def _single(value: object, type_: str) -> str:
    if type_ in _WHOLE:
        return _whole(value, _WHOLE[type_])
    if type_ in _REAL:
        return _real(value, _REAL[type_])
    return _READERS.get(type_, _anything)(value)


def _whole(value: object, limit: int) -> str:
    """JSON Schema takes 5.0 for an integer, and so do we."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if type(whole) is not int or not -limit <= whole < limit:
        raise _Unfit(f"a whole number from {-limit} to {limit - 1}", f" {-limit} 到 {limit - 1} 之间的整数")
    return str(whole)


def _real(value: object, limit: float) -> str:
    if value in ("NaN", "Infinity", "-Infinity"):  # as PostgreSQL serves them, for JSON has no such numbers
        return str(value)
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > limit:  # type: ignore[arg-type]  # numbers by now
        raise _Unfit("a number that the column can hold", "该字段可存储的数值")
    return repr(value)


def _boolean(value: object) -> str:
    if not isinstance(value, bool):
        raise _Unfit("true or false", " true 或 false")
    return str(value).lower()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Unfit("a text", "文本")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _Unfit("a text that a database can hold: it has a NUL or half a surrogate pair", "数据库可存储的文本")
    return value


def _bytes(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\\x([0-9a-fA-F]{2})*", value):
        raise _Unfit(r"bytes in hexadecimal such as \x00ff", r"十六进制字节(如 \x00ff)")
    return value


def _moment_of(value: object, form: str, read: Callable[[str], Any], expected: _Unfit) -> Any:  # noqa: ANN401 — a date, a time, or both
    if not isinstance(value, str) or not re.fullmatch(form, value, re.ASCII):
        raise expected
    try:
        return read(value.upper())
    except ValueError:
        raise expected from None


def _date(value: object) -> str:
    expected = _Unfit("a date such as 2024-05-31", "日期(如 2024-05-31)")
    return str(_moment_of(value, r"\d{4}-\d\d-\d\d", date.fromisoformat, expected).isoformat())


def _time(value: object) -> str:
    expected = _Unfit("a time such as 08:00:00", "时间(如 08:00:00)")
    return str(_moment_of(value, r"\d\d:\d\d:\d\d(\.\d{1,9})?", time.fromisoformat, expected).isoformat())


def _local(value: object) -> str:
    """A column without zones is read as UTC by `datetime=`: a moment in another zone is written so."""
    expected = _Unfit("a moment such as 2024-05-31T08:00:00", "时刻(如 2024-05-31T08:00:00)")
    moment = _moment_of(value, _MOMENT, datetime.fromisoformat, expected)
    try:
        return str((moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment).isoformat())
    except OverflowError:
        raise expected from None


def _zoned(value: object) -> str:
    expected = _Unfit(
        "a moment with its zone, such as 2024-05-31T08:00:00+08:00", "带时区的时刻(如 2024-05-31T08:00:00+08:00)"
    )
    moment = _moment_of(value, _MOMENT, datetime.fromisoformat, expected)
    if moment.tzinfo is None:
        raise expected
    return str(moment.isoformat())


def _anything(value: object) -> str:
    """For a type that no loader makes: PostgreSQL has the last word."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise _Unfit("a text or a number", "文本或数值")


_READERS: dict[str, Callable[[object], str]] = {
    "boolean": _boolean,
    "text": _text,
    "bytea": _bytes,
    "date": _date,
    "time without time zone": _time,
    "timestamp without time zone": _local,
    "timestamp with time zone": _zoned,
}
