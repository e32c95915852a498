"""The change feed over HTTP: /collections/{id}/changes."""

import json
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from features.feed import Feed, read_feed
from features.search import Limits, choice, once, whole_number
from features.table import Table
from server.borders import Answered
from server.caching import caching_headers, entity_tag, not_modified
from server.features import on_its_table
from server.negotiate import choose

MEDIA = {"json": "application/json"}
_PARAMETERS = ("since", "limit", "include", "f", "lang", "api-key")
_MOST = 2**31


class LogLost(Answered):
    """The log does not tell what changed since a token."""

    en = (
        "What changed in {dataset} since this token is not told one by one: it is too long ago, or nearly everything"
        " did. Read /collections/{dataset}/items anew, then go on with since={token}."
    )
    zh = (
        "{dataset} 自该标记以来的变更无法逐条提供:时间过久,或几乎全部要素都已改变。"
        "请重新读取 /collections/{dataset}/items,然后用 since={token} 继续。"
    )
    code = "ChangesLost"
    status = 410


@on_its_table
async def changes(request: Request, table: Table) -> Response:
    """What changed in a data set since a token; without one, the token of now."""
    choose(request.scope, MEDIA)
    given = once(request.query_params.multi_items(), _PARAMETERS)
    limits: Limits = request.app.state.limits
    limit = min(whole_number(given, "limit", limits.default, least=1, most=_MOST), limits.most)
    whole = choice(given, "include", ("none", "feature")) == "feature"
    feed = await read_feed(request.app.state.features, table, given.get("since"), limit, whole=whole)
    here = f"{request.app.state.settings.base_url}/collections/{table.dataset.id}/changes"
    asked = [(name, value) for name, value in given.items() if name not in ("since", "api-key")]
    after = f"{here}?{urlencode([*asked, ('since', feed.next)])}"
    if feed.reset:
        raise LogLost(
            {"Link": f'<{after}>; rel="next"'}, {"next": feed.next}, dataset=table.dataset.id, token=feed.next
        )
    headers = caching_headers(entity_tag(request.scope, "json", *feed.now), max_age=0)
    if response := not_modified(request.headers, headers):
        return response
    body = _body(request, feed, here, after)
    return Response(body, headers=headers, media_type=MEDIA["json"])


def _body(request: Request, feed: Feed, here: str, after: str) -> bytes:
    """The features in it are as PostgreSQL wrote them."""
    address = f"{here}?{request.url.query}" if request.url.query else here
    links = [
        {"rel": "self", "type": MEDIA["json"], "href": address},
        {"rel": "next", "type": MEDIA["json"], "href": after},
        {"rel": "collection", "type": MEDIA["json"], "href": here.removesuffix("/changes")},
    ]
    kept = f"P{request.app.state.settings.change_log_days}D"
    members = {"next": feed.next, "more": feed.more, "kept": kept, "links": links}
    return b'{"changes":[' + b",".join(feed.entries) + b"]," + _json(members)[1:]


def _json(members: dict[str, object]) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


FEED_ROUTES: list[BaseRoute] = [Route("/collections/{collection_id}/changes", changes)]
