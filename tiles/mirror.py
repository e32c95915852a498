"""Finished tiles as files too, for a web server in front: a file is there only as long as its tile is right.

Files come and go within the cache's own transactions, which no two processes are in at once. What is to go is found among
the files themselves, so that one whose writer died before the cache knew of it goes like the others.
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

from core.errors import BadSettings
from tiles.matrix import Limits, Tile

_STAMP: Final = ".chengtu"  # names the cache that the files are of
_GONE: Final = ".gone-"
_CITY: Final = "_city"  # no data set begins with an underscore
_ENDING: Final = ".mvt.gz"
_FEW: Final = 32  # names that are tried without a look at what there is
_FIRST_SECOND: Final = 315_532_800  # of 1980
_SECONDS: Final = 30 * 365 * 86_400


class Mirror:
    """A folder of tiles: `<collection>/<matrix set>/<z>/<x>/<y>.mvt.gz`; those of the whole city in `_city`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if self.stamp is None and any(folder.iterdir()):
            problem = f"{folder} holds something else: name a folder that is empty or not there"
            raise BadSettings(where="CHENGTU_TILE_DIRECTORY", problem=problem)

    @property
    def stamp(self) -> str | None:
        """The name of the cache whose tiles these are."""
        try:
            return (self._folder / _STAMP).read_text("utf-8")
        except FileNotFoundError:
            return None

    def begin(self) -> str:
        """Let go of all files, which nobody has kept right; the new stamp."""
        for one in self.names():
            self.remove_all(one)
        stamp = secrets.token_hex(8)
        (self._folder / _STAMP).write_text(stamp, "utf-8")
        return stamp

    def has(self, dataset: str, matrix_set: str, tile: Tile) -> bool:
        """Whether the tile has its file."""
        return self._file(dataset, matrix_set, tile).exists()

    def write(self, dataset: str, matrix_set: str, tile: Tile, zipped: bytes, etag: str) -> None:
        """Put a file in its place at once.

        Its time tells the content, not the hour: web servers make validators of time and length, and a time in seconds would
        be the same for two tiles that follow each other quickly.
        """
        path = self._file(dataset, matrix_set, tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.half")
        half.write_bytes(zipped)
        second = _FIRST_SECOND + int(etag, 16) % _SECONDS
        os.utime(half, (second, second))
        half.replace(path)

    def remove(self, dataset: str, matrix_set: str, tile: Tile) -> None:
        """Let a file go, if it is there."""
        self._file(dataset, matrix_set, tile).unlink(missing_ok=True)

    def remove_changed(self, dataset: str, changed: Mapping[str, Iterable[Limits]] | None) -> None:
        """Let the files go that lie within limits, by matrix set; None: all of a data set."""
        if changed is None:
            self.remove_all(dataset)
            return
        for matrix_set, ranges in changed.items():
            zooms = self._home(dataset) / matrix_set
            for z, within in groupby(sorted(ranges), key=lambda limits: limits.z):
                for path in _within(zooms / str(z), list(within)):
                    path.unlink(missing_ok=True)

    def remove_all(self, dataset: str) -> None:
        """Let all files of a data set go: out of sight now, from the disk by `sweep`."""
        if (home := self._home(dataset)).exists():
            home.replace(self._folder / f"{_GONE}{secrets.token_hex(8)}")

    def names(self) -> list[str]:
        """The data sets that have files; the city's name is empty."""
        found = [one.name for one in self._folder.iterdir() if not one.name.startswith(".")]
        return ["" if name == _CITY else name for name in found]

    def sweep(self) -> None:
        """Delete what is out of sight."""
        for one in self._folder.glob(f"{_GONE}*"):
            shutil.rmtree(one, ignore_errors=True)  # another process may be at it as well

    def _file(self, dataset: str, matrix_set: str, tile: Tile) -> Path:
        return self._home(dataset) / matrix_set / str(tile.z) / str(tile.x) / f"{tile.y}{_ENDING}"

    def _home(self, dataset: str) -> Path:
        return self._folder / (dataset or _CITY)


def _within(zoom: Path, ranges: list[Limits]) -> Iterator[Path]:
    """The files of a zoom that lie within limits."""
    if not zoom.is_dir():
        return
    for x in _there(zoom, [one.columns for one in ranges], ""):
        rows = [one.rows for one in ranges if one.columns[0] <= x <= one.columns[1]]
        for y in _there(zoom / str(x), rows, _ENDING):
            yield zoom / str(x) / f"{y}{_ENDING}"


def _there(folder: Path, ends: list[tuple[int, int]], ending: str) -> set[int]:
    """The numbers between any of two ends that something in a folder is called by, and maybe others if they are few."""
    if sum(last - first + 1 for first, last in ends) <= _FEW:
        return {number for first, last in ends for number in range(first, last + 1)}
    try:
        names = [one.name.removesuffix(ending) for one in folder.iterdir()]
    except FileNotFoundError:
        return set()
    numbers = (int(name) for name in names if name.isdigit())
    return {number for number in numbers if any(first <= number <= last for first, last in ends)}
