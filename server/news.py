"""What has changed, for all in this process who follow it: told by NOTIFY, read from the log once for all of them."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

import psycopg
from psycopg.rows import TupleRow

from core.changes import CHANNEL, LogPage, Mark, Position, positions, read_log, trim
from core.database import AsyncPool, one_line
from core.errors import ChengtuError
from core.settings import Settings

MOST_CHANGES = 5000  # that are told at once: whoever is further behind had better read everything anew
_GATHER = 0.05  # seconds in which further changes are told together with the first
_LOOK = 10.0  # seconds between looks of our own
_TRIM = 3600.0  # seconds between those at what is to be forgotten
_REST = 1.0  # seconds before a database that is away is asked again

LOGGER = logging.getLogger("chengtu.changes")


class News:
    """How the data sets stand, and what changed in them since any place in their logs."""

    def __init__(self, settings: Settings, pool: AsyncPool, ids: Callable[[], Iterable[str]]) -> None:
        self.now: dict[str, Position] = {}
        self.version = 0  # counts what has been told
        self.followers = 0
        self._settings = settings
        self._pool = pool
        self._ids = ids
        self._told = asyncio.Event()
        self._reading: dict[tuple[str, Mark], asyncio.Task[LogPage | None]] = {}
        self._trimmed = 0.0

    async def beyond(self, version: int, patience: float) -> bool:
        """Wait until more has been told than at a version; False where nothing was for so many seconds."""
        if self.version != version:
            return True
        try:
            async with asyncio.timeout(patience):
                await self._told.wait()
        except TimeoutError:
            return False
        return True

    async def since(self, id_: str, mark: Mark) -> LogPage | None:
        """What changed after a mark: most who ask stand at the same, and share an answer."""
        key = (id_, mark)
        if key not in self._reading:
            self._reading[key] = asyncio.create_task(read_log(self._pool, id_, mark, MOST_CHANGES))
        return await asyncio.shield(self._reading[key])

    async def follow(self) -> None:
        """Listen for ever; a database that is away for a while delays the news, and loses none of it."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                LOGGER.warning("changes cannot be followed: %s", one_line(error))
            except ChengtuError as error:
                LOGGER.warning("changes cannot be followed: %s", error)
            await asyncio.sleep(_REST)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._settings.database_url or "", autocommit=True, application_name="chengtu-changes"
        )
        async with connection:
            await connection.execute(f"listen {CHANNEL}")
            while True:
                await self._tell()
                await self._trim(connection)
                async for _notice in connection.notifies(timeout=_LOOK, stop_after=1):
                    await asyncio.sleep(_GATHER)

    async def _tell(self) -> None:
        """See how the data sets stand, and wake those who wait where one has moved, or could not be read before."""
        standing = await positions(self._pool, self._ids())
        now = {id_: one.position for id_, one in standing.items()}
        failed = any(task.done() and (task.cancelled() or task.exception()) for task in self._reading.values())
        if now == self.now and not failed:
            return
        self.now = now
        self.version += 1
        self._reading = {}
        told, self._told = self._told, asyncio.Event()
        told.set()

    async def _trim(self, connection: psycopg.AsyncConnection[TupleRow]) -> None:
        if time.monotonic() - self._trimmed < _TRIM:
            return
        self._trimmed = time.monotonic()
        try:
            await trim(connection, self._settings.change_log_days)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.LockNotAvailable) as error:
            LOGGER.warning("old changes are not forgotten: %s", one_line(error))
