"""A small table of every type that filters can ask about, and the asking."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from core.catalogue import Dataset, get_dataset
from core.crs import CRS84, Srid
from core.database import Connection, connect
from features.filters import Node, to_sql
from tests.made_data import make_dataset

_names = count(1)

FIELDS = {
    "name": "text",
    "code": "character varying(10)",
    "n": "integer",
    "big": "bigint",
    "x": "double precision",
    "exact": "numeric(12,2)",
    "ok": "boolean",
    "day": "date",
    "at": "timestamp with time zone",
    "local": "timestamp without time zone",
    "document": "jsonb",
    "uid": "uuid",
    "tags": "text[]",
    "documents": "jsonb[]",
    "地类": "text",
    "占比%": "double precision",
    'say "a"': "text",
}
UID = "6f1c9a52-0000-4000-8000-00000000000{}"
ROWS = [
    (1, "Alpha", "A1", 1, 2**40, 0.5, Decimal("0.10"), True, date(2024, 1, 1), datetime(2024, 1, 1, 8, tzinfo=UTC),
     datetime(2024, 1, 1, 8), '{"a": 1}', UID.format(1), ["a"], None, "水田", 12.5, "x", "POINT(544000 4856000)"),
    (2, "beta 50%", "B2", 2, -(2**40), 1.5, Decimal("0.20"), False, date(2024, 2, 29), datetime(2024, 2, 29, 0, tzinfo=UTC),
     datetime(2024, 2, 29), "[]", UID.format(2), [], None, "旱地", 50.0, "it's", "POINT(545000 4857000)"),
    (3, "gamma_5\\%", "", 0, 0, float("inf"), Decimal("-3.00"), None, None, None,
     None, None, UID.format(3), ["a", None], None, "水田", None, None, "POINT(600000 4900000)"),
    (4, *[None] * 18),
]  # fmt: skip


@contextmanager
def asking(server_dsn: str, template: str) -> Iterator[Connection]:
    """A connection to a fresh database for many tests that only read, as the server opens it: in UTC."""
    name = sql.Identifier(f"chengtu_filters_{os.getpid()}_{next(_names)}")
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template {}").format(name, sql.Identifier(template)))
        try:
            with connect(make_conninfo(server_dsn, dbname=name.as_string().strip('"'))) as connection:
                connection.autocommit = True
                connection.execute("set timezone = 'UTC'")
                yield connection
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(name))


def dsn_of(connection: Connection) -> str:
    """How to connect to the same database again."""
    return make_conninfo(connection.info.dsn, password=connection.info.password)


def make_land(connection: Connection) -> Dataset:
    """Put the table into the connection's database."""
    make_dataset(dsn_of(connection), "land", "Point", 4551, ROWS, FIELDS)
    return get_dataset(connection, "land")


def found(connection: Connection, dataset: Dataset, node: Node, crs: Srid = CRS84) -> list[int]:
    """The keys of the rows that a filter finds."""
    condition, parameters = to_sql(node, dataset, crs=crs)
    table = sql.Identifier("data", dataset.id)
    statement = sql.SQL("select fid from {} as f where {} order by fid").format(table, condition)
    return [row["fid"] for row in connection.execute(statement, parameters)]
