"""What a tile costs a server and the PostgreSQL behind it."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.measure import cpu_of_cluster, cpu_of_tree
from benchmarks.peers.questions import Wrong
from benchmarks.tiles.client import Answer, Connection, ask
from benchmarks.tiles.servers import Server

CONNECTIONS = 8
_SETTLE = 0.03  # seconds for what a server does after its answer
_GOOD = (200, 204)


def fetch(server: Server, paths: Sequence[str], encoding: str = "identity") -> dict[str, bytes]:
    """The bodies of all addresses, asked for on all connections: what is wrong shows, and all processes are warm."""
    found: dict[str, bytes] = {}

    def keep(path: str, answer: Answer) -> None:
        check(path, answer)
        found[path] = answer.body

    with ExitStack() as stack:
        shares = [iter(paths[turn::CONNECTIONS]) for turn in range(CONNECTIONS)]
        ask([stack.enter_context(Connection(server.service.url, share, encoding)) for share in shares], keep)
    return found


class Meter:
    """The costs of tiles from one server, run by run."""

    def __init__(
        self, server: Server, postmaster: int, paths: Sequence[str], seconds: float, encoding: str = "identity"
    ) -> None:
        """Ask for each once, to know how often that can be done in a run."""
        self._server, self._postmaster, self._encoding = server, postmaster, encoding
        self._paths, self._rounds = list(paths), 1
        self.found: list[float] = []  # CPU milliseconds a tile
        started = time.monotonic()
        self.run()
        self._rounds = max(1, round(seconds / (time.monotonic() - started)))
        self.found.clear()

    def run(self) -> None:
        """Ask for each tile as often: on one connection, so that no two are made of the same at once."""
        shares = [iter(self._paths[turn::CONNECTIONS] * self._rounds) for turn in range(CONNECTIONS)]
        with ExitStack() as stack:
            url = self._server.service.url
            lines = [stack.enter_context(Connection(url, share, self._encoding)) for share in shares]
            before = self._cpu()
            count = ask(lines, check)
            time.sleep(_SETTLE)
            self.found.append(1000 * (self._cpu() - before) / count)

    def _cpu(self) -> float:
        """CPU seconds so far of the server's processes, and of PostgreSQL: nobody else uses it meanwhile."""
        return cpu_of_tree(self._server.service.process.pid) + cpu_of_cluster(self._postmaster)


def check(path: str, answer: Answer) -> None:
    """Refuse an answer that is no tile."""
    if answer.status not in _GOOD:
        raise Wrong(f"error {answer.status}")
