"""Changes as they happen: /changes, as Server-Sent Events (HTML, 9.2)."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Send

from core.bbox import BadBbox, bbox_area
from core.catalogue import BBox
from core.changes import Change, LogPage, Mark, positions
from core.crs import CRS84, WGS84
from core.errors import ChengtuError
from core.mercator import Tile, tile_range
from features.feed import OPS, bounds, decode, encode, identifier
from features.search import once, whole_number
from features.table import Table
from server.negotiate import choose
from server.news import News
from server.protocol import ENDLESS

MEDIA = {"sse": "text/event-stream"}
_PARAMETERS = ("collections", "bbox", "zoom", "since", "f", "lang", "api-key")
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # nginx would gather events
_MOST_FEATURES = 500  # of an event
_MOST_TILES = 500
_DEEPEST = 24
_HEARTBEAT = 15.0  # seconds of silence that proxies bear
_PATIENCE = 60.0  # seconds that a client may take to read what it was sent
_AGAIN = 2000  # milliseconds before a client whose stream was cut asks again
_NOWHERE = Mark(0, 0, 0)


class TooManyFollowers(ChengtuError):
    """All places of those who are told of changes are taken."""

    en = "This server process tells {limit} clients of changes, and no more. Ask again later, or read the change feed."
    zh = "本服务进程最多向 {limit} 个客户端推送变更。请稍后再试,或改用变更接口。"
    status = 503


class Wanted(NamedTuple):
    """What a client wants to hear of."""

    collections: tuple[str, ...]  # none: all
    view: BBox | None
    zoom: int | None

    def meets(self, change: Change) -> bool:
        """Whether a change lies in the view."""
        return self.view is None or any(_meet(self.view, box) for box in change.boxes)


async def push(request: Request) -> Response:
    """Tell of changes until the client has heard enough, from its last event on where it names that."""
    choose(request.scope, MEDIA)
    wanted, since = _read(request)
    state = request.app.state
    for id_ in wanted.collections:
        state.publisher.table(id_)
    if state.news.followers >= state.settings.push_clients:
        raise TooManyFollowers(limit=state.settings.push_clients)
    if request.method == "HEAD":
        return Response(headers=_HEADERS, media_type=MEDIA["sse"])
    marks = {id_: one.position.mark for id_, one in (await positions(state.features, _ids(request, wanted))).items()}
    if since:
        marks |= {id_: mark for id_, mark in decode(since, "/changes").items() if id_ in marks}
    setattr(request.state, ENDLESS, True)
    return _EventStream(_events(request, wanted, marks))


def _read(request: Request) -> tuple[Wanted, str | None]:
    given = once(request.query_params.multi_items(), _PARAMETERS)
    named = tuple(dict.fromkeys(one for one in given.get("collections", "").split(",") if one))
    zoom = whole_number(given, "zoom", 0, least=0, most=_DEEPEST) if "zoom" in given else None
    wanted = Wanted(named, _view(given["bbox"]) if "bbox" in given else None, zoom)
    return wanted, request.headers.get("last-event-id") or given.get("since")


def _view(text: str) -> BBox:
    """A box in degrees, west, south, east, north; west exceeds east where it crosses the antimeridian."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise BadBbox(bbox=text[:100]) from error
    if len(numbers) != len(BBox._fields):
        raise BadBbox(bbox=text[:100])
    bbox_area(numbers, CRS84, WGS84)  # raises what is wrong with it
    return BBox(*numbers)


def _meet(view: BBox, box: BBox) -> bool:
    if view.south > box.north or view.north < box.south:
        return False
    width = (view.east - view.west) % 360 or (360.0 if view.east != view.west else 0.0)
    return (box.west - view.west) % 360 <= width or (view.west - box.west) % 360 <= box.east - box.west


def _ids(request: Request, wanted: Wanted) -> list[str]:
    """The collections that there are of those that are wanted."""
    tables: dict[str, Table] = request.app.state.publisher.tables
    return [id_ for id_ in wanted.collections or tables if id_ in tables]


class _EventStream(StreamingResponse):
    """A stream that ends where its client reads nothing for long."""

    def __init__(self, events: AsyncGenerator[bytes]) -> None:
        super().__init__(events, headers=_HEADERS, media_type=MEDIA["sse"])
        self._events = events

    async def stream_response(self, send: Send) -> None:
        """Send piece by piece, each in good time; the client's place is free at the end, whatever that was."""

        async def in_time(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        async with aclosing(self._events):
            with suppress(TimeoutError):
                await super().stream_response(in_time)


async def _events(request: Request, wanted: Wanted, marks: dict[str, Mark]) -> AsyncGenerator[bytes]:
    """The events of one client. Its place is in the log: while it reads slowly nothing is kept for it."""
    news: News = request.app.state.news
    news.followers += 1
    try:
        yield b"retry: %d\n%b" % (_AGAIN, _place(marks))
        while True:
            version = news.version
            for id_ in _ids(request, wanted):
                event = await _event(request, news, wanted, marks, id_)
                if event is not None:
                    yield event
            if not await news.beyond(version, _HEARTBEAT):
                yield b":\n" + _place(marks)
    finally:
        news.followers -= 1


async def _event(request: Request, news: News, wanted: Wanted, marks: dict[str, Mark], id_: str) -> bytes | None:
    """What a client is to hear of a data set now, if anything; its mark moves on."""
    table: Table | None = request.app.state.publisher.tables.get(id_)
    mark, now = marks.get(id_, _NOWHERE), news.now.get(id_)
    if table is None or now is None or now.mark == mark:
        return None
    try:
        log = await news.since(id_, mark)
    except ChengtuError:
        return None  # the database is away, and whoever follows it says so: it is read when it is back
    if log is None:
        return None
    marks[id_] = log.now.mark
    told: dict[str, Any] = {"collection": id_, "token": encode({id_: log.now.mark})}
    if log.reset or log.more:
        return _written("reset", told, marks)
    changes = [change for change in log.changes if log.guarded or wanted.meets(change)]
    return _written("change", told | _told(table, changes, log, wanted), marks) if changes else None


def _told(table: Table, changes: list[Change], log: LogPage, wanted: Wanted) -> dict[str, Any]:
    """The features that changed; where row security hides some from us, only that there were any."""
    shown = [] if log.guarded else changes[:_MOST_FEATURES]
    told: dict[str, Any] = {
        "features": [
            {"op": OPS[one.op], "id": identifier(table, one.key or ""), "bbox": bounds([*one.boxes])} for one in shown
        ],
        "bbox": None if log.guarded else bounds([box for one in changes for box in one.boxes]),
    }
    if len(shown) < len(changes):
        told["truncated"] = True
    if wanted.zoom is not None:
        told["tiles"] = "all" if log.guarded else _tiles(changes, wanted.zoom)
    return told


def _tiles(changes: list[Change], zoom: int) -> list[str] | str:
    """The tiles of Web Mercator that changes touch."""
    ranges = {one for change in changes for box in change.boxes for one in tile_range(box, zoom)}
    if any(one.size > _MOST_TILES for one in ranges):
        return "all"
    tiles: set[Tile] = set()
    for one in ranges:
        tiles.update(one.tiles())
        if len(tiles) > _MOST_TILES:
            return "all"
    return [f"{tile.z}/{tile.x}/{tile.y}" for tile in sorted(tiles)]


def _written(event: str, told: dict[str, Any], marks: dict[str, Mark]) -> bytes:
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return b"event: %b\ndata: %b\n%b" % (event.encode(), data, _place(marks))


def _place(marks: dict[str, Mark]) -> bytes:
    """The id by which a client goes on from here, and the end of an event; a browser keeps it even of an empty one."""
    return b"id: %b\n\n" % encode(marks).encode()


PUSH_ROUTES: list[BaseRoute] = [Route("/changes", push)]
