"""The change feed: what a client that follows /collections/{id}/changes is told, and how it goes on."""

import json
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from core.catalogue import get_dataset
from core.changes import positions
from core.database import AsyncPool, connect
from features.feed import Feed, encode, read_feed
from features.table import Table
from tests.conftest import Load, _database, loader_for, service
from tests.integration.test_change_log import new, run, with_pool, written

KEY = "a-key-that-is-long-enough"
Json = dict[str, Any]
_names = count(1)


@pytest.fixture(scope="module")
def shared(server_dsn: str, template: str) -> Iterator[str]:
    """A database whose data sets are each a test's own."""
    with _database(server_dsn, "chengtu_feed", template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def api(shared: str) -> Iterator[httpx.Client]:
    with service(shared, workers="1", edit_key=KEY) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


class Sites:
    """A data set of three sites, and its feed."""

    def __init__(self, api: httpx.Client, dsn: str, folder: Path) -> None:
        self.api, self.dsn, self.id = api, dsn, f"sites{next(_names)}"
        self.path = f"/collections/{self.id}"
        self._load = loader_for(dsn, folder)
        self.load(written(folder / "sites.gpkg", {1: "甲", 2: "乙", 3: "丙"}))

    def load(self, path: Path) -> None:
        """Load a release, and wait until it is served."""
        self._load(path, id=self.id, key="no", editable=True)
        deadline = time.monotonic() + 20
        while self.api.get(self.path).status_code == 404 and time.monotonic() < deadline:
            time.sleep(0.05)

    def run(self, *statements: str) -> None:
        run(
            self.dsn,
            *(one.replace("sites", self.id).replace("from chengtu.dataset,", self._entry) for one in statements),
        )

    @property
    def _entry(self) -> str:
        return f"from (select release from chengtu.dataset where id = '{self.id}') as d,"

    def ask(self, **parameters: str | int) -> httpx.Response:
        return self.api.get(f"{self.path}/changes", params=parameters)

    def read(self, **parameters: str | int) -> Json:
        answer = self.ask(**parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def after(self, since: str, limit: int) -> list[Json]:
        """All changes, page by page."""
        changes: list[Json] = []
        more = True
        while more:
            page = self.read(since=since, limit=limit)
            changes += page["changes"]
            since, more = page["next"], page["more"]
        return changes

    def features(self) -> dict[int, Json]:
        return {f["id"]: f for f in self.api.get(f"{self.path}/items?f=json").json()["features"]}


@pytest.fixture
def sites(api: httpx.Client, shared: str, tmp_path: Path) -> Sites:
    return Sites(api, shared, tmp_path)


def told(page: Json) -> list[tuple[str, int]]:
    return [(change["op"], change["id"]) for change in page["changes"]]


def test_edits_through_the_api_and_by_hand_are_told_from_the_token_on(sites: Sites) -> None:
    begin = sites.read()
    assert begin["changes"] == []
    assert not begin["more"]
    place = {"type": "Point", "coordinates": [130, 44]}
    feature = {"type": "Feature", "geometry": place, "properties": {"name": "新"}}
    headers = {"X-API-Key": KEY, "Content-Type": "application/geo+json"}
    created = sites.api.post(f"{sites.path}/items", json=feature, headers=headers)
    assert created.status_code == 201, created.text
    sites.api.delete(f"{sites.path}/items/1", headers=headers).raise_for_status()
    sites.run("update data.sites set geom = st_point(127, 45, 4490) where no = 2")
    page = sites.read(since=begin["next"])
    assert told(page) == [("insert", 4), ("delete", 1), ("update", 2)]
    assert [change["bbox"] for change in page["changes"]] == [
        [130.0, 44.0, 130.0, 44.0],
        [126.0, 43.0, 126.0, 43.0],
        [127.0, 43.0, 127.0, 45.0],
    ]
    assert all(change["time"].endswith("Z") for change in page["changes"])
    assert sites.read(since=page["next"])["changes"] == []
    assert told(sites.read(since=page["changes"][0]["token"])) == [("delete", 1), ("update", 2)]


def test_with_the_features_a_client_becomes_what_the_collection_is(sites: Sites) -> None:
    items, token = sites.features(), sites.read()["next"]
    sites.run(
        new(8, 9, geometry="null"),
        "update data.sites set name = 'x' where no = 9",
        "delete from data.sites where no in (1, 8)",
        "update data.sites set no = 5 where no = 3",
    )
    for change in sites.read(since=token, include="feature")["changes"]:
        if change["op"] == "delete" or change["feature"] is None:
            items.pop(change["id"], None)
        else:
            items[change["id"]] = change["feature"]
    assert items == sites.features()
    assert set(items) == {2, 5, 9}


def test_any_limit_gives_the_same_sequence(sites: Sites) -> None:
    token = sites.read()["next"]
    sites.run(new(8, 9, 10, 11), "update data.sites set name = 'x'", "delete from data.sites where no > 9")
    whole = sites.after(token, 100)
    assert len(whole) == 13
    for limit in (1, 2, 5):
        assert sites.after(token, limit) == whole


def test_a_release_is_told_as_its_difference(sites: Sites, tmp_path: Path) -> None:
    token = sites.read()["next"]
    sites.load(written(tmp_path / "2.gpkg", {1: "甲", 2: "改"}))
    assert sorted(told(sites.read(since=token))) == [("delete", 3), ("update", 2)]


@pytest.mark.parametrize("again", [False, True], ids=["emptied", "removed and published again"])
def test_what_cannot_be_told_is_gone_with_the_token_to_go_on_with(sites: Sites, tmp_path: Path, again: bool) -> None:
    token = sites.read()["next"]
    if again:
        sites.run("delete from chengtu.dataset where id = 'sites'", "drop table data.sites")
        sites.load(tmp_path / "sites.gpkg")
    else:
        sites.run("truncate data.sites")
    answer = sites.ask(since=token, lang="zh")
    assert answer.status_code == 410
    assert "重新读取" in answer.json()["description"]
    assert f"{sites.path}/changes?" in answer.headers["link"]
    sites.run(new(7))
    assert told(sites.read(since=answer.json()["next"])) == [("insert", 7)]


def test_what_is_no_token_of_this_feed_is_refused(sites: Sites) -> None:
    token = sites.read()["next"]
    for wrong in ("", "x", token[:-3], token + "A", "eyJzaXRlcyI6WzEsMl19", "W10", "bnVsbA", "a" * 60_000):
        assert sites.ask(since=wrong).status_code == 400, wrong[:20]
    for parameters in ("limit=0", "limit=x", "include=all", "since=x&since=y", "f=html", "bbox=1,2,3,4"):
        assert sites.api.get(f"{sites.path}/changes?{parameters}").status_code == 400, parameters
    assert sites.api.get("/collections/nothing/changes").status_code == 404


def test_a_client_that_has_the_answer_is_told_so(sites: Sites) -> None:
    token = sites.read()["next"]
    first = sites.ask(since=token)
    assert first.headers["cache-control"] == "no-cache"

    def again() -> int:
        headers = {"If-None-Match": first.headers["etag"]}
        return sites.api.get(f"{sites.path}/changes", params={"since": token}, headers=headers).status_code

    assert again() == 304
    sites.run(new(7))
    assert again() == 200


def test_the_links_lead_on_and_the_collection_leads_here(sites: Sites) -> None:
    (link,) = [one for one in sites.api.get(f"{sites.path}?f=json").json()["links"] if one["rel"] == "changes"]
    page = sites.api.get(link["href"], params={"limit": 1}).json()
    sites.run(new(7, 8))
    follow = {one["rel"]: one["href"] for one in page["links"]}
    page = sites.api.get(follow["next"]).json()
    assert (told(page), page["more"], page["kept"]) == ([("insert", 7)], True, "P30D")
    follow = {one["rel"]: one["href"] for one in page["links"]}
    assert told(sites.api.get(follow["next"]).json()) == [("insert", 8)]


@pytest.fixture
def reader(database: str) -> Iterator[Callable[..., None]]:
    """Grants a role that may log in what it is given, and takes it away in the end."""
    run(database, "create role chengtu_reader login", "grant usage on schema data, chengtu to chengtu_reader")
    yield lambda *statements: run(database, *statements)
    run(database, "drop owned by chengtu_reader; drop role chengtu_reader")


def test_features_that_row_security_hides_are_told_as_gone(
    database: str, load_into: Load, tmp_path: Path, reader: Callable[..., None]
) -> None:
    """The service's role may read only some: of the others a client hears neither what nor where they are."""
    load_into(written(tmp_path / "sites.gpkg", {1: "甲", 2: "乙", 3: "丙"}), id="sites", key="no")
    reader(
        "grant select on all tables in schema data, chengtu to chengtu_reader",
        "alter table data.sites enable row level security",
        "create policy low on data.sites to chengtu_reader using (no < 3)",
    )
    with connect(database) as connection:
        table = Table(get_dataset(connection, "sites"))

    async def feed(pool: AsyncPool) -> Feed:
        start = (await positions(pool, ["sites"]))["sites"].position.mark
        run(database, "update data.sites set name = 'x' where no > 1")
        return await read_feed(pool, table, encode({"sites": start}), 10, whole=True)

    found = with_pool(make_conninfo(database, user="chengtu_reader"), feed)
    first, second = map(json.loads, found.entries)
    assert (first["op"], first["id"], first["feature"]["properties"]["name"]) == ("update", 2, "x")
    assert (second["op"], second["id"], second["bbox"]) == ("delete", 3, None)
    assert "feature" not in second
