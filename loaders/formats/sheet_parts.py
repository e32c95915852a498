"""What a workbook's own XML tells and a reader of values does not: merged cells, and formulas without results."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

_BLOCK = 4 << 20  # bytes looked at, at once
_OVERLAP = 64 << 10  # that blocks share: longer than any cell with a formula
_MOST = 100_000  # merged ranges that are minded
# No pattern looks past the next tag, so that hostile parts take no longer than others.
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^<>]*?\bref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
# A cell with a formula and no value; one whose result is an empty text says so by its type.
_UNSAVED = re.compile(
    rb"<(?:\w+:)?c\b(?![^<>]*\bt=\"str\")[^<>]*>\s*"
    rb"(?:<(?:\w+:)?f\b[^<>]*/>|<(?:\w+:)?f\b[^<>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


class Merged(NamedTuple):
    """Cells of one column merged downwards: the column from 0, the rows from 1; as wide as it may be, its first column counts."""

    column: int
    first: int
    last: int


class Parts(NamedTuple):
    """What was found: cells merged over several rows, and the number of formulas that have no result."""

    merged: tuple[Merged, ...]
    unsaved: int


def inspect(path: Path, sheet: str) -> Parts:
    """Look through the part of a workbook that holds a sheet; it was found safe to open."""
    with zipfile.ZipFile(path) as archive:
        name = _part(archive, sheet)
        if name is None:
            return Parts((), 0)
        with archive.open(name) as part:
            return _inspect(part)


def filled(rows: Iterable[Sequence[object]], merged: Sequence[Merged]) -> Iterator[Sequence[object]]:
    """The rows, numbered from 1, with the value of the first cell in each that is merged with it from above."""
    waiting = sorted(merged, key=lambda one: one.first, reverse=True)
    active: dict[int, tuple[int, object]] = {}  # by column: the last row, and the value
    for number, row in enumerate(rows, start=1):
        cells = list(row)
        for column, (last, value) in list(active.items()):
            if last < number:
                del active[column]
            elif column < len(cells) and cells[column] is None:
                cells[column] = value
        while waiting and waiting[-1].first <= number:
            one = waiting.pop()
            if one.first == number and one.column < len(cells):
                active[one.column] = (one.last, cells[one.column])
        yield cells


def _part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The part that holds a sheet, by openpyxl's reading of the workbook."""
    from openpyxl.reader.workbook import WorkbookParser  # noqa: PLC0415 — loads of other formats need not pay for it

    try:
        parser = WorkbookParser(archive, "xl/workbook.xml", keep_links=False)
        parser.parse()
        found = next((relation.target for one, relation in parser.find_sheets() if one.name == sheet), None)
    except (KeyError, ValueError, SyntaxError):
        return None
    return found if found in archive.namelist() else None


def _inspect(part: IO[bytes]) -> Parts:
    merged: dict[Merged, None] = {}
    unsaved, before = 0, b""
    for block in chain(iter(lambda: part.read(_BLOCK), b""), [b""]):
        text = before + block
        safe = len(text) if not block else max(len(text) - _OVERLAP, 0)
        ends = [match.end() for match in _UNSAVED.finditer(text) if match.start() < safe]
        unsaved += len(ends)
        for match in _MERGED.finditer(text):
            one = Merged(_column(match[1]), int(match[2]), int(match[3]))
            if one.last > one.first and len(merged) < _MOST:
                merged[one] = None
        before = text[max([safe, *ends[-1:]]) :]
    return Parts(tuple(merged), unsaved)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
