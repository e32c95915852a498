"""GeoPackage: opened as unchangeable, so that SQLite writes nothing beside it; a pending log is merged in a copy."""

import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from core.language import Text
from loaders import gdal
from loaders.errors import DamagedSource, UnsafeSource
from loaders.vector import Opening


def prepare(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Check that all pages are there, and link the file, or copy it together with its write-ahead log."""
    _check_pages(path, shown)
    _refuse_journal(path, shown)
    log = path.with_name(path.name + "-wal")
    view = gdal.link(workspace, {"source.gpkg": path})
    file = view / "source.gpkg"
    if log.is_file() and log.stat().st_size:
        file = _merged(path, log, view, shown)
    dataset = gdal.Dataset(file, shown, "GPKG", options={"IMMUTABLE": "YES"})
    return Opening(
        dataset, layers=_list(file, shown), fallback=encoding, cheap=True, recount=lambda layer: _count(file, layer)
    )


def _check_pages(path: Path, shown: Path) -> None:
    """SQLite's header counts the pages if it is up to date, which its two change counters tell (file format 1.3)."""
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100:
        raise DamagedSource(path=shown, why=Text("its header is cut off", "文件头不完整"))
    page, changes, pages, valid = struct.unpack(">16xH6xII60xI4x", head)
    needed = (65_536 if page == 1 else page) * pages
    size = path.stat().st_size
    if changes == valid and size < needed:
        why = Text(f"it is cut off, {size} of {needed} bytes are there", f"应有 {needed} 字节,实际 {size} 字节")
        raise DamagedSource(path=shown, why=why)


def _refuse_journal(path: Path, shown: Path) -> None:
    """Playing back a journal writes to the file, and to others that the journal names."""
    journal = path.with_name(path.name + "-journal")
    if journal.is_file() and journal.stat().st_size:
        raise UnsafeSource(
            path=shown,
            why=Text(f"{journal.name} shows that its last writer did not finish", f"{journal.name} 表明上次写入未完成"),
            advice=Text(
                "Open it once in the program that wrote it, close it, and load it again.",
                "请用写入它的软件打开并关闭一次,再重新加载。",
            ),
        )


def _merged(path: Path, log: Path, view: Path, shown: Path) -> Path:
    """A copy that holds what the write-ahead log holds; the original stays as it is."""
    copy = view / "merged.gpkg"
    shutil.copyfile(path, copy)
    shutil.copyfile(log, view / "merged.gpkg-wal")
    try:
        with closing(sqlite3.connect(copy)) as database:
            database.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.Error as error:
        why = Text(f"SQLite says {error}", f"SQLite 报告 {error}")
        raise DamagedSource(path=shown, why=why) from error
    return copy


def _list(file: Path, shown: Path) -> tuple[tuple[str, bool], ...]:
    """The layers by gpkg_contents (GeoPackage 1.3, 1.1.3); when GDAL lists them, it leaves files of its own."""
    try:
        with _opened(file) as database:
            rows = database.execute(
                "SELECT table_name, data_type = 'features' FROM gpkg_contents"
                " WHERE data_type IN ('features', 'attributes', 'aspatial') ORDER BY rowid"
            ).fetchall()
    except (sqlite3.Error, UnicodeError) as error:
        why = Text(f"it is no GeoPackage ({error})", f"不是有效的 GeoPackage({error})")
        raise DamagedSource(path=shown, why=why) from error
    return tuple((str(name), bool(features)) for name, features in rows)


def _count(file: Path, layer: str) -> int | None:
    """Count a table's rows: the number that other software left in gpkg_ogr_contents may be old."""
    name = layer.replace('"', '""')
    try:
        with _opened(file) as database:
            return int(database.execute(" ".join(("SELECT count(*) FROM", f'"{name}"'))).fetchone()[0])
    except sqlite3.Error:
        return None


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        yield database
