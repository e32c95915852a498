"""Uvicorn's HTTP/1.1, but for what it leaves open: how long the head of a request may be, and how long a request may take.

Its parser gathers a request's first line and headers without end (uvicorn/protocols/http/httptools_impl.py,
data_received and on_header; only the other implementation, h11, has a limit), and waits for them for ever.
"""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.borders import ogc_error

MAX_HEAD = 131_072  # bytes; what comes in one piece with its end is read, up to as much again
HEAD_PATIENCE = 30.0  # seconds from a connection's or a head's beginning to the end of the head
BODY_PATIENCE = 120.0  # seconds from there to the end of the body
ENDLESS = "endless"  # what a request's state has, where its answer never ends


class Protocol(HttpToolsProtocol):
    """One connection."""

    _in_head = True
    _head = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for a first request, but not for ever."""
        super().connection_made(transport)
        self._wait(HEAD_PATIENCE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is still not at its end after so many bytes is refused."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(431, f"The head of the request has more than {MAX_HEAD} bytes.")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head = True, 0
        self._wait(HEAD_PATIENCE)

    def on_headers_complete(self) -> None:
        """A head is at its end."""
        self._in_head = False
        self._wait(BODY_PATIENCE)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is at its end."""
        self._stop_waiting()
        super().on_message_complete()

    def shutdown(self) -> None:
        """The service ends: running requests may finish, but streams without end are cut."""
        super().shutdown()
        if self.scope is not None and self.scope.get("state", {}).get(ENDLESS):
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so in the form of all other errors."""
        self._refuse(400, msg)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: int, description: str) -> None:
        error = ogc_error(status, "InvalidParameterValue", description)
        phrase = HTTPStatus(status).phrase.encode()
        head = b"".join(name + b": " + value + b"\r\n" for name, value in error.raw_headers)
        self.transport.write(
            b"HTTP/1.1 %d %b\r\n%bconnection: close\r\n\r\n%b" % (status, phrase, head, bytes(error.body))
        )
        self.transport.close()
