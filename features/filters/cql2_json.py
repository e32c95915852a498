"""Reads CQL2 JSON (OGC 21-065r2, 8.3)."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast, get_args

from core.geojson import read_geojson
from core.language import Text
from features.filters import nodes
from features.filters.errors import BadLiteral, FilterNotJson, FilterTooDeep, FilterUnsupported
from features.filters.limits import MAX_DEPTH
from features.filters.literals import read_date, read_instant, read_number, read_text
from features.filters.nodes import Node

_COMPARISONS = get_args(nodes.ComparisonOp)
_ARITHMETIC = get_args(nodes.ArithmeticOp)


def read(text: str) -> Node:
    """Read a whole filter."""
    try:
        tree = json.loads(text, parse_int=read_number, parse_float=read_number, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        problem = f"{error.msg} (line {error.lineno}, column {error.colno})"
        raise FilterNotJson(problem=Text(problem, problem)) from None
    return _node(tree, 0)


def _no_constant(text: str) -> Decimal:
    raise BadLiteral(text=text, expected=Text("a finite number", "有限数值"))


def _node(tree: object, depth: int) -> Node:
    """A node of the filter from one of the JSON document."""
    if depth > MAX_DEPTH:
        raise FilterTooDeep(limit=MAX_DEPTH)
    match tree:
        case bool() | int() | Decimal():
            return nodes.Value(tree)
        case str():
            return nodes.Value(read_text(tree))
        case {"op": str(op), "args": list(args)}:
            return _operation(op, args, depth + 1)
        case {"property": str(name)}:
            return nodes.Property(name)
        case {"date": str(text)}:
            return nodes.Value(read_date(text))
        case {"timestamp": str(text)}:
            return nodes.Value(read_instant(text))
        case {"bbox": list(numbers)}:
            return nodes.Box(_numbers(numbers))
        case {"type": str(), **rest} if rest.keys() & {"coordinates", "geometries"}:
            return nodes.Shape(read_geojson(cast(dict[str, object], _plain(tree))))
        case {"interval": _}:
            raise FilterUnsupported(what="interval")
        case {"function": _}:
            raise FilterUnsupported(what="function")
    shown = json.dumps(tree, default=str, ensure_ascii=False)[:60]
    raise FilterNotJson(problem=Text(f"{shown} is no expression", f"{shown} 不是表达式"))


def _operation(op: str, args: list[Any], depth: int) -> Node:
    if op == "in":
        value, options = _exactly(op, args, 2)
        if not isinstance(options, list) or not options:
            raise _wrong_arguments(op)
        return nodes.In(_node(value, depth), tuple(_node(option, depth) for option in options))
    if op == "between" and len(args) == 2 and isinstance(args[1], list):
        args = [args[0], *args[1]]  # as drafts of the standard wrote it
    operands = [_node(arg, depth) for arg in args]
    if op in ("and", "or"):
        if len(operands) < 2:
            raise _wrong_arguments(op)
        return nodes.And(tuple(operands)) if op == "and" else nodes.Or(tuple(operands))
    if op in _COMPARISONS:
        left, right = _exactly(op, operands, 2)
        return nodes.Comparison(cast(nodes.ComparisonOp, op), left, right)
    if op in _ARITHMETIC:
        left, right = _exactly(op, operands, 2)
        return nodes.Arithmetic(cast(nodes.ArithmeticOp, op), left, right)
    if op in _FIXED:
        count, make = _FIXED[op]
        return make(*_exactly(op, operands, count))
    raise FilterUnsupported(what=op[:60])


_FIXED: dict[str, tuple[int, Callable[..., Node]]] = {
    "not": (1, nodes.Not),
    "isNull": (1, nodes.IsNull),
    "casei": (1, nodes.CaseI),
    "like": (2, nodes.Like),
    "between": (3, nodes.Between),
    "s_intersects": (2, nodes.Intersects),
}


def _exactly(op: str, args: list[Any], count: int) -> list[Any]:
    if len(args) != count:
        raise _wrong_arguments(op)
    return args


def _wrong_arguments(op: str) -> FilterNotJson:
    return FilterNotJson(problem=Text(f"{op!r} has the wrong arguments", f"{op!r} 的参数不正确"))


def _numbers(values: list[Any]) -> tuple[float, ...]:
    if len(values) not in (4, 6) or not all(type(value) in (int, Decimal) for value in values):
        raise FilterNotJson(problem=Text("a bbox is not four numbers", "bbox 不是四个数值"))
    return tuple(map(float, values))


def _plain(tree: object) -> object:
    """The same document with floats for decimals, as geometries are made of."""
    if isinstance(tree, dict):
        return {name: _plain(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(value) for value in tree]
    return float(tree) if isinstance(tree, Decimal) else tree
