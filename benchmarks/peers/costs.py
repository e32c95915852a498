"""What a request, or a whole data set, costs a server and the PostgreSQL behind it."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple, TextIO

import httpx

from benchmarks.measure import cpu_of_cluster, cpu_of_tree, looking, proportional, tree
from benchmarks.peers.questions import HEADERS, PATIENCE, Answer, Request, Wrong, answer, ids, next_page
from benchmarks.peers.servers import Peer

CONNECTIONS = 8
LARGEST = 10_000  # features a page: the most that any of them gives
_FEW, _MANY = CONNECTIONS, 400  # requests a run
_SLOW = 8  # times the length of a run: a first round that took longer must do
_SETTLE = 0.03  # seconds for what a server does after its answer


class Spent(NamedTuple):
    """CPU seconds and seconds on the clock."""

    cpu: float
    wall: float


class Export(NamedTuple):
    """CPU seconds of a whole data set, and the most memory that the server's processes held meanwhile."""

    cpu: float
    megabytes: float


class Meter:
    """The costs of one question to one server, run by run."""

    def __init__(self, peer: Peer, postmaster: int, requests: Sequence[Request], seconds: float) -> None:
        """Ask once on each connection: what is wrong shows, all processes are warm, and a run's length is known."""
        self._peer, self._postmaster = peer, postmaster
        self._requests = cycle(requests)
        self.found: list[float] = []  # CPU milliseconds a request
        first = self._run(CONNECTIONS)
        self._count = min(max(int(seconds / first.wall * CONNECTIONS), _FEW), _MANY)
        self._is_slow = first.wall > _SLOW * seconds
        if self._is_slow:
            self.found.append(1000 * first.cpu / CONNECTIONS)

    def run(self) -> None:
        """One run more, unless the first round took long enough."""
        if not self._is_slow:
            self.found.append(1000 * self._run(self._count).cpu / self._count)

    def _run(self, count: int) -> Spent:
        requests = list(islice(self._requests, count))
        with ExitStack() as stack:
            clients = [stack.enter_context(_client()) for _ in range(CONNECTIONS)]
            pool = stack.enter_context(ThreadPoolExecutor(CONNECTIONS))
            shares = [requests[turn::CONNECTIONS] for turn in range(CONNECTIONS)]
            list(pool.map(answer, clients, [self._peer.feature(1)] * CONNECTIONS))  # connected now
            before, started = _cpu(self._peer, self._postmaster), time.monotonic()
            list(pool.map(_ask, clients, shares))
            wall = time.monotonic() - started
            time.sleep(_SETTLE)
            return Spent(_cpu(self._peer, self._postmaster) - before, wall)


def export(peer: Peer, postmaster: int, wanted: int, target: Path) -> Export:
    """Write so many features to one file of GeoJSON, page by page."""
    before = _cpu(peer, postmaster)
    peak = _Peak(peer.service.process.pid)
    with looking(peak.look, every=0.2), _client() as client, target.open("w", encoding="utf-8") as file:
        found: set[str] = set()
        url: str | None = peer.page(limit=LARGEST)
        file.write('{"type":"FeatureCollection","features":[')
        while url and len(found) < wanted:
            page = answer(client, url)
            if found & ids(page):
                raise Wrong("repeats features")
            _append(page, file, first=not found)
            found |= ids(page)
            url = next_page(page, url)
        file.write("]}")
    spent = _cpu(peer, postmaster) - before
    if len(found) != wanted:
        raise Wrong(f"{len(found)} features")
    return Export(spent, peak.most)


def _append(page: Answer, file: TextIO, *, first: bool) -> None:
    texts = [json.dumps(feature, ensure_ascii=False) for feature in page["features"]]
    file.write("" if first or not texts else ",")
    file.write(",\n".join(texts))


def _client() -> httpx.Client:
    return httpx.Client(headers=HEADERS, timeout=PATIENCE)


def _ask(client: httpx.Client, requests: Sequence[Request]) -> None:
    for request in requests:
        request.check(answer(client, request.url))


def _cpu(peer: Peer, postmaster: int) -> float:
    """CPU seconds so far of the server's processes, and of PostgreSQL: nobody else uses it meanwhile."""
    return cpu_of_tree(peer.service.process.pid) + cpu_of_cluster(postmaster)


class _Peak:
    """The most memory that the processes of a server held together."""

    def __init__(self, pid: int) -> None:
        self.most = 0.0
        self._pid = pid

    def look(self) -> None:
        """See what they hold now."""
        self.most = max(self.most, sum(map(proportional, tree(self._pid))))
