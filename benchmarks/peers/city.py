"""What all of them serve: the large city's parcels in EPSG:4490, as Chengtu loads them and as a plain table."""

import random
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import args_row

from benchmarks.place import Place
from benchmarks.programs import TABLE, chengtu_load
from benchmarks.sources import large_city

METRES = 4551  # CGCS2000, Gauss-Krüger, the zone that the city lies in
LAND_CLASS = "商业用地"
_SQL = Path(__file__).parent
_COLUMNS = (
    "parcel_code, use_zh as land_class, address, district_name, height_max_m, area_m2, plot_ratio_max, registered, "
    "cast(registered as timestamp) as updated_at"
)


class Box(NamedTuple):
    """West, south, east and north."""

    west: float
    south: float
    east: float
    north: float


def load(place: Place, dsn: str) -> int:
    """Load the parcels, copy them for the peers, and count them."""
    chengtu_load(place, dsn, source(place.folder))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute((_SQL / "tables.sql").read_bytes())
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        row = connection.execute("select count(*) from peers.parcels").fetchone()
    return int(row[0]) if row else 0


def source(folder: Path) -> Path:
    """The parcels in degrees, with nine attributes of five types."""
    target = folder / "parcels-4490.gpkg"
    select = ["-dialect", "OGRSQL", "-sql", f"select {_COLUMNS} from parcels"]
    command = ["ogr2ogr", "-f", "GPKG", str(target), str(large_city()["parcels"]), "-nln", TABLE, "-t_srs", "EPSG:4490"]
    subprocess.run([*command, *select], check=True, capture_output=True)
    return target


def some_ids(total: int, count: int) -> list[int]:
    """Parcels by chance, the same at each call."""
    return random.Random(1).sample(range(1, total + 1), count)


def some_areas(count: int) -> list[int]:
    """Areas in square metres that thousands of parcels of the land class exceed."""
    dice = random.Random(2)
    return [dice.randrange(3000, 7000) for _ in range(count)]


def windows(dsn: str, ids: list[int], limit: int) -> list[Box]:
    """Parts of a map that hold a third more parcels than the limit, or a few more than that."""
    with psycopg.connect(dsn, row_factory=args_row(Box)) as connection:
        asked = {"ids": ids, "holding": limit * 4 // 3}
        return connection.execute((_SQL / "windows.sql").read_bytes(), asked).fetchall()


@cache
def in_metres(dsn: str) -> dict[int, Box]:
    """Where each parcel lies in the Gauss-Krüger zone, by PostGIS: x is east. Asked once, for PostgreSQL is on the meter."""
    query = (
        "select fid, ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box) "
        "from (select fid, ST_Transform(geom, %s::integer) as box from peers.parcels) as moved"
    )
    with psycopg.connect(dsn) as connection:
        return {id_: Box(*corners) for id_, *corners in connection.execute(query, [METRES])}
