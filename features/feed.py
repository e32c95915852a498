"""The change feed of a data set: what has changed since a token, feature by feature."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any, NamedTuple

from psycopg import sql

from core.catalogue import BBox
from core.changes import Change, Mark, Position, read_log
from core.database import AsyncPool, query, run
from core.errors import BadRequest, NoSuchDataset
from features.asking import asking
from features.queries import feature, named, type_name
from features.search import Search
from features.table import Table

OPS = {"I": "insert", "U": "update", "D": "delete"}
_WHOLE_NUMBERS = ("smallint", "integer", "bigint")
_LONGEST = 65_536  # characters of a token
_MOST = Mark(2**63 - 1, 2**63 - 1, 2**31 - 1)  # that PostgreSQL can compare


class BadToken(BadRequest):
    """Not a token of ours, or one that says nothing of this data set."""

    en = "This token does not belong to {dataset}. Take one from an answer of its feed, unchanged; or begin without."
    zh = "该标记不属于 {dataset}。请原样使用其变更接口返回的标记,或不带标记重新开始。"


class Feed(NamedTuple):
    """A part of the feed; where `reset`, it cannot tell what changed, and goes on from `next` once all is read anew."""

    now: Position
    entries: list[bytes]  # as JSON
    next: str
    more: bool
    reset: bool


def encode(marks: Mapping[str, Mark]) -> str:
    """Places in the logs of data sets as a token: opaque to clients."""
    text = json.dumps(dict(sorted(marks.items())), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(token: str, dataset: str) -> dict[str, Mark]:
    """Read a token; `BadToken`, told of a data set, where it is none."""
    try:
        places = json.loads(base64.urlsafe_b64decode(token[:_LONGEST] + "=" * (-len(token) % 4)))
        return {str(id_): _mark(place) for id_, place in places.items()}
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise BadToken(dataset=dataset) from error


def _mark(place: list[int]) -> Mark:
    mark = Mark(*place)
    for number, most in zip(mark, _MOST, strict=True):
        if type(number) is not int or not 0 <= number <= most:
            raise ValueError(number)
    return mark


async def read_feed(pool: AsyncPool, table: Table, since: str | None, limit: int, *, whole: bool) -> Feed:
    """What changed since a token, at most so many changes; without one nothing, but the token to begin with.

    `whole` asks for the features as they are now.
    """
    id_ = table.dataset.id
    marks = {} if since is None else decode(since, id_)
    if since is not None and id_ not in marks:
        raise BadToken(dataset=id_)
    begun = marks.get(id_, _MOST)  # where nothing follows
    log = await read_log(pool, id_, begun, limit)
    if log is None:
        raise NoSuchDataset(id=id_)
    if since is None or log.reset:
        return Feed(log.now, [], encode({id_: log.now.mark}), more=False, reset=since is not None)
    seen = await _as_now(pool, table, log.changes) if whole or log.guarded else {}
    entries = [_entry(table, change, seen, guarded=log.guarded, whole=whole) for change in log.changes]
    last = log.changes[-1].mark if log.changes else begun
    return Feed(log.now, entries, encode({id_: last}), log.more, reset=False)


async def _as_now(pool: AsyncPool, table: Table, changes: list[Change]) -> dict[str, bytes]:
    """The features that changes are about as GeoJSON, by key; those that are gone, or hidden from us, are left out."""
    statement = query("features_by_key").format(
        key=named(table.dataset.key),
        key_type=type_name(table.dataset.key_type),
        feature=feature(table, Search(limit=1)),
        table=sql.Identifier("data", table.dataset.id),
    )
    keys = {change.key for change in changes if change.op != "D"}
    with asking(table.dataset.id):
        result = (await run(pool, statement, {"keys": list(keys)})).pgresult
    assert result is not None  # noqa: S101 — `run` has seen to it
    return {(result.get_value(n, 0) or b"").decode(): result.get_value(n, 1) or b"" for n in range(result.ntuples)}


def _entry(table: Table, change: Change, seen: dict[str, bytes], *, guarded: bool, whole: bool) -> bytes:
    """A change as JSON; where row security hides the feature, it is gone for all that we may tell."""
    key = change.key or ""
    shown = key in seen
    hidden = guarded and not shown
    told: dict[str, Any] = {
        "op": "delete" if hidden else OPS[change.op],
        "id": identifier(table, key),
        "bbox": bounds([] if hidden else [change.new_box] if guarded else [change.old_box, change.new_box]),
        "time": change.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "token": encode({table.dataset.id: change.mark}),
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    if not whole or told["op"] == "delete":
        return text
    return text[:-1] + b',"feature":' + (seen[key] if shown else b"null") + b"}"


def identifier(table: Table, key: str) -> int | str:
    """A feature's id as GeoJSON has it."""
    return int(key) if table.dataset.key_type in _WHOLE_NUMBERS else key


def bounds(boxes: list[BBox | None]) -> list[float] | None:
    """The box around all that are boxes, as JSON has it: west, south, east, north; None where there is none."""
    sides = [box for box in boxes if box is not None]
    if not sides:
        return None
    west, south = min(box.west for box in sides), min(box.south for box in sides)
    east, north = max(box.east for box in sides), max(box.north for box in sides)
    return [round(side, 9) for side in (west, south, east, north)]
