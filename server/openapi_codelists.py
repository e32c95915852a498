"""The part of the OpenAPI document on code lists and crosswalks."""

from typing import Final

from core.codelists import codelists, crosswalks
from core.language import Language, Text
from features.documents import Json
from server.codelist_documents import FORMS
from server.openapi_parts import object_of, path_parameter, ref, response_of

_LISTS: Final = Text("All code lists", "全部代码表")
_LIST: Final = Text("A code list", "一个代码表")
_WALKS: Final = Text("All crosswalks between code lists", "全部对照表")
_WALK: Final = Text("A crosswalk from one code list to another", "一个对照表")
_QML: Final = Text("How the features are drawn in QGIS, with names for codes (QML)", "QGIS 样式,代码显示为名称(QML)")
_TEXT: Final[Json] = {"type": "string"}
_NULLABLE: Final[Json] = {"type": "string", "nullable": True}
_BOTH: Final = object_of(["zh", "en"], zh=_TEXT, en=_TEXT)
_PERIOD: Final[Json] = {"type": "array", "items": _NULLABLE, "minItems": 2, "maxItems": 2}
_SURE: Final[Json] = {"type": "string", "enum": ["high", "medium", "low"]}
_LINKS: Final[Json] = {"type": "array", "items": ref("schemas", "link")}

_CODE: Final = object_of(
    ["scheme", "code", "name", "parent", "level", "assignable", "color", "valid", "confidence"],
    scheme=_TEXT,
    code=_TEXT,
    name=_BOTH,
    parent=_NULLABLE,
    level={"type": "integer", "minimum": 1},
    assignable={"type": "boolean"},
    color=_NULLABLE,
    valid=_PERIOD,
    confidence=_SURE,
    note=_BOTH,
)
_LIST_MEMBERS: Final = {
    "id": _TEXT,
    "title": _BOTH,
    "standard": _TEXT,
    "edition": _TEXT,
    "valid": _PERIOD,
    "confidence": _SURE,
    "colors": _BOTH,
    "note": _BOTH,
}
_ALWAYS: Final = ["id", "title", "standard", "edition", "valid", "confidence"]
_WALK_MEMBERS: Final = {"id": _TEXT, "title": _BOTH, "standard": _TEXT, "from": _TEXT, "to": _TEXT, "note": _BOTH}
_NAMED: Final = {"scheme": _TEXT, "code": _TEXT, "name": _BOTH, "color": _NULLABLE}
_SURENESS: Final[Json] = {"type": "string", "enum": ["exact", "rule", "human"]}
_TARGET: Final = object_of(["scheme", "code", "name", "confidence"], **_NAMED, confidence=_SURENESS, note=_BOTH)
_MATCH: Final = object_of(
    ["from", "to", "confidence", "candidates"],
    **{"from": object_of([*_NAMED], **_NAMED), "to": {**object_of([*_NAMED], **_NAMED), "nullable": True}},
    confidence=_SURENESS,
    candidates={"type": "array", "items": _TARGET},
)

SCHEMAS: Final[Json] = {
    "codelist": object_of(
        [*_ALWAYS, "codes", "links"], **_LIST_MEMBERS, codes={"type": "array", "items": _CODE}, links=_LINKS
    ),
    "codelists": object_of(
        ["codelists", "links"],
        codelists={
            "type": "array",
            "items": object_of([*_ALWAYS, "count", "href"], **_LIST_MEMBERS, count={"type": "integer"}, href=_TEXT),
        },
        links=_LINKS,
    ),
    "crosswalk": object_of(
        ["id", "title", "from", "to", "matches", "links"],
        **_WALK_MEMBERS,
        matches={"type": "array", "items": _MATCH},
        links=_LINKS,
    ),
    "crosswalks": object_of(
        ["crosswalks", "links"],
        crosswalks={"type": "array", "items": object_of(["id", "from", "to", "href"], **_WALK_MEMBERS, href=_TEXT)},
        links=_LINKS,
    ),
}


def _response(words: Text, schema: str) -> Json:
    """JSON by its schema, CSV as text, and a page."""
    response = response_of(words, schema, FORMS)
    response["content"][FORMS["csv"]] = {"schema": _TEXT}
    return response


RESPONSES: Final[Json] = {
    "codelists": _response(Text("The code lists.", "全部代码表。"), "codelists"),
    "codelist": _response(Text("The code list.", "该代码表。"), "codelist"),
    "crosswalks": _response(Text("The crosswalks.", "全部对照表。"), "crosswalks"),
    "crosswalk": _response(Text("The crosswalk.", "该对照表。"), "crosswalk"),
}


PARAMETERS: Final[Json] = {
    "codelistId": path_parameter("codelistId", Text("The id of a code list.", "代码表编号。"), [*codelists()]),
    "crosswalkId": path_parameter("crosswalkId", Text("The id of a crosswalk.", "对照表编号。"), [*crosswalks()]),
    "fCodes": {
        "name": "f",
        "in": "query",
        "description": Text(
            "The form of the answer; else the Accept header decides.", "返回格式;省略时由 Accept 头决定。"
        ),
        "schema": {"type": "string", "enum": [*FORMS]},
    },
    "dateValid": {
        "name": "date",
        "in": "query",
        "description": Text("Only what is valid on a day.", "仅列出该日有效的内容。"),
        "schema": {"type": "string", "format": "date"},
    },
    "codeAlone": {
        "name": "code",
        "in": "query",
        "description": Text("Only one code.", "只返回一个代码。"),
        "schema": _TEXT,
    },
    "bom": {
        "name": "bom",
        "in": "query",
        "description": Text(
            "Whether CSV begins with the mark that Excel knows UTF-8 by.", "CSV 是否带 Excel 所需的 UTF-8 标记。"
        ),
        "schema": {"type": "boolean", "default": False},
    },
}


def codelist_paths(say: Language, *, collections: bool) -> Json:
    """The lists, the crosswalks, each of them, and the styles for QGIS that name codes."""
    form = ("fCodes", "lang", "bom")
    styles = {"/collections/{collectionId}/style.qml": {"get": _qgis_style(say)}} if collections else {}
    return styles | {
        "/codelists": {"get": _get("getCodelists", _LISTS.in_(say), "codelists", "dateValid", *form)},
        "/codelists/{codelistId}": {
            "get": _get("getCodelist", _LIST.in_(say), "codelist", "codelistId", "dateValid", "codeAlone", *form)
        },
        "/crosswalks": {"get": _get("getCrosswalks", _WALKS.in_(say), "crosswalks", *form)},
        "/crosswalks/{crosswalkId}": {
            "get": _get("getCrosswalk", _WALK.in_(say), "crosswalk", "crosswalkId", "codeAlone", *form)
        },
    }


def _qgis_style(say: Language) -> Json:
    style = _get("getQgisStyle", _QML.in_(say), "qml", "collectionId", "lang")
    return style | {"tags": ["data"], "responses": style["responses"] | {"503": ref("responses", "503")}}


def _get(operation: str, summary: str, response: str, *parameters: str) -> Json:
    return {
        "operationId": operation,
        "tags": ["service"],
        "summary": summary,
        "parameters": [ref("parameters", name) for name in parameters],
        "responses": {"200": ref("responses", response)}
        | {status: ref("responses", status) for status in ("304", "400", "404", "406", "500")},
    }
