"""What all tests stand on: a PostGIS of their own, a fresh database each, and a running service.

Fixtures by what they cost: `database` (30 ms) is empty but for the schema; `live_server` (seconds, shared) is a real
service of two processes over `city_database`, which tests only read; `serve` starts one for a test that changes data.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from core.database import prepare
from core.settings import ROOT, Settings, read_settings
from loaders import Described, Options, Report, load
from server.cluster import running
from server.levels import finisher
from tests.city import write_city

_names = count(1)


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """A PostgreSQL where databases may be made: DATABASE_URL's, or a private cluster for this run."""
    if given := read_settings().database_url:
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="chengtu-tests-", dir="/tmp"))
    home.chmod(0o755)
    with running(home / "postgres") as dsn:
        yield make_conninfo(dsn, user="postgres", dbname="postgres")
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def template(server_dsn: str) -> Iterator[str]:
    """The name of a database that has Chengtu's schema and no data."""
    name = f"chengtu_template_{os.getpid()}"
    with _database(server_dsn, name) as dsn:
        prepare(dsn)
        yield name


@pytest.fixture
def database(server_dsn: str, template: str) -> Iterator[str]:
    """The DSN of a fresh database with Chengtu's schema."""
    with _database(server_dsn, f"chengtu_test_{os.getpid()}_{next(_names)}", template) as dsn:
        yield dsn


@contextmanager
def _database(server_dsn: str, name: str, template: str = "template1") -> Iterator[str]:
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        identifier = sql.Identifier(name)
        connection.execute(sql.SQL("create database {} template {}").format(identifier, sql.Identifier(template)))
        try:
            yield make_conninfo(server_dsn, dbname=name)
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(identifier))


Load = Callable[..., Report]


@pytest.fixture
def load_into(database: str, tmp_path: Path) -> Load:
    """Load a file into `database`: load_into(path, id="parcels", srs=..., title_zh=...)."""
    return loader_for(database, tmp_path)


def loader_for(dsn: str, scratch: Path) -> Load:
    """A loader into one database; keywords are Options, or titles and the like."""

    def load_it(path: Path, **given: object) -> Report:
        described = {name: given.pop(name) for name in list(given) if name in Described.__dataclass_fields__}
        options = Options(**given, described=Described(**described))  # type: ignore[arg-type]
        ours = Settings(database_url=dsn)
        return load(path, dsn, options, scratch=scratch / "scratch", archive_limit=10**9, finish=finisher(ours))

    return load_it


@pytest.fixture(scope="session")
def city_database(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A small city, loaded once; tests must not change it."""
    folder = tmp_path_factory.mktemp("city")
    with _database(server_dsn, f"chengtu_city_{os.getpid()}", template) as dsn:
        load_it = loader_for(dsn, folder)
        for one in write_city(folder):
            load_it(one.path, id=one.id, title_en=one.title_en, title_zh=one.title_zh, key=one.key, time=one.time)
        yield dsn


Serve = Callable[..., str]


@pytest.fixture(scope="session")
def live_server(city_database: str) -> Iterator[str]:
    """The address of a service of two processes over `city_database`."""
    with service(city_database) as url:
        yield url


@pytest.fixture
def serve(database: str) -> Iterator[str]:
    """The address of a service of two processes over `database`, for tests that change what is served."""
    with service(database) as url:
        yield url


@contextmanager
def service(dsn: str, **settings: str) -> Iterator[str]:
    """Run `chengtu up` as its user would, and stop it with Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    mine = {f"CHENGTU_{name.upper()}": value for name, value in settings.items()}
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as var:
        ours = {"DATABASE_URL": dsn, "CHENGTU_PORT": port, "CHENGTU_LOG": "json", "CHENGTU_VAR": var}
        environment = os.environ | ours | mine
        process = subprocess.Popen([ROOT / "chengtu", "up", "--no-sample"], env=environment, stdout=log, stderr=log)
        try:
            _wait_until_ready(url, process)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                log.seek(0)
                sys.stderr.write(log.read().decode(errors="replace")[-20_000:])  # pytest shows it where a test fails


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the service did not become ready")


@pytest.fixture(scope="session")
def api(live_server: str) -> Iterator[httpx.Client]:
    """A client of `live_server`."""
    with httpx.Client(base_url=live_server, timeout=30) as client:
        yield client


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Settings over `database`."""
    return Settings(database_url=database, var=tmp_path)
