"""What it takes to make all tiles of a city before anybody asks: into the cache, and into an archive."""

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.measure import Run, run
from benchmarks.place import Place
from benchmarks.programs import CHENGTU
from benchmarks.report import Table
from benchmarks.services import chengtu
from core.settings import ROOT

_LAST_ZOOM, _QUICK_ZOOM = 14, 11
_NOTE = (
    "Tiles that hold a layer for each data set; those with nothing in them are not counted. What is made is zipped. The "
    "cache also keeps the tile of each data set. Seconds and CPU are with the start of Python and its imports."
)

type Row = list[str | float]


def measure(place: Place, *, quick: bool) -> list[Table]:
    """The sample city as `chengtu up` loads it."""
    last = _QUICK_ZOOM if quick else _LAST_ZOOM
    with place.database() as dsn:
        environment = {"DATABASE_URL": dsn, "CHENGTU_VAR": str(place.folder / "seeded")}
        with chengtu(environment):
            pass  # the city is loaded
        rows = [_seeded(place, environment, last), _exported(place, environment, last)]
    headings = ("", "tiles", "seconds", "tiles a second", "CPU ms a tile", "of it PostgreSQL", "MB")
    return [Table(f"All tiles of the sample city, z0 to z{last}", headings, rows, _NOTE)]


def _seeded(place: Place, environment: Mapping[str, str], last: int) -> Row:
    done = _tiles(place, environment, "seed", "--max-zoom", str(last))
    size = json.loads(_tiles(place, environment, "info").output)["bytes"]
    return _row("`chengtu tiles seed`", done, json.loads(done.output)["tiles"], size)


def _exported(place: Place, environment: Mapping[str, str], last: int) -> Row:
    target = str(place.folder / "city.pmtiles")
    done = _tiles(place, environment, "export", target, "--max-zoom", str(last))
    report: dict[str, Any] = json.loads(done.output)
    return _row("`chengtu tiles export city.pmtiles`", done, report["tiles"], report["bytes"])


def _tiles(place: Place, environment: Mapping[str, str], *words: str) -> Run:
    command = [*CHENGTU, "tiles", *words, "--json"]
    return run(command, {**environment, "PYTHONPATH": str(ROOT)}, place.postmaster)


def _row(title: str, done: Run, tiles: int, size: int) -> Row:
    cost = done.cost
    return [
        title,
        float(tiles),
        cost.wall,
        tiles / cost.wall,
        1000 * cost.cpu / tiles,
        1000 * cost.postgres / tiles,
        size / 1e6,
    ]
