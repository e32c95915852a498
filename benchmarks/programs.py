"""The programs that are compared: Chengtu's command line, and GDAL's."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measure import Cost, run
from benchmarks.place import Place
from core.settings import ROOT

CHENGTU = (sys.executable, "-P", "-m", "benchmarks.as_installed")
TABLE = "parcels"


class Loaded(NamedTuple):
    """A load by the command line: what the program took, when it ended, and its own report."""

    cost: Cost
    ended: float
    report: dict[str, Any]


def chengtu_load(place: Place, dsn: str, source: Path, *options: str, id_: str = TABLE) -> Loaded:
    """`chengtu load`, in a process of its own."""
    done = run(
        [*CHENGTU, "load", source, "--as", id_, "--json", *options],
        {"DATABASE_URL": dsn, "CHENGTU_VAR": str(place.folder / "var"), "PYTHONPATH": str(ROOT)},
        place.postmaster,
    )
    report = json.loads(done.output)
    return Loaded(done.cost._replace(inside=report["seconds"]), done.ended, report)


def ogr2ogr(place: Place, dsn: str, source: Path, *options: str) -> Cost:
    """`ogr2ogr` at its fastest: COPY, one transaction, and its spatial index made at the end."""
    done = run(
        ["ogr2ogr", "-f", "PostgreSQL", f"PG:{dsn}", source, "-nln", TABLE, "-gt", "unlimited", *options],
        {"PG_USE_COPY": "YES", "CPL_LOG": "/dev/null"},
        place.postmaster,
    )
    return done.cost
