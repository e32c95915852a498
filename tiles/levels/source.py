"""The features of a release as generalisation needs them: shapes in metres of EPSG:3857, keys, attributes as numbers."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import shapely
from psycopg import sql
from psycopg.rows import tuple_row

from core.catalogue import GEOMETRY, Dataset
from core.crs import WEB_MERCATOR, Srid, is_geographic, transformer
from core.database import Connection, query
from tiles.levels.level import Codes
from tiles.levels.units import HALF_WORLD, Floats, Ints, Shapes
from tiles.portrayal import Portrayal

OWN = frozenset({"zoom", "row_id", "members", "parent", GEOMETRY})  # columns of every table of levels
_AT_ONCE = 20_000


class Table(NamedTuple):
    """A table of features, what tells them apart, and what their tiles carry."""

    name: sql.Identifier
    key: str
    key_type: str
    types: dict[str, str]
    srid: int
    portrayal: Portrayal

    @property
    def keyed(self) -> bool:
        """Whether the key is a number, as a feature's id in a tile must be."""
        return self.key_type in ("smallint", "integer", "bigint")

    @property
    def label(self) -> int | None:
        """The place of the names among the attributes."""
        name = self.portrayal.label_field
        return self.carried.index(name) if name in self.carried else None

    @property
    def carried(self) -> tuple[str, ...]:
        """The attributes in the rows of levels; a name that the rows use themselves is not among them."""
        return tuple(name for name in self.portrayal.fields if name != self.key and name not in OWN)


class Features(NamedTuple):
    """Features in the order of their keys; those without a geometry are not among them."""

    keys: pa.StringArray
    rank: Ints  # by importance: points of a lower rank are shown first
    shapes: Shapes
    codes: Codes
    words: tuple[pa.StringArray, ...]  # the values of each attribute, as text
    klass: Ints
    classes: int


def table_of(dataset: Dataset, portrayal: Portrayal) -> Table:
    """The table of a data set that is served."""
    return Table(
        sql.Identifier("data", dataset.id),
        dataset.key,
        dataset.key_type,
        dict(dataset.fields),
        dataset.srid,
        portrayal,
    )


def read(connection: Connection, table: Table, only: Sequence[str] | None = None) -> Features:
    """Read the features of a table, or those with some keys."""
    columns: list[list[pa.Array]] = [[] for _ in range(len(table.carried) + 2)]
    shapes, hashes = [], []
    for rows in _batches(connection, table, only):
        keys, hashed, wkb, *values = zip(*rows, strict=True)
        moved = in_metres_of_the_map(shapely.from_wkb(np.array(wkb, dtype=object)), Srid(table.srid))
        on_the_map = ~shapely.is_empty(moved)
        shapes.append(moved[on_the_map])
        hashes.append(np.array(hashed, dtype=np.int64)[on_the_map])
        for column, texts in zip(columns, (keys, *values), strict=True):
            column.append(pa.array(texts, pa.string()).filter(pa.array(on_the_map)))
    return _features(table, columns, shapes, hashes)


def _features(table: Table, columns: list[list[pa.Array]], shapes: list[Shapes], hashes: list[Ints]) -> Features:
    keys, klass, *carried = (pa.chunked_array(column, pa.string()) for column in columns)
    encoded = [column.combine_chunks().dictionary_encode() for column in carried]
    codes = [one.indices.fill_null(-1).to_numpy() for one in encoded]
    all_shapes = np.concatenate(shapes) if shapes else np.empty(0, dtype=object)
    number, count = _classes(klass.combine_chunks(), table.portrayal)
    return Features(
        keys=keys.combine_chunks(),
        rank=np.concatenate(hashes) if hashes else np.empty(0, dtype=np.int64),
        shapes=all_shapes,
        codes=np.column_stack(codes).astype(np.int32) if codes else np.zeros((len(keys), 0), dtype=np.int32),
        words=tuple(one.dictionary for one in encoded),
        klass=number,
        classes=count,
    )


def _classes(values: pa.StringArray, portrayal: Portrayal) -> tuple[Ints, int]:
    """The number of each feature's class; all that is no class of the portrayal is one more."""
    known = pa.array(portrayal.classes, pa.string())
    number = values.dictionary_encode()
    place = {word: n for n, word in enumerate(known.to_pylist())}
    of_code = np.array([place.get(word, len(known)) for word in number.dictionary.to_pylist()] + [len(known)])
    return of_code[number.indices.fill_null(-1).to_numpy()].astype(np.int64), len(known) + 1


def _batches(connection: Connection, table: Table, only: Sequence[str] | None) -> Iterator[list[tuple[object, ...]]]:
    klass = table.portrayal.class_field
    texts = [
        sql.SQL("{}::text").format(sql.SQL("null") if name is None else sql.Identifier(name.replace("%", "%%")))
        for name in (klass, *table.carried)
    ]
    statement = query("level_source").format(
        table=table.name,
        key=sql.Identifier(table.key.replace("%", "%%")),
        columns=sql.SQL(", ").join(texts),
        condition=sql.SQL("true")
        if only is None
        else query("level_source_keys").format(key=sql.Identifier(table.key), type=type_of(table.key_type)),
    )
    with connection.cursor(name="level_source", row_factory=tuple_row) as cursor:
        cursor.execute(statement, {"keys": list(only or ())}, binary=True)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield rows


def type_of(name: str) -> sql.SQL:
    """A type as PostgreSQL's own catalogue writes it: never a user's words."""
    ours: Any = name
    return sql.SQL(ours)


def in_metres_of_the_map(shapes: Shapes, srid: Srid) -> Shapes:
    """Shapes of a CRS in EPSG:3857; what lies beyond its world is cut off, or carried round to the other side."""
    xy: Floats = shapely.get_coordinates(shapes)
    if srid != WEB_MERCATOR:
        if is_geographic(srid):
            xy[:, 1] = np.clip(xy[:, 1], -89.9, 89.9)
        xy = np.column_stack(transformer(srid, WEB_MERCATOR).transform(xy[:, 0], xy[:, 1]))
        if is_geographic(srid):
            turns = np.floor((shapely.get_coordinates(shapes)[:, 0] + 180) / 360)
            xy[:, 0] += 2 * HALF_WORLD * (turns - np.floor((xy[:, 0] + HALF_WORLD) / (2 * HALF_WORLD)))
    xy = np.clip(np.nan_to_num(xy), -3 * HALF_WORLD, 3 * HALF_WORLD)
    return _within_the_world(shapely.set_coordinates(shapes, xy))


def _within_the_world(shapes: Shapes) -> Shapes:
    beyond = np.flatnonzero((np.abs(shapely.bounds(shapes)) > HALF_WORLD).any(axis=1))
    world = shapely.box(-HALF_WORLD, -HALF_WORLD, HALF_WORLD, HALF_WORLD)
    turn = np.array([2 * HALF_WORLD, 0])
    for row in beyond:
        xy = shapely.get_coordinates(shapes[row])
        copies = [
            shapely.set_coordinates(shapely.from_wkb(shapely.to_wkb(shapes[row])), xy + n * turn) for n in (-1, 0, 1)
        ]
        shapes[row] = shapely.union_all(shapely.intersection(shapely.make_valid(copies), world))
    return shapes
