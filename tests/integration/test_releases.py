"""A load is a release: compared, swapped in whole, and never seen half-done, however it ends."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import geopandas as gpd
import psycopg
import pytest
import shapely
from psycopg.rows import dict_row

from core.catalogue import list_datasets
from core.database import connect
from core.errors import BadDatasetId, NoSuchDataset
from core.settings import ROOT
from loaders import remove
from loaders.candidate import NoSuchField
from loaders.load import LoadRunning
from loaders.release import DependentView, KeyNotUnique
from tests.conftest import Load


def parcels(path: Path, names: dict[int, str], side: float = 90, **more: list[object]) -> Path:
    """A GeoPackage of squares by number, 100 m apart, with a name each."""
    boxes = [shapely.box(540_000 + n * 100, 4_850_000, 540_000 + n * 100 + side, 4_850_090) for n in names]
    frame = gpd.GeoDataFrame({"no": list(names), "name": list(names.values()), **more}, geometry=boxes, crs=4551)
    frame.to_file(path, driver="GPKG", layer="parcels")
    return path


def rows(dsn: str, statement: str) -> list[dict[str, object]]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def test_a_second_release_says_what_changed_by_key(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲", 2: "乙", 3: "丙"}), id="parcels", key="no")
    report = load_into(parcels(tmp_path / "2.gpkg", {2: "乙", 3: "改", 4: "丁", 5: "戊"}), id="parcels", key="no")
    assert report.datasets[0].changes == (2, 1, 1)
    assert rows(database, "select no, name from data.parcels order by no") == [
        {"no": 2, "name": "乙"},
        {"no": 3, "name": "改"},
        {"no": 4, "name": "丁"},
        {"no": 5, "name": "戊"},
    ]
    history = rows(database, "select added, removed, changed from chengtu.release order by id")
    assert history == [{"added": 3, "removed": 0, "changed": 0}, {"added": 2, "removed": 1, "changed": 1}]


def test_a_changed_shape_counts_as_changed(load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲", 2: "乙"}), id="parcels", key="no")
    report = load_into(parcels(tmp_path / "2.gpkg", {1: "甲", 2: "乙"}, side=80), id="parcels", key="no")
    assert report.datasets[0].changes == (0, 0, 2)


def test_loading_the_same_again_changes_nothing_and_says_so(database: str, load_into: Load, tmp_path: Path) -> None:
    path = parcels(tmp_path / "parcels.gpkg", {1: "甲", 2: "乙"})
    first = load_into(path, id="parcels", key="no").datasets[0]
    before = rows(database, "select tableoid, xmin::text, no from data.parcels")
    second = load_into(path, id="parcels", key="no").datasets[0]
    assert (first.outcome, second.outcome) == ("published", "unchanged")
    assert second.release == first.release
    assert rows(database, "select tableoid, xmin::text, no from data.parcels") == before


def test_a_new_title_is_taken_even_where_the_features_stay(database: str, load_into: Load, tmp_path: Path) -> None:
    path = parcels(tmp_path / "parcels.gpkg", {1: "甲"})
    load_into(path, id="parcels", title_zh="旧名", title_en="Old")
    load_into(path, id="parcels", title_zh="新名")
    with connect(database) as connection:
        assert list_datasets(connection)[0].title == ("Old", "新名")


def test_columns_may_come_go_and_change_their_type(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}, gone=[1], kind=[7]), id="parcels", key="no")
    load_into(parcels(tmp_path / "2.gpkg", {1: "甲"}, come=[2.5], kind=["七"]), id="parcels", key="no")
    assert rows(database, "select no, name, come, kind from data.parcels") == [
        {"no": 1, "name": "甲", "come": 2.5, "kind": "七"}
    ]
    with connect(database) as connection:
        assert list_datasets(connection)[0].problem is None


def test_views_and_policies_live_through_a_swap(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}), id="parcels", key="no")
    with psycopg.connect(database) as connection:
        connection.execute("create view mine as select name from data.parcels")
        connection.execute("alter table data.parcels enable row level security")
        connection.execute("create policy everyone on data.parcels using (true)")
    load_into(parcels(tmp_path / "2.gpkg", {1: "乙"}), id="parcels", key="no")
    assert rows(database, "select * from mine") == [{"name": "乙"}]
    assert rows(database, "select polname from pg_policy") == [{"polname": "everyone"}]


def test_a_column_that_a_view_needs_stops_the_load_with_advice(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}, extra=[1]), id="parcels", key="no")
    with psycopg.connect(database) as connection:
        connection.execute("create view mine as select extra from data.parcels")
    with pytest.raises(DependentView, match="mine"):
        load_into(parcels(tmp_path / "2.gpkg", {1: "乙"}), id="parcels", key="no")
    assert rows(database, "select name from data.parcels") == [{"name": "甲"}]


def test_a_key_that_is_none_is_refused_and_the_old_release_stays(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}), id="parcels", key="no")
    twice = parcels(tmp_path / "2.gpkg", {1: "甲", 2: "甲"})
    with pytest.raises(KeyNotUnique, match="甲"):
        load_into(twice, id="parcels", key="name")
    with pytest.raises(NoSuchField, match="no, name"):
        load_into(twice, id="parcels", key="nothing")
    assert rows(database, "select count(*) as n from data.parcels") == [{"n": 1}]
    assert _rubbish(database) == []


@pytest.mark.parametrize("id_", ["Parcels", "1st", "a-b", "", "x" * 49, "宗地", "a;drop"])
def test_ids_that_would_not_work_everywhere_are_refused(load_into: Load, tmp_path: Path, id_: str) -> None:
    path = parcels(tmp_path / "宗地.gpkg", {1: "甲"})
    with pytest.raises(BadDatasetId):
        load_into(path, id=id_ or "_")


def test_two_loads_of_one_data_set_do_not_mix(database: str, load_into: Load, tmp_path: Path) -> None:
    path = parcels(tmp_path / "1.gpkg", {1: "甲"})
    with connect(database) as other:
        other.execute("select pg_advisory_xact_lock(hashtextextended('chengtu load parcels', 0))")
        with pytest.raises(LoadRunning):
            load_into(path, id="parcels")
        load_into(path, id="others")


def test_removal_takes_table_catalogue_and_history_together(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}), id="parcels")
    with connect(database) as connection:
        remove(connection, "parcels")
    with connect(database) as connection:
        assert list_datasets(connection) == []
        with pytest.raises(NoSuchDataset):
            remove(connection, "parcels")
    assert _rubbish(database) == []
    assert rows(database, "select * from chengtu.release") == []


def test_a_reader_who_stays_long_delays_the_swap_but_no_other_reader(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}), id="parcels", key="no")
    second = parcels(tmp_path / "2.gpkg", {1: "乙"})
    with psycopg.connect(database) as slow:
        slow.execute("select * from data.parcels")
        loading = threading.Thread(target=load_into, args=[second], kwargs={"id": "parcels", "key": "no"})
        loading.start()
        try:
            with psycopg.connect(database, options="-c statement_timeout=2000") as quick:
                for _ in range(20):
                    assert quick.execute("select name from data.parcels").fetchone() == ("甲",)
                    quick.commit()
                    time.sleep(0.05)
        finally:
            slow.commit()
            loading.join()
    assert rows(database, "select name from data.parcels") == [{"name": "乙"}]


def test_kill_9_at_any_moment_leaves_the_old_release_or_the_new_and_no_rubbish(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    small = parcels(tmp_path / "old.gpkg", dict.fromkeys(range(100), "旧"))
    large = parcels(tmp_path / "new.gpkg", dict.fromkeys(range(30000), "新"))
    load_into(small, id="parcels", key="no")
    environment = os.environ | {"DATABASE_URL": database, "CHENGTU_VAR": str(tmp_path / "var")}
    command = [ROOT / "chengtu", "load", large, "--as", "parcels", "--key", "no", "--json"]
    seen = set()
    for step in range(8):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.4 + step * 0.25)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _wait_for_backends(database)
        found = rows(database, "select name, count(*) as n from data.parcels group by name")
        assert found in ([{"name": "旧", "n": 100}], [{"name": "新", "n": 30_000}])
        seen.add(found[0]["name"])
        assert len(_rubbish(database)) == 0
        with connect(database) as connection:
            assert list_datasets(connection)[0].feature_count == found[0]["n"]
    assert "旧" in seen
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert list((tmp_path / "var" / "tmp").glob("load-*")) == []


def _rubbish(database: str) -> list[dict[str, object]]:
    """Tables in `data` that hang on no data set."""
    statement = """
        select c.relname from pg_class as c
        where c.relnamespace = 'data'::regnamespace and c.relkind in ('r', 'p')
            and not exists (select from pg_inherits as i where i.inhrelid = c.oid)
            and not exists (select from chengtu.dataset as d where d.id = c.relname)"""
    return rows(database, statement)


def _wait_for_backends(database: str) -> None:
    """PostgreSQL notices that a client is gone when it next reads from it, or writes to it."""
    deadline = time.monotonic() + 20
    statement = "select 1 as n from pg_stat_activity where application_name like 'chengtu-load%'"
    while rows(database, statement) and time.monotonic() < deadline:
        time.sleep(0.05)


def test_two_processes_may_load_at_once(database: str, tmp_path: Path) -> None:
    """Two data sets at once both come in; of two loads of one data set, the later waits its turn with advice."""
    environment = os.environ | {"DATABASE_URL": database, "CHENGTU_VAR": str(tmp_path / "var")}
    paths = [parcels(tmp_path / f"{n}.gpkg", dict.fromkeys(range(20000), f"v{n}")) for n in range(2)]

    def start(path: Path, id_: str) -> "subprocess.Popen[str]":
        command = [ROOT / "chengtu", "load", path, "--as", id_, "--key", "no"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    different = [start(path, f"set_{n}") for n, path in enumerate(paths)]
    assert [one.wait() for one in different] == [0, 0]
    same = [start(path, "one") for path in paths]
    endings = [(one.communicate()[1], one.returncode) for one in same]
    for complaint, code in endings:
        assert code == 0 or (code == 3 and "Another load of one is under way" in complaint)
    assert 0 in [code for _, code in endings]
    found = rows(database, "select name, count(*) as n from data.one group by name")
    assert found in ([{"name": "v0", "n": 20_000}], [{"name": "v1", "n": 20_000}])
    assert _rubbish(database) == []
    for one in (*different, *same):
        for stream in (one.stdout, one.stderr):
            if stream is not None:
                stream.close()
