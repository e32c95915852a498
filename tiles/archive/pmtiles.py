"""PMTiles 3: one file that clients read in ranges, its tiles along a Hilbert curve, equal ones written once."""

import os
import shutil
from pathlib import Path
from typing import Any

from pmtiles.tile import Compression, Entry, TileType, zxy_to_tileid
from pmtiles.writer import finalize_header

from tiles.archive.work import Work

_BILLIONTHS = 10_000_000  # of a degree: what the header counts in


def write(path: Path, work: Work, about: dict[str, Any]) -> None:
    """Write the tiles of a work; `about` is their TileJSON."""
    data = path.with_suffix(".data")
    with data.open("w+b") as tiles, path.open("wb") as file:
        entries, addressed, distinct = _write_tiles(tiles, work)
        header = _header(about)
        parts = finalize_header(header, addressed, entries, distinct, _metadata(about), True, tiles.tell())
        for part in parts:
            file.write(part)
        tiles.seek(0)
        shutil.copyfileobj(tiles, file)
        file.flush()
        os.fsync(file.fileno())
    data.unlink()


def _write_tiles(file: Any, work: Work) -> tuple[list[Entry], int, int]:  # noqa: ANN401 — a binary file
    """The tiles one after the other; where they are, how many have an address, and how many are written."""
    entries: list[Entry] = []
    places: dict[bytes, tuple[int, int]] = {}
    addressed = 0
    for tile, digest in work.tiles(order=zxy_to_tileid):
        addressed += 1
        if digest not in places:
            places[digest] = file.tell(), file.write(work.content(digest))
        offset, length = places[digest]
        id_, last = zxy_to_tileid(*tile), entries[-1] if entries else None
        if last is not None and id_ == last.tile_id + last.run_length and last.offset == offset:
            last.run_length += 1
        else:
            entries.append(Entry(id_, offset, length, 1))
    return entries, addressed, len(places)


def _header(about: dict[str, Any]) -> dict[str, Any]:
    west, south, east, north = (round(one * _BILLIONTHS) for one in about["bounds"])
    longitude, latitude, zoom = about["center"]
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": zoom,
        "center_lon_e7": round(longitude * _BILLIONTHS),
        "center_lat_e7": round(latitude * _BILLIONTHS),
    }


def _metadata(about: dict[str, Any]) -> dict[str, Any]:
    """What the header does not tell already."""
    told = {name: value for name, value in about.items() if name not in ("tilejson", "tiles", "scheme")}
    return told | {"type": "overlay"}
