"""What tiles need while the server runs: connections, the question of positions, and the cache."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from core.database import Pool, open_async_pool, query, speaking_plainly
from core.errors import BadSettings
from core.settings import Settings
from server.tiles.keeping import LevelKeeper
from tiles.cache import TileCache
from tiles.matrix import known_sets, matrix_sets
from tiles.mirror import Mirror
from tiles.positions import Positions
from tiles.reader import Budget
from tiles.service import Tiles

_CONNECTIONS: Final = 3  # of a process, to make tiles; with one more for positions


@asynccontextmanager
async def open_tiles(settings: Settings, pool: Pool) -> AsyncIterator[Tiles]:
    """The tiles of a server process, as long as it serves."""
    sets = matrix_sets(offered_sets(settings))
    dsn = settings.database_url or ""
    cache = await asyncio.to_thread(open_cache, settings, pool)
    making = await open_async_pool(dsn, settings, size=_CONNECTIONS, statement_timeout=settings.tile_timeout)
    positions = Positions(dsn)
    try:
        yield Tiles(
            making,
            positions,
            cache,
            sets,
            Budget(settings.tile_budget, settings.tile_budget_gzip),
            LevelKeeper(dsn, settings.tile_timeout),
        )
    finally:
        await asyncio.gather(making.close(), positions.close())
        cache.close()


def open_cache(settings: Settings, pool: Pool) -> TileCache:
    """The finished tiles of the database that is served."""
    mirror = Mirror(settings.tile_directory) if settings.tile_directory is not None else None
    return TileCache(settings.var / "tiles" / _identity(pool), settings.tile_cache, mirror)


def offered_sets(settings: Settings) -> tuple[str, ...]:
    """The matrix sets that the settings name; web maps need Web Mercator in any case."""
    names = tuple(
        dict.fromkeys(one.strip() for one in f"WebMercatorQuad,{settings.tile_matrix_sets}".split(",") if one.strip())
    )
    known = known_sets()
    if unknown := [name for name in names if name not in known]:
        raise BadSettings(where="CHENGTU_TILE_MATRIX_SETS", problem=f"{unknown[0]} is none of {', '.join(known)}")
    return names


def _identity(pool: Pool) -> str:
    """A short name of the database that is served."""
    with speaking_plainly(), pool.connection() as connection:
        row: Any = connection.execute(query("database_identity")).fetchone()
    return hashlib.blake2b(row["identity"].encode(), digest_size=8).hexdigest()
