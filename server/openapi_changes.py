"""The part of the OpenAPI document on what changes: the feeds, and the push."""

from typing import Final

from core.language import Language, Text
from features.documents import Json
from server.openapi_parts import READING_ERRORS, object_of, ref, response_of

_FEED: Final = Text("What changed in a data set", "数据集的变更")
_PUSH: Final = Text("Changes as they happen, until you hang up", "实时变更推送,直到客户端断开")
_TEXT: Final[Json] = {"type": "string"}
_BOX: Final[Json] = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4, "nullable": True}
_SINCE: Final = Text(
    "A token out of an earlier answer; without it, from now on.", "先前应答中的标记;省略则从现在开始。"
)
_JSON: Final = {"json": "application/json"}

_CHANGE: Final = object_of(
    ["op", "id", "bbox", "time", "token"],
    op={"type": "string", "enum": ["insert", "update", "delete"]},
    id={"oneOf": [{"type": "integer"}, {"type": "string"}]},
    bbox=_BOX,
    time={"type": "string", "format": "date-time"},
    token=_TEXT,
    feature={"type": "object", "nullable": True},
)
_MEMBERS: Final = {
    "changes": {"type": "array", "items": _CHANGE},
    "next": _TEXT,
    "more": {"type": "boolean"},
    "kept": _TEXT,
    "links": {"type": "array", "items": ref("schemas", "link")},
}
SCHEMAS: Final[Json] = {
    "changes": object_of([*_MEMBERS], **_MEMBERS),
    "changesLost": object_of(["code", "description", "next"], code=_TEXT, type=_TEXT, description=_TEXT, next=_TEXT),
}
RESPONSES: Final[Json] = {
    "changes": response_of(Text("The changes, in order.", "按顺序排列的变更。"), "changes", _JSON),
    "changesLost": response_of(
        Text("Read all anew, and go on from the token `next`.", "请全部重新读取,然后从标记 next 继续。"),
        "changesLost",
        _JSON,
    ),
    "push": {
        "description": Text("Server-Sent Events: `change` and `reset`.", "Server-Sent Events:change 与 reset。"),
        "content": {"text/event-stream": {"schema": _TEXT}},
    },
}
PARAMETERS: Final[Json] = {
    "since": {"name": "since", "in": "query", "description": _SINCE, "schema": _TEXT},
    "include": {
        "name": "include",
        "in": "query",
        "description": Text("Whether to add the features as they are now.", "是否附上要素的当前内容。"),
        "schema": {"type": "string", "enum": ["none", "feature"], "default": "none"},
    },
    "limitChanges": {
        "name": "limit",
        "in": "query",
        "description": Text("How many changes, at most.", "最多的变更数。"),
        "schema": {"type": "integer", "minimum": 1},
    },
    "collectionsFollowed": {
        "name": "collections",
        "in": "query",
        "description": Text("The collections to hear of; else all.", "要关注的集合;省略则为全部。"),
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "items": _TEXT},
    },
    "view": {
        "name": "bbox",
        "in": "query",
        "description": Text(
            "The area to hear of: west, south, east, north in degrees.", "要关注的范围:西、南、东、北(度)。"
        ),
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
    },
    "zoomFollowed": {
        "name": "zoom",
        "in": "query",
        "description": Text("Of which zoom to name the tiles that changed.", "按该级别列出变更的瓦片。"),
        "schema": {"type": "integer", "minimum": 0, "maximum": 24},
    },
}


def change_paths(say: Language, *, collections: bool) -> Json:
    """The push; and the feeds, which stand here once for all collections."""
    push = _get("getPush", "service", _PUSH.in_(say), "push", "collectionsFollowed", "view", "zoomFollowed", "since")
    paths: Json = {"/changes": {"get": push}}
    if collections:
        parameters = ("collectionId", "since", "limitChanges", "include", "fJson", "lang")
        feed = _get("getChanges", "data", _FEED.in_(say), "changes", *parameters)
        feed["responses"] |= {"304": ref("responses", "304"), "410": ref("responses", "changesLost")}
        paths["/collections/{collectionId}/changes"] = {"get": feed}
    return paths


def _get(operation: str, tag: str, summary: str, response: str, *parameters: str) -> Json:
    return {
        "operationId": operation,
        "tags": [tag],
        "summary": summary,
        "parameters": [ref("parameters", name) for name in parameters],
        "responses": {"200": ref("responses", response)}
        | {status: ref("responses", status) for status in READING_ERRORS},
    }
