"""Who may change features: whoever knows the one key of this service."""

import base64
import binascii
import hmac
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from features.table import Table
from server.borders import Answered

_PARAMETER = "api-key"
_IN_SCOPE = "chengtu.keys"


class NotEditable(Answered):
    """A change to a data set that cannot be changed."""

    en = (
        "Features of {dataset} cannot be changed here. Whoever runs the service switches it on with"
        " `chengtu datasets set {dataset} --editable`, and with CHENGTU_EDIT_KEY."
    )
    zh = (
        "不能在此修改 {dataset} 的要素。服务管理员可用 `chengtu datasets set {dataset} --editable`"
        " 并设置 CHENGTU_EDIT_KEY 开启编辑。"
    )
    status = 405


class KeyNeeded(Answered):
    """A change without a key."""

    en = "Changing features needs the key of this service, as X-API-Key, as a Bearer token, or as a Basic password."
    zh = "修改要素需要本服务的密钥:放在 X-API-Key、Bearer 令牌或 Basic 密码中。"
    status = 401
    headers = {"WWW-Authenticate": 'Basic realm="Chengtu", charset="UTF-8"'}  # noqa: RUF012 — read only, as its base says


class WrongKey(Answered):
    """A change with another key."""

    en = "This is not the key of this service. Ask whoever runs it."
    zh = "密钥不正确。请向服务管理员索取。"
    status = 403


class KeyApart:
    """ASGI middleware that takes a key out of the query, where links, logs and messages would repeat it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without it; whoever must know finds it in the scope."""
        if scope["type"] == "http" and b"=" in scope["query_string"]:
            keys, rest = [], []
            for part in scope["query_string"].split(b"&"):
                name, _, value = part.decode("latin-1").partition("=")
                if unquote_plus(name).lower() == _PARAMETER:
                    keys.append(unquote_plus(value))
                else:
                    rest.append(part)
            if keys:
                scope = {**scope, "query_string": b"&".join(rest), _IN_SCOPE: keys}
        await self.app(scope, receive, send)


def is_editable(request: Request, table: Table) -> bool:
    """Whether whoever has the key may change features of a data set."""
    return table.dataset.editable and request.app.state.settings.edit_key is not None


def require_key(request: Request) -> None:
    """Let none pass without the key; `KeyNeeded` or `WrongKey`."""
    given = _given(request)
    if not given:
        raise KeyNeeded
    wanted = request.app.state.settings.edit_key.get_secret_value().encode()
    # All are compared, each in the same time, so that how long it takes tells nothing.
    if not any([hmac.compare_digest(one.encode(errors="replace"), wanted) for one in given]):  # noqa: C419 — all of them
        raise WrongKey


def _given(request: Request) -> list[str]:
    """The keys in a request, wherever one may be put."""
    given = [*request.headers.getlist("x-api-key"), *request.scope.get(_IN_SCOPE, [])]
    for header in request.headers.getlist("authorization"):
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() == "bearer":
            given.append(credentials.strip())
        elif scheme.lower() == "basic":
            given.append(_password(credentials))
    return given


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
