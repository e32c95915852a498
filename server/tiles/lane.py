"""The short way to tiles that are finished: around everything that other requests must pass.

A web map asks for dozens of tiles at each move of the hand, and nearly all are in the cache. What is not, or needs a closer
look, goes the usual way.
"""

import time
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from server.logs import log_request
from server.tiles.addresses import TileAddress, read_address
from server.tiles.answers import MVT, answer, left_out_at
from tiles.cache import CITY, Kept, Key
from tiles.layer import TileLayer
from tiles.service import Tiles, city_recipe

_PREFIXES: Final = ("/xyz/", "/tiles/", "/collections/")
_METHODS: Final = ("GET", "HEAD")
_MVT: Final = MVT.encode()


class TileLane:
    """ASGI application around another: answers what it can from the cache of tiles."""

    def __init__(self, app: ASGIApp, state: Any, guards: list[tuple[bytes, bytes]], *, cors: bool) -> None:  # noqa: ANN401 — Starlette's state
        self.app = app
        self._state = state
        self._extra = [*guards, *([(b"access-control-allow-origin", b"*")] if cors else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] == "http" and scope["path"].startswith(_PREFIXES) and self._is_plain(scope):
            started = time.perf_counter()
            address = read_address(scope["path"])
            if address is not None and (found := await self._found(address)) is not None:
                await self._send(scope, receive, send, address, found, started)
                return
        await self.app(scope, receive, send)

    @staticmethod
    def _is_plain(scope: Scope) -> bool:
        """Whether nothing in a request asks for more than the tile."""
        if scope["method"] not in _METHODS or scope["query_string"]:
            return False
        return all(b"*/*" in value or _MVT in value for name, value in scope["headers"] if name == b"accept")

    async def _found(self, address: TileAddress) -> tuple[list[TileLayer], Kept, int] | None:
        """The layers of a tile that is in the cache, the tile and its zoom; None also for whatever is wrong with it."""
        tiles: Tiles | None = getattr(self._state, "tiles", None)
        if tiles is None or not tiles.keeps or (matrix_set := tiles.sets.get(address.matrix_set)) is None:
            return None
        every: dict[str, TileLayer] = self._state.publisher.layers
        layers = [every[address.collection]] if address.collection in every else [*every.values()]
        if address.collection is not None and address.collection not in every:
            return None
        recipe = layers[0].recipe if address.collection else city_recipe(layers)
        try:
            tile = matrix_set.tile(address.z, address.row, address.column)
            kept = await tiles.cached(layers, Key(address.collection or CITY, matrix_set.id, tile), recipe)
        except Exception:  # whatever it is, the usual way will meet it again, and say so
            return None
        if kept is None or kept.is_empty:
            return None
        return layers, kept, matrix_set.mercator_zoom(tile.z)

    async def _send(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        address: TileAddress,
        found: tuple[list[TileLayer], Kept, int],
        started: float,
    ) -> None:
        layers, kept, zoom = found
        max_age = min(one.dataset.max_age for one in layers)
        left_out = left_out_at(layers[0], zoom) if address.collection else None
        response = answer(Headers(scope=scope), kept, max_age=max_age, left_out=left_out)
        response.raw_headers.extend(self._extra)
        await response(scope, receive, send)
        log_request(scope, response.status_code, len(response.body), (time.perf_counter() - started) * 1000)
