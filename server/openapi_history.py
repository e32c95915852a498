"""The part of the OpenAPI document on what was: histories, and amendments."""

from typing import Final

from core.language import Language, Text
from features.documents import Json
from server.openapi_parts import READING_ERRORS, object_of, ref, response_of

_HISTORY: Final = Text("The life of a feature, of a place, or of all in a box", "要素、地点或范围的历史")
_AMENDMENTS: Final = Text("The increments and sheets that changed a data set", "数据集的增量与图幅更新")
_AMENDMENT: Final = Text("One of them, with its balance of areas", "其中一次更新及其面积平衡表")
_JSON: Final = {"json": "application/json"}
_TEXT: Final[Json] = {"type": "string"}
_NUMBER: Final[Json] = {"type": "integer"}
_DAY: Final[Json] = {"type": "string", "format": "date"}
_MOMENT: Final[Json] = {"type": "string", "format": "date-time"}
_LINKS: Final[Json] = {"type": "array", "items": ref("schemas", "link")}

_OTHER: Final = object_of(
    ["id", "area"],
    id={"oneOf": [{"type": "integer"}, _TEXT]},
    area={"type": "number", "nullable": True},
)
_VERSION: Final = object_of(
    ["type", "id", "geometry", "properties", "predecessors", "successors"],
    type={"type": "string", "enum": ["Feature"]},
    id={"oneOf": [{"type": "integer"}, _TEXT]},
    geometry={"type": "object", "nullable": True},
    properties={"type": "object"},
    predecessors={"type": "array", "items": _OTHER},
    successors={"type": "array", "items": _OTHER},
)
_MEMBERS: Final = {
    "id": _NUMBER,
    "kind": {"type": "string", "enum": ["increment", "sheet"]},
    "label": _TEXT,
    "source": _TEXT,
    "day": _DAY,
    "applied": _MOMENT,
    "added": _NUMBER,
    "removed": _NUMBER,
    "changed": _NUMBER,
    "undone": {"type": "string", "format": "date-time", "nullable": True},
    "links": _LINKS,
}
SCHEMAS: Final[Json] = {
    "life": object_of(
        ["type", "features", "numberReturned", "more", "links"],
        type={"type": "string", "enum": ["FeatureCollection"]},
        features={"type": "array", "items": _VERSION},
        numberReturned=_NUMBER,
        more={"type": "boolean"},
        links=_LINKS,
    ),
    "amendment": object_of([*_MEMBERS], **_MEMBERS, report={"type": "object"}),
    "amendments": object_of(
        ["amendments", "links"], amendments={"type": "array", "items": ref("schemas", "amendment")}, links=_LINKS
    ),
}
RESPONSES: Final[Json] = {
    "life": response_of(
        Text("Versions in the order of time.", "按时间排列的各版本。"),
        "life",
        {"json": "application/geo+json", "html": "text/html"},
    ),
    "amendments": response_of(Text("The newest first.", "最近的在前。"), "amendments", _JSON),
    "amendment": response_of(_AMENDMENT, "amendment", _JSON),
}
PARAMETERS: Final[Json] = {
    "keyOfLife": {
        "name": "key",
        "in": "query",
        "description": Text("The key of a feature.", "要素主键。"),
        "schema": _TEXT,
    },
    "pointOfLife": {
        "name": "point",
        "in": "query",
        "description": Text("Longitude and latitude of a place.", "地点的经度与纬度。"),
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    },
    "amendmentId": {"name": "amendment", "in": "path", "required": True, "schema": _NUMBER},
}


def history_paths(say: Language, *, kept: bool) -> Json:
    """They stand here once for all collections that keep a history."""
    if not kept:
        return {}
    here = "/collections/{collectionId}"
    searched = ("keyOfLife", "pointOfLife", "bbox", "bbox-crs", "crs", "datetime", "limit")
    life = _get("getHistory", _HISTORY.in_(say), "life", "collectionId", *searched, "f", "lang")
    life["responses"] |= {"304": ref("responses", "304")}
    return {
        f"{here}/history": {"get": life},
        f"{here}/amendments": {
            "get": _get("getAmendments", _AMENDMENTS.in_(say), "amendments", "collectionId", "f", "lang")
        },
        f"{here}/amendments/{{amendment}}": {
            "get": _get("getAmendment", _AMENDMENT.in_(say), "amendment", "collectionId", "amendmentId", "f", "lang")
        },
    }


def _get(operation: str, summary: str, response: str, *parameters: str) -> Json:
    return {
        "operationId": operation,
        "tags": ["data"],
        "summary": summary,
        "parameters": [ref("parameters", name) for name in parameters],
        "responses": {"200": ref("responses", response)}
        | {status: ref("responses", status) for status in READING_ERRORS},
    }
