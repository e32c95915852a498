"""Esri file geodatabase: each table measured against its own header, for GDAL reads a short one as an empty one."""

import struct
from pathlib import Path

from core.language import Text
from loaders import gdal
from loaders.errors import DamagedSource
from loaders.vector import Opening


def prepare(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Check the tables' lengths and link the directory."""
    for table in sorted(path.glob("*.gdbtable")):
        _check(table, _table_length(table), shown)
    for index in sorted(path.glob("*.gdbtablx")):
        _check(index, _index_length(index), shown)
    view = gdal.link(workspace, {"source.gdb": path})
    return Opening(
        gdal.Dataset(view / "source.gdb", shown, "OpenFileGDB", native_times=True), fallback=encoding, cheap=True
    )


def _check(file: Path, needed: int, shown: Path) -> None:
    size = file.stat().st_size
    if size < needed:
        why = Text(
            f"{file.name} is cut off, {size} of {needed} bytes are there",
            f"{file.name} 不完整,应有 {needed} 字节,实际 {size} 字节",
        )
        raise DamagedSource(path=shown, why=why)


def _table_length(path: Path) -> int:
    """A .gdbtable tells its own length at byte 24."""
    with path.open("rb") as file:
        head = file.read(40)
    return int(struct.unpack_from("<Q", head, 24)[0]) if len(head) == 40 else 40


def _index_length(path: Path) -> int:
    """A .gdbtablx holds blocks of 1 024 row offsets, of as many bytes each as its header says."""
    with path.open("rb") as file:
        head = file.read(16)
    if len(head) < 16:
        return 16
    _, blocks, _, width = struct.unpack("<4I", head)
    return int(16 + blocks * 1024 * width)
