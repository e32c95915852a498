"""How soon after a load its data set is served by every server process; pygeoapi as it comes must be started anew."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx
import psycopg

from benchmarks.place import Place
from benchmarks.programs import chengtu_load
from benchmarks.report import Table
from benchmarks.services import Service, chengtu, connections, pygeoapi
from benchmarks.sources import converted, large_city, some

TIMES = 8
_PAUSE = 0.01  # seconds between looks


class Seen(NamedTuple):
    """Seconds until the last server process serves the data set, from its commit, and from the end of `chengtu load`."""

    after_commit: float
    after_exit: float


def measure(place: Place) -> list[Table]:
    """New data sets, one after the other, while both server processes are watched."""
    source = some(large_city()["parcels"], place.folder, 100)
    with place.database() as dsn:
        chengtu_load(place, dsn, source, id_="first")
        with chengtu({"DATABASE_URL": dsn}, "--no-sample") as service:
            seen = [see(place, dsn, service, source, f"new_{turn}") for turn in range(TIMES)]
    again = sorted(_restart(place, source) for _ in range(3))
    rows: list[list[str | float]] = [
        ["chengtu, from the commit", median(one.after_commit for one in seen), max(one.after_commit for one in seen)],
        [
            "chengtu, from the end of `chengtu load`",
            median(one.after_exit for one in seen),
            max(one.after_exit for one in seen),
        ],
        ["pygeoapi: started anew, to its first answer", again[1], again[2]],
        ["**ratio**, from the commit", median(one.after_commit for one in seen) / again[1], ""],
    ]
    note = "Negative: served before the command had ended. Watched on one connection to each of two server processes."
    return [Table(f"Seconds until a load is seen by all, {TIMES} loads", ("", "median", "slowest"), rows, note)]


def see(place: Place, dsn: str, service: Service, source: Path, id_: str) -> Seen:
    """Load a new data set, and watch for it at every server process."""
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor())
        committed = pool.submit(_next_notice, stack.enter_context(_listening(dsn)))
        watched = [pool.submit(_first_sight, client, id_) for client in connections(service, stack)]
        ended = chengtu_load(place, dsn, source, id_=id_).ended
        last = max(map(Future.result, watched))
        return Seen(last - committed.result(), last - ended)


def _listening(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute("listen chengtu_catalogue")
    return connection


def _next_notice(connection: psycopg.Connection[tuple[object, ...]]) -> float:
    """When the catalogue's next change was committed, to a millisecond."""
    for _ in connection.notifies(timeout=60, stop_after=1):
        return time.monotonic()
    raise RuntimeError("no load was committed")


def _first_sight(client: httpx.Client, id_: str) -> float:
    deadline = time.monotonic() + 60
    while client.get(f"/collections/{id_}?f=json").status_code != httpx.codes.OK:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{id_} is not served")
        time.sleep(_PAUSE)
    return time.monotonic()


def _restart(place: Place, source: Path) -> float:
    with pygeoapi(place.folder, 2, converted(source, place.folder, "geojson")) as service:
        return service.ready
