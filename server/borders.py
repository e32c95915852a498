"""The border of the application: what every request passes on its way in, and every error on its way out."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ChengtuError
from core.language import Language, from_accept_language, is_spoken, spoken

LOGGER = logging.getLogger("chengtu.error")

Handler = Callable[[Request, Exception], Response | Awaitable[Response]]


class BodyTooLarge(ChengtuError):
    """A request body beyond the limit."""

    en = "The request body is larger than {limit} bytes."
    zh = "请求体超过 {limit} 字节。"
    status = 413


class UnreadableText(ChengtuError):
    """Characters that no text may hold."""

    en = "The request holds a NUL or bytes that are not UTF-8. Send plain UTF-8 text, percent-encoded."
    zh = "请求中含有 NUL 字符或非 UTF-8 字节。请发送经百分号编码的 UTF-8 文本。"
    code = "InvalidParameterValue"
    status = 400


class NoHost(ChengtuError):
    """A request for no host, or for two (RFC 9112, 3.2); we believe none of them, but proxies differ on which."""

    en = "The request must have one Host header."
    zh = "请求必须有且只有一个 Host 头。"
    code = "InvalidParameterValue"
    status = 400


class UnknownLanguage(ChengtuError):
    """`lang` names a language that is not spoken here."""

    en = "lang={language!r} is not spoken here. There are: en, zh."
    zh = "不支持语言 lang={language!r}。可用:en、zh。"
    code = "InvalidParameterValue"
    status = 400


class Answered(ChengtuError):
    """An error whose answer tells more in its headers, or in further members of its body."""

    headers: Mapping[str, str] = MappingProxyType({})
    members: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self, headers: Mapping[str, str] | None = None, members: Mapping[str, str] | None = None, **facts: object
    ) -> None:
        self.headers = headers or self.headers
        self.members = members or self.members
        super().__init__(**facts)


def ogc_error(
    status: int,
    code: str,
    description: str,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error as OGC APIs write it (OGC API - Features 1, 7.5.1): code and description."""
    all_headers = dict(headers or {}) | ({"Retry-After": "2"} if status == 503 else {})
    body = {"code": code, "type": code, "description": description, **(members or {})}
    return JSONResponse(body, status, all_headers)


def from_error(error: ChengtuError) -> JSONResponse:
    """The response to one of our own errors, in the language of the request."""
    headers, members = (error.headers, error.members) if isinstance(error, Answered) else (None, None)
    return ogc_error(error.status, error.code, error.message(spoken.get()), headers, members)


async def _our_error(request: Request, error: Exception) -> Response:
    return from_error(error) if isinstance(error, ChengtuError) else await _unforeseen(request, error)


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "NotFound", 405: "InvalidParameterValue"}.get(status, "NoApplicableCode")
    texts: dict[int, dict[Language, str]] = {
        404: {"en": f"There is nothing at {request.url.path}.", "zh": f"{request.url.path} 不存在。"},
        405: {"en": f"{request.method} is not possible here.", "zh": f"此处不支持 {request.method}。"},
    }
    detail, headers = (error.detail, error.headers) if isinstance(error, HTTPException) else ("", None)
    return ogc_error(status, code, texts.get(status, {}).get(spoken.get(), detail), headers)


async def _unforeseen(request: Request, error: Exception) -> Response:
    LOGGER.error("%s %s failed", request.method, request.url.path, exc_info=error)
    texts: dict[Language, str] = {
        "en": "The service failed on this request; its log tells more.",
        "zh": "服务处理该请求时出错,详情见服务日志。",
    }
    return ogc_error(500, "NoApplicableCode", texts[spoken.get()])


ERROR_HANDLERS: dict[Any, Handler] = {
    ChengtuError: _our_error,
    HTTPException: _http_error,
    Exception: _unforeseen,
}


class Border:
    """ASGI middleware: finds the language, bounds the body, refuses unreadable text, and catches what is left."""

    def __init__(self, app: ASGIApp, body_limit: int, language: Language, base_url: str) -> None:
        self.app = app
        self.base_url = base_url  # what links begin with
        self.body_limit = body_limit
        self.language = language  # where a client names none that we speak

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        spoken.set(_language(scope, headers, self.language))
        started = False

        async def watching(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [self._at_home(name, value) for name, value in message["headers"]]
            await send(message)

        try:
            _check(scope, headers, self.body_limit)
            await self.app(scope, _bounded(receive, self.body_limit), watching)
        except ClientDisconnect:
            return  # whoever breaks off in the middle of a body hears no answer
        except Exception as error:
            if started:
                raise
            request = Request(scope)
            response = from_error(error) if isinstance(error, ChengtuError) else await _unforeseen(request, error)
            await response(scope, receive, send)

    def _at_home(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        """Starlette redirects to the host that a request names (routing.py, redirect_slashes), which may be forged."""
        if name != b"location" or value.startswith(self.base_url.encode()):
            return name, value
        there = urlsplit(value)
        return name, self.base_url.encode() + there.path + (b"?" + there.query if there.query else b"")


def _language(scope: Scope, headers: Headers, default: Language) -> Language:
    asked = QueryParams(scope["query_string"]).get("lang") or headers.get("accept-language")
    return from_accept_language(asked, default)


def _check(scope: Scope, headers: Headers, body_limit: int) -> None:
    if scope["http_version"] == "1.1" and len(headers.getlist("host")) != 1:
        raise NoHost
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > body_limit:
        raise BodyTooLarge(limit=body_limit)
    for name, value in QueryParams(scope["query_string"]).multi_items():
        # Bytes that are not UTF-8 were decoded to U+FFFD; half surrogates cannot be sent on to PostgreSQL.
        if any(character in text for text in (name, value) for character in "\0\ufffd"):
            raise UnreadableText
        if name == "lang" and not is_spoken(value):
            raise UnknownLanguage(language=value[:40])
    if "\0" in scope["path"]:
        raise UnreadableText


def _bounded(receive: Receive, limit: int) -> Receive:
    """A `receive` that gives up on a body longer than it said, or that never said."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLarge(limit=limit)
        return message

    return bounded


class ContextExecutor(ThreadPoolExecutor):
    """Threads that know the request they work for: the host hands its work to the loop's executor."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":  # noqa: ANN401
        """Run `fn` in a copy of the caller's context."""
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)


def use_context_executor(loop: asyncio.AbstractEventLoop, threads: int) -> ContextExecutor:
    """Make it the loop's own."""
    executor = ContextExecutor(threads, thread_name_prefix="chengtu")
    loop.set_default_executor(executor)
    return executor
