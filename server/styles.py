"""Styles as they are served: of one data set, and of the city (MapLibre style specification, version 8)."""

import asyncio
import hashlib
import json
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.catalogue import Dataset, states
from core.database import Pool, speaking_plainly
from core.errors import ChengtuError, NoSuchCollection
from core.language import spoken
from features.documents import QML_MEDIA, STYLE_MEDIA
from features.search import once
from server.caching import caching_headers, not_modified
from server.negotiate import UnknownForm
from tiles.style.colours import Theme
from tiles.style.document import Drawing, NamePoint, style
from tiles.style.points import name_points, needs_points
from tiles.style.qml import qml

_PARAMETERS = ("f", "lang", "theme", "api-key")
_THEMES: dict[str, Theme] = {"light": "light", "dark": "dark"}


class UnknownTheme(ChengtuError):
    """A theme that no style is made for."""

    en = "theme={theme!r} is not offered. Offered are: light, dark."
    zh = "不提供 theme={theme!r}。可用:light、dark。"
    code = "InvalidParameterValue"
    status = 400


class NothingToDraw(ChengtuError):
    """A data set without any geometry."""

    en = "{id} has no geometry, so there is nothing to draw and no style. Its features are at /collections/{id}/items."
    zh = "{id} 没有几何,无法绘制,因此没有样式。其要素见 /collections/{id}/items。"
    code = "NotFound"
    status = 404


class Names:
    """Where the names of areas go, by data set, each with when its features had last changed as it was found."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[datetime, list[NamePoint]]] = {}

    def of(self, pool: Pool, datasets: list[Dataset]) -> dict[str, list[NamePoint]]:
        """The points of those data sets that need them, found anew where features have changed since."""
        wanted = [one for one in datasets if needs_points(one)]
        if not wanted:
            return {}
        with speaking_plainly(), pool.connection() as connection:
            now = states(connection)
            for one in wanted:
                changed = now[one.id].changed if one.id in now else one.changed
                if self._found.get(one.id, (None, []))[0] != changed:
                    self._found[one.id] = (changed, name_points(connection, one))
        return {one.id: self._found[one.id][1] for one in wanted}


_NAMES = Names()


async def collection_style(request: Request) -> Response:
    """How one data set is drawn."""
    given = once(request.query_params.multi_items(), _PARAMETERS)
    dataset = request.app.state.publisher.table(request.path_params["collection_id"]).dataset
    if dataset.extent is None:
        raise NothingToDraw(id=dataset.id)
    return await _answer(request, dataset.title.in_(spoken.get()), [dataset], given)


async def collection_qml(request: Request) -> Response:
    """How one data set is drawn in QGIS, and what its codes are called there."""
    given = once(request.query_params.multi_items(), ("f", "lang", "api-key"))
    if (form := given.get("f", "qml")) != "qml":
        raise UnknownForm(form=form[:40], known="qml")
    dataset = request.app.state.publisher.table(request.path_params["collection_id"]).dataset
    body = await asyncio.to_thread(qml, dataset, spoken.get())
    return _sent(request, body, QML_MEDIA, {"Content-Disposition": f'attachment; filename="{dataset.id}.qml"'})


async def city_style(request: Request) -> Response:
    """How all data sets are drawn over each other, or those that `collections` names."""
    given = once(request.query_params.multi_items(), (*_PARAMETERS, "collections"))
    title = request.app.state.service.metadata.identification.title.text.in_(spoken.get())
    return await _answer(request, title, _chosen(request, given.get("collections")), given)


def _chosen(request: Request, named: str | None) -> list[Dataset]:
    tables = request.app.state.publisher.tables
    ids = list(tables) if named is None else [id_ for id_ in named.split(",") if id_]
    if unknown := next((id_ for id_ in ids if id_ not in tables), None):
        raise NoSuchCollection(id=unknown[:60])
    return [tables[id_].dataset for id_ in dict.fromkeys(ids)]


async def _answer(request: Request, title: str, datasets: list[Dataset], given: dict[str, str]) -> Response:
    theme, form = given.get("theme", "light"), given.get("f", "json")
    if theme not in _THEMES:
        raise UnknownTheme(theme=theme[:40])
    if form != "json":
        raise UnknownForm(form=form[:40], known="json")
    names = await asyncio.to_thread(_NAMES.of, request.app.state.pool, datasets)
    drawing = Drawing(request.app.state.settings.base_url, spoken.get(), _THEMES[theme])
    body = json.dumps(style(title, datasets, names, drawing), ensure_ascii=False, separators=(",", ":")).encode()
    return _sent(request, body, STYLE_MEDIA)


def _sent(request: Request, body: bytes, media: str, more: dict[str, str] | None = None) -> Response:
    """A style, to those who do not have it already."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = caching_headers(tag, max_age=0) | {
        "Content-Type": media,
        "Content-Language": spoken.get(),
        "Vary": "Accept-Language",
        **(more or {}),
    }
    return not_modified(request.headers, headers) or Response(body, headers=headers)


STYLE_ROUTES: list[BaseRoute] = [
    Route("/collections/{collection_id}/style.json", collection_style),
    Route("/collections/{collection_id}/style.qml", collection_qml),
    Route("/style.json", city_style),
]
