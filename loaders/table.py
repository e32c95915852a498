"""A table with coordinates in its columns, whatever file it comes from, as a layer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from core.language import Text
from loaders.columns import Column, Words, plan
from loaders.coordinates import Place, declared_srid, points, shapes
from loaders.infer import Kind, narrow, typed
from loaders.layer import BBox, Field, Layer, Note, schema_of
from loaders.tally import Tally
from loaders.text import Guess
from loaders.wkb import bounds_of


@dataclass(frozen=True)
class Table:
    """Rows that can be read again and again; `kinds` says what the text columns hold, None if that is to be found."""

    driver: str
    shown: Path
    name: str
    schema: pa.Schema
    rows: Callable[[Tally], Iterator[pa.RecordBatch]]
    count: int | None = None
    kinds: tuple[Kind, ...] | None = None
    guess: Guess | None = None
    notes: tuple[Note, ...] = ()
    titles: tuple[str, ...] = ()  # what stands above the names of the columns
    merged: frozenset[int] = frozenset()  # columns in which cells merged downwards were filled


class _Facts(NamedTuple):
    """What a first reading of a table told."""

    kinds: tuple[Kind, ...]
    rows: int
    crs: str | None
    bounds: BBox | None  # of the first rows that have coordinates


_FIXED = Text("fixed by the format", "由文件格式规定")


def open_table(table: Table, place: Place) -> Layer:
    """A layer of a table's rows; all columns remain fields, but for one that is the geometry itself."""
    tally = Tally()
    words = Words(tally)
    facts = _study(table, place, words)
    columns, notes = _columns(table, place, facts, words, tally)

    def read(size: int) -> Iterator[pa.RecordBatch]:
        tally.clear()
        schema = schema_of(tuple(column.field for column in columns))
        for batch in table.rows(tally):
            values = [column.convert(batch.column(column.place)) for column in columns]
            yield pa.RecordBatch.from_arrays([*values, _geometry(batch, place, words, tally)], schema=schema)

    return Layer(
        driver=table.driver,
        path=table.shown,
        name=table.name,
        crs=facts.crs,
        geometry_type="Unknown" if place.wkt is not None else "Point",
        feature_count=facts.rows,
        bounds=facts.bounds,
        fields=tuple(column.field for column in columns),
        encoding=table.guess.label if table.guess else "UTF-8",
        encoding_reason=table.guess.reason if table.guess else _FIXED,
        sample_text=table.guess.sample if table.guess else (),
        known=(*table.notes, *(table.guess.notes if table.guess else ()), *place.notes, *notes),
        read=read,
        found=tally.notes,
    )


def _study(table: Table, place: Place, words: Words) -> _Facts:
    """Find out what is not known yet: read the whole table for its types and length, a little for an EWKT's SRID."""
    kinds: list[Kind] = list(table.kinds or ["empty"] * len(table.schema))
    count, crs, bounds = 0, None, None
    for batch in table.rows(Tally()):
        if place.wkt is not None and crs is None:
            crs = declared_srid(_as_text(batch.column(place.wkt), words))
        bounds = bounds or bounds_of(_geometry(batch, place, words, Tally()))
        if table.kinds is not None and table.count is not None:
            return _Facts(table.kinds, table.count, crs, bounds)
        count += batch.num_rows
        kinds = [narrow(kind, words(batch.column(index))) for index, kind in enumerate(kinds)]
    return _Facts(tuple(kinds), count, crs, bounds)


def _columns(
    table: Table, place: Place, facts: _Facts, words: Words, tally: Tally
) -> tuple[tuple[Column, ...], tuple[Note, ...]]:
    """A field for each column, without the nameless empty ones that delimiters at the end of lines make."""
    given = [
        (index, field.name, field.type)
        for index, field in enumerate(table.schema)
        if index != place.wkt and not (facts.kinds[index] == "empty" and not field.name.strip())
    ]
    columns, notes = plan(table.shown, given, words, tally)
    return tuple(_retyped(one, facts.kinds[one.place], words) for one in columns), notes


def _retyped(column: Column, kind: Kind, words: Words) -> Column:
    if column.field.type != pa.string():
        return column
    type_, convert = typed(kind, words)
    return Column(Field(column.field.name, type_), column.place, lambda array: convert(words(array)))


def _geometry(batch: pa.RecordBatch, place: Place, words: Words, tally: Tally) -> pa.Array:
    if place.wkt is not None:
        return shapes(_as_text(batch.column(place.wkt), words), tally)
    return points(_cleaned(batch.column(place.x), words), _cleaned(batch.column(place.y), words), tally)


def _cleaned(array: pa.Array, words: Words) -> pa.Array:
    return array if pa.types.is_floating(array.type) or pa.types.is_integer(array.type) else _as_text(array, words)


def _as_text(array: pa.Array, words: Words) -> pa.Array:
    return words(array) if pa.types.is_string(array.type) else words(array.cast(pa.string()))
