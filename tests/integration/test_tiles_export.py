"""`chengtu tiles`: archives that hold what the service serves, all of one state, whatever happens in between."""

import asyncio
import gzip
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx
import mapbox_vector_tile
import psycopg
import pytest
from click.testing import CliRunner
from pmtiles.reader import MmapSource, Reader, all_tiles

from core.catalogue import BBox, list_datasets
from core.changes import Standing
from core.database import connect, open_async_pool
from core.errors import ChengtuError
from core.language import Text
from core.settings import ROOT, Settings
from server.commands.tiles import tiles
from tests.city import write_city
from tests.conftest import Load
from tests.integration.test_cli import Shell
from tests.integration.test_releases import parcels as other
from tests.made_data import make_dataset
from tiles.archive.work import Work
from tiles.export import Exported, Surroundings, Wish, export
from tiles.layer import TileLayer
from tiles.matrix import Tile, matrix_sets
from tiles.pyramid import Pyramid, holds_anything
from tiles.reader import Budget

MERCATOR, WORLD = matrix_sets(("WebMercatorQuad", "WorldCRS84Quad")).values()
Tell = Callable[[int, int], None]
Here = Callable[..., str]


@pytest.fixture
def city(city_database: str, tmp_path: Path) -> Shell:
    return Shell(city_database, tmp_path / "var")


@pytest.fixture
def here(city_database: str, tmp_path: Path) -> Here:
    """Runs `chengtu tiles` in this process, and returns what it tells."""

    def run(*arguments: str) -> str:
        settings = Settings(database_url=city_database, var=tmp_path / "var")
        done = CliRunner().invoke(tiles, arguments, obj=settings, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


@pytest.fixture
def parcels(database: str, load_into: Load, tmp_path: Path) -> str:
    """A database with the city's parcels, which may be changed."""
    load_into(write_city(tmp_path)[0].path, id="parcels", key="parcel_no", time="surveyed")
    return database


def exported(
    dsn: str, target: Path, tell: Tell = lambda *_: None, zooms: range = range(16), box: BBox | None = None
) -> tuple[Exported, list[str]]:
    """Export all data sets in this process; also what was said."""
    said: list[Text] = []

    async def read_layers() -> list[TileLayer]:
        with connect(dsn) as connection:
            return [TileLayer(one) for one in list_datasets(connection)]

    async def nothing(layer: TileLayer) -> None:
        pass

    def describe(layers: Any) -> dict[str, Any]:
        return {"tilejson": "3.0.0", "vector_layers": [{"id": one.id, "fields": {}} for one in layers]}

    async def run() -> Exported:
        settings = Settings(database_url=dsn)
        pool = await open_async_pool(dsn, settings, size=2, statement_timeout=60)
        try:
            wish = Wish(target, MERCATOR, zooms, box, Budget(500_000, 200_000), 2)
            return await export(wish, Surroundings(pool, read_layers, nothing, describe, tell, said.append))
        finally:
            await pool.close()

    return asyncio.run(run()), [one.en for one in said]


def tiles_in(path: Path) -> dict[tuple[int, int, int], bytes]:
    """All tiles of a PMTiles archive, as its library reads it."""
    with path.open("rb") as file:
        return dict(all_tiles(MmapSource(file)))


def decoded(zipped: bytes) -> dict[str, list[dict[str, Any]]]:
    """A tile's features by layer, in any order."""
    layers = mapbox_vector_tile.decode(gzip.decompress(zipped))
    return {name: sorted(layer["features"], key=json.dumps) for name, layer in layers.items()}


def test_pmtiles_hold_the_tiles_of_the_api(city: Shell, api: httpx.Client, tmp_path: Path) -> None:
    told = city("tiles", "export", tmp_path / "city.pmtiles", "--max-zoom", "13")
    assert (told.returncode, told.stderr) == (0, "")
    found = tiles_in(tmp_path / "city.pmtiles")
    assert {place[0] for place in found} == set(range(14))
    for (z, x, y), zipped in found.items():
        assert decoded(zipped) == decoded(gzip.compress(api.get(f"/xyz/{z}/{x}/{y}.mvt").content)), (z, x, y)
    assert not (tmp_path / "city.pmtiles.partial").exists()


def test_pmtiles_tell_what_is_in_them(city: Shell, tmp_path: Path) -> None:
    arguments = ("--collection", "parcels", "--collection", "roads", "--min-zoom", "9", "--max-zoom", "12")
    report = json.loads(city("tiles", "export", tmp_path / "two.pmtiles", *arguments, "--json").stdout)
    with (tmp_path / "two.pmtiles").open("rb") as file:
        reader = Reader(MmapSource(file))
        header, metadata = reader.header(), reader.metadata()
    assert (header["min_zoom"], header["max_zoom"], header["clustered"]) == (9, 12, True)
    assert (header["tile_type"].name, header["tile_compression"].name) == ("MVT", "GZIP")
    assert header["min_lon_e7"] / 1e7 == pytest.approx(126.4969, abs=1e-3)
    assert header["addressed_tiles_count"] == report["tiles"]
    assert [(one["id"], one["minzoom"], one["maxzoom"]) for one in metadata["vector_layers"]] == [
        ("parcels", 9, 12),
        ("roads", 9, 12),
    ]
    assert metadata["chengtu"]["positions"] == report["positions"]
    assert report["positions"].keys() == {"parcels", "roads"}
    assert metadata["name"] == "Parcels, Roads"


def test_mbtiles_hold_the_same_with_rows_from_the_south(city_database: str, tmp_path: Path) -> None:
    for name in ("a.pmtiles", "a.mbtiles"):
        exported(city_database, tmp_path / name, zooms=range(13))
    expected = {(z, x, 2**z - 1 - y): tile for (z, x, y), tile in tiles_in(tmp_path / "a.pmtiles").items()}
    database = sqlite3.connect(tmp_path / "a.mbtiles")
    rows = database.execute("select zoom_level, tile_column, tile_row, tile_data from tiles").fetchall()
    told = dict(database.execute("select name, value from metadata").fetchall())
    database.close()
    assert {row[:3]: row[3] for row in rows} == expected
    assert (told["format"], told["minzoom"], told["maxzoom"]) == ("pbf", "0", "12")
    assert "parcels" in [one["id"] for one in json.loads(told["json"])["vector_layers"]]


def test_a_directory_takes_any_set(city: Shell, api: httpx.Client, tmp_path: Path) -> None:
    target = tmp_path / "tiles"
    city("tiles", "export", target, "--collection", "parcels", "--set", "CGCS2000Quad", "--max-zoom", "12")
    files = [one.relative_to(target).as_posix() for one in target.rglob("*.mvt.gz")]
    assert len(files) > 5
    for name in files:
        z, x, y = name.removesuffix(".mvt.gz").split("/")
        served = api.get(f"/collections/parcels/tiles/CGCS2000Quad/{z}/{y}/{x}").content
        assert decoded((target / name).read_bytes()) == decoded(gzip.compress(served))
    assert json.loads((target / "metadata.json").read_text("utf-8"))["tiles"] == ["{z}/{x}/{y}.mvt.gz"]


def test_every_tile_with_a_feature_is_there_though_its_parents_are_empty(database: str, tmp_path: Path) -> None:
    """A square of a millimetre is nothing to see above, and yet a tile below."""
    corner = "126.55 43.84, 126.55000001 43.84, 126.55000001 43.84000001, 126.55 43.84000001, 126.55 43.84"
    make_dataset(database, "dust", "Polygon", 4490, [(1, f"POLYGON(({corner}))")])
    done, _ = exported(database, tmp_path / "dust.pmtiles", zooms=range(23))
    zooms = [place[0] for place in tiles_in(tmp_path / "dust.pmtiles")]
    assert 22 in zooms
    assert done.counts.empty > 0
    assert 5 not in zooms


def test_empty_subtrees_are_not_asked_for(database: str, tmp_path: Path) -> None:
    make_dataset(database, "ends", "Point", 4490, [(1, "POINT(100 20)"), (2, "POINT(130 50)")])
    done, _ = exported(database, tmp_path / "ends.pmtiles", zooms=range(13))
    assert done.counts.tiles == 2 * 13 - 3  # the two share the tiles of the first three zooms
    assert done.counts.empty < 100


def test_a_box_leaves_out_the_rest(city_database: str, tmp_path: Path) -> None:
    box = BBox(126.55, 43.83, 126.56, 43.845)
    exported(city_database, tmp_path / "all.pmtiles")
    exported(city_database, tmp_path / "part.pmtiles", box=box)
    every, some = tiles_in(tmp_path / "all.pmtiles"), tiles_in(tmp_path / "part.pmtiles")
    (limits,) = MERCATOR.limits(box, [15])
    within = {place for place in every if place[0] == 15 and limits.holds(Tile(*place))}
    assert {place for place in some if place[0] == 15} == within
    assert some.items() <= every.items()


def test_equal_tiles_are_written_once(database: str, tmp_path: Path) -> None:
    row = [(n, f"POINT({(x + 0.5) / 2**12 * 360 - 180} 0.0439)") for n, x in enumerate(range(100, 120))]
    make_dataset(database, "row", "Point", 4326, row)
    with connect(database) as connection:
        connection.execute("update data.row set fid = 1 where true")
    done, _ = exported(database, tmp_path / "row.pmtiles", zooms=range(12, 13))
    assert (done.counts.tiles, done.counts.distinct) == (20, 1)
    assert len(tiles_in(tmp_path / "row.pmtiles")) == 20
    with (tmp_path / "row.pmtiles").open("rb") as file:
        header = Reader(MmapSource(file)).header()
    assert (header["addressed_tiles_count"], header["tile_contents_count"]) == (20, 1)


def test_one_that_is_killed_goes_on_and_ends_with_the_same_bytes(city_database: str, tmp_path: Path) -> None:
    shell = Shell(city_database, tmp_path / "var")
    options = ("--collection", "parcels", "--max-zoom", "18", "--jobs", "1", "--json")
    shell("tiles", "export", tmp_path / "whole.pmtiles", *options)
    target = tmp_path / "killed.pmtiles"
    command = [ROOT / "chengtu", "tiles", "export", target, *options]
    process = subprocess.Popen(command, env=shell.environment, stdout=subprocess.DEVNULL, start_new_session=True)
    kept = _wait_for_more(process, target.with_name("killed.pmtiles.partial"), 0)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not target.exists()
    report = json.loads(shell("tiles", "export", target, *options).stdout)
    assert report["resumed"] is True
    assert report["tiles"] > kept
    assert target.read_bytes() == (tmp_path / "whole.pmtiles").read_bytes()
    assert sorted(one.name for one in tmp_path.glob("*.p*")) == ["killed.pmtiles", "whole.pmtiles"]


def _wait_for_more(process: "subprocess.Popen[bytes]", folder: Path, kept: int) -> int:
    """Until more tiles are kept than before; how many."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended before it could be killed"
        if (folder / "work.sqlite").exists():
            database = sqlite3.connect(f"file:{folder}/work.sqlite?mode=ro", uri=True)
            try:
                (count,) = database.execute("select count(*) from tile").fetchone()
            except sqlite3.OperationalError:
                count = 0
            finally:
                database.close()
            if count > kept:
                return int(count)
        time.sleep(0.01)
    pytest.fail("nothing was kept")


@pytest.mark.parametrize("ending", [".mbtiles", ".pmtiles", ""])
def test_what_changes_meanwhile_is_made_anew_so_that_all_is_of_one_state(
    parcels: str, tmp_path: Path, ending: str
) -> None:
    edits = iter(
        [
            "delete from data.parcels where parcel_no = 1",
            "update data.parcels set land_class = 'new' where parcel_no = 2500",
            "update data.parcels set geom = st_translate(geom, 20000, 20000) where parcel_no = 100",
        ]
    )

    def edit(done: int, total: int) -> None:
        if done > total // 2 and (statement := next(edits, None)):
            with psycopg.connect(parcels) as connection:
                connection.execute(statement.encode())

    done, said = exported(parcels, tmp_path / f"edited{ending}", edit)
    again, nothing = exported(parcels, tmp_path / f"again{ending}")
    assert done.positions == again.positions == {"parcels": Standing(1, 3, done.positions["parcels"].level_step)}
    assert (len(said) > 0, nothing) == (True, [])
    assert contents(tmp_path / f"edited{ending}") == contents(tmp_path / f"again{ending}")


def contents(path: Path) -> dict[str, bytes]:
    """The bytes of a file, or of all files below a folder."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return {one.relative_to(path).as_posix(): one.read_bytes() for one in files}


def test_a_release_that_comes_meanwhile_is_what_the_archive_shows(
    parcels: str, load_into: Load, tmp_path: Path
) -> None:
    loads = iter([other(tmp_path / "new.gpkg", {1: "甲", 2: "乙"})])

    def reload(done: int, total: int) -> None:
        if done > total // 2 and (path := next(loads, None)):
            load_into(path, id="parcels", key="no")

    done, said = exported(parcels, tmp_path / "a.pmtiles", reload)
    again, _ = exported(parcels, tmp_path / "b.pmtiles")
    assert done.positions["parcels"].release == again.positions["parcels"].release == 2
    assert any("anew" in one for one in said)
    assert (tmp_path / "a.pmtiles").read_bytes() == (tmp_path / "b.pmtiles").read_bytes()


def test_what_an_earlier_run_had_made_is_not_taken_for_new(parcels: str, tmp_path: Path) -> None:
    """Stopped, edited, started again: the tiles of before the edit are made anew."""

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise Stopped

    with pytest.raises(Stopped):
        exported(parcels, tmp_path / "a.pmtiles", stop)
    with psycopg.connect(parcels) as connection:
        connection.execute("delete from data.parcels where parcel_no < 100")
    done, said = exported(parcels, tmp_path / "a.pmtiles")
    exported(parcels, tmp_path / "b.pmtiles")
    assert (done.resumed, len(said)) == (True, 1)
    assert (tmp_path / "a.pmtiles").read_bytes() == (tmp_path / "b.pmtiles").read_bytes()


def test_another_wish_begins_anew(tmp_path: Path) -> None:
    with Work(tmp_path / "a.pmtiles") as work:
        assert work.begin("one", {}) is False
        work.put(Tile(0, 0, 0), b"x", below=True)
    with Work(tmp_path / "a.pmtiles") as work:
        assert work.begin("one", {}) is True
        assert work.get(Tile(0, 0, 0)) is True
        assert work.begin("other", {}) is False
        assert work.get(Tile(0, 0, 0)) is None


def test_two_processes_do_not_make_one_archive(tmp_path: Path) -> None:
    with Work(tmp_path / "a.pmtiles"), pytest.raises(ChengtuError, match="another process"):
        Work(tmp_path / "a.pmtiles")


def test_an_archive_of_another_set_is_refused_with_the_way_out(city: Shell, tmp_path: Path) -> None:
    told = city("tiles", "export", tmp_path / "a.pmtiles", "--set", "CGCS2000Quad")
    assert told.returncode == 2
    assert "directory" in told.stderr
    told = city("tiles", "export", tmp_path / "a.mbtiles", "--set", "CGCS2000Quad", LC_ALL="zh_CN.UTF-8")
    assert "导出为目录" in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--collection", "no_such"),
        ("--set", "no_such"),
        ("--min-zoom", "5", "--max-zoom", "4"),
        ("--max-zoom", "30"),
        ("--bbox", "1,2,3"),
        ("--bbox", "126,44,127,43"),
        ("--collection", "parcels", "--city"),
        ("--bbox", "0,0,1,1", "--min-zoom", "5"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    city_database: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    settings = Settings(database_url=city_database, var=tmp_path / "var")
    with pytest.raises((ChengtuError, click.UsageError)) as refused:
        tiles.main(["export", str(tmp_path / "a.pmtiles"), *arguments], obj=settings, standalone_mode=False)
    assert refused.value.exit_code == 2
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("a.")] == []


def test_a_folder_of_something_else_is_not_replaced(city: Shell, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear", "utf-8")
    told = city("tiles", "export", tmp_path / "home", "--max-zoom", "5")
    assert (told.returncode, "no export has made it" in told.stderr) == (2, True)
    assert (tmp_path / "home" / "letter.txt").read_text("utf-8") == "dear"


def test_a_second_export_takes_the_place_of_the_first(city_database: str, tmp_path: Path) -> None:
    for last in (12, 10):
        for name in ("tiles", "tiles.pmtiles"):
            exported(city_database, tmp_path / name, zooms=range(last + 1))
    assert json.loads((tmp_path / "tiles" / "metadata.json").read_text("utf-8"))["maxzoom"] == 10
    assert not (tmp_path / "tiles" / "12").exists()
    assert max(place[0] for place in tiles_in(tmp_path / "tiles.pmtiles")) == 10


def test_every_command_of_the_page_is_one(here: Here, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tiles-publish.md").read_text("utf-8")
    commands = re.findall(r"^\./chengtu tiles (.+)$", page, re.MULTILINE)
    assert len(commands) == 6
    for one in commands[:3]:
        export, target, *options = one.split()
        here(export, str(tmp_path / target), *options, "--max-zoom", "9")
        assert (tmp_path / target).exists()
    known = {option for command in tiles.commands.values() for one in command.params for option in one.opts}
    assert set(re.findall(r"(?<= |`)--[a-z-]+", page)) <= known
    assert {one.split()[0] for one in commands} == {*tiles.commands}


def test_a_pyramid_counts_its_tiles() -> None:
    pyramid = Pyramid(MERCATOR, range(3, 6), BBox(-10, -10, 50, 40), None)
    level = pyramid.roots()
    found = 0
    while level:
        found += sum(one.z in pyramid.zooms for one in level)
        level = [child for one in level for child in pyramid.children(one)]
    assert found == pyramid.total == sum(pyramid.under(one) for one in pyramid.roots())


def test_a_pyramid_of_two_roots_has_both() -> None:
    assert Pyramid(WORLD, range(2), BBox(-180, -90, 180, 90), None).roots() == [Tile(0, 0, 0), Tile(0, 1, 0)]


def test_the_cache_is_seeded_told_of_and_cleared(here: Here) -> None:
    made = json.loads(here("seed", "--collection", "parcels", "--max-zoom", "13", "--json"))
    info = json.loads(here("info", "--json"))
    assert 5 < made["tiles"] <= info["tiles"]["parcels"]
    assert set(info["tiles"]) == {"parcels"}
    assert 0 < info["bytes"] < info["limit"]
    here("seed", "--max-zoom", "3")
    every = {"", "parcels", "places", "roads", "sites_mercator", "sites_wgs84"}
    assert set(json.loads(here("info", "--json"))["tiles"]) == every
    here("clear", "--collection", "places")
    assert "places" not in json.loads(here("info", "--json"))["tiles"]
    here("clear")
    assert json.loads(here("info", "--json"))["tiles"] == {}


@pytest.mark.parametrize("z", [0, 1, 2, 3])
def test_a_tile_at_the_antimeridian_fetches_what_lies_in_it(database: str, z: int) -> None:
    make_dataset(database, "china", "Point", 4490, [(1, "POINT(126.55 43.84)")])
    with connect(database) as connection:
        layers = [TileLayer(one) for one in list_datasets(connection)]
    (limits,) = MERCATOR.limits(layers[0].dataset.extent, [z])
    tile = Tile(z, limits.columns[0], limits.rows[0])

    async def ask() -> bool:
        pool = await open_async_pool(database, Settings(database_url=database), size=1, statement_timeout=60)
        try:
            return await holds_anything(pool, layers, MERCATOR, tile)
        finally:
            await pool.close()

    assert asyncio.run(ask())
