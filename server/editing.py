"""Changing features over HTTP: POST, PUT, PATCH, DELETE, and OPTIONS that says which of them (OGC API - Features 4)."""

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.crs import Srid
from core.errors import BadRequest
from features import editing
from features.editing import Check, Written
from features.receive import is_geojson, read_feature, read_patch
from features.search import offered, once
from features.table import Table
from server.access import NotEditable, is_editable, require_key
from server.asked import GEOJSON
from server.borders import Answered
from server.caching import entity_tag
from server.features import ITEM, ITEMS, items, on_its_table

_PATCH = "application/merge-patch+json"
_WHOLE = (GEOJSON, "application/json")
_READING = ("GET", "HEAD", "OPTIONS")
_CHANGES = {ITEMS: ("POST",), ITEM: ("PUT", "PATCH", "DELETE")}
_LONGEST = 8192  # characters of a header that are read


class WrongType(Answered):
    """A body of a type that cannot be written."""

    en = "A body of type {type!r} cannot be written here. Send {known}."
    zh = "此处不接受类型为 {type!r} 的请求体。请发送 {known}。"
    status = 415


class TypeMissing(BadRequest):
    """A body that does not say what it is."""

    en = "The body has no Content-Type. A feature is {known}."
    zh = "请求体缺少 Content-Type。要素应为 {known}。"


class Changed(BadRequest):
    """Another version of the feature than the one that the client means."""

    en = "The feature {id!r} is not the version that the request is about. Read it again, and apply the change to what it is now."
    zh = "要素 {id!r} 已不是请求所指的版本。请重新读取,再对当前内容进行修改。"
    status = 412


class VersionNeeded(BadRequest):
    """A change that does not say which version it is made to."""

    en = "A change needs If-Match here: send the ETag that the feature was read with."
    zh = "此处的修改必须带 If-Match:请发送读取该要素时得到的 ETag。"
    status = 428


async def post(request: Request) -> Response:
    """A new feature; or a query that is too long for a URL, by the type of the body."""
    type_ = _type_of(request)
    if type_ == GEOJSON or (type_ == "application/json" and await asyncio.to_thread(is_geojson, await request.body())):
        return await create(request)
    return await items(request)


@on_its_table
async def create(request: Request, table: Table) -> Response:
    """A new feature, with its address."""
    _admit(request, table, ITEMS)
    crs = _content_crs(request, table)
    given = await asyncio.to_thread(read_feature, await request.body(), table, crs)
    written = await editing.create(request.app.state.features, table, given)
    path = f"/collections/{table.dataset.id}/items/"
    headers = {
        "Location": f"{request.app.state.settings.base_url}{path}{quote(written.id, safe='')}",
        "ETag": _tag(path + written.id, written),
    }
    return Response(status_code=201, headers=headers)


@on_its_table
async def replace(request: Request, table: Table) -> Response:
    """A feature in a new state: what is not given becomes null."""
    _admit(request, table, ITEM)
    _require_type(request, _WHOLE)
    crs, id_ = _content_crs(request, table), request.path_params["item_id"]
    check = _check(request)
    given = await asyncio.to_thread(read_feature, await request.body(), table, crs, id_)
    return _changed(request, await editing.change(request.app.state.features, table, id_, given, check, whole=True))


@on_its_table
async def update(request: Request, table: Table) -> Response:
    """A feature of which some things change."""
    _admit(request, table, ITEM)
    _require_type(request, (_PATCH,))
    crs, id_ = _content_crs(request, table), request.path_params["item_id"]
    check = _check(request)
    given = await asyncio.to_thread(read_patch, await request.body(), table, crs, id_)
    return _changed(request, await editing.change(request.app.state.features, table, id_, given, check, whole=False))


@on_its_table
async def delete(request: Request, table: Table) -> Response:
    """A feature less."""
    _admit(request, table, ITEM)
    await editing.delete(request.app.state.features, table, request.path_params["item_id"], _check(request))
    return Response(status_code=204)


@on_its_table
async def items_options(request: Request, table: Table) -> Response:
    """What can be done with the features: QGIS lets its user add some where there is POST."""
    headers = _allow(request, table, ITEMS)
    if is_editable(request, table):
        headers["Accept-Post"] = ", ".join(_WHOLE)
    return Response(headers=headers)


@on_its_table
async def item_options(request: Request, table: Table) -> Response:
    """What can be done with one feature."""
    headers = _allow(request, table, ITEM)
    if is_editable(request, table):
        headers["Accept-Patch"] = _PATCH
    return Response(headers=headers)


@on_its_table
async def impossible(request: Request, table: Table) -> Response:
    """A method that belongs to the other of the two addresses."""
    raise HTTPException(405, headers=_allow(request, table, ITEM if "item_id" in request.path_params else ITEMS))


def _admit(request: Request, table: Table, place: str) -> None:
    """See that the data set can be changed, and that the client may."""
    if not is_editable(request, table):
        raise NotEditable(_allow(request, table, place), dataset=table.dataset.id)
    require_key(request)
    once(request.query_params.multi_items(), ("f", "lang"))


def _allow(request: Request, table: Table, place: str) -> dict[str, str]:
    """Queries by POST are not told: QGIS takes a POST for a place to put new features."""
    changes = _CHANGES[place] if is_editable(request, table) else ()
    return {"Allow": ", ".join((*_READING, *changes))}


def _type_of(request: Request) -> str:
    """The media type of the body."""
    type_ = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not type_:
        raise TypeMissing(known=GEOJSON)
    return type_


def _require_type(request: Request, known: tuple[str, ...]) -> None:
    if (type_ := _type_of(request)) not in known:
        headers = {"Accept-Patch": _PATCH} if known == (_PATCH,) else None
        raise WrongType(headers, type=type_[:60], known=", ".join(known))


def _content_crs(request: Request, table: Table) -> Srid:
    """The CRS of the coordinates in the body; QGIS names it without the brackets that the standard wants."""
    header = request.headers.get("content-crs")
    given: Mapping[str, str] = (
        {} if header is None else {"Content-Crs": header.strip().removeprefix("<").removesuffix(">")}
    )
    return offered(given, "Content-Crs", table)


def _check(request: Request) -> Check:
    """The preconditions of a change (RFC 9110, 13.1), which are looked at while the feature is locked."""
    wanted, unwanted = (_tags(request, name) for name in ("if-match", "if-none-match"))
    if wanted is None and request.app.state.settings.require_if_match:
        raise VersionNeeded

    def check(release: int, version: str) -> None:
        met = wanted is None or _names(wanted, release, version)
        if not met or (unwanted is not None and _names(unwanted, release, version)):
            raise Changed(id=request.path_params["item_id"][:40])

    return check


def _tags(request: Request, name: str) -> str | None:
    lines = request.headers.getlist(name)
    return ", ".join(lines)[:_LONGEST] if lines else None


def _names(tags: str, release: int, version: str) -> bool:
    """Whether one of the tags is of this version, in whatever CRS or form it was read.

    The mark of a weak tag is passed over: proxies that compress put it on, and the version of the row is in both.
    """
    return tags.strip() == "*" or (str(release), version) in re.findall(r'"(\d+)\.(\d+)-[0-9a-f]+(?:-gz)?"', tags)


def _changed(request: Request, written: Written) -> Response:
    return Response(status_code=204, headers={"ETag": _tag(request.scope["path"], written)})


def _tag(path: str, written: Written) -> str:
    """The tag that the feature is read with, where nothing more is asked for."""
    return entity_tag({"path": path, "query_string": b""}, "json", written.release, written.version)


EDIT_ROUTES: list[BaseRoute] = [
    Route(ITEMS, post, methods=["POST"]),
    Route(ITEMS, items_options, methods=["OPTIONS"]),
    Route(ITEMS, impossible, methods=["PUT", "PATCH", "DELETE"]),
    Route(ITEM, replace, methods=["PUT"]),
    Route(ITEM, update, methods=["PATCH"]),
    Route(ITEM, delete, methods=["DELETE"]),
    Route(ITEM, item_options, methods=["OPTIONS"]),
    Route(ITEM, impossible, methods=["POST"]),
]
