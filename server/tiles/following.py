"""Keeps the files of finished tiles right though nobody asks for a tile: told by NOTIFY of each change."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

import psycopg

from core.changes import CHANNEL
from core.database import one_line
from core.errors import ChengtuError
from server.publisher import Publisher
from tiles.layer import TileLayer
from tiles.service import Tiles

_TICK: Final = 0.5  # seconds between looks at whether the catalogue has changed
_REST: Final = 1.0  # seconds before a database that is away is asked again

LOGGER = logging.getLogger("chengtu.tiles")


async def follow(dsn: str, publisher: Publisher, tiles: Tiles) -> None:
    """Let go of what changes, for ever; after a while without the database, of what changed in that."""
    while True:
        try:
            await _listen(dsn, publisher, tiles)
        except (psycopg.Error, OSError) as error:
            LOGGER.warning("files of tiles cannot be kept right: %s", one_line(error))
        await asyncio.sleep(_REST)


async def _listen(dsn: str, publisher: Publisher, tiles: Tiles) -> None:
    connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name="chengtu-files")
    async with connection:
        await connection.execute(f"listen {CHANNEL}")
        shown: dict[str, TileLayer] | None = None
        while True:
            told: Iterable[str] = [notice.payload async for notice in connection.notifies(timeout=_TICK, stop_after=1)]
            if shown is not publisher.layers:
                told = shown = publisher.layers
                await tiles.show_only([*shown.values()])
            for id_ in dict.fromkeys(told):
                await _catch_up(tiles, publisher.layers.get(id_))


async def _catch_up(tiles: Tiles, layer: TileLayer | None) -> None:
    if layer is None:
        return
    try:
        await tiles.follow(layer)
    except ChengtuError as error:
        LOGGER.warning("files of tiles of %s cannot be kept right: %s", layer.id, error)
