"""What a new release of a data set with history changes: added, gone, changed in shape and in class, with areas."""

from typing import NamedTuple

from psycopg import sql

from core.catalogue import GEOMETRY
from core.crs import Srid, geographic_base
from core.database import Connection, query
from loaders.compared import ClassChange, Comparison, Part
from loaders.difference import difference_of
from loaders.release import Served, relation
from loaders.staging import Staging


class Terms(NamedTuple):
    """The fields that tell the class of a feature, and its area in square metres; None where there is none."""

    class_field: str | None = None
    area_field: str | None = None


def compare_closely(connection: Connection, staging: Staging, served: Served, terms: Terms) -> Comparison:
    """Look at what differs, which `compare` has found; areas are as stated, else on the ellipsoid."""
    parts = _parts(staging, served, terms)
    row = connection.execute(query("compared").format(**parts)).fetchone() or {}
    kinds = {name: Part(row[name], row[f"{name}_area"]) for name in Comparison._fields if name in row}
    classes = connection.execute(query("compared_classes").format(**parts)).fetchall() if terms.class_field else []
    return Comparison(**kinds, classes=tuple(ClassChange(**one) for one in classes))


def _parts(staging: Staging, served: Served, terms: Terms) -> dict[str, sql.Composable]:
    class_, area = terms
    return {
        "difference": difference_of(staging),
        "old": relation(str(served.partition)),
        "staging": staging.table,
        "key": sql.Identifier(staging.key),
        "old_class": sql.Identifier("old", class_) if class_ else sql.SQL("null::text"),
        "new_class": sql.Identifier("new", class_) if class_ else sql.SQL("null::text"),
        "old_area": _area("old", staging, area),
        "new_area": _area("new", staging, area),
    }


def _area(alias: str, staging: Staging, field: str | None) -> sql.Composable:
    if field is not None:
        return sql.SQL("{}::double precision").format(sql.Identifier(alias, field))
    if "Polygon" not in staging.type_name:
        return sql.SQL("null::double precision")
    base = sql.Literal(int(geographic_base(Srid(staging.place.srid))))
    return query("true_area").format(geometry=sql.Identifier(alias, GEOMETRY), base=base)
