"""Writes the tiles of data sets into an archive or a directory, all of one state of the data.

The tiles are made into a work on disk. When all are there, the change log tells what has changed meanwhile, and these are
made anew, until nothing has; then the work is written out under its name at once.
"""

import json
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from psycopg import errors

from core.catalogue import BBox, joined
from core.changes import Standing, positions
from core.database import AsyncPool
from core.errors import ChengtuError
from core.language import Text
from tiles.archive import directory, mbtiles, pmtiles
from tiles.archive.work import Counts, Work
from tiles.expiry import changed_since
from tiles.layer import TileLayer
from tiles.matrix import WEB_MERCATOR_QUAD, MatrixSet, Tile
from tiles.pyramid import Progress, Pyramid, holds_anything, walk
from tiles.queries import Wanted
from tiles.reader import Budget, make, zip_
from tiles.service import CatchUp

_ROUNDS: Final = 50
_ARCHIVES: Final = {".pmtiles": pmtiles.write, ".mbtiles": mbtiles.write}

type Json = dict[str, Any]
type ReadLayers = Callable[[], Awaitable[Sequence[TileLayer]]]  # as the catalogue has them now
type Describe = Callable[[Sequence[TileLayer]], Json]  # their TileJSON


class OnlyMercator(ChengtuError):
    """An archive of a matrix set that its format cannot tell of."""

    en = (
        "{name} holds tiles of WebMercatorQuad alone: it has no place to name another set. Export {set} to a directory."
    )
    zh = "{name} 只能存放 WebMercatorQuad 的瓦片,其格式无法标明其他矩阵集。请将 {set} 导出为目录。"
    exit_code = 2


class NotOurs(ChengtuError):
    """A place where something else is."""

    en = "{target} is there already, and no export has made it. Choose another name, or remove it."
    zh = "{target} 已存在,且不是由导出生成的。请换一个名称,或先删除它。"
    exit_code = 2


class BadZooms(ChengtuError):
    """Zooms that the matrix set does not have."""

    en = "{set} has zooms {first} to {last}; --min-zoom may not exceed --max-zoom."
    zh = "{set} 的级别为 {first} 至 {last},且 --min-zoom 不得大于 --max-zoom。"
    exit_code = 2


class NothingThere(ChengtuError):
    """No tile has anything in it."""

    en = "There is nothing to export: no feature lies within these zooms and this box."
    zh = "没有可导出的内容:所选级别和范围内没有任何要素。"
    exit_code = 2


class AlwaysChanging(ChengtuError):
    """The data change faster than tiles are made."""

    en = "The data kept changing while the tiles were made. Export again when fewer edits come; what is made is kept."
    zh = "生成瓦片期间数据持续变化。请在编辑较少时重新导出,已生成的部分会保留。"
    exit_code = 1


class Wish(NamedTuple):
    """What is to be exported, and whereto."""

    target: Path
    matrix_set: MatrixSet
    zooms: range
    box: BBox | None
    budget: Budget
    jobs: int

    def check(self) -> None:
        """Refuse what cannot be done, before anything is."""
        known = self.matrix_set.matrices
        if not self.zooms or self.zooms[0] not in known or self.zooms[-1] not in known:
            raise BadZooms(set=self.matrix_set.id, first=min(known), last=max(known))
        if self.target.suffix in _ARCHIVES and self.matrix_set.id != WEB_MERCATOR_QUAD:
            raise OnlyMercator(name=self.target.name, set=self.matrix_set.id)
        if not self._may_be_replaced():
            raise NotOurs(target=self.target)

    def _may_be_replaced(self) -> bool:
        """An archive may, and a directory of tiles; nothing else."""
        if not self.target.exists():
            return True
        if self.target.suffix in _ARCHIVES:
            return self.target.is_file()
        return self.target.is_dir() and ((self.target / directory.METADATA).exists() or not any(self.target.iterdir()))

    def text(self, layers: Sequence[TileLayer]) -> str:
        """A text that is the same as long as the same tiles are wanted."""
        recipes = [(one.id, one.recipe) for one in layers]
        return json.dumps([self.matrix_set.id, self.zooms[0], self.zooms[-1], self.box, self.budget, recipes])


class Exported(NamedTuple):
    """What has been written."""

    counts: Counts
    positions: dict[str, Standing]
    resumed: bool
    rounds: int


class Surroundings(NamedTuple):
    """What an export needs of others."""

    pool: AsyncPool
    read_layers: ReadLayers
    catch_up: CatchUp
    describe: Describe
    tell: Progress
    say: Callable[[Text], None]


async def export(wish: Wish, around: Surroundings) -> Exported:
    """Make what is missing and write it out; whoever was killed before goes on."""
    wish.check()
    await around.read_layers()  # which may not be there
    with Work(wish.target) as work:
        exporting = _Export(wish, around, work)
        await exporting.make()
        done = Exported(work.counts(), work.standings, exporting.resumed, exporting.rounds)
        if not done.counts.tiles:
            work.remove()
            raise NothingThere
        _write_out(wish, work, _about(wish, around.describe(exporting.layers), exporting.layers, done.positions))
        work.remove()
    return done


class _Export:
    """One run."""

    def __init__(self, wish: Wish, around: Surroundings, work: Work) -> None:
        self.layers: Sequence[TileLayer] = ()
        self.resumed, self.rounds = False, 0
        self._complete = False
        self._wish, self._around, self._work = wish, around, work

    async def make(self) -> None:
        """Round by round, until a round has ended with the data as they were at its beginning."""
        while self.rounds < _ROUNDS:
            now = await self._begin()
            if self.rounds and now == self._work.standings and self._complete:
                return
            await self._forget_changed(now)
            self._complete = await self._walk()
            self.rounds += 1
        raise AlwaysChanging

    async def _begin(self) -> dict[str, Standing]:
        """How the data stand; the work is begun, gone on with, or begun anew."""
        around = self._around
        self.layers = await around.read_layers()
        for layer in self.layers:
            await around.catch_up(layer)
        now = await positions(around.pool, [one.id for one in self.layers])
        kept = self._work.begin(self._wish.text(self.layers), now)
        if not self.rounds:
            self.resumed = kept
        elif not kept:
            self._complete = False
            around.say(_RELOADED)
        return now

    async def _forget_changed(self, now: Mapping[str, Standing]) -> None:
        """Let go of the tiles that changed since the work stood."""
        before = self._work.standings
        if before == now:
            return
        ids = ", ".join(one.id for one in self.layers if before.get(one.id) != now.get(one.id))
        gone = 0
        for layer in self.layers:
            since = before.get(layer.id)
            if since == now.get(layer.id):
                continue
            touched = since and await changed_since(self._around.pool, layer, self._sets, since)
            if touched is None:
                self._work.forget_all()
                self._work.begin(self._wish.text(self.layers), now)
                self._around.say(_RELOADED)
                return
            gone += self._work.forget(touched[self._wish.matrix_set.id])
        self._work.stand(now)
        self._around.say(Text(f"{ids} changed: {gone} tiles are made anew", f"{ids} 已变化,重新生成 {gone} 个瓦片"))

    @property
    def _sets(self) -> dict[str, MatrixSet]:
        return {self._wish.matrix_set.id: self._wish.matrix_set}

    async def _walk(self) -> bool:
        """Make all tiles that are missing; whether the tables stayed as the catalogue said."""
        extent = joined([one.dataset.extent for one in self.layers if one.dataset.extent is not None])
        pyramid = Pyramid(self._wish.matrix_set, self._wish.zooms, extent, self._wish.box)
        try:
            await walk(pyramid, self._visit, self._wish.jobs, self._around.tell)
        except (errors.UndefinedTable, errors.UndefinedColumn):
            return False  # another release came with other columns
        return True

    async def _visit(self, tile: Tile) -> bool:
        """Make a tile, if it is of the wanted zooms and not there yet; whether anything may be below it."""
        if tile.z < self._wish.zooms[0]:
            return await self._anything_in(tile)
        known = self._work.get(tile)
        if known is None:
            zipped = await self._made(tile)
            known = bool(zipped) or (tile.z < self._wish.zooms[-1] and await self._anything_in(tile))
            self._work.put(tile, zipped, below=known)
        return known

    async def _anything_in(self, tile: Tile) -> bool:
        return await holds_anything(self._around.pool, self.layers, self._wish.matrix_set, tile)

    async def _made(self, tile: Tile) -> bytes:
        """A tile with a layer for each data set, as the server makes it."""
        wish = self._wish
        wanted = [Wanted(one, wish.matrix_set, tile, ordered=True) for one in self.layers]
        parts = [await make(self._around.pool, one, wish.budget) for one in wanted]
        return zip_(b"".join(one.raw for one in parts))


_RELOADED = Text(
    "the data changed, too much of it to tell tile by tile: all tiles are made anew",
    "数据变化较大,无法逐瓦片更新:全部瓦片重新生成",
)


def _about(wish: Wish, tilejson: Json, layers: Sequence[TileLayer], stand: Mapping[str, Standing]) -> Json:
    """The TileJSON of the archive, and which state of the data it shows."""
    first, last = wish.zooms[0], wish.zooms[-1]
    extent = (
        wish.box or joined([one.dataset.extent for one in layers if one.dataset.extent]) or BBox(-180, -90, 180, 90)
    )
    if extent.west > extent.east:
        extent = extent._replace(west=-180, east=180)
    middle = [(extent.west + extent.east) / 2, (extent.south + extent.north) / 2, min(last, max(first, 12))]
    shown = {id_: {"release": one.release, "change": one.change} for id_, one in sorted(stand.items())}
    layered = [{**one, "minzoom": first, "maxzoom": last} for one in tilejson["vector_layers"]]
    narrowed = {"minzoom": first, "maxzoom": last, "bounds": list(extent), "center": middle, "vector_layers": layered}
    return tilejson | narrowed | {"chengtu": {"tileMatrixSet": wish.matrix_set.id, "positions": shown}}


def _write_out(wish: Wish, work: Work, about: Json) -> None:
    """Write the archive beside its place, and put it there at once."""
    finished = work.folder / f"finished{wish.target.suffix}"
    _remove(finished)
    _ARCHIVES.get(wish.target.suffix, directory.write)(finished, work, about)
    if not finished.is_dir() or not wish.target.exists():
        finished.replace(wish.target)
        return
    old = work.folder / "old"
    _remove(old)
    wish.target.replace(old)  # a directory cannot take another's place: for a moment there is none
    finished.replace(wish.target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
