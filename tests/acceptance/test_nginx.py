"""nginx in front, by the configuration of docs/tiles-publish.md: it serves the files that are there, and we the rest."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg
import pytest

from core.settings import ROOT
from tests.city import write_city
from tests.conftest import loader_for, service

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
PAGE = (ROOT / "docs" / "tiles-publish.md").read_text("utf-8")
TILE = "/xyz/parcels/15/27900/11939.mvt"

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light")


class Front(NamedTuple):
    """nginx, the service behind it, and where the files are."""

    client: httpx.Client
    behind: httpx.Client
    files: Path
    log: Path
    dsn: str

    def from_behind(self) -> list[str]:
        """The tiles that nginx has asked the service for."""
        lines = [line.split() for line in self.log.read_text("utf-8").splitlines()]
        return [address for _, upstream, address in lines if upstream != "-" and address != "/healthz"]

    def ask_until_there_is_a_file(self, collection: str) -> None:
        """Of the tile; the service writes it when it is asked."""
        address = TILE if collection == "parcels" else TILE.replace("/parcels", "")
        until(lambda: bool(self.behind.get(address).content) and any((self.files / collection).rglob("11939.mvt.gz")))


@pytest.fixture
def front(database: str, tmp_path: Path) -> Iterator[Front]:
    load_into = loader_for(database, tmp_path)
    for one in write_city(tmp_path)[:2]:
        load_into(one.path, id=one.id, key=one.key)
    files = tmp_path / "files"
    with (
        service(database, tile_directory=str(files), var=str(tmp_path / "var"), workers="1") as url,
        nginx(tmp_path, files, url) as (client, log),
        httpx.Client(base_url=url) as behind,
    ):
        yield Front(client, behind, files, log, database)


def nginx(home: Path, files: Path, url: str) -> "Running":
    """nginx with the documented configuration, but for its ports and folders."""
    server, common = re.findall(r"```nginx\n(.*?)```", PAGE, flags=re.DOTALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (home / "chengtu-tile.conf").write_text(common, "utf-8")
    told = server.replace("127.0.0.1:5000", url.removeprefix("http://")).replace(
        "listen 8080", f"listen 127.0.0.1:{port}"
    )
    told = told.replace("/srv/chengtu/tiles", str(files)).replace("/etc/nginx/", f"{home}/")
    folders = "".join(f"{one}_temp_path {home}/{one};" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    log = home / "access.log"
    asked = 'log_format asked "$status $upstream_status $request_uri";'
    (home / "nginx.conf").write_text(
        f"daemon off; pid {home}/nginx.pid; error_log stderr; worker_processes 1; {user()}"
        f"events {{}} http {{ {folders} {asked} access_log {log} asked; {told} }}",
        "utf-8",
    )
    return Running(home / "nginx.conf", port, log)


def user() -> str:
    """nginx's workers read what this test writes."""
    return "user root;" if Path("/root").owner() == "root" and Path.home() == Path("/root") else ""


class Running:
    def __init__(self, config: Path, port: int, log: Path) -> None:
        self.command = [NGINX or "", "-c", str(config), "-e", "stderr"]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self.log = log

    def __enter__(self) -> tuple[httpx.Client, Path]:
        self.process = subprocess.Popen(self.command)
        until(lambda: self.process.poll() is not None or self._answers())
        assert self.process.poll() is None
        return self.client, self.log

    def _answers(self) -> bool:
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(timeout=20)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_tile_is_the_same_from_the_file_and_from_the_service(front: Front) -> None:
    front.ask_until_there_is_a_file("parcels")
    front.ask_until_there_is_a_file("_city")
    for address in (TILE, "/xyz/15/27900/11939.mvt", "/collections/parcels/tiles/WebMercatorQuad/15/11939/27900"):
        expected = front.behind.get(address).content
        for encoding in ("gzip", "identity"):
            answer = front.client.get(address, headers={"Accept-Encoding": encoding})
            assert (answer.status_code, answer.content) == (200, expected)
            assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
            assert answer.headers.get("content-encoding", "identity") == encoding
            assert answer.headers["cache-control"] == "no-cache"
    assert front.from_behind() == []


def test_a_file_that_is_there_is_served_without_the_service(front: Front) -> None:
    front.ask_until_there_is_a_file("parcels")
    first = front.client.get(TILE)
    again = front.client.get(TILE, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert front.from_behind() == []


def test_what_has_no_file_comes_from_the_service(front: Front) -> None:
    for address, status in {
        "/xyz/parcels/3/0/0.mvt": 200,
        "/xyz/nothing/3/0/0.mvt": 404,
        "/xyz/parcels/3/9/0.mvt": 404,
        "/collections/parcels/items?limit=1": 200,
        f"{TILE}?filter=parcel_no<5": 200,
        "/xyz/../../etc/passwd": 404,
    }.items():
        answer = front.client.get(address)
        assert (answer.status_code, answer.headers.get("content-type")) == (
            status,
            front.behind.get(address).headers.get("content-type"),
        )


def test_after_an_edit_the_new_tile_comes_and_the_old_is_not_taken_for_it(front: Front) -> None:
    front.ask_until_there_is_a_file("parcels")
    before = front.client.get(TILE)
    with psycopg.connect(front.dsn) as connection:
        connection.execute(
            "update data.parcels set land_class = '9999' where st_transform(geom, 3857) && st_tileenvelope(15, 27900, 11939)"
        )
    until(lambda: b"9999" in front.client.get(TILE, headers={"If-None-Match": before.headers["etag"]}).content)
    front.ask_until_there_is_a_file("parcels")
    after = front.client.get(TILE, headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, b"9999" in after.content) == (200, True)
