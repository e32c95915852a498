"""The door to PostgreSQL: connections, pools, named queries, and the schema that Chengtu keeps in it."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, TupleRow, dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from core.errors import DatabaseBusy, DatabaseUnreachable, PostgisMissing, SchemaTooNew
from core.settings import ROOT, Settings

Connection = psycopg.Connection[DictRow]
Pool = ConnectionPool[Connection]
AsyncPool = AsyncConnectionPool[psycopg.AsyncConnection[TupleRow]]

# What takes milliseconds is not worth starting another process of PostgreSQL for, which takes ten.
_ALONE = "-c max_parallel_workers_per_gather=0"

SCHEMA_LOCK = 0x63_68_65_6E_67_74_75  # "chengtu": one process at a time prepares a database


@cache
def _named_queries() -> dict[str, str]:
    """All queries of sql/queries, by the name in their `-- name:` line."""
    named: dict[str, str] = {}
    for path in sorted((ROOT / "sql" / "queries").glob("*.sql")):
        parts = re.split(r"^-- name: (\w+)\n", path.read_text("utf-8"), flags=re.MULTILINE)
        for name, body in zip(parts[1::2], parts[2::2], strict=True):
            if name in named:
                raise ValueError(f"{path.name}: two queries are named {name}")
            named[name] = body.strip()
    return named


def query(name: str) -> sql.SQL:
    """The SQL of a named query, ready to execute or to be filled with identifiers by `.format`."""
    return sql.SQL(_ours(_named_queries()[name]))


def _ours(text: str) -> LiteralString:
    """Vouch that a text comes from our own files, never from a user: what LiteralString asks for."""
    return text


@contextmanager
def speaking_plainly() -> Iterator[None]:
    """Turn what the driver raises when the server is gone, full or out of time into our own words."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseBusy(reason="no free connection") from error
    except psycopg.errors.QueryCanceled as error:
        raise DatabaseBusy(reason="statement timeout") from error
    except (psycopg.errors.TooManyConnections, psycopg.errors.OutOfMemory) as error:
        raise DatabaseBusy(reason=one_line(error)) from error
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(reason=one_line(error)) from error


def one_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def connect(dsn: str, *, purpose: str = "chengtu") -> Connection:
    """Open a connection of our own; `purpose` shows in pg_stat_activity."""
    with speaking_plainly():
        return psycopg.connect(dsn, row_factory=dict_row, application_name=purpose, connect_timeout=10)


def open_pool(dsn: str, settings: Settings) -> Pool:
    """Open the pool of a server process for threads: short waits, bounded statements, UTC, nothing prepared.

    Statements are not prepared on the server, since a release may change a table's columns under them.
    """
    pool: Pool = ConnectionPool(
        dsn,
        connection_class=cast(type[Connection], psycopg.Connection),
        kwargs={
            "row_factory": dict_row,
            "application_name": "chengtu-server",
            "prepare_threshold": None,
            "autocommit": True,
            "options": session(settings.statement_timeout),
        },
        min_size=1,
        max_size=settings.pool,
        timeout=settings.pool_wait,
        check=ConnectionPool.check_connection,
        open=False,
    )
    with speaking_plainly():
        pool.open(wait=True, timeout=10)
    return pool


async def open_async_pool(dsn: str, settings: Settings, *, size: int, statement_timeout: float) -> AsyncPool:
    """Open a pool for the event loop, likewise; its statements may be prepared, for they return nothing but texts.

    Connections are not checked before use, which would double the way to PostgreSQL and back: who uses one that turns
    out to have died lets the pool replace it, and asks again.
    """
    pool: AsyncPool = AsyncConnectionPool(
        dsn,
        kwargs={
            "application_name": "chengtu-server",
            "autocommit": True,
            "options": f"{session(statement_timeout)} {_ALONE}",
        },
        min_size=1,
        max_size=size,
        timeout=settings.pool_wait,
        open=False,
    )
    with speaking_plainly():
        await pool.open(wait=True, timeout=10)
    return pool


def session(statement_timeout: float) -> str:
    """The settings of a server's session, as libpq's `options`."""
    milliseconds = int(statement_timeout * 1000)
    return (
        f"-c statement_timeout={milliseconds} -c timezone=UTC -c jit=off -c idle_in_transaction_session_timeout=10000"
    )


def rows(connection: Connection, name: str, **parameters: object) -> list[DictRow]:
    """Run a named query that needs no identifiers, and return its rows."""
    return connection.execute(query(name), parameters).fetchall()


async def ask(pool: AsyncPool, text: sql.SQL | sql.Composed, parameters: Mapping[str, object]) -> list[TupleRow]:
    """The rows that a statement returns."""
    with speaking_plainly():
        return await (await run(pool, text, parameters)).fetchall()


async def run(
    pool: AsyncPool, text: sql.SQL | sql.Composed, parameters: Mapping[str, object], *, binary: bool = False
) -> psycopg.AsyncCursor[TupleRow]:
    """Run a statement on a connection of the pool; if that one turns out to have died, replace all such, and run it again."""
    try:
        return await _run(pool, text, parameters, binary)
    except psycopg.OperationalError as error:
        if not lost(error):
            raise
        await pool.check()
        return await _run(pool, text, parameters, binary)


async def _run(
    pool: AsyncPool, text: sql.SQL | sql.Composed, parameters: Mapping[str, object], binary: bool
) -> psycopg.AsyncCursor[TupleRow]:
    async with pool.connection() as connection:
        cursor = await connection.execute(text, parameters, binary=binary)
    if cursor.pgresult is None:
        raise psycopg.OperationalError("the connection was lost")
    return cursor


def lost(error: psycopg.OperationalError) -> bool:
    """Whether an error says that the connection is no more."""
    ended = (psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown)
    return isinstance(error, ended) or (error.sqlstate is None and not isinstance(error, PoolTimeout))


def prepare(dsn: str) -> None:
    """Bring the database's schema to what this Chengtu needs; does nothing when it is there already."""
    files = sorted((ROOT / "sql").glob("[0-9]*.sql"))
    wanted = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    with connect(dsn, purpose="chengtu-schema") as connection:
        _require_postgis(connection)
        connection.execute("select pg_advisory_xact_lock(%s)", [SCHEMA_LOCK])
        found = _applied(connection)
        if newer := sorted(found.keys() - wanted.keys()):
            raise SchemaTooNew(found=newer[-1], known=files[-1].name)
        for path in files:
            if found.get(path.name) != wanted[path.name]:
                connection.execute(_ours(path.read_text("utf-8")))
                connection.execute(
                    "insert into chengtu.schema_file (name, digest) values (%s, %s)"
                    " on conflict (name) do update set digest = excluded.digest, applied_at = now()",
                    [path.name, wanted[path.name]],
                )


def _applied(connection: Connection) -> dict[str, str]:
    """The schema files that this database has seen, by name, with their digests."""
    connection.execute("create schema if not exists chengtu")
    connection.execute(
        "create table if not exists chengtu.schema_file"
        " (name text primary key, digest text not null, applied_at timestamptz not null default now())"
    )
    return {row["name"]: row["digest"] for row in connection.execute("select * from chengtu.schema_file")}


def _require_postgis(connection: Connection) -> None:
    """Create the extension where we may, and say what to run where we may not."""
    if connection.execute("select from pg_extension where extname = 'postgis'").fetchone() is None:
        try:
            connection.execute("create extension postgis")
        except psycopg.Error as error:
            raise PostgisMissing from error


__all__ = [
    "AsyncPool",
    "Connection",
    "Pool",
    "ask",
    "connect",
    "lost",
    "one_line",
    "open_async_pool",
    "open_pool",
    "prepare",
    "query",
    "rows",
    "run",
    "session",
    "speaking_plainly",
]
