"""What all of them serve: the large city's parcels, and which of its tiles are asked for."""

from math import pi
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import args_row

from benchmarks.many import copy_dataset
from benchmarks.peers.city import source
from benchmarks.place import Place
from benchmarks.programs import TABLE, chengtu_load

AS_PUBLISHED = TABLE  # the data set as the load has made it
PLAIN, FULL = "plain", "full"  # for the peers as well: the same two attributes; and as it comes
_SQL = Path(__file__).parent
_REACH = pi * 6_378_137  # metres from the middle of Web Mercator to its edge


class Tile(NamedTuple):
    """A tile by its address in XYZ."""

    z: int
    x: int
    y: int


def load(place: Place, dsn: str) -> int:
    """Load the parcels, copy them for all who read them, and count them."""
    chengtu_load(place, dsn, source(place.folder))
    with psycopg.connect(dsn) as connection:
        for id_ in (PLAIN, FULL):
            copy_dataset(connection, AS_PUBLISHED, id_)
        connection.execute((_SQL / "tables.sql").read_bytes())
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        row = connection.execute("select count(*) from peers.plain").fetchone()
    return int(row[0]) if row else 0


def densest(dsn: str, zoom: int, count: int) -> list[Tile]:
    """The tiles that hold the most."""
    with psycopg.connect(dsn, row_factory=args_row(Tile)) as connection:
        asked = {"zoom": zoom, "count": count, "reach": _REACH}
        return connection.execute((_SQL / "densest.sql").read_bytes(), asked).fetchall()
