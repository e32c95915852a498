"""PMTiles archives that the service is given, read without trust: every length in them is bounded before it is believed."""

import json
import os
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from pmtiles.tile import Compression, TileType, deserialize_header, zxy_to_tileid

from core.errors import ChengtuError
from core.language import Text

_HEADER: Final = 127  # bytes
_ROOT: Final = 16_384  # header and root directory together (PMTiles 3, 3)
_DIRECTORY: Final = 1_000_000  # bytes of a directory as it is: 250 000 entries at most
_METADATA: Final = 4_000_000
_TILE: Final = 10_000_000  # as it is stored
UNPACKED_TILE: Final = 40_000_000
_DEPTH: Final = 4  # directories on the way to a tile
_GZIP = 31  # zlib's window bits for the gzip format
_MOST_ZOOM: Final = 26
_REMEMBERED: Final = 8  # directories of an archive

MEDIA: Final = {
    TileType.MVT: ("mvt", "application/vnd.mapbox-vector-tile"),
    TileType.PNG: ("png", "image/png"),
    TileType.JPEG: ("jpg", "image/jpeg"),
    TileType.WEBP: ("webp", "image/webp"),
}

type Json = dict[str, Any]


class DamagedArchive(ChengtuError):
    """An archive that is not as its format wants it."""

    en = "The archive {name} cannot be read: {problem}. Replace the file by a whole one."
    zh = "无法读取归档 {name}:{problem}。请用完整的文件替换。"
    status = 500


class Directory(NamedTuple):
    """Where tiles are, by their numbers along the curve."""

    ids: array[int]
    runs: array[int]  # how many tiles in a row are the same; 0 where the entry is of a further directory
    lengths: array[int]
    offsets: array[int]


class Place(NamedTuple):
    """Some bytes of a file."""

    offset: int
    length: int


class Archive:
    """One archive, opened; its file may be replaced by another meanwhile, which is then opened as well."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        if not path.is_file():
            raise self._damaged(_NO_FILE)
        # Whoever puts a pipe in its place now does not make us wait for its other end.
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        found = os.fstat(self._file)
        self.size, self.tag = found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}"
        self._directories: dict[Place, Directory] = {}
        self._read_header()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    @property
    def opened(self) -> str:
        """A path to the very file that is open, whatever is at its own path by now."""
        return f"/proc/self/fd/{self._file}"

    @property
    def ending(self) -> str:
        """How addresses of its tiles end."""
        return MEDIA[self.header["tile_type"]][0]

    @property
    def media(self) -> str:
        """The media type of its tiles."""
        return MEDIA[self.header["tile_type"]][1]

    @property
    def zipped(self) -> bool:
        """Whether its tiles are zipped."""
        return self.header["tile_compression"] is Compression.GZIP

    def place(self, z: int, x: int, y: int) -> Place | None:
        """Where a tile is; None where the archive has none."""
        if z > _MOST_ZOOM or max(x, y) >= 2**z:
            return None
        id_ = zxy_to_tileid(z, x, y)
        directory = self._root
        for _ in range(_DEPTH):
            entry = bisect_right(directory.ids, id_) - 1
            if entry < 0:
                return None
            run = directory.runs[entry]
            found = Place(directory.offsets[entry], directory.lengths[entry])
            if run:
                return self._in_data(found) if id_ < directory.ids[entry] + run else None
            directory = self._directory(self._section("leaf_directory", found))
        raise self._damaged(_TOO_DEEP)

    def read(self, place: Place) -> bytes:
        """The bytes of a place."""
        found = os.pread(self._file, place.length, place.offset)
        if len(found) != place.length:
            raise self._damaged(_CUT_OFF)
        return found

    def unpacked(self, tile: bytes) -> bytes:
        """A tile as it is."""
        return self._unzipped(tile, UNPACKED_TILE) if self.zipped else tile

    def metadata(self) -> Json:
        """What the archive says of itself."""
        packed = self.read(self._whole("metadata", _METADATA))
        try:
            found = json.loads(self._unpacked(packed, _METADATA))
        except (ValueError, RecursionError) as error:
            raise self._damaged(_NO_METADATA) from error
        return found if isinstance(found, dict) else {}

    def _read_header(self) -> None:
        try:
            self.header = deserialize_header(self.read(Place(0, _HEADER)))
        except Exception as error:  # the library raises what comes along
            raise self._damaged(_NO_ARCHIVE) from error
        if self.header["tile_type"] not in MEDIA:
            raise self._damaged(_UNKNOWN_TILES)
        packings = (self.header["internal_compression"], self.header["tile_compression"])
        if not {*packings} <= {Compression.NONE, Compression.GZIP}:
            raise self._damaged(_UNKNOWN_PACKING)
        for name in ("root", "metadata", "leaf_directory", "tile_data"):
            self._whole(name, self.size)
        self._root = self._read_directory(self._whole("root", _ROOT))

    def _directory(self, place: Place) -> Directory:
        """A directory that is not the first; a few are remembered."""
        if (known := self._directories.get(place)) is not None:
            return known
        found = self._read_directory(place)
        if len(self._directories) >= _REMEMBERED:
            self._directories.clear()
        self._directories[place] = found
        return found

    def _read_directory(self, place: Place) -> Directory:
        if place.length > _DIRECTORY:
            raise self._damaged(_TOO_LARGE)
        raw = self._unpacked(self.read(place), _DIRECTORY)
        try:
            return _parsed(raw)
        except (IndexError, ValueError, OverflowError) as error:
            raise self._damaged(_BAD_DIRECTORY) from error

    def _whole(self, name: str, most: int) -> Place:
        """A section of the file by the name that it has in the header."""
        place = Place(self.header[f"{name}_offset"], self.header[f"{name}_length"])
        if place.length > most:
            raise self._damaged(_TOO_LARGE)
        if place.offset + place.length > self.size:
            raise self._damaged(_CUT_OFF)
        return place

    def _section(self, name: str, within: Place) -> Place:
        """A place within a section, as a place of the file."""
        section = self._whole(name, self.size)
        if within.offset + within.length > section.length:
            raise self._damaged(_BAD_DIRECTORY)
        return Place(section.offset + within.offset, within.length)

    def _in_data(self, within: Place) -> Place:
        if within.length > _TILE:
            raise self._damaged(_TOO_LARGE)
        return self._section("tile_data", within)

    def _unpacked(self, packed: bytes, most: int) -> bytes:
        if self.header["internal_compression"] is Compression.NONE:
            return packed
        return self._unzipped(packed, most)

    def _unzipped(self, packed: bytes, most: int) -> bytes:
        """Unzip no more than is to be believed."""
        unzip = zlib.decompressobj(_GZIP)
        try:
            raw = unzip.decompress(packed, most)
        except zlib.error as error:
            raise self._damaged(_NO_ZIP) from error
        if not unzip.eof:
            raise self._damaged(_TOO_LARGE if unzip.unconsumed_tail else _CUT_OFF)
        return raw

    def _damaged(self, problem: Text) -> DamagedArchive:
        return DamagedArchive(name=self.name, problem=problem)


_NO_FILE = Text("it is no file", "它不是普通文件")
_NO_ARCHIVE = Text("it is no PMTiles archive of version 3", "它不是 PMTiles 第 3 版归档")
_UNKNOWN_TILES = Text("its tiles are none of MVT, PNG, JPEG, WebP", "其瓦片不是 MVT、PNG、JPEG、WebP 之一")
_UNKNOWN_PACKING = Text("it is packed otherwise than by gzip", "其压缩方式不是 gzip")
_CUT_OFF = Text("it ends before what it promises", "文件不完整")
_TOO_LARGE = Text("one of its parts is larger than is sensible", "其中某一部分大得不合理")
_TOO_DEEP = Text("its directories lead in circles", "其目录层级过深或循环")
_BAD_DIRECTORY = Text("one of its directories is broken", "其目录已损坏")
_NO_ZIP = Text("a part that should be zipped is not", "应为 gzip 压缩的部分无法解压")
_NO_METADATA = Text("its metadata are no JSON", "其元数据不是 JSON")


def _parsed(raw: bytes) -> Directory:
    """The entries of a directory (PMTiles 3, 4.2): four columns of numbers, one after the other."""
    numbers = _numbers(raw)
    count = next(numbers)
    if count * 4 >= len(raw):  # each number is one byte at least
        raise ValueError(count)
    ids, last = array("Q"), 0
    for _ in range(count):
        last += next(numbers)
        ids.append(last)
    runs = array("Q", (next(numbers) for _ in range(count)))
    lengths = array("Q", (next(numbers) for _ in range(count)))
    offsets = array("Q")
    for place in range(count):
        given = next(numbers)
        if not given and not place:
            raise ValueError(given)
        offsets.append(given - 1 if given else offsets[-1] + lengths[place - 1])
    return Directory(ids, runs, lengths, offsets)


def _numbers(raw: bytes) -> Iterator[int]:
    """Numbers of seven bits a byte; one that is cut off is an IndexError, and so is one too many."""
    at = 0
    while True:
        value = shift = 0
        while (byte := raw[at]) > 127:
            value |= (byte & 127) << shift
            shift += 7
            at += 1
            if shift > 63:
                raise ValueError(value)
        yield value | byte << shift
        at += 1
