"""All tables of tiles, over one load of the city."""

import signal
import sys

from benchmarks.place import Place
from benchmarks.report import Table
from benchmarks.tiles import cached, growth, making, seeding
from benchmarks.tiles.city import load
from benchmarks.tiles.making import Effort

_EFFORT, _QUICK = Effort(3, 4.0), Effort(1, 1.0)


def measure(place: Place, *, quick: bool = False) -> list[Table]:
    """Made, cached, many and all of them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped then too
    effort = _QUICK if quick else _EFFORT
    with place.database() as dsn:
        load(place, dsn)
        tables = making.measure(place, dsn, effort) + cached.measure(place, dsn, effort)
        tables += growth.measure(place, dsn, quick=quick)
    return tables + seeding.measure(place, quick=quick)
