"""The part of the OpenAPI document on what the checks found."""

from collections.abc import Iterable
from typing import Final

from core.language import Language, Text
from features.documents import Json
from server.openapi_parts import READING_ERRORS, object_of, ref, response_of

_QUALITY: Final = Text("What the checks found in a data set", "数据集的质量检查结果")
_TEXT: Final[Json] = {"type": "string"}
_RULE: Final = {
    "id": _TEXT,
    "severity": {"type": "string", "enum": ["error", "warning"]},
    "clause": _TEXT,
    "title": _TEXT,
    "count": {"type": "integer"},
    "accepted": {"type": "boolean"},
    "ids": {"type": "array", "items": _TEXT},
}
_MEMBERS: Final = {
    "dataset": _TEXT,
    "title": _TEXT,
    "profile": _TEXT,
    "checked": {"type": "string", "format": "date-time"},
    "current": {"type": "boolean"},
    "rules": {"type": "array", "items": object_of([*_RULE], **_RULE, unjudged=_TEXT)},
    "links": {"type": "array", "items": ref("schemas", "link")},
}
PARAMETERS: Final[Json] = {}
SCHEMAS: Final[Json] = {"quality": object_of([*_MEMBERS], **_MEMBERS)}
RESPONSES: Final[Json] = {
    "quality": response_of(Text("Each rule, and the features that break it.", "各规则及违反规则的要素。"), "quality")
}


def quality_paths(say: Language, checked: Iterable[str]) -> Json:
    """What the checks found, of each data set that was checked."""
    errors = {status: ref("responses", status) for status in ("304", *READING_ERRORS)}
    return {
        f"/collections/{id_}/quality": {
            "get": {
                "operationId": f"getQualityOf_{id_}",
                "tags": [id_],
                "summary": _QUALITY.in_(say),
                "parameters": [ref("parameters", name) for name in ("f", "lang")],
                "responses": {"200": ref("responses", "quality")} | errors,
            }
        }
        for id_ in checked
    }
