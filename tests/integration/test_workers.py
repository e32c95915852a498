"""Server processes come and go together: one that dies is replaced, and none outlives the command that started it."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from core.settings import ROOT, Settings
from server.workers import _listening


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def eventually(what: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def up(database: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The address and the first process of a service of two processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | {"DATABASE_URL": database, "CHENGTU_PORT": port}
    process = subprocess.Popen([ROOT / "chengtu", "up", "--no-sample"], env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: answers(url) or process.poll() is not None, seconds=60)
    yield url, process
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def test_a_server_process_that_dies_is_replaced(up: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    url, process = up
    (one, other) = children(process.pid)
    os.kill(one, signal.SIGKILL)
    eventually(lambda: len(children(process.pid) - {one}) == 2)
    assert other in children(process.pid)
    assert [answers(url) for _ in range(10)] == [True] * 10


def test_server_processes_end_with_the_one_that_started_them(up: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    url, process = up
    crew = children(process.pid)
    process.kill()
    process.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in crew))
    assert not answers(url)


def test_a_signal_to_the_first_process_stops_all_with_exit_code_0(up: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    _, process = up
    crew = children(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in crew)


def test_answers_are_sent_at_once_without_waiting_to_fill_a_packet() -> None:
    async def accepted_without_delay() -> bool:
        found: asyncio.Queue[bool] = asyncio.Queue()

        async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted: socket.socket = writer.get_extra_info("socket")
            await found.put(bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            writer.close()

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        async with await asyncio.start_server(note, sock=_listening(Settings(port=port))):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return await found.get()

    assert asyncio.run(accepted_without_delay())
