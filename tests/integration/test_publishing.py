"""What is loaded is seen at once and everywhere; what breaks is put aside with its reason, and nothing else."""

import threading
import time
from pathlib import Path

import httpx
import psycopg
from psycopg import sql

from tests.conftest import Load, service
from tests.integration.test_releases import parcels

PROCESSES = 12  # requests on new connections: enough to meet both server processes


def collections(url: str) -> list[set[str]]:
    """The collections as many new connections see them."""
    answers = [httpx.get(f"{url}/collections?f=json").json() for _ in range(PROCESSES)]
    return [{one["id"] for one in answer["collections"]} for answer in answers]


def eventually_everywhere(url: str, expected: set[str], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (found := collections(url)) != [expected] * PROCESSES:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_a_load_is_seen_by_every_process_without_a_restart(serve: str, load_into: Load, tmp_path: Path) -> None:
    assert collections(serve)[0] == set()
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}), id="parcels", title_zh="宗地")
    eventually_everywhere(serve, {"parcels"}, seconds=2)
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}), id="parcels", title_zh="新名")
    time.sleep(2)
    titles = {httpx.get(f"{serve}/collections/parcels?f=json&lang=zh-CN").json()["title"] for _ in range(PROCESSES)}
    assert titles == {"新名"}


def test_a_dropped_table_takes_down_its_own_data_set_only(database: str, load_into: Load, tmp_path: Path) -> None:
    for id_ in ("good", "dropped", "altered", "locked_away"):
        load_into(parcels(tmp_path / f"{id_}.gpkg", {1: "甲"}), id=id_)
    with service(database, catalogue_check="1") as url:
        assert len(collections(url)[0]) == 4
        with psycopg.connect(database) as connection:
            connection.execute("drop table data.dropped")
            connection.execute("alter table data.altered drop column name")
            connection.execute("alter table data.locked_away drop column geom cascade")
        eventually_everywhere(url, {"good"}, seconds=10)
        answer = httpx.get(f"{url}/collections/dropped/items?f=json")
        assert answer.status_code == 503
        assert "its table is gone" in answer.json()["description"]
        assert "name is gone" in httpx.get(f"{url}/collections/altered").json()["description"]
        assert set(httpx.get(f"{url}/readyz").json()["quarantined"]) == {"dropped", "altered", "locked_away"}
        assert httpx.get(f"{url}/collections/good/items?f=json").json()["numberMatched"] == 1
        load_into(parcels(tmp_path / "altered.gpkg", {1: "甲", 2: "乙"}), id="altered")
        eventually_everywhere(url, {"good", "altered"}, seconds=5)


def test_a_swap_under_load_fails_no_request_and_mixes_no_releases(serve: str, load_into: Load, tmp_path: Path) -> None:
    """Each release has its own name in every row, and its own number of rows."""
    releases = [parcels(tmp_path / f"{n}.gpkg", dict.fromkeys(range(300 + n), f"v{n}")) for n in range(6)]
    load_into(releases[0], id="parcels", key="no")
    eventually_everywhere(serve, {"parcels"}, seconds=5)
    stop, failures, pages = threading.Event(), [], []

    def read() -> None:
        with httpx.Client(base_url=serve, timeout=30) as client:
            while not stop.is_set():
                answer = client.get("/collections/parcels/items?f=json&limit=1000")
                if answer.status_code != 200:
                    failures.append(answer.text)
                    continue
                page = answer.json()
                names = {one["properties"]["name"] for one in page["features"]}
                pages.append((names, page["numberMatched"], page["numberReturned"]))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for release in releases[1:] * 2:
        load_into(release, id="parcels", key="no")
        time.sleep(0.3)
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(pages) > 50
    for names, matched, returned in pages:
        (name,) = names
        assert matched == returned == 300 + int(name[1:])
    assert len({next(iter(names)) for names, _, _ in pages}) > 2


def test_the_database_may_go_away_and_come_back(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}), id="parcels")
    with service(database) as url, psycopg.connect(database, autocommit=True) as connection:
        others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        for _ in range(3):
            connection.execute(sql.SQL(others))
            answers = [httpx.get(f"{url}/collections/parcels/items?f=json").status_code for _ in range(6)]
            assert answers == [200] * 6
        load_into(parcels(tmp_path / "2.gpkg", {1: "甲", 2: "乙"}), id="second")
        eventually_everywhere(url, {"parcels", "second"}, seconds=10)


def test_a_stop_lets_running_requests_finish(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", dict.fromkeys(range(5000), "甲")), id="parcels")
    answers: list[int] = []
    connected = threading.Barrier(5)

    def ask(url: str) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            client.get("/healthz")
            connected.wait(timeout=30)
            page = client.get("/collections/parcels/items?f=json&limit=5000").json()
            answers.append(page["numberReturned"])

    with service(database) as url:
        asking = [threading.Thread(target=ask, args=[url]) for _ in range(4)]
        for one in asking:
            one.start()
        connected.wait(timeout=30)
        time.sleep(0.1)  # under way, and not yet answered
    for one in asking:
        one.join()
    assert answers == [5000] * 4


def test_field_names_may_hold_percent_signs_and_quotes(serve: str, load_into: Load, tmp_path: Path) -> None:
    names = {"占比%": [0.5], "feature": [3], "%s": [7], "it's": ["甲"], "%(limit)s": [1]}
    load_into(parcels(tmp_path / "1.gpkg", {1: "甲"}, **names), id="parcels")
    eventually_everywhere(serve, {"parcels"}, seconds=5)
    items = f"{serve}/collections/parcels/items"
    parameters = {"f": "json", "sortby": "-占比%,feature", "%s": "7", "filter": '"占比%" < 1 AND "it\'s" = \'甲\''}
    page = httpx.get(items, params=parameters).json()
    assert page["features"][0]["properties"] == {"no": 1, "name": "甲"} | {
        name: given[0] for name, given in names.items()
    }
    assert httpx.get(f"{items}/1?f=json").json()["properties"]["占比%"] == 0.5
