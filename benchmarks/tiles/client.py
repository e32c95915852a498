"""A client that is lighter than what it measures: several connections in one thread, each with one request on its way."""

import re
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from benchmarks.peers.questions import Wrong

PATIENCE = 120  # seconds for an answer
_PIECE = 1 << 18
_LENGTH = re.compile(rb"^content-length: *(\d+)\r$", re.IGNORECASE | re.MULTILINE)
_NO_TILE = 204


class Answer(NamedTuple):
    """What a server says."""

    status: int
    body: bytes


class Connection:
    """A lasting connection, which asks for its addresses one after the other."""

    def __init__(self, url: str, paths: Iterator[str], encoding: str) -> None:
        where = urlsplit(url)
        self.socket = socket.create_connection((where.hostname, where.port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.path = ""
        self._paths = paths
        self._rest = f" HTTP/1.1\r\nHost: {where.netloc}\r\nAccept-Encoding: {encoding}\r\n\r\n"
        self._heard = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self) -> bool:
        """Ask for the next one, if there is one."""
        path = next(self._paths, None)
        if path is None:
            return False
        self.path = path
        self.socket.sendall(f"GET {path}{self._rest}".encode())
        return True

    def hear(self) -> Answer | None:
        """Read what has come; the answer, if it is all there."""
        piece = self.socket.recv(_PIECE)
        if not piece:
            raise Wrong("hangs up")
        self._heard += piece
        end = self._heard.find(b"\r\n\r\n") + 4
        if end < 4:
            return None
        head = bytes(self._heard[:end])
        status, length = int(head.split(None, 2)[1]), _LENGTH.search(head)
        if length is None and status != _NO_TILE:
            raise Wrong(f"status {status} without a length")
        if len(self._heard) < end + (int(length[1]) if length else 0):
            return None
        body = bytes(self._heard[end:])
        self._heard.clear()
        return Answer(status, body)


def ask(connections: Sequence[Connection], take: Callable[[str, Answer], None], seconds: float = 3600) -> int:
    """Let all ask until they have nothing more to ask, or for so long; how many answers came."""
    until, count, busy = time.monotonic() + seconds, 0, 0
    with selectors.DefaultSelector() as waiting:
        for one in connections:
            if one.ask():
                waiting.register(one.socket, selectors.EVENT_READ, one)
                busy += 1
        while busy:
            ready = waiting.select(PATIENCE)
            if not ready:
                raise Wrong("no answer")
            for key, _ in ready:
                one = key.data
                if (answer := one.hear()) is None:
                    continue
                take(one.path, answer)
                count += 1
                if time.monotonic() >= until or not one.ask():
                    waiting.unregister(one.socket)
                    busy -= 1
    return count
