"""The little language of rules: arithmetic, comparisons and a few functions over fields, compiled to SQL.

It is written as Python writes expressions: `TBMJ - KCMJ`, `left(DLBM, 2) == "01" and GDPDJB in ("2", "3")`. As in SQL,
what rests on a missing value is neither true nor false.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from psycopg import sql

Kind = Literal["text", "number", "truth"]
Field = Callable[[str, Kind | None], "Expression"]  # the value of a field, as the kind that is wanted

LONGEST = 1_000  # characters


class Expression(NamedTuple):
    """A piece of SQL and what kind of value it has."""

    sql: sql.Composable
    kind: Kind


class Misunderstood(ValueError):
    """Text that is no expression of the little language."""


_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_COMPARISONS = {ast.Eq: "=", ast.NotEq: "<>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_FUNCTIONS: dict[str, tuple[tuple[Kind | None, ...], str, Kind]] = {
    "abs": (("number",), "abs({})", "number"),
    "round": (("number", "number"), "round(({})::numeric, ({})::integer)::double precision", "number"),
    "coalesce": (("number", "number"), "coalesce({}, {})", "number"),
    "left": (("text", "number"), "left({}, ({})::integer)", "text"),
    "length": (("text",), "length({})", "number"),
    "missing": ((None,), "({}) is null", "truth"),
    "given": ((None,), "({}) is not null", "truth"),
}


def compiled(text: str, field: Field, wanted: Kind) -> sql.Composable:
    """The SQL of an expression; `Misunderstood` says what is wrong with one that has none."""
    if len(text) > LONGEST:
        raise Misunderstood(f"longer than {LONGEST} characters")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Misunderstood(f"{text!r} is no expression") from error
    return _as(wanted, tree, field).sql


def _as(wanted: Kind | None, node: ast.expr, field: Field) -> Expression:
    found = field(node.id, wanted) if isinstance(node, ast.Name) else _compile(node, field)
    if wanted is not None and found.kind != wanted:
        raise Misunderstood(f"{ast.unparse(node)} is a {found.kind}, not a {wanted}")
    return found


def _compile(node: ast.expr, field: Field) -> Expression:
    match node:
        case ast.Constant(value=str() as text):
            return Expression(sql.Literal(text), "text")
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Expression(sql.SQL("{}::double precision").format(sql.Literal(float(number))), "number")
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(_as("number", left, field), op, _as("number", right, field))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Expression(sql.SQL("(- {})").format(_as("number", operand, field).sql), "number")
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Expression(sql.SQL("(not {})").format(_as("truth", operand, field).sql), "truth")
        case ast.BoolOp(op=op, values=values):
            word = sql.SQL(" and " if isinstance(op, ast.And) else " or ")
            return _truth(sql.SQL("({})").format(word.join(_as("truth", one, field).sql for one in values)))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _comparison(left, op, right, field)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _call(name, arguments, field)
    raise Misunderstood(f"{ast.unparse(node)} has no meaning here")


def _truth(text: sql.Composable) -> Expression:
    return Expression(text, "truth")


def _arithmetic(left: Expression, op: ast.operator, right: Expression) -> Expression:
    if isinstance(op, ast.Div):
        return Expression(sql.SQL("({} / nullif({}, 0))").format(left.sql, right.sql), "number")
    if type(op) not in _ARITHMETIC:
        raise Misunderstood("of arithmetic there are + - * and /")
    return Expression(
        sql.SQL(" ").join([sql.SQL("("), left.sql, _sign(_ARITHMETIC[type(op)]), right.sql, sql.SQL(")")]), "number"
    )


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, field: Field) -> Expression:
    if isinstance(op, ast.In | ast.NotIn):
        return _membership(left, op, right, field)
    if type(op) not in _COMPARISONS:
        raise Misunderstood("values are compared by == != < <= > >= and in")
    kind = _kind_of(left, field) or _kind_of(right, field)
    pair = [_as(kind, left, field).sql, _sign(_COMPARISONS[type(op)]), _as(kind, right, field).sql]
    return _truth(sql.SQL("({})").format(sql.SQL(" ").join(pair)))


def _membership(left: ast.expr, op: ast.cmpop, right: ast.expr, field: Field) -> Expression:
    if not isinstance(right, ast.Tuple | ast.List) or not right.elts:
        raise Misunderstood("after `in` stands a list of values in parentheses")
    kind = _kind_of(right.elts[0], field)
    values = sql.SQL(", ").join(_as(kind, one, field).sql for one in right.elts)
    word = sql.SQL("not in" if isinstance(op, ast.NotIn) else "in")
    return _truth(sql.SQL("({} {} ({}))").format(_as(kind, left, field).sql, word, values))


def _kind_of(node: ast.expr, field: Field) -> Kind | None:
    """What a side of a comparison is by itself; a field is what the other side is."""
    return None if isinstance(node, ast.Name) else _compile(node, field).kind


def _call(name: str, arguments: Sequence[ast.expr], field: Field) -> Expression:
    kinds, template, kind = _FUNCTIONS[name]
    if len(arguments) != len(kinds):
        raise Misunderstood(f"{name} takes {len(kinds)} values")
    values = [_as(wanted, one, field).sql for wanted, one in zip(kinds, arguments, strict=True)]
    return Expression(_sign(template).format(*values), kind)


def _sign(text: str) -> sql.SQL:
    """SQL out of the tables above, never out of a rule."""
    return sql.SQL(text)
