"""Logs: one line a request, as JSON for machines or plain for people."""

import json
import logging
import sys
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import Settings

REQUESTS = logging.getLogger("chengtu.request")
_SECRET = ("api-key", "apikey", "key", "token", "tk")


def set_up(settings: Settings) -> None:
    """Send all logs to standard error, in the form that the settings ask for."""
    pretty = settings.log == "pretty" or (settings.log == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Pretty() if pretty else _Json())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("chengtu").setLevel(logging.INFO)
    logging.getLogger("pygeoapi").setLevel(logging.CRITICAL)  # it logs every 404 as an error, with a trace


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= getattr(record, "facts", {})
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class _Pretty(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {record.getMessage()}"
        return line + "\n" + self.formatException(record.exc_info) if record.exc_info else line


class RequestLog:
    """ASGI middleware that logs each request once its response has gone out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note status, bytes and milliseconds."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, size = time.perf_counter(), 500, 0

        async def counting(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counting)
        finally:
            log_request(scope, status, size, (time.perf_counter() - started) * 1000)


def log_request(scope: Scope, status: int, size: int, milliseconds: float) -> None:
    """Note a request that was answered."""
    query = "&".join(_without_secret(part) for part in scope["query_string"].decode("latin-1").split("&"))
    facts = {
        "method": scope["method"],
        "path": scope["path"],
        "query": query,
        "status": status,
        "bytes": size,
        "ms": round(milliseconds, 1),
        "client": (scope.get("client") or ("", 0))[0],
    }
    target = scope["path"] + ("?" + query if query else "")
    message = f"{status} {scope['method']} {target} {size} B {milliseconds:.0f} ms"
    # So made, the record does not look for its caller in the stack: the dearest part of a line.
    if REQUESTS.isEnabledFor(logging.INFO):
        REQUESTS.handle(
            REQUESTS.makeRecord(REQUESTS.name, logging.INFO, "", 0, message, (), None, extra={"facts": facts})
        )


def _without_secret(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}=***" if equals and name.lower() in _SECRET else parameter
