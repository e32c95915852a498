"""A year's increment of 5 000 changes to 300 000 parcels, and the next whole release, beside plain SQL of the same rows."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psycopg

from benchmarks.measure import cpu_of_cluster
from benchmarks.place import Place
from benchmarks.report import Table
from core.catalogue import get_dataset
from core.database import connect, open_async_pool
from core.settings import Settings
from data.survey import build_increment, build_survey, write_tables
from data.survey.increment import applied
from features.feed import read_feed
from features.table import Table as Features
from loaders import Options, lives, load
from loaders.candidate import stage
from loaders.comparison import Terms, compare_closely
from loaders.difference import compare
from loaders.increments import Wish, apply_increment, undo_last
from loaders.job import Job
from loaders.load import workspace
from loaders.release import check, served_release
from loaders.source import open_source
from server.levels import finisher
from tiles.levels import catch_up

PARCELS, CHANGES, TIMES = 300_000, 5_000, 3
_ID = "dltb"
_HEADINGS = ("", "seconds", "CPU s, program", "CPU s, PostgreSQL")


class Files(NamedTuple):
    """A survey, the increment of the year after it, and the whole state that it leads to."""

    state: Path
    increment: Path
    next: Path
    year: int


class Took(NamedTuple):
    """Seconds on the clock, and CPU seconds of this process and of PostgreSQL."""

    seconds: float
    client: float
    postgres: float


def measure(place: Place) -> list[Table]:
    """Load the survey once; then apply and undo, compare, and do the same in plain SQL, in turn."""
    files = _files(place.folder)
    with place.database() as dsn:
        settings = Settings(database_url=dsn, var=place.folder / "var")
        _load(dsn, files, settings)
        _plain(dsn)
        rows = _increments(place, dsn, files, settings)
        return [
            Table(
                f"An increment of {CHANGES} changes to {PARCELS} parcels, median of {TIMES}",
                _HEADINGS,
                rows,
                "Applying reads the file, checks it (ids, areas, ground) and makes the balance; plain SQL only deletes and"
                " inserts the same rows in a table with the same indexes, and is told by nobody.",
            ),
            Table(
                f"The next release of {PARCELS} parcels compared with the one that is served, median of {TIMES}",
                _HEADINGS,
                _comparisons(place, dsn, files),
                "Both are in the database already. Plain SQL counts the rows that differ in a full join.",
            ),
        ]


def _files(folder: Path) -> Files:
    survey = build_survey(parcels=PARCELS)
    increment = build_increment(survey, CHANGES)
    return Files(
        write_tables({"DLTB": survey.parcels}, folder / "state.gpkg"),
        write_tables(increment.layers, folder / "increment.gpkg"),
        write_tables({"DLTB": applied(survey, increment)}, folder / "next.gpkg"),
        survey.year,
    )


def _load(dsn: str, files: Files, settings: Settings) -> None:
    options = Options(id=_ID, key="BSM", profile="none", history=True, state_of=date(files.year, 12, 31))
    load(files.state, dsn, options, scratch=settings.var / "tmp", archive_limit=10**10, finish=finisher(settings))


def _plain(dsn: str) -> None:
    """The same rows where nothing watches them, and room for what ends."""
    with psycopg.connect(dsn) as connection:
        connection.execute(f"create table plain as select * from data.{_ID}")
        connection.execute("create table ended (like plain)")
        connection.execute('alter table plain add primary key ("BSM")')
        connection.execute("create index on plain using gist (geom)")
        connection.execute("analyze plain")


def _increments(place: Place, dsn: str, files: Files, settings: Settings) -> list[list[str | float]]:
    found: dict[str, list[Took]] = {}
    for _ in range(TIMES):
        before = _position(dsn, settings)
        with _timed(place, found, "applied: file to commit"):
            apply_increment(files.increment, dsn, _ID, Wish(), scratch=settings.var / "tmp", archive_limit=10**10)
        with _timed(place, found, "generalised zooms patched"), connect(dsn) as connection:
            catch_up(connection, _ID)
        with _timed(place, found, "the feed read, features and all"):
            asyncio.run(_feed(dsn, settings, before))
        with _timed(place, found, "plain SQL: the same rows deleted and inserted"):
            _plainly(dsn)
        with _timed(place, found, "taken back"):
            undo_last(dsn, _ID)
        with connect(dsn) as connection:
            catch_up(connection, _ID)
    return _rows(found)


def _plainly(dsn: str) -> None:
    """What the increment changed, in a table that nobody follows; and back again."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            f'insert into ended select p.* from plain as p inner join history.{_ID} as h on p."BSM" = h."BSM"'
        )
        connection.execute(f'delete from plain as p using history.{_ID} as h where p."BSM" = h."BSM"')
        connection.execute(
            f'insert into plain select d.* from data.{_ID} as d inner join chengtu.opened as o on d."BSM" = o.key'
        )
    with psycopg.connect(dsn) as connection:
        connection.execute('delete from plain as p using chengtu.opened as o where p."BSM" = o.key')
        connection.execute("insert into plain select * from ended")
        connection.execute("truncate ended")


async def _feed(dsn: str, settings: Settings, since: str) -> int:
    pool = await open_async_pool(dsn, settings, size=1, statement_timeout=60)
    try:
        with connect(dsn) as connection:
            table = Features(get_dataset(connection, _ID))
        told, more = 0, True
        while more:
            feed = await read_feed(pool, table, since, 1000, whole=True)
            told, more, since = told + len(feed.entries), feed.more, feed.next
        return told
    finally:
        await pool.close()


def _position(dsn: str, settings: Settings) -> str:
    async def now() -> str:
        pool = await open_async_pool(dsn, settings, size=1, statement_timeout=60)
        try:
            with connect(dsn) as connection:
                table = Features(get_dataset(connection, _ID))
            return (await read_feed(pool, table, None, 1, whole=False)).next
        finally:
            await pool.close()

    return asyncio.run(now())


def _comparisons(place: Place, dsn: str, files: Files) -> list[list[str | float]]:
    found: dict[str, list[Took]] = {}
    for _ in range(TIMES):
        with _staged(dsn, files) as (connection, staging, served):
            with _timed(place, found, "plain SQL: rows that differ"):
                connection.execute(
                    f'select count(*) from data.{staging.name} as n full join plain as p on n."BSM" = p."BSM"'
                    ' where row(n."DLBM", n."TBMJ", n.geom) is distinct from row(p."DLBM", p."TBMJ", p.geom)'
                )
            with _timed(place, found, "compared"):
                compare(connection, staging, served, _ID)
            with _timed(place, found, "told in shape, class and area; valid from when"):
                begun = lives.begin(connection, staging, _ID, served, lives.Life(True, date(files.year + 1, 12, 31)))
                assert begun.served
                compare_closely(connection, staging, served, Terms("DLBM", "TBMJ"))
            connection.rollback()
    return _rows(found)


@contextmanager
def _staged(dsn: str, files: Files) -> Iterator[tuple[Any, Any, Any]]:
    """The next release, read, in a transaction that is taken back."""
    with workspace(files.next.parent / "scratch") as room, connect(dsn) as connection, connect(dsn) as aside:
        source = open_source(files.next, workspace=room)
        job = Job(_ID, "DLTB", Options(key="BSM"), None)
        staging = stage(connection, aside, source, job, None, lambda done, total: None).main.staging
        check(connection, staging)
        connection.execute(f"analyze data.{staging.name}")
        yield connection, staging, served_release(connection, _ID)


@contextmanager
def _timed(place: Place, found: dict[str, list[Took]], name: str) -> Iterator[None]:
    postgres, client, started = cpu_of_cluster(place.postmaster), time.process_time(), time.monotonic()
    yield
    took = Took(time.monotonic() - started, time.process_time() - client, cpu_of_cluster(place.postmaster) - postgres)
    found.setdefault(name, []).append(took)


def _rows(found: dict[str, list[Took]]) -> list[list[str | float]]:
    """Each step, and the sum of ours in units of the plain one."""
    middle = {name: Took(*map(median, zip(*took, strict=True))) for name, took in found.items()}
    plain = next(took for name, took in middle.items() if name.startswith("plain"))
    ours = [took for name, took in middle.items() if not name.startswith(("plain", "taken"))]
    sums = [sum(column) for column in zip(*ours, strict=True)]
    rows: list[list[str | float]] = [[name, *took] for name, took in middle.items()]
    ratio = (sums[0] / plain.seconds, "", sums[2] / plain.postgres)
    return [*rows, ["**ours together**", *sums], ["**ratio**", *ratio]]
