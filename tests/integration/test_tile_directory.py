"""CHENGTU_TILE_DIRECTORY: finished tiles as files, gone as soon as they are no longer right."""

import gzip
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from core.catalogue import get_dataset
from core.changes import Standing
from core.database import connect
from core.errors import BadSettings
from loaders import remove
from tests.city import write_city
from tests.conftest import Load, service
from tests.integration.test_releases import parcels as other
from tiles.cache import CITY, Kept, Key, TileCache
from tiles.matrix import Limits, Tile
from tiles.mirror import Mirror
from tiles.portrayal import restyle

Z, X, Y = 15, 27900, 11939  # in the midst of the parcels
FAR = (15, 27902, 11938)
SET = "WebMercatorQuad"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def served(database: str, load_into: Load, tmp_path: Path, folder: Path) -> Iterator[httpx.Client]:
    for one in write_city(tmp_path)[:2]:
        load_into(one.path, id=one.id, key=one.key)
    with (
        service(database, tile_directory=str(folder), var=str(tmp_path / "var")) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield client


def file_of(folder: Path, collection: str, z: int = Z, x: int = X, y: int = Y) -> Path:
    return folder / collection / SET / str(z) / str(x) / f"{y}.mvt.gz"


def shown(client: httpx.Client, folder: Path, collection: str, place: tuple[int, int, int] = (Z, X, Y)) -> Path:
    """The file of a tile that is asked for."""
    path = file_of(folder, collection or "_city", *place)
    address = "/".join(filter(None, ("/xyz", collection, *map(str, place)))) + ".mvt"

    def asked() -> bool:
        assert client.get(address).content
        return path.exists()

    until(asked)
    return path


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_finished_tile_is_a_file_of_the_same_bytes(served: httpx.Client, folder: Path) -> None:
    for collection in ("parcels", "roads", ""):
        address = f"/xyz/{collection}/{Z}/{X}/{Y}.mvt" if collection else f"/xyz/{Z}/{X}/{Y}.mvt"
        path = shown(served, folder, collection)
        assert gzip.decompress(path.read_bytes()) == served.get(address).content
    assert not list(folder.rglob("*.half"))


def test_an_edit_removes_its_files_and_no_others_though_nobody_asks(
    served: httpx.Client, database: str, folder: Path
) -> None:
    here, city, far, roads = (
        shown(served, folder, "parcels"),
        shown(served, folder, ""),
        shown(served, folder, "parcels", FAR),
        shown(served, folder, "roads"),
    )
    with psycopg.connect(database) as connection:
        changed = connection.execute(
            "update data.parcels set land_class = 'new' where parcel_no = (select parcel_no from data.parcels where"
            " st_transform(geom, 3857) && st_expand(st_centroid(st_tileenvelope(15, %s, %s)), 100) limit 1)",
            (X, Y),
        )
        assert changed.rowcount == 1
    until(lambda: not here.exists() and not city.exists())
    assert far.exists()
    assert roads.exists()
    assert b"new" in served.get(f"/xyz/parcels/{Z}/{X}/{Y}.mvt").content
    until(here.exists)
    assert b"new" in gzip.decompress(here.read_bytes())


def test_a_style_a_release_and_a_removal_remove_theirs(
    served: httpx.Client, database: str, load_into: Load, folder: Path, tmp_path: Path
) -> None:
    here, roads = shown(served, folder, "parcels"), shown(served, folder, "roads")
    own = {"version": 8, "layers": [{"id": "a", "type": "fill", "filter": ["==", ["get", "surveyed"], "x"]}]}
    with connect(database) as connection:
        restyle(connection, get_dataset(connection, "parcels"), own)
    until(lambda: not here.exists())
    assert roads.exists()
    shown(served, folder, "parcels")
    load_into(other(tmp_path / "new.gpkg", {1: "甲"}), id="parcels", key="no")
    until(lambda: not here.exists())
    with connect(database) as connection:
        remove(connection, "roads")
    until(lambda: not (folder / "roads").exists())
    assert served.get(f"/xyz/roads/{Z}/{X}/{Y}.mvt").status_code == 404


def test_what_changed_while_nobody_served_is_gone_at_the_start(
    database: str, load_into: Load, tmp_path: Path, folder: Path
) -> None:
    load_into(write_city(tmp_path)[0].path, id="parcels", key="parcel_no")
    settings = {"tile_directory": str(folder), "var": str(tmp_path / "var"), "workers": "1"}
    with service(database, **settings) as url, httpx.Client(base_url=url) as client:
        here, far = shown(client, folder, "parcels"), shown(client, folder, "parcels", FAR)
    with psycopg.connect(database) as connection:
        connection.execute(
            "delete from data.parcels where st_transform(geom, 3857) @ st_tileenvelope(15, %s, %s)", (X, Y)
        )
    with service(database, **settings):
        until(lambda: not here.exists())
        assert far.exists()


def test_a_cache_that_was_full_before_shows_its_tiles_when_they_are_asked_for(
    database: str, load_into: Load, tmp_path: Path, folder: Path
) -> None:
    load_into(write_city(tmp_path)[0].path, id="parcels", key="parcel_no")
    with service(database, var=str(tmp_path / "var"), workers="1") as url:
        httpx.get(f"{url}/xyz/parcels/{Z}/{X}/{Y}.mvt")
    settings = {"tile_directory": str(folder), "var": str(tmp_path / "var"), "workers": "1"}
    with service(database, **settings) as url, httpx.Client(base_url=url) as client:
        assert shown(client, folder, "parcels").exists()


def kept(zipped: bytes = b"zipped", etag: str = "00cbc7300791") -> Kept:
    return Kept(etag, 1.0, 10, False, zipped)


NOW = Standing(1, 0, 0)
RECIPE = "aaaaaaaaaaaa"
KEY = Key("parcels", SET, Tile(3, 4, 5))


@pytest.fixture
def cache(tmp_path: Path, folder: Path) -> Iterator[TileCache]:
    with TileCache(tmp_path / "cache", 10_000_000, Mirror(folder)) as cache:
        cache.show_only({"parcels": RECIPE, CITY: RECIPE})
        cache.move_on("parcels", NOW, None)
        yield cache


def test_a_tile_by_an_older_recipe_gets_no_file(cache: TileCache, folder: Path) -> None:
    cache.put(KEY, "bbbbbbbbbbbb", kept(), {"parcels": NOW})
    assert not file_of(folder, "parcels", 3, 4, 5).exists()
    cache.put(KEY, RECIPE, kept(), {"parcels": NOW})
    assert file_of(folder, "parcels", 3, 4, 5).exists()
    cache.show_only({"parcels": "cccccccccccc", CITY: RECIPE})
    assert not (folder / "parcels").exists()


def test_an_empty_tile_gets_no_file_and_takes_the_place_of_one(cache: TileCache, folder: Path) -> None:
    cache.put(KEY, RECIPE, kept(), {"parcels": NOW})
    cache.put(KEY, RECIPE, kept(b""), {"parcels": NOW})
    assert not file_of(folder, "parcels", 3, 4, 5).exists()


def test_a_tile_made_of_older_data_gets_no_file(cache: TileCache, folder: Path) -> None:
    cache.move_on("parcels", Standing(1, 1, 0), {SET: []})
    assert cache.put(KEY, RECIPE, kept(), {"parcels": NOW}) is False
    assert not file_of(folder, "parcels", 3, 4, 5).exists()


def test_a_file_whose_writer_died_before_the_cache_knew_goes_like_the_others(cache: TileCache, folder: Path) -> None:
    for tile in (Tile(12, 3000, 1500), Tile(12, 3000, 1600), Tile(12, 3100, 1500)):
        Mirror(folder).write("parcels", SET, tile, b"x", "00")
    cache.move_on("parcels", Standing(1, 1, 0), {SET: [Limits(12, (2950, 3050), (1450, 1550))]})
    left = sorted(int(one.name.split(".")[0]) for one in folder.rglob("*.mvt.gz"))
    assert left == [1500, 1600]


def test_a_tile_that_had_to_make_room_loses_its_file(tmp_path: Path, folder: Path) -> None:
    with TileCache(tmp_path / "cache", 10_000_000, Mirror(folder)) as cache:
        cache.show_only({"parcels": RECIPE})
        for x in range(30):
            cache.put(Key("parcels", SET, Tile(9, x, 0)), RECIPE, kept(os.urandom(400_000)), {"parcels": NOW})
        assert len(cache) == len(list(folder.rglob("*.mvt.gz"))) < 30


def test_files_that_another_process_did_not_care_for_all_go(tmp_path: Path, folder: Path) -> None:
    """One without the setting has moved the cache on: whatever it removed has no file any more either."""
    mirror = Mirror(folder)
    with TileCache(tmp_path / "cache", 10_000_000, mirror) as cache:
        cache.show_only({"parcels": RECIPE})
        cache.put(KEY, RECIPE, kept(), {"parcels": NOW})
        assert cache.shows_all
    with TileCache(tmp_path / "cache", 10_000_000) as other_one:
        other_one.move_on("parcels", Standing(1, 1, 0), {SET: [Limits(3, (4, 4), (5, 5))]})
    with TileCache(tmp_path / "cache", 10_000_000, mirror) as cache:
        assert not cache.shows_all
        cache.put(KEY, RECIPE, kept(), {"parcels": Standing(1, 1, 0)})
        cache.show_only({"parcels": RECIPE})
        assert cache.shows_all
        assert not file_of(folder, "parcels", 3, 4, 5).exists()
        assert cache.get(KEY, RECIPE) is not None
        assert file_of(folder, "parcels", 3, 4, 5).exists()


def test_the_time_of_a_file_tells_its_content(folder: Path) -> None:
    mirror = Mirror(folder)
    times = []
    for etag in ("00cbc7300791", "00cbc7300792", "00cbc7300791"):
        mirror.write(*KEY, b"x", etag)
        times.append(file_of(folder, "parcels", 3, 4, 5).stat().st_mtime)
    assert times[0] == times[2] != times[1]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", "utf-8")
    with pytest.raises(BadSettings, match="something else"):
        Mirror(tmp_path)
    Mirror(tmp_path / "new")
    assert Mirror(tmp_path / "new").stamp is None
