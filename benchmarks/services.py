"""The services that are compared: `chengtu up`, and pygeoapi as it comes, either with two server processes."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import httpx
import yaml

from benchmarks.measure import children, cpu, cpu_of_tree, memory, stop, surroundings
from core.settings import ROOT

WORKERS = 2
_SMALL = 30  # megabytes


class Answer(NamedTuple):
    """What a request costs: milliseconds of the first, and of those after it, and their CPU; and bytes unpacked."""

    first: float
    next: float
    cpu: float
    size: int


class Service(NamedTuple):
    """A service that answers requests."""

    process: "subprocess.Popen[bytes]"
    url: str
    ready: float  # seconds from its start to its first answer

    @property
    def workers(self) -> list[int]:
        """The processes that serve, by their id; multiprocessing's own helper is smaller."""
        return [pid for pid in children(self.process.pid) if memory(pid) > _SMALL]

    def megabytes(self) -> float:
        """Resident memory of a worker, shared pages included."""
        return max(map(memory, self.workers))

    def cpu(self) -> float:
        """CPU seconds so far of the service and all it started, PostgreSQL left out."""
        return cpu_of_tree(self.process.pid)

    def ask(self, path: str, times: int = 20) -> Answer:
        """The cost of requests on one connection, which is to say to one worker; each must be answered with 200."""
        with httpx.Client(base_url=self.url, timeout=120) as client:
            client.get("/conformance?f=json").raise_for_status()
            waits, size = [], 0
            before = 0.0
            for turn in range(times + 1):
                if turn == 1:
                    before = cpu(self.workers)
                started = time.monotonic()
                size = len(client.get(path).raise_for_status().content)
                waits.append(1000 * (time.monotonic() - started))
            spent = 1000 * (cpu(self.workers) - before) / times
        return Answer(waits[0], median(waits[1:]), spent, size)


def connections(service: Service, stack: ExitStack) -> list[httpx.Client]:
    """A lasting connection to each server process; waits until all of them answer."""
    found: dict[int, httpx.Client] = {}
    deadline = time.monotonic() + 120
    while len(found) < WORKERS:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {len(found)} of {WORKERS} server processes answer")
        client = stack.enter_context(httpx.Client(base_url=service.url, timeout=120))
        answer = client.get("/conformance?f=json").raise_for_status()
        _, port = answer.extensions["network_stream"].get_extra_info("client_addr")
        found.setdefault(_other_end(service, port), client)
    return list(found.values())


def _other_end(service: Service, port: int) -> int:
    """The server process that holds a connection from a port of ours, by the kernel's table of sockets."""
    mine = f"{int(service.url.rpartition(':')[2]):04X} 0100007F:{port:04X} "
    table = Path("/proc/net/tcp").read_text().splitlines()
    socket_ = next(f"socket:[{line.split()[9]}]" for line in table if mine in line)
    for worker in service.workers:
        if any(_link(file) == socket_ for file in Path(f"/proc/{worker}/fd").iterdir()):
            return worker
    raise RuntimeError(f"nobody holds the connection from port {port}")


def _link(file: Path) -> str:
    with suppress(OSError):
        return str(file.readlink())
    return ""


@contextmanager
def chengtu(environment: Mapping[str, str], *options: str) -> Iterator[Service]:
    """`chengtu up`, ready."""
    port = free_port()
    settings = {"CHENGTU_PORT": str(port), "CHENGTU_WORKERS": str(WORKERS), "CHENGTU_LOG": "json"}
    with serving([ROOT / "chengtu", "up", *options], {**environment, **settings}, port, "/readyz") as service:
        yield service


@contextmanager
def pygeoapi(folder: Path, collections: int, data: Path) -> Iterator[Service]:
    """pygeoapi with its own GeoJSON provider: it has no PostgreSQL to wait for, and all it serves is in its file."""
    port = free_port()
    config = write_config(folder, collections, data, port)
    openapi = config.with_suffix(".openapi.json")
    openapi.write_bytes(openapi_of(config))
    files = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(openapi)}
    command = [sys.executable, "-m", "uvicorn", "pygeoapi.starlette_app:APP", "--port", str(port)]
    with serving([*command, "--workers", str(WORKERS)], files, port, "/conformance?f=json") as service:
        yield service


def openapi_of(config: Path, python: Path = Path(sys.executable)) -> bytes:
    """The OpenAPI document, which pygeoapi wants made beforehand, and again at each change."""
    program = python.with_name("pygeoapi")
    command = [str(program), "openapi", "generate", "--format", "json", str(config)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def write_config(folder: Path, collections: int, data: Path, port: int = 5000) -> Path:
    """A configuration with as many collections of one GeoJSON file."""
    path = folder / f"pygeoapi-{collections}.yml"
    path.write_text(yaml.safe_dump(_config(collections, data, port), allow_unicode=True), "utf-8")
    return path


def _config(collections: int, data: Path, port: int) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}"
    words = {"title": "City", "description": "City", "keywords": ["city"], "keywords_type": "theme"}
    collection = {
        "type": "collection",
        "title": "Parcels",
        "description": "Parcels",
        "keywords": ["parcels"],
        "links": [],
        "extents": {"spatial": {"bbox": [126, 43, 127, 44], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}},
        "providers": [{"type": "feature", "name": "GeoJSON", "data": str(data), "id_field": "parcel_code"}],
    }
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": url,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "language": "en-US",
            "gzip": True,
            "limits": {"default_items": 10, "max_items": 100},
            "map": {"url": url, "attribution": ""},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {**words, "terms_of_service": url, "url": url},
            "license": {"name": "-", "url": url},
            "provider": {"name": "-", "url": url},
            "contact": {"name": "-", "email": "-", "url": url},
        },
        "resources": {f"data_{number:04}": dict(collection) for number in range(collections)},
    }


@contextmanager
def serving(command: Sequence[str | Path], environment: Mapping[str, str], port: int, ready: str) -> Iterator[Service]:
    """A service in a process group of its own, from its first answer on; stopped at the end, whatever happens."""
    url = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    with tempfile.TemporaryFile() as log:
        arguments = list(map(str, command))
        settings = {**surroundings(), **environment}
        process = subprocess.Popen(arguments, env=settings, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(process, f"{url}{ready}", started + 600)
            yield Service(process, url, time.monotonic() - started)
        except RuntimeError as error:
            log.seek(0)
            raise RuntimeError(log.read().decode()[-2000:]) from error
        finally:
            stop(process)


def _wait(process: "subprocess.Popen[bytes]", url: str, deadline: float) -> None:
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=120).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not serve")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
