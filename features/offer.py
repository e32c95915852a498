"""Whether the CRSs that a data set would be offered in can be trusted: PostGIS and PROJ agree, there and back."""

import logging
import math

import psycopg

from core.crs import WGS84, Srid, is_geographic, keeps_numbers, postgis_srid, transformer
from core.database import Connection, query
from features.table import Table

_METRES, _DEGREES = 1e-3, 1e-8  # how far a place may be off

LOGGER = logging.getLogger("chengtu.catalogue")


class RoundTrips:
    """Tries each pair of CRSs once, in the middle of the first data set that has it."""

    def __init__(self) -> None:
        self._sound: dict[tuple[Srid, Srid], bool] = {}

    def withheld(self, table: Table, connection: Connection) -> frozenset[Srid]:
        """The CRSs that a data set must not be offered in, since its places would come out wrong."""
        stored = Srid(table.dataset.srid)
        wanted = {one for one in table.offered if not keeps_numbers(stored, one)}
        for one in {(stored, postgis_srid(one)) for one in wanted} - self._sound.keys():
            self._sound[one] = _is_sound(connection, *one, table.middle)
            if not self._sound[one]:
                LOGGER.warning("EPSG:%d is not offered for data in EPSG:%d: PostGIS and PROJ disagree", one[1], one[0])
        return frozenset(one for one in wanted if not self._sound[stored, postgis_srid(one)])


def _is_sound(connection: Connection, stored: Srid, target: Srid, middle: tuple[float, float]) -> bool:
    """Whether a place goes where PROJ says, and comes back."""
    x, y = transformer(WGS84, stored).transform(*middle)
    place = {"x": x, "y": y, "stored": stored, "target": target}
    try:
        with connection.transaction():
            row = connection.execute(query("round_trip"), place).fetchone() or {}
    except psycopg.errors.InternalError_:
        return False
    there = transformer(stored, target).transform(x, y)
    return _meet((row["there_x"], row["there_y"]), there, target) and _meet((row["x"], row["y"]), (x, y), stored)


def _meet(one: tuple[float, float], other: tuple[float, float], srid: Srid) -> bool:
    return math.dist(one, other) <= (_DEGREES if is_geographic(srid) else _METRES)
