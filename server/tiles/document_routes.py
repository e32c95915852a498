"""The addresses of the documents about tiles, for programs and for browsers."""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.language import spoken
from features.documents import MEDIA, Json, Site
from features.search import once
from server.asked import FORMS
from server.negotiate import choose
from server.pages import page
from server.service import Service
from server.tiles.documents import (
    TileSource,
    addresses,
    matrix_set_list,
    of_city,
    of_collection,
    tile_json,
    tile_set,
    tile_sets,
)
from server.tiles.routes import joined_extent, layer_of, layers_of, matrix_set_of
from tiles.matrix import MatrixSet

_PARAMETERS = ("f", "lang", "api-key")
_SOURCES = ("collections", *_PARAMETERS)


async def tile_set_list(request: Request) -> Response:
    """The tile sets of a collection, or of the city."""
    source, site = _source(request), _site(request)
    document = tile_sets(source, _sets(request), site)
    return _shown(request, "tiles/sets.html", document, addresses(source, site))


async def one_tile_set(request: Request) -> Response:
    """One tile set."""
    one = matrix_set_of(request, request.path_params["matrix_set"])
    return _shown(request, "tiles/set.html", tile_set(_source(request), one, _site(request)))


async def all_matrix_sets(request: Request) -> Response:
    """The tile matrix sets."""
    return _shown(request, "tiles/matrix_sets.html", matrix_set_list(_sets(request), _site(request)))


async def one_matrix_set(request: Request) -> Response:
    """One tile matrix set (OGC 2DTMS 2.0, 7)."""
    one = matrix_set_of(request, request.path_params["matrix_set"])
    return _shown(request, "tiles/matrix_set.html", one.document)


async def tile_json_of(request: Request) -> Response:
    """The TileJSON of a collection, or of the city."""
    once(request.query_params.multi_items(), _SOURCES if "collection_id" not in request.path_params else _PARAMETERS)
    return JSONResponse(tile_json(_source(request), _site(request)), headers=_headers())


def _shown(request: Request, template: str, document: Json, besides: Json | None = None) -> Response:
    """A document as JSON, or as a page that may show more."""
    once(request.query_params.multi_items(), _PARAMETERS)
    if choose(request.scope, MEDIA) == "html":
        return page(request, template, document | (besides or {}))
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(body, media_type=MEDIA["json"], headers=_headers())


def _headers() -> dict[str, str]:
    return {"Content-Language": spoken.get(), "Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}


def _source(request: Request) -> TileSource:
    if "collection_id" in request.path_params:
        return of_collection(layer_of(request, request.path_params["collection_id"]))
    layers = layers_of(request, request.query_params.get("collections"))
    service: Service = request.app.state.service
    about = service.metadata.identification
    return of_city(layers, joined_extent(layers), about.title.text, about.description.text)


def _sets(request: Request) -> list[MatrixSet]:
    return list(request.app.state.tiles.sets.values())


def _site(request: Request) -> Site:
    return Site(request.app.state.settings.base_url, spoken.get(), FORMS)


type _Endpoint = Callable[[Request], Awaitable[Response]]


def _both(path: str, endpoint: _Endpoint) -> list[BaseRoute]:
    """With and without a slash behind it."""
    return [Route(path, endpoint), Route(f"{path}/", endpoint)]


TILE_DOCUMENT_ROUTES: list[BaseRoute] = [
    *_both("/tiles", tile_set_list),
    *_both("/tiles/{matrix_set}", one_tile_set),
    *_both("/collections/{collection_id}/tiles", tile_set_list),
    *_both("/collections/{collection_id}/tiles/{matrix_set}", one_tile_set),
    *_both("/tileMatrixSets", all_matrix_sets),
    *_both("/tileMatrixSets/{matrix_set}", one_matrix_set),
    *_both("/TileMatrixSets", all_matrix_sets),  # as the host, and older clients, write it
    *_both("/TileMatrixSets/{matrix_set}", one_matrix_set),
    Route("/xyz.json", tile_json_of),
    Route("/xyz/{collection_id}.json", tile_json_of),
]
