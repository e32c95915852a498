"""Columns as sources have them become columns that PostgreSQL's COPY can take: plain types, valid text."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.language import Text
from loaders.errors import TooManyColumns
from loaders.layer import Field, Note
from loaders.moments import Moments
from loaders.names import distinct
from loaders.tally import Tally
from loaders.text import UTF8, decode

LIMIT = 1500  # columns: PostgreSQL stops at 1600, fewer if rows are wide, and the loader adds its own
_EXACT = 15  # decimal digits that a float64 keeps
_LONG = 18  # decimal digits that an int64 keeps whatever they are

type Converter = Callable[[pa.Array], pa.Array]


class Column(NamedTuple):
    """A field, its place in the source's batches, and what makes the one from the other."""

    field: Field
    place: int
    convert: Converter


class Words:
    """Makes any text column valid UTF-8 without NUL, as PostgreSQL demands; costs next to nothing for plain ASCII.

    `codec` is the encoding of the bytes; with `latin` they come wrapped as Latin-1, a byte a character. `fallback` is
    tried for values that are not what the format demands.
    """

    def __init__(self, tally: Tally, codec: str = UTF8, *, latin: bool = False, fallback: str | None = None) -> None:
        self._tally = tally
        self._codec = codec
        self._codecs = (codec, fallback) if fallback else (codec,)
        self._latin = latin

    def __call__(self, array: pa.Array) -> pa.Array:
        array = array if array.type == pa.string() else array.cast(pa.string())
        data = _text_bytes(array)
        if not data.size:
            return array
        if data.max() >= 0x80 and (self._latin or self._codec != UTF8 or not _is_valid(array)):
            array = self._decoded(array)
        if not data.min():
            self._tally.add("nul-removed", int(np.count_nonzero(data == 0)))
            array = pc.replace_substring(array, "\0", "")
        return array

    def _decoded(self, array: pa.Array) -> pa.Array:
        """Decode each different value once."""
        coded = array.view(pa.binary()).dictionary_encode()
        faults: dict[str, list[int]] = {"text-replaced": [], "text-cut": []}
        values = [self._value(raw, number, faults) for number, raw in enumerate(coded.dictionary.to_pylist())]
        for code, numbers in faults.items():
            if numbers:
                hits = pc.is_in(coded.indices, value_set=pa.array(numbers, coded.indices.type))
                self._tally.add(code, pc.sum(hits).as_py() or 0)
        return pa.array(values, pa.string()).take(coded.indices)

    def _value(self, raw: bytes, number: int, faults: dict[str, list[int]]) -> str:
        if self._latin:
            raw = raw.decode(UTF8).encode("latin-1")
        for codec in self._codecs:
            with suppress(UnicodeError):
                return raw.decode(codec)
        try:
            whole = decode(raw, self._codec)
        except UnicodeError:
            faults["text-replaced"].append(number)
            return raw.decode(self._codec, "replace").encode(UTF8, "replace").decode(UTF8)
        faults["text-cut"].append(number)
        return whole


def _text_bytes(array: pa.Array) -> NDArray[np.uint8]:
    """The bytes of all values of a string column as a numpy view, in no copy."""
    _, offsets, data = array.buffers()
    if data is None or not len(array):
        return np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int32, len(array) + 1, array.offset * 4)
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]


def _is_valid(array: pa.Array) -> bool:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def plan(
    path: Path, source: Sequence[tuple[int, str, pa.DataType]], words: Words, tally: Tally
) -> tuple[tuple[Column, ...], tuple[Note, ...]]:
    """Say for each (place, name, type) of a source what field becomes of it, and how.

    Raises `TooManyColumns` for what no table can hold.
    """
    if len(source) > LIMIT:
        raise TooManyColumns(path=path, count=len(source), limit=LIMIT)
    names, notes = distinct([name for _, name, _ in source])
    columns, changed = [], []
    for (place, _, type_), name in zip(source, names, strict=True):
        target, convert, as_what = converter(type_, words, tally)
        columns.append(Column(Field(name, target), place, convert))
        if as_what:
            changed.append((name, as_what))
    return tuple(columns), (*notes, *([_as_other_types(changed)] if changed else ()))


def _as_other_types(changed: Sequence[tuple[str, Text]]) -> Note:
    shown = changed[:10]
    more = len(changed) - len(shown)
    return Note(
        "type-changed",
        Text(
            "Fields of types that a table does not have: "
            + ", ".join(f"{name} ({what.en})" for name, what in shown)
            + (f" and {more} more." if more > 0 else "."),
            "以下字段类型已转换:"
            + "、".join(f"{name}({what.zh})" for name, what in shown)
            + (f" 等另 {more} 个。" if more > 0 else "。"),
        ),
    )


_JSON = Text("as JSON text", "转为 JSON 文本")
_TEXT = Text("as text, to lose no digit", "转为文本以免丢失位数")
_WIDER: dict[pa.DataType, pa.DataType] = {
    pa.int8(): pa.int16(),
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
    pa.null(): pa.string(),
}
_PLAIN = {pa.bool_(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.date32(), pa.binary()}


def converter(type_: pa.DataType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    """The plain type for values of `type_`, what makes them so, and what to tell about it."""
    if type_ in _PLAIN:
        return type_, lambda array: array, None
    if type_ in _WIDER:
        return _WIDER[type_], lambda array: array.cast(_WIDER[type_]), None
    if isinstance(type_, pa.BaseExtensionType):
        return _extension(type_, words, tally)
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        target, convert, what = converter(type_.value_type, words, tally)
        return target, lambda array: convert(_unpacked(array)), what
    for matches, make in _KINDS:
        if matches(type_):
            return make(type_, words, tally)
    return pa.string(), lambda array: words(_each(array, str)), Text("as text", "转为文本")


def _text(type_: pa.DataType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    return pa.string(), words, None


def _bytes(type_: pa.DataType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    return pa.binary(), lambda array: array.cast(pa.binary()), None


def _nested(type_: pa.DataType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    return pa.string(), lambda array: words(_each(array, _json)), _JSON


def _time(type_: pa.DataType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    return pa.time64("us"), lambda array: array.cast(pa.time64("us"), safe=False), None


def _timestamp(type_: pa.TimestampType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    target = pa.timestamp("us", "UTC" if type_.tz else None)
    return target, lambda array: array.cast(target, safe=False), None


def _decimal(type_: pa.DataType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    if type_.scale <= 0 and type_.precision - type_.scale <= _LONG:
        return pa.int64(), lambda array: array.cast(pa.int64()), None
    if type_.precision <= _EXACT:
        return pa.float64(), lambda array: array.cast(pa.float64()), None
    return pa.string(), lambda array: _each(array, lambda value: format(value, "f")), _TEXT


def _uint64(type_: pa.DataType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    return pa.string(), lambda array: array.cast(pa.string()), _TEXT


def _extension(type_: pa.BaseExtensionType, words: Words, tally: Tally) -> tuple[pa.DataType, Converter, Text | None]:
    """Arrow's own JSON is text already; other extensions are what they store, a UUID as people write it."""
    if type_.extension_name == "arrow.uuid":
        return pa.string(), lambda array: _each(array, str), None
    target, convert, what = converter(type_.storage_type, words, tally)
    return target, lambda array: convert(array.storage), _JSON if type_.extension_name == "arrow.json" else what


_KINDS: tuple[tuple[Callable[[pa.DataType], bool], Callable[..., tuple[pa.DataType, Converter, Text | None]]], ...] = (
    (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t), _text),
    (lambda t: pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t) or pa.types.is_binary_view(t), _bytes),
    (pa.types.is_nested, _nested),
    (pa.types.is_time, _time),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_uint64, _uint64),
)


def moments(words: Words, tally: Tally, *, zoned: bool) -> tuple[pa.DataType, Converter]:
    """For a column of date-times that comes as text: its timestamp type, and what reads it."""
    reader = Moments(tally, zoned=zoned)
    return reader.type, lambda array: reader(words(array))


def _unpacked(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else pc.run_end_decode(array)


def _each(array: pa.Array, write: Callable[[Any], str]) -> pa.Array:
    return pa.array([None if value is None else write(value) for value in array.to_pylist()], pa.string())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_jsonable).encode(UTF8, "replace").decode(UTF8)


def _jsonable(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else str(value)
