"""ESRI Shapefile: the parts measured against their own headers, and text decoded by us from the DBF's bytes."""

import struct
from pathlib import Path

from core.language import Text
from loaders import gdal
from loaders.errors import DamagedSource
from loaders.formats.dbf import Table, cut_off, deleted_note, look, read_header, sample_of
from loaders.formats.parts import find_parts
from loaders.text import UTF8, find_codec, settle
from loaders.vector import Opening

_INT64_DIGITS = 18

# Language driver ids of the DBF header; 0x57, the machine's own code page, and 0 say nothing.
_LANGUAGES = {
    0x01: "cp437",
    0x02: "cp850",
    0x03: "cp1252",
    0x13: "cp932",
    0x4D: "GBK",
    0x4E: "cp949",
    0x4F: "Big5",
    0x78: "Big5",
    0x79: "cp949",
    0x7A: "GBK",
    0x7B: "cp932",
    0xC8: "cp1250",
    0xC9: "cp1251",
}


def prepare(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Check the parts of a shapefile and settle its encoding; nothing is copied."""
    parts = find_parts(path, shown, (".shp", ".shx", ".dbf"), (".prj", ".cpg"))
    shapes = _count_shapes(parts, shown)
    table = read_header(parts[".dbf"], shown)
    _compare(table, shapes, shown)
    names = [column.name for column in table.columns if not column.name.isascii()]
    values, deleted = look(parts[".dbf"], table, [column for column in table.columns if column.type == "C"])
    guess = settle(sample_of([*names, *values]), _declared(parts, table), encoding)
    untouched = guess.codec == UTF8 and all(_is_whole(column.name) for column in table.columns)
    view = gdal.link(workspace, {f"source{suffix}": part for suffix, part in parts.items() if suffix != ".cpg"})
    wide = any(c.type == "N" and not c.decimals and c.width > _INT64_DIGITS for c in table.columns)
    dataset = gdal.Dataset(
        view / "source.shp",
        shown,
        "ESRI Shapefile",
        options={"ADJUST_TYPE": "YES"} if wide else {},  # else whole numbers wider than 18 digits become floats
        encoding=UTF8 if untouched else "ISO-8859-1",  # a character a byte, so that nothing gets lost on the way
    )
    return Opening(
        dataset,
        layer_name=path.stem,
        guess=guess,
        latin=not untouched,
        cheap=True,
        rows=shapes - deleted,
        notes=deleted_note(deleted),
    )


def _is_whole(name: bytes) -> bool:
    """Whether a field's name is UTF-8 to its last byte, which the limit of ten bytes may have cut."""
    try:
        name.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True


def _count_shapes(parts: dict[str, Path], shown: Path) -> int:
    """Compare the lengths in both geometry headers, in words of 16 bits, with the files; return how many shapes."""
    for suffix in (".shp", ".shx"):
        with parts[suffix].open("rb") as file:
            head = file.read(28)
        size = parts[suffix].stat().st_size
        needed = max(struct.unpack(">I", head[24:28])[0] * 2, 100) if len(head) == 28 else 100
        if size < needed:
            raise cut_off(shown, parts[suffix], size, needed)
    return (parts[".shx"].stat().st_size - 100) // 8


def _compare(table: Table, shapes: int, shown: Path) -> None:
    if table.records == shapes:
        return
    why = Text(
        f"the .shx counts {shapes} shapes, the .dbf {table.records} records",
        f".shx 有 {shapes} 个图形,.dbf 却有 {table.records} 条记录",
    )
    raise DamagedSource(path=shown, why=why)


def _declared(parts: dict[str, Path], table: Table) -> tuple[str, str] | None:
    """What the .cpg file, or else the DBF header, says of the encoding."""
    if ".cpg" in parts:
        with parts[".cpg"].open("rb") as file:
            said = file.read(64).decode("ascii", "ignore").split("\n")[0].strip(" \0\r\t")
        if said:
            return said, parts[".cpg"].name
    name = _LANGUAGES.get(table.language)
    return (name, f"the .dbf header (0x{table.language:02X})") if name and find_codec(name) else None
