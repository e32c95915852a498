"""The A_ functions as SQL: arrays are sets, and an element that is null is equal to none."""

from collections.abc import Callable

from psycopg import sql

from core.database import query
from features.filters import nodes
from features.filters.errors import NoArray, NotComparable
from features.filters.nodes import Node
from features.filters.sql_scope import Kind, Scalar, Scope, column, require
from features.filters.sql_values import ONLY_NULL, kind_of

_TESTS: dict[nodes.ArrayOp, sql.SQL] = {
    "A_CONTAINS": sql.SQL("({one} @> {other})"),
    "A_CONTAINEDBY": sql.SQL("({one} <@ {other})"),
    "A_OVERLAPS": sql.SQL("({one} && {other})"),
}
_CASTS: dict[Kind, sql.SQL] = {
    "number": sql.SQL("{}::numeric[]"),
    "text": sql.SQL("{}::text[]"),
    "boolean": sql.SQL("{}::boolean[]"),
    "date": sql.SQL("{}::date[]"),
    "instant": sql.SQL("{}::timestamptz[]"),
}
_FLOATS = ("real[]", "double precision[]")

Write = Callable[[Node], Scalar]
_Operand = tuple[sql.Composable, Kind | None]  # an array without elements is of no kind yet


def array_test(scope: Scope, write: Write, op: nodes.ArrayOp, left: Node, right: Node) -> sql.Composable:
    """What two arrays have in common; unknown where one is null."""
    scope.count()
    (one, kind), (other, other_kind) = (_operand(scope, write, op, side) for side in (left, right))
    wanted = _common(op, kind, other_kind)
    test = query("same_elements") if op == "A_EQUALS" else _TESTS[op]
    return test.format(one=_CASTS[wanted].format(one), other=_CASTS[wanted].format(other))


def _common(op: str, one: Kind | None, other: Kind | None) -> Kind:
    """The kind that the elements of both arrays are brought to."""
    if one is None or other is None:
        return one or other or "text"
    require(op, one, Scalar(sql.SQL(""), other, "(...)"))
    return "instant" if "instant" in (one, other) else one


def _operand(scope: Scope, write: Write, op: str, node: Node) -> _Operand:
    match node:
        case nodes.Property(name):
            return _stored(scope, op, name)
        case nodes.Array(items):
            return _listed(scope, op, [write(item) for item in items])
    raise NoArray(op=op, given=write(node).shown if isinstance(node, nodes.Value) else type(node).__name__.upper())


def _stored(scope: Scope, op: str, name: str) -> _Operand:
    type_ = scope.type_of(name)
    if not type_.endswith("[]"):
        raise NoArray(op=op, given=name)
    kind = kind_of(type_.removesuffix("[]"))
    if kind is None:
        raise NotComparable(name=name, type=type_, advice=ONLY_NULL)
    exact = sql.SQL("{}::text[]") if type_ in _FLOATS else sql.SQL("{}")  # as they are shown, as single numbers are
    return exact.format(column(name)), kind


def _listed(scope: Scope, op: str, items: list[Scalar]) -> _Operand:
    scope.count()
    if not items:
        return sql.SQL("'{{}}'").format(), None
    kind = items[0].kind
    for item in items:
        require(op, kind, item)
    if any(item.kind == "instant" for item in items):
        kind = "instant"
    codes = [item.numeric if kind == "number" else item.code for item in items]
    return _CASTS[kind].format(sql.SQL("array[{}]").format(sql.SQL(", ").join(codes))), kind
