"""What 500 data sets cost, beside 5 of the same, and beside 500 collections of pygeoapi as it comes."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from benchmarks.place import Place
from benchmarks.programs import chengtu_load
from benchmarks.report import Table
from benchmarks.services import Service, chengtu, connections, openapi_of, pygeoapi, write_config
from benchmarks.sources import converted, large_city, some
from benchmarks.visible import see

FEW, MANY = 5, 500
_FEATURES = 100
_PATHS = {
    "`/openapi?f=json`": "/openapi?f=json",
    "`/collections?f=json`": "/collections?f=json",
    "one collection": "/collections/data_0001?f=json",
    "its first 10 features": "/collections/data_0001/items?f=json&limit=10",
}


def measure(place: Place) -> list[Table]:
    """The same questions to each service."""
    source = some(large_city()["parcels"], place.folder, _FEATURES)
    few, many = _chengtu(place, source, FEW), _chengtu(place, source, MANY)
    peer = _pygeoapi(place, converted(source, place.folder, "geojson"))
    rows: list[list[str | float]] = [
        [name, few[name], many[name], peer.get(name, ""), many[name] / peer[name] if name in peer else ""]
        for name in many
    ]
    headings = ("", f"chengtu, {FEW}", f"chengtu, {MANY}", f"pygeoapi, {MANY}", "**ratio** at 500")
    note = (
        "First: the first such request to a server process. CPU is the server processes', without PostgreSQL's. pygeoapi "
        "reads its OpenAPI document from a file that is made beforehand, and again at each change."
    )
    return [Table(f"Data sets of {_FEATURES} parcels with 22 attributes", headings, rows, note)]


def _chengtu(place: Place, source: Path, count: int) -> Mapping[str, float]:
    with place.database() as dsn:
        chengtu_load(place, dsn, source, id_="data_0000")
        with psycopg.connect(dsn) as connection:
            for number in range(1, count):
                copy_dataset(connection, "data_0000", f"data_{number:04}")
        with chengtu({"DATABASE_URL": dsn}, "--no-sample") as service:
            found = _asked(service)
            times = [see(place, dsn, service, source, f"one_more_{n}").after_commit for n in range(3)]
    return found | {"a new one is seen after, s": median(times)}


def copy_dataset(connection: "psycopg.Connection[tuple[object, ...]]", source: str, id_: str) -> None:
    """Another data set like one that is there, in less time than a load takes."""
    like, columns = _release(connection, source)
    names = {
        "table": sql.Identifier("data", id_),
        "partition": sql.Identifier("data", f"{id_}_1"),
        "like": sql.SQL(like),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "source": sql.Literal(source),
        "id": sql.Literal(id_),
    }
    for statement in (
        "create table {table} (like {like} including all excluding indexes) partition by list (ct_release)",
        "create table {partition} (like {like} including all)",
        "alter table {table} attach partition {partition} default",
        "insert into {partition} ({columns}) select {columns} from {like}",
        "create temporary table entry on commit drop as select * from chengtu.dataset where id = {source}",
        "update entry set id = {id}",
        "insert into chengtu.dataset select * from entry",
        "drop table entry",
    ):
        connection.execute(sql.SQL(statement).format(**names))


def _release(connection: "psycopg.Connection[tuple[object, ...]]", id_: str) -> tuple[LiteralString, list[str]]:
    """The table of the release that is served, which has the indexes, and those of its columns that are not computed."""
    query = (
        "select inhrelid::regclass::text, array_agg(attname::text) from pg_inherits join pg_attribute on attrelid = inhrelid "
        "where inhparent = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' group by 1"
    )
    row: Any = connection.execute(query, [f"data.{id_}"]).fetchone()
    name, columns = row
    return name, columns


def _pygeoapi(place: Place, data: Path) -> Mapping[str, float]:
    config = write_config(place.folder, MANY, data)
    started = time.monotonic()
    openapi_of(config)
    made = time.monotonic() - started
    with pygeoapi(place.folder, MANY, data) as service:
        return _asked(service) | {"a new one is seen after, s": made + service.ready}


def _asked(service: Service) -> dict[str, float]:
    with ExitStack() as stack:
        connections(service, stack)
        found = {
            "seconds to the first answer": service.ready,
            "CPU s until all serve": service.cpu(),
            "MB, a server process": service.megabytes(),
        }
    for name, path in _PATHS.items():
        answer = service.ask(path)
        found |= {f"{name}: first, ms": answer.first, f"{name}: next, ms": answer.next, f"{name}: CPU ms": answer.cpu}
        found[f"{name}: kB"] = answer.size / 1000
    return found | {"MB, a server process, afterwards": service.megabytes()}
