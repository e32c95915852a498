"""How much memory a load of five million features takes: it must not grow with the file."""

from benchmarks.load import HEADINGS, numbers
from benchmarks.place import Place
from benchmarks.programs import chengtu_load, ogr2ogr
from benchmarks.report import Table
from benchmarks.sources import MANY, five_million

_KINDS = (("rectangles", "fgb"), ("rectangles", "gpkg"), ("points", "fgb"))
_NOTE = (
    "Memory is the most that was resident at a time. A back end's is its private memory, without the shared buffers; "
    "that of building indexes is bounded by `maintenance_work_mem` (256 MB)."
)


def measure(place: Place) -> list[Table]:
    """Load each file once with either program; the files go as soon as they are loaded."""
    rows = [row for kind, suffix in _KINDS for row in _load(place, kind, suffix)]
    return [Table(f"A load of {MANY // 1_000_000} million features, one run", (*HEADINGS, "MB, back end"), rows, _NOTE)]


def _load(place: Place, kind: str, suffix: str) -> list[list[str | float]]:
    source = five_million(place.folder, kind, suffix)
    try:
        with place.database() as dsn:
            ours = chengtu_load(place, dsn, source).cost
        with place.database() as dsn:
            theirs = ogr2ogr(place, dsn, source)
    finally:
        source.unlink()
    return [
        [f"{kind}, {suffix}: {program}", *numbers(cost), cost.postgres_megabytes]
        for program, cost in (("chengtu load", ours), ("ogr2ogr", theirs))
    ]
