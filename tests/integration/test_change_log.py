"""The change log: every statement writes down which features it changed, and where; none is missed and none made up."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import geopandas as gpd
import psycopg
import pytest
import shapely
from psycopg import sql

from core.catalogue import BBox
from core.changes import LogPage, Mark, Position, level_changes, positions, read_log, trim
from core.database import AsyncPool, connect, open_async_pool, prepare
from core.settings import Settings
from loaders import remove
from tests.conftest import Load

Row = tuple[object, ...]


def written(path: Path, names: dict[object, str], at: dict[object, tuple[float, float]] | None = None) -> Path:
    """A GeoPackage of points by number, a degree apart, or elsewhere."""
    places = [(at or {}).get(no, (126 + n, 43)) for n, no in enumerate(names)]
    frame = gpd.GeoDataFrame(
        {"no": list(names), "name": list(names.values())}, geometry=shapely.points(places), crs=4490
    )
    frame.to_file(path, driver="GPKG")
    return path


@pytest.fixture
def sites(load_into: Load, tmp_path: Path) -> str:
    load_into(written(tmp_path / "sites.gpkg", {1: "甲", 2: "乙", 3: "丙"}), id="sites", key="no")
    return "sites"


@pytest.fixture
def log(database: str) -> Callable[[], list[Row]]:
    """What the log tells since the first release."""

    def read() -> list[Row]:
        with psycopg.connect(database) as connection:
            return connection.execute(
                "select change, op, key, old_box, new_box from chengtu.change_log"
                " where release > (select min(release) from chengtu.change_log) or change > 0"
                " order by release, change, key"
            ).fetchall()

    return read


def run(dsn: str, *statements: str) -> None:
    """Each in a transaction of its own."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement))  # type: ignore[arg-type]


def box(x: float, y: float = 43) -> list[float]:
    return [x, y, x, y]


NEW = "insert into data.sites (no, name, geom, ct_release) select n, '新', {geometry}, release from chengtu.dataset, {rows}"


def new(*numbers: object, geometry: str = "st_point(130, 44, 4490)") -> str:
    return NEW.format(geometry=geometry, rows=f"(values {', '.join(f'({n})' for n in numbers)}) as v (n)")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (new(8, 9), [(1, "I", "8", None, box(130, 44)), (1, "I", "9", None, box(130, 44))]),
        ("update data.sites set name = '改' where no = 1", [(1, "U", "1", box(126), box(126))]),
        ("update data.sites set geom = st_point(131, 44, 4490) where no = 2", [(1, "U", "2", box(127), box(131, 44))]),
        ("update data.sites set geom = null where no = 2", [(1, "U", "2", box(127), None)]),
        ("delete from data.sites where no > 1", [(1, "D", "2", box(127), None), (1, "D", "3", box(128), None)]),
        ("truncate data.sites", [(1, "R", None, None, None)]),
        ("update data.sites set no = 7 where no = 3", [(1, "D", "3", box(128), None), (1, "I", "7", None, box(128))]),
        (f"{new(3, 4)} on conflict do nothing", [(1, "I", "4", None, box(130, 44))]),
    ],
)
def test_each_statement_by_hand_is_told_feature_by_feature(
    database: str, sites: str, log: Callable[[], list[Row]], statement: str, told: list[Row]
) -> None:
    run(database, statement)
    assert log() == told


def test_on_conflict_do_update_tells_the_new_and_the_changed(
    database: str, sites: str, log: Callable[[], list[Row]]
) -> None:
    with psycopg.connect(database) as connection:
        table = connection.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'data.sites'::regclass"
        )
        partition = str(table.fetchone()[0])  # type: ignore[index]
    statement = f"{new(3, 4)} on conflict (no) do update set name = excluded.name"
    run(database, statement.replace("into data.sites", f"into {partition}"))
    assert {row[1:3] for row in log()} == {("U", "3"), ("I", "4")}


def test_copy_is_told(database: str, sites: str, log: Callable[[], list[Row]]) -> None:
    with psycopg.connect(database) as connection:
        release = connection.execute("select release from chengtu.dataset").fetchone()[0]  # type: ignore[index]
        with connection.cursor().copy("copy data.sites (no, name, geom, ct_release) from stdin") as copy:
            for n in (8, 9):
                copy.write_row((n, "新", "SRID=4490;POINT(130 44)", release))
    assert [row[1:3] for row in log()] == [("I", "8"), ("I", "9")]


def test_a_release_changed_by_its_own_name_is_told_as_well(
    database: str, sites: str, log: Callable[[], list[Row]]
) -> None:
    with connect(database) as connection:
        row = connection.execute("select inhrelid::regclass::text as name from pg_inherits").fetchone()
    assert row is not None
    run(database, f"delete from {row['name']} where no = 1")
    assert log() == [(1, "D", "1", box(126), None)]


@pytest.mark.parametrize("statement", ["update data.sites set name = name", "delete from data.sites where no = 99"])
def test_what_changes_nothing_is_no_change(
    database: str, sites: str, log: Callable[[], list[Row]], statement: str
) -> None:
    run(database, statement)
    assert log() == []
    with connect(database) as connection:
        assert connection.execute("select change from chengtu.dataset").fetchone() == {"change": 0}


def test_of_an_update_only_the_features_that_differ_are_told(
    database: str, sites: str, log: Callable[[], list[Row]]
) -> None:
    run(database, "update data.sites set name = '乙'")
    assert [row[1:3] for row in log()] == [("U", "1"), ("U", "3")]


@pytest.mark.parametrize("geometry", ["'SRID=4490;POINT EMPTY'::geometry", "null", "st_point(500, 99, 4490)"])
def test_what_has_no_place_on_earth_is_told_without_a_box(
    database: str, sites: str, log: Callable[[], list[Row]], geometry: str
) -> None:
    run(database, new(8, geometry=geometry))
    assert log() == [(1, "I", "8", None, None)]


def test_a_geometry_that_cannot_be_transformed_is_told_without_a_box(
    database: str, load_into: Load, tmp_path: Path, log: Callable[[], list[Row]]
) -> None:
    frame = gpd.GeoDataFrame({"no": [1]}, geometry=shapely.points([(126, 43)]), crs=4490).to_crs(4549)
    frame.to_file(tmp_path / "sites.gpkg", driver="GPKG")
    load_into(tmp_path / "sites.gpkg", id="sites", key="no")
    run(database, "update data.sites set geom = st_point('infinity', 1e300, 4549)")
    assert [row[1:3] for row in log()] == [("U", "1")]
    assert log()[0][4] is None


def test_many_features_at_once_are_told_as_one_row_that_all_is_to_be_read_anew(
    database: str, sites: str, log: Callable[[], list[Row]]
) -> None:
    many = "insert into data.sites select g, '新', st_point(120 + g / 1e4, 40, 4490), release from chengtu.dataset, generate_series(100, {}) as g"
    run(database, many.format(20_099), "delete from data.sites where no >= 100", many.format(20_100))
    assert [(row[0], row[1]) for row in log()] == [*[(1, "I")] * 20_000, *[(2, "D")] * 20_000, (3, "R")]
    with connect(database) as connection:
        entry = connection.execute("select feature_count, extent from chengtu.dataset").fetchone()
    assert entry is not None
    assert entry["feature_count"] == 20_004
    assert entry["extent"] == pytest.approx([120.01, 40, 128, 43])


def test_keys_of_any_type_are_told_alike_in_every_session(database: str, load_into: Load, tmp_path: Path) -> None:
    names: dict[object, str] = {'它\'s "é" 1%': "甲", "a/b": "乙"}
    load_into(written(tmp_path / "1.gpkg", names), id="sites", key="no")
    run(database, "set timezone = 'Asia/Shanghai'; set datestyle = 'German'; delete from data.sites")
    keys = "select key from chengtu.change_log where op = 'D' order by key"
    with psycopg.connect(database) as connection:
        assert {row[0] for row in connection.execute(keys)} == set(names)
        moment = "select chengtu.key_text('2024-05-06 07:08+08'::timestamptz), chengtu.key_text('2024-05-06'::date)"
        connection.execute("set timezone = 'Asia/Shanghai'; set datestyle = 'German'")
        assert connection.execute(moment).fetchone() == ("2024-05-05 23:08:00+00", "2024-05-06")


def test_a_table_that_no_data_set_names_and_one_without_its_key_stay_editable(
    database: str, sites: str, log: Callable[[], list[Row]]
) -> None:
    run(
        database,
        "create table data.mine (no bigint, geom geometry) partition by list (no)",
        "create table data.mine_1 partition of data.mine default",
        "select chengtu.watch('data.mine')",
        "insert into data.mine values (1, null)",
    )
    assert log() == []
    run(database, "alter table data.sites rename no to nr", "delete from data.sites where nr = 1")
    assert log() == [(1, "R", None, None, None)]


def test_whoever_may_edit_the_table_needs_no_right_to_the_log(
    database: str, sites: str, log: Callable[[], list[Row]]
) -> None:
    run(
        database,
        "drop role if exists chengtu_editor",
        "create role chengtu_editor",
        "grant usage on schema data to chengtu_editor",
        "grant select, delete on data.sites to chengtu_editor",
        "alter table data.sites enable row level security",
        "create policy low on data.sites using (no < 3)",
        "set role chengtu_editor; delete from data.sites; reset role",
        "drop owned by chengtu_editor; drop role chengtu_editor",
    )
    assert [row[1:3] for row in log()] == [("D", "1"), ("D", "2")]


def test_a_release_is_told_by_what_it_changes(
    database: str, sites: str, load_into: Load, tmp_path: Path, log: Callable[[], list[Row]]
) -> None:
    second = written(tmp_path / "2.gpkg", {2: "乙", 3: "改", 4: "丁"}, {2: (127, 43), 3: (128, 43), 4: (129, 43)})
    load_into(second, id="sites", key="no")
    assert log() == [
        (0, "D", "1", box(126), None),
        (0, "U", "3", box(128), box(128)),
        (0, "I", "4", None, box(129)),
    ]


def test_a_key_of_any_name_is_no_obstacle(
    database: str, load_into: Load, tmp_path: Path, log: Callable[[], list[Row]]
) -> None:
    for n, names in enumerate(({1: "甲", 2: "乙"}, {1: "改"})):
        frame = gpd.read_file(written(tmp_path / f"{n}.gpkg", names)).rename(columns={"no": '占"比%s'})  # type: ignore[arg-type]
        frame.to_file(tmp_path / f"{n}.fgb", driver="FlatGeobuf")
        load_into(tmp_path / f"{n}.fgb", id="sites", key='占"比%s')
    run(database, "delete from data.sites")
    assert [row[:3] for row in log()] == [(0, "U", "1"), (0, "D", "2"), (1, "D", "1")]


def test_releases_that_cannot_be_compared_are_told_as_one_row(
    database: str, sites: str, load_into: Load, tmp_path: Path, log: Callable[[], list[Row]]
) -> None:
    more = gpd.read_file(written(tmp_path / "2.gpkg", {1: "甲"}))
    more["extra"] = 1
    more.to_file(tmp_path / "3.gpkg", driver="GPKG")
    load_into(tmp_path / "3.gpkg", id="sites", key="no")
    assert [row[1] for row in log()] == ["R"]
    load_into(tmp_path / "3.gpkg", id="sites", key="name")
    assert [row[1] for row in log()] == ["R", "R"]


def test_a_load_that_discards_edits_made_while_it_ran_tells_that_all_is_to_be_read_anew(
    database: str, sites: str, load_into: Load, tmp_path: Path, log: Callable[[], list[Row]]
) -> None:
    """A trigger of ours edits between the comparison and the swap: when the release's log is written."""
    run(
        database,
        "create function meddle() returns trigger language plpgsql as $$ begin"
        " update data.sites set name = '手改' where no = 2; return null; end $$",
        "create trigger meddle after insert on chengtu.change_log for each row"
        " when (new.change = 0 and new.op = 'U') execute function meddle()",
    )
    load_into(written(tmp_path / "2.gpkg", {1: "改", 2: "乙", 3: "丙"}), id="sites", key="no", discard_edits=True)
    assert [row[:3] for row in log()] == [(1, "U", "2"), (0, "R", None)]


def test_loading_the_same_again_tells_nothing(
    database: str, sites: str, load_into: Load, tmp_path: Path, log: Callable[[], list[Row]]
) -> None:
    load_into(tmp_path / "sites.gpkg", id="sites", key="no")
    assert log() == []


def test_tables_of_an_older_schema_are_logged_after_the_next_start(
    database: str, sites: str, log: Callable[[], list[Row]]
) -> None:
    run(
        database,
        "drop table chengtu.change_log; drop trigger note_delete on data.sites",
        "delete from chengtu.schema_file where name > '001_catalogue.sql'",
    )
    prepare(database)
    run(database, "delete from data.sites where no = 1", "delete from data.sites where no = 2")
    with psycopg.connect(database) as connection:
        assert connection.execute("select op, key from chengtu.change_log order by change").fetchall() == [
            ("D", "1"),
            ("D", "2"),
        ]


def with_pool[T](dsn: str, work: Callable[[AsyncPool], Coroutine[Any, Any, T]]) -> T:
    async def run_it() -> T:
        settings = Settings(database_url=dsn)
        pool = await open_async_pool(dsn, settings, size=2, statement_timeout=10)
        try:
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(run_it())


def page(dsn: str, since: Mark, limit: int = 100) -> LogPage:
    found = with_pool(dsn, lambda pool: read_log(pool, "sites", since, limit))
    assert found is not None
    return found


def test_a_reader_never_misses_a_change_of_two_writers_who_overlap(database: str, sites: str) -> None:
    """The one who began first commits last: had its change the lower number, whoever read in between would pass it by."""
    start = with_pool(database, lambda pool: positions(pool, ["sites"]))["sites"].position
    with psycopg.connect(database) as first, psycopg.connect(database) as second:
        first.execute("update data.sites set name = 'a' where no = 1")
        second.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):  # the second waits for its number until the first is done
            second.execute("update data.sites set name = 'b' where no = 2")
        second.rollback()
        assert page(database, start.mark).changes == []
        first.commit()
        seen = page(database, start.mark)
        second.execute("update data.sites set name = 'b' where no = 2")
        second.commit()
    assert [change.key for change in seen.changes] == ["1"]
    assert [change.key for change in page(database, seen.now.mark).changes] == ["2"]


def test_many_writers_at_once_lose_nothing_for_a_reader_who_goes_on_from_page_to_page(
    database: str, sites: str
) -> None:
    async def work(pool: AsyncPool) -> list[str | None]:
        start = (await positions(pool, ["sites"]))["sites"].position.mark
        writers = asyncio.gather(*(write(n) for n in range(4)))
        keys: list[str | None] = []
        while not writers.done() or keys[-1:] != [None]:
            done = writers.done()
            found = await read_log(pool, "sites", start, 3)
            assert found is not None
            keys += [change.key for change in found.changes]
            if found.changes:
                start = found.changes[-1].mark
            elif done:
                keys.append(None)
        return keys[:-1]

    async def write(writer: int) -> None:
        async with await psycopg.AsyncConnection.connect(database) as connection:
            for n in range(30):
                await connection.execute(sql.SQL(new(1000 * (writer + 1) + n)))  # type: ignore[arg-type]
                await connection.commit()

    keys = with_pool(database, work)
    assert len(keys) == 120
    assert {int(key or 0) for key in keys} == {1000 * (writer + 1) + n for writer in range(4) for n in range(30)}


def test_pages_of_any_size_give_the_same_sequence(database: str, sites: str) -> None:
    start = with_pool(database, lambda pool: positions(pool, ["sites"]))["sites"].position.mark
    run(database, new(8, 9, 10), "update data.sites set name = 'x'", "delete from data.sites where no = 9")
    whole = page(database, start)
    assert not whole.more
    for limit in (1, 2, 3, 5):
        place, told = start, []
        while (part := page(database, place, limit)).changes:
            assert len(part.changes) <= limit
            told += part.changes
            place = part.changes[-1].mark
        assert told == whole.changes


def test_whoever_comes_from_before_what_was_not_told_is_told_to_read_anew(database: str, sites: str) -> None:
    start = with_pool(database, lambda pool: positions(pool, ["sites"]))["sites"].position
    run(database, "delete from data.sites where no = 1", "truncate data.sites", new(5))
    assert page(database, start.mark).reset
    assert page(database, Mark(start.release, 1, 1)).reset
    after = page(database, Position(start.release, 2).mark)
    assert not after.reset
    assert [change.key for change in after.changes] == ["5"]
    assert page(database, Position(start.release, 99).mark).reset  # of a database that has since been restored


def test_what_is_forgotten_is_known_to_be(database: str, sites: str) -> None:
    start = with_pool(database, lambda pool: positions(pool, ["sites"]))["sites"].position
    run(
        database,
        new(5),
        new(6),
        "update chengtu.change_log set at = now() - interval '31 days' where change = 1",
        "insert into chengtu.level_change (dataset, step, zoom, at) values ('sites', 1, 9, now() - interval '31 days')",
        "insert into chengtu.level_change (dataset, step, zoom, box) values ('sites', 2, 9, '{1,2,3,4}')",
        "update chengtu.dataset set level_step = 2",
    )

    async def forget(pool: AsyncPool) -> list[object]:
        async with await psycopg.AsyncConnection.connect(database) as connection:
            await trim(connection, 30)
        return [await level_changes(pool, "sites", step) for step in (0, 1, 2, 3)]

    levels = with_pool(database, forget)
    assert page(database, start.mark).reset
    kept = page(database, Position(start.release, 1).mark)
    assert not kept.reset
    assert [(change.key, change.new_box) for change in kept.changes] == [("6", BBox(130, 44, 130, 44))]
    assert levels == [None, [(2, 9, BBox(1, 2, 3, 4))], [], None]


def test_only_one_process_forgets_at_a_time(database: str, sites: str) -> None:
    run(database, new(5), "update chengtu.change_log set at = now() - interval '31 days'")

    async def forget(pool: AsyncPool) -> None:
        async with await psycopg.AsyncConnection.connect(database) as connection:
            await trim(connection, 30)

    with psycopg.connect(database) as other:
        other.execute("select pg_advisory_xact_lock(hashtextextended('chengtu trim', 0))")
        with_pool(database, forget)
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) > 0 from chengtu.change_log").fetchone() == (True,)


def test_edits_releases_and_removals_are_called_out(database: str, sites: str, load_into: Load, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as listener:
        listener.execute("listen chengtu_changes")
        run(database, new(5), "update data.sites set name = name")
        load_into(written(tmp_path / "2.gpkg", {1: "甲"}), id="sites", key="no", discard_edits=True)
        with connect(database) as connection:
            remove(connection, "sites")
        heard = [notice.payload for notice in listener.notifies(timeout=2, stop_after=3)]
    assert heard == ["sites"] * 3


def test_positions_are_of_those_data_sets_that_there_are(database: str, sites: str) -> None:
    run(database, new(5))
    found = with_pool(database, lambda pool: positions(pool, ["sites", "nothing"]))
    assert {id_: one.change for id_, one in found.items()} == {"sites": 1}
