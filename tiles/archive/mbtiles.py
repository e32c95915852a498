"""MBTiles 1.3: an SQLite database, equal tiles in it once."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from tiles.archive.work import Work

_SCHEMA = """
pragma application_id = 1297105496; -- MPBX
pragma journal_mode = off;
pragma synchronous = off;
create table metadata (name text, value text);
create unique index metadata_name on metadata (name);
create table map (zoom_level integer, tile_column integer, tile_row integer, tile_id text);
create unique index map_index on map (zoom_level, tile_column, tile_row);
create table images (tile_id text, tile_data blob);
create unique index images_id on images (tile_id);
create view tiles as
select map.zoom_level, map.tile_column, map.tile_row, images.tile_data
from map inner join images on images.tile_id = map.tile_id;
"""


def write(path: Path, work: Work, about: dict[str, Any]) -> None:
    """Write the tiles of a work; `about` is their TileJSON."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    try:
        database.executescript(_SCHEMA)
        database.executemany("insert into metadata values (?, ?)", _metadata(about).items())
        written: set[bytes] = set()
        for (z, x, y), digest in work.tiles():
            if digest not in written:
                written.add(digest)
                database.execute("insert into images values (?, ?)", (digest.hex(), work.content(digest)))
            # Rows count from the south (MBTiles 1.3, Tiles).
            database.execute("insert into map values (?, ?, ?, ?)", (z, x, 2**z - 1 - y, digest.hex()))
        database.commit()
    finally:
        database.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _metadata(about: dict[str, Any]) -> dict[str, str]:
    """The rows that the specification names, and ours as JSON."""
    plain = {name: str(about[name]) for name in ("name", "description", "attribution") if about.get(name)}
    lists = {name: ",".join(f"{one:.7g}" for one in about[name]) for name in ("bounds", "center")}
    rest = {name: about[name] for name in ("vector_layers", "left_out", "chengtu") if name in about}
    return {
        **plain,
        **lists,
        "format": "pbf",
        "type": "overlay",
        "minzoom": str(about["minzoom"]),
        "maxzoom": str(about["maxzoom"]),
        "json": json.dumps(rest, ensure_ascii=False),
    }
