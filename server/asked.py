"""A query of a collection as it was asked, and the links of its answers."""

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request

from core.errors import ChengtuError
from features.formats.files import FILES
from features.formats.lines import LINES
from features.paging import Cursor, encode
from features.reader import Page, State, read_count_in_time
from features.search import BadChoice, Limits, Pairs, RepeatedParameter, Search, read_search
from features.table import Table
from server.borders import UnreadableText
from server.caching import caching_headers, entity_tag

GEOJSON = "application/geo+json"
FORMS = {
    "json": GEOJSON,
    "html": "text/html",
    **{name: form.media for name, form in LINES.items()},
    **{name: form.media for name, form in FILES.items()},
}
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


class Asked(NamedTuple):
    """A query of a collection: where it was asked, by what parameters, and what they mean."""

    url: str
    pairs: Pairs
    posted: bool
    search: Search
    bom: bool = False
    single: bool = False  # one feature by its key

    @property
    def tagged(self) -> bool:
        """Whether the state of the data set is the version of the answer."""
        return not (self.posted or self.single)

    def links(self, page: Page | None = None, matched: int | None = None) -> list[dict[str, Any]]:
        """The links of an answer: itself, its other forms, the collection, and the pages around a page."""
        others = self._parameters("f")
        shown = self._parameters("f", "cursor")  # pages for people are turned by offset
        links = [self._link("self", GEOJSON, self._parameters())]
        links += [
            self._link("alternate", type_, _joined(f"f={form}", shown if form == "html" else others))
            for form, type_ in FORMS.items()
            if form != "json"
        ]
        links.append({"rel": "collection", "type": "application/json", "href": self.url.removesuffix("/items")})
        if page is None or not page.features:
            return links
        if page.more or self.search.backwards:
            links.append(self.page("next", page.after(matched)))
        if page.more if self.search.backwards else self.search.cursor or self.search.offset:
            links.append(self.page("prev", page.before(matched)))
        return links

    def page(self, rel: str, cursor: Cursor, type_: str = GEOJSON) -> dict[str, Any]:
        """A link to the page at a cursor, of the same query."""
        token = f"cursor={encode(cursor, self.search.digest)}"
        return self._link(rel, type_, _joined(self._parameters("offset", "cursor"), token))

    def _parameters(self, *without: str) -> str:
        """The parameters as they were given, as a URL writes them, without some."""
        pairs = [pair for pair in self.pairs if pair[0] not in without]
        return urlencode(pairs, quote_via=quote, safe=",:/") if pairs else ""

    def _link(self, rel: str, type_: str, parameters: str) -> dict[str, Any]:
        """A link; queries that were posted are posted again."""
        if self.posted:
            how = {"method": "POST", "headers": {"Content-Type": _FORM}, "body": parameters}
            return {"rel": rel, "type": type_, "href": self.url, **how}
        return {"rel": rel, "type": type_, "href": f"{self.url}?{parameters}" if parameters else self.url}


def _joined(*parts: str) -> str:
    return "&".join(part for part in parts if part)


async def read_asked(request: Request, table: Table, form: str) -> Asked:
    """Read what a request asks for; files hold more features than pages do."""
    pairs = request.query_params.multi_items()
    posted = request.method == "POST"
    if posted:
        pairs += await _posted(request)
    url = f"{request.app.state.settings.base_url}/collections/{table.dataset.id}/items"
    state = request.app.state
    limits: Limits = state.download_limits if form in FILES else state.limits
    bom = form == "csv" and given_bom(pairs)
    searched = [pair for pair in pairs if pair[0] != "bom"] if form == "csv" else pairs
    return Asked(url, pairs, posted, read_search(searched, table, limits), bom)


def given_bom(pairs: Pairs) -> bool:
    """Whether CSV shall begin with the mark that Excel knows UTF-8 by."""
    values = [value for name, value in pairs if name == "bom"]
    if len(values) > 1:
        raise RepeatedParameter(name="bom")
    if values and values[0] not in ("true", "false"):
        raise BadChoice(name="bom", value=values[0][:40], known="true, false")
    return values == ["true"]


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


def caching(request: Request, table: Table, state: State, form: str, *, counted: bool = True) -> dict[str, str]:
    """What caches may do with an answer; the same page with and without its `numberMatched` has two tags."""
    tag = entity_tag(request.scope, form, state.release, state.change, *(() if counted else ("uncounted",)))
    return caching_headers(tag, max_age=table.dataset.max_age, changed=datetime.fromisoformat(state.changed))


async def count_matched(
    request: Request, table: Table, search: Search, state: State, *, known: int | None = None, all_: int | None
) -> int | None:
    """How many features the whole query matches; None where that is not known within the time for it.

    `known` is what the page itself told, `all_` the number of those returned where no others follow.
    """
    cursor = search.cursor
    if search.everything:
        return state.features
    if known is not None:
        return known
    if cursor is not None and (cursor.release, cursor.change) == (state.release, state.change):
        return cursor.matched  # nothing changed since it was counted, or was found to take too long
    if cursor is None and search.offset == 0 and all_ is not None:
        return all_
    budget = request.app.state.settings.count_budget
    return await read_count_in_time(request.app.state.counts, table, search, state, budget)
