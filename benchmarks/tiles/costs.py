"""What a tile costs a server and the PostgreSQL behind it."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle

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
        """Each connection has tiles of its own, so that no two are made of the same at once."""
        self._server, self._postmaster, self._seconds, self._encoding = server, postmaster, seconds, encoding
        self._shares = [cycle(paths[turn::CONNECTIONS] or paths) for turn in range(CONNECTIONS)]
        self.found: list[float] = []  # CPU milliseconds a tile

    def run(self) -> None:
        """Ask for as long as a run is."""
        with ExitStack() as stack:
            lines = [
                stack.enter_context(Connection(self._server.service.url, share, self._encoding))
                for share in self._shares
            ]
            before = self.cpu()
            count = ask(lines, check, self._seconds)
            time.sleep(_SETTLE)
            self.found.append(1000 * (self.cpu() - before) / count)

    def cpu(self) -> float:
        """CPU seconds so far of the server's processes, and of PostgreSQL: nobody else uses it meanwhile."""
        return cpu_of_tree(self._server.service.process.pid) + cpu_of_cluster(self._postmaster)


def check(path: str, answer: Answer) -> None:
    """Refuse an answer that is no tile."""
    if answer.status not in _GOOD:
        raise Wrong(f"error {answer.status}")
