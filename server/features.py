"""The JSON road: a collection's items as GeoJSON, from PostgreSQL to the socket as bytes (OGC API - Features 1 to 3)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from core.crs import uri
from core.errors import ChengtuError, DatasetQuarantined
from features.asking import TableChanged
from features.paging import Cursor, encode
from features.reader import (
    Page,
    State,
    read_count,
    read_count_in_time,
    read_item,
    read_page,
    read_state,
)
from features.search import Pairs, Search, offered, once, read_search
from features.table import Table
from server.borders import UnreadableText
from server.caching import caching_headers, entity_tag, is_conditional, not_modified
from server.negotiate import DataRoute, choose

GEOJSON = "application/geo+json"
FORMS = {"json": GEOJSON, "html": "text/html"}
_OF_ONE = ("f", "lang", "crs", "api-key")  # the parameters of a single feature
_CHUNK = 1000  # features that are fetched at once: a larger page goes out while it is read
_MOST_FIELDS = 200  # of a form
_FORM = "application/x-www-form-urlencoded"
_FILTERS = {  # how a filter too long for a URL may be posted: media type -> filter-lang
    "application/cql2+json": "cql2-json",
    "application/query-cql-json": "cql2-json",
    "application/json": "cql2-json",
    "application/cql2+text": "cql2-text",
    "text/plain": "cql2-text",
}


class NotAQuery(ChengtuError):
    """A posted body that is neither a form nor a filter."""

    en = "A body of type {type!r} is no query. Post a form of parameters, or a filter, as one of: {known}."
    zh = "类型为 {type!r} 的请求体不是查询。请提交参数表单或过滤条件,类型为:{known}。"
    code = "InvalidParameterValue"
    status = 415


class TooManyFields(ChengtuError):
    """A form of more fields than there can be parameters."""

    en = "The form has more than {limit} fields."
    zh = "表单字段超过 {limit} 个。"
    code = "InvalidParameterValue"
    status = 400


type Answer = Callable[[Request, Table], Awaitable[Response]]


class Asked(NamedTuple):
    """A query of a collection: where it was asked, by what parameters, and what they mean."""

    url: str
    pairs: Pairs
    posted: bool
    search: Search

    def links(self, page: Page | None = None, matched: int | None = None) -> list[dict[str, Any]]:
        """The links of an answer: itself, its other forms, the collection, and the pages around a page."""
        links = [self.link("self", GEOJSON)]
        links += [self.link("alternate", type_, f=form) for form, type_ in FORMS.items() if form != "json"]
        links.append({"rel": "collection", "type": "application/json", "href": self.url.removesuffix("/items")})
        if page is None or not page.features:
            return links
        if page.more or self.search.backwards:
            links.append(self.page("next", page.after(matched)))
        if page.more if self.search.backwards else self.search.cursor or self.search.offset:
            links.append(self.page("prev", page.before(matched)))
        return links

    def page(self, rel: str, cursor: Cursor) -> dict[str, Any]:
        """A link to the page at a cursor."""
        return self.link(rel, GEOJSON, offset=None, cursor=encode(cursor, self.search.digest))

    def link(self, rel: str, type_: str, **changed: str | None) -> dict[str, Any]:
        """A link to the same query with some parameters changed, or (None) dropped; posted queries are posted again."""
        pairs = [(name, value) for name, value in self.pairs if name not in changed and name != "api-key"]
        pairs += [(name, value) for name, value in changed.items() if value is not None]
        text = urlencode(pairs, quote_via=quote, safe=",:/")
        link: dict[str, Any] = {"rel": rel, "type": type_, "href": f"{self.url}?{text}" if text else self.url}
        if self.posted:
            link |= {"href": self.url, "method": "POST", "headers": {"Content-Type": _FORM}, "body": text}
        return link


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
    asked = await _asked(request, table)
    search, pool = asked.search, request.app.state.features
    headers = {"Content-Type": FORMS[form], "Content-Crs": f"<{uri(search.crs)}>"}
    if is_conditional(request.headers) and not asked.posted:
        state = await read_state(pool, table)
        for counted in (True, False):
            if response := not_modified(request.headers, headers | _caching(request, table, state, form, counted)):
                return response
    if search.hits_only:
        return Response(_hits(asked, await read_count(pool, table, search)), headers=headers)
    step = search.limit if search.backwards else min(search.limit, _CHUNK)
    page = await read_page(pool, table, search._replace(limit=step))
    matched = await _matched(request, table, search, page)
    if not asked.posted:
        headers |= _caching(request, table, page.state, form, matched is not None)
    body = _collection(request, table, asked, page, matched)
    if step == search.limit or not page.more:
        return Response(b"".join([part async for part in body]), headers=headers)
    return StreamingResponse(body, headers=headers)


@on_its_table
async def item(request: Request, table: Table) -> Response:
    """One feature by its key."""
    form = choose(request.scope, FORMS)
    given = once(request.query_params.multi_items(), _OF_ONE)
    crs = offered(given, "crs", table)
    found = await read_item(request.app.state.features, table, request.path_params["item_id"], crs)
    headers = {"Content-Type": FORMS[form], "Content-Crs": f"<{uri(crs)}>"}
    tag = entity_tag(request.scope, form, found.release, found.version)
    headers |= caching_headers(tag, max_age=table.dataset.max_age)
    if response := not_modified(request.headers, headers):
        return response
    collection = f"{request.app.state.settings.base_url}/collections/{table.dataset.id}"
    here = f"{collection}/items/{quote(request.path_params['item_id'], safe='')}"
    links = [
        {"rel": "self", "type": GEOJSON, "href": f"{here}?{request.url.query}" if request.url.query else here},
        {"rel": "alternate", "type": FORMS["html"], "href": f"{here}?f=html"},
        {"rel": "collection", "type": "application/json", "href": collection},
    ]
    return Response(found.feature[:-1] + b',"links":' + _json(links) + b"}", headers=headers)


async def _asked(request: Request, table: Table) -> Asked:
    pairs = request.query_params.multi_items()
    posted = request.method == "POST"
    if posted:
        pairs += await _posted(request)
    url = f"{request.app.state.settings.base_url}/collections/{table.dataset.id}/items"
    return Asked(url, pairs, posted, read_search(pairs, table, request.app.state.limits))


async def _posted(request: Request) -> list[tuple[str, str]]:
    """The parameters in a body: a form of them, or a filter alone."""
    type_ = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        body = (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise UnreadableText from error
    if type_ == _FORM:
        return _of_form(body)
    if type_ in _FILTERS:
        return [("filter", body), ("filter-lang", _FILTERS[type_])]
    raise NotAQuery(type=type_[:60], known=", ".join((_FORM, *_FILTERS)))


def _of_form(body: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except UnicodeDecodeError as error:
        raise UnreadableText from error
    except ValueError as error:
        raise TooManyFields(limit=_MOST_FIELDS) from error


def _caching(request: Request, table: Table, state: State, form: str, counted: bool) -> dict[str, str]:
    """The headers of a page; the same page with and without its `numberMatched` has two tags."""
    tag = entity_tag(request.scope, form, state.release, state.change, *(() if counted else ("uncounted",)))
    return caching_headers(tag, max_age=table.dataset.max_age, changed=datetime.fromisoformat(state.changed))


def _hits(asked: Asked, matched: int | None) -> bytes:
    """No features but their number, however long counting takes within the limits of any query."""
    counted = {"numberMatched": matched, "numberReturned": 0, "links": asked.links()}
    return _json({"type": "FeatureCollection", "features": [], **counted})


async def _matched(request: Request, table: Table, search: Search, page: Page) -> int | None:
    """How many features the whole query matches; None where that is not known within the time for it."""
    state, cursor = page.state, search.cursor
    if search.everything:
        return state.features
    if page.matched is not None:
        return page.matched
    if cursor is not None and (cursor.release, cursor.change) == (state.release, state.change):
        return cursor.matched  # nothing changed since it was counted, or was found to take too long
    if cursor is None and search.offset == 0 and not page.more:
        return len(page.features)
    budget = request.app.state.settings.count_budget
    return await read_count_in_time(request.app.state.counts, table, search, state, budget)


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
    once(request.query_params.multi_items(), _OF_ONE)


ITEMS = "/collections/{collection_id}/items"
ITEM = "/collections/{collection_id}/items/{item_id:path}"
FEATURE_ROUTES: list[BaseRoute] = [
    DataRoute(ITEMS, items, _check_items, methods=["GET"]),
    DataRoute(ITEM, item, _check_item, methods=["GET"]),
]
