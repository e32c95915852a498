"""Asks PostgreSQL how data sets stand; one question answers all who asked before it was put.

Each request must know that no change was committed before it came, and nothing but the database can tell. The question is put
through libpq itself, on a connection of its own: through a pool it would cost several times what a finished tile costs.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

import psycopg
from psycopg import pq

from core.changes import Standing
from core.database import one_line, query, session
from core.errors import DatabaseUnreachable

_NAME: Final = b"positions"
_PATIENCE = 3.0  # seconds for an answer
_TRIES: Final = 2  # of a question: the first may meet a connection that has died

LOGGER = logging.getLogger("chengtu.tiles")

type Answer = dict[str, Standing]


class _Question:
    """What is asked at once, and who waits for the answer."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.waiting: list[asyncio.Future[Answer]] = []
        self.tries = 0


class Positions:
    """One process's question."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection[object] | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._next: _Question | None = None
        self._put: _Question | None = None  # the one that PostgreSQL is at
        self._deadline: asyncio.TimerHandle | None = None

    async def now(self, ids: Iterable[str]) -> Answer:
        """How the data sets stand, by id, at a moment after this call; those that are not there are left out."""
        question = self._next = self._next or _Question()
        question.ids.update(ids)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        question.waiting.append(answer)
        if self._put is None:
            self._ask()
        return await answer

    async def close(self) -> None:
        """Hang up; whoever waits is told that there is no answer."""
        if self._dialling is not None:
            self._dialling.cancel()
        self._hang_up(psycopg.OperationalError("the service is stopping"), again=False)

    def _ask(self) -> None:
        """Put the next question, if there is one; first dial, if there is no connection."""
        if self._next is None:
            return
        if self._connection is None:
            if self._dialling is None:
                self._dialling = asyncio.create_task(self._dial())
            return
        self._put, self._next = self._next, None
        self._put.tries += 1
        self._deadline = asyncio.get_running_loop().call_later(_PATIENCE, self._give_up)
        line = self._connection.pgconn
        try:
            line.send_query_prepared(_NAME, [("{" + ",".join(self._put.ids) + "}").encode()])
            line.flush()
        except psycopg.OperationalError as error:
            self._hang_up(error)

    def _hear(self) -> None:
        """Read what has come; when it is the whole answer, tell it, and put the next question."""
        if self._connection is None:
            return
        line = self._connection.pgconn
        try:
            line.consume_input()
            if line.is_busy():
                return
            results = _results(line)
        except psycopg.OperationalError as error:
            self._hang_up(error)
            return
        if self._put is None:
            return
        question, self._put = self._put, None
        if self._deadline is not None:
            self._deadline.cancel()
        self._ask()
        found = _answer(results[0])
        for one in question.waiting:
            if not one.done():
                one.set_result(found)

    def _give_up(self) -> None:
        self._hang_up(psycopg.OperationalError(f"no answer within {_PATIENCE:g} s"))

    def _hang_up(self, error: psycopg.OperationalError, *, again: bool = True) -> None:
        """Drop the connection; questions are put once more on a new one, those that were already are given up."""
        if self._deadline is not None:
            self._deadline.cancel()
        if self._connection is not None:
            asyncio.get_running_loop().remove_reader(self._connection.pgconn.socket)
            self._connection.pgconn.finish()
            self._connection = None
        for question in (self._put, self._next):
            if question is not None and (question.tries >= _TRIES or not again):
                _fail(question, error)
        left = [one for one in (self._put, self._next) if one is not None and again and one.tries < _TRIES]
        self._put, self._next = None, _together(left)
        self._ask()

    async def _dial(self) -> None:
        try:
            connection: psycopg.AsyncConnection[object] = await psycopg.AsyncConnection.connect(
                self._dsn,
                autocommit=True,
                application_name="chengtu-positions",
                options=session(_PATIENCE),
                connect_timeout=int(_PATIENCE),
            )
            statement = query("positions").as_string().replace("%(ids)s", "$1::text[]")
            connection.pgconn.prepare(_NAME, statement.encode())
        except psycopg.OperationalError as error:
            LOGGER.warning("the positions of data sets cannot be asked for: %s", one_line(error))
            self._dialling = None
            if self._next is not None:
                self._next.tries += 1
            self._hang_up(error)
            return
        self._dialling, self._connection = None, connection
        asyncio.get_running_loop().add_reader(connection.pgconn.socket, self._hear)
        self._ask()


def _results(line: pq.abc.PGconn) -> list[pq.abc.PGresult]:
    """The results of a question, the only one of which must hold rows."""
    results = []
    while (result := line.get_result()) is not None:
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(result.get_error_message())
        results.append(result)
    if not results:
        raise psycopg.OperationalError("the connection was lost")
    return results


def _answer(result: pq.abc.PGresult) -> Answer:
    return {
        (result.get_value(row, 0) or b"").decode(): Standing(
            *(int(result.get_value(row, column) or 0) for column in (1, 2, 3))
        )
        for row in range(result.ntuples)
    }


def _fail(question: _Question, error: psycopg.OperationalError) -> None:
    for one in question.waiting:
        if not one.done():
            one.set_exception(DatabaseUnreachable(reason=one_line(error)))


def _together(questions: list[_Question]) -> _Question | None:
    """Several questions as one, which has been tried as often as the most tried of them."""
    if not questions:
        return None
    joined = _Question()
    for one in questions:
        joined.ids |= one.ids
        joined.waiting += one.waiting
        joined.tries = max(joined.tries, one.tries)
    return joined
