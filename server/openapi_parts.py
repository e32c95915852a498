"""What the operations of the OpenAPI document share: parameters, schemas and responses, in both languages."""

from collections.abc import Iterable, Mapping
from functools import cache

from core.language import Language, Text
from features.documents import MEDIA, QML_MEDIA, SCHEMA_FORMS, SCHEMA_MEDIA, STYLE_MEDIA, Json, Site
from server.service import Limits

READING_ERRORS = ("400", "404", "406", "500", "503")
QUERY_ERRORS = ("400", "404", "406", "410", "413", "415", "500", "503")
WRITING_ERRORS = ("400", "401", "403", "404", "405", "409", "412", "413", "415", "428", "500", "503")


@cache
def ref(kind: str, name: str) -> dict[str, str]:
    """A reference to a component: one object for all that refer to it, since a document has thousands."""
    return {"$ref": f"#/components/{kind}/{name}"}


def components(collections: Iterable[str], processes: Iterable[str], limits: Limits, site: Site, more: Json) -> Json:
    """All of them, in one language, with those of `more`."""
    parts = {
        "parameters": _parameters([*collections], [*processes], limits, site.forms),
        "schemas": _SCHEMAS,
        "responses": _RESPONSES | _feature_responses(site.forms) | _errors(),
        "requestBodies": _BODIES,
    }
    return {name: _in(site.language, part | more.get(name, {})) for name, part in parts.items()}


def _in(language: Language, part: object) -> object:
    """The same with every `Text` told in the language."""
    if isinstance(part, Text):
        return part.in_(language)
    if isinstance(part, dict):
        return {name: _in(language, one) for name, one in part.items()}
    return [_in(language, one) for one in part] if isinstance(part, list) else part


def _parameters(collections: list[str], processes: list[str], limits: Limits, forms: Mapping[str, str]) -> Json:
    """The host's and ours.

    QGIS takes each parameter that says `style` and `explode` for an attribute to filter by, but for those it knows:
    the others say neither, and so mean the same.
    """
    listed = {"style": "form", "explode": False}
    form = Text("The form of the answer; else the Accept header decides.", "返回格式;省略时由 Accept 头决定。")
    crs = Text("A CRS that the collection lists: its URI.", "集合所列坐标系的 URI。")
    every = {
        "f": _query("f", form, {"type": "string", "enum": [*MEDIA]}),
        "fJson": _query("f", form, {"type": "string", "enum": ["json"]}),
        "fSchema": _query("f", form, {"type": "string", "enum": [*SCHEMA_FORMS]}),
        "fItems": _query("f", form, {"type": "string", "enum": [*forms]}),
        "lang": _query("lang", Text("The language of titles and messages.", "标题和提示的语言。"), _LANGUAGES),
        "theme": _query(
            "theme",
            Text("What it is drawn for.", "底色:浅色或深色。"),
            {"type": "string", "enum": ["light", "dark"], "default": "light"},
        ),
        "collections": _query(
            "collections",
            Text("Ids of data sets, parted by commas; else all.", "数据集编号,以逗号分隔;省略则为全部。"),
            {"type": "string"},
        ),
        "limit": listed
        | _query(
            "limit",
            Text("How many features a page holds, at most.", "每页最多的要素数。"),
            {"type": "integer", "minimum": 1, "default": limits.default_items, "maximum": limits.max_items},
        ),
        "offset": _query(
            "offset",
            Text(
                "How many features to pass over. Better follow the links `next`.", "跳过的要素数。建议使用 next 链接。"
            ),
            {"type": "integer", "minimum": 0, "default": 0},
        ),
        "cursor": _query(
            "cursor",
            Text("Where a page begins, out of a link `next`.", "分页标记,取自 next 链接。"),
            {"type": "string"},
        ),
        "bbox": listed
        | _query(
            "bbox",
            Text(
                "Features that meet this box: lower corner, then upper corner, in the axis order of bbox-crs; "
                "by default west, south, east, north in degrees.",
                "与该范围相交的要素:先下角点后上角点,轴序按 bbox-crs;默认为西、南、东、北(度)。",
            ),
            {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
        ),
        "bbox-crs": listed | _query("bbox-crs", crs, {"type": "string"}),
        "datetime": listed
        | _query(
            "datetime",
            Text(
                "Features of a day, an instant or an interval (RFC 3339), such as 2025-01-01/..",
                "某日、某时刻或某时段(RFC 3339)的要素,如 2025-01-01/..",
            ),
            {"type": "string"},
        ),
        "crs": listed | _query("crs", crs, {"type": "string"}),
        "filter": listed | _query("filter", Text("A filter in CQL2.", "CQL2 过滤条件。"), {"type": "string"}),
        "filter-lang": listed
        | _query(
            "filter-lang",
            Text("In which form of CQL2.", "CQL2 的书写形式。"),
            {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"},
        ),
        "filter-crs": listed | _query("filter-crs", crs, {"type": "string"}),
        "sortby": listed
        | _query(
            "sortby",
            Text("Attributes to sort by, with - before them in descending order.", "排序字段,前置 - 为降序。"),
            {"type": "array", "items": {"type": "string"}},
        ),
        "properties": listed
        | _query(
            "properties",
            Text("Attributes to give out; else all.", "返回的字段;省略则为全部。"),
            {"type": "array", "items": {"type": "string"}},
        ),
        "skipGeometry": _query(
            "skipGeometry",
            Text("Leave the geometries out.", "不返回几何。"),
            {"type": "boolean", "default": False},
        ),
        "q": _query("q", Text("Words that the texts of a feature hold.", "文本字段包含的词语。"), {"type": "string"}),
        "resulttype": _query(
            "resulttype",
            Text("`hits` counts only.", "hits 只返回数量。"),
            {"type": "string", "enum": ["results", "hits"], "default": "results"},
        ),
        "limitList": _query("limit", Text("How many to list.", "列出的数量。"), {"type": "integer", "minimum": 1}),
        "offsetList": _query(
            "offset", Text("How many to pass over.", "跳过的数量。"), {"type": "integer", "minimum": 0}
        ),
        "jobId": path_parameter("jobId", Text("The id of a job.", "任务编号。"), []),
        "processId": path_parameter("processId", Text("The id of a process.", "处理编号。"), processes),
    }
    if collections:
        every["collectionId"] = path_parameter(
            "collectionId", Text("The id of a collection.", "集合编号。"), collections
        )
    return every


def _query(name: str, description: Text, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def path_parameter(name: str, description: Text, ids: list[str]) -> Json:
    schema: Json = {"type": "string", "enum": ids} if ids else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


_LANGUAGES = {"type": "string", "enum": ["en", "zh"]}
_STRINGS = {"type": "array", "items": {"type": "string"}}
_LINKS = {"type": "array", "items": ref("schemas", "link")}
_GEOMETRIES = ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"]


def object_of(required: list[str], **properties: Json) -> Json:
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


_TEXT: Json = {"type": "string"}
_BOXES: Json = {"type": "array", "items": {"type": "array", "items": {"type": "number"}, "minItems": 4}}
_SCHEMAS: Json = {
    "exception": object_of(["code", "description"], code=_TEXT, type=_TEXT, description=_TEXT),
    "link": object_of(["href"], href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT, hreflang=_TEXT),
    "landing": object_of(["links"], title=_TEXT, description=_TEXT, links=_LINKS),
    "conformance": object_of(["conformsTo"], conformsTo=_STRINGS),
    "functions": object_of(
        ["functions"],
        functions={
            "type": "array",
            "items": object_of(
                ["name", "returns"],
                name=_TEXT,
                description=_TEXT,
                arguments={"type": "array", "items": object_of(["type"], title=_TEXT, type=_STRINGS)},
                returns=_STRINGS,
            ),
        },
    ),
    "extent": object_of(
        [],
        spatial=object_of(
            ["bbox"],
            bbox=_BOXES,
            storageCrsBbox=_BOXES,
            crs=_TEXT,
        ),
        temporal=object_of(
            ["interval"],
            interval={
                "type": "array",
                "items": {"type": "array", "items": {"type": "string", "format": "date-time"}, "minItems": 2},
            },
        ),
    ),
    "collection": object_of(
        ["id", "links"],
        id=_TEXT,
        title=_TEXT,
        description=_TEXT,
        keywords=_STRINGS,
        attribution=_TEXT,
        itemType=_TEXT,
        itemCount={"type": "integer", "minimum": 0},
        updated={"type": "string", "format": "date-time"},
        extent=ref("schemas", "extent"),
        crs=_STRINGS,
        storageCrs=_TEXT,
        links=_LINKS,
    ),
    "collections": object_of(
        ["links", "collections"],
        links=_LINKS,
        numberMatched={"type": "integer"},
        numberReturned={"type": "integer"},
        collections={"type": "array", "items": ref("schemas", "collection")},
    ),
    "jsonSchema": {"type": "object"},
    "geometry": {
        "type": "object",
        "nullable": True,
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "enum": _GEOMETRIES},
            "coordinates": {"type": "array", "items": {}},
            "geometries": {"type": "array", "items": {"type": "object"}},
        },
    },
    "feature": object_of(
        ["type", "geometry", "properties"],
        type={"type": "string", "enum": ["Feature"]},
        id={"oneOf": [{"type": "integer"}, {"type": "string"}]},
        geometry=ref("schemas", "geometry"),
        properties={"type": "object", "nullable": True},
        links=_LINKS,
    ),
    "featureCollection": object_of(
        ["type", "features"],
        type={"type": "string", "enum": ["FeatureCollection"]},
        features={"type": "array", "items": ref("schemas", "feature")},
        numberMatched={"type": "integer", "minimum": 0},
        numberReturned={"type": "integer", "minimum": 0},
        timeStamp={"type": "string", "format": "date-time"},
        links=_LINKS,
    ),
    "process": object_of(["id", "version"], id=_TEXT, version=_TEXT, title=_TEXT, description=_TEXT, links=_LINKS),
    "processes": object_of(
        ["processes", "links"], processes={"type": "array", "items": ref("schemas", "process")}, links=_LINKS
    ),
    "job": object_of(["jobID", "status"], jobID=_TEXT, status=_TEXT, type=_TEXT, links=_LINKS),
    "jobs": object_of(["jobs", "links"], jobs={"type": "array", "items": ref("schemas", "job")}, links=_LINKS),
    "style": object_of(
        ["version", "sources", "layers"],
        version={"type": "integer", "enum": [8]},
        sources={"type": "object"},
        layers={"type": "array", "items": object_of(["id", "type"], id=_TEXT, type=_TEXT)},
    ),
    "health": object_of(["status"], status=_TEXT),
    "readiness": object_of(
        ["status"],
        status=_TEXT,
        database_ms={"type": "number"},
        quarantined={"type": "object", "additionalProperties": {"type": "string"}},
    ),
}
_PAGE = {"text/html": {"schema": _TEXT}}


def response_of(description: Text, schema: str, media: Mapping[str, str] = MEDIA, **more: Json) -> Json:
    """A response in each form of a resource; HTML is text, and the others are read by the one schema."""
    forms = {one: {"schema": ref("schemas", schema)} for one in media.values() if one != "text/html"}
    return {"description": description, "content": forms | (_PAGE if "html" in media else {}), **more}


_JSON = {"json": "application/json"}
_RESPONSES: Json = {
    "landing": response_of(Text("Links to all that there is.", "指向全部资源的链接。"), "landing"),
    "conformance": response_of(Text("URIs of conformance classes.", "符合性类的 URI。"), "conformance"),
    "openapi": {
        "description": Text("An OpenAPI document.", "OpenAPI 文档。"),
        "content": {"application/vnd.oai.openapi+json;version=3.0": {"schema": {"type": "object"}}, **_PAGE},
    },
    "functions": response_of(Text("The functions.", "全部函数。"), "functions", _JSON),
    "collections": response_of(Text("The collections.", "全部集合。"), "collections"),
    "collection": response_of(Text("The collection.", "该集合。"), "collection"),
    "jsonSchema": response_of(Text("A JSON Schema.", "JSON Schema。"), "jsonSchema", SCHEMA_MEDIA),
    "style": response_of(
        Text("A MapLibre style, version 8.", "MapLibre 样式(版本 8)。"), "style", {"json": STYLE_MEDIA}
    ),
    "qml": {
        "description": Text("A style as QGIS writes it.", "QGIS 样式文件。"),
        "content": {QML_MEDIA: {"schema": _TEXT}},
    },
    "processes": response_of(Text("The processes.", "全部处理。"), "processes"),
    "process": response_of(Text("The process and its inputs.", "该处理及其参数。"), "process"),
    "jobs": response_of(Text("The jobs.", "全部任务。"), "jobs"),
    "health": response_of(Text("The service is alive.", "服务正在运行。"), "health", _JSON),
    "readiness": response_of(Text("The service can answer.", "服务可以应答。"), "readiness", _JSON),
    "304": {"description": Text("What you have is what there is.", "内容未变。")},
    "created": {
        "description": Text("The feature was created.", "要素已创建。"),
        "headers": {"Location": {"description": Text("Where it is.", "其地址。"), "schema": _TEXT}},
    },
    "changed": {"description": Text("The change was made.", "更改已完成。")},
}
_HEADERS: Json = {
    "Content-Crs": {"description": Text("The CRS of the coordinates.", "坐标所用坐标系。"), "schema": _TEXT},
    "ETag": {"description": Text("Tells this state from all others.", "标识当前状态。"), "schema": _TEXT},
}


def _feature_responses(forms: Mapping[str, str]) -> Json:
    page = response_of(Text("A page of features.", "一页要素。"), "featureCollection", forms, headers=_HEADERS)
    return {
        "features": page,
        "feature": response_of(Text("The feature.", "该要素。"), "feature", forms, headers=_HEADERS),
    }


_QUERY: Json = {
    "application/cql2+json": {"schema": {"oneOf": [{"type": "object"}, {"type": "boolean"}]}},
    "application/cql2+text": {"schema": _TEXT},
    "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
}
_FEATURE: Json = {"application/geo+json": {"schema": ref("schemas", "feature")}}
_ASKED = Text(
    "A filter in CQL2, or the parameters of a GET as a form, where they are too long for an address.",
    "CQL2 过滤条件,或以表单提交的 GET 参数(用于地址过长的情形)。",
)
_BODIES: Json = {
    "query": {"description": _ASKED, "required": True, "content": _QUERY},
    "feature": {"required": True, "content": _FEATURE},
    "featureOrQuery": {"description": _ASKED, "required": True, "content": _FEATURE | _QUERY},
    "patch": {"required": True, "content": {"application/merge-patch+json": {"schema": {"type": "object"}}}},
}


def _errors() -> Json:
    """A browser is told on a page."""
    return {status: response_of(words, "exception") for status, words in _ERRORS.items()}


_ERRORS = {
    "400": Text("Something in the request is wrong; the description says what.", "请求有误,详见 description。"),
    "401": Text("The key of the service is missing.", "缺少本服务的密钥。"),
    "403": Text("This is not the key of the service.", "密钥不正确。"),
    "404": Text("There is no such thing.", "不存在。"),
    "405": Text("This cannot be changed.", "不可修改。"),
    "406": Text("None of the forms that Accept asks for is offered.", "Accept 所要求的格式均不提供。"),
    "410": Text(
        "The page belongs to a release that has been replaced; begin anew.", "该分页所属的版本已被替换,请从头开始。"
    ),
    "409": Text("The feature is in conflict with what there is.", "与现有要素冲突。"),
    "412": Text("Someone else has changed the feature meanwhile.", "该要素已被他人更改。"),
    "413": Text("The body is too large.", "请求体过大。"),
    "415": Text("The body is of another media type.", "请求体的媒体类型不受支持。"),
    "428": Text("The version to be changed must be named in If-Match.", "须用 If-Match 指明要修改的版本。"),
    "500": Text("The service failed.", "服务出错。"),
    "503": Text("The service is busy, or its database is away; try again.", "服务繁忙或数据库不可用,请稍后重试。"),
}
