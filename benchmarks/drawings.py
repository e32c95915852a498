"""How fast a topographic drawing of half a million objects is read and loaded, beside GDAL's driver for DXF."""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.load import numbers, ratios
from benchmarks.measure import Cost, alternate, run
from benchmarks.place import Place
from benchmarks.programs import chengtu_load, ogr2ogr
from benchmarks.report import Table
from core.settings import ROOT
from data.topography import write_drawing

OBJECTS = 500_000
TIMES = 1
HEADINGS = ("", "seconds", "of it loading", "CPU s, program", "CPU s, PostgreSQL", "CPU s, both", "peak MB")
_NOTE = (
    "Chengtu reads every feature code and layer into themes and classes of GB/T 13923, splines and bulges within a "
    "centimetre, symbols with angle, scale and attributes; GDAL's driver gives one table of geometry, layer and text."
)
_READ = {
    "Chengtu": "from loaders.cass.drawing import read_drawing as r; d = r({0}, {0}, {1}, None); print(sum(d.spool.counts.values()))",
    "GDAL": "import pyogrio; print(pyogrio.read_arrow({0})[1].num_rows)",
}


def measure(place: Place) -> list[Table]:
    """Reading alone, and a whole load into PostGIS."""
    path = place.folder / "map.dxf"
    srs = f"EPSG:{write_drawing(path, OBJECTS).srid}"
    reads = alternate({name: _reading(place, path, name) for name in _READ}, TIMES)
    loads = alternate({"chengtu load": _load(place, path, srs), "ogr2ogr": _peer(place, path, srs)}, TIMES)
    rows = [
        *([f"read: {name}", *numbers(cost)] for name, cost in reads.items()),
        *([f"load: {name}", *numbers(cost)] for name, cost in loads.items()),
        ["**ratio of loads**", *ratios(*loads.values())],
    ]
    return [Table(f"A drawing of CASS with {OBJECTS:,} objects".replace(",", " "), HEADINGS, rows, _NOTE)]


def _reading(place: Place, path: Path, name: str) -> Callable[[], Cost]:
    """Reading to the end in a process of its own: Chengtu into Arrow files, GDAL into Arrow batches."""
    given = [f"__import__('pathlib').Path({str(one)!r})" for one in (path, place.folder)]
    command = [sys.executable, "-c", _READ[name].format(*given)]
    return lambda: run(command, {"PYTHONPATH": str(ROOT)}).cost


def _load(place: Place, path: Path, srs: str) -> Callable[[], Cost]:
    def load() -> Cost:
        with place.database() as dsn:
            return chengtu_load(place, dsn, path, "--srs", srs, id_="city").cost

    return load


def _peer(place: Place, path: Path, srs: str) -> Callable[[], Cost]:
    def load() -> Cost:
        with place.database() as dsn:
            return ogr2ogr(place, dsn, path, "-a_srs", srs)

    return load
