"""Which attributes a style reads: in expressions, in filters and functions of the old kind, in {tokens} of texts."""

import re
from collections.abc import Iterator
from typing import Any

_READERS = frozenset(("get", "has"))
_OLD_FILTERS = frozenset(("==", "!=", ">", ">=", "<", "<=", "in", "!in", "has", "!has"))
_NO_ATTRIBUTE = frozenset(("$type", "$id"))


def properties_of(layer: dict[str, Any]) -> tuple[str, ...]:
    """The names of all attributes that a style layer reads, each once, in the order of reading."""
    found = [*_in_filter(layer.get("filter")), *_in_value(layer.get("layout")), *_in_value(layer.get("paint"))]
    return tuple(dict.fromkeys(name for name in found if name not in _NO_ATTRIBUTE))


def _in_filter(value: Any) -> Iterator[str]:  # noqa: ANN401 — JSON
    """A filter of the old kind names attributes plainly: ["==", "kind", 1]; else it is an expression."""
    match value:
        case ["all" | "any" | "none", *parts]:
            for part in parts:
                yield from _in_filter(part)
        case [str(operator), str(name), *_] if operator in _OLD_FILTERS:
            yield name
        case _:
            yield from _in_value(value)


def _in_value(value: Any) -> Iterator[str]:  # noqa: ANN401 — JSON
    match value:
        case ["literal", _]:
            return
        case [str(reader), str(name)] if reader in _READERS:
            yield name
        case list():
            for part in value:
                yield from _in_value(part)
        case {"property": str(name), **rest}:
            yield name
            yield from _in_value(rest)
        case dict():
            for part in value.values():
                yield from _in_value(part)
        case str():
            yield from re.findall(r"\{([^{}]+)\}", value)
