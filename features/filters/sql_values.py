"""Single values of a filter as SQL: properties, literals, and what is computed from them."""

import re
from datetime import date, datetime
from decimal import Decimal

from psycopg import sql

from core.database import query
from core.language import Text
from features.filters import nodes
from features.filters.errors import NoPattern, NotComparable, PatternsTooWild, PatternTooWild
from features.filters.limits import MAX_ALL_WILDCARDS, MAX_WILDCARDS
from features.filters.nodes import Node
from features.filters.sql_scope import Kind, Scalar, Scope, column

_KIND_OF_TYPE: dict[str, Kind] = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision"), "number"),
    **dict.fromkeys(("text", "character varying", "character", "uuid"), "text"),
    **dict.fromkeys(("timestamp without time zone", "timestamp with time zone"), "instant"),
    "boolean": "boolean",
    "date": "date",
}
_FLOATS = ("real", "double precision")
_CASTS: dict[str, sql.SQL] = {
    "uuid": sql.SQL("{}::text"),
    "real": sql.SQL("{}::text::double precision"),  # 0.1 as it is shown, not the 0.100000001 that four bytes hold
}
ONLY_NULL = Text("Only IS NULL can be asked of it.", "只能判断 IS NULL。")
_ARRAYS = Text(
    "Ask A_CONTAINS, A_CONTAINEDBY, A_EQUALS or A_OVERLAPS of it.",
    "请使用 A_CONTAINS、A_CONTAINEDBY、A_EQUALS 或 A_OVERLAPS。",
)
_SHAPES = Text("Ask S_INTERSECTS or another S_ function of it.", "请使用 S_INTERSECTS 等 S_ 函数。")
_ARITHMETIC: dict[nodes.ArithmeticOp, sql.SQL] = {
    "+": sql.SQL("({} + {})"),
    "-": sql.SQL("({} - {})"),
    "*": sql.SQL("({} * {})"),
    "/": sql.SQL("({} / nullif({}, 0))"),  # nothing divided by zero is known, so nothing matches
    "%": sql.SQL("mod({}, nullif({}, 0))"),
    "DIV": sql.SQL("div({}, nullif({}, 0))"),
}


def kind_of(type_: str) -> Kind | None:
    """What a PostgreSQL type holds; None for what cannot be compared."""
    return _KIND_OF_TYPE.get(re.sub(r"\(.*?\)", "", type_))


def property_(scope: Scope, name: str) -> Scalar:
    """The value of an attribute."""
    type_ = scope.type_of(name)
    kind = kind_of(type_)
    if kind is None:
        advice = _ARRAYS if type_.endswith("[]") else _SHAPES if type_ == "geometry" else ONLY_NULL
        raise NotComparable(name=name, type=type_, advice=advice)
    code = _CASTS.get(type_, sql.SQL("{}")).format(column(name))
    return Scalar(code, kind, name, "float" if type_ in _FLOATS else "exact")


def literal(scope: Scope, value: bool | int | Decimal | str | date | datetime) -> Scalar:
    """A bound value, with the cast that leaves PostgreSQL no doubt."""
    placeholder, shown = scope.bound(value), repr(value) if isinstance(value, str) else str(value)
    match value:
        case bool():
            return Scalar(sql.SQL("{}::boolean").format(placeholder), "boolean", shown.upper())
        case int() if abs(value) < 2**63:
            return Scalar(sql.SQL("{}::bigint").format(placeholder), "number", shown)
        case int() | Decimal():
            return Scalar(sql.SQL("{}::numeric").format(placeholder), "number", shown, "computed")
        case str():
            return Scalar(sql.SQL("{}::text").format(placeholder), "text", shown[:60])
        case datetime():
            return Scalar(sql.SQL("{}::timestamptz").format(placeholder), "instant", shown)
        case _:
            return Scalar(sql.SQL("{}::date").format(placeholder), "date", shown)


def arithmetic(op: nodes.ArithmeticOp, left: Scalar, right: Scalar) -> Scalar:
    """Two numbers combined, exactly; null where that is not defined."""
    if op == "^":
        code: sql.Composable = query("power_of").format(base=left.numeric, exponent=right.numeric)
    else:
        code = _ARITHMETIC[op].format(left.numeric, right.numeric)
    return Scalar(code, "number", f"{left.shown} {op} {right.shown}"[:60], "computed")


def without_case(text: sql.Composable) -> sql.Composable:
    """A text that is the same for small letters and capitals."""
    return query("without_case").format(text=text)


def without_accents(text: sql.Composable) -> sql.Composable:
    """A text that is the same for letters with and without accents."""
    return query("without_accents").format(text=text)


def pattern(scope: Scope, node: Node) -> sql.Composable:
    """A LIKE pattern, which is always a literal (rule patternExpression)."""
    scope.count()
    match node:
        case nodes.Value(str(text)):
            wildcards = re.sub(r"\\.", "", text, flags=re.DOTALL).count("%")
            if wildcards > MAX_WILDCARDS:
                raise PatternTooWild(count=wildcards, limit=MAX_WILDCARDS)
            scope.wildcards += wildcards
            if scope.wildcards > MAX_ALL_WILDCARDS:
                raise PatternsTooWild(limit=MAX_ALL_WILDCARDS)
            return sql.SQL("{}::text").format(scope.bound(_escaped(text)))
        case nodes.CaseI(inner):
            return without_case(pattern(scope, inner))
        case nodes.AccentI(inner):
            return without_accents(pattern(scope, inner))
    raise NoPattern


def _escaped(text: str) -> str:
    """A CQL2 pattern as PostgreSQL reads it: a backslash before anything but a wildcard stands for itself."""
    return re.sub(r"\\([%_\\])|\\", lambda match: match[0] if match[1] else "\\\\", text)
