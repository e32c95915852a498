"""The tiles of all data sets, as they are at the moment of asking: from the cache, or made once for all who ask."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from core.changes import Standing
from core.database import AsyncPool
from core.errors import DatabaseBusy, NoSuchDataset
from tiles.cache import CITY, Kept, Key, TileCache, is_behind
from tiles.expiry import changed_since
from tiles.layer import TileLayer
from tiles.matrix import MatrixSet, Tile
from tiles.positions import Positions
from tiles.pyramid import holds_anything
from tiles.queries import Condition, Wanted
from tiles.reader import Budget, make, unzip, zip_

_POLL: Final = 0.004  # seconds between looks at whether another process has made a tile
_LEASE: Final = 10.0  # seconds that one may take over a tile before others try as well

type CatchUp = Callable[[TileLayer], Awaitable[None]]  # brings generalised features up to the features' state


class Tiles:
    """One process's way to tiles."""

    def __init__(
        self,
        pool: AsyncPool,
        positions: Positions,
        cache: TileCache,
        sets: Mapping[str, MatrixSet],
        budget: Budget,
        catch_up: CatchUp,
    ) -> None:
        self.sets = sets
        self._pool, self._positions, self._cache, self._budget = pool, positions, cache, budget
        self._catch_up = catch_up
        self._known: dict[str, Standing] = {}  # what of each data set the cache is known to be right for
        self._levelled: dict[str, Standing] = {}  # the state that its generalised features were last known to be of
        self._recipes: dict[str, str] = {}  # that files of tiles are to be by
        self._following: dict[str, asyncio.Lock] = {}
        self._making: dict[tuple[Key, str, Standing], asyncio.Task[Kept]] = {}

    @property
    def keeps(self) -> bool:
        """Whether there may be finished tiles at all."""
        return self._cache.keeps

    async def tile(self, layer: TileLayer, matrix_set: MatrixSet, tile: Tile) -> Kept:
        """A tile of one data set that shows every change committed before this call."""
        now = await self._now([layer])
        return await self._tile(layer, matrix_set, tile, now[layer.id])

    async def cached(self, layers: Sequence[TileLayer], key: Key, recipe: str) -> Kept | None:
        """The same, of one data set or of all, only if it is there, and generalised features need no catching up."""
        now = await self._now(layers)
        zoom = self.sets[key.matrix_set].mercator_zoom(key.tile.z)
        for one in layers:
            if zoom < one.whole_from and self._levelled.get(one.id) != now[one.id]:
                return None
        return self._cache.get(key, recipe)

    async def city(self, layers: Sequence[TileLayer], matrix_set: MatrixSet, tile: Tile) -> Kept:
        """A tile with a layer for each data set."""
        now = await self._now(layers)
        zoom = matrix_set.mercator_zoom(tile.z)
        for one in layers:
            if zoom < one.whole_from and self._levelled.get(one.id) != now[one.id]:
                now[one.id] = await self._with_levels(one)
        key, recipe = Key(CITY, matrix_set.id, tile), city_recipe(layers)
        if found := self._cache.get(key, recipe):
            return found
        parts = await asyncio.gather(*(self._tile(one, matrix_set, tile, now[one.id]) for one in layers))
        raw = b"".join(one.raw or unzip(one.zipped) for one in parts)
        kept = self._kept(raw, left_out=any(one.left_out for one in parts))
        self._cache.put(key, recipe, kept, now)
        return kept

    async def filtered(self, layer: TileLayer, matrix_set: MatrixSet, tile: Tile, condition: Condition) -> Kept:
        """A tile of the features that meet a condition; made anew each time."""
        made = await make(self._pool, Wanted(layer, matrix_set, tile, condition), self._budget)
        return _kept(made.raw, b"", left_out=made.left_out)

    async def holds_anything(self, layers: Sequence[TileLayer], matrix_set: MatrixSet, tile: Tile) -> bool:
        """Whether there is anything to be made of a tile, or of those below it."""
        return await holds_anything(self._pool, layers, matrix_set, tile)

    async def follow(self, layer: TileLayer) -> None:
        """Let go of the tiles of a data set that have changed."""
        await self._now([layer])
        if not self._cache.shows_all:
            await asyncio.to_thread(self._cache.show_only, self._recipes)

    async def show_only(self, layers: Sequence[TileLayer]) -> None:
        """Have files of the tiles of these data sets alone, where there are to be files."""
        self._recipes = {CITY: city_recipe(layers), **{one.id: one.recipe for one in layers}}
        await asyncio.to_thread(self._cache.show_only, self._recipes)

    async def _now(self, layers: Sequence[TileLayer]) -> dict[str, Standing]:
        """How the data sets stand, the cache having been told."""
        now = await self._positions.now([one.id for one in layers])
        for layer in layers:
            if layer.id not in now:
                raise NoSuchDataset(id=layer.id)
            if self._known.get(layer.id) != now[layer.id]:
                await self._move_on(layer, now[layer.id])
        return now

    async def _move_on(self, layer: TileLayer, now: Standing) -> None:
        async with self._following.setdefault(layer.id, asyncio.Lock()):
            since = self._cache.standing(layer.id)
            if since is not None and is_behind(now, since):
                await self._look_back(layer, since)
            elif since != now:
                changed = await changed_since(self._pool, layer, self.sets, since) if since is not None else None
                await asyncio.to_thread(self._cache.move_on, layer.id, now, changed)
            self._known[layer.id] = now

    async def _look_back(self, layer: TileLayer, since: Standing) -> None:
        """The cache knows more than the database did: another process was quicker, or the database has lost something."""
        now = (await self._positions.now([layer.id])).get(layer.id)
        if now is not None and is_behind(now, since):
            await asyncio.to_thread(self._cache.forget, layer.id)
            await asyncio.to_thread(self._cache.move_on, layer.id, now, None)

    async def _tile(self, layer: TileLayer, matrix_set: MatrixSet, tile: Tile, now: Standing) -> Kept:
        key = Key(layer.id, matrix_set.id, tile)
        wanted = Wanted(layer, matrix_set, tile)
        if wanted.generalised and self._levelled.get(layer.id) != now:
            now = await self._with_levels(layer)
        if found := self._cache.get(key, layer.recipe):
            return found
        mine = (key, layer.recipe, now)  # only those who may see the same state share the making of a tile
        if mine not in self._making:
            self._making[mine] = task = asyncio.create_task(self._made(key, wanted))
            task.add_done_callback(lambda _: self._making.pop(mine, None))
        return await asyncio.shield(self._making[mine])

    def _kept(self, raw: bytes, zipped: bytes = b"", *, left_out: bool) -> Kept:
        """A tile as it is kept: zipped, which costs something."""
        return _kept(raw, zipped or (zip_(raw) if self._cache.keeps else b""), left_out=left_out)

    async def _with_levels(self, layer: TileLayer) -> Standing:
        """How a data set stands when its generalised features show all its changes."""
        await self._catch_up(layer)
        now = (await self._now([layer]))[layer.id]
        self._levelled[layer.id] = now
        return now

    async def _made(self, key: Key, wanted: Wanted) -> Kept:
        """Make a tile, or wait for another process that is making it."""
        if not self._cache.keeps:  # nobody could take it over
            made = await make(self._pool, wanted, self._budget)
            return self._kept(made.raw, made.zipped, left_out=made.left_out)
        recipe = wanted.layer.recipe
        deadline = time.monotonic() + 2 * _LEASE
        while not self._cache.lease(key, _LEASE):
            if time.monotonic() > deadline:
                raise DatabaseBusy(reason="a tile is being made elsewhere")
            await asyncio.sleep(_POLL)
            if not self._cache.is_leased(key) and (found := self._cache.get(key, recipe)):
                return found
        try:
            if found := self._cache.get(key, recipe):
                self._cache.release(key)
                return found
            made = await make(self._pool, wanted, self._budget)
        except BaseException:
            self._cache.release(key)
            raise
        kept = self._kept(made.raw, made.zipped, left_out=made.left_out)
        self._cache.put(key, recipe, kept, {wanted.layer.id: made.standing})
        return kept


def city_recipe(layers: Sequence[TileLayer]) -> str:
    """What a tile of several data sets is made by."""
    return hashlib.blake2b("".join(f"{one.id} {one.recipe} " for one in layers).encode(), digest_size=6).hexdigest()


def _kept(raw: bytes, zipped: bytes, *, left_out: bool) -> Kept:
    etag = hashlib.blake2b(raw, digest_size=6).hexdigest()
    return Kept(etag, time.time(), len(raw), left_out, zipped, raw)
