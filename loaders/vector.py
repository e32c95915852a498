"""A layer read through GDAL: what its format's module found out beforehand, and the stream that is made of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from core.language import Text
from loaders import gdal
from loaders.columns import Column, Words, moments, plan
from loaders.infer import Kind, narrow, typed
from loaders.layer import BBox, Field, Layer, Note, schema_of
from loaders.moments import have_zone
from loaders.tally import Tally
from loaders.text import UTF8, Guess, decode
from loaders.wkb import bounds_of, check_nesting

_FOLDERS = 50  # folders that are looked into


@dataclass(frozen=True)
class Opening:
    """One source as its format's module prepared it for GDAL."""

    dataset: gdal.Dataset
    layer_name: str | None = None  # the one layer of a format that has but one; None: GDAL lists them
    layers: tuple[tuple[str, bool], ...] = ()  # names, and whether they have geometry, where GDAL need not be asked
    guess: Guess | None = None  # how text is encoded, where that was a question
    fallback: str | None = None  # the encoding of text that is not UTF-8 as the format demands
    latin: bool = False  # text comes as Latin-1, a character a byte, to be decoded by us
    wgs84_unless: str | None = None  # a CRS that the source names; GDAL says EPSG:4326 if it does not know it
    lon_lat: bool = False  # what GDAL calls EPSG:4326 has longitude first by the format's own rules
    folders: bool = False  # layers are folders, many of them empty
    cheap: bool = False  # the header tells count, bounds and key
    rows: int | None = None  # features, counted by us
    recount: Callable[[str], int | None] | None = None  # a truer count, if the header's seems too high
    infer: bool = False  # all values are text: find their types
    drop: frozenset[str] = frozenset()  # fields that the driver adds and nobody wrote
    notes: tuple[Note, ...] = ()


class _Reading(NamedTuple):
    """What stays the same over all streams of one layer."""

    opening: Opening
    layer: str | None
    columns: tuple[Column, ...]
    rows: int | None
    tally: Tally

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(column.field for column in self.columns)


def list_layers(opening: Opening) -> list[tuple[str, bool]]:
    """The names of a source's layers, and whether each has geometry."""
    if opening.layer_name is not None:
        return [(opening.layer_name, True)]
    layers = list(opening.layers) or gdal.list_layers(opening.dataset)
    if not opening.folders or not 1 < len(layers) <= _FOLDERS:
        return layers
    return [(name, gdal.describe(opening.dataset, name).features != 0) for name, _ in layers]


@contextmanager
def open_layer(opening: Opening, name: str) -> Iterator[Layer]:
    """Open one layer; it reads from GDAL until the context is left."""
    layer = None if opening.layer_name is not None else name
    info = gdal.describe(opening.dataset, layer) if opening.cheap else gdal.LayerInfo(None, None, None)
    tally = Tally()
    rows = opening.rows if opening.rows is not None else info.features
    batch, fid = gdal.batch_rows(opening.dataset, rows), info.fid is not None
    with gdal.Stream(opening.dataset, layer, batch=batch, fid=fid) as stream:
        first = stream.peek()
        columns, notes = _plan(opening, stream, first, tally, layer)
        reading = _Reading(opening, layer, columns, rows, tally)
        waiting = [stream]

        def read(_: int) -> Iterator[pa.RecordBatch]:
            tally.clear()
            if waiting:
                yield from _batches(reading, waiting.pop())
            else:
                with gdal.Stream(opening.dataset, layer, batch=batch, fid=fid) as again:
                    yield from _batches(reading, again)

        yield Layer(
            driver=opening.dataset.driver,
            path=opening.dataset.shown,
            name=name,
            crs=_crs(opening, stream.meta["crs"]),
            geometry_type=stream.geometry_type,
            feature_count=rows,
            bounds=info.bounds or _first_bounds(opening, stream, first),
            fields=reading.fields,
            encoding=opening.guess.label if opening.guess else "UTF-8",
            encoding_reason=opening.guess.reason if opening.guess else _FIXED,
            sample_text=(opening.guess.sample if opening.guess else ()) or _sample(columns, first),
            known=(
                *opening.notes,
                *(opening.guess.notes if opening.guess else ()),
                *_crs_note(opening, stream.meta["crs"]),
                *notes,
            ),
            read=read,
            fid=columns[0].field.name if fid else None,
            found=tally.notes,
        )


def _first_bounds(opening: Opening, stream: gdal.Stream, first: pa.RecordBatch | None) -> BBox | None:
    if first is None:
        return None
    geometry = _as_wkb(first.column(stream.geometry_index))
    check_nesting(opening.dataset.shown, geometry)
    return bounds_of(geometry)


def _crs(opening: Opening, declared: str | None) -> str | None:
    if opening.lon_lat and declared == "EPSG:4326":
        return None if opening.wgs84_unless is not None else "OGC:CRS84"
    return declared or None


def _crs_note(opening: Opening, declared: str | None) -> tuple[Note, ...]:
    name = opening.wgs84_unless
    if not name or declared != "EPSG:4326":
        return ()
    text = Text(
        f"The CRS that the source names is not known: {name[:100]!r}.",
        f"源数据所声明的坐标系无法识别:{name[:100]!r}。",
    )
    return (Note("crs-unknown", text),)


_FIXED = Text("fixed by the format", "由文件格式规定")


def _plan(
    opening: Opening, stream: gdal.Stream, first: pa.RecordBatch | None, tally: Tally, layer: str | None
) -> tuple[tuple[Column, ...], tuple[Note, ...]]:
    """Decide on a field for each column of the stream, and on what makes its values."""
    codec = opening.guess.codec if opening.guess and opening.latin else UTF8
    words = Words(tally, codec, latin=opening.latin, fallback=opening.fallback)
    given = [
        (index, _name(field.name, codec, opening.latin), field.type)
        for index, field in enumerate(stream.schema)
        if index != stream.geometry_index and field.name not in opening.drop
    ]
    columns, notes = plan(opening.dataset.shown, given, words, tally)
    if opening.infer:
        return _inferred(opening, layer, columns, words), notes
    return _with_moments(stream, first, columns, words, tally), notes


def _name(name: str, codec: str, latin: bool) -> str:
    """A field's name; DBF cuts names at ten bytes, so that the last character may be half."""
    if not latin:
        return name
    raw = name.encode("latin-1")
    try:
        return decode(raw, codec)
    except UnicodeError:
        return raw.decode(codec, "replace")


def _with_moments(
    stream: gdal.Stream, first: pa.RecordBatch | None, columns: tuple[Column, ...], words: Words, tally: Tally
) -> tuple[Column, ...]:
    """Date-times come as text, since only that tells their zones; the first batch shows which columns have one."""
    kinds = dict(zip(stream.meta["fields"], stream.meta["ogr_types"], strict=True))
    return tuple(
        _moment(column, first, words, tally)
        if column.field.type == pa.string() and kinds.get(stream.schema.field(column.place).name) == "OFTDateTime"
        else column
        for column in columns
    )


def _moment(column: Column, first: pa.RecordBatch | None, words: Words, tally: Tally) -> Column:
    zoned = first is not None and have_zone(words(first.column(column.place)))
    type_, convert = moments(words, tally, zoned=zoned)
    return Column(Field(column.field.name, type_), column.place, convert)


def _inferred(opening: Opening, layer: str | None, columns: tuple[Column, ...], words: Words) -> tuple[Column, ...]:
    """Read the layer once to find the types of columns that GDAL gives as text."""
    kinds: dict[int, Kind] = {column.place: "empty" for column in columns if column.field.type == pa.string()}
    with gdal.Stream(opening.dataset, layer, batch=gdal.batch_rows(opening.dataset, opening.rows)) as stream:
        for batch in stream:
            for index, kind in kinds.items():
                kinds[index] = narrow(kind, words(batch.column(index)))
    return tuple(
        _retyped(column, kinds[column.place], words) if column.place in kinds else column for column in columns
    )


def _retyped(column: Column, kind: Kind, words: Words) -> Column:
    type_, convert = typed(kind, words)
    return Column(Field(column.field.name, type_), column.place, lambda array: convert(words(array)))


def _batches(reading: _Reading, stream: gdal.Stream) -> Iterator[pa.RecordBatch]:
    """The stream's batches as the layer promises them, counted against what the source declares."""
    schema, shown = schema_of(reading.fields), reading.opening.dataset.shown
    delivered = 0
    for batch in stream:
        geometry = _as_wkb(batch.column(stream.geometry_index))
        check_nesting(shown, geometry)
        values = [column.convert(batch.column(column.place)) for column in reading.columns]
        delivered += batch.num_rows
        yield pa.RecordBatch.from_arrays([*values, geometry], schema=schema)
    _check_end(reading, delivered)
    reading.tally.add("feature-unread", stream.unread)
    for note in stream.notes():
        reading.tally.say(note)


def _as_wkb(geometry: pa.Array) -> pa.Array:
    return geometry if geometry.type == pa.binary() else geometry.cast(pa.binary())


def _check_end(reading: _Reading, delivered: int) -> None:
    declared = reading.rows
    if declared is not None and delivered < declared and reading.opening.recount and reading.layer:
        declared = reading.opening.recount(reading.layer)
    gdal.check_count(reading.opening.dataset, delivered, declared)


def _sample(columns: tuple[Column, ...], first: pa.RecordBatch | None) -> tuple[str, ...]:
    """A few texts of the first features that are more than ASCII."""
    found: dict[str, None] = {}
    if first is None:
        return ()
    for column in columns:
        if column.field.type == pa.string():
            texts = column.convert(first.column(column.place).slice(0, 200)).to_pylist()
            found |= dict.fromkeys(text[:60] for text in texts if text and not text.isascii())
    return tuple(list(found)[:5])
