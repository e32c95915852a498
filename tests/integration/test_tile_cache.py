"""Tiles are never stale: each shows what was committed before it was asked for, and no other is made anew for that."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import geopandas as gpd
import httpx
import morecantile
import numpy as np
import psycopg
import pytest
import shapely

from core.changes import Standing
from tests.conftest import Load, service
from tests.tiles import MERCATOR, decode, fetch
from tiles.cache import CITY, Kept, Key, TileCache
from tiles.matrix import Limits, Tile

KEY = "an-edit-key-for-tests"
HERE = (126.55, 43.84)
ZOOM = 15
STEP = 0.012  # degrees: more than a tile of the zoom


def _squares(grown: int = 0) -> gpd.GeoDataFrame:
    """Nine small squares, each in the middle of a tile of its own, one tile apart; the fifth may be larger."""
    middle = MERCATOR.tile(*HERE, ZOOM)
    places = []
    for n in range(9):
        bounds = MERCATOR.bounds(morecantile.Tile(middle.x + 2 * (n % 3), middle.y + 2 * (n // 3), ZOOM))
        places.append(((bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2))
    sides = np.array([0.0005 + (0.0002 * grown if n == 4 else 0) for n in range(9)])
    x, y = np.array(places).T
    shapes = shapely.box(x - sides, y - sides, x + sides, y + sides)
    return gpd.GeoDataFrame({"no": range(1, 10), "name": [f"地块{n}" for n in range(9)]}, geometry=shapes, crs=4490)


def _tile(n: int) -> str:
    """The address of the tile that square n lies in."""
    middle = MERCATOR.tile(*HERE, ZOOM)
    return f"/xyz/squares/{ZOOM}/{middle.x + 2 * ((n - 1) % 3)}/{middle.y + 2 * ((n - 1) // 3)}.mvt"


@pytest.fixture
def squares(load_into: Load, tmp_path: Path, database: str) -> Iterator[httpx.Client]:
    """A client of a service of nine squares, whose tiles have all been asked for."""
    _squares().to_file(tmp_path / "squares.gpkg")
    load_into(tmp_path / "squares.gpkg", id="squares", key="no", editable=True)
    with service(database, edit_key=KEY) as url, httpx.Client(base_url=url, timeout=30) as client:
        for n in range(1, 10):
            client.get(_tile(n))
        yield client


def _is_cached(client: httpx.Client, path: str) -> bool:
    return client.get(path).headers["cache-status"] == "chengtu; hit"


def _only_changed(client: httpx.Client, changed: set[int]) -> None:
    """The next request for each tile: those that changed are made anew, all others come from the cache."""
    for n in range(1, 10):
        assert _is_cached(client, _tile(n)) == (n not in changed), n


def _names(client: httpx.Client, n: int) -> list[str]:
    return [one.properties["name"] for one in fetch(client, _tile(n)).get("squares", [])]


def test_a_tile_is_made_once_and_then_comes_from_the_cache_with_the_same_tag(squares: httpx.Client) -> None:
    first = squares.get(_tile(1))
    assert first.headers["cache-status"] == "chengtu; hit"
    assert (first.headers["age"], first.headers["cache-control"]) == ("0", "no-cache")
    assert first.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    again = squares.get(_tile(1), headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = squares.get(_tile(1), headers={"Accept-Encoding": "identity"})
    assert plain.content == first.content
    assert plain.headers["etag"] != first.headers["etag"]
    assert "content-encoding" not in plain.headers


def test_sql_by_hand_is_seen_by_the_next_request_and_expires_that_tile_alone(
    squares: httpx.Client, database: str
) -> None:
    before = squares.get(_tile(5)).headers["etag"]
    with psycopg.connect(database, autocommit=True) as connection:
        for turn in range(20):
            connection.execute("update data.squares set name = %s where no = 5", [f"改{turn}"])
            assert _names(squares, 5) == [f"改{turn}"]
    assert squares.get(_tile(5)).headers["etag"] != before
    _only_changed(squares, set())


def test_what_moves_is_gone_from_its_old_tile_and_there_in_its_new_one(squares: httpx.Client, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("update data.squares set geom = (select geom from data.squares where no = 9) where no = 1")
    assert _names(squares, 1) == []
    assert sorted(_names(squares, 9)) == ["地块0", "地块8"]
    _only_changed(squares, set())


def test_edits_through_the_api_are_seen_by_the_next_request(squares: httpx.Client) -> None:
    said = {"X-API-Key": KEY, "Content-Type": "application/merge-patch+json"}
    answer = squares.patch("/collections/squares/items/3", headers=said, json={"properties": {"name": "新名"}})
    assert answer.status_code == 204, answer.text
    assert _names(squares, 3) == ["新名"]
    assert squares.delete("/collections/squares/items/7", headers={"X-API-Key": KEY}).status_code == 204
    assert _names(squares, 7) == []
    for n in (1, 2, 4, 5, 6, 8, 9):
        assert _is_cached(squares, _tile(n))


def test_a_new_release_expires_the_tiles_of_what_it_changed_alone(
    squares: httpx.Client, load_into: Load, tmp_path: Path
) -> None:
    _squares(grown=1).to_file(tmp_path / "squares.gpkg")
    load_into(tmp_path / "squares.gpkg", id="squares", key="no")
    _only_changed(squares, {5})


def test_an_update_that_is_rolled_back_expires_nothing(squares: httpx.Client, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("update data.squares set name = 'x'")
        connection.rollback()
    _only_changed(squares, set())


def test_the_citys_tile_follows_each_of_its_layers(squares: httpx.Client, database: str) -> None:
    path = _tile(5).replace("/squares", "")
    squares.get(path)
    assert _is_cached(squares, path)
    with psycopg.connect(database) as connection:
        connection.execute("update data.squares set name = '城' where no = 5")
    assert [one.properties["name"] for one in fetch(squares, path)["squares"]] == ["城"]


def test_writers_at_full_speed_never_let_a_reader_see_the_past(squares: httpx.Client, database: str) -> None:
    """While one counts up, all who ask after a commit see that number or a later one."""
    committed, seen, ended = [0], [], threading.Event()

    def write() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            for number in range(1, 150):
                connection.execute("update data.squares set name = %s where no = 5", [str(number)])
                committed[0] = number
        ended.set()

    def read() -> None:
        with httpx.Client(base_url=squares.base_url, timeout=30) as client:
            while not ended.is_set():
                least = committed[0]
                (name,) = _names(client, 5)
                seen.append(name)
                assert name == "地块4" or int(name) >= least

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(read) for _ in range(3)]
        write()
        for job in jobs:
            job.result()
    assert len(set(seen)) > 5


def test_a_hundred_who_ask_for_a_cold_tile_wait_for_one_query(squares: httpx.Client, database: str) -> None:
    """While the table is locked, the queries that wait for it can be counted: of both processes, it is one."""

    async def ask() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=squares.base_url, timeout=30, limits=limits) as client:
            return await asyncio.gather(*(client.get(_tile(5)) for _ in range(100)))

    with psycopg.connect(database, autocommit=True) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("update data.squares set name = '冷' where no = 5")
        with connection.transaction():
            connection.execute("lock table data.squares in access exclusive mode")
            asked = pool.submit(asyncio.run, ask())
            most = 0
            for _ in range(30):
                time.sleep(0.05)
                waiting = "select count(*) from pg_locks where not granted and relation = 'data.squares'::regclass"
                most = max(most, connection.execute(waiting).fetchone()[0])  # type: ignore[index]
        answers = asked.result()
    assert most == 1
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_tiles_survive_a_restart(load_into: Load, tmp_path: Path, database: str) -> None:
    _squares().to_file(tmp_path / "squares.gpkg")
    load_into(tmp_path / "squares.gpkg", id="squares", key="no")
    with service(database, var=str(tmp_path)) as url, httpx.Client(base_url=url) as client:
        tag = client.get(_tile(5)).headers["etag"]
    with psycopg.connect(database) as connection:
        connection.execute("update data.squares set name = 'neu' where no = 1")
    with service(database, var=str(tmp_path)) as url, httpx.Client(base_url=url) as client:
        again = client.get(_tile(5))
        assert (again.headers["etag"], again.headers["cache-status"]) == (tag, "chengtu; hit")
        assert _names(client, 1) == ["neu"]


def test_a_killed_process_leaves_no_damaged_tile(load_into: Load, tmp_path: Path, database: str) -> None:
    """Server processes are killed while tiles are made and stored; whatever is answered can be decoded and is complete."""
    _squares().to_file(tmp_path / "squares.gpkg")
    load_into(tmp_path / "squares.gpkg", id="squares", key="no")
    with service(database) as url, psycopg.connect(database, autocommit=True) as connection:
        answered = 0
        for turn in range(5):
            connection.execute("update data.squares set name = %s", [f"轮{turn}"])
            with ThreadPoolExecutor(8) as pool:
                asked = [pool.submit(_try, url, n) for n in range(1, 10) for _ in range(6)]
                os.kill(_a_worker(url), signal.SIGKILL)
                for job in asked:
                    for tile in job.result():
                        answered += 1
                        assert [one.properties["name"] for one in decode(tile)["squares"]] == [f"轮{turn}"]
            time.sleep(1.5)  # a killed process is replaced after a second
        assert answered > 50


def _try(url: str, n: int) -> list[bytes]:
    try:
        answer = httpx.get(url + _tile(n), timeout=10)
    except httpx.TransportError:
        return []
    return [answer.content] if answer.status_code == 200 else []


def _a_worker(url: str) -> int:
    """One of the processes that serve an address: its parent is one of the command's as well."""
    port = f"CHENGTU_PORT={url.rpartition(':')[2]}".encode()
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: -int(path.name)):
        with suppress(OSError):
            parent = (process / "stat").read_text().rsplit(")", 1)[1].split()[1]
            if all(port in Path(f"/proc/{one}/environ").read_bytes().split(b"\0") for one in (process.name, parent)):
                return int(process.name)
    pytest.fail("no server process was found")


def test_postgresql_dying_under_requests_leaves_no_damaged_tile(load_into: Load, tmp_path: Path, database: str) -> None:
    """Its back ends are ended again and again: a request is answered in full and up to date, or 503."""
    _squares().to_file(tmp_path / "squares.gpkg")
    load_into(tmp_path / "squares.gpkg", id="squares", key="no")
    end = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name like 'chengtu-%'"
    )
    with service(database) as url, psycopg.connect(database, autocommit=True) as connection:
        for turn in range(8):
            connection.execute("update data.squares set name = %s", [f"轮{turn}"])
            with ThreadPoolExecutor(8) as pool:
                asked = [pool.submit(httpx.get, url + _tile(n), timeout=20) for n in range(1, 10) for _ in range(4)]
                connection.execute(end)
                for answer in (job.result() for job in asked):
                    assert answer.status_code in (200, 503), answer.text
                    if answer.status_code == 200:
                        names = [one.properties["name"] for one in decode(answer.content)["squares"]]
                        assert names == [f"轮{turn}"]
        assert httpx.get(url + _tile(1)).status_code == 200


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[TileCache]:
    with TileCache(tmp_path / "cache", 20_000_000) as opened:
        yield opened


def _kept(size: int = 100) -> Kept:
    return Kept("0123456789ab", time.time(), size, False, os.urandom(size))


def _key(n: int, dataset: str = "a", z: int = 10) -> Key:
    return Key(dataset, "WebMercatorQuad", Tile(z, n, n))


RECIPE = "recipe-of-12"
OLD, NEW = Standing(1, 3, 0), Standing(1, 4, 0)


def test_a_tile_made_before_a_change_is_not_taken_after_it(cache: TileCache) -> None:
    cache.move_on("a", NEW, None)
    assert not cache.put(_key(1), RECIPE, _kept(), {"a": OLD})
    assert cache.get(_key(1), RECIPE) is None
    assert cache.put(_key(1), RECIPE, _kept(), {"a": NEW})


def test_a_tile_made_by_another_recipe_or_damaged_is_none(cache: TileCache) -> None:
    cache.put(_key(1), RECIPE, _kept(), {"a": OLD})
    assert cache.get(_key(1), "another-12-x") is None
    with cache._env.begin(db=cache._tiles, write=True) as transaction:
        for name, value in list(transaction.cursor()):
            transaction.put(bytes(name), bytes(value[:70]) + bytes([value[70] ^ 1]) + bytes(value[71:]))
    assert cache.get(_key(1), RECIPE) is None


def test_a_cache_stays_within_its_limit_and_lets_the_oldest_go(cache: TileCache) -> None:
    for n in range(400):
        cache.put(_key(n), RECIPE, _kept(100_000), {"a": OLD})
    assert cache.size <= 20_000_000
    assert cache.get(_key(399), RECIPE) is not None
    assert cache.get(_key(0), RECIPE) is None
    assert len(cache) > 50


def test_exactly_the_tiles_within_limits_go_and_the_citys_with_them(cache: TileCache) -> None:
    dice = np.random.default_rng(1)
    tiles = {Tile(z, int(x), int(y)) for z in (9, 10, 11) for x, y in dice.integers(0, 60, (400, 2))}
    for dataset in ("a", "ab", CITY):
        for tile in tiles:
            cache.put(Key(dataset, "WebMercatorQuad", tile), RECIPE, _kept(10), {"a": OLD})
    limits = [Limits(10, (5, 21), (30, 44)), Limits(11, (0, 3), (0, 59)), Limits(9, (59, 59), (59, 59))]
    cache.move_on("a", NEW, {"WebMercatorQuad": limits})
    for tile in tiles:
        gone = any(one.holds(tile) for one in limits)
        for dataset in ("a", CITY):
            assert (cache.get(Key(dataset, "WebMercatorQuad", tile), RECIPE) is None) == gone, (dataset, tile)
        assert cache.get(Key("ab", "WebMercatorQuad", tile), RECIPE) is not None


def test_whoever_is_behind_cannot_turn_the_clock_back(cache: TileCache) -> None:
    cache.move_on("a", NEW, None)
    cache.move_on("a", OLD, None)
    assert cache.standing("a") == NEW


def test_a_lease_ends_with_whoever_holds_it(cache: TileCache) -> None:
    assert cache.lease(_key(1), 60)
    assert not cache.lease(_key(1), 60)
    cache.release(_key(1))
    assert cache.lease(_key(1), -1)  # is over at once
    assert cache.lease(_key(1), 60)
