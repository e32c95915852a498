"""What caches may keep: validators of an answer, and the answer to those who have it already (RFC 9110, 8.8 and 13)."""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

_LAYOUT = "1"  # raise it whenever the same data are written otherwise
_GZIP = '-gz"'  # ends the tag of a compressed answer: a strong tag names bytes
_SETTLED = timedelta(seconds=2)  # since Last-Modified counts in seconds, it says nothing of a change just made


def entity_tag(scope: Scope, form: str, *versions: object) -> str:
    """A strong tag: of what was asked for, in which form, and of which versions of the data."""
    asked = f"{_LAYOUT} {form} {scope['path']}?".encode() + scope["query_string"]
    return f'"{".".join(map(str, versions))}-{hashlib.blake2b(asked, digest_size=6).hexdigest()}"'


def caching_headers(tag: str, *, max_age: int, changed: datetime | None = None) -> dict[str, str]:
    """The headers of an answer that may be kept: for some seconds, or to be asked about each time."""
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={max_age}" if max_age else "no-cache",
        "Vary": "Accept",
    }
    if changed is not None and datetime.now(UTC) - changed > _SETTLED:
        headers["Last-Modified"] = format_datetime(changed.astimezone(UTC), usegmt=True)
    return headers


def is_conditional(headers: Headers) -> bool:
    """Whether the client has an answer already and asks if it still holds."""
    return "if-none-match" in headers or "if-modified-since" in headers


def not_modified(asked: Headers, headers: dict[str, str]) -> Response | None:
    """304 where the client's answer still holds, with the tag that it knows it by."""
    if (given := asked.get("if-none-match")) is not None:
        for tag in (part.strip().removeprefix("W/") for part in given[:4096].split(",")):
            if tag == "*" or _plain(tag) == headers["ETag"]:
                return Response(status_code=304, headers=headers | ({} if tag == "*" else {"ETag": tag}))
        return None
    since = asked.get("if-modified-since")
    if since is not None and "Last-Modified" in headers and _moment(since) >= _moment(headers["Last-Modified"]):
        return Response(status_code=304, headers=headers)
    return None


def _plain(tag: str) -> str:
    return tag.removesuffix(_GZIP) + '"' if tag.endswith(_GZIP) else tag


def _moment(text: str) -> datetime:
    """An HTTP date; the beginning of time where it is none."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def mark_zipped(tag: str) -> str:
    """The tag of the same answer, zipped: other bytes."""
    return tag[:-1] + _GZIP if tag.endswith('"') else tag
