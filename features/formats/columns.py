"""The columns of a file: which, under what names, and as which type PostgreSQL hands them over."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from psycopg import sql

from core.catalogue import Field
from features import queries
from features.search import Search
from features.table import Table


class Column(NamedTuple):
    """A column of a file: its name there, its type as PostgreSQL names it, and the expression that yields it."""

    name: str
    type: str
    value: sql.Composable


def chosen(table: Table, search: Search) -> tuple[Field, ...]:
    """The fields asked for, in the order asked for; else the key and all others."""
    if search.properties:
        return tuple(Field(name, table.type_of(name)) for name in dict.fromkeys(search.properties))
    key = Field(table.dataset.key, table.dataset.key_type)
    attributes = table.dataset.attributes
    return attributes if key in attributes else (key, *attributes)


def columns(
    fields: Sequence[Field], holds: frozenset[str], rename: Callable[[Sequence[str]], list[str]], *, nan: bool
) -> tuple[Column, ...]:
    """What of each field goes into a file that `holds` some types as they are (all others become text), perhaps NaN."""
    names = rename([field.name for field in fields])
    return tuple(_column(name, field, holds, nan) for name, field in zip(names, fields, strict=True))


def _column(name: str, field: Field, holds: frozenset[str], nan: bool) -> Column:
    value = queries.column(field.name)
    if field.type in ("real", "double precision") and not nan:
        return Column(name, field.type, sql.SQL("nullif({}, 'NaN')").format(value))
    if field.type in holds:
        return Column(name, field.type, value)
    if field.type.startswith("numeric") and "double precision" in holds:
        return Column(name, "double precision", sql.SQL("{}::double precision").format(value))
    if field.type.startswith(("timestamp", "time ", "time(")):
        return Column(name, "text", sql.SQL("to_json({}) #>> '{{}}'").format(value))
    if field.type.endswith("[]"):
        return Column(name, "text", sql.SQL("to_json({})::text").format(value))
    if field.type == "bytea":
        return Column(name, "text", sql.SQL("encode({}, 'hex')").format(value))
    return Column(name, "text", sql.SQL("{}::text").format(value))
