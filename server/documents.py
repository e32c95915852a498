"""What clients read before they ask for features, as JSON of our own; the pages at the same addresses are the host's."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.catalogue import State, states
from core.database import Pool, speaking_plainly
from core.language import Language, Text, spoken
from features.documents import (
    MEDIA,
    SCHEMA_FORMS,
    SCHEMA_MEDIA,
    Json,
    Site,
    collection,
    document_links,
    feature_schema,
    link,
    queryables,
    schema,
)
from features.filters import FUNCTIONS, Function
from features.search import once
from features.table import Table
from server.access import is_editable
from server.asked import FORMS
from server.conformance import CONFORMANCE
from server.negotiate import Check, DataRoute, Forms, choose
from server.openapi import openapi
from server.service import Service

OPENAPI_MEDIA = {"json": "application/vnd.oai.openapi+json;version=3.0", "html": "text/html"}
FUNCTIONS_MEDIA = {"json": "application/json"}  # the host has no page of them
_PARAMETERS = ("f", "lang", "api-key")

_OGC = "http://www.opengis.net/def/rel/ogc/1.0/"
_ZIP_LEVEL = 6


class Packed(NamedTuple):
    """A large document as it is sent: plain, and zipped."""

    plain: bytes
    zipped: bytes


class Kept:
    """Large documents, each with what it was made of: the catalogue, and facts that change without it."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, object, Packed]] = {}

    def get(self, name: str, catalogue: object, facts: object, make: Callable[[], Packed]) -> Packed:
        """The document `name`, made anew where it was made of anything else."""
        found = self._made.get(name)
        if found is None or found[0] is not catalogue or found[1] != facts:
            self._made[name] = found = (catalogue, facts, make())
        return found[2]


_KEPT = Kept()


async def landing(request: Request) -> Response:
    """Where everything else is found (OGC API - Features 1, 7.2)."""
    service, site = _service(request), _site(request)
    words = service.metadata.identification
    return _answer(
        request,
        {
            "title": words.title.text.in_(site.language),
            "description": words.description.text.in_(site.language),
            "links": _landing_links(service, site),
        },
    )


def _landing_links(service: Service, site: Site) -> list[Json]:
    say = site.language
    about = service.metadata.identification.url
    links = [
        *document_links(f"{site.base}/", MEDIA, say),
        link("service-desc", f"{site.base}/openapi", OPENAPI_MEDIA["json"], _DEFINITION.in_(say)),
        link("service-doc", f"{site.base}/openapi?f=html", MEDIA["html"], _EXPLANATION.in_(say)),
        link("conformance", f"{site.base}/conformance", MEDIA["json"], _CONFORMANCE.in_(say)),
        link(f"{_OGC}conformance", f"{site.base}/conformance", MEDIA["json"], _CONFORMANCE.in_(say)),
        link("data", f"{site.base}/collections", MEDIA["json"], _DATA.in_(say)),
        link(f"{_OGC}functions", f"{site.base}/functions", FUNCTIONS_MEDIA["json"], _FUNCTIONS.in_(say)),
        link(f"{_OGC}tilesets-vector", f"{site.base}/tiles", MEDIA["json"], _TILES.in_(say)),
        link(f"{_OGC}tiling-schemes", f"{site.base}/tileMatrixSets", MEDIA["json"], _MATRIX_SETS.in_(say)),
        link(f"{_OGC}processes", f"{site.base}/processes", MEDIA["json"], _PROCESSES.in_(say)),
        link("changes", f"{site.base}/changes", "text/event-stream", _CHANGES.in_(say)),
        link("codelists", f"{site.base}/codelists", MEDIA["json"], _CODELISTS.in_(say)),
        link("crosswalks", f"{site.base}/crosswalks", MEDIA["json"], _CROSSWALKS.in_(say)),
    ]
    return links + ([link("about", about, MEDIA["html"], _ABOUT.in_(say))] if about else [])


_DEFINITION = Text("The API for programs (OpenAPI 3.0)", "接口定义(OpenAPI 3.0)")
_EXPLANATION = Text("The API for people", "接口说明")
_CONFORMANCE = Text("The standards that this service keeps", "本服务遵循的标准")
_DATA = Text("The data sets", "数据集")
_FUNCTIONS = Text("What filters may call", "过滤条件可用的函数")
_TILES = Text("Vector tiles of all data sets", "全部数据集的矢量瓦片")
_MATRIX_SETS = Text("The tile matrix sets", "瓦片矩阵集")
_PROCESSES = Text("The processes", "空间处理")
_CHANGES = Text("Changes as they happen, as Server-Sent Events", "实时变更推送(Server-Sent Events)")
_CODELISTS = Text("What the codes in the data mean", "代码表")
_CROSSWALKS = Text("From one code list to another", "代码表之间的对照")
_ABOUT = Text("About the service", "关于本服务")


async def conformance(request: Request) -> Response:
    """The standards that we keep."""
    return _answer(request, {"conformsTo": list(CONFORMANCE)})


async def functions(request: Request) -> Response:
    """What filters may call besides the functions of CQL2 itself (OGC 21-065r2, requirements class Functions)."""
    say = spoken.get()
    return _answer(request, {"functions": [_function(one, say) for one in FUNCTIONS]}, FUNCTIONS_MEDIA)


def _function(function: Function, say: Language) -> Json:
    return {
        "name": function.name,
        "description": function.description.in_(say),
        "arguments": [{"title": function.argument.title.in_(say), "type": [function.argument.type]}],
        "returns": [function.returns],
    }


async def collections(request: Request) -> Response:
    """All data sets, described as each describes itself alone."""
    _check(request, MEDIA)
    return _sent(request, await asyncio.to_thread(_all_packed, request), MEDIA["json"])


def _all_packed(request: Request) -> Packed:
    tables, site = _tables(request), _site(request)
    now = _states(request.app.state.pool)
    return _KEPT.get(f"collections {site}", tables, now, lambda: _packed(request, _all(tables, now, site)))


def _all(tables: Mapping[str, Table], now: Mapping[str, State], site: Site) -> Json:
    described = [collection(one, now.get(id_, one.dataset.state), site) for id_, one in tables.items()]
    return {
        "links": document_links(f"{site.base}/collections", MEDIA, site.language),
        "numberMatched": len(described),
        "numberReturned": len(described),
        "collections": described,
    }


async def one_collection(request: Request) -> Response:
    """One data set; edits move its numbers, so that they are read anew."""
    _check(request, MEDIA)
    table = _table(request)
    now = await asyncio.to_thread(_states, request.app.state.pool, table.dataset.id)
    return _answer(request, collection(table, now.get(table.dataset.id, table.dataset.state), _site(request)))


async def one_queryables(request: Request) -> Response:
    """What its features can be searched by."""
    return _answer(request, queryables(_table(request).dataset, _site(request)), SCHEMA_MEDIA)


async def one_schema(request: Request) -> Response:
    """What its features are made of: their attributes, or (`f=geojson`) all that is sent of them."""
    describe = feature_schema if choose(request.scope, SCHEMA_FORMS) == "geojson" else schema
    return _answer(request, describe(_table(request).dataset, _site(request)), SCHEMA_FORMS)


async def api_definition(request: Request) -> Response:
    """The API for programs."""
    _check(request, OPENAPI_MEDIA)
    return _sent(request, await asyncio.to_thread(_openapi_packed, request), OPENAPI_MEDIA["json"])


def _openapi_packed(request: Request) -> Packed:
    tables, service, site = _tables(request), _service(request), _site(request)
    datasets = [one.dataset._replace(editable=is_editable(request, one)) for one in tables.values()]
    sets = request.app.state.tiles.sets
    return _KEPT.get(
        f"openapi {site}", tables, service, lambda: _packed(request, openapi(datasets, service, site, sets))
    )


def _check(request: Request, media: Forms) -> None:
    _known(request)
    choose(request.scope, media)


def _known(request: Request) -> None:
    """Refuse parameters that no document takes."""
    once(request.query_params.multi_items(), _PARAMETERS)


def _known_to_its_pages(request: Request) -> None:
    """The API has two pages, of which `ui` chooses one."""
    once(request.query_params.multi_items(), (*_PARAMETERS, "ui"))


def _states(pool: Pool, id_: str | None = None) -> dict[str, State]:
    with speaking_plainly(), pool.connection() as connection:
        return states(connection, id_)


def _tables(request: Request) -> dict[str, Table]:
    """The catalogue as it is: its publisher replaces it, and changes nothing in it."""
    tables: dict[str, Table] = request.app.state.publisher.tables
    return tables


def _table(request: Request) -> Table:
    table: Table = request.app.state.publisher.table(request.path_params["collection_id"])
    return table


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _site(request: Request) -> Site:
    return Site(request.app.state.settings.base_url, spoken.get(), FORMS)


def _answer(request: Request, document: Json, media: Forms = MEDIA) -> Response:
    """A document, to a request in which nothing is wrong."""
    _check(request, media)
    return Response(_encoded(request, document), headers=_headers(), media_type=media["json"])


def _packed(request: Request, document: Json) -> Packed:
    plain = _encoded(request, document)
    return Packed(plain, gzip.compress(plain, _ZIP_LEVEL, mtime=0))


def _encoded(request: Request, document: Json) -> bytes:
    if _service(request).server.pretty_print:
        return json.dumps(document, ensure_ascii=False, indent=2).encode()
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _sent(request: Request, packed: Packed, media: str) -> Response:
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(packed.plain, headers=_headers(), media_type=media)
    return Response(packed.zipped, headers=_headers("gzip"), media_type=media)


def _headers(encoding: str | None = None) -> dict[str, str]:
    """What an answer depends on; the middleware that zips adds its part where we have not zipped already."""
    headers = {"Content-Language": spoken.get(), "Vary": "Accept, Accept-Language"}
    if encoding is not None:
        headers |= {"Content-Encoding": encoding, "Vary": f"{headers['Vary']}, Accept-Encoding"}
    return headers


Handler = Callable[[Request], Awaitable[Response]]


def _routes(path: str, handler: Handler, check: Check = _known) -> list[BaseRoute]:
    """A resource, with and without a slash behind it: QGIS tries both."""
    return [DataRoute(one, handler, check) for one in ([path, f"{path}/"] if path != "/" else [path])]


DOCUMENT_ROUTES: list[BaseRoute] = [
    *_routes("/", landing),
    *_routes("/openapi", api_definition, _known_to_its_pages),
    *_routes("/conformance", conformance),
    Route("/functions", functions),
    *_routes("/collections", collections),
    *_routes("/collections/{collection_id}", one_collection),
    *_routes("/collections/{collection_id}/queryables", one_queryables),
    *_routes("/collections/{collection_id}/schema", one_schema),
]
