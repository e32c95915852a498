"""The ASGI application: health, the map page, static files, and everything else by the host."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.codelists import codelists
from core.database import AsyncPool, open_async_pool, open_pool
from core.door import Door
from core.errors import ChengtuError, DatabaseUnreachable
from core.language import spoken
from core.settings import ROOT, Settings, read_settings
from features.formats.press import Press
from features.search import Limits
from server import logs
from server.access import KeyApart
from server.archives import ARCHIVE_ROUTES
from server.borders import ERROR_HANDLERS, Border, from_error, use_context_executor
from server.changes import FEED_ROUTES
from server.codelists import CODELIST_ROUTES
from server.documents import DOCUMENT_ROUTES
from server.editing import EDIT_ROUTES
from server.features import FEATURE_ROUTES
from server.history import HISTORY_ROUTES
from server.host import Host, Tame
from server.news import News
from server.pages import TEMPLATES
from server.publisher import Publisher
from server.push import PUSH_ROUTES
from server.qgis_page import QGIS_ROUTES
from server.quality import QUALITY_ROUTES
from server.service import Service, read_service
from server.styles import STYLE_ROUTES
from server.tiles.document_routes import TILE_DOCUMENT_ROUTES
from server.tiles.following import follow as following_tiles
from server.tiles.lane import TileLane
from server.tiles.opening import open_tiles
from server.tiles.routes import TILE_ROUTES
from server.wmts import WMTS_ROUTES
from server.zipping import Zipping

MAPLIBRE = ROOT / "node_modules" / "maplibre-gl" / "dist"
_GUARDS = [
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'",
    ),
]
_COUNT_TIMEOUT = 10  # times what the planner may expect counting to take: its word is not to be taken for granted
_STATIC_HEADERS = [*_GUARDS, (b"cache-control", b"no-cache")]


def create() -> ASGIApp:
    """The application as the environment describes it: what each server process runs."""
    settings = read_settings()
    logs.set_up(settings)
    return application(settings, read_service(settings.config))


def application(settings: Settings, service: Service) -> ASGIApp:
    """The application for given settings; its pool and its host open with the lifespan, and close with it."""
    app = Starlette(
        routes=_own_routes(),
        lifespan=_lifespan(settings, service),
        exception_handlers=ERROR_HANDLERS,
        middleware=[
            Middleware(KeyApart),
            Middleware(logs.RequestLog),
            Middleware(_Guarded),
            *_cors(service),
            Middleware(Zipping),
            Middleware(
                Border,
                body_limit=settings.body_limit,
                language=service.server.languages[0],
                base_url=settings.base_url,
            ),
            Middleware(_Quarantine),
            Middleware(Tame),
        ],
    )
    codelists()  # a list that is wrong keeps the service from starting, and not a reader from an answer
    app.state.settings, app.state.service = settings, service
    limits = service.server.limits
    app.state.limits = Limits(limits.default_items, limits.max_items)
    app.state.download_limits = Limits(limits.download_items, limits.download_items)
    return TileLane(app, app.state, _GUARDS, cors=service.server.cors)


def _cors(service: Service) -> list[Middleware]:
    """Web maps on other hosts, which may read, and change what their own key lets them; no cookies are ever taken."""
    if not service.server.cors:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Crs",
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "Range",
                "X-API-Key",
            ],
            expose_headers=[
                "Accept-Ranges",
                "Content-Crs",
                "Content-Disposition",
                "Content-Range",
                "ETag",
                "Link",
                "Location",
                "OGC-NumberMatched",
                "OGC-NumberReturned",
                "Chengtu-Left-Out",
            ],
        )
    ]


def _own_routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        *FEATURE_ROUTES,
        *FEED_ROUTES,
        *QUALITY_ROUTES,
        *HISTORY_ROUTES,
        *PUSH_ROUTES,
        *EDIT_ROUTES,
        *TILE_ROUTES,
        *TILE_DOCUMENT_ROUTES,
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/map", map_page),
        *DOCUMENT_ROUTES,
        *CODELIST_ROUTES,
        *QGIS_ROUTES,
        *STYLE_ROUTES,
        *WMTS_ROUTES,
        *ARCHIVE_ROUTES,
    ]
    if MAPLIBRE.is_dir():
        routes.append(Mount("/static/vendor/maplibre-gl", StaticFiles(directory=MAPLIBRE)))
    routes.append(Mount("/static", StaticFiles(directory=ROOT / "web" / "static")))
    return routes


def _lifespan(settings: Settings, service: Service) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        executor = use_context_executor(asyncio.get_running_loop(), threads=settings.pool + 4)
        pool = await asyncio.to_thread(open_pool, settings.database_url or "", settings)
        publisher = Publisher(service, Door(pool, settings))
        app.state.publisher, app.state.pool = publisher, pool
        features, counts = await _feature_pools(settings)
        app.state.features, app.state.counts = features, counts
        app.state.press = press = Press(settings)
        host = Host(await asyncio.to_thread(publisher.configuration))
        app.router.routes.extend(host.routes)
        app.state.news = news = News(settings, features, lambda: publisher.tables)
        following = asyncio.gather(publisher.follow(host), news.follow())
        try:
            async with open_tiles(settings, pool) as app.state.tiles, _files_of_tiles(settings, app.state):
                yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            await asyncio.gather(press.close(), features.close(), counts.close(), asyncio.to_thread(pool.close))
            executor.shutdown(wait=False)

    return lifespan


@asynccontextmanager
async def _files_of_tiles(settings: Settings, state: Any) -> AsyncIterator[None]:  # noqa: ANN401 — Starlette's state
    """While it serves, keep the files of finished tiles right, where there are to be any."""
    if settings.tile_directory is None:
        yield
        return
    following = asyncio.create_task(following_tiles(settings.database_url or "", state.publisher, state.tiles))
    try:
        yield
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _feature_pools(settings: Settings) -> tuple[AsyncPool, AsyncPool]:
    """Connections for features, and two more for counting them, which may not take long."""
    dsn = settings.database_url or ""
    return (
        await open_async_pool(dsn, settings, size=settings.pool, statement_timeout=settings.statement_timeout),
        await open_async_pool(dsn, settings, size=2, statement_timeout=_COUNT_TIMEOUT * settings.count_budget + 0.1),
    )


async def healthz(request: Request) -> JSONResponse:
    """This process is alive; the database is not asked."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """This process can answer: 503 where the database does not, or not soon. Data sets out of service are named."""
    state = request.app.state
    started = time.perf_counter()
    try:
        await asyncio.to_thread(_ask_database, state)
    except ChengtuError as error:
        return from_error(error)
    publisher: Publisher = state.publisher
    problems = {id_: one.problem.in_(spoken.get()) for id_, one in publisher.quarantined.items() if one.problem}
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    return JSONResponse({"status": "ok", "database_ms": milliseconds, "quarantined": problems})


def _ask_database(state: Any) -> None:  # noqa: ANN401 — Starlette's state
    try:
        with state.pool.connection(timeout=state.settings.pool_wait) as connection:
            connection.execute("select 1")
    except Exception as error:
        raise DatabaseUnreachable(reason=type(error).__name__) from error


async def map_page(request: Request) -> HTMLResponse:
    """The map of the city, in the language of the request."""
    title = request.app.state.service.metadata.identification.title
    return TEMPLATES.TemplateResponse(
        request,
        "map.html",
        {
            "title_en": title.en,
            "title_zh": title.zh,
            "base_url": request.app.state.settings.base_url,
            "lang": spoken.get(),
            "version": version("pygeoapi"),
        },
    )


class _Guarded:
    """ASGI middleware: headers that keep browsers from running, guessing or fetching what we did not send."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add them to every answer; static files are asked for anew after an upgrade, at the price of a 304."""
        extra = _STATIC_HEADERS if scope.get("path", "").startswith("/static/") else _GUARDS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await self.app(scope, receive, with_headers)


class _Quarantine:
    """ASGI middleware: a data set out of service says why; and a 503 from one makes us look at the tables."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/collections/"):
            await self.app(scope, receive, send)
            return
        publisher: Publisher = scope["app"].state.publisher
        if problem := publisher.problem_of(scope["path"].split("/")[2]):
            await from_error(problem)(scope, receive, send)
            return

        async def watching(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 503:
                publisher.look_soon()
            await send(message)

        await self.app(scope, receive, watching)
