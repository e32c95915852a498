"""A layer's polygons in memory, with what names them and what they state."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from psycopg import sql
from psycopg.rows import tuple_row

from core.database import Connection, query
from loaders.quality.columns import Columns
from loaders.quality.edges import Floats, Shapes

_ROWS = 20_000  # fetched at a time

Texts = Shapes  # arrays of objects: str or None


class Layer(NamedTuple):
    """The rows of a layer that have an area; all arrays are as long."""

    keys: Texts
    shapes: Shapes  # x = east, in the layer's CRS
    numbers: dict[str, Floats]  # by field; not a number where it is missing
    texts: dict[str, Texts]


def read_layer(
    connection: Connection, columns: Columns, numbers: Sequence[str] = (), texts: Sequence[str] = ()
) -> Layer:
    """Read a layer's polygons, and some of its fields; what is neither point nor line is all that counts."""
    keys: list[str | None] = []
    shapes: list[Shapes] = []
    values: list[tuple[object, ...]] = []
    with connection.cursor("ct_shapes", row_factory=tuple_row) as cursor:
        cursor.itersize = _ROWS
        cursor.execute(_select(columns, numbers, texts), binary=True)
        while rows := cursor.fetchmany(_ROWS):
            geometries = shapely.force_2d(shapely.from_wkb([row[1] for row in rows]))
            areal = np.flatnonzero(np.isin(shapely.get_type_id(geometries), (3, 6)))
            shapes.append(geometries[areal])
            keys += [rows[place][0] for place in areal]
            values += [rows[place][2:] for place in areal]
    columns_ = list(zip(*values, strict=True)) if values else [()] * (len(numbers) + len(texts))
    return Layer(
        np.array(keys, dtype=object),
        np.concatenate([np.empty(0, object), *shapes]),
        {name: np.array(columns_[at], dtype=float) for at, name in enumerate(numbers)},
        {name: _texts(columns_[len(numbers) + at]) for at, name in enumerate(texts)},
    )


def _texts(values: Sequence[object]) -> Texts:
    found = np.empty(len(values), object)
    found[:] = values
    return found


def _select(columns: Columns, numbers: Sequence[str], texts: Sequence[str]) -> sql.Composed:
    wanted = [columns.number(name) for name in numbers] + [columns.text(name) for name in texts]
    return query("shapes_of").format(
        key=columns.key,
        table=columns.checked.table,
        values=sql.SQL("").join(sql.SQL(", {}").format(one) for one in wanted),
    )
