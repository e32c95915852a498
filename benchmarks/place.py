"""Where the benchmarks work: a cluster and a folder of their own, removed at the end."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from core.database import prepare
from server.cluster import running

_TEMPLATE = "benchmark_template"
_numbers = count(1)


@dataclass(frozen=True)
class Place:
    """A folder for files, and a PostgreSQL that nobody else uses."""

    folder: Path
    dsn: str  # as the superuser
    postmaster: int  # the process id of PostgreSQL's first process

    @contextmanager
    def database(self) -> Iterator[str]:
        """The DSN of a new database with Chengtu's schema; all that was written before is on disk."""
        name = f"benchmark_{next(_numbers)}"
        with psycopg.connect(self.dsn, autocommit=True) as server:
            server.execute(
                sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(_TEMPLATE))
            )
            server.execute("checkpoint")
        try:
            yield make_conninfo(self.dsn, dbname=name)
        finally:
            with psycopg.connect(self.dsn, autocommit=True) as server:
                server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def place() -> Iterator[Place]:
    """Make the folder and the cluster; autovacuum is off, so that no run pays for another."""
    folder = Path(tempfile.mkdtemp(prefix="chengtu-benchmarks-"))
    folder.chmod(0o755)
    try:
        with running(folder / "postgres") as dsn:
            superuser = make_conninfo(dsn, user="postgres", dbname="postgres")
            with psycopg.connect(superuser, autocommit=True) as server:
                server.execute("alter system set autovacuum = off")
                server.execute("select pg_reload_conf()")
                server.execute(sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
            prepare(make_conninfo(superuser, dbname=_TEMPLATE))
            pid = (folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
            yield Place(folder, superuser, int(pid))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
