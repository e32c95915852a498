"""A query's features in other forms than GeoJSON: lines as they are read, and files once they are written."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from psycopg import sql
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from features.formats.files import FILES, job
from features.formats.lines import BOM, LINES
from features.formats.press import Press, Written
from features.paging import Cursor
from features.reader import Page, State, read_count, read_page, read_state
from features.table import Table
from server.asked import Asked, caching, count_matched

_CHUNK = 1000  # features that are fetched at once
_NOTHING = sql.SQL("''")  # of a feature: only its place
_GONE = 499  # a client that left, in the log


async def download(request: Request, table: Table, asked: Asked, form: str, headers: dict[str, str]) -> Response:
    """What was asked for, in a form of lines or as a file; `headers` are those that are known already.

    An answer is tagged with the state that it is read from, unless what it is of has versions of its own.
    """
    suffix = LINES[form].suffix if form in LINES else FILES[form].suffix
    headers = headers | {"Content-Disposition": f'attachment; filename="{table.dataset.id}.{suffix}"'}
    if asked.search.hits_only:
        return await _hits(request, table, asked, headers)
    if form in LINES:
        return await _lines(request, table, asked, form, headers)
    if request.method == "HEAD":  # nobody writes a file that nobody gets
        if asked.tagged:
            headers |= caching(request, table, await read_state(request.app.state.features, table), form)
        return StreamingResponse(iter(()), headers=headers)
    return await _file(request, table, asked, form, headers)


async def _hits(request: Request, table: Table, asked: Asked, headers: dict[str, str]) -> Response:
    """No features but their number."""
    matched = await read_count(request.app.state.features, table, asked.search)
    return Response(headers=headers | _numbers(matched, 0))


async def _lines(request: Request, table: Table, asked: Asked, form: str, headers: dict[str, str]) -> Response:
    """Lines in steps; where a page needs several, its end is looked up first, since headers come before it."""
    search, pool, feature = asked.search, request.app.state.features, LINES[form].feature(table, asked.search)
    step = search.limit if search.backwards else min(search.limit, _CHUNK)
    page = await read_page(pool, table, search._replace(limit=step), feature)
    whole = page
    if page.more and step < search.limit:
        whole = await read_page(pool, table, search, _NOTHING)
    returned = len(whole.features)
    if asked.tagged:
        headers = headers | caching(request, table, page.state, form)
    headers |= await _counted(request, table, asked, whole.state, returned, more=whole.more, known=page.matched)
    if returned and (whole.more or search.backwards):
        headers |= _next(asked, whole.after(), headers["Content-Type"])
    body = _written(request, table, asked, form, page)
    if step == search.limit or not page.more:
        return Response(b"".join([part async for part in body]), headers=headers)
    return StreamingResponse(body, headers=headers)


async def _written(request: Request, table: Table, asked: Asked, form: str, page: Page) -> AsyncIterator[bytes]:
    """The lines, step by step; they break off if the release changes."""
    search, kind, returned = asked.search, LINES[form], len(page.features)
    yield (BOM if asked.bom else b"") + kind.head(table, search) + kind.lines(page.features)
    while page.more and returned < search.limit:
        rest = search._replace(limit=min(search.limit - returned, _CHUNK), cursor=page.after(), offset=0)
        page = await read_page(request.app.state.features, table, rest, kind.feature(table, search))
        returned += len(page.features)
        yield kind.lines(page.features)


async def _file(request: Request, table: Table, asked: Asked, form: str, headers: dict[str, str]) -> Response:
    """A file, which is gone once it is sent, or nobody waits for it any longer."""
    press: Press = request.app.state.press
    settings = request.app.state.settings
    dsn, seconds = settings.database_url or "", settings.statement_timeout
    make = partial(job, form, table, asked.search, dsn, seconds)
    async with AsyncExitStack() as stack:
        written = await _unless_gone(request, stack.enter_async_context(press.written(make)))
        if written is None:
            return Response(status_code=_GONE)
        done = written.done
        state = State(done.release, done.change, done.features, done.changed)
        if asked.tagged:
            headers = headers | caching(request, table, state, form)
        headers |= await _counted(request, table, asked, state, done.returned, more=done.more)
        if done.returned and (done.more or asked.search.backwards):
            headers |= _next(asked, Cursor(done.release, done.change, None, done.last), headers["Content-Type"])
        return _Once(written, stack.pop_all(), headers)
    raise AssertionError("unreachable")


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Written]) -> Written | None:
    """The outcome of some work, which is given up when the client leaves: then None."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Once(FileResponse):
    """A file that is sent whole: parts of it would each have to be written anew."""

    def __init__(self, written: Written, stack: AsyncExitStack, headers: dict[str, str]) -> None:
        super().__init__(written.path, headers=headers, media_type=headers["Content-Type"])
        del self.headers["accept-ranges"]
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and remove it whatever happens."""
        whole = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"range"]}
        async with self._stack:
            await super().__call__(whole, receive, send)


async def _counted(
    request: Request,
    table: Table,
    asked: Asked,
    state: State,
    returned: int,
    *,
    more: bool,
    known: int | None = None,
) -> dict[str, str]:
    all_ = None if more else returned
    matched = await count_matched(request, table, asked.search, state, known=known, all_=all_)
    return _numbers(matched, returned)


def _numbers(matched: int | None, returned: int) -> dict[str, str]:
    counted = {} if matched is None else {"OGC-NumberMatched": str(matched)}
    return counted | {"OGC-NumberReturned": str(returned)}


def _next(asked: Asked, cursor: Cursor, type_: str) -> dict[str, str]:
    """Where the next features are; a query that was posted cannot be told in a header."""
    if asked.posted:
        return {}
    return {"Link": f'<{asked.page("next", cursor)["href"]}>; rel="next"; type="{type_}"'}
