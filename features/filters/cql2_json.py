"""Reads CQL2 JSON (OGC 21-065r2, 8.3)."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast, get_args

from core.geojson import read_geojson
from core.language import Text
from features.filters import nodes
from features.filters.errors import BadLiteral, FilterNotJson, FilterTooDeep, FilterTooWide, FilterUnsupported
from features.filters.functions import BY_NAME
from features.filters.limits import MAX_DEPTH, MAX_NODES
from features.filters.literals import read_date, read_end, read_instant, read_number, read_text
from features.filters.nodes import Node


def read(text: str) -> Node:
    """Read a whole filter."""
    try:
        tree = json.loads(text, parse_int=read_number, parse_float=read_number, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        problem = f"{error.msg} (line {error.lineno}, column {error.colno})"
        raise FilterNotJson(problem=Text(problem, problem)) from None
    if isinstance(tree, list):
        raise _no_expression(tree)
    return _Reader().node(tree, 0)


def _no_constant(text: str) -> Decimal:
    raise BadLiteral(text=text, expected=Text("a finite number", "有限数值"))


class _Reader:
    """Turns the JSON document into nodes, and counts them."""

    def __init__(self) -> None:
        self.seen = 0

    def node(self, tree: object, depth: int) -> Node:
        """A node of the filter from one of the document."""
        self.seen += 1
        if self.seen > MAX_NODES:
            raise FilterTooWide(limit=MAX_NODES)
        if depth > MAX_DEPTH:
            raise FilterTooDeep(limit=MAX_DEPTH)
        match tree:
            case bool() | int() | Decimal():
                return nodes.Value(tree)
            case str():
                return nodes.Value(read_text(tree))
            case list():
                return nodes.Array(tuple(self.node(item, depth + 1) for item in tree))
            case {"op": str(op), "args": list(args)}:
                return self.operation(op, args, depth + 1)
            case {"property": str(name)}:
                return nodes.Property(name)
            case {"date": str(text)}:
                return nodes.Value(read_date(text))
            case {"timestamp": str(text)}:
                return nodes.Value(read_instant(text))
            case {"interval": [start, end]}:
                return nodes.Interval(self.interval_end(start, depth), self.interval_end(end, depth))
            case {"bbox": list(numbers)}:
                return nodes.Box(_numbers(numbers))
            case {"type": str(), **rest} if rest.keys() & {"coordinates", "geometries"}:
                return nodes.Shape(read_geojson(cast(dict[str, object], _plain(tree))))
        raise _no_expression(tree)

    def interval_end(self, tree: object, depth: int) -> Node | None:
        if not isinstance(tree, str):
            return self.node(tree, depth + 1)
        moment = read_end(tree)
        return nodes.Value(moment) if moment else None

    def operation(self, op: str, args: list[Any], depth: int) -> Node:
        if op == "in":
            value, options = _exactly(op, args, 2)
            if not isinstance(options, list) or not options:
                raise _wrong_arguments(op)
            return nodes.In(self.node(value, depth), tuple(self.node(option, depth) for option in options))
        if op == "between" and len(args) == 2 and isinstance(args[1], list):
            args = [args[0], *args[1]]  # as drafts of the standard wrote it
        operands = tuple(self.node(arg, depth) for arg in args)
        if op in ("and", "or"):
            if len(operands) < 2:
                raise _wrong_arguments(op)
            return nodes.And(operands) if op == "and" else nodes.Or(operands)
        if op in _FIXED:
            count, make = _FIXED[op]
            return make(*_exactly(op, operands, count))
        for kind, ops in _FAMILIES:
            if op.upper() in ops:
                return kind(op.upper(), *_exactly(op, operands, 2))
        if op.lower() in BY_NAME:
            return nodes.Call(op.lower(), operands)
        raise FilterUnsupported(what=op[:60], functions=", ".join(BY_NAME))


_FIXED: dict[str, tuple[int, Callable[..., Node]]] = {
    "not": (1, nodes.Not),
    "isNull": (1, nodes.IsNull),
    "casei": (1, nodes.CaseI),
    "accenti": (1, nodes.AccentI),
    "like": (2, nodes.Like),
    "between": (3, nodes.Between),
}
_FAMILIES: tuple[tuple[Callable[..., Node], tuple[str, ...]], ...] = (
    (nodes.Comparison, get_args(nodes.ComparisonOp)),
    (nodes.Arithmetic, get_args(nodes.ArithmeticOp)),
    (nodes.Spatial, get_args(nodes.SpatialOp)),
    (nodes.Temporal, get_args(nodes.TemporalOp)),
    (nodes.ArrayTest, get_args(nodes.ArrayOp)),
)


def _exactly[T: (list[Any], tuple[Node, ...])](op: str, args: T, count: int) -> T:
    if len(args) != count:
        raise _wrong_arguments(op)
    return args


def _wrong_arguments(op: str) -> FilterNotJson:
    return FilterNotJson(problem=Text(f"{op!r} has the wrong arguments", f"{op!r} 的参数不正确"))


def _no_expression(tree: object) -> FilterNotJson:
    shown = json.dumps(tree, default=str, ensure_ascii=False)[:60]
    return FilterNotJson(problem=Text(f"{shown} is no expression", f"{shown} 不是表达式"))


def _numbers(values: list[Any]) -> tuple[float, ...]:
    if len(values) not in (4, 6) or not all(type(value) in (int, Decimal) for value in values):
        raise FilterNotJson(problem=Text("a bbox is not four or six numbers", "bbox 不是四个或六个数值"))
    return tuple(map(float, values))


def _plain(tree: object) -> object:
    """The same document with floats for decimals, as geometries are made of."""
    if isinstance(tree, dict):
        return {name: _plain(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(value) for value in tree]
    return float(tree) if isinstance(tree, Decimal) else tree
