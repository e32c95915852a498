"""CSV and its relatives: a bounded look for delimiter and header, then rows as text columns, none of them lost."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as arrow_csv

from core.language import Text
from loaders.columns import LIMIT
from loaders.errors import DamagedSource, LineTooLong, TooManyColumns
from loaders.layer import Note
from loaders.table import Table
from loaders.tally import Tally
from loaders.text import UTF8, in_utf8, sample_file, settle

_HEADER = 1 << 20  # bytes in which the header must end
_BLOCK = 1 << 20  # bytes parsed at once, which no line may exceed; several blocks are in memory at a time
_LARGE_BLOCK = 16 << 20  # the same for a file with long lines, such as WKT of large polygons
_DELIMITERS = ",\t;|"
_UNEVEN = 1000  # rows of a wrong number of values that are mended before the file is called damaged
_TITLES = 10  # lines that may stand above the header, where titles are looked for


class _Header(NamedTuple):
    """The names in the header, the delimiter, and the lines above it: how many, and what they say."""

    delimiter: str
    names: list[str]
    above: int = 0
    titles: tuple[str, ...] = ()


def prepare(path: Path, shown: Path, workspace: Path, encoding: str | None, *, titled: bool = False) -> Table:
    """Settle encoding and delimiter, and read the header; `titled`: lines with a title may stand above it."""
    guess = settle(sample_file(path), None, encoding)
    notes: tuple[Note, ...] = ()
    if guess.codec != UTF8:
        path, notes = in_utf8(path, workspace / f"utf8-{path.name}", guess)
    header = _header(path, shown, titled)
    schema = pa.schema([(name, pa.string()) for name in header.names])
    return Table(
        driver="CSV",
        shown=shown,
        name=shown.stem,
        schema=schema,
        rows=lambda tally: _rows(path, shown, header, schema, tally),
        guess=guess,
        notes=notes,
        titles=header.titles,
    )


def _header(path: Path, shown: Path, titled: bool) -> _Header:
    with path.open("rb") as file:
        head = file.read(_HEADER)
    text = head.decode("utf-8-sig", "replace")
    header = _below_titles(text) if titled else _first_line(text)
    if len(header.names) > LIMIT:
        raise TooManyColumns(path=shown, count=len(header.names), limit=LIMIT)
    if len(head) == _HEADER and b"\n" not in head and b"\r" not in head:
        raise LineTooLong(path=shown, line=Text("line 1", "第 1 行"), limit="1 MB")
    return header


def _first_line(text: str) -> _Header:
    delimiter = max(_DELIMITERS, key=text.split("\n", 1)[0].count)
    try:
        names = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error:  # a cell of more than 128 KB
        names = text.split("\n", 1)[0].split(delimiter)
    return _Header(delimiter, names)


def _below_titles(text: str) -> _Header:
    """The first line that is half as wide as the widest of the upper lines; what stands above it are titles."""
    upper = text.splitlines(keepends=True)[:_TITLES]
    delimiter = max(_DELIMITERS, key=lambda one: max((line.count(one) for line in upper), default=0))
    reader = csv.reader(upper, delimiter=delimiter)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error:
        return _first_line(text)
    widest = max((_filled(cells) for _, cells in lines), default=0)
    place = next((n for n, (_, cells) in enumerate(lines) if 2 * _filled(cells) >= max(widest, 3)), 0)
    if place == 0:
        return _first_line(text)
    titles = tuple(" ".join(filter(None, cells)) for _, cells in lines[:place] if _filled(cells))
    return _Header(delimiter, lines[place][1], lines[place - 1][0], titles)


def _filled(cells: list[str]) -> int:
    return len({cell for cell in cells if cell})


def _rows(path: Path, shown: Path, header: _Header, schema: pa.Schema, tally: Tally) -> Iterator[pa.RecordBatch]:
    """All rows below the header; those with too few or too many values are mended and come last."""
    uneven: list[tuple[int, str]] = []

    def keep(row: arrow_csv.InvalidRow) -> str:
        uneven.append((row.number or 0, row.text))
        return "skip" if len(uneven) <= _UNEVEN else "error"

    names = [f"f{place}" for place in range(len(schema))]
    batch: pa.RecordBatch | None = None
    try:
        reader = arrow_csv.open_csv(
            path,
            arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_block_size(path),
                autogenerate_column_names=True,
                skip_rows=header.above,
            ),
            arrow_csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True, invalid_row_handler=keep),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                check_utf8=False,
            ),
        )
        for number, batch in enumerate(reader):
            rows = batch.slice(1) if number == 0 else batch
            yield pa.RecordBatch.from_arrays(rows.columns, schema=schema)
    except pa.ArrowInvalid as error:
        raise _refused(shown, str(error)) from error
    _check_quotes(path, shown, batch, [text for _, text in uneven])
    if uneven:
        tally.add("row-uneven", len(uneven))
        yield _mended(shown, header.delimiter, uneven, schema)


def _block_size(path: Path) -> int:
    """A small block will do if every half of one has a line break."""
    with path.open("rb") as file:
        while half := file.read(_BLOCK // 2):
            if b"\n" not in half and len(half) == _BLOCK // 2:
                return _LARGE_BLOCK
    return _BLOCK


def _check_quotes(path: Path, shown: Path, last: pa.RecordBatch | None, uneven: list[str]) -> None:
    """A quotation mark that nobody closed swallows all that follows it: the last row then holds line breaks."""
    row = last.slice(last.num_rows - 1).to_pylist()[0] if last is not None and last.num_rows else {}
    if any("\n" in value for value in row.values() if value):
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 4096, 0))
            ends_quoted = file.read().rstrip().endswith(b'"')
        uneven = uneven if ends_quoted else [*uneven, '"']
    if any(text.count('"') % 2 for text in uneven):
        why = Text("a quotation mark is never closed", "引号没有闭合")
        raise DamagedSource(path=shown, why=why)


def _refused(shown: Path, message: str) -> DamagedSource | LineTooLong:
    if "straddl" in message:
        return LineTooLong(path=shown, line=Text("one of its lines", "某一行"), limit="16 MB")
    return DamagedSource(path=shown, why=Text(f"{message[:160]}", f"{message[:160]}"))


def _mended(shown: Path, delimiter: str, uneven: list[tuple[int, str]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows cut or filled up to the header's width; a value beyond it that is not empty cannot be placed."""
    rows = []
    for number, text in uneven:
        values = next(csv.reader([text], delimiter=delimiter), [])
        if any(value.strip() for value in values[len(schema) :]):
            why = Text(
                f"line {number} has {len(values)} values, the header names {len(schema)} columns",
                f"第 {number} 行有 {len(values)} 个值,表头只有 {len(schema)} 列",
            )
            raise DamagedSource(path=shown, why=why)
        rows.append([value or None for value in (values + [""] * len(schema))[: len(schema)]])
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
