"""The type of a column that comes as text: the narrowest that every value fits, codes and long ids staying text."""

from collections.abc import Callable
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from loaders.columns import Converter, Words
from loaders.moments import have_zone, iso

type Kind = Literal["empty", "bool", "int", "float", "date", "local", "zoned", "text"]

_ORDER: tuple[Kind, ...] = ("bool", "int", "float", "date", "local", "zoned")
_WIDER: dict[Kind, tuple[Kind, ...]] = {"empty": _ORDER, "int": ("int", "float"), "text": ()}

# A leading zero marks a code (0303); above 15 digits a number is an id, which a float could not hold.
_INT = r"^-?(?:0|[1-9]\d{0,14})$"
_FLOAT = r"^-?(?:0|[1-9]\d{0,14})(?:\.\d{0,17}(?:[eE][+-]?\d{1,3})?)?$|^-?\.\d{1,17}$|^-?\d(?:\.\d+)?[eE][+-]\d{1,3}$"
_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
_PATTERNS: dict[Kind, str] = {
    "bool": r"^(?i:true|false)$",
    "int": _INT,
    "float": _FLOAT,
    "date": r"^\d{4}-\d{2}-\d{2}$",
    "local": _TIME + "$",
    "zoned": _TIME + r"\s?(?:Z|[+-]\d{2}(?::?\d{2})?)$",
}
_TYPES: dict[Kind, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
    "local": pa.timestamp("us"),
    "zoned": pa.timestamp("us", "UTC"),
}


def narrow(kind: Kind, array: pa.Array) -> Kind:
    """What a column is, having been `kind` so far, after a look at more of its text values."""
    if kind == "text":
        return kind
    values = _present(array)
    if not len(values):
        return kind
    return next((one for one in _WIDER.get(kind, (kind,)) if _fits(one, values)), "text")


def typed(kind: Kind, words: Words) -> tuple[pa.DataType, Converter]:
    """The Arrow type of a kind, and what makes it of text."""
    if kind in ("text", "empty"):
        return pa.string(), words
    convert = _reader(kind)
    return _TYPES[kind], lambda array: convert(_blank_to_null(array))


def _present(array: pa.Array) -> pa.Array:
    return _blank_to_null(array).drop_null()


def _blank_to_null(array: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _fits(kind: Kind, values: pa.Array) -> bool:
    if kind in ("date", "local", "zoned"):
        values = iso(values)
    if not pc.all(pc.match_substring_regex(values, _PATTERNS[kind])).as_py():
        return False
    try:
        _reader(kind)(values)  # 31 February looks like a date
    except pa.ArrowInvalid:
        return False
    return kind != "local" or not have_zone(values)


def _reader(kind: Kind) -> Callable[[pa.Array], pa.Array]:
    if kind == "bool":
        return lambda array: pc.equal(pc.utf8_lower(array), "true")
    if kind in ("date", "local", "zoned"):
        return lambda array: iso(array).cast(_TYPES[kind])
    return lambda array: array.cast(_TYPES[kind])
