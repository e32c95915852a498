"""The JSON road: a collection's items as GeoJSON, from PostgreSQL to the socket as bytes (OGC API - Features 1 to 3)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from core.crs import uri
from core.errors import DatasetQuarantined
from features.asking import TableChanged
from features.reader import Page, read_count, read_item, read_page, read_state
from features.search import instant, offered, once, read_search
from features.table import Table
from features.versions import one_version
from server.asked import FORMS, GEOJSON, Asked, caching, count_matched, given_bom, read_asked
from server.caching import caching_headers, entity_tag, is_conditional, not_modified
from server.downloads import download
from server.negotiate import DataRoute, choose

_OF_ONE = ("f", "lang", "crs", "api-key")  # the parameters of a single feature
_CHUNK = 1000  # features that are fetched at once: a larger page goes out while it is read

type Answer = Callable[[Request, Table], Awaitable[Response]]


def on_its_table(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Find the collection's table for an answer; and once more, where it changed since the catalogue was read."""

    async def endpoint(request: Request) -> Response:
        publisher, id_ = request.app.state.publisher, request.path_params["collection_id"]
        try:
            return await answer(request, publisher.table(id_))
        except TableChanged:
            table = await publisher.look_again(id_)
        try:
            return await answer(request, table)
        except TableChanged as error:
            raise DatasetQuarantined(id=id_, reason=str(error)) from error

    endpoint.__doc__ = answer.__doc__
    return endpoint


@on_its_table
async def items(request: Request, table: Table) -> Response:
    """A page of features, for GET as for a query that is posted."""
    form = choose(request.scope, FORMS)
    asked = await read_asked(request, table, form)
    search, pool = asked.search, request.app.state.features
    headers = {"Content-Type": FORMS[form], "Content-Crs": f"<{uri(search.crs)}>"}
    if is_conditional(request.headers) and not asked.posted:
        state = await read_state(pool, table)
        for counted in (True, False):
            known = headers | caching(request, table, state, form, counted=counted)
            if response := not_modified(request.headers, known):
                return response
    if form != "json":
        return await download(request, table, asked, form, headers)
    if search.hits_only:
        return Response(_hits(asked, await read_count(pool, table, search)), headers=headers)
    step = search.limit if search.backwards else min(search.limit, _CHUNK)
    page = await read_page(pool, table, search._replace(limit=step))
    all_ = None if page.more else len(page.features)
    matched = await count_matched(request, table, search, page.state, known=page.matched, all_=all_)
    if not asked.posted:
        headers |= caching(request, table, page.state, form, counted=matched is not None)
    body = _collection(request, table, asked, page, matched)
    if step == search.limit or not page.more:
        return Response(b"".join([part async for part in body]), headers=headers)
    return StreamingResponse(body, headers=headers)


@on_its_table
async def item(request: Request, table: Table) -> Response:
    """One feature by its key."""
    form = choose(request.scope, FORMS)
    pairs = request.query_params.multi_items()
    given = once(pairs, (*_known_of_one(table), *(("bom",) if form == "csv" else ())))
    crs, moment = offered(given, "crs", table), instant(given)
    found = await read_item(request.app.state.features, table, request.path_params["item_id"], crs, moment)
    headers = {"Content-Type": FORMS[form], "Content-Crs": f"<{uri(crs)}>"}
    tag = entity_tag(request.scope, form, found.release, found.version)
    headers |= caching_headers(tag, max_age=table.dataset.max_age)
    if response := not_modified(request.headers, headers):
        return response
    collection = f"{request.app.state.settings.base_url}/collections/{table.dataset.id}"
    here = f"{collection}/items/{quote(request.path_params['item_id'], safe='')}"
    if form != "json":
        search = one_version(table, request.path_params["item_id"], moment)._replace(limit=1, crs=crs)
        asked = Asked(here, pairs, False, search, given_bom(pairs), single=True)
        return await download(request, table, asked, form, headers)
    links = [
        {"rel": "self", "type": GEOJSON, "href": f"{here}?{request.url.query}" if request.url.query else here},
        *(
            {"rel": "alternate", "type": type_, "href": f"{here}?f={name}"}
            for name, type_ in FORMS.items()
            if name != "json"
        ),
        {"rel": "collection", "type": "application/json", "href": collection},
    ]
    return Response(found.feature[:-1] + b',"links":' + _json(links) + b"}", headers=headers)


def _hits(asked: Asked, matched: int | None) -> bytes:
    """No features but their number, however long counting takes within the limits of any query."""
    counted = {"numberMatched": matched, "numberReturned": 0, "links": asked.links()}
    return _json({"type": "FeatureCollection", "features": [], **counted})


async def _collection(
    request: Request, table: Table, asked: Asked, page: Page, matched: int | None
) -> AsyncIterator[bytes]:
    """A FeatureCollection piece by piece; a page that is read in several steps breaks off if the release changes."""
    search, first, returned = asked.search, page, len(page.features)
    yield b'{"type":"FeatureCollection","features":[' + b",".join(page.features)
    while page.more and returned < search.limit:
        rest = search._replace(limit=min(search.limit - returned, _CHUNK), cursor=page.after(), offset=0)
        page = await read_page(request.app.state.features, table, rest)
        returned += len(page.features)
        yield b"".join(b"," + feature for feature in page.features)
    whole = first._replace(last=page.last, more=page.more)
    counted = {} if matched is None else {"numberMatched": matched}
    members = {**counted, "numberReturned": returned, "links": asked.links(whole, matched)}
    yield b"]," + _json(members)[1:]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _check_items(request: Request) -> None:
    """Refuse what no page of items takes; whether the collection is there, others say."""
    if table := request.app.state.publisher.tables.get(request.path_params["collection_id"]):
        read_search(request.query_params.multi_items(), table, request.app.state.limits)


def _check_item(request: Request) -> None:
    if table := request.app.state.publisher.tables.get(request.path_params["collection_id"]):
        once(request.query_params.multi_items(), _known_of_one(table))


def _known_of_one(table: Table) -> tuple[str, ...]:
    """What may be asked of a single feature: how it was on a day, where that is known."""
    return (*_OF_ONE, "datetime") if table.dataset.history else _OF_ONE


ITEMS = "/collections/{collection_id}/items"
ITEM = "/collections/{collection_id}/items/{item_id:path}"
FEATURE_ROUTES: list[BaseRoute] = [
    DataRoute(ITEMS, items, _check_items, methods=["GET"]),
    DataRoute(ITEM, item, _check_item, methods=["GET"]),
]
