"""Asks PostgreSQL how data sets stand; one question answers all who asked before it was put.

Each request must know that no change was committed before it came, and nothing but the database can tell. The question is put
through libpq itself, on a connection of its own: through the pool it would cost several times what a cached tile costs.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

import psycopg
from psycopg import pq

from core.changes import Standing
from core.database import query, session
from core.errors import DatabaseUnreachable

_NAME: Final = b"positions"
_PATIENCE = 3.0  # seconds for an answer

LOGGER = logging.getLogger("chengtu.tiles")

type Answer = dict[str, Standing]


class _Batch:
    """Those who wait for the same answer."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()


class Positions:
    """One process's question."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection[object] | None = None
        self._next: _Batch | None = None
        self._asking: asyncio.Task[None] | None = None

    async def now(self, ids: Iterable[str]) -> Answer:
        """How the data sets stand, by id, at a moment after this call; those that are not there are left out."""
        if self._next is None:
            self._next = _Batch()
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
        batch = self._next
        batch.ids.update(ids)
        return await asyncio.shield(batch.answer)

    async def close(self) -> None:
        """Hang up."""
        if self._asking is not None:
            await asyncio.wait([self._asking], timeout=_PATIENCE)
        if self._connection is not None:
            await self._connection.close()

    async def _ask(self) -> None:
        """Put one question after the other, as long as there are any."""
        while (batch := self._next) is not None:
            self._next = None
            try:
                answer = await self._answer(batch.ids)
            except Exception as error:  # whatever it is, those who wait must hear of it
                LOGGER.warning("data sets' positions cannot be asked for: %s", error)
                batch.answer.set_exception(DatabaseUnreachable(reason=type(error).__name__))
                batch.answer.exception()  # heard, even where all who waited have gone
            else:
                batch.answer.set_result(answer)

    async def _answer(self, ids: set[str]) -> Answer:
        try:
            return await asyncio.wait_for(self._once(ids), _PATIENCE)
        except (psycopg.OperationalError, TimeoutError, OSError):
            await self._hang_up()
            return await asyncio.wait_for(self._once(ids), _PATIENCE)

    async def _once(self, ids: set[str]) -> Answer:
        connection = (self._connection or await self._dial()).pgconn
        connection.send_query_prepared(_NAME, [("{" + ",".join(ids) + "}").encode()])
        result = await _received(connection)
        return {
            _text(result, row, 0): Standing(*(int(result.get_value(row, column) or 0) for column in (1, 2, 3)))
            for row in range(result.ntuples)
        }

    async def _dial(self) -> psycopg.AsyncConnection[object]:
        options = session(_PATIENCE)
        connection: psycopg.AsyncConnection[object] = await psycopg.AsyncConnection.connect(
            self._dsn,
            autocommit=True,
            application_name="chengtu-positions",
            options=options,
            connect_timeout=int(_PATIENCE),
        )
        statement = query("positions").as_string().replace("%(ids)s", "$1::text[]")
        connection.pgconn.send_prepare(_NAME, statement.encode())
        await _received(connection.pgconn)
        self._connection = connection
        return connection

    async def _hang_up(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def _received(connection: pq.abc.PGconn) -> pq.abc.PGresult:
    """The result of what was sent: libpq's own loop, on the event loop."""
    loop = asyncio.get_running_loop()
    if connection.flush():
        raise psycopg.OperationalError("so short a question does not go out at once: the connection is stuck")
    while connection.is_busy():
        await _readable(loop, connection.socket)
        connection.consume_input()
    result = connection.get_result()
    while connection.get_result() is not None:
        pass
    if result is None or result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        raise psycopg.OperationalError(_problem(result))
    return result


async def _readable(loop: asyncio.AbstractEventLoop, socket: int) -> None:
    ready = loop.create_future()
    loop.add_reader(socket, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(socket)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _problem(result: pq.abc.PGresult | None) -> str:
    """What PostgreSQL said was wrong."""
    return result.get_error_message().splitlines()[0] if result is not None else "the connection was lost"


def _text(result: pq.abc.PGresult, row: int, column: int) -> str:
    return (result.get_value(row, column) or b"").decode()
