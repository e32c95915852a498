"""Answers are zipped for clients who can read that, by a library that takes a sixth of zlib's time for the same size."""

import re

from isal import isal_zlib
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.caching import mark_zipped

_LEVEL = 1  # on GeoJSON as small as zlib's 4
_GZIP = 31  # zlib's window bits for the gzip format
_SMALLEST = 1000  # bytes that are worth it
_TEXTS = re.compile(
    r"text/(?!event-stream)|application/(?!gml)[\w.+-]*(?:json|xml|javascript)|image/svg"
)  # GML is a file, with its length
_WANTED = re.compile(r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?\s*(?=,|$)", re.IGNORECASE)


class Zipping:
    """ASGI middleware: zips texts, whole or piece by piece, and gives their tags a mark."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the answer on, zipped where that is wanted and worth it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Answer(send, wants_gzip(Headers(scope=scope))).send)


def wants_gzip(asked: Headers) -> bool:
    """Whether a client can read gzip."""
    return _WANTED.search(asked.get("accept-encoding", "")) is not None


class _Answer:
    """One answer on its way: its head waits for the first piece of its body, which decides."""

    def __init__(self, send: Send, wanted: bool) -> None:
        self._send = send
        self._wanted = wanted
        self._head: Message | None = None
        self._zip: isal_zlib.Compress | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head = message
            return
        if message["type"] == "http.response.body":
            more = message.get("more_body", False)
            if self._head is not None:
                self._begin(self._head, message, more)
                await self._send(self._head)
                self._head = None
            elif self._zip is not None:
                message["body"] = self._zipped(message.get("body", b""), more)
        await self._send(message)

    def _begin(self, head: Message, message: Message, more: bool) -> None:
        """Decide from the head and the first piece, and change both accordingly."""
        body = message.get("body", b"")
        headers = MutableHeaders(raw=list(head["headers"]))
        zippable = _TEXTS.match(headers.get("content-type", "")) and "content-encoding" not in headers
        if not zippable or head["status"] == 206 or (not more and len(body) < _SMALLEST):
            return
        headers.add_vary_header("Accept-Encoding")
        if self._wanted:
            self._zip = isal_zlib.compressobj(_LEVEL, wbits=_GZIP)
            message["body"] = self._zipped(body, more)
            headers["Content-Encoding"] = "gzip"
            if "etag" in headers:
                headers["ETag"] = mark_zipped(headers["etag"])
            if more:
                del headers["Content-Length"]
            else:
                headers["Content-Length"] = str(len(message["body"]))
        head["headers"] = headers.raw

    def _zipped(self, piece: bytes, more: bool) -> bytes:
        assert self._zip is not None  # noqa: S101 — set before the first piece
        zipped: bytes = self._zip.compress(piece)
        return zipped if more else zipped + self._zip.flush()
