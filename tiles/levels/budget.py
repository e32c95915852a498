"""How many bytes the fullest tiles take, as PostGIS encodes them, held against what a tile may take."""

import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import shapely
from psycopg import sql

from core.database import Connection, query
from tiles.levels.units import EXTENT, Floats, Ints, Shapes
from tiles.levels.words import Words

Say = Callable[[Ints], Words]

_LOOKED_AT = 3  # of the fullest tiles, by estimate
_NEARLY = 0.98  # of the budget: names and what lies at a tile's edge may take a little more than was measured
_WIDEST = 64  # tiles: what covers more decides of none which one is fullest
_MARGIN = 64  # units around a tile that it draws as well
_FEATURE, _VALUE, _VERTEX = 12, 2, 2.4  # bytes


class Budget(NamedTuple):
    """The most bytes of a tile, as it is and compressed."""

    raw: int
    zipped: int


class Measured(NamedTuple):
    """The bytes of the fullest tile, as it is and compressed."""

    raw: int
    zipped: int

    def fits(self, budget: Budget) -> bool:
        """Whether it is within the budget."""
        return self.excess(budget) <= _NEARLY

    def excess(self, budget: Budget) -> float:
        """How many times the budget it takes."""
        return max(self.raw / budget.raw, self.zipped / budget.zipped)


def estimate(shapes: Shapes, attributes: int) -> Floats:
    """About how many bytes each shape takes in a tile, without the texts that it does not share."""
    vertices = shapely.get_num_coordinates(shapes)
    result: Floats = _FEATURE + _VALUE * attributes + _VERTEX * vertices
    return result


def fullest_tiles(shapes: Shapes, sizes: Floats, count: int = _LOOKED_AT) -> Ints:
    """The tiles that draw most, by all that touches them."""
    bounds = shapely.bounds(shapes)
    low = np.floor((bounds[:, :2] - _MARGIN) / EXTENT).astype(np.int64)
    wide, high = (np.floor((bounds[:, 2:] + _MARGIN) / EXTENT).astype(np.int64) - low + 1).T
    wide, high = np.minimum(wide, _WIDEST), np.minimum(high, _WIDEST)
    which = np.repeat(np.arange(len(shapes)), wide * high)
    number = np.arange(len(which)) - np.repeat(np.cumsum(wide * high) - wide * high, wide * high)
    x, y = low[which, 0] + number % wide[which], low[which, 1] + number // wide[which]
    parts = np.minimum(wide * high, 4)  # a large shape is cut by its tiles
    tiles, place = np.unique(y << 32 | (x & 0xFFFFFFFF), return_inverse=True)
    order = np.argsort(-np.bincount(place, (sizes / parts)[which]), kind="stable")
    result: Ints = tiles[order[:count]]
    return result


def within(shapes: Shapes, tile: int) -> Ints:
    """The rows that a tile draws."""
    return within_bounds(shapely.bounds(shapes), tile)


def within_bounds(bounds: Floats, tile: int) -> Ints:
    """The bounds that a tile touches."""
    west, south = (tile & 0xFFFFFFFF) * EXTENT, (tile >> 32) * EXTENT
    meets = (bounds[:, 0] <= west + EXTENT + _MARGIN) & (bounds[:, 2] >= west - _MARGIN)
    meets &= (bounds[:, 1] <= south + EXTENT + _MARGIN) & (bounds[:, 3] >= south - _MARGIN)
    return np.flatnonzero(meets)


def measure(connection: Connection, shapes: Shapes, say: Say, *, keyed: bool, tile: int | None = None) -> Measured:
    """Encode the fullest tiles of shapes in units, or one tile, with what `say` tells of rows."""
    worst = Measured(0, 0)
    for one in [tile] if tile is not None else fullest_tiles(shapes, estimate(shapes, 2)).tolist():
        which = within(shapes, one)
        corner = np.array([(one & 0xFFFFFFFF) * EXTENT, (one >> 32) * EXTENT])
        local = shapely.set_coordinates(shapes[which], shapely.get_coordinates(shapes[which]) - corner)
        raw = encode(connection, local, say(which), keyed=keyed)
        worst = Measured(max(worst.raw, len(raw)), max(worst.zipped, len(zlib.compress(raw, 6))))
    return worst


def encode(connection: Connection, shapes: Shapes, words: Words, *, keyed: bool) -> bytes:
    """A tile of shapes in its own units, y to the north, encoded by PostGIS."""
    texts = words.columns if keyed else (words.keys, *words.columns)
    names = [f"a{number}" for number in range(len(texts))]
    columns = [sql.SQL(", unnest({}::text[]) as {}").format(sql.Placeholder(n), sql.Identifier(n)) for n in names]
    statement = query("encode_rows").format(
        columns=sql.SQL("").join(columns),
        names=sql.SQL("").join(sql.SQL(", r.{}").format(sql.Identifier(name)) for name in names),
        key=sql.SQL("r.key::bigint" if keyed else "null::bigint"),
    )
    values = {name: list(column) for name, column in zip(names, texts, strict=True)}
    given = {"keys": list(words.keys), "shapes": list(shapely.to_wkb(shapes)), **values}
    row = connection.execute(statement, given).fetchone()
    return bytes(row["tile"]) if row else b""
