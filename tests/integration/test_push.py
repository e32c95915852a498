"""Push: a client of /changes hears of every change that it asked for, soon, once, and whatever happens in between."""

import asyncio
import json
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from starlette.types import Message

from core.catalogue import BBox
from core.database import prepare
from server import push
from server.cluster import running
from tests.conftest import Load, _database, loader_for, service
from tests.integration.test_change_feed import Sites
from tests.integration.test_change_log import new, run, written

PATIENCE = 20.0  # seconds for what must come


class Event(NamedTuple):
    """A Server-Sent Event; comments and mere ids have the type ''."""

    type: str
    id: str
    data: dict[str, Any]


class Listener:
    """A client that reads what it is sent, as a browser's EventSource does."""

    def __init__(self, response: httpx.Response) -> None:
        self.headers = response.headers
        self.events: Queue[Event | None] = Queue()
        self._thread = threading.Thread(target=self._read, args=[response], daemon=True)
        self._thread.start()
        self.id = self._next().id  # what every stream begins with

    def _read(self, response: httpx.Response) -> None:
        fields: dict[str, str] = {}
        try:
            for line in response.iter_lines():
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.strip()
                elif fields:
                    data = json.loads(fields.get("data", "{}"))
                    self.events.put(Event(fields.get("event", ""), fields.get("id", ""), data))
                    fields = {}
        except (httpx.HTTPError, OSError):
            pass
        self.events.put(None)

    def _next(self) -> Event:
        event = self.events.get(timeout=PATIENCE)
        assert event is not None, "the stream has ended"
        return event

    def hear(self) -> Event:
        """The next event that is one."""
        while not (event := self._next()).type:
            pass
        return event

    def hears_nothing(self, seconds: float) -> bool:
        """Whether no event comes for a while, and the stream goes on."""
        try:
            while not (event := self.events.get(timeout=seconds)) or not event.type:
                assert event is not None
        except Empty:
            return True
        return False

    def hears_the_end(self) -> bool:
        """Whether the stream ends, whatever comes before."""
        while self.events.get(timeout=PATIENCE) is not None:
            pass
        return True


@contextmanager
def listening(url: str, headers: dict[str, str] | None = None, **parameters: str | int) -> Iterator[Listener]:
    with (
        httpx.Client(base_url=url, timeout=httpx.Timeout(10, read=None)) as client,
        client.stream("GET", "/changes", params=parameters, headers=headers) as response,
    ):
        assert response.status_code == 200, response.read()
        try:
            yield Listener(response)
        finally:  # else it stays open while the thread waits for more
            with suppress(OSError):
                response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def shared(server_dsn: str, template: str) -> Iterator[str]:
    """A database whose data sets are each a test's own."""
    with _database(server_dsn, "chengtu_push", template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def url(shared: str) -> Iterator[str]:
    with service(shared, workers="1", push_clients="3") as address:
        yield address


@pytest.fixture
def sites(url: str, shared: str, tmp_path: Path) -> Iterator[Sites]:
    with httpx.Client(base_url=url, timeout=30) as api:
        yield Sites(api, shared, tmp_path)


def test_a_client_hears_which_features_and_tiles_changed(sites: Sites, url: str) -> None:
    with listening(url, collections=sites.id, zoom=12) as client:
        assert client.headers["content-type"].startswith("text/event-stream")
        sites.run("update data.sites set geom = st_point(126.55, 43.84, 4490) where no = 1")
        event = client.hear()
    assert event.type == "change"
    assert event.data["collection"] == sites.id
    assert event.data["features"] == [{"op": "update", "id": 1, "bbox": [126.0, 43.0, 126.55, 43.84]}]
    assert event.data["bbox"] == [126.0, 43.0, 126.55, 43.84]
    assert "12/3487/1491" in event.data["tiles"]  # where it is
    assert "12/3481/1505" in event.data["tiles"]  # where it was
    assert sites.read(since=event.data["token"])["changes"] == []


def test_only_what_was_asked_for_is_heard(sites: Sites, url: str, shared: str, tmp_path: Path) -> None:
    other = Sites(sites.api, shared, tmp_path)
    with listening(url, collections=sites.id, bbox="127.5,42,129,44") as client:
        other.run("delete from data.sites where no = 3")  # another collection
        sites.run("update data.sites set name = 'x' where no = 1")  # out of the view
        sites.run("update data.sites set geom = null where no = 2")  # nor was this in it
        sites.run("update data.sites set geom = st_point(1, 1, 4490) where no = 3")  # has left it
        heard = client.hear()
        assert client.hears_nothing(0.5)
    assert [one["id"] for one in heard.data["features"]] == [3]
    assert "tiles" not in heard.data


def test_a_client_that_comes_back_hears_what_it_missed(sites: Sites, url: str) -> None:
    with listening(url, collections=sites.id) as client:
        sites.run(new(7))
        last = client.hear()
    sites.run(new(8))
    sites.run(new(9))
    for resumed in ({"headers": {"Last-Event-ID": last.id}}, {"since": last.id}):
        with listening(url, collections=sites.id, **resumed) as client:  # type: ignore[arg-type]
            assert [one["id"] for one in client.hear().data["features"]] == [8, 9]
            assert client.hears_nothing(0.3)


def test_a_client_that_never_heard_an_event_goes_on_from_where_it_began(sites: Sites, url: str) -> None:
    with listening(url, collections=sites.id) as client:
        begun = client.id
    sites.run(new(8))
    with listening(url, {"Last-Event-ID": begun}, collections=sites.id) as client:
        assert [one["id"] for one in client.hear().data["features"]] == [8]


def test_every_server_process_tells_and_of_edits_in_quick_succession_each(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    load_into(written(tmp_path / "sites.gpkg", {1: "甲"}), id="sites", key="no")
    with service(database, workers="2") as url, ExitStack() as streams:
        clients = [streams.enter_context(listening(url, collections="sites")) for _ in range(6)]
        run(database, *(new(n) for n in range(10, 40)))
        for client in clients:
            heard: list[int] = []
            while len(heard) < 30:
                heard += [feature["id"] for feature in client.hear().data["features"]]
            assert heard == [*range(10, 40)]


@pytest.mark.parametrize(
    "statement",
    [
        "truncate data.sites",
        "insert into data.sites select g, 'x', null, {release} from generate_series(100, 5200) as g",
    ],
    ids=["all", "more than can be told at once"],
)
def test_what_cannot_be_told_one_by_one_is_a_reset(sites: Sites, url: str, shared: str, statement: str) -> None:
    with psycopg.connect(shared) as connection:
        row = connection.execute("select release from chengtu.dataset where id = %s", [sites.id]).fetchone()
    assert row is not None
    with listening(url, collections=sites.id, zoom=10) as client:
        sites.run(statement.format(release=row[0]))
        event = client.hear()
        assert (event.type, event.data["collection"]) == ("reset", sites.id)
        sites.run(new(9))
        assert client.hear().type == "change"


def test_long_lists_are_cut_and_say_so(sites: Sites, url: str) -> None:
    many = "insert into data.sites select g, 'x', st_point(100 + g / 100.0, 40, 4490), release from chengtu.dataset, generate_series(100, 1099) as g"
    with listening(url, collections=sites.id, zoom=16) as client:
        sites.run(many)
        event = client.hear()
    assert (len(event.data["features"]), event.data["truncated"], event.data["tiles"]) == (500, True, "all")
    assert event.data["bbox"] == [101.0, 40.0, 110.99, 40.0]


def test_a_data_set_published_anew_is_a_reset_to_whoever_follows_all(
    sites: Sites, url: str, shared: str, tmp_path: Path
) -> None:
    with listening(url) as client:
        other = Sites(sites.api, shared, tmp_path)
        assert client.hear()[::2] == ("reset", {"collection": other.id, "token": other.read()["next"]})


def test_the_stream_is_not_held_back_by_zipping(sites: Sites, url: str) -> None:
    with listening(url, {"Accept-Encoding": "gzip"}, collections=sites.id) as client:
        assert "content-encoding" not in client.headers
        assert client.headers["x-accel-buffering"] == "no"
        sites.run(new(8))
        assert client.hear().type == "change"


def test_what_makes_no_sense_is_refused(sites: Sites) -> None:
    for parameters in ("zoom=25", "zoom=x", "bbox=1,2,3", "bbox=1,2,nan,4", "bbox=0,50,1,40", "since=x", "limit=3"):
        assert sites.api.get(f"/changes?{parameters}").status_code == 400, parameters
    assert sites.api.get("/changes?collections=nothing").status_code == 404
    assert sites.api.get("/changes", headers={"Accept": "application/json"}).status_code == 406
    assert sites.api.get("/changes", headers={"Last-Event-ID": "x"}).status_code == 400
    assert sites.api.head("/changes").status_code == 200


def test_a_process_tells_so_many_clients_and_no_more(database: str) -> None:
    with service(database, workers="1", push_clients="1") as url:
        with listening(url):
            answer = httpx.get(f"{url}/changes", params={"lang": "zh"})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert "推送" in answer.json()["description"]
        deadline = time.monotonic() + PATIENCE
        while httpx.head(f"{url}/changes").status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
        with listening(url) as client:  # the place is free again
            assert client.id


def test_a_client_that_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "_PATIENCE", 0.05)
    ended = []

    async def events() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b":\n\n"
        finally:
            ended.append(True)

    async def nothing() -> Any:
        await asyncio.Event().wait()

    async def stuck(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def let_go() -> None:
        async with asyncio.timeout(PATIENCE):
            await push._EventStream(events())({"type": "http", "asgi": {}}, nothing, stuck)

    asyncio.run(let_go())
    assert ended == [True]


def test_streams_end_with_the_service_at_once(database: str) -> None:
    """Were they waited for, as running requests are, the service would not have ended when we lose patience."""
    with ExitStack() as streams:
        with service(database, stop_grace="60") as url:
            clients = [streams.enter_context(listening(url)) for _ in range(4)]
        assert all(client.hears_the_end() for client in clients)


def test_a_killed_postgresql_delays_what_is_told_and_loses_nothing(tmp_path: Path) -> None:
    home = Path(tempfile.mkdtemp(prefix="chengtu-push-", dir="/tmp"))
    home.chmod(0o755)
    with running(home / "postgres") as private:
        dsn = make_conninfo(private, user="postgres", dbname="postgres")
        prepare(dsn)
        loader_for(dsn, tmp_path)(written(tmp_path / "sites.gpkg", {1: "甲", 2: "乙"}), id="sites", key="no")
        with service(dsn, workers="1") as url, listening(url, collections="sites") as client:
            run(dsn, new(7))
            assert [one["id"] for one in client.hear().data["features"]] == [7]
            (pid_file,) = home.rglob("postmaster.pid")
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
            assert client.hears_nothing(0.5)
            with running(home / "postgres"):
                run(dsn, new(8))
                assert [one["id"] for one in client.hear().data["features"]] == [8]
                run(dsn, new(9))
                assert [one["id"] for one in client.hear().data["features"]] == [9]
    shutil.rmtree(home)


@pytest.mark.parametrize(
    ("view", "box", "meets"),
    [
        ((10, 0, 20, 10), (15, 5, 16, 6), True),
        ((10, 0, 20, 10), (0, -5, 30, 50), True),
        ((10, 0, 20, 10), (20, 10, 30, 20), True),
        ((10, 0, 20, 10), (21, 0, 30, 10), False),
        ((10, 0, 20, 10), (10, 11, 20, 12), False),
        ((170, 0, -170, 10), (175, 5, 176, 6), True),
        ((170, 0, -170, 10), (-175, 5, -174, 6), True),
        ((170, 0, -170, 10), (0, 5, 1, 6), False),
        ((-180, -90, 180, 90), (5, 5, 5, 5), True),
        ((5, 5, 5, 5), (5, 5, 5, 5), True),
        ((-180, 0, -170, 10), (179, 0, 181, 10), True),
    ],
)
def test_a_view_meets_what_lies_in_it_on_either_side_of_the_antimeridian(
    view: tuple[float, ...], box: tuple[float, ...], meets: bool
) -> None:
    assert push._meet(BBox(*view), BBox(*box)) is meets
