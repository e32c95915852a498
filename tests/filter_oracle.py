"""What a filter means, said a second time: in plain Python over rows of plain values, and spelled as text and JSON.

Nothing here is shared with the code under test but the tree itself. None is CQL2's NULL.
"""

import json
import math
import operator
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import shapely

from features.filters import Node, nodes

Row = dict[str, Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_SPATIAL: dict[str, Callable[[shapely.Geometry, shapely.Geometry], bool]] = {
    "S_INTERSECTS": shapely.intersects, "S_EQUALS": shapely.equals, "S_DISJOINT": shapely.disjoint,
    "S_TOUCHES": shapely.touches, "S_WITHIN": shapely.within, "S_OVERLAPS": shapely.overlaps,
    "S_CROSSES": shapely.crosses, "S_CONTAINS": shapely.contains,
}  # fmt: skip
_ARRAYS: dict[str, Callable[[set[Any], set[Any]], bool]] = {
    "A_EQUALS": operator.eq, "A_CONTAINS": operator.ge, "A_CONTAINEDBY": operator.le,
    "A_OVERLAPS": lambda one, other: bool(one & other),
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "lower": str.lower,
    "upper": str.upper,
    "length": len,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": lambda number: math.floor(abs(number) + Fraction(1, 2)) * (1 if number >= 0 else -1),
    "area": lambda shape: Fraction(shapely.area(shape)),
}


def holds(node: Node, row: Row) -> bool:
    """Whether a filter finds a row: neither false nor unknown is a find."""
    return value_of(node, row) is True


def value_of(node: Node, row: Row) -> Any:
    """The value of a node for a row."""
    match node:
        case nodes.And(operands):
            values = [value_of(operand, row) for operand in operands]
            return False if False in values else None if None in values else True
        case nodes.Or(operands):
            values = [value_of(operand, row) for operand in operands]
            return True if True in values else None if None in values else False
        case nodes.In(value, options):
            return value_of(nodes.Or(tuple(nodes.Comparison("=", value, option) for option in options)), row)
        case nodes.IsNull(nodes.Interval(start, end)):
            return any(one is not None and value_of(one, row) is None for one in (start, end))
        case nodes.IsNull(value):
            return value_of(value, row) is None
        case nodes.Temporal(op, left, right):
            return _temporal(op, left, right, row)
        case nodes.Property(name):
            return _plain(row[name])
        case nodes.Value(value):
            return _plain(value)
        case nodes.Shape(shape):
            return shape
        case nodes.Box(numbers):
            return shapely.box(*numbers)
        case nodes.Array(items):
            return [value_of(item, row) for item in items]
    return _strict(node, row)


def _strict(node: Node, row: Row) -> Any:
    """What is unknown as soon as one operand is."""
    match node:
        case nodes.Comparison(op, left, right):
            return _of_known(lambda a, b: _compare(op, a, b), row, left, right)
        case nodes.Between(value, low, high):
            return _of_known(lambda v, a, b: _compare("<=", a, v) and _compare("<=", v, b), row, value, low, high)
        case nodes.Like(text, pattern):
            return _of_known(_like, row, text, pattern)
        case nodes.Not(operand):
            return _of_known(operator.not_, row, operand)
        case nodes.CaseI(text):
            return _of_known(str.casefold, row, text)
        case nodes.AccentI(text):
            return _of_known(_without_accents, row, text)
        case nodes.Arithmetic(op, left, right):
            return _of_known(lambda a, b: _combined(op, a, b), row, left, right)
        case nodes.Call(name, (argument,)):
            return _of_known(_FUNCTIONS[name], row, argument)
        case nodes.Spatial(op, left, right):
            return _of_known(lambda a, b: bool(_SPATIAL[op](_united(a), _united(b))), row, left, right)
        case nodes.ArrayTest(op, left, right):
            return _of_known(lambda a, b: _ARRAYS[op](_set(a), _set(b)), row, left, right)
    raise TypeError(node)


def _of_known(function: Callable[..., Any], row: Row, *operands: Node) -> Any:
    values = [value_of(operand, row) for operand in operands]
    return None if None in values else function(*values)


def _plain(value: Any) -> Any:
    """Numbers as exact fractions, the digits of a float being those that are shown."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, float):
        return Fraction(repr(value))
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _united(shape: shapely.Geometry) -> shapely.Geometry:
    """What the parts of a collection cover together."""
    return shapely.unary_union(shape) if shape.geom_type == "GeometryCollection" else shape


def _set(items: list[Any]) -> set[Any]:
    """The elements; a null is equal to nothing, not even to another null."""
    moments = any(isinstance(item, datetime) for item in items)
    found = {_instant(item, time.min) if moments else item for item in items if item is not None}
    return found | {object() for item in items if item is None}


def _compare(op: str, left: Any, right: Any) -> bool:
    if isinstance(left, date):
        left, right = _instant(left, time.min), _instant(right, time.min)
    return _COMPARE[op](left, right)


def _instant(moment: date, of_day: time) -> datetime:
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.combine(moment, of_day, UTC)


def _combined(op: str, left: Fraction, right: Fraction) -> Fraction | None:
    if op in ("/", "%", "DIV") and right == 0:
        return None
    if op == "^":
        undefined = (left == 0 and right < 0) or (left < 0 and right.denominator != 1)
        return None if undefined else Fraction(left**right)
    if op in ("%", "DIV"):
        whole = Fraction(math.trunc(left / right))
        return left - right * whole if op == "%" else whole
    return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[op](left, right)


def _without_accents(text: str) -> str:
    kept = [char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char)]
    return unicodedata.normalize("NFC", "".join(kept))


def _like(text: str, pattern: str) -> bool:
    wild = {"%": ".*", "_": "."}
    parts = re.findall(r"\\[%_\\]|.", pattern, re.DOTALL)
    expression = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _temporal(op: str, left: Node, right: Node, row: Row) -> bool | None:
    ends = [*_ends(left, row), *_ends(right, row)]
    if None in ends:
        return None
    a, b, c, d = _as_instants(ends)
    return {
        "T_AFTER": a > d, "T_BEFORE": b < c, "T_DISJOINT": b < c or a > d, "T_EQUALS": (a, b) == (c, d),
        "T_INTERSECTS": not (b < c or a > d), "T_CONTAINS": a < c and d < b, "T_DURING": c < a and b < d,
        "T_FINISHEDBY": a < c and b == d, "T_FINISHES": c < a and b == d, "T_MEETS": b == c, "T_METBY": a == d,
        "T_OVERLAPPEDBY": c < a < d < b, "T_OVERLAPS": a < c < b < d, "T_STARTEDBY": a == c and d < b,
        "T_STARTS": a == c and b < d,
    }[op]  # fmt: skip


_OPEN_START, _OPEN_END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _ends(node: Node, row: Row) -> tuple[Any, Any]:
    if not isinstance(node, nodes.Interval):
        return (value_of(node, row),) * 2
    return (
        _OPEN_START if node.start is None else value_of(node.start, row),
        _OPEN_END if node.end is None else value_of(node.end, row),
    )


def _as_instants(ends: Sequence[Any]) -> list[datetime]:
    """Beside a time of the day, a date lasts from its first moment to its last; beside dates it is as good as one."""
    timed = any(isinstance(end, datetime) and end not in (_OPEN_START, _OPEN_END) for end in ends)
    return [_instant(end, time.max if timed and n % 2 else time.min) for n, end in enumerate(ends)]


def as_text(node: Node) -> str:
    """A filter as CQL2 text, in brackets wherever they may stand."""
    match node:
        case nodes.And(operands):
            return " AND ".join(f"({as_text(operand)})" for operand in operands)
        case nodes.Or(operands):
            return " OR ".join(f"({as_text(operand)})" for operand in operands)
        case nodes.Not(operand):
            return f"NOT ({as_text(operand)})"
        case nodes.Comparison(op, left, right) | nodes.Arithmetic(op, left, right):
            return f"({as_text(left)}) {op} ({as_text(right)})"
        case nodes.Between(value, low, high):
            return f"({as_text(value)}) BETWEEN ({as_text(low)}) AND ({as_text(high)})"
        case nodes.In(value, options):
            return f"({as_text(value)}) IN ({', '.join(map(as_text, options))})"
        case nodes.Like(text, pattern):
            return f"{as_text(text)} LIKE {as_text(pattern)}"
        case nodes.IsNull(value):
            return f"({as_text(value)}) IS NULL"
        case nodes.Spatial(op, left, right) | nodes.Temporal(op, left, right) | nodes.ArrayTest(op, left, right):
            return f"{op}({as_text(left)}, {as_text(right)})"
    return _operand_as_text(node)


def _operand_as_text(node: Node) -> str:
    match node:
        case nodes.CaseI(text):
            return f"CASEI({as_text(text)})"
        case nodes.AccentI(text):
            return f"ACCENTI({as_text(text)})"
        case nodes.Call(name, arguments):
            return f"{name}({', '.join(map(as_text, arguments))})"
        case nodes.Array(items):
            return f"({', '.join(map(as_text, items))})"
        case nodes.Interval(start, end):
            return f"INTERVAL({_end_as_text(start)}, {_end_as_text(end)})"
        case nodes.Shape(shape):
            return str(shapely.to_wkt(shape, rounding_precision=-1))
        case nodes.Box(numbers):
            return f"BBOX({', '.join(map(str, numbers))})"
        case nodes.Property(name):
            quoted = name.replace('"', '""')
            return f'"{quoted}"'
        case nodes.Value(value):
            return _value_as_text(value)
    raise TypeError(node)


def _end_as_text(end: Node | None) -> str:
    if isinstance(end, nodes.Value) and isinstance(end.value, date):
        return f"'{_moment(end.value)}'"
    return "'..'" if end is None else as_text(end)


def _moment(value: date) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _value_as_text(value: object) -> str:
    match value:
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
        case bool():
            return str(value).upper()
        case datetime():
            return f"TIMESTAMP('{_moment(value)}')"
        case date():
            return f"DATE('{_moment(value)}')"
    return str(value)


_CAMEL = {"finishedby": "finishedBy", "metby": "metBy", "overlappedby": "overlappedBy", "startedby": "startedBy"}
_CAMEL |= {"containedby": "containedBy"}


def as_json(node: Node) -> str:
    """A filter as CQL2 JSON."""
    return json.dumps(_tree(node), ensure_ascii=False)


def _tree(node: Node) -> Any:
    match node:
        case nodes.And(operands):
            return _op("and", *operands)
        case nodes.Or(operands):
            return _op("or", *operands)
        case nodes.Not(operand):
            return _op("not", operand)
        case nodes.Comparison(op, left, right) | nodes.Arithmetic(op, left, right):
            return _op(op.lower(), left, right)
        case nodes.Between(value, low, high):
            return _op("between", value, low, high)
        case nodes.In(value, options):
            return {"op": "in", "args": [_tree(value), [_tree(option) for option in options]]}
        case nodes.Like(text, pattern):
            return _op("like", text, pattern)
        case nodes.IsNull(value):
            return _op("isNull", value)
        case nodes.Spatial(op, left, right) | nodes.Temporal(op, left, right) | nodes.ArrayTest(op, left, right):
            letter, _, word = op.lower().partition("_")
            return _op(f"{letter}_{_CAMEL.get(word, word)}", left, right)
    return _operand_tree(node)


def _operand_tree(node: Node) -> Any:
    match node:
        case nodes.CaseI(text):
            return _op("casei", text)
        case nodes.AccentI(text):
            return _op("accenti", text)
        case nodes.Call(name, arguments):
            return _op(name, *arguments)
        case nodes.Array(items):
            return [_tree(item) for item in items]
        case nodes.Interval(start, end):
            return {"interval": [_end_tree(start), _end_tree(end)]}
        case nodes.Shape(shape):
            return json.loads(shapely.to_geojson(shape))
        case nodes.Box(numbers):
            return {"bbox": list(numbers)}
        case nodes.Property(name):
            return {"property": name}
        case nodes.Value(value):
            return _value_tree(value)
    raise TypeError(node)


def _op(name: str, *operands: Node) -> dict[str, Any]:
    return {"op": name, "args": [_tree(operand) for operand in operands]}


def _end_tree(end: Node | None) -> Any:
    if isinstance(end, nodes.Value) and isinstance(end.value, date):
        return _moment(end.value)
    return ".." if end is None else _tree(end)


def _value_tree(value: object) -> Any:
    match value:
        case datetime():
            return {"timestamp": _moment(value)}
        case date():
            return {"date": _moment(value)}
        case Decimal():
            return float(value)
    return value
