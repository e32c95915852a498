"""Has files written: each by a process of its own, a few at a time, in a folder that outlives neither answer nor server."""

import asyncio
import fcntl
import logging
import os
import pickle
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from core.errors import ChengtuError
from core.settings import ROOT, Settings
from features.asking import TableChanged
from features.formats.job import CannotWrite, Done, Failed, Job

LOGGER = logging.getLogger("chengtu.downloads")
AT_ONCE = 2  # files that a server process has written at a time


class TooManyDownloads(ChengtuError):
    """As many files are being written as may be."""

    en = "{most} files are being written already. Try again in some seconds, or ask for less; f=csv needs no waiting."
    zh = "已有 {most} 个文件正在生成。请数秒后重试,或缩小范围;f=csv 无需等待。"
    status = 503


class Written(NamedTuple):
    """A file, and what is in it."""

    path: Path
    done: Done


class Press:
    """Opens with a server process and closes with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places = asyncio.Semaphore(AT_ONCE)
        self._home, self._lock = _own_folder(settings.var.resolve() / "tmp")
        self._closed = False
        self._spare: Process | None = None  # has imported everything, and waits for a job

    @asynccontextmanager
    async def written(self, make: Callable[[Path], Job]) -> AsyncIterator[Written]:
        """Have the file written that `make` describes for a folder; it is there until this is left."""
        folder = Path(tempfile.mkdtemp(dir=self._home))
        try:
            job = make(folder)
            async with self._place():
                done = await self._write(job)
            yield Written(job.path, done)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def close(self) -> None:
        """End the process that waits, and remove what is left."""
        self._closed = True
        if self._spare is not None:
            await _end(self._spare)
        shutil.rmtree(self._home, ignore_errors=True)
        os.close(self._lock)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """A place among those that write; `TooManyDownloads` where none becomes free in time."""
        try:
            await asyncio.wait_for(self._places.acquire(), self._settings.pool_wait)
        except TimeoutError as error:
            raise TooManyDownloads(most=AT_ONCE) from error
        try:
            yield
        finally:
            self._places.release()

    async def _write(self, job: Job) -> Done:
        process = await self._process()
        try:
            answer, complaint = await _talk(process, pickle.dumps(job))
        finally:
            await _end(process)
        if complaint:
            LOGGER.warning("writing %s: %s", job.path.name, complaint.decode(errors="replace")[-4000:].strip())
        if not answer:
            raise CannotWrite(form=job.layer.form, reason=f"exit code {process.returncode}")
        await self._keep_spare()
        done: Done | Failed = pickle.loads(answer)  # noqa: S301 — our own process wrote it
        if isinstance(done, Done):
            return done
        raise done.error(**done.facts) if done.error else TableChanged(done.text)

    async def _keep_spare(self) -> None:
        """Let the next job find a process that has started already."""
        if self._spare is None:
            process = await _start()
            if self._spare is None and not self._closed:
                self._spare = process
            else:
                await _end(process)

    async def _process(self) -> Process:
        spare, self._spare = self._spare, None
        return spare if spare is not None and spare.returncode is None else await _start()


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "features.formats", cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def _talk(process: Process, job: bytes) -> tuple[bytes, bytes]:
    """Hand over a job and wait for the answer; the pipe stays open, for its closing would end the process."""
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    if stdin is None or stdout is None or stderr is None:
        raise ValueError("the process has no pipes")
    with suppress(ConnectionError):  # one that died has no answer, which is seen below
        stdin.write(job)
        await stdin.drain()
    return await asyncio.gather(stdout.read(), stderr.read())


async def _end(process: Process) -> None:
    """End a process, or see that it has ended; also while we are being cancelled."""
    with suppress(ProcessLookupError):
        process.kill()
    await asyncio.shield(process.wait())


def _own_folder(parent: Path) -> tuple[Path, int]:
    """A folder that is ours for as long as we hold its lock; those of servers that died are swept."""
    parent.mkdir(parents=True, exist_ok=True)
    with (parent / "downloads.lock").open("w") as gate:  # nobody sweeps what is just being made
        fcntl.flock(gate, fcntl.LOCK_EX)
        for other in parent.glob("downloads-*/"):
            _sweep(other)
        folder = Path(tempfile.mkdtemp(prefix="downloads-", dir=parent))
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def _sweep(folder: Path) -> None:
    with suppress(OSError):  # another's, or locked: then its server lives
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
