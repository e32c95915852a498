"""The tiles of several zooms that something may be in, and a walk through them that leaves out what is empty."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import product

from psycopg import sql

from core.catalogue import BBox
from core.crs import Srid
from core.database import AsyncPool, ask, query
from tiles.layer import TileLayer
from tiles.matrix import Limits, MatrixSet, Tile
from tiles.placing import place

type Visit = Callable[[Tile], Awaitable[bool]]  # whether something may be below
type Progress = Callable[[int, int], None]  # tiles done, and how many there are


class Pyramid:
    """The tiles of some zooms within an extent, and within a box where one is given."""

    def __init__(self, matrix_set: MatrixSet, zooms: range, extent: BBox | None, box: BBox | None) -> None:
        self.matrix_set, self.zooms = matrix_set, zooms
        levels = [z for z in sorted(matrix_set.matrices) if z < zooms.stop]
        within = {one.z: one for one in matrix_set.limits(extent, levels)}
        if box is not None:
            boxed = {one.z: one for one in matrix_set.limits(box, levels)}
            within = {z: _both(one, boxed[z]) for z, one in within.items()}
        self._limits = within

    @property
    def total(self) -> int:
        """How many tiles there are."""
        return sum(_count(self._limits[z]) for z in self.zooms if z in self._limits)

    def roots(self) -> list[Tile]:
        """The tiles of the first zoom of the matrix set: all others are below them."""
        if not self._limits:
            return []
        first = self._limits[min(self._limits)]
        return [Tile(first.z, x, y) for x, y in product(_range(first.columns), _range(first.rows))]

    def children(self, tile: Tile) -> Iterator[Tile]:
        """The four tiles of the next zoom that a tile covers, as far as they are of the pyramid."""
        if limits := self._limits.get(tile.z + 1):
            for x, y in product((2 * tile.x, 2 * tile.x + 1), (2 * tile.y, 2 * tile.y + 1)):
                if limits.holds(child := Tile(tile.z + 1, x, y)):
                    yield child

    def under(self, tile: Tile) -> int:
        """How many tiles there are below a tile, and itself."""
        found = 0
        for z in self.zooms:
            if z >= tile.z and z in self._limits:
                side = 2 ** (z - tile.z)
                columns = (tile.x * side, tile.x * side + side - 1)
                rows = (tile.y * side, tile.y * side + side - 1)
                found += _count(_both(self._limits[z], Limits(z, columns, rows)))
        return found


def _both(one: Limits, other: Limits) -> Limits:
    """The tiles within both limits; where there are none, the last comes before the first."""
    columns = max(one.columns[0], other.columns[0]), min(one.columns[1], other.columns[1])
    rows = max(one.rows[0], other.rows[0]), min(one.rows[1], other.rows[1])
    return Limits(one.z, columns, rows)


def _count(limits: Limits) -> int:
    return len(_range(limits.columns)) * len(_range(limits.rows))


def _range(ends: tuple[int, int]) -> range:
    return range(ends[0], ends[1] + 1)


async def holds_anything(pool: AsyncPool, layers: Sequence[TileLayer], matrix_set: MatrixSet, tile: Tile) -> bool:
    """Whether there are features in a tile, though they may be too small to be seen there yet."""
    for layer in layers:
        fetch = place(matrix_set, tile, Srid(layer.dataset.srid)).fetch
        table = sql.Identifier("data", layer.id)
        statement = query("holds_anything").format(table=table, fetch=query("tile_fetch"))
        if (await ask(pool, statement, {"fetch": fetch}))[0][0]:
            return True
    return False


async def walk(pyramid: Pyramid, visit: Visit, jobs: int, tell: Progress) -> None:
    """Visit the tiles zoom by zoom, several at a time; below one that has nothing below it, none."""
    walking = _Walk(pyramid, visit, tell)
    level = pyramid.roots()
    while level:
        found = await walking.through(level, jobs)
        level = [child for one in found for child in pyramid.children(one)]


class _Walk:
    def __init__(self, pyramid: Pyramid, visit: Visit, tell: Progress) -> None:
        self._pyramid, self._visit, self._tell = pyramid, visit, tell
        self._done, self._total = 0, pyramid.total

    async def through(self, level: list[Tile], jobs: int) -> list[Tile]:
        """Visit the tiles of one zoom; those that have something below them."""
        waiting, found = iter(level), list[Tile]()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(jobs):
                    group.create_task(self._work(waiting, found))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return sorted(found)

    async def _work(self, waiting: Iterator[Tile], found: list[Tile]) -> None:
        for tile in waiting:
            if await self._visit(tile):
                found.append(tile)
                self._done += tile.z in self._pyramid.zooms
            else:
                self._done += self._pyramid.under(tile)
            self._tell(self._done, self._total)
