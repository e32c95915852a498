"""Connections that waste our time: heads without end, and requests that come a byte at a time."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from server import protocol
from server.protocol import Protocol


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body."""
    if scope["type"] != "http":
        return
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    body = str(length).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where a server listens that has little patience."""
    monkeypatch.setattr(protocol, "HEAD_PATIENCE", 0.3)
    monkeypatch.setattr(protocol, "BODY_PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(echo, http=Protocol, lifespan="off", log_config=None))
        thread = threading.Thread(target=asyncio.run, args=[server.serve(sockets=[listener])])
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def talk(port: int, *parts: bytes) -> bytes:
    """What a server says until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except OSError:
            pass  # it has hung up already; what it said is there to be read
        said = b""
        try:
            while part := connection.recv(65536):
                said += part
        except ConnectionResetError:
            pass
        return said


def test_an_ordinary_request_is_answered(port: int) -> None:
    said = talk(port, b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")
    assert said.startswith(b"HTTP/1.1 200")
    assert said.endswith(b"3")


def test_several_requests_on_one_connection_are_answered(port: int) -> None:
    said = talk(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert said.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("begun", [b"", b"GE", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b"])
def test_a_head_that_does_not_end_is_given_up(port: int, begun: bytes) -> None:
    assert talk(port, begun) == b""


def test_a_second_head_that_does_not_end_is_given_up_too(port: int) -> None:
    said = talk(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\n")
    assert said.count(b"HTTP/1.1 200") == 1


def test_a_body_that_does_not_end_is_given_up(port: int) -> None:
    assert talk(port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc") == b""


@pytest.mark.parametrize("head", [b"GET /" + b"a" * 2_000_000, b"GET / HTTP/1.1\r\nX-A: " + b"a" * 2_000_000])
def test_a_head_without_end_is_refused(port: int, head: bytes) -> None:
    said = talk(port, *(head[start : start + 10_000] for start in range(0, len(head), 10_000)))
    assert said == b"" or said.startswith(b"HTTP/1.1 431")


def test_what_is_no_http_is_told_so_as_all_other_errors_are(port: int) -> None:
    said = talk(port, b"\x16\x03\x01\x02\x00\x01\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'"code":"InvalidParameterValue"' in said
