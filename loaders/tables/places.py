"""The places that a table may speak of: a data set of the catalogue, its keys and the values of its fields."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg import sql
from psycopg.rows import tuple_row

from core.catalogue import Dataset, get_dataset, list_datasets
from core.database import Connection, query
from core.errors import DatasetQuarantined
from loaders.tables.errors import NoSuchPlaceField
from loaders.tables.options import JoinOptions

MANY = 100_000  # features of a data set, of which no more than the key is looked at unasked
_LOOKED_AT = frozenset({"text", "integer", "bigint"})


class Places(NamedTuple):
    """A data set: the key of each feature, and the values of fields, all as text and in one order."""

    dataset: Dataset
    keys: list[str]
    values: Mapping[str, list[str | None]]


def candidates(connection: Connection, options: JoinOptions, id_: str) -> list[Dataset]:
    """The data set that is named, else all that a table could be joined to."""
    if options.to is None:
        field = options.on.field if options.on else None
        datasets = [one for one in list_datasets(connection) if one.healthy and one.id != id_ and one.feature_count]
        return [one for one in datasets if field is None or field in dict(one.fields)]
    dataset = get_dataset(connection, options.to)
    if dataset.problem is not None:
        raise DatasetQuarantined(id=dataset.id, reason=dataset.problem)
    return [dataset]


def read_places(connection: Connection, dataset: Dataset, asked: Sequence[str | None]) -> Places:
    """Read the fields that are asked for, and, where None is among these, all that may tell places apart."""
    given = [_field(dataset, name) for name in asked if name is not None]
    fields = list(dict.fromkeys([*given, *(_telling(dataset) if None in asked else ())]))
    names = [dataset.key, *fields]
    columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
    statement = query("read_places").format(
        columns=columns, places=sql.Identifier("data", dataset.id), key=sql.Identifier(dataset.key)
    )
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement).fetchall()
    values = {name: [row[place] for row in rows] for place, name in enumerate(fields, start=1)}
    return Places(dataset, [str(row[0]) for row in rows], values)


def _telling(dataset: Dataset) -> list[str]:
    """Fields whose values may be codes or names."""
    fields = [one.name for one in dataset.fields if one.type in _LOOKED_AT]
    return fields if dataset.feature_count <= MANY else [name for name in fields if name == dataset.key]


def _field(dataset: Dataset, name: str) -> str:
    """A field as it is called; case matters only between two that differ by it."""
    known = [one.name for one in dataset.fields] or [dataset.key]
    if name in known or name == dataset.key:
        return name
    alike = [one for one in known if one.casefold() == name.strip().casefold()]
    if len(alike) != 1:
        raise NoSuchPlaceField(dataset=dataset.id, field=name, fields=", ".join(known))
    return alike[0]
