"""The door for tables: a path goes in, and a sheet of named text columns comes out, its head understood."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

import pyarrow as pa

from core.language import Text
from loaders import archive, gdal, sniff, vector
from loaders.columns import Words
from loaders.coordinates import Asked
from loaders.errors import UnreadableSource, UnsupportedFormat
from loaders.formats import delimited, filegdb, geopackage, parquet, workbook
from loaders.layer import Note
from loaders.names import distinct
from loaders.table import Table
from loaders.tables.errors import ManyTables, NoTable, UnclearHeader, UnsavedFormulas
from loaders.tables.headers import Header, join_rows, read_header
from loaders.tally import Tally
from loaders.text import require_codec
from loaders.vector import Opening

_KINDS = {"csv", "xlsx", "geopackage", "filegdb", "parquet"}
_SHOWN = 20  # tables that a message lists
_ONLY_TABLES = Text(
    "Tables are read from .csv, .tsv, .txt, .xlsx, .parquet, .gpkg and .gdb.",
    "属性表支持 .csv、.tsv、.txt、.xlsx、.parquet、.gpkg 和 .gdb。",
)

type Open = Callable[[], Table]


class Ask(NamedTuple):
    """What the user says about a table, and what it may take."""

    workspace: Path
    layer: str | None
    encoding: str | None
    limit: int  # bytes that an archive may unpack to


@dataclass(frozen=True)
class Sheet:
    """A table in memory: a header for each column, and text cells, the rows numbered from 1 below the header."""

    table: Table
    headers: tuple[Header, ...]
    rows: pa.Table  # columns by position: "0", "1", ...
    notes: tuple[Note, ...]

    def column(self, place: int) -> pa.ChunkedArray:
        """The cells of a column."""
        return self.rows.column(place)

    def texts(self, place: int) -> list[str]:
        """The cells of a column, empty ones as empty texts."""
        return [cell.strip() if cell else "" for cell in self.rows.column(place).to_pylist()]

    def keep(self, rows: list[int]) -> "Sheet":
        """The same with some of its rows, by position."""
        return replace(self, rows=self.rows.take(pa.array(rows, pa.int64())))


def read_sheet(source: Path, ask: Ask) -> Sheet:
    """Read the one table of a source, or the one that is asked for, into memory.

    Raises a `SourceError` or a `TableError` that says what to do.
    """
    try:
        path = sniff.local_file(source)
        encoding = require_codec(ask.encoding) if ask.encoding else None
        table = _choose(path, _tables(path.absolute(), path, ask._replace(encoding=encoding)), ask.layer)
        return _understood(table())
    except OSError as error:
        raise UnreadableSource(path=source, reason=error.strerror or str(error)) from error


def _tables(path: Path, shown: Path, ask: Ask) -> dict[str, Open]:
    """What opens each table of a file, by its name."""
    match sniff.identify(path, shown):
        case "zip":
            return _packed(path, shown, ask)
        case "csv":
            return {shown.stem: lambda: delimited.prepare(path, shown, ask.workspace, ask.encoding, titled=True)}
        case "xlsx":
            book = workbook.prepare(path, shown, ask.workspace, ask.limit)
            return {name: _sheet_of(book, name) for name, _ in workbook.list_sheets(book, Asked())}
        case "parquet":
            table = parquet.prepare(path, shown)
            return {shown.stem: lambda: table} if isinstance(table, Table) else {}
        case "geopackage":
            return _attributes(geopackage.prepare(path, shown, ask.workspace, ask.encoding))
        case "filegdb":
            return _attributes(filegdb.prepare(path, shown, ask.workspace, ask.encoding))
        case _:
            raise UnsupportedFormat(path=shown, advice=_ONLY_TABLES)


def _sheet_of(book: workbook.Workbook, name: str) -> Open:
    return lambda: workbook.read_sheet(book, name, Asked())


def _packed(path: Path, shown: Path, ask: Ask) -> dict[str, Open]:
    """The tables in a zip archive; those of several files go by file/table."""
    into = Path(mkdtemp(prefix="zip-", dir=ask.workspace))
    archive.unpack(path, shown, into, ask.limit)
    geodatabases = {one.parent for one in into.rglob("a00000001.gdbtable")}
    files = [one for one in sorted(into.rglob("*")) if one.is_file() and not geodatabases.intersection(one.parents)]
    members = [*sorted(geodatabases), *(one for one in files if sniff.SUFFIXES.get(one.suffix.lower()) in _KINDS)]
    found = [(member, _tables(member, shown / member.relative_to(into), ask)) for member in members]
    if len(found) == 1:
        return found[0][1]
    return {
        f"{member.stem}/{name}" if len(tables) > 1 else member.stem: table
        for member, tables in found
        for name, table in tables.items()
    }


def _attributes(opening: Opening) -> dict[str, Open]:
    """The layers without geometry of what GDAL reads."""
    return {
        name: _attribute_table(opening.dataset, name)
        for name, has_geometry in vector.list_layers(opening)
        if not has_geometry
    }


def _attribute_table(dataset: gdal.Dataset, name: str) -> Open:
    def rows(tally: Tally) -> Iterator[pa.RecordBatch]:
        with gdal.Stream(dataset, name) as stream:
            for batch in stream:
                cells = [column.cast(pa.string()) for column in _without_bytes(batch).columns]
                yield pa.RecordBatch.from_arrays(cells, schema=schema)
            for note in stream.notes():
                tally.say(note)

    with gdal.Stream(dataset, name) as stream:
        plain = [one for one in stream.schema if not pa.types.is_binary(one.type)]
        schema = pa.schema([(one.name, pa.string()) for one in plain])
    return lambda: Table(driver=dataset.driver, shown=dataset.shown, name=name, schema=schema, rows=rows)


def _without_bytes(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.select([place for place, one in enumerate(batch.schema) if not pa.types.is_binary(one.type)])


def _choose(path: Path, tables: dict[str, Open], asked: str | None) -> Open:
    listed = ", ".join(list(tables)[:_SHOWN]) or "-"
    if asked is not None:
        alike = [name for name in tables if name.casefold() == asked.strip().casefold()]
        if len(alike) != 1:
            raise NoTable(path=path, asked=f" {asked}", tables=listed)
        return tables[alike[0]]
    if not tables:
        raise NoTable(path=path, asked="", tables=listed)
    if len(tables) > 1:
        raise ManyTables(path=path, count=len(tables), tables=listed)
    return next(iter(tables.values()))


def _understood(table: Table) -> Sheet:
    """Read all rows, and find out what the columns are called."""
    if any(note.code == workbook.UNSAVED for note in table.notes):
        raise UnsavedFormulas(path=table.shown)
    tally = Tally()
    words = Words(tally)
    numbered = pa.schema([(str(place), pa.string()) for place in range(len(table.schema))])
    batches = [
        pa.RecordBatch.from_arrays([words(column) for column in batch.columns], schema=numbered)
        for batch in table.rows(tally)
    ]
    rows = pa.Table.from_batches(batches, schema=numbered)
    names = [name.strip() for name in table.schema.names]
    joined = join_rows(table.shown, names, [list(row.values()) for row in rows.slice(0, 2).to_pylist()])
    rows = rows.slice(1) if joined else rows
    used = [n for n, name in enumerate(joined or names) if name or rows.column(n).null_count < rows.num_rows]
    if any(place and not (joined or names)[place] for place in used):
        raise UnclearHeader(path=table.shown, why=Text("a column with values has no name", "有值的列没有列名"))
    headers, notes = _headers([(joined or names)[place] for place in used])
    guess = table.guess.notes if table.guess else ()
    return Sheet(
        replace(table, merged=frozenset(n for n, place in enumerate(used) if place in table.merged)),
        headers,
        rows.select(used),
        (*table.notes, *guess, *tally.notes(), *notes),
    )


def _headers(names: list[str]) -> tuple[tuple[Header, ...], tuple[Note, ...]]:
    """Headers whose names can be a table's columns."""
    read = [read_header(name) for name in names]
    short, notes = distinct([one.name for one in read])
    return tuple(one._replace(name=name, title=one.title or name) for one, name in zip(read, short, strict=True)), notes
