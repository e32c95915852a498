"""dBASE tables, which both Shapefile (.dbf) and MapInfo (.dat) use: their header, length, texts and deleted rows."""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.language import Text
from loaders.errors import DamagedSource
from loaders.layer import Note
from loaders.text import UTF8, Sample

_CHUNK = 8 << 20  # bytes of records looked at together
_VALUES_A_CHUNK = 64  # sampled texts a column


class Column(NamedTuple):
    """A field of the table: the raw bytes of its name, and where its text stands in a record."""

    name: bytes
    type: str
    start: int
    width: int
    decimals: int


class Table(NamedTuple):
    """The header of a table; `language` is the byte that names the code page."""

    records: int
    header: int
    width: int
    language: int
    columns: tuple[Column, ...]


def read_header(path: Path, shown: Path) -> Table:
    """Read the header, and see that the file is as long as it says."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(32)
        if len(head) < 32:
            raise cut_off(shown, path, size, 32)
        records, header, width, language = struct.unpack("<4xIHH17xB", head[:30])
        descriptors = file.read(max(header - 32, 0))
    if size < header + records * width:
        raise cut_off(shown, path, size, header + records * width)
    return Table(records, header, width, language, tuple(_columns(descriptors)))


def _columns(descriptors: bytes) -> Iterator[Column]:
    start = 1
    for offset in range(0, len(descriptors) - 31, 32):
        one = descriptors[offset : offset + 32]
        if one[0] == 0x0D:
            return
        yield Column(one[:11].split(b"\0")[0], chr(one[11]), start, one[16], one[17])
        start += one[16]


def cut_off(shown: Path, part: Path, size: int, needed: int) -> DamagedSource:
    """The error for a part that is shorter than its header says."""
    why = Text(
        f"{part.name} is cut off, {size} of {needed} bytes are there",
        f"{part.name} 不完整,应有 {needed} 字节,实际 {size} 字节",
    )
    return DamagedSource(path=shown, why=why)


def look(path: Path, table: Table, texts: Sequence[Column]) -> tuple[list[bytes], int]:
    """Read all records once: some values of `texts` that are not ASCII, and how many records are marked as deleted."""
    values: list[bytes] = []
    deleted = 0
    for chunk in _chunks(path, table):
        deleted += int(np.count_nonzero(chunk[:, 0] == ord("*")))
        if chunk.max() >= 0x80:
            values += [value for column in texts for value in _high_values(chunk, column)]
    return values, deleted


def _chunks(path: Path, table: Table) -> Iterator[NDArray[np.uint8]]:
    """The records as rows of bytes, some megabytes at a time."""
    if not table.records or not table.width:
        return
    rows = max(_CHUNK // table.width, 1)
    with path.open("rb") as file:
        file.seek(table.header)
        for start in range(0, table.records, rows):
            count = min(rows, table.records - start)
            yield np.frombuffer(file.read(count * table.width), np.uint8).reshape(count, table.width)


def _high_values(chunk: NDArray[np.uint8], column: Column) -> list[bytes]:
    cells = chunk[:, column.start : column.start + column.width]
    rows = np.flatnonzero((cells >= 0x80).any(axis=1))
    step = max(rows.size // _VALUES_A_CHUNK, 1)
    return [cells[row].tobytes().rstrip(b" \0") for row in rows[::step][:_VALUES_A_CHUNK]]


def sample_of(values: Sequence[bytes]) -> Sample:
    """A sample of values each of which the width of its field may have cut."""
    return Sample(tuple(values), all(_is_utf8(value) for value in values))


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode(UTF8)
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def deleted_note(deleted: int) -> tuple[Note, ...]:
    """The report's line about rows that their own software considers deleted."""
    if not deleted:
        return ()
    text = Text(
        f"{deleted} records are marked as deleted in the source and were left out.",
        f"源数据中有 {deleted} 条记录已标记为删除,未加载。",
    )
    return (Note("records-deleted", text),)
