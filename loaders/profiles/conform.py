"""A layer as its profile has it: the standard's names, order and types; fields that the profile does not know follow."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import ChengtuError
from core.language import Text
from loaders.layer import Field, Layer, schema_of
from loaders.names import distinct
from loaders.profiles.model import FieldProfile, Type
from loaders.profiles.recognise import Match

_TYPES: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
}
_DAYS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d")


class FieldsMissing(ChengtuError):
    """A layer that was said, or found, to follow a profile lacks fields that this needs."""

    en = "{layer} is {profile}, but lacks {fields}. Add them in the source, or load it as it is with --profile none."
    zh = "{layer} 是 {profile},但缺少字段 {fields}。请在来源中补齐,或使用 --profile none 按原样加载。"
    exit_code = 2


class WrongValue(ChengtuError):
    """A value that is not what the profile's field holds."""

    en = "{field} of {layer} holds {value!r}, which is no {type}. Mend it in the source, or load with --profile none."
    zh = "{layer} 的字段 {field} 中有 {value!r},不是{type}。请在来源中改正,或使用 --profile none 加载。"
    exit_code = 2


class _Column(NamedTuple):
    """A field of the conformed layer, its place in the source's batches (None: it has none), and the profile's word on it."""

    field: Field
    place: int | None
    known: FieldProfile | None


def conform(layer: Layer, match: Match) -> Layer:
    """The layer with the fields of its profile; those that it lacks are null.

    Raises `FieldsMissing` for a required one; reading raises `WrongValue`.
    """
    missing = [one.name for one in match.as_layer.required if one.name not in match.columns]
    if missing:
        raise FieldsMissing(layer=layer.name, profile=match.as_layer.name, fields=", ".join(missing))
    columns = _columns(layer, match)

    def read(size: int) -> Iterator[pa.RecordBatch]:
        schema = schema_of(tuple(column.field for column in columns))
        for batch in layer.batches(size):
            values = [_values(batch, column, layer.name) for column in columns]
            yield pa.RecordBatch.from_arrays([*values, batch.column(batch.num_columns - 1)], schema=schema)

    return replace(layer, fields=tuple(column.field for column in columns), read=read)


def _columns(layer: Layer, match: Match) -> list[_Column]:
    places = {one.name: place for place, one in enumerate(layer.fields)}
    known = [
        _Column(Field(one.name, _TYPES[one.type]), places.get(match.columns.get(one.name, "")), one)
        for one in match.as_layer.fields
    ]
    used = set(match.columns.values())
    rest = [one for one in layer.fields if one.name not in used and one.name != layer.fid]
    names, _ = distinct([*(column.field.name for column in known), *(one.name for one in rest)])
    more = [
        _Column(Field(name, one.type), places[one.name], None)
        for name, one in zip(names[len(known) :], rest, strict=True)
    ]
    return [*known, *more]


def _values(batch: pa.RecordBatch, column: _Column, layer: str) -> pa.Array:
    if column.place is None:
        return pa.nulls(batch.num_rows, column.field.type)
    array = batch.column(column.place)
    if column.known is None or array.type == column.field.type:
        return array
    return _CASTS[column.known.type](array, lambda value: _wrong(value, column, layer))


def _wrong(value: object, column: _Column, layer: str) -> WrongValue:
    words = {
        "integer": Text("whole number", "整数"),
        "number": Text("number", "数字"),
        "date": Text("date", "日期"),
        "text": Text("text", "文本"),
    }
    return WrongValue(
        field=column.field.name, layer=layer, value=value, type=words[column.known.type if column.known else "text"]
    )


type _Wrong = Callable[[object], WrongValue]


def _as_text(array: pa.Array, wrong: _Wrong) -> pa.Array:
    """Numbers as they are counted, 203 and not 203.0: codes are often kept as numbers."""
    if pa.types.is_floating(array.type) and pc.all(pc.equal(pc.floor(array), array)).as_py() is not False:
        array = array.cast(pa.int64())
    return array.cast(pa.string())


def _as_number(array: pa.Array, wrong: _Wrong) -> pa.Array:
    return _parsed(array, pa.float64(), wrong)


def _as_integer(array: pa.Array, wrong: _Wrong) -> pa.Array:
    numbers = _parsed(array, pa.float64(), wrong)
    broken = numbers.filter(pc.not_equal(pc.floor(numbers), numbers))
    if len(broken):
        raise wrong(broken[0].as_py())
    return numbers.cast(pa.int64())


def _as_date(array: pa.Array, wrong: _Wrong) -> pa.Array:
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.date32(), safe=False)
    texts = _blank_is_null(array.cast(pa.string()))
    days = pa.nulls(len(texts), pa.timestamp("s"))
    for pattern in _DAYS:
        days = pc.coalesce(days, pc.strptime(texts, format=pattern, unit="s", error_is_null=True))
    _all_read(texts, days, wrong)
    return days.cast(pa.date32())


def _parsed(array: pa.Array, type_: pa.DataType, wrong: _Wrong) -> pa.Array:
    if not pa.types.is_string(array.type):
        return array.cast(type_, safe=False)
    texts = _blank_is_null(array)
    try:
        return texts.cast(type_)
    except pa.ArrowInvalid:
        for text in texts:
            try:
                text.cast(type_)
            except pa.ArrowInvalid as error:
                raise wrong(text.as_py()) from error
        raise


def _blank_is_null(array: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _all_read(texts: pa.Array, days: pa.Array, wrong: _Wrong) -> None:
    unread = texts.filter(pc.and_(pc.is_valid(texts), pc.is_null(days)))
    if len(unread):
        raise wrong(unread[0].as_py())


_CASTS: dict[Type, Callable[[pa.Array, _Wrong], pa.Array]] = {
    "text": _as_text,
    "integer": _as_integer,
    "number": _as_number,
    "date": _as_date,
}
