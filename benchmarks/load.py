"""How fast a load is, beside `ogr2ogr -f PostgreSQL` with PG_USE_COPY=YES: same file, same cluster, a spatial index each."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Cost, alternate
from benchmarks.place import Place
from benchmarks.programs import chengtu_load, ogr2ogr
from benchmarks.report import Table
from benchmarks.sources import converted, edited, large_city

TIMES = 3
HEADINGS = ("", "seconds", "of it loading", "CPU s, program", "CPU s, PostgreSQL", "CPU s, both", "peak MB")
_FIRST = (
    "`of it loading` is without the start of Python and its imports. Chengtu also checks and repairs every geometry, "
    "analyses the table, compares it with the release before and writes the catalogue; ogr2ogr does none of that. "
    "It runs here with `-gt unlimited`, which is its fastest."
)


def measure(place: Place) -> list[Table]:
    """First loads by format, then loads over a release that is served."""
    city = large_city()
    parcels, points = city["parcels"], city["address_points"]
    sources = {
        "293 000 parcels, GeoPackage": parcels,
        "293 000 parcels, FlatGeobuf": converted(parcels, place.folder, "fgb"),
        "293 000 parcels, Shapefile": converted(parcels, place.folder, "shp"),
        "1 000 000 points, GeoPackage": points,
        "1 000 000 points, FlatGeobuf": converted(points, place.folder, "fgb"),
    }
    first = [row for name, path in sources.items() for row in _first_load(place, name, path)]
    return [
        Table(f"First load, median of {TIMES}", HEADINGS, first, _FIRST),
        Table(f"Over a release that is served, median of {TIMES}", HEADINGS, _next_loads(place, parcels)),
    ]


def _first_load(place: Place, name: str, source: Path) -> list[list[str | float]]:
    def chengtu() -> Cost:
        with place.database() as dsn:
            return chengtu_load(place, dsn, source).cost

    def peer() -> Cost:
        with place.database() as dsn:
            return ogr2ogr(place, dsn, source)

    return _compared(name, chengtu, peer)


def _compared(name: str, chengtu: Callable[[], Cost], peer: Callable[[], Cost]) -> list[list[str | float]]:
    found = alternate({"chengtu load": chengtu, "ogr2ogr": peer}, TIMES)
    rows = [[f"{name}: {program}", *numbers(cost)] for program, cost in found.items()]
    ours, theirs = found.values()
    return [*rows, ["**ratio**", *ratios(ours, theirs)]]


def numbers(cost: Cost) -> list[str | float]:
    """The cells of a run."""
    inside = cost.inside if cost.inside != cost.wall else ""
    return [cost.wall, inside, cost.client, cost.postgres, cost.cpu, cost.client_megabytes]


def ratios(ours: Cost, theirs: Cost) -> list[str | float]:
    """Ours in their units: below 1 is less than the peer needs."""
    return [
        ours.wall / theirs.wall,
        ours.inside / theirs.inside,
        ours.client / theirs.client,
        ours.postgres / theirs.postgres,
        ours.cpu / theirs.cpu,
        "",
    ]


def _next_loads(place: Place, parcels: Path) -> list[list[str | float]]:
    """The same file again, and one with changes; the peer knows only how to overwrite."""
    changed = edited(parcels, place.folder)
    key = ("--key", "parcel_code")

    def unchanged() -> Cost:
        return chengtu_load(place, dsn, parcels, *key).cost

    def changes() -> Cost:
        """The next delivery, after the first was put back: each time something has changed."""
        chengtu_load(place, dsn, parcels, *key)
        return chengtu_load(place, dsn, changed, *key).cost

    def overwrite() -> Cost:
        return ogr2ogr(place, dsn, parcels, "-overwrite")

    with place.database() as dsn:
        chengtu_load(place, dsn, parcels, *key)
        ogr2ogr(place, dsn, parcels)
        same = _compared("the same file again", unchanged, overwrite)
        return [*same, *_compared("a file with 1 % of changes", changes, overwrite)]
