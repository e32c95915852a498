"""XLSX: sheets as tables; each is read once into an Arrow file in the workspace, since openpyxl is slow."""

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from core.language import Text
from loaders import archive
from loaders.columns import LIMIT
from loaders.coordinates import Asked, has_place
from loaders.errors import DamagedSource, NoSuchLayer, TooManyColumns, UnsafeSource
from loaders.formats import sheet_parts
from loaders.infer import Kind
from loaders.layer import Note
from loaders.table import Table

if TYPE_CHECKING:
    import openpyxl

UNSAVED = "formulas-unsaved"  # the code of a note
_TITLES = 10  # rows above the header that may hold a title
_ROWS = 4096  # rows a batch of the spool
_ERRORS = {"#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NUM!", "#NAME?", "#NULL!"}
_EPOCH_TIME = dt.time(0)

type Row = Sequence[object]


class Workbook(NamedTuple):
    """A workbook that was found safe to open."""

    path: Path
    shown: Path
    workspace: Path


class _Header(NamedTuple):
    """The header's row number, counted from 1, the names in it, and the titles above."""

    row: int
    names: tuple[str, ...]
    titles: tuple[str, ...] = ()


def prepare(path: Path, shown: Path, workspace: Path, limit: int) -> Workbook:
    """Check the archive that a workbook is, and that none of its parts has a DTD."""
    archive.check(path, shown, limit)
    with zipfile.ZipFile(path) as parts:
        for info in parts.infolist():
            if info.filename.endswith((".xml", ".rels")):
                with parts.open(info) as part:
                    _refuse_dtd(part.read(4096), shown)
    return Workbook(path, shown, workspace)


def _refuse_dtd(head: bytes, shown: Path) -> None:
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise UnsafeSource(
            path=shown,
            why=Text("one of its parts has a DTD", "其内部文件含有 DTD"),
            advice=Text("Save it again in Excel or LibreOffice.", "请用 Excel 或 LibreOffice 重新保存。"),
        )


def list_sheets(book: Workbook, asked: Asked) -> list[tuple[str, bool]]:
    """The sheets that hold anything, and whether each has columns with coordinates."""
    found = []
    with _opened(book) as sheets:
        for name in sheets.sheetnames:
            header = _find_header(_rows(sheets, name), asked)
            if header is not None:
                found.append((name, has_place(header.names, asked)))
    return found


def read_sheet(book: Workbook, name: str, asked: Asked) -> Table:
    """Read a sheet into the workspace; the cells' own types become the columns' types.

    Cells that are merged downwards all have the value of the first; formulas without results are empty, and told.
    """
    spool = book.workspace / "sheet.arrow"
    parts = sheet_parts.inspect(book.path, name)
    with _opened(book) as sheets:
        header = _find_header(_rows(sheets, name), asked)
        if header is None:
            raise NoSuchLayer(path=book.shown, layer=name, layers=", ".join(sheets.sheetnames))
        if len(header.names) > LIMIT:
            raise TooManyColumns(path=book.shown, count=len(header.names), limit=LIMIT)
        rows = sheet_parts.filled(_rows(sheets, name), parts.merged)
        kinds, count, faults = _spool(rows, header, spool)
    return Table(
        driver="XLSX",
        shown=book.shown,
        name=name,
        schema=_schema(header),
        rows=lambda _: _spooled(spool),
        count=count,
        kinds=kinds,
        notes=(*_fault_note(faults), *_unsaved_note(parts.unsaved)),
        titles=header.titles,
        merged=frozenset(one.column for one in parts.merged if one.last > max(one.first, header.row + 1)),
    )


@contextmanager
def _opened(book: Workbook) -> Iterator["openpyxl.Workbook"]:
    import openpyxl  # noqa: PLC0415 — two tenths of a second, which loads of all other formats need not pay
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of drop-down lists and styles that it will not keep
        try:
            workbook = openpyxl.load_workbook(book.path, read_only=True, data_only=True, keep_links=False)
        except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile, SyntaxError, EOFError) as error:
            why = Text(f"the workbook cannot be opened: {error}", f"工作簿无法打开:{error}")
            raise DamagedSource(path=book.shown, why=why) from error
        try:
            yield workbook
        finally:
            workbook.close()


def _rows(workbook: "openpyxl.Workbook", name: str) -> Iterator[Row]:
    sheet = workbook[name]
    if not hasattr(sheet, "iter_rows"):  # a chart sheet
        return iter(())
    sheet.reset_dimensions()  # what a file says of its own size may be the whole grid of 17 billion cells
    rows: Iterator[Row] = sheet.iter_rows(values_only=True)
    return rows


def _find_header(rows: Iterator[Row], asked: Asked) -> _Header | None:
    """The first of the upper rows that names coordinates, else the first with two cells filled; titles stand above."""
    upper = [tuple(row) for row, _ in zip(rows, range(_TITLES), strict=False)]
    headers = [_Header(number, _names(row)) for number, row in enumerate(upper, start=1)]
    filled = [header for header in headers if _words(header) >= 2]
    placed = next((header for header in filled if has_place(header.names, asked)), None)
    widest = max(map(_words, filled), default=0)
    found = placed or next((header for header in filled if 2 * _words(header) >= widest), None)
    if found is None:
        return None
    above = [" ".join(filter(None, header.names)) for header in headers if header.row < found.row]
    below = next((header.names for header in headers if header.row == found.row + 1), ())
    nameless = min(len(below), LIMIT) - len(found.names)  # cells merged to the right, and columns without a name
    names = (*found.names, *[""] * nameless)
    return found._replace(names=names, titles=tuple(filter(None, above)))


def _words(header: _Header) -> int:
    return sum(bool(name) for name in header.names)


def _names(row: Row) -> tuple[str, ...]:
    names = [str(cell).strip() if cell is not None else "" for cell in row]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _schema(header: _Header) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in header.names])


def _spool(rows: Iterator[Row], header: _Header, spool: Path) -> tuple[tuple[Kind, ...], int, int]:
    """Write the rows below the header as text; return what each column holds, how many rows, how many error cells."""
    width, schema = len(header.names), _schema(header)
    kinds: list[set[Kind]] = [set() for _ in range(width)]
    count = faults = 0
    waiting: list[list[str | None]] = []
    with pa.ipc.new_file(spool, schema) as file:
        for number, row in enumerate(rows, start=1):
            cells = [*row[:width], *[None] * (width - len(row))]
            if number <= header.row or all(cell is None or cell == "" for cell in cells):
                continue
            faults += sum(cell in _ERRORS for cell in cells if isinstance(cell, str))
            waiting.append([_written(cell, kinds[place]) for place, cell in enumerate(cells)])
            count += 1
            if len(waiting) == _ROWS:
                file.write_batch(_batch(waiting, schema))
                waiting = []
        if waiting:
            file.write_batch(_batch(waiting, schema))
    return tuple(_kind(one) for one in kinds), count, faults


def _batch(rows: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in zip(*rows, strict=True)], schema)


def _written(cell: object, kinds: set[Kind]) -> str | None:
    """A cell as text from which its value can be had again; what it is joins its column's kinds."""
    if cell is None or cell == "" or (isinstance(cell, str) and cell in _ERRORS):
        return None
    kind, text = _kind_and_text(cell)
    kinds.add(kind)
    return text


def _kind_and_text(cell: object) -> tuple[Kind, str]:
    match cell:
        case bool():
            return "bool", str(cell).lower()
        case int():
            return ("int" if abs(cell) < 2**63 else "text"), str(cell)
        case float():
            return ("int", str(int(cell))) if cell.is_integer() and abs(cell) < 2**53 else ("float", repr(cell))
        case dt.datetime():
            return ("date", cell.date().isoformat()) if cell.time() == _EPOCH_TIME else ("local", cell.isoformat(" "))
        case dt.date():
            return "date", cell.isoformat()
        case _:
            return "text", str(cell)


def _kind(kinds: set[Kind]) -> Kind:
    """One kind for a column of cells of several kinds."""
    for together, kind in _TOGETHER:
        if kinds <= together:
            return kind
    return "text"


_TOGETHER: tuple[tuple[set[Kind], Kind], ...] = (
    (set(), "empty"),
    ({"bool"}, "bool"),
    ({"int"}, "int"),
    ({"int", "float"}, "float"),
    ({"date"}, "date"),
    ({"date", "local"}, "local"),
)


def _spooled(spool: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(spool)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _fault_note(faults: int) -> tuple[Note, ...]:
    if not faults:
        return ()
    text = Text(
        f"Cells that hold an error such as #N/A, left empty: {faults}.",
        f"有 {faults} 个单元格为 #N/A 等错误值,已置空。",
    )
    return (Note("cell-errors", text),)


def _unsaved_note(count: int) -> tuple[Note, ...]:
    if not count:
        return ()
    text = Text(
        f"Formulas without results, left empty: {count}. Open the workbook in Excel or LibreOffice and save it.",
        f"有 {count} 个公式没有计算结果,已置空。请用 Excel 或 LibreOffice 打开并保存一次。",
    )
    return (Note(UNSAVED, text),)
