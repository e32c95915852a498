"""Which form of a resource a client wants: `f=`, else `Accept` by its weights, else the first there is (RFC 9110, 12.5.1)."""

import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from core.errors import ChengtuError

_OF_THE_HOST = ("html", "jsonld")  # the forms that are the host's
_LONGEST = 8192  # characters of an Accept header that are read
_JSON = re.compile(r"application/(?:[\w.-]+\+)?json")

Check = Callable[[Request], object]  # of a request's parameters: raises an error of ours
Endpoint = Callable[[Request], Awaitable[Response]]
Forms = Mapping[str, str]  # the name that `f` takes -> the media type that is sent; the first is the default


class UnknownForm(ChengtuError):
    """`f` names no form of this resource."""

    en = "f={form!r} is not offered here. Offered are: {known}."
    zh = "此处不提供 f={form!r}。可用格式:{known}。"
    code = "InvalidParameterValue"
    status = 400


class NotAcceptable(ChengtuError):
    """`Accept` names only media types that this resource does not have."""

    en = "Nothing that Accept asks for is offered here. Offered are: {known}. The parameter f chooses one as well."
    zh = "Accept 所要求的格式此处均不提供。可用:{known}。也可用参数 f 指定。"
    code = "NotAcceptable"
    status = 406


def choose(scope: Scope, forms: Forms) -> str:
    """The name of the form that a request asks for; `UnknownForm` or `NotAcceptable` where there is none such."""
    asked = QueryParams(scope["query_string"]).get("f")
    if asked is not None:
        if asked.lower() not in forms:
            raise UnknownForm(form=asked[:40], known=", ".join(forms))
        return asked.lower()
    accept = Headers(scope=scope).get("accept", "")[:_LONGEST]
    if not accept.strip():
        return next(iter(forms))
    ranked = ((_weight(accept, media), -place, name) for place, (name, media) in enumerate(forms.items()))
    weight, _, best = max(ranked)
    if weight <= 0:
        raise NotAcceptable(known=", ".join(forms.values()))
    return best


def wants_page(scope: Scope) -> bool:
    """Whether a request is for one of the host's pages, as a browser's is."""
    if asked := QueryParams(scope["query_string"]).get("f"):
        return asked.lower() in _OF_THE_HOST
    accept = Headers(scope=scope).get("accept", "")[:_LONGEST]
    return _weight(accept, "text/html") > _weight(accept, "application/json")


class DataRoute(Route):
    """A route for everything but pages, which are the host's at the same address.

    The host passes over parameters that it does not know (api/itemtypes.py:455): `check` refuses them before it is asked.
    """

    def __init__(self, path: str, endpoint: Endpoint, check: Check, methods: list[str] | None = None) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.check = check

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Step aside for browsers that ask for what there is."""
        match, child = super().matches(scope)
        if match is not Match.NONE and scope["method"] in ("GET", "HEAD") and wants_page(scope):
            self.check(Request({**scope, **child}))
            return Match.NONE, {}
        return match, child


def _weight(accept: str, media: str) -> float:
    """The weight that a header gives to a media type, by the most specific range that covers it; 0 for none."""
    best = (-1, 0.0)
    for part in accept.split(","):
        range_, *parameters = (word.strip().lower() for word in part.split(";"))
        if (specific := _covers(range_, media.partition(";")[0])) is not None:
            best = max(best, (specific, _quality(parameters)))
    return best[1]


def _covers(range_: str, media: str) -> int | None:
    """How specifically a range covers a media type; any JSON type is taken for any other."""
    if range_ == media:
        return 3
    if _JSON.fullmatch(range_) and _JSON.fullmatch(media):
        return 2
    if range_ == media.partition("/")[0] + "/*":
        return 1
    return 0 if range_ in ("*/*", "*") else None


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            match = re.fullmatch(r"q=([01](?:\.\d{0,3})?)", parameter)
            return min(1.0, float(match[1])) if match else 0.0
    return 1.0
