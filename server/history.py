"""What was: the life of a feature or a place, and the amendments of a data set, as JSON and as pages."""

import json
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.crs import uri
from core.database import ask, query
from core.language import spoken
from features.documents import MEDIA, Json
from features.history import ALWAYS, Life, Version, read_life, read_point
from features.reader import read_state
from features.search import once, read_search
from features.table import Table
from server.asked import GEOJSON, caching
from server.caching import not_modified
from server.features import on_its_table
from server.negotiate import choose
from server.pages import page

LIFE_MEDIA = {"json": GEOJSON, "html": "text/html"}
_ALWAYS = ("f", "lang", "api-key")
_SEARCHED = ("bbox", "bbox-crs", "crs", "datetime", "limit")
_COLUMNS = 6
_PARAMETERS = (*_ALWAYS, *_SEARCHED, "key", "point")


@on_its_table
async def history(request: Request, table: Table) -> Response:
    """The versions of a feature and of what it came from and became, of a place, or of a box."""
    form = choose(request.scope, LIFE_MEDIA)
    given = once(request.query_params.multi_items(), _PARAMETERS)
    if form == "html" and not given.keys() & {"key", "point", "bbox"}:
        return page(request, "history/life.html", _about(request, table) | {"asked": given, "versions": None})
    search = read_search([pair for pair in given.items() if pair[0] in _SEARCHED], table, request.app.state.limits)
    search = search._replace(datetime=search.datetime or ALWAYS, geometry=form == "json")
    state = await read_state(request.app.state.features, table)
    headers = {"Content-Type": LIFE_MEDIA[form], "Content-Crs": f"<{uri(search.crs)}>"}
    headers |= caching(request, table, state, form)
    if response := not_modified(request.headers, headers):
        return response
    life = await read_life(request.app.state.features, table, search, key=given.get("key"), point=read_point(given))
    if form == "html":
        versions = [json.loads(_feature(one)) for one in life.versions]
        told = {"asked": given, "versions": versions, "more": life.more}
        return page(request, "history/life.html", _about(request, table) | told)
    return Response(_collection(request, table, life), headers=headers)


def _feature(version: Version) -> str:
    """The feature as PostgreSQL wrote it, with what came before and after it."""
    return f'{version.feature[:-1]},"predecessors":{version.came_from},"successors":{version.became}}}'


def _collection(request: Request, table: Table, life: Life) -> str:
    here = f"{request.app.state.settings.base_url}/collections/{table.dataset.id}"
    asked = [pair for pair in request.query_params.multi_items() if pair[0] not in ("f", "api-key")]
    links = [
        {"rel": "self", "type": GEOJSON, "href": f"{here}/history?{request.url.query}"},
        {"rel": "alternate", "type": "text/html", "href": f"{here}/history?{urlencode([*asked, ('f', 'html')])}"},
        {"rel": "collection", "type": "application/json", "href": here},
    ]
    members = {"numberReturned": len(life.versions), "more": life.more, "links": links}
    features = ",".join(map(_feature, life.versions))
    return f'{{"type":"FeatureCollection","features":[{features}],{_json(members)[1:]}'


@on_its_table
async def amendments(request: Request, table: Table) -> Response:
    """The increments and sheets that changed a data set in place, the newest first."""
    form = choose(request.scope, MEDIA)
    once(request.query_params.multi_items(), _ALWAYS)
    rows = await ask(request.app.state.features, query("list_amendments"), {"id": table.dataset.id})
    here = f"{request.app.state.settings.base_url}/collections/{table.dataset.id}/amendments"
    listed = [_amendment(here, row[:10]) for row in rows]
    if form == "html":
        return page(request, "history/amendments.html", _about(request, table) | {"amendments": listed})
    links = [
        {"rel": "self", "type": MEDIA["json"], "href": here},
        {"rel": "alternate", "type": MEDIA["html"], "href": f"{here}?f=html"},
        {"rel": "collection", "type": MEDIA["json"], "href": here.removesuffix("/amendments")},
    ]
    return _answer({"amendments": listed, "links": links})


@on_its_table
async def amendment(request: Request, table: Table) -> Response:
    """One of them, with its balance."""
    form = choose(request.scope, MEDIA)
    once(request.query_params.multi_items(), _ALWAYS)
    rows = await ask(request.app.state.features, query("list_amendments"), {"id": table.dataset.id})
    found = [row for row in rows if str(row[0]) == request.path_params["amendment"]]
    if not found:
        raise HTTPException(404)
    here = f"{request.app.state.settings.base_url}/collections/{table.dataset.id}/amendments"
    told = _amendment(here, found[0][:10]) | {"report": found[0][10]}
    if form == "html":
        return page(request, "history/amendment.html", _about(request, table) | {"amendment": told})
    return _answer(told)


_MEMBERS = ("id", "kind", "label", "source", "day", "applied", "added", "removed", "changed", "undone")


def _amendment(here: str, row: tuple[Any, ...]) -> Json:
    told = {name: _plain(value) for name, value in zip(_MEMBERS, row, strict=True)}
    return told | {"links": [{"rel": "self", "type": MEDIA["json"], "href": f"{here}/{told['id']}"}]}


def _plain(value: Any) -> Any:  # noqa: ANN401 — of a column
    return value.isoformat() if isinstance(value, date | datetime) else value


def _about(request: Request, table: Table) -> Json:
    """What the pages tell of the data set."""
    dataset = table.dataset
    kept = dataset.history
    return {
        "id": dataset.id,
        "title": dataset.title.in_(spoken.get()),
        "key": dataset.key,
        "columns": _columns(table),
        "since": str(kept.since) if kept else None,
        "state_of": str(kept.state_of) if kept else None,
        "here": f"{request.app.state.settings.base_url}/collections/{dataset.id}",
    }


def _columns(table: Table) -> list[str]:
    """The attributes that a page has room for: class and label first, then what is drawn, then those that come first."""
    dataset = table.dataset
    drawn = dataset.portrayal or {}
    names = [field.name for field in dataset.fields]
    ordered = dict.fromkeys([dataset.class_field, drawn.get("label_field"), *drawn.get("fields", ()), *names])
    return [name for name in ordered if name in names and name != dataset.key][:_COLUMNS]


def _answer(document: Json) -> Response:
    headers = {"Content-Language": spoken.get(), "Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}
    return Response(_json(document), headers=headers, media_type=MEDIA["json"])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


HISTORY_ROUTES: list[BaseRoute] = [
    Route("/collections/{collection_id}/history", history),
    Route("/collections/{collection_id}/amendments", amendments),
    Route("/collections/{collection_id}/amendments/{amendment}", amendment),
]
