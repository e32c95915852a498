"""Code lists and crosswalks over HTTP: /codelists, /crosswalks, and each of them, as JSON, as CSV and as a page."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.codelists import Code, Codelist, NoSuchCode, codelist, crosswalk
from core.errors import ChengtuError
from core.language import Text, spoken
from features.documents import Json, Site
from features.search import once
from server.asked import FORMS as FEATURE_FORMS
from server.asked import given_bom
from server.caching import caching_headers, not_modified
from server.codelist_documents import (
    FORMS,
    all_codelists,
    all_crosswalks,
    codelists_csv,
    codes_csv,
    crosswalks_csv,
    matches_csv,
    one_codelist,
    one_crosswalk,
)
from server.negotiate import choose
from server.pages import page

_PARAMETERS: Final = ("f", "lang", "bom", "api-key")
_WRITTEN: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")  # as RFC 3339 has it; ISO 8601 has more
_DAY: Final = Text(" on {day}", "({day})")


class BadDay(ChengtuError):
    """A day that is none."""

    en = "date={given!r} is no day. Write it as 2024-12-31."
    zh = "date={given!r} 不是日期。请写作 2024-12-31。"
    code = "InvalidParameterValue"
    status = 400


async def codelist_list(request: Request) -> Response:
    """All code lists, or those in force on a day."""
    given = once(request.query_params.multi_items(), (*_PARAMETERS, "date"))
    document = all_codelists(_day(given), _site(request))
    return await _shown(request, "codelists/codelists.html", document, lambda: codelists_csv(document))


async def one_list(request: Request) -> Response:
    """A code list: all its codes, those of a day, or one of them."""
    given = once(request.query_params.multi_items(), (*_PARAMETERS, "date", "code"))
    list_ = codelist(request.path_params["codelist_id"])
    codes = _chosen(list_, given.get("code"), _day(given))
    document = one_codelist(list_, codes, _site(request))
    return await _shown(request, "codelists/codelist.html", document, lambda: codes_csv(codes))


async def crosswalk_list(request: Request) -> Response:
    """All crosswalks."""
    once(request.query_params.multi_items(), _PARAMETERS)
    return await _shown(request, "codelists/crosswalks.html", all_crosswalks(_site(request)), crosswalks_csv)


async def one_walk(request: Request) -> Response:
    """A crosswalk: all its codes, or one of them."""
    given = once(request.query_params.multi_items(), (*_PARAMETERS, "code"))
    walk = crosswalk(request.path_params["crosswalk_id"])
    wanted = given.get("code")
    if wanted is not None and wanted not in walk.targets:
        raise NoSuchCode(list=walk.id, given=wanted[:60], day="")
    codes = [wanted] if wanted is not None else [*walk.targets]
    document = one_crosswalk(walk, codes, _site(request))
    return await _shown(request, "codelists/crosswalk.html", document, lambda: matches_csv(walk, codes))


def _chosen(list_: Codelist, wanted: str | None, day: date | None) -> Sequence[Code]:
    if wanted is None:
        return list_.on(day)
    found = list_.find(wanted, day)
    if found is None:
        told = Text(*(one.format(day=day) for one in _DAY)) if day else ""
        raise NoSuchCode(list=list_.id, given=wanted[:60], day=told)
    return (found,)


def _day(given: dict[str, str]) -> date | None:
    if (text := given.get("date")) is None:
        return None
    try:
        return date.fromisoformat(text if _WRITTEN.fullmatch(text) else "")
    except ValueError as error:
        raise BadDay(given=text[:40]) from error


async def _shown(request: Request, template: str, document: Json, as_csv: Callable[[], str]) -> Response:
    """A document in the form that is asked for; they change with an upgrade, or with a file, so clients ask again."""
    form, bom = choose(request.scope, FORMS), given_bom(request.query_params.multi_items())
    if form == "html":
        return await asyncio.to_thread(page, request, template, document)
    if form == "csv":
        body = (("\ufeff" if bom else "") + as_csv()).encode()
    else:
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    headers = caching_headers(f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"', max_age=0) | {
        "Content-Language": spoken.get(),
        "Vary": "Accept, Accept-Language",
    }
    return not_modified(request.headers, headers) or Response(body, headers=headers, media_type=FORMS[form])


def _site(request: Request) -> Site:
    return Site(request.app.state.settings.base_url, spoken.get(), FEATURE_FORMS)


CODELIST_ROUTES: list[BaseRoute] = [
    *(Route(path, codelist_list) for path in ("/codelists", "/codelists/")),
    Route("/codelists/{codelist_id}", one_list),
    *(Route(path, crosswalk_list) for path in ("/crosswalks", "/crosswalks/")),
    Route("/crosswalks/{crosswalk_id}", one_walk),
]
