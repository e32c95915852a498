"""A release in the making: a table that nobody sees yet, filled by binary COPY."""

from typing import Any, NamedTuple

import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from core.arrow import ARROW_TYPES
from core.catalogue import CLEARANCE, GEOMETRY, Field
from core.database import Connection, query
from loaders.geometry import COLLECTION, MULTI_NAMES, POINT, POLYGON, Ordinates, promote_points, widest
from loaders.report import Tally

ROW_NUMBER = "fid"  # the key of data that has none of its own: the row's number in the source, from 1

_POSTGRES_TYPES: dict[str, str] = {
    "bool": "boolean",
    "int8": "smallint",
    "int16": "smallint",
    "uint8": "smallint",
    "int32": "integer",
    "uint16": "integer",
    "int64": "bigint",
    "uint32": "bigint",
    "float": "real",
    "double": "double precision",
    "string": "text",
    "large_string": "text",
    "binary": "bytea",
    "large_binary": "bytea",
    "date32[day]": "date",
    "time32[ms]": "time without time zone",
    "time64[us]": "time without time zone",
}


def postgres_type(arrow: pa.DataType) -> str:
    """The column type for an Arrow type; what has no counterpart is stored as text."""
    if pa.types.is_timestamp(arrow):
        return "timestamp with time zone" if arrow.tz else "timestamp without time zone"
    return _POSTGRES_TYPES.get(str(arrow), "text")


class Place(NamedTuple):
    """Where a release goes: its number, its SRID, and whether one table holds all families."""

    release: int
    srid: int
    generic: bool


class Staging:
    """The staging table of one family of geometries; lives and dies with its transaction."""

    def __init__(
        self,
        connection: Connection,
        place: Place,
        family: int,
        *,
        key: str,
        fields: tuple[Field, ...],
        ordinates: Ordinates,
        multi_points: bool = False,
    ) -> None:
        self.family = family
        self.key = key
        self.keyed = False  # whether its primary key is made
        self.fields = fields
        self.place = place
        self.tally = Tally()
        self.refusals: list[tuple[str, str, bytes]] = []
        self.repairs: list[tuple[str, str]] = []  # key and reason of each, where someone will judge them
        self.multi_points = multi_points
        self.class_field: str | None = None  # what a profile says that a map of it is coloured by
        self.ordinates = ordinates
        self.name = f"release_{place.release}_{family}"
        self._connection = connection
        self._types = {column.name: ARROW_TYPES[column.type] for column in self._columns()}
        connection.execute(
            query("create_staging").format(
                staging=self.table, columns=self.column_definitions(), release=sql.Literal(place.release)
            )
        )

    @property
    def key_is_field(self) -> bool:
        """Whether the key is one of the source's fields, not the row number."""
        return any(column.name == self.key for column in self.fields)

    @property
    def key_type(self) -> str:
        """The key's column type."""
        return dict(self.fields).get(self.key, "bigint")

    @property
    def table(self) -> sql.Identifier:
        """The staging table's name, with its schema."""
        return sql.Identifier("data", self.name)

    @property
    def type_name(self) -> str:
        """The geometry type as PostGIS names it, such as MultiPolygonZ."""
        if self.place.generic:
            name = "Geometry"
        elif self.family == POINT and not self.multi_points:
            name = "Point"
        else:
            name = MULTI_NAMES[self.family]
        return name + self.ordinates

    @property
    def geometry_type(self) -> sql.Composable:
        """The type of the geometry column."""
        return sql.SQL("geometry({}, {})").format(sql.SQL(_ours(self.type_name)), sql.Literal(self.place.srid))

    def column_definitions(self) -> sql.Composable:
        """Key, attributes and geometry, as `create table` wants them."""
        typed = [
            sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(_ours(column.type)))
            for column in self._columns()
        ]
        geometry = sql.SQL("{} {}").format(sql.Identifier(GEOMETRY), self.geometry_type)
        return sql.SQL(", ").join([*typed, geometry, *([clearance_column()] if self._has_clearance else [])])

    def copy(self, rows: pa.RecordBatch, *, ordinates: Ordinates, multi_points: bool) -> None:
        """Append rows; the table widens when they have more ordinates, or more parts, than it knew."""
        self._widen(ordinates, multi_points)
        shapes = rows.column(GEOMETRY)
        if self.multi_points and not self.place.generic:
            shapes = promote_points(shapes, self.ordinates)
        names = [*self._types, GEOMETRY]
        arrays = [rows.column(name).cast(type_) for name, type_ in self._types.items()]
        batch = pa.record_batch([*arrays, shapes], names)
        encoder = ArrowToPostgresBinaryEncoder(batch.schema)
        statement = query("copy_staging").format(
            staging=self.table, columns=sql.SQL(", ").join(map(sql.Identifier, names))
        )
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(encoder.write_header())
            copy.write(encoder.write_batch(batch))
            copy.write(encoder.finish())
        self.tally.rows += batch.num_rows

    def _columns(self) -> tuple[Field, ...]:
        return self.fields if self.key_is_field else (Field(self.key, "bigint"), *self.fields)

    def _widen(self, ordinates: Ordinates, multi_points: bool) -> None:
        wanted = widest(self.ordinates, ordinates)
        if wanted != self.ordinates:
            self.ordinates = wanted
            self._retype({"Z": "st_force3dz", "M": "st_force3dm", "ZM": "st_force4d"}[wanted])
        if self.family == POINT and multi_points and not self.multi_points:
            self.multi_points = True
            if not self.place.generic:
                self._retype("st_multi")

    @property
    def _has_clearance(self) -> bool:
        return self.family in (POLYGON, COLLECTION) or self.place.generic

    def _retype(self, force: str) -> None:
        """Change the geometry's type; a column computed from it must stand aside meanwhile."""
        if self._has_clearance:
            self._connection.execute(query("drop_clearance").format(table=self.table))
        self._change_type(force)
        if self._has_clearance:
            self._connection.execute(query("add_clearance").format(table=self.table, column=clearance_column()))

    def _change_type(self, force: str) -> None:
        if self.tally.rows == 0:
            statement = sql.SQL("alter table {} alter column geom type {}").format(self.table, self.geometry_type)
        else:
            statement = query("widen_staging").format(
                staging=self.table, type=self.geometry_type, force=sql.Identifier(force)
            )
        self._connection.execute(statement)


def clearance_column() -> sql.Composable:
    """The column that PostgreSQL computes of each polygon: what its tiles need to know of it."""
    return query("clearance_column").format(name=sql.Identifier(CLEARANCE))


def _ours(text: str) -> Any:  # noqa: ANN401 — vouched to be LiteralString
    """A type's name comes from the tables above, never from a user."""
    return text
