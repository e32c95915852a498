"""`chengtu tiles`: archives of tiles, and the cache of them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.language import spoken
from core.settings import Settings
from server.console import as_json, database, progress_bar, say, show, show_json, words

if TYPE_CHECKING:
    from core.database import Pool
    from tiles.export import Exported
    from tiles.layer import TileLayer

_TIMEOUT = 120.0  # seconds that making a tile may take: nobody waits for it

_collections = click.option(
    "--collection",
    "ids",
    multiple=True,
    metavar="ID",
    help=words("This data set; may be repeated, each is a layer.", "指定数据集,可重复,每个为一个图层。"),
)
_city = click.option("--city", is_flag=True, help=words("All data sets, which is the default.", "全部数据集(缺省)。"))
_set = click.option(
    "--set",
    "set_",
    default="WebMercatorQuad",
    show_default=True,
    metavar="NAME",
    help=words(
        "The tile matrix set; archives take WebMercatorQuad alone.", "瓦片矩阵集;归档文件仅支持 WebMercatorQuad。"
    ),
)
_first = click.option(
    "--min-zoom", type=click.IntRange(0, 30), default=0, show_default=True, help=words("First zoom.", "起始级别。")
)
_last = click.option(
    "--max-zoom", type=click.IntRange(0, 30), default=14, show_default=True, help=words("Last zoom.", "终止级别。")
)
_bbox = click.option(
    "--bbox",
    metavar="W,S,E,N",
    help=words("Only tiles that touch this box, in degrees.", "仅导出与该范围(度)相交的瓦片。"),
)


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which tiles are meant."""
    for option in (_bbox, _last, _first, _set, _city, _collections):
        command = option(command)
    return command


@click.group(help=words("Write tiles into archives, and look after their cache.", "导出瓦片归档,管理瓦片缓存。"))
def tiles() -> None:
    """Tiles as files."""


@tiles.command(
    help=words(
        "Write the tiles of data sets into TARGET: an archive (.pmtiles, .mbtiles) or a directory. All show one state"
        " of the data. Stopped at any moment, the same command goes on where it was.",
        "将数据集的瓦片写入 TARGET:归档文件(.pmtiles、.mbtiles)或目录。全部瓦片反映同一数据状态;"
        "任何时刻中断后,重新执行同一命令即可继续。",
    )
)
@click.argument("target", type=click.Path(path_type=Path))
@_choosing
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help=words("Tiles made at once.", "同时生成的瓦片数。"),
)
@as_json
@click.pass_obj
def export(settings: Settings, /, target: Path, jobs: int, as_json: bool, **given: Any) -> None:  # noqa: ANN401 — click's
    """Make, and report."""
    started = time.monotonic()
    with database(settings) as dsn, progress_bar(target.name, quiet=as_json) as tell:
        done = asyncio.run(_export(_at(settings, dsn), target, jobs, given, lambda *counts: tell("tiles", *counts)))
    facts = _facts(target, done, time.monotonic() - started)
    if as_json:
        show_json(facts)
        return
    show([_sentence(facts)])


async def _export(
    settings: Settings, target: Path, jobs: int, given: dict[str, Any], tell: Callable[[int, int], None]
) -> "Exported":
    from core.database import open_async_pool  # noqa: PLC0415 — see server/console.py
    from server.tiles.keeping import LevelKeeper  # noqa: PLC0415
    from tiles.export import Surroundings, Wish, export  # noqa: PLC0415
    from tiles.reader import Budget  # noqa: PLC0415

    read_layers = _reader(settings, given["ids"], city=given["city"])
    zooms = range(given["min_zoom"], given["max_zoom"] + 1)
    budget = Budget(settings.tile_budget, settings.tile_budget_gzip)
    wish = Wish(target, _matrix_set(settings, given["set_"]), zooms, _box(given["bbox"]), budget, jobs)
    wish.check()
    dsn = settings.database_url or ""
    pool = await open_async_pool(dsn, settings, size=jobs, statement_timeout=_TIMEOUT)
    try:
        describe = _describer(settings, city=not given["ids"])
        return await export(wish, Surroundings(pool, read_layers, LevelKeeper(dsn, None), describe, tell, say))
    finally:
        await pool.close()


@tiles.command(
    help=words(
        "Make the tiles of data sets before anybody asks, into the cache of the service.",
        "预先生成数据集的瓦片,存入服务的缓存。",
    )
)
@_choosing
@as_json
@click.pass_obj
def seed(settings: Settings, /, as_json: bool, **given: Any) -> None:  # noqa: ANN401 — click's
    """Fill, and report."""
    started = time.monotonic()
    with database(settings) as dsn, progress_bar(words("cache", "缓存"), quiet=as_json) as tell:
        made = asyncio.run(_seed(_at(settings, dsn), given, lambda *counts: tell("tiles", *counts)))
    seconds = time.monotonic() - started
    if as_json:
        show_json({"tiles": made, "seconds": round(seconds, 1)})
        return
    show([words(f"{made} tiles are in the cache; {seconds:.1f} s", f"缓存中已有 {made} 个瓦片;用时 {seconds:.1f} 秒")])


async def _seed(settings: Settings, given: dict[str, Any], tell: Callable[[int, int], None]) -> int:
    from core.database import open_pool  # noqa: PLC0415
    from server.tiles.opening import open_tiles  # noqa: PLC0415
    from tiles.seeding import seed  # noqa: PLC0415

    layers = await _reader(settings, given["ids"], city=given["city"])()
    matrix_set = _matrix_set(settings, given["set_"])
    zooms = range(given["min_zoom"], given["max_zoom"] + 1)
    with open_pool(settings.database_url or "", settings) as pool:
        async with open_tiles(settings, pool) as service:
            return await seed(service, layers, matrix_set, zooms, _box(given["bbox"]), tell)


@tiles.command(help=words("How large the cache of tiles is.", "瓦片缓存的大小。"))
@as_json
@click.pass_obj
def info(settings: Settings, as_json: bool) -> None:
    """By data set; the city's own tiles are called so."""
    from server.tiles.opening import open_cache  # noqa: PLC0415

    with database(settings) as dsn, _pool(_at(settings, dsn)) as pool, open_cache(settings, pool) as cache:
        counts, size = cache.counts(), cache.size
    if as_json:
        show_json({"bytes": size, "limit": settings.tile_cache, "tiles": counts})
        return
    lines = [f"{id_ or words('(city)', '(全市)')}: {count}" for id_, count in counts.items()]
    total = words(f"{size} of {settings.tile_cache} bytes", f"{size} / {settings.tile_cache} 字节")
    show([*lines, total])


@tiles.command(help=words("Empty the cache of tiles, or that of a data set.", "清空瓦片缓存,或清空某个数据集的缓存。"))
@_collections
@click.pass_obj
def clear(settings: Settings, ids: tuple[str, ...]) -> None:
    """The service makes them anew when it is asked."""
    from server.tiles.opening import open_cache  # noqa: PLC0415

    with database(settings) as dsn, _pool(_at(settings, dsn)) as pool, open_cache(settings, pool) as cache:
        before = len(cache)
        for id_ in ids or cache.counts():
            cache.forget(id_)
        gone = before - len(cache)
    show([words(f"{gone} tiles are removed", f"已删除 {gone} 个瓦片")])


def _at(settings: Settings, dsn: str) -> Settings:
    """The settings with the database that is at work now."""
    return settings.model_copy(update={"database_url": dsn})


def _pool(settings: Settings) -> "Pool":
    from core.database import open_pool  # noqa: PLC0415

    return open_pool(settings.database_url or "", settings)


def _reader(settings: Settings, ids: Sequence[str], *, city: bool) -> Callable[[], Any]:
    """What reads the layers that are wanted, as the catalogue has them at the time."""
    from core.catalogue import list_datasets  # noqa: PLC0415
    from core.database import connect  # noqa: PLC0415
    from core.errors import NoSuchDataset  # noqa: PLC0415
    from tiles.layer import TileLayer  # noqa: PLC0415

    if ids and city:
        raise click.UsageError(
            words("--city is all of them: leave out --collection", "--city 即全部,请勿同时指定 --collection")
        )

    def read() -> "list[TileLayer]":
        with connect(settings.database_url or "") as connection:
            known = {one.id: TileLayer(one) for one in list_datasets(connection) if one.healthy}
        for id_ in ids:
            if id_ not in known:
                raise NoSuchDataset(id=id_)
        return [known[id_] for id_ in dict.fromkeys(ids)] if ids else list(known.values())

    async def read_layers() -> "list[TileLayer]":
        return await asyncio.to_thread(read)

    return read_layers


def _describer(settings: Settings, *, city: bool) -> "Callable[[Sequence[TileLayer]], dict[str, Any]]":
    """What tells of the tiles as the service does."""
    from core.catalogue import joined  # noqa: PLC0415
    from core.language import Text  # noqa: PLC0415
    from features.documents import Site  # noqa: PLC0415
    from server.service import read_service  # noqa: PLC0415
    from server.tiles.documents import of_city, of_collection, tile_json  # noqa: PLC0415

    service = read_service(settings.config).metadata.identification

    def describe(layers: "Sequence[TileLayer]") -> dict[str, Any]:
        if len(layers) == 1:
            source = of_collection(layers[0])
        else:
            extent = joined([one.dataset.extent for one in layers if one.dataset.extent])
            titles = [one.dataset.title for one in layers]
            together = Text(", ".join(one.en for one in titles), "、".join(one.zh for one in titles))
            title = service.title.text if city else together
            source = of_city(layers, extent, title, service.description.text if city else Text("", ""))
        return tile_json(source, Site(settings.base_url, spoken.get(), {}))

    return describe


def _matrix_set(settings: Settings, name: str) -> Any:  # noqa: ANN401 — a MatrixSet, whose module is imported late
    from server.tiles.opening import offered_sets  # noqa: PLC0415
    from tiles.matrix import NoSuchMatrixSet, matrix_sets  # noqa: PLC0415

    sets = matrix_sets(offered_sets(settings))
    if name not in sets:
        raise NoSuchMatrixSet(id=name[:60], known=", ".join(sets))
    return sets[name]


def _box(given: str | None) -> Any:  # noqa: ANN401 — a BBox, likewise
    """The box that an option names."""
    from core.catalogue import BBox  # noqa: PLC0415

    if given is None:
        return None
    try:
        box = BBox(*map(float, given.split(",")))
    except (TypeError, ValueError):
        box = None
    if box is None or not (-180 <= box.west <= 180 and -180 <= box.east <= 180 and -90 <= box.south < box.north <= 90):
        raise click.UsageError(words("--bbox wants W,S,E,N in degrees", "--bbox 应为 西,南,东,北(度)"))
    return box


def _facts(target: Path, done: "Exported", seconds: float) -> dict[str, Any]:
    size = target.stat().st_size if target.is_file() else done.counts.bytes
    positions = {id_: {"release": one.release, "change": one.change} for id_, one in done.positions.items()}
    return {
        "target": str(target),
        "tiles": done.counts.tiles,
        "distinct": done.counts.distinct,
        "empty": done.counts.empty,
        "bytes": size,
        "resumed": done.resumed,
        "seconds": round(seconds, 1),
        "positions": positions,
    }


def _sentence(facts: dict[str, Any]) -> str:
    return words(
        "{target}: {tiles} tiles ({distinct} different), {bytes} bytes, {seconds} s".format(**facts),
        "{target}:{tiles} 个瓦片(内容不同的 {distinct} 个),{bytes} 字节,用时 {seconds} 秒".format(**facts),
    )
