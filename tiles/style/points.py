"""Where the names of large areas go: one point each, since every tile that an area crosses would name it anew."""

from psycopg import sql

from core.catalogue import Dataset
from core.database import Connection, query
from tiles.portrayal import portrayal_of
from tiles.style.document import NamePoint
from tiles.style.roles import shapes_of

MOST = 300  # areas: of more than that, each is small on the screen when it is named


def needs_points(dataset: Dataset) -> bool:
    """Whether a data set has few areas, with names that say more than their class."""
    portrayal = portrayal_of(dataset)
    named = portrayal.label_field is not None and portrayal.label_field != portrayal.class_field
    return named and dataset.style is None and shapes_of(dataset) == ("area",) and dataset.feature_count <= MOST


def name_points(connection: Connection, dataset: Dataset) -> list[NamePoint]:
    """The points of a data set's names."""
    portrayal = portrayal_of(dataset)
    label = portrayal.label_field or dataset.key
    names = {label, *(name for pair in portrayal.twins if label in pair for name in pair)}
    pairs = [sql.SQL("{}, t.{}").format(sql.Literal(name), sql.Identifier(name)) for name in sorted(names)]
    statement = query("name_points").format(
        properties=sql.SQL("jsonb_strip_nulls(jsonb_build_object({}))").format(sql.SQL(", ").join(pairs)),
        table=sql.Identifier("data", dataset.id),
        label=sql.Identifier("t", label),
        key=sql.Identifier("t", dataset.key),
    )
    rows = connection.execute(statement, {"most": MOST}).fetchall()
    return [NamePoint(round(row["east"], 6), round(row["north"], 6), row["properties"]) for row in rows]
