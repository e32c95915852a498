"""The staging table of a joined table: its rows, each with the geometry of its place, copied inside the database."""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from core.catalogue import Dataset
from core.database import Connection, query
from loaders.candidate import next_release
from loaders.geometry import COLLECTION, Ordinates
from loaders.pipeline import family_of
from loaders.staging import Place, Staging
from loaders.tables.fields import Made

_PLACE = "ct_place"
_BATCH = 10_000  # rows turned into Python's values at once


def fill(
    connection: Connection, dataset: Dataset, key: str, made: Sequence[Made], places: Sequence[str | None]
) -> Staging:
    """Make the staging table and fill it; `places` are keys of features of `dataset`, one for each row, or None."""
    staging = _staging(connection, dataset, key, made)
    _send(connection, made, places)
    names = [one.name for one in made]
    key_type: Any = dataset.key_type  # PostgreSQL's word, by way of our catalogue
    connection.execute(
        query("fill_joined").format(
            staging=staging.table,
            columns=_listed(names),
            row_columns=sql.SQL(", ").join(sql.Identifier("r", name) for name in names),
            places=sql.Identifier("data", dataset.id),
            key=sql.Identifier(dataset.key),
            type=sql.SQL(key_type),
        )
    )
    row = connection.execute(query("count_placeless").format(staging=staging.table)).fetchone()
    staging.tally.rows, staging.tally.null = len(places), int(row["rows"]) if row else 0
    return staging


def _staging(connection: Connection, dataset: Dataset, key: str, made: Sequence[Made]) -> Staging:
    """A table of the same kind of geometry as the places have."""
    kind = dataset.geometry_type
    base = kind.rstrip("ZM")
    ordinates: dict[str, Ordinates] = {"": "", "Z": "Z", "M": "M", "ZM": "ZM"}
    return Staging(
        connection,
        Place(next_release(connection), dataset.srid, base == "Geometry"),
        family_of(base) or COLLECTION,
        key=key,
        fields=tuple(one.field for one in made),
        ordinates=ordinates[kind.removeprefix(base)],
        multi_points=base == "MultiPoint",
    )


def _send(connection: Connection, made: Sequence[Made], places: Sequence[str | None]) -> None:
    """Bring the rows into the database."""
    types: list[Any] = [one.field.type for one in made]  # of staging's own table of types
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(one.name), sql.SQL(type_))
        for one, type_ in zip(made, types, strict=True)
    ]
    connection.execute(query("create_joined").format(columns=sql.SQL(", ").join(columns)))
    names = [*(one.name for one in made), _PLACE]
    with connection.cursor() as cursor, cursor.copy(query("copy_joined").format(columns=_listed(names))) as copy:
        for start in range(0, len(places), _BATCH):
            parts = [one.values.slice(start, _BATCH).to_pylist() for one in made]
            for row in zip(*parts, places[start : start + _BATCH], strict=True):
                copy.write_row(row)


def _listed(names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))
