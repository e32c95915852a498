"""How long the command line, and the whole service, take to start; beside pygeoapi as it comes."""

import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.measure import alternate, run
from benchmarks.place import Place
from benchmarks.report import Table
from benchmarks.services import Service, chengtu, connections, pygeoapi
from benchmarks.sources import converted, large_city, some
from core.settings import ROOT

TIMES = 3


def measure(place: Place) -> list[Table]:
    """`--help`, then `up` for the first time and again."""
    return [_help(), _up(place)]


def _help() -> Table:
    beside = Path(sys.executable).parent
    found = alternate(
        {
            "`chengtu --help`": lambda: run([ROOT / "chengtu", "--help"], {}).cost,
            "`pygeoapi --help`": lambda: run([beside / "pygeoapi", "--help"], {}).cost,
            "`python -c pass`": lambda: run([sys.executable, "-c", "pass"], {}).cost,
        },
        2 * TIMES + 1,
    )
    rows: list[list[str | float]] = [
        [name, cost.wall, cost.client, cost.client_megabytes] for name, cost in found.items()
    ]
    ours, theirs, _ = found.values()
    rows.append(["**ratio** to pygeoapi", ours.wall / theirs.wall, ours.client / theirs.client, ""])
    return Table(f"Help, median of {2 * TIMES + 1}", ("", "seconds", "CPU s", "peak MB"), rows)


class _Start(NamedTuple):
    """Seconds to the first answer, CPU seconds until all server processes answer, megabytes of one of them."""

    ready: float
    cpu: float
    megabytes: float


def _started(service: Service) -> _Start:
    with ExitStack() as stack:
        connections(service, stack)
        return _Start(service.ready, service.cpu(), service.megabytes())


def _up(place: Place) -> Table:
    """The sample city on the private cluster, against pygeoapi with as many collections and no database."""
    home = {"CHENGTU_VAR": str(place.folder / "up")}
    data = converted(some(large_city()["parcels"], place.folder, 100), place.folder, "geojson")
    with chengtu(home) as service:
        first = _started(service)
    ours, theirs = [], []
    for _ in range(TIMES):
        with chengtu(home) as service:
            ours.append(_started(service))
        with pygeoapi(place.folder, 12, data) as service:
            theirs.append(_started(service))
    again, peer = (_Start(*map(median, zip(*starts, strict=True))) for starts in (ours, theirs))
    rows: list[list[str | float]] = [
        ["`chengtu up`, the first: makes the cluster and the sample city", *first],
        ["`chengtu up`, again: starts PostgreSQL, and serves", *again],
        ["pygeoapi with 12 collections of a file, and no database", *peer],
        ["**ratio**", *(one / other for one, other in zip(again, peer, strict=True))],
    ]
    headings = ("", "seconds to the first answer", "CPU s until all serve", "MB, a server process")
    return Table(f"Service of two processes, median of {TIMES}", headings, rows)
