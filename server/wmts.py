"""WMTS 1.0.0 over HTTP: by parameters at /wmts, and by addresses below /wmts/1.0.0/."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.catalogue import BBox, State, joined, states
from core.database import Pool, speaking_plainly
from core.errors import ChengtuError
from core.language import Language, Text, spoken
from features.asking import asking
from features.queries import conditions
from features.search import read_search
from server.caching import caching_headers, not_modified
from server.service import Service
from server.tiles.answers import answer, left_out_at
from server.tiles.routes import least_age, of_its_table
from tiles.cache import Kept
from tiles.layer import TileLayer
from tiles.queries import Condition
from tiles.wmts.asking import (
    VERSION,
    Invalid,
    NotSupported,
    TileAsked,
    WmtsError,
    check_version,
    read_parameters,
    read_tile,
    required,
)
from tiles.wmts.capabilities import About, WmtsLayer, capabilities, report
from tiles.wmts.sets import WmtsSet, wmts_sets

_XML = "application/xml"
_CITY = "city"
_CODES = ("InvalidParameterValue", "MissingParameterValue")  # those of OGC APIs that OWS has too
_WORLD = BBox(-180, -90, 180, 90)
_NAMED_IN_PATH = ("layer", "style", "tilematrixset", "tilematrix", "tilerow", "tilecol", "format")

Endpoint = Callable[[Request], Awaitable[Response]]


def _reporting(endpoint: Endpoint) -> Endpoint:
    """Errors as WMTS reports them."""

    @wraps(endpoint)
    async def reporting(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ChengtuError as error:
            return _report(error, by_address=bool(request.path_params))

    return reporting


def _report(error: ChengtuError, *, by_address: bool) -> Response:
    """What an address names and is not there is 404; a parameter to be mended is 400."""
    own = error if isinstance(error, WmtsError) else None
    code = error.code if error.code in _CODES or own is not None else "NoApplicableCode"
    status = 404 if by_address and code in ("InvalidParameterValue", "TileOutOfRange") else error.status
    headers = {"Retry-After": "2"} if status == 503 else {}
    say = spoken.get()
    return Response(report(own, code, error.message(say), say), status, headers, media_type=_XML)


@_reporting
async def by_parameters(request: Request) -> Response:
    """GetCapabilities or GetTile, as parameters say (OGC 07-057r7, 8)."""
    given = read_parameters(request.query_params.multi_items())
    service = required(given, "Service")
    if service.upper() != "WMTS":
        raise Invalid(name="Service", value=service[:40], known="WMTS")
    match required(given, "Request").lower():
        case "getcapabilities":
            check_version(given, negotiating=True)
            return await _capabilities(request)
        case "gettile":
            check_version(given, negotiating=False)
            return await _tile(request, read_tile(given, _sets(request)), given.get("time", ""))
    raise NotSupported(value=given["request"][:40])


@_reporting
async def capabilities_by_address(request: Request) -> Response:
    """The capabilities (10.2)."""
    return await _capabilities(request)


@_reporting
async def tile_by_address(request: Request) -> Response:
    """A tile (10.2)."""
    given = {name: request.path_params[name] for name in _NAMED_IN_PATH}
    times = read_parameters(request.query_params.multi_items()).get("time", "")
    return await _tile(request, read_tile(given, _sets(request)), times)


async def _tile(request: Request, asked: TileAsked, times: str) -> Response:
    matrix_set, tile = asked.matrix_set.matrix_set, asked.tile
    layers = _layers(request)
    if asked.layer == _city_name(layers):
        kept = await request.app.state.tiles.city(layers, matrix_set, tile)
        return answer(request.headers, kept, max_age=least_age(layers))
    found = next((one for one in layers if one.id == asked.layer), None)
    if found is None:
        raise Invalid(name="Layer", value=asked.layer[:60], known=Text("see GetCapabilities", "见 GetCapabilities"))
    if times and found.dataset.time:
        kept = await _of_times(request, found, asked, times)
    else:
        kept = await of_its_table(request, found, matrix_set, tile)
    left_out = left_out_at(found, matrix_set.mercator_zoom(tile.z))
    return answer(request.headers, kept, max_age=found.dataset.max_age, left_out=left_out)


async def _of_times(request: Request, layer: TileLayer, asked: TileAsked, times: str) -> Kept:
    """A tile of the features of some times."""
    state = request.app.state
    table = state.publisher.table(layer.id)
    condition = Condition(*conditions(table, read_search([("datetime", times)], table, state.limits)))
    with asking(layer.id):
        kept: Kept = await state.tiles.filtered(layer, asked.matrix_set.matrix_set, asked.tile, condition)
    return kept


async def _capabilities(request: Request) -> Response:
    body = await asyncio.to_thread(_written, request)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = caching_headers(tag, max_age=0) | {"Content-Language": spoken.get(), "Vary": "Accept-Language"}
    return not_modified(request.headers, headers) or Response(body, headers=headers, media_type=_XML)


def _written(request: Request) -> bytes:
    state, say = request.app.state, spoken.get()
    about = _about(state.service, state.settings.base_url, say)
    layers = _layers(request)
    now = _states(state.pool)
    told = [one for layer in layers if (one := _told(layer, now.get(layer.id, layer.dataset.state), say))]
    city = _city(_city_name(layers), about, told)
    return capabilities(about, [city, *told], [*_sets(request).values()])


def _about(service: Service, url: str, say: Language) -> About:
    words, contact = service.metadata.identification, service.metadata.contact
    return About(
        title=words.title.text.in_(say),
        abstract=words.description.text.in_(say),
        keywords=words.keywords.zh if say == "zh" else words.keywords.en,
        licence=service.metadata.license.name,
        provider=service.metadata.provider.name,
        site=service.metadata.provider.url,
        contact=contact.name,
        email=contact.email,
        url=url,
        language=say,
    )


def _told(layer: TileLayer, state: State, say: Language) -> WmtsLayer | None:
    """A layer for the capabilities; None of a data set that has nothing to draw."""
    one = layer.dataset
    if state.extent is None:
        return None
    interval = state.interval if one.time else None
    return WmtsLayer(one.id, one.title.in_(say), one.description.in_(say), one.keywords, state.extent, interval)


def _city(id_: str, about: About, told: Sequence[WmtsLayer]) -> WmtsLayer:
    """All layers as one."""
    extent = joined([one.extent for one in told]) or _WORLD
    return WmtsLayer(id_, about.title, about.abstract, about.keywords, extent, None)


def _city_name(layers: Sequence[TileLayer]) -> str:
    """What the layer of all is called; a data set of that name keeps it, and none can begin with an underscore."""
    return f"_{_CITY}" if any(one.id == _CITY for one in layers) else _CITY


def _layers(request: Request) -> list[TileLayer]:
    layers: dict[str, TileLayer] = request.app.state.publisher.layers
    return list(layers.values())


def _sets(request: Request) -> dict[str, WmtsSet]:
    return wmts_sets(request.app.state.tiles.sets, request.app.state.settings.wmts_scales)


def _states(pool: Pool) -> dict[str, State]:
    with speaking_plainly(), pool.connection() as connection:
        return states(connection)


_TILE = "{layer}/{style}/{tilematrixset}/{tilematrix}/{tilerow}/{tilecol}.{format}"
WMTS_ROUTES: list[BaseRoute] = [
    Route("/wmts", by_parameters),
    Route(f"/wmts/{VERSION}/WMTSCapabilities.xml", capabilities_by_address),
    Route(f"/wmts/{VERSION}/{_TILE}", tile_by_address),
]
