"""Writes a filter as SQL for one data set: names from its fields only, values as parameters, types checked before."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from psycopg import sql

from core.bbox import bbox_polygon
from core.catalogue import GEOMETRY, Dataset
from core.crs import CRS84, Srid
from core.geojson import BadShape
from core.language import Text
from core.shapes import transform_shape
from features.filters import nodes
from features.filters.errors import (
    FilterTooWide,
    FilterUnsupported,
    NotACondition,
    NotAValue,
    NotComparable,
    PatternTooWild,
    TypesDiffer,
    UnknownProperty,
)
from features.filters.limits import MAX_NODES, MAX_WILDCARDS
from features.filters.nodes import Node

Kind = Literal["number", "text", "boolean", "date", "instant"]

_GEOMETRY_NAMES = (GEOMETRY, "geometry")
_KINDS: dict[Kind, Text] = {
    "number": Text("a number", "数值"),
    "text": Text("a text", "文本"),
    "boolean": Text("true or false", "布尔值"),
    "date": Text("a date", "日期"),
    "instant": Text("an instant", "时刻"),
}
_KIND_OF_TYPE: dict[str, Kind] = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision"), "number"),
    **dict.fromkeys(("text", "character varying", "character", "uuid"), "text"),
    **dict.fromkeys(("timestamp without time zone", "timestamp with time zone"), "instant"),
    "boolean": "boolean",
    "date": "date",
}
_HINTS: dict[tuple[Kind, Kind], Text] = {
    ("text", "number"): Text(" Put it in quotes: '1'.", "请加引号:'1'。"),
    ("number", "text"): Text(" Write it without quotes.", "不要加引号。"),
    ("date", "text"): Text(" Write DATE('2024-05-31').", "请写作 DATE('2024-05-31')。"),
    ("instant", "text"): Text(
        " Write TIMESTAMP('2024-05-31T08:00:00Z').", "请写作 TIMESTAMP('2024-05-31T08:00:00Z')。"
    ),
}
_COMPARISONS: dict[nodes.ComparisonOp, sql.SQL] = {
    "=": sql.SQL("({} = {})"),
    "<>": sql.SQL("({} <> {})"),
    "<": sql.SQL("({} < {})"),
    ">": sql.SQL("({} > {})"),
    "<=": sql.SQL("({} <= {})"),
    ">=": sql.SQL("({} >= {})"),
}
_ARITHMETIC: dict[nodes.ArithmeticOp, sql.SQL] = {
    "+": sql.SQL("({} + {})"),
    "-": sql.SQL("({} - {})"),
    "*": sql.SQL("({} * {})"),
    "/": sql.SQL("({} / nullif({}, 0))"),  # nothing divided by zero is known, so nothing matches
}


class _Scalar(NamedTuple):
    """A value as SQL, its kind, how to speak of it, and whether it was computed: then it is numeric."""

    code: sql.Composable
    kind: Kind
    shown: str
    computed: bool = False

    @property
    def numeric(self) -> sql.Composable:
        """A number as PostgreSQL's numeric, which neither overflows nor divides whole numbers to whole numbers."""
        return self.code if self.computed else sql.SQL("{}::numeric").format(self.code)


def to_sql(node: Node, dataset: Dataset, *, crs: Srid = CRS84) -> tuple[sql.Composable, dict[str, object]]:
    """A condition on the rows of the data set's table, and its parameters f0, f1 ...

    Literal geometries are in `crs`, in the axis order it is advertised with. Instants need a session in UTC.
    """
    writer = _Writer(dataset, crs)
    return writer.condition(node), writer.parameters


def column(name: str) -> sql.Identifier:
    """A column in a statement that is executed with parameters, where psycopg takes % for the start of one."""
    return sql.Identifier(name.replace("%", "%%"))


class _Writer:
    """Writes the conditions and values of one filter, and keeps its parameters."""

    def __init__(self, dataset: Dataset, crs: Srid) -> None:
        self.dataset = dataset
        self.crs = crs
        self.types = {dataset.key: "bigint"} | dict(dataset.fields)
        self.parameters: dict[str, object] = {}
        self.seen = 0

    def count(self) -> None:
        self.seen += 1
        if self.seen > MAX_NODES:
            raise FilterTooWide(limit=MAX_NODES)

    def bound(self, value: object) -> sql.Composable:
        name = f"f{len(self.parameters)}"
        self.parameters[name] = value
        return sql.Placeholder(name)

    def condition(self, node: Node) -> sql.Composable:
        """What is true, false or unknown of a row."""
        self.count()
        match node:
            case nodes.And(operands):
                return sql.SQL("({})").format(sql.SQL(" and ").join(map(self.condition, operands)))
            case nodes.Or(operands):
                return sql.SQL("({})").format(sql.SQL(" or ").join(map(self.condition, operands)))
            case nodes.Not(operand):
                return sql.SQL("(not {})").format(self.condition(operand))
            case nodes.Comparison(op, left, right):
                return _COMPARISONS[op].format(*self.alike(op, left, right))
            case nodes.Between(value, low, high):
                return sql.SQL("({} between {} and {})").format(*self.alike("BETWEEN", value, low, high))
            case nodes.In(value, options):
                first, *others = self.alike("IN", value, *options)
                return sql.SQL("({} in ({}))").format(first, sql.SQL(", ").join(others))
            case nodes.Like(text, pattern):
                return sql.SQL("({} like {})").format(self.text("LIKE", text).code, self.pattern(pattern))
            case nodes.IsNull(value):
                return sql.SQL("({} is null)").format(self.nullable(value))
            case nodes.Intersects(left, right):
                return self.intersects(left, right)
            case nodes.Value(bool(value)):
                return sql.SQL("true") if value else sql.SQL("false")
        raise NotACondition(what=self.scalar(node).shown)

    def scalar(self, node: Node) -> _Scalar:
        """A value that can be compared."""
        self.count()
        match node:
            case nodes.Property(name):
                return self.property(name)
            case nodes.Value(value):
                return self.literal(value)
            case nodes.CaseI(text):
                operand = self.text("CASEI", text)
                return _Scalar(sql.SQL("lower({})").format(operand.code), "text", f"CASEI({operand.shown})")
            case nodes.Arithmetic(op, left, right):
                one, other = self.number(op, left), self.number(op, right)
                combined = _ARITHMETIC[op].format(one.numeric, other.numeric)
                return _Scalar(combined, "number", f"{one.shown} {op} {other.shown}", computed=True)
        raise NotAValue(what=type(node).__name__.upper())

    def property(self, name: str) -> _Scalar:
        type_ = self.type_of(name)
        kind = _KIND_OF_TYPE.get(re.sub(r"\(.*?\)", "", type_))
        if kind is None:
            raise NotComparable(name=name, type=type_)
        plain = column(name)
        return _Scalar(sql.SQL("{}::text").format(plain) if type_ == "uuid" else plain, kind, name)

    def type_of(self, name: str) -> str:
        """The PostgreSQL type of a property, which must be one of the data set's."""
        if name in self.types:
            return self.types[name]
        if name in _GEOMETRY_NAMES:
            return "geometry"
        raise UnknownProperty(dataset=self.dataset.id, name=name[:60], known=", ".join(self.types))

    def literal(self, value: bool | int | Decimal | str | date | datetime) -> _Scalar:
        """A bound value, with the cast that leaves PostgreSQL no doubt."""
        placeholder, shown = self.bound(value), repr(value) if isinstance(value, str) else str(value)
        match value:
            case bool():
                return _Scalar(sql.SQL("{}::boolean").format(placeholder), "boolean", shown.upper())
            case int() if abs(value) < 2**63:
                return _Scalar(sql.SQL("{}::bigint").format(placeholder), "number", shown)
            case int() | Decimal():
                return _Scalar(sql.SQL("{}::numeric").format(placeholder), "number", shown)
            case str():
                return _Scalar(sql.SQL("{}::text").format(placeholder), "text", shown[:60])
            case datetime():
                return _Scalar(sql.SQL("{}::timestamptz").format(placeholder), "instant", shown)
            case _:
                return _Scalar(sql.SQL("{}::date").format(placeholder), "date", shown)

    def alike(self, what: str, *values: Node) -> list[sql.Composable]:
        """Values of one kind, ready to be compared; dates and instants are comparable."""
        scalars = [self.scalar(value) for value in values]
        wanted = scalars[0] if isinstance(values[0], nodes.Property) else scalars[-1]
        for scalar in scalars:
            _require(what, wanted.kind, scalar)
        computed = any(scalar.computed for scalar in scalars)
        return [scalar.numeric if computed else scalar.code for scalar in scalars]

    def number(self, what: str, node: Node) -> _Scalar:
        return _require(what, "number", self.scalar(node))

    def text(self, what: str, node: Node) -> _Scalar:
        return _require(what, "text", self.scalar(node))

    def pattern(self, node: Node) -> sql.Composable:
        """A LIKE pattern, which is always a literal (CQL2, BNF `patternExpression`)."""
        self.count()
        match node:
            case nodes.Value(str(text)):
                return sql.SQL("{}::text").format(self.bound(_escaped(text)))
            case nodes.CaseI(inner):
                return sql.SQL("lower({})").format(self.pattern(inner))
        raise FilterUnsupported(what="LIKE without a text in quotes")

    def nullable(self, node: Node) -> sql.Composable:
        """Any value, the geometry too, of which one may ask whether it is known."""
        if not isinstance(node, nodes.Property):
            return self.scalar(node).code
        known = self.type_of(node.name) != "geometry" or node.name in self.types
        return column(node.name if known else GEOMETRY)

    def intersects(self, left: Node, right: Node) -> sql.Composable:
        """The data set's geometry against a literal one: the index answers first, then the exact test."""
        shape = left if isinstance(right, nodes.Property) else right
        geometry = right if isinstance(right, nodes.Property) else left
        if not isinstance(geometry, nodes.Property) or not isinstance(shape, nodes.Shape | nodes.Box):
            problem = Text(
                "S_INTERSECTS takes the property geometry and one literal",
                "S_INTERSECTS 需要 geometry 属性和一个几何常量",
            )
            raise BadShape(problem=problem)
        if self.type_of(geometry.name) != "geometry":
            raise BadShape(problem=Text(f"{geometry.name} is no geometry", f"{geometry.name} 不是几何属性"))
        wkb = self.stored(shape)
        if wkb is None:
            return sql.SQL("false")
        literal = sql.SQL("ST_GeomFromWKB({}::bytea, {})").format(self.bound(wkb), sql.Literal(self.dataset.srid))
        return sql.SQL("({geom} && {literal} and ST_Intersects({geom}, {literal}))").format(
            geom=column(GEOMETRY), literal=literal
        )

    def stored(self, shape: nodes.Shape | nodes.Box) -> bytes | None:
        """A literal as WKB in the data set's CRS; None where that CRS cannot reach it, so that nothing there is."""
        srid = Srid(self.dataset.srid)
        if isinstance(shape, nodes.Box):
            return bbox_polygon(shape.numbers, self.crs, srid)
        return transform_shape(shape.geometry, self.crs, srid)


def _require(what: str, wanted: Kind, scalar: _Scalar) -> _Scalar:
    """Return the value if it is of the wanted kind."""
    if scalar.kind == wanted or {scalar.kind, wanted} == {"date", "instant"}:
        return scalar
    hint = _HINTS.get((wanted, scalar.kind), Text("", ""))
    raise TypesDiffer(what=what, wanted=_KINDS[wanted], given=scalar.shown, kind=_KINDS[scalar.kind], hint=hint)


def _escaped(pattern: str) -> str:
    """A CQL2 pattern as PostgreSQL reads it: a backslash before anything but a wildcard stands for itself."""
    wildcards = len(re.findall(r"(?<!\\)%", pattern))
    if wildcards > MAX_WILDCARDS:
        raise PatternTooWild(count=wildcards, limit=MAX_WILDCARDS)
    return re.sub(r"\\([%_\\])|\\", lambda match: match[0] if match[1] else "\\\\", pattern)
