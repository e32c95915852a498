"""Low zooms are generalised: covered, shared out fairly, within the budget, the same every time, and true after edits."""

import os
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import psycopg
import pytest
import shapely
from psycopg.rows import dict_row

from core.database import connect
from core.settings import Settings
from loaders import Options, load, remove
from server.levels import finisher
from tests.conftest import _database as fresh_database
from tests.levels_city import USES, buildings, parcels, points, roads, write
from tiles.levels import catch_up

HALF_WORLD = 20037508.342789244
BUDGET, ZIPPED = 30_000, 12_000

Publish = Callable[..., None]


def publisher(dsn: str, folder: Path) -> Publish:
    """Load a frame as a data set, with the tests' small budget: publish(frame, id)."""
    settings = Settings(database_url=dsn, var=folder, tile_budget=BUDGET, tile_budget_gzip=ZIPPED)

    def it(frame: gpd.GeoDataFrame, id_: str = "some", *, finish: bool = True) -> None:
        load(
            write(frame, folder / f"{id_}.gpkg"),
            dsn,
            Options(id=id_, key="no"),
            scratch=folder / "scratch",
            archive_limit=10**9,
            finish=finisher(settings) if finish else None,
        )

    return it


@pytest.fixture
def publish(database: str, tmp_path: Path) -> Publish:
    """A loader into a database of the test's own."""
    return publisher(database, tmp_path)


@pytest.fixture(scope="module")
def made(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with parcels, streets, houses and points that tests only read."""
    with fresh_database(server_dsn, f"chengtu_levels_{os.getpid()}", template) as dsn:
        publish = publisher(dsn, tmp_path_factory.mktemp("levels"))
        publish(parcels())
        publish(parcels(street=15), "streets")
        publish(roads(), "roads")
        publish(points(20_000, 5000), "points")
        publish(buildings(20_000, 2000), "houses")
        yield dsn


def ask(dsn: str, statement: str, *values: object) -> list[dict[str, Any]]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]


def change(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def refresh(dsn: str, id_: str = "some") -> None:
    with connect(dsn) as connection:
        catch_up(connection, id_)


def levels(dsn: str, id_: str = "some") -> dict[str, Any]:
    found: dict[str, Any] = ask(dsn, "select levels from chengtu.dataset where id = %s", id_)[0]["levels"]
    return found


def shapes(dsn: str, zoom: int, id_: str = "some") -> np.ndarray:
    """The geometries of a zoom in units of its tiles."""
    rows = ask(dsn, f"select st_asbinary(geom) as wkb from tiles.{id_} where zoom = %s order by row_id", zoom)
    unit = 2 * HALF_WORLD / 2 ** (zoom + 12)
    return shapely.transform(shapely.from_wkb([row["wkb"] for row in rows]), lambda xy: (xy + HALF_WORLD) / unit)


def whole_area(dsn: str, id_: str = "some") -> float:
    return float(ask(dsn, f"select sum(st_area(st_transform(geom, 3857))) as area from data.{id_}")[0]["area"])


def largest_tile(dsn: str, zoom: int, id_: str = "some") -> tuple[int, int]:
    """The bytes of the largest tile of a generalised zoom, encoded by PostGIS, and how many tiles were looked at."""
    columns = ask(
        dsn,
        "select string_agg(quote_ident(attname), ', ') as names from pg_attribute where attrelid = %s::regclass"
        " and attnum > 0 and attname not in ('zoom', 'row_id', 'parent', 'members', 'geom')",
        f"tiles.{id_}",
    )[0]["names"]
    side = 2 * HALF_WORLD / 2**zoom
    sizes = ask(
        dsn,
        f"""with boxes as (
            select distinct x, y from tiles.{id_} as t
            cross join lateral generate_series(
                floor((st_xmin(geom) + {HALF_WORLD}) / {side})::int, floor((st_xmax(geom) + {HALF_WORLD}) / {side})::int) as x
            cross join lateral generate_series(
                floor(({HALF_WORLD} - st_ymax(geom)) / {side})::int, floor(({HALF_WORLD} - st_ymin(geom)) / {side})::int) as y
            where zoom = {zoom})
        select x, y, (
            select length(st_asmvt(m, '{id_}', 4096, 'geom', 'no')) from (
                select st_asmvtgeom(t.geom, st_tileenvelope({zoom}, greatest(x, 0), greatest(y, 0)), 4096, 64) as geom, {columns}
                from tiles.{id_} as t
                where zoom = {zoom} and t.geom && st_expand(st_tileenvelope({zoom}, greatest(x, 0), greatest(y, 0)), {side} / 64)
            ) as m where m.geom is not null
        ) as size from boxes where x < 2^{zoom} and y < 2^{zoom}""",
    )
    return max(row["size"] or 0 for row in sizes), len(sizes)


def within_budget(dsn: str, id_: str = "some") -> None:
    for one in levels(dsn, id_)["zooms"]:
        assert largest_tile(dsn, one["zoom"], id_)[0] <= BUDGET, one


def class_shares(dsn: str, table: str, where: str = "true") -> dict[str, float]:
    rows = ask(dsn, f"select use_type, sum(st_area(geom)) as area from {table} where {where} group by use_type")
    total = sum(row["area"] for row in rows)
    return {row["use_type"]: row["area"] / total for row in rows}


def picture(dsn: str, id_: str = "some") -> list[dict[str, Any]]:
    """All that readers see."""
    return ask(
        dsn, f"select to_jsonb(t) - 'row_id' - 'parent' as row from tiles.{id_} as t order by zoom, st_asewkb(geom), no"
    )


def test_areas_stay_covered_down_to_the_world(made: str) -> None:
    whole = whole_area(made)
    found = levels(made)
    assert [one["zoom"] for one in found["zooms"]] == list(range(found["whole_zoom"] - 1, -1, -1))
    assert found["whole_zoom"] > 12
    for zoom in range(found["whole_zoom"] - 1, 9, -1):  # below, the city is a few pixels wide
        area = ask(made, "select sum(st_area(geom)) as area from tiles.some where zoom = %s", zoom)[0]["area"]
        assert area == pytest.approx(whole, rel=0.02), zoom
    assert ask(made, "select count(*) as n from tiles.some where zoom = 0")[0]["n"] >= 1


def test_each_class_keeps_its_share_of_the_map(made: str) -> None:
    true = class_shares(made, "data.some")
    for zoom in range(levels(made)["whole_zoom"] - 1, 10, -1):
        drawn = class_shares(made, "tiles.some", f"zoom = {zoom}")
        for use in USES:
            assert drawn.get(use, 0) == pytest.approx(true[use], abs=0.04), (zoom, use)


def test_neighbours_neither_overlap_nor_part(made: str) -> None:
    for zoom in range(levels(made)["whole_zoom"] - 1, 9, -1):
        areas = shapes(made, zoom)
        union = shapely.union_all(areas)
        assert shapely.area(union) == pytest.approx(shapely.area(areas).sum(), rel=1e-3)
        holes = shapely.polygons(shapely.get_rings(union)[1:]) if shapely.get_num_geometries(union) == 1 else []
        assert sum(map(shapely.area, holes)) < 1e-3 * shapely.area(union)


def test_rows_are_valid_and_lie_on_the_grid_of_their_zoom(made: str) -> None:
    for id_ in ("some", "streets", "roads", "points", "houses"):
        for one in levels(made, id_)["zooms"]:
            units = shapes(made, one["zoom"], id_)
            assert len(units) == one["rows"]
            assert shapely.is_valid(units).all()
            xy = shapely.get_coordinates(units)
            assert np.abs(xy - np.round(xy)).max() < 1e-5


def test_every_tile_keeps_the_budget(made: str) -> None:
    for id_ in ("some", "streets", "roads", "points", "houses"):
        within_budget(made, id_)


def test_twenty_thousand_houses_on_one_tile_are_seen_at_every_zoom(made: str) -> None:
    for one in levels(made, "houses")["zooms"]:
        assert one["rows"] > 0
        assert one["features"] == 20_000


def test_an_area_of_a_hundred_thousand_vertices_keeps_the_budget(database: str, publish: Publish) -> None:
    turn = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    reach = 2000 + 30 * np.random.default_rng(4).random(len(turn))
    star = shapely.polygons(np.column_stack([540_000 + reach * np.cos(turn), 4_850_000 + reach * np.sin(turn)]))
    publish(gpd.GeoDataFrame({"no": [1], "use_type": ["green"]}, geometry=[star], crs=4551))
    within_budget(database)
    last = shapes(database, levels(database)["whole_zoom"] - 1)
    assert len(last) == 1


def test_the_order_of_the_source_changes_nothing(database: str, publish: Publish) -> None:
    for id_, frame in (("areas", parcels(30, street=12)), ("roads", roads(25)), ("points", points(5000, 3000))):
        publish(frame, id_)
        publish(frame.sample(frac=1, random_state=5).reset_index(drop=True), f"{id_}_shuffled")
        assert levels(database, id_)["zooms"]
        assert picture(database, id_) == picture(database, f"{id_}_shuffled")


def test_a_point_that_is_shown_stays_when_one_zooms_in(made: str) -> None:
    shown: dict[int, set[int]] = {one["zoom"]: set() for one in levels(made, "points")["zooms"]}
    for row in ask(made, "select zoom, no from tiles.points"):
        shown[row["zoom"]].add(row["no"])
    zooms = sorted(shown)
    assert len(zooms) > 8
    for coarse, fine in pairwise(zooms):
        assert shown[coarse] <= shown[fine]
        assert shown[coarse]


def test_pieces_of_a_street_become_one_line(made: str) -> None:
    zoom = levels(made, "roads")["whole_zoom"] - 1
    rows = ask(made, "select name, members from tiles.roads where zoom = %s", zoom)
    assert 0 < len(rows) <= 2 * len({row["name"] for row in rows})
    assert max(row["members"] for row in rows) > 2


def test_what_features_agree_on_is_kept_when_they_are_merged(made: str) -> None:
    rows = ask(made, "select no, use_type, use_zh, members from tiles.some")
    assert all((row["no"] is None) == (row["members"] > 1) or row["no"] is None for row in rows)
    chinese = {"residential": "住宅", "commercial": "商业", "industry": "工业", "green": "绿地"}
    assert all(row["use_zh"] == chinese[row["use_type"]] for row in rows)


def test_a_small_data_set_is_whole_at_every_zoom(database: str, publish: Publish) -> None:
    publish(parcels(8))
    assert levels(database)["whole_zoom"] == 0
    assert levels(database)["zooms"] == []
    assert ask(database, "select to_regclass('tiles.some') as t")[0]["t"] is None


def test_odd_data_is_generalised_as_well(database: str, publish: Publish) -> None:
    frame = parcels(40)
    odd = [None, shapely.Polygon(), shapely.box(500_000, 4_800_000, 600_000, 4_900_000)]
    odd += [shapely.union_all(frame.geometry.values[[0, 50, 99]]), frame.geometry.values[7]]  # parts far apart; twice
    more = {"no": range(5001, 5006), "use_type": [None] * 5, "use_zh": [None] * 5}
    publish(gpd.GeoDataFrame({**more}, geometry=odd, crs=4551).pipe(lambda extra: _joined(frame, extra)))
    within_budget(database)


def _joined(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    columns = {name: [*one[name], *other[name]] for name in ("no", "use_type", "use_zh")}
    return gpd.GeoDataFrame(columns, geometry=[*one.geometry, *other.geometry], crs=4551)


def test_what_lies_beyond_the_world_of_web_mercator_is_cut_off(database: str, publish: Publish) -> None:
    west = np.repeat(np.arange(-180, 180, 6.0), 60)
    south = np.tile(np.arange(-90, 90, 3.0), 60)
    boxes = shapely.box(west, south, west + 6, south + 3)
    frame = gpd.GeoDataFrame({"no": range(len(boxes)), "use_type": "green"}, geometry=boxes, crs=4326)
    publish(frame)
    within_budget(database)
    for row in ask(
        database,
        "select st_xmin(e) as w, st_xmax(e) as e, st_ymin(e) as s, st_ymax(e) as n from (select st_extent(geom) as e from tiles.some group by zoom) as x",
    ):
        assert max(map(abs, row.values())) <= HALF_WORLD + 1


def test_readers_never_see_rows_of_another_release(database: str, publish: Publish) -> None:
    def version(name: str) -> gpd.GeoDataFrame:
        frame = parcels(30)
        return frame.assign(use_zh=name)

    publish(version("一"))
    first = ask(database, "select release from chengtu.dataset")[0]["release"]
    seen, over = set(), threading.Event()

    def read() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not over.is_set():
                seen.update(
                    connection.execute(
                        "select d.release, t.use_zh from chengtu.dataset as d join tiles.some as t on true"
                        " where d.id = 'some' and t.zoom = 10 limit 1"
                    ).fetchall()
                )

    reader = threading.Thread(target=read)
    reader.start()
    try:
        publish(version("二"))
    finally:
        over.set()
        reader.join()
    second = ask(database, "select release from chengtu.dataset")[0]["release"]
    assert seen <= {(first, "一"), (second, "二")}
    assert (first, "一") in seen


def test_a_release_without_generalised_zooms_has_none_of_the_one_before(database: str, publish: Publish) -> None:
    publish(parcels(30))
    assert levels(database)["zooms"]
    publish(parcels(31), finish=False)
    assert levels(database) is None
    assert ask(database, "select to_regclass('tiles.some') as t")[0]["t"] is None


def test_a_data_set_that_is_removed_takes_its_zooms_along(database: str, publish: Publish) -> None:
    publish(parcels(30))
    with connect(database) as connection:
        remove(connection, "some")
    assert (
        ask(database, "select relname from pg_class where relnamespace = 'tiles'::regnamespace and relkind = 'r'") == []
    )


def test_a_load_whose_generalisation_fails_publishes_nothing(database: str, publish: Publish, tmp_path: Path) -> None:
    publish(parcels(30))
    before = (picture(database), ask(database, "select release, levels from chengtu.dataset"))

    def fail(*_: object) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load(
            write(parcels(31), tmp_path / "next.gpkg"),
            database,
            Options(id="some", key="no"),
            scratch=tmp_path / "scratch",
            archive_limit=10**9,
            finish=fail,
        )
    assert (picture(database), ask(database, "select release, levels from chengtu.dataset")) == before


def test_edits_come_into_every_zoom(database: str, publish: Publish) -> None:
    publish(parcels(44, street=15))
    change(database, "update data.some set use_type = 'green', use_zh = '绿地' where no % 44 < 11")
    change(database, "delete from data.some where no % 44 > 38")
    refresh(database)
    within_budget(database)
    true = class_shares(database, "data.some")
    for zoom in range(levels(database)["whole_zoom"] - 1, 11, -1):
        drawn = class_shares(database, "tiles.some", f"zoom = {zoom}")
        assert drawn["green"] == pytest.approx(true["green"], abs=0.05), zoom
    row = ask(database, "select change, levels_change, level_step from chengtu.dataset")[0]
    assert row == {"change": 2, "levels_change": 2, "level_step": 2}


def test_an_edit_that_is_undone_leaves_what_was(database: str, publish: Publish) -> None:
    publish(parcels(40, street=15))
    publish(points(8000, 3000), "points")
    publish(roads(25), "roads")
    for id_ in ("some", "points", "roads"):
        count = f"select zoom, count(*) as n, sum(members)::int as members from tiles.{id_} group by zoom order by zoom"
        area = f"select sum(st_area(geom) + st_length(geom)) as size from tiles.{id_} where zoom > 9"
        before, size, seen = ask(database, count), ask(database, area)[0]["size"], picture(database, id_)
        names = ask(
            database,
            "select string_agg(quote_ident(attname), ', ') as n from pg_attribute where attrelid = %s::regclass"
            " and attnum > 0 and not attisdropped and attgenerated = ''",
            f"data.{id_}",
        )[0]["n"]
        change(database, f"create table public.kept as select {names} from data.{id_} where no between 400 and 420")
        change(database, f"delete from data.{id_} where no between 400 and 420")
        refresh(database, id_)
        assert picture(database, id_) != seen
        change(database, f"insert into data.{id_} ({names}) select {names} from public.kept; drop table public.kept")
        refresh(database, id_)
        after = ask(database, count)
        assert [row["members"] for row in after] == [row["members"] for row in before]
        assert [row["n"] for row in after] == pytest.approx([row["n"] for row in before], rel=0.05, abs=3)
        assert ask(database, area)[0]["size"] == pytest.approx(size, rel=0.01)


def test_points_after_edits_are_those_that_a_load_would_show(database: str, publish: Publish) -> None:
    frame = points(4000, 3000)
    publish(frame)
    change(database, "delete from data.some where no % 97 = 0")
    change(database, "update data.some set name = '新' where no % 23 = 0")
    refresh(database)
    patched = picture(database)
    fresh = frame[frame["no"] % 97 != 0].copy()
    fresh.loc[fresh["no"] % 23 == 0, "name"] = "新"
    publish(fresh, "fresh")
    assert [one["coarseness"] for one in levels(database, "fresh")["zooms"]] == [
        one["coarseness"] for one in levels(database)["zooms"]
    ]
    assert patched == picture(database, "fresh")


def test_a_change_is_told_with_its_place_and_zoom(database: str, publish: Publish) -> None:
    publish(parcels(street=15))
    where = ask(
        database,
        "select st_x(p) as x, st_y(p) as y from (select st_transform(st_centroid(geom), 4326) as p from data.some where no = 1000) as q",
    )[0]
    change(database, "delete from data.some where no = 1000")
    refresh(database)
    step = ask(database, "select level_step from chengtu.dataset")[0]["level_step"]
    told = ask(database, "select zoom, box from chengtu.level_change where step = %s", step)
    finest = [row["box"] for row in told if row["zoom"] == levels(database)["whole_zoom"] - 1]
    assert any(w <= where["x"] <= e and s <= where["y"] <= n for w, s, e, n in finest)
    assert all(e - w < 0.02 for w, _, e, _ in finest)


def test_two_who_catch_up_at_once_do_it_once(database: str, publish: Publish) -> None:
    publish(parcels(30, street=12))
    change(database, "delete from data.some where no = 100")
    callers = [threading.Thread(target=refresh, args=(database,)) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert ask(database, "select level_step from chengtu.dataset")[0]["level_step"] == 2


def test_many_changes_rebuild_all_zooms(database: str, publish: Publish) -> None:
    publish(parcels(46, street=12))
    change(database, "update data.some set use_type = 'green', use_zh = '绿地'")
    refresh(database)
    assert set(class_shares(database, "tiles.some")) == {"green"}
    told = ask(database, "select zoom, box from chengtu.level_change")
    assert {row["zoom"] for row in told} == {one["zoom"] for one in levels(database)["zooms"]}
    within_budget(database)


def test_a_truncated_data_set_is_empty_at_every_zoom(database: str, publish: Publish) -> None:
    publish(points(6000, 3000))
    change(database, "truncate data.some")
    refresh(database)
    assert levels(database)["zooms"] == []
