"""The addresses of tiles: OGC API - Tiles, where a row comes before a column, and XYZ, where it comes last."""

import re
from typing import NamedTuple

from tiles.matrix import WEB_MERCATOR_QUAD

_ID = r"(?P<collection>[a-z][a-z0-9_]*)"
_NUMBERS = r"(?P<z>\d{1,10})/(?P<row>\d{1,10})/(?P<column>\d{1,10})"
_OGC = re.compile(rf"(?:/collections/{_ID})?/tiles/(?P<set>\w{{1,60}})/{_NUMBERS}")
_XYZ = re.compile(rf"/xyz(?:/{_ID})?/(?P<z>\d{{1,10}})/(?P<column>\d{{1,10}})/(?P<row>\d{{1,10}})\.(?:mvt|pbf)")


class TileAddress(NamedTuple):
    """A tile of a collection, or of the whole city, by its address."""

    collection: str | None
    matrix_set: str
    z: str
    row: str
    column: str
    xyz: bool


def read_address(path: str) -> TileAddress | None:
    """The tile that a path is the address of."""
    if found := _XYZ.fullmatch(path):
        return TileAddress(found["collection"], WEB_MERCATOR_QUAD, found["z"], found["row"], found["column"], xyz=True)
    if found := _OGC.fullmatch(path):
        return TileAddress(found["collection"], found["set"], found["z"], found["row"], found["column"], xyz=False)
    return None
