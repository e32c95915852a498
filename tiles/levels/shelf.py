"""The rows of generalised zooms, taken from their table to be changed and put back; and the changes that this makes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import psycopg
import shapely
from psycopg import sql
from psycopg.rows import DictRow, tuple_row

from core.catalogue import Dataset
from core.crs import WEB_MERCATOR, Srid, transformer
from core.database import Connection, query
from tiles.levels.level import NO_FEATURE, Codes, Level, Traits
from tiles.levels.source import Table, read, table_of, type_of
from tiles.levels.units import (
    HALF_WORLD,
    WEB_MERCATOR_SRID,
    Floats,
    Ints,
    Shapes,
    in_metres,
    in_units,
    on_grid,
    rounded,
    unit,
)
from tiles.portrayal import Portrayal


class Rows(NamedTuple):
    """Rows of a zoom in the units of the same or of the next coarser one, with the row above that each belongs to."""

    names: list[str]  # row numbers, or keys where they are features
    parents: Ints  # row numbers of the zoom above; -1 for none
    level: Level

    def take(self, which: Ints) -> "Rows":
        """Some of them."""
        return Rows([self.names[one] for one in which], self.parents[which], self.level.take(which))


class Shelf:
    """The generalised zooms of one data set, in a transaction that changes them."""

    def __init__(self, connection: Connection, dataset: Dataset, levels: dict[str, Any], portrayal: Portrayal) -> None:
        self.connection = connection
        self.table: Table = table_of(dataset, portrayal)
        self.target, self.members, self.cells = (
            sql.Identifier("tiles", dataset.id + suffix) for suffix in ("", ".member", ".cells")
        )
        self.whole_zoom = int(levels["whole_zoom"])
        self.classes = [*portrayal.classes]
        self._class_numbers = {value: number for number, value in enumerate(self.classes)}
        self._words: list[dict[str, int]] = [{} for _ in self.table.carried]
        self._keys: dict[str, int] = {}
        self.constants = self._coded(levels["constants"])
        self.dimension = 2  # of the geometries that are being looked at
        self.ranks: dict[int, int] = {}  # of features, for points
        self.boxes: dict[int, list[Floats]] = {}  # what changed, in metres, by zoom
        self._next = self._last_number() + 1

    # Reading

    def features(self, keys: Sequence[str], zoom: int) -> Rows:
        """Features as they are now, in the units of a zoom."""
        found = read(self.connection, self.table, keys)
        names = found.keys.to_pylist()
        words = [column.to_pylist() for column in found.words]
        texts = [[words[n][code] if code >= 0 else None for n, code in enumerate(row)] for row in found.codes.tolist()]
        shapes = on_grid(found.shapes, zoom)
        numbers = np.array([self._key(name) for name in names], dtype=np.int64)
        self.ranks.update(zip(numbers.tolist(), found.rank.tolist(), strict=True))
        traits = self._traits(numbers, self._coded(texts), found.klass, np.ones(len(names), dtype=np.int64), shapes)
        return self._of_kind(Rows(names, np.full(len(names), -1), Level(zoom, shapes, traits)))

    def features_near(self, zoom: int, boxes: Floats) -> Rows:
        """Features that touch any of some boxes, given in units of a zoom."""
        metres = boxes * unit(zoom) - HALF_WORLD
        srid = Srid(self.table.srid)
        stored = [
            transformer(WEB_MERCATOR, srid).transform_bounds(west, south, east, north, densify_pts=21)
            for west, south, east, north in metres.tolist()
        ]
        if not stored:
            return self.features([], zoom)
        given = dict(zip(("west", "south", "east", "north"), map(list, zip(*stored, strict=True)), strict=True))
        statement = query("keys_near").format(
            table=self.table.name, key=sql.Identifier(self.table.key), srid=sql.Literal(int(srid))
        )
        rows = self.connection.execute(statement, given).fetchall()
        return self.features([row["key"] for row in rows], zoom)

    def rows(self, zoom: int, numbers: Sequence[int]) -> Rows:
        """Rows of a zoom by their numbers."""
        return self._read(zoom, zoom, query("rows_by_number"), {"numbers": list(numbers)})

    def rows_near(self, zoom: int, boxes: Floats, into: int | None = None) -> Rows:
        """Rows of a zoom that touch any of some boxes, given in its units; in those of a coarser one if it is named."""
        metres = boxes * unit(zoom) - HALF_WORLD
        given = dict(zip(("west", "south", "east", "north"), metres.T.tolist(), strict=True)) if len(boxes) else None
        if given is None:
            return self.rows(zoom, [])
        return self._read(
            zoom,
            zoom if into is None else into,
            query("rows_by_place").format(table=self.target, zoom=sql.Literal(zoom)),
            given,
        )

    def children(self, zoom: int, numbers: Sequence[int]) -> Rows:
        """What rows of a zoom are made of: rows of the finer one, or features, in the units of the zoom."""
        if zoom < self.whole_zoom - 1:
            return self._read(zoom + 1, zoom, query("rows_by_parent"), {"numbers": list(numbers)})
        members = self._of_members("members_of", numbers=list(numbers)).fetchall()
        parent = {row["key"]: row["row_id"] for row in members}
        found = self.features(list(parent), zoom)
        return found._replace(parents=np.array([parent[name] for name in found.names], dtype=np.int64))

    def parents_of(self, keys: Sequence[str]) -> list[int]:
        """The rows of the finest zoom that features went into."""
        return [row["row_id"] for row in self._of_members("rows_of_members", keys=list(keys))]

    def _read(self, zoom: int, into: int, condition: sql.Composable, given: dict[str, Any]) -> Rows:
        texts = [sql.SQL(", {}::text").format(sql.Identifier(name)) for name in self.table.carried]
        statement = query("level_rows").format(
            table=self.target,
            key=sql.Identifier(self.table.key),
            columns=sql.SQL("").join(texts),
            zoom=sql.Literal(zoom),
            condition=condition,
        )
        with self.connection.cursor(row_factory=tuple_row) as cursor:
            found = cursor.execute(statement, given).fetchall()
        names = [str(row[0]) for row in found]
        shapes = rounded(in_units(shapely.from_wkb(np.array([row[5] for row in found], dtype=object)), zoom))
        return self._rows(names, found, shapes, zoom, into)

    def _rows(self, names: list[str], found: list[tuple[Any, ...]], shapes: Shapes, zoom: int, into: int) -> Rows:
        numbers = np.array([NO_FEATURE if row[3] is None else self._key(row[3]) for row in found], dtype=np.int64)
        for number, row in zip(numbers.tolist(), found, strict=True):
            if number >= 0:
                self.ranks[number] = row[4]
        codes = self._coded([row[6:] for row in found])
        klass = np.array([self._class_of(row[6:]) for row in found], dtype=np.int64)
        members = np.array([row[2] for row in found], dtype=np.int64)
        moved = shapely.set_coordinates(shapes, shapely.get_coordinates(shapes) / (1 << (zoom - into)))
        parents = np.array([-1 if row[1] is None else row[1] for row in found], dtype=np.int64)
        return self._of_kind(
            Rows(names, parents, Level(into, moved, self._traits(numbers, codes, klass, members, moved)))
        )

    def _of_kind(self, rows: Rows) -> Rows:
        """Those of the kind of geometry that is being looked at."""
        return rows.take(np.flatnonzero(shapely.get_dimensions(rows.level.shapes) == self.dimension))

    def _traits(self, numbers: Ints, codes: Codes, klass: Ints, members: Ints, shapes: Shapes) -> Traits:
        amounts = np.zeros((len(numbers), len(self.classes) + 1), dtype=np.float32)
        amounts[np.arange(len(numbers)), klass] = shapely.area(shapes)
        return Traits(numbers, codes, klass, members, amounts)

    def _class_of(self, texts: Sequence[str | None]) -> int:
        field = self.table.portrayal.class_field
        value = texts[self.table.carried.index(field)] if field in self.table.carried else None
        return self._class_numbers.get(value, len(self.classes)) if value is not None else len(self.classes)

    def _coded(self, texts: Sequence[Sequence[str | None]]) -> Codes:
        codes = np.full((len(texts), len(self._words)), -1, dtype=np.int32)
        for n, row in enumerate(texts):
            for column, text in enumerate(row):
                if text is not None:
                    codes[n, column] = self._words[column].setdefault(text, len(self._words[column]))
        return codes

    def _key(self, key: str) -> int:
        return self._keys.setdefault(key, len(self._keys))

    def _last_number(self) -> int:
        row = self.connection.execute(query("last_row").format(table=self.target)).fetchone()
        return int(row["last"]) if row else 0

    # Writing

    def replace(
        self,
        zoom: int,
        gone: Rows,
        come: Level,
        parents: Ints,
        numbers: Ints | None = None,
        changed: Floats | None = None,
    ) -> Ints:
        """Put rows in the place of others, and return their numbers; what changed is all of them, or some boxes."""
        both = (shapely.bounds(gone.level.shapes), shapely.bounds(come.shapes))
        self.changed(zoom, *(both if changed is None else [changed]))
        if gone.names:
            self.connection.execute(
                query("delete_rows").format(table=self.target), {"numbers": [int(name) for name in gone.names]}
            )
        if numbers is None:
            numbers = np.full(len(come.shapes), -1)
        fresh = np.flatnonzero(numbers < 0)
        numbers = numbers.copy()
        numbers[fresh] = np.arange(self._next, self._next + len(fresh))
        self._next += len(fresh)
        if len(numbers):
            self._insert(zoom, come, parents, numbers)
        return numbers

    def _insert(self, zoom: int, come: Level, parents: Ints, numbers: Ints) -> None:
        names = ("zoom", "row_id", self.table.key, *self.table.carried, "members", "parent", "geom")
        keys, texts = self.texts(come.traits)
        shapes = shapely.to_wkb(
            shapely.set_srid(in_metres(come.shapes, zoom), WEB_MERCATOR_SRID), hex=True, include_srid=True
        )
        columns = [[zoom] * len(numbers), numbers.tolist(), keys, *texts, come.traits.members.tolist()]
        columns += [[one if one >= 0 else None for one in parents.tolist()], shapes.tolist()]
        statement = query("copy_rows").format(table=self.target, columns=sql.SQL(", ").join(map(sql.Identifier, names)))
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in zip(*columns, strict=True):
                copy.write_row(row)

    def texts(self, traits: Traits) -> tuple[list[str | None], list[list[str | None]]]:
        """The keys, and the texts of each attribute, of rows."""
        keys = [*self._keys, None]
        words = [[*column, None] for column in self._words]
        codes = traits.codes.T.tolist()
        return [keys[n] for n in traits.feature.tolist()], [
            [words[column][code] for code in codes[column]] for column in range(len(words))
        ]

    def move(self, zoom: int, names: Sequence[str], parents: Sequence[int | None]) -> None:
        """Note which rows of a zoom others of the finer one (or features) belong to now."""
        if zoom < self.whole_zoom - 1:
            given = {"names": list(names), "parents": list(parents)}
            self.connection.execute(query("move_rows").format(table=self.target), given)
        else:
            self._of_members("forget_members", keys=list(names))
            self._of_members("place_members", names=list(names), parents=list(parents))

    def forget(self, keys: Sequence[str]) -> None:
        """Features are in no row any more."""
        self._of_members("forget_members", keys=list(keys))

    def _of_members(self, name: str, **given: object) -> psycopg.Cursor[DictRow]:
        statement = query(name).format(table=self.members, type=type_of(self.table.key_type))
        return self.connection.execute(statement, given)

    def changed(self, zoom: int, *boxes: Floats) -> None:
        """Note where a zoom changed, in its units."""
        for some in boxes:
            if len(some):
                self.boxes.setdefault(zoom, []).append(some * unit(zoom) - HALF_WORLD)
