"""Paging by key: a cursor says after which feature a page begins, of which query and which release."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from core.errors import ChengtuError


class BadCursor(ChengtuError):
    """Not a cursor of ours, or one of another query."""

    en = "This cursor does not belong to this query. Follow the `next` links of the answers without changing them."
    zh = "该游标与此查询不符。请原样使用响应中的 `next` 链接。"
    code = "InvalidParameterValue"
    status = 400


class ReleaseReplaced(ChengtuError):
    """Between two pages the data set was replaced by a new release."""

    en = "A new release of {dataset} has replaced the one that this download began with. Begin again at its first page."
    zh = "数据集 {dataset} 已发布新版本,替换了本次下载开始时的版本。请从第一页重新开始。"
    code = "ReleaseReplaced"
    status = 410


class Cursor(NamedTuple):
    """A place between two features of a sorted data set."""

    release: int
    change: int
    matched: int | None  # how many features the whole query matched at that change
    values: tuple[str | None, ...]  # of the sort columns and the key, as PostgreSQL writes them
    backwards: bool = False


def digest(parameters: Iterable[tuple[str, str]]) -> str:
    """A short text that tells one query from another."""
    return hashlib.blake2b(json.dumps(list(parameters)).encode(), digest_size=6).hexdigest()


def encode(cursor: Cursor, query: str) -> str:
    """A cursor as a URL carries it: opaque to clients."""
    text = json.dumps([query, *cursor], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(token: str, query: str) -> Cursor:
    """Read a cursor; `BadCursor` where it is none, or one of another query."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadCursor from error
    match parts:
        case [str(of), int(release), int(change), int() | None as matched, list(values), bool(backwards)] if (
            of == query and all(value is None or isinstance(value, str) for value in values)
        ):
            return Cursor(release, change, matched, tuple(values), backwards)
    raise BadCursor
