"""What the checks found in a data set over HTTP: /collections/{id}/quality, as JSON and as a page."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import ChengtuError
from core.language import Language, Text, spoken
from features.documents import Json, link
from features.quality import SUFFIX, Verdict, Verdicts, read_verdicts
from features.search import once
from features.table import Table
from server.caching import caching_headers, entity_tag, not_modified
from server.features import on_its_table
from server.negotiate import choose
from server.pages import page

MEDIA: Final = {"json": "application/json", "html": "text/html"}
_PARAMETERS = ("f", "lang", "api-key")
_TITLES: Final = {
    "self": Text("This document", "本文档"),
    "alternate": Text("The same as {form}", "以 {form} 格式查看"),
    "collection": Text("The data set", "数据集"),
    "items": Text("The findings, with their places", "问题要素及其位置"),
}


class NotChecked(ChengtuError):
    """A data set that was loaded without a profile, or whose profile has no rules."""

    en = "{dataset} was loaded without rules to check. Load it by a profile that has some: `chengtu profiles list`."
    zh = "{dataset} 加载时没有检查规则。请按含规则的数据规范加载,见 `chengtu profiles list`。"
    code = "NotFound"
    status = 404


@on_its_table
async def quality(request: Request, table: Table) -> Response:
    """What each rule of its profile says of the release that is served."""
    form = choose(request.scope, MEDIA)
    once(request.query_params.multi_items(), _PARAMETERS)
    id_ = table.dataset.id
    verdicts = await read_verdicts(request.app.state.features, id_)
    if verdicts is None:
        raise NotChecked(dataset=id_)
    tag = entity_tag(request.scope, form, verdicts.release, verdicts.checked.isoformat(), verdicts.current)
    headers = caching_headers(tag, max_age=0)
    if response := not_modified(request.headers, headers):
        return response
    document = _document(request, table, verdicts, form)
    if form == "html":
        return page(request, "collections/quality.html", document, headers=headers)
    return JSONResponse(document, headers=headers)


def _document(request: Request, table: Table, verdicts: Verdicts, form: str) -> Json:
    say = spoken.get()
    return {
        "dataset": table.dataset.id,
        "title": table.dataset.title.in_(say),
        "profile": verdicts.profile,
        "checked": verdicts.checked.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "current": verdicts.current,
        "rules": [_rule(one, say) for one in verdicts.rules],
        "links": _links(request, table.dataset.id, verdicts, form),
    }


def _rule(one: Verdict, say: Language) -> Json:
    return {
        "id": one.id,
        "severity": one.severity,
        "clause": one.clause,
        "title": one.title.in_(say),
        "count": one.count,
        "accepted": one.accepted,
        "ids": list(one.ids),
        **({"unjudged": one.unjudged.in_(say)} if one.unjudged else {}),
    }


def _links(request: Request, id_: str, verdicts: Verdicts, form: str) -> list[Json]:
    say = spoken.get()
    here = f"{request.app.state.settings.base_url}/collections/{id_}"
    other = next(name for name in MEDIA if name != form)
    links = [
        link("self", f"{here}/quality?f={form}", MEDIA[form], _TITLES["self"].in_(say)),
        link(
            "alternate",
            f"{here}/quality?f={other}",
            MEDIA[other],
            _TITLES["alternate"].in_(say).format(form=other.upper()),
        ),
        link("collection", here, MEDIA["json"], _TITLES["collection"].in_(say)),
    ]
    if verdicts.has_findings:
        links.append(link("items", f"{here}{SUFFIX}/items", "application/geo+json", _TITLES["items"].in_(say)))
    return links


QUALITY_ROUTES: list[BaseRoute] = [Route("/collections/{collection_id}/quality", quality)]
