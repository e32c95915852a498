"""MapInfo: TAB tables, whose text part may point to other files, and MIF/MID text, both in the charset they deserve."""

import os
import re
from pathlib import Path

from core.language import Text
from loaders import gdal
from loaders.errors import DamagedSource, UnsafeSource
from loaders.formats.dbf import deleted_note, look, read_header, sample_of
from loaders.formats.parts import find_parts
from loaders.layer import Note
from loaders.text import (
    UTF8,
    Guess,
    Sample,
    find_codec,
    label_of,
    replaced_note,
    sample_bytes,
    sample_file,
    settle,
    transcode,
)
from loaders.vector import Opening

_HEADER = 1 << 20  # bytes of definitions before the data
_CHARSET = re.compile(rb'(?im)^(\s*(?:!charset\s+|Charset\s+"|Type\s+\w+\s+Charset\s+"))([\w-]+)')
_FIELDS = re.compile(rb"(?im)^\s*Fields\s+(\d+)\s*\n")
_OWN_TABLE = re.compile(rb"(?im)^\s*Type\s+NATIVE\b")
_ELSEWHERE = re.compile(rb"(?im)^\s*(?:create\s+view|open\s+table|file\s+\")|IsSeamless")

# MapInfo's names of charsets; Neutral says nothing.
_CODECS = {
    "windowssimpchinese": "GBK",
    "windowstradchinese": "Big5",
    "windowsjapanese": "cp932",
    "windowskorean": "cp949",
    "windowslatin1": "cp1252",
    "windowslatin2": "cp1250",
    "windowscyrillic": "cp1251",
    "utf-8": "UTF-8",
}
_NEUTRAL = b"Neutral"
_CHARSETS = {"gb18030": b"WindowsSimpChinese", "cp950": b"WindowsTradChinese", UTF8: _NEUTRAL}


def prepare_tab(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Refuse a TAB that refers to other tables, and give GDAL one with the right charset."""
    with path.open("rb") as file:
        head = file.read(_HEADER)
    if not _OWN_TABLE.search(head) or _ELSEWHERE.search(head):
        raise UnsafeSource(
            path=shown,
            why=Text("it is not a table of its own but refers to other files", "它不是独立的表,而是引用其他文件"),
            advice=Text("Save a copy of the table in MapInfo and load that.", "请在 MapInfo 中另存为独立的表后加载。"),
        )
    parts = find_parts(path, shown, (".dat", ".map", ".id"))
    table = read_header(parts[".dat"], shown)
    texts = [column for column, type_ in zip(table.columns, _types(head), strict=False) if type_ == b"char"]
    values, deleted = look(parts[".dat"], table, texts)
    guess = settle(sample_of([*sample_bytes(head).values, *values]), _declared(head), encoding)
    view = gdal.link(workspace, {f"source{suffix}": part for suffix, part in parts.items() if suffix != ".tab"})
    (view / "source.tab").write_bytes(_with_charset(head, guess))
    return Opening(
        gdal.Dataset(view / "source.tab", shown, "MapInfo File"),
        layer_name=path.stem,
        guess=guess,
        cheap=True,
        rows=table.records - deleted,
        notes=deleted_note(deleted),
    )


def _types(head: bytes) -> list[bytes]:
    """The types of the fields in order; the .dat calls all of them text."""
    match = _FIELDS.search(head)
    lines = head[match.end() :].split(b"\n")[: int(match.group(1))] if match else []
    return [[*line.split(), b"", b""][1].lower().split(b"(")[0] for line in lines]


def prepare_mif(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Turn both text files into UTF-8 where they are not."""
    attributes = find_parts(path, shown, (".mid",))[".mid"]
    with path.open("rb") as file:
        declared = _declared(file.read(_HEADER))
        file.seek(-1, os.SEEK_END)
        if file.read(1) not in (b"\n", b")", b"\x1a"):  # a coordinate could have lost its last digits
            raise DamagedSource(path=shown, why=Text("its last line is not finished", "最后一行不完整"))
    samples = sample_file(path), sample_file(attributes)
    both = Sample(samples[0].values + samples[1].values, samples[0].is_utf8 and samples[1].is_utf8, samples[0].bom)
    guess = settle(both, declared, encoding)
    view = gdal.link(workspace, {"source.mif": path, "source.mid": attributes})
    notes: tuple[Note, ...] = ()
    if guess.codec != UTF8 or both.bom or declared:
        notes = _rewrite(path, view / "source.mif", guess.codec) + _rewrite(
            attributes, view / "source.mid", guess.codec
        )
        _neutralise(view / "source.mif")
    return Opening(
        gdal.Dataset(view / "source.mif", shown, "MapInfo File"),
        layer_name=path.stem,
        guess=guess,
        rows=_count_records(attributes),
        notes=notes,
    )


def _count_records(path: Path) -> int:
    """The lines of a .mid, which are as many as the .mif has objects; a quoted value may go over several."""
    count = open_quote = 0
    with path.open("rb") as file:
        for line in file:
            open_quote ^= line.count(b'"') & 1
            count += not open_quote and line.strip() != b""
    return count


def _rewrite(path: Path, target: Path, codec: str) -> tuple[Note, ...]:
    """Put a copy in UTF-8 in the place of the link to `path`."""
    target.unlink()
    replaced = transcode(path, target, codec)
    return (replaced_note(replaced, label_of(codec)),) if replaced else ()


def _neutralise(path: Path) -> None:
    """Make the header name no charset, so that GDAL leaves the text alone."""
    with path.open("r+b") as file:
        match = _CHARSET.search(file.read(_HEADER))
        if match and len(match.group(2)) >= len(_NEUTRAL):
            file.seek(match.start(2))
            file.write((_NEUTRAL + b'"').ljust(len(match.group(2)) + 1))


def _declared(head: bytes) -> tuple[str, str] | None:
    match = _CHARSET.search(head)
    name = match.group(2).decode("ascii", "replace") if match else ""
    codec = _CODECS.get(name.lower(), name)
    return (codec, f"the charset {name}") if find_codec(codec) else None


def _with_charset(head: bytes, guess: Guess) -> bytes:
    """The definitions of a TAB with the charset that its text really has."""
    declared = _declared(head)
    if (declared and find_codec(declared[0]) == guess.codec) or guess.codec not in _CHARSETS:
        return head
    return _CHARSET.sub(lambda match: match.group(1) + _CHARSETS[guess.codec], head)
