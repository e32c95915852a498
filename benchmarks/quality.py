"""What the rules of a land survey cost, beside its plain load, and beside a self-join in PostGIS for the overlaps."""

import json
import sys
from typing import NamedTuple

from benchmarks.measure import Cost, run
from benchmarks.place import Place
from benchmarks.report import Table
from benchmarks.survey import large_survey
from core.settings import ROOT

_HEADINGS = (
    "",
    "findings",
    "seconds",
    "of it working",
    "CPU s, program",
    "CPU s, PostgreSQL",
    "CPU s, both",
    "peak MB",
)
_NOTE = (
    "`of it working` is without the start of Python. The plain load is that of the parcels alone, by no profile, without what is made for tiles. Rules on values "
    "are all but those on areas, places and shapes; topology is overlaps, gaps, near edges, slivers, what leads outside and "
    "self-crossings. The self-join finds overlaps and nothing else, here of every fiftieth parcel with all others, since for all it takes more than five minutes on both cores: pairs whose interiors share an area of more than 0.5 m². "
    "Areas, topology and all rules include reading the parcels from the database."
)
_KINDS = {
    "attributes": "rules on values",
    "areas": "areas on the ellipsoid",
    "topology": "topology, all kinds",
    "all": "all rules of the parcels",
    "postgis": "overlaps of a fiftieth of the parcels, by a self-join in PostGIS",
}


class _Done(NamedTuple):
    found: int
    cost: Cost


def measure(place: Place) -> list[Table]:
    """Load a survey plainly; then check its parcels, one kind of rules at a time."""
    source = large_survey()
    with place.database() as dsn:
        plain, *_ = [_run(place, dsn, "load", str(source), layer) for layer in ("DLTB", "CJDCQ", "XZQ")]
        checks = {kind: _run(place, dsn, kind) for kind in _KINDS}
    rows = [
        _row("the parcels, loaded plainly", "", plain.cost),
        *(_row(_KINDS[kind], float(one.found), one.cost) for kind, one in checks.items()),
        ["**ratio** of rules on values to the plain load", "", *_ratios(checks["attributes"].cost, plain.cost), ""],
        [
            "**ratio** of all topology to a fiftieth of the self-join",
            "",
            *_ratios(checks["topology"].cost, checks["postgis"].cost),
            "",
        ],
    ]
    return [Table("A land survey of 300 000 parcels, one run", _HEADINGS, rows, _NOTE)]


def _run(place: Place, dsn: str, *arguments: str) -> _Done:
    """Load, or check, in a process of its own."""
    command = (sys.executable, "-P", "-m", "benchmarks.checking", *arguments)
    settings = {"DATABASE_URL": dsn, "CHENGTU_VAR": str(place.folder / "var"), "PYTHONPATH": str(ROOT)}
    done = run(command, settings, place.postmaster)
    told = json.loads(done.output)
    return _Done(told["found"], done.cost._replace(inside=told["seconds"]))


def _row(name: str, found: float | str, cost: Cost) -> list[str | float]:
    return [name, found, cost.wall, cost.inside, cost.client, cost.postgres, cost.cpu, cost.client_megabytes]


def _ratios(ours: Cost, theirs: Cost) -> list[str | float]:
    return [ours.wall / theirs.wall, ours.inside / theirs.inside, "", "", ours.cpu / theirs.cpu]
