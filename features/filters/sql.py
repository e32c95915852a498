"""Writes a filter as SQL for one data set: names from its fields only, values as parameters, types checked before."""

from psycopg import sql

from core.catalogue import Dataset
from core.crs import CRS84, Srid
from core.database import query
from features.filters import nodes
from features.filters.errors import NotACondition, NotAValue, WrongArguments
from features.filters.functions import BY_NAME
from features.filters.nodes import Node
from features.filters.sql_arrays import array_test
from features.filters.sql_scope import Kind, Scalar, Scope, column, require
from features.filters.sql_spatial import area, spatial
from features.filters.sql_temporal import ends_of, temporal
from features.filters.sql_values import arithmetic, literal, pattern, property_, without_accents, without_case

_CONDITIONS = (
    nodes.And, nodes.Or, nodes.Not, nodes.Comparison, nodes.Between, nodes.In, nodes.Like, nodes.IsNull,
    nodes.Spatial, nodes.Temporal, nodes.ArrayTest,
)  # fmt: skip
_COMPARISONS: dict[nodes.ComparisonOp, sql.SQL] = {
    "=": sql.SQL("({} = {})"),
    "<>": sql.SQL("({} <> {})"),
    "<": sql.SQL("({} < {})"),
    ">": sql.SQL("({} > {})"),
    "<=": sql.SQL("({} <= {})"),
    ">=": sql.SQL("({} >= {})"),
}
_OF_TEXT = {
    "lower": sql.SQL('(lower({} collate "und-x-icu") collate "default")'),
    "upper": sql.SQL('(upper({} collate "und-x-icu") collate "default")'),
    "length": sql.SQL("char_length({})"),
}
_OF_NUMBER = {
    "abs": sql.SQL("abs({})"),
    "floor": sql.SQL("floor({})"),
    "ceil": sql.SQL("ceil({})"),
    "round": sql.SQL("round({})"),
}


def to_sql(node: Node, dataset: Dataset, *, crs: Srid = CRS84) -> tuple[sql.Composable, dict[str, object]]:
    """A condition on the rows of the data set's table, which goes by `f`, and its parameters f0, f1 ...

    Literal geometries are in `crs`, in the axis order it is advertised with. Instants need a session in UTC.
    """
    writer = _Writer(dataset, crs)
    return writer.condition(node), writer.parameters


class _Writer(Scope):
    """Writes the conditions and values of one filter."""

    def condition(self, node: Node) -> sql.Composable:
        """What is true, false or unknown of a row."""
        match node:
            case nodes.And(operands):
                self.count()
                return sql.SQL("({})").format(sql.SQL(" and ").join(map(self.condition, operands)))
            case nodes.Or(operands):
                self.count()
                return sql.SQL("({})").format(sql.SQL(" or ").join(map(self.condition, operands)))
            case nodes.Not(operand):
                self.count()
                return sql.SQL("(not {})").format(self.condition(operand))
            case nodes.Spatial(op, left, right):
                return spatial(self, op, left, right)
            case nodes.Temporal(op, left, right):
                return temporal(self, self.scalar, op, left, right)
            case nodes.ArrayTest(op, left, right):
                return array_test(self, self.scalar, op, left, right)
        return self.comparison(node)

    def comparison(self, node: Node) -> sql.Composable:
        """A condition on single values, or a value that is a condition itself."""
        match node:
            case nodes.Comparison(op, left, right):
                return _COMPARISONS[op].format(*self.alike(op, left, right))
            case nodes.Between(value, low, high):
                return self.between(value, low, high)
            case nodes.In(value, options):
                first, *others = self.alike("IN", value, *options)
                return sql.SQL("({} in ({}))").format(first, sql.SQL(", ").join(others))
            case nodes.Like(text, wanted):
                return sql.SQL("({} like {})").format(self.text("LIKE", text).code, pattern(self, wanted))
            case nodes.IsNull(value):
                return self.is_null(value)
        single = self.scalar(node)
        if single.kind != "boolean":
            raise NotACondition(what=single.shown)
        return single.code

    def scalar(self, node: Node) -> Scalar:
        """A value that can be compared."""
        self.count()
        match node:
            case nodes.Property(name):
                return property_(self, name)
            case nodes.Value(value):
                return literal(self, value)
            case nodes.CaseI(text):
                operand = self.text("CASEI", text)
                return Scalar(without_case(operand.code), "text", f"CASEI({operand.shown})"[:60])
            case nodes.AccentI(text):
                operand = self.text("ACCENTI", text)
                return Scalar(without_accents(operand.code), "text", f"ACCENTI({operand.shown})"[:60])
            case nodes.Arithmetic(op, left, right):
                return arithmetic(op, self.number(op, left), self.number(op, right))
            case nodes.Call(name, arguments):
                return self.call(name, arguments)
        if isinstance(node, _CONDITIONS):
            return Scalar(self.condition(node), "boolean", "(...)")
        raise NotAValue(what=type(node).__name__.upper())

    def call(self, name: str, arguments: tuple[Node, ...]) -> Scalar:
        """One of our own functions, each of which takes one argument."""
        function = BY_NAME[name]
        if len(arguments) != 1:
            raise WrongArguments(name=name, given=len(arguments), usage=function.usage)
        (argument,) = arguments
        if name == "area":
            return area(self, name, argument)
        if name in _OF_NUMBER:
            value = self.number(name, argument)
            return Scalar(_OF_NUMBER[name].format(value.numeric), "number", f"{name}({value.shown})"[:60], "computed")
        value = self.text(name, argument)
        kind: Kind = "number" if function.returns == "integer" else "text"
        return Scalar(_OF_TEXT[name].format(value.code), kind, f"{name}({value.shown})"[:60])

    def between(self, value: Node, low: Node, high: Node) -> sql.Composable:
        """Whether a value lies in a range; unknown if a bound is, as literals never are."""
        v, a, b = self.alike("BETWEEN", value, low, high)
        if isinstance(low, nodes.Value) and isinstance(high, nodes.Value):
            return sql.SQL("({} between {} and {})").format(v, a, b)
        return query("strictly_between").format(value=v, low=a, high=b)

    def alike(self, what: str, *values: Node) -> list[sql.Composable]:
        """Values of one kind, ready to be compared; dates and instants are comparable."""
        scalars = [self.scalar(value) for value in values]
        wanted = scalars[0] if isinstance(values[0], nodes.Property) else scalars[-1]
        for scalar in scalars:
            require(what, wanted.kind, scalar)
        computed = any(isinstance(value, nodes.Arithmetic | nodes.Call) for value in values)
        exact = computed and wanted.kind == "number"
        return [scalar.numeric if exact else scalar.code for scalar in scalars]

    def number(self, what: str, node: Node) -> Scalar:
        return require(what, "number", self.scalar(node))

    def text(self, what: str, node: Node) -> Scalar:
        return require(what, "text", self.scalar(node))

    def is_null(self, node: Node) -> sql.Composable:
        """Whether a value of any type, the geometry too, is unknown; an interval is where one of its ends is."""
        self.count()
        match node:
            case nodes.Property(name):
                self.type_of(name)
                return sql.SQL("({} is null)").format(self.column_of(name))
            case nodes.Shape() | nodes.Box():
                return sql.SQL("false")
            case nodes.Interval():
                ends = ends_of(self, self.scalar, node)
                return sql.SQL("(num_nulls({}) > 0)").format(sql.SQL(", ").join(ends)) if ends else sql.SQL("false")
        return sql.SQL("({} is null)").format(self.scalar(node).code)


__all__ = ["column", "to_sql"]
