"""Forms of one line a feature, which PostgreSQL writes and the socket passes on: GeoJSON lines, and CSV."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from psycopg import sql

from core.database import query
from features import queries
from features.formats.columns import chosen
from features.formats.names import free_name
from features.search import Search
from features.table import Table

_AS_NUMBERS = {"boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "date", "bytea"}
_MOMENTS = ("timestamp", "time ", "time(")
BOM = b"\xef\xbb\xbf"  # what Excel knows UTF-8 by


class LineForm(NamedTuple):
    """A form of lines: its media type, what begins it, how PostgreSQL writes a feature, and what makes that a line."""

    media: str
    suffix: str
    head: Callable[[Table, Search], bytes]
    feature: Callable[[Table, Search], sql.Composable]
    lines: Callable[[Sequence[bytes]], bytes]


def _no_head(table: Table, search: Search) -> bytes:
    return b""


def _json_lines(features: Sequence[bytes]) -> bytes:
    """A line break within JSON is always white space: within a text it is escaped."""
    return b"".join(feature.replace(b"\n", b" ") + b"\n" for feature in features)


def _csv_head(table: Table, search: Search) -> bytes:
    names = [field.name for field in chosen(table, search)]
    if search.geometry:
        names.append(free_name("WKT", names))
    return (",".join(map(_quoted, names)) + "\r\n").encode()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(character in name for character in '",\r\n') else name


def _csv_feature(table: Table, search: Search) -> sql.Composable:
    """All values of a feature in one text; an array has room for as many columns as a table has."""
    values = [_csv_value(field.name, field.type) for field in chosen(table, search)]
    if search.geometry:
        wkt = sql.SQL("st_astext({}, {})").format(queries.shape(table, search.crs), queries.digits(search.crs))
        values.append(sql.SQL("coalesce('\"' || {} || '\"', '')").format(wkt))
    return sql.SQL("array_to_string(array[{}]::text[], ',')").format(sql.SQL(", ").join(values))


def _csv_value(name: str, type_: str) -> sql.Composable:
    column = queries.column(name)
    if type_ in _AS_NUMBERS:
        return sql.SQL("coalesce({}::text, '')").format(column)
    if type_.startswith(_MOMENTS):  # as GeoJSON has them: 2024-01-02T00:00:00
        return sql.SQL("coalesce(to_json({}) #>> '{{}}', '')").format(column)
    as_text = sql.SQL("to_json({})::text" if type_.endswith("[]") else "{}::text").format(column)
    return query("csv_value").format(value=as_text)


def _csv_lines(features: Sequence[bytes]) -> bytes:
    return b"".join(feature + b"\r\n" for feature in features)


LINES: dict[str, LineForm] = {
    "ndjson": LineForm("application/x-ndjson", "ndjson", _no_head, queries.feature, _json_lines),
    "csv": LineForm("text/csv; charset=utf-8", "csv", _csv_head, _csv_feature, _csv_lines),
}
