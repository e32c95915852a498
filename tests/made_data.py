"""Data sets made for a test: a table with its one release, and its row in the catalogue."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

Rows = Sequence[tuple[Any, ...]]  # (key, attributes ..., geometry as EWKT or WKT, or None)


def make_dataset(
    dsn: str, id_: str, geometry_type: str, srid: int, rows: Rows, fields: dict[str, str] | None = None
) -> None:
    """Create data.<id_> with key fid, the fields and geom, fill it, and put it into the catalogue as release 1."""
    fields = fields or {}
    table = sql.Identifier("data", id_)
    columns = [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in fields.items()]  # type: ignore[arg-type]
    shape = sql.SQL(f"geom geometry({geometry_type}, {srid})")  # type: ignore[arg-type]
    partition = sql.Identifier("data", f"{id_}__1")
    with psycopg.connect(dsn) as connection:
        described = sql.SQL(", ").join([sql.SQL("fid bigint not null"), *columns, shape])
        connection.execute(
            sql.SQL("create table {} ({}, ct_release bigint not null) partition by list (ct_release)").format(
                table, described
            )
        )
        connection.execute(sql.SQL("create table {} partition of {} for values in (1)").format(partition, table))
        connection.execute(sql.SQL("create index on {} using gist (geom)").format(partition))
        values = [*[sql.Placeholder()] * (1 + len(fields)), sql.SQL(f"ST_GeomFromText(%s, {srid})"), sql.SQL("1")]  # type: ignore[arg-type]
        insert = sql.SQL("insert into {} values ({})").format(table, sql.SQL(", ").join(values))
        connection.cursor().executemany(insert, rows)
        connection.execute(
            sql.SQL(
                "insert into chengtu.dataset (id, title_en, title_zh, geometry_type, srid, key_column, fields, extent,"
                " feature_count, source, release) select %s, %s, %s, %s, %s, 'fid', %s, case when e is not null then"
                " array[st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e)] end, n, 'made', 1"
                " from (select st_extent(st_transform(geom, 4326)) as e, count(*) as n from {}) as t"
            ).format(table),
            [id_, id_, id_, geometry_type, srid, Jsonb([{"name": n, "type": t} for n, t in fields.items()])],
        )
