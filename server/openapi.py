"""The API as an OpenAPI 3.0 document: small, whole in itself, and true of each data set."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from importlib import import_module
from itertools import chain
from operator import or_
from typing import Any

from core.catalogue import Dataset, Field
from core.language import Language, Text
from core.settings import ROOT
from features.documents import Json, Site, searchable, value_schema
from features.search import PARAMETERS
from processes.base import Processor
from server import openapi_changes, openapi_codelists, openapi_history, openapi_quality
from server.openapi_parts import QUERY_ERRORS, READING_ERRORS, WRITING_ERRORS, components, ref
from server.openapi_tiles import RESPONSES as TILE_RESPONSES
from server.openapi_tiles import SCHEMAS as TILE_SCHEMAS
from server.openapi_tiles import tile_parameters, tile_paths
from server.service import Metadata, Process, Service

_VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
_SEARCH = [name for name in PARAMETERS if name not in ("f", "lang", "api-key")]

_SERVICE = Text("The service", "服务")
_DATA = Text("The data sets", "数据集")
_TILES = Text("Vector tiles", "矢量瓦片")
_PROCESSES = Text("The processes", "空间处理")
_LANDING = Text("Where everything is found", "服务首页")
_DEFINITION = Text("This document", "本文档")
_CONFORMANCE = Text("The standards that the service keeps", "服务遵循的标准")
_FUNCTIONS = Text("What filters may call", "过滤条件可用的函数")
_COLLECTIONS = Text("All data sets", "全部数据集")
_COLLECTION = Text("A data set", "一个数据集")
_QUERYABLES = Text("What features can be searched by", "可查询字段")
_SCHEMA = Text("The attributes of the features", "要素的属性结构")
_STYLE = Text("How the features are drawn (MapLibre style)", "绘制样式(MapLibre)")
_CITY_STYLE = Text("How the data sets are drawn over each other (MapLibre style)", "全部数据集的叠加样式(MapLibre)")
_ITEMS = Text("Features: {title}", "要素:{title}")
_ITEM = Text("One feature", "单个要素")
_QUERY = Text("Search features", "检索要素")
_CREATE = Text("Create a feature, or search", "新建或检索要素")
_REPLACE = Text("Replace a feature", "替换要素")
_UPDATE = Text("Change a feature", "修改要素")
_DELETE = Text("Delete a feature", "删除要素")
_LIST = Text("All processes", "全部处理")
_DESCRIBE = Text("A process and its inputs", "处理及其参数")
_EXECUTE = Text("Run: {title}", "执行:{title}")
_JOBS = Text("Jobs: none, since processes answer at once", "任务(处理立即返回结果,故无任务)")
_ALIVE = Text("Whether this process is alive", "服务进程是否存活")
_READY = Text("Whether the service can answer", "服务是否可以应答")

_STYLING = ("theme", "lang")
_STYLE_ERRORS = ("304", "400", "404", "500", "503")


def openapi(datasets: Iterable[Dataset], service: Service, site: Site, matrix_sets: Iterable[str]) -> Json:
    """The document for the data sets of the catalogue, whose tiles come in some tile matrix sets."""
    datasets, say = [*datasets], site.language
    collections = [one.id for one in datasets]
    attributes = _Attributes(datasets)
    kept = any(one.history for one in datasets)
    more = _more(matrix_sets, kept=kept)
    parts = components(collections, service.resources, service.server.limits, site, more)
    parts["parameters"] |= attributes.shared
    if any(one.editable for one in datasets):
        parts["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}
    return {
        "openapi": "3.0.3",
        "info": _info(service.metadata, say),
        "servers": [{"url": site.base, "description": service.metadata.identification.title.text.in_(say)}],
        "tags": [
            {"name": "service", "description": _SERVICE.in_(say)},
            {"name": "data", "description": _DATA.in_(say)},
            {"name": "tiles", "description": _TILES.in_(say)},
            *({"name": one.id, "description": one.title.in_(say)} for one in datasets),
            {"name": "processes", "description": _PROCESSES.in_(say)},
        ],
        "paths": {
            **_service_paths(say),
            **(_shared_collection_paths(say) if collections else {}),
            **tile_paths(say, collections=bool(collections)),
            **openapi_changes.change_paths(say, collections=bool(collections)),
            **openapi_quality.quality_paths(say, (one.id for one in datasets if one.judged)),
            **openapi_history.history_paths(say, kept=kept),
            **openapi_codelists.codelist_paths(say, collections=bool(collections)),
            **{path: item for one in datasets for path, item in _collection_paths(one, attributes, say).items()},
            **_process_paths(service, say),
        },
        "components": parts,
    }


def _more(matrix_sets: Iterable[str], *, kept: bool) -> Json:
    """The components of the parts that have a module of their own; those of history where a data set has one."""
    parts = [openapi_changes, openapi_quality, openapi_codelists, *([openapi_history] if kept else [])]
    return {
        "parameters": reduce(or_, (one.PARAMETERS for one in parts), tile_parameters(matrix_sets)),
        "schemas": reduce(or_, (one.SCHEMAS for one in parts), TILE_SCHEMAS),
        "responses": reduce(or_, (one.RESPONSES for one in parts), TILE_RESPONSES),
    }


class _Attributes:
    """The query parameters that ask for a value of an attribute; one that many data sets have is written once.

    QGIS pushes an equality down by what this says: `in`, `style`, `explode` and the type of the schema.
    """

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self._of = {
            one.id: [_signature(field) for field in searchable(one) if field.name not in PARAMETERS] for one in datasets
        }
        often = (pair for pair, times in Counter(chain(*self._of.values())).items() if times > 1)
        self._names = {pair: f"a{number}" for number, pair in enumerate(often, start=1)}
        self._refs = {pair: ref("parameters", name) for pair, name in self._names.items()}

    @property
    def shared(self) -> Json:
        """Those that stand among the components."""
        return {name: _equality(*pair) for pair, name in self._names.items()}

    def of(self, id_: str) -> list[Json]:
        """Those of one data set."""
        return [self._refs.get(pair) or _equality(*pair) for pair in self._of[id_]]


def _signature(field: Field) -> tuple[str, str, str | None]:
    schema = value_schema(field.type)
    return field.name, schema["type"], schema.get("format")


def _equality(name: str, type_: str, format_: str | None) -> Json:
    schema = {"type": type_, "format": format_} if format_ else {"type": type_}
    return {"name": name, "in": "query", "style": "form", "explode": False, "schema": schema}


def _info(metadata: Metadata, say: Language) -> Json:
    about, contact = metadata.identification, metadata.contact
    reach = {"name": contact.name, "url": contact.url or metadata.provider.url, "email": contact.email}
    info: Json = {
        "title": about.title.text.in_(say),
        "description": about.description.text.in_(say),
        "version": _VERSION,
        "contact": {name: value for name, value in reach.items() if value},
        "license": {name: value for name, value in metadata.license.model_dump().items() if value},
    }
    return info | ({"termsOfService": about.terms_of_service} if about.terms_of_service else {})


def _get(
    operation: str, tag: str, summary: str, response: str, *parameters: str, errors: Sequence[str] = READING_ERRORS
) -> Json:
    return {
        "operationId": operation,
        "tags": [tag],
        "summary": summary,
        "parameters": [ref("parameters", name) for name in parameters],
        "responses": {"200": ref("responses", response), **_errors(errors)},
    }


def _errors(statuses: Sequence[str]) -> Json:
    return {status: ref("responses", status) for status in statuses}


def _service_paths(say: Language) -> Json:
    document, here = ("f", "lang"), ("400", "406", "500")
    health: Json = {"operationId": "getHealth", "tags": ["service"], "summary": _ALIVE.in_(say)}
    ready: Json = {"operationId": "getReadiness", "tags": ["service"], "summary": _READY.in_(say)}
    return {
        "/": {"get": _get("getLandingPage", "service", _LANDING.in_(say), "landing", *document, errors=here)},
        "/openapi": {"get": _get("getApi", "service", _DEFINITION.in_(say), "openapi", *document, errors=here)},
        "/conformance": {
            "get": _get("getConformance", "service", _CONFORMANCE.in_(say), "conformance", *document, errors=here)
        },
        "/functions": {
            "get": _get("getFunctions", "service", _FUNCTIONS.in_(say), "functions", "fJson", "lang", errors=here)
        },
        "/style.json": {
            "get": _get(
                "getStyle", "service", _CITY_STYLE.in_(say), "style", "collections", *_STYLING, errors=_STYLE_ERRORS
            )
        },
        "/healthz": {"get": health | {"responses": {"200": ref("responses", "health")}}},
        "/readyz": {"get": ready | {"responses": {"200": ref("responses", "readiness"), **_errors(["503"])}}},
    }


def _shared_collection_paths(say: Language) -> Json:
    """What is the same for every data set stands here once: a document that says all of it for each is slow to read."""
    here = "/collections/{collectionId}"
    document, schema = ("collectionId", "f", "lang"), ("collectionId", "fSchema", "lang")
    return {
        "/collections": {
            "get": _get(
                "getCollections",
                "data",
                _COLLECTIONS.in_(say),
                "collections",
                *document[1:],
                errors=("400", "406", "500", "503"),
            )
        },
        here: {"get": _get("getCollection", "data", _COLLECTION.in_(say), "collection", *document)},
        f"{here}/queryables": {"get": _get("getQueryables", "data", _QUERYABLES.in_(say), "jsonSchema", *document)},
        f"{here}/schema": {"get": _get("getSchema", "data", _SCHEMA.in_(say), "jsonSchema", *schema)},
        f"{here}/style.json": {
            "get": _get(
                "getCollectionStyle",
                "data",
                _STYLE.in_(say),
                "style",
                "collectionId",
                *_STYLING,
                errors=_STYLE_ERRORS,
            )
        },
    }


def _collection_paths(dataset: Dataset, attributes: _Attributes, say: Language) -> Json:
    id_, reading = dataset.id, ("304", *READING_ERRORS)
    items = _get(
        f"{id_}.getFeatures",
        id_,
        _ITEMS.in_(say).format(title=dataset.title.in_(say)),
        "features",
        *_SEARCH,
        "fItems",
        "lang",
        errors=(*reading, "410"),
    )
    items["parameters"] += attributes.of(id_)
    of_one = ("crs", *(("datetime",) if dataset.history else ()), "fItems", "lang")
    item = _get(f"{id_}.getFeature", id_, _ITEM.in_(say), "feature", *of_one, errors=reading)
    paths: Json = {
        f"/collections/{id_}/items": {"get": items, "post": _post(dataset, say)},
        f"/collections/{id_}/items/{{featureId}}": {"parameters": [_key(dataset)], "get": item},
    }
    if dataset.editable:
        paths[f"/collections/{id_}/items/{{featureId}}"] |= {
            "put": _write(dataset, "replaceFeature", _REPLACE, say, "feature"),
            "patch": _write(dataset, "updateFeature", _UPDATE, say, "patch"),
            "delete": _write(dataset, "deleteFeature", _DELETE, say),
        }
    return paths


def _key(dataset: Dataset) -> Json:
    schema = {"type": value_schema(dataset.key_type)["type"]}
    return {"name": "featureId", "in": "path", "required": True, "schema": schema}


def _post(dataset: Dataset, say: Language) -> Json:
    """A query whose parameters are too long for an address; and where features may be created, a new one."""
    operation: Json = {
        "operationId": f"{dataset.id}.queryFeatures",
        "tags": [dataset.id],
        "summary": _QUERY.in_(say),
        "requestBody": ref("requestBodies", "query"),
        "responses": {"200": ref("responses", "features"), **_errors(QUERY_ERRORS)},
    }
    if dataset.editable:
        operation["summary"] = _CREATE.in_(say)
        operation["requestBody"] = ref("requestBodies", "featureOrQuery")
        operation["responses"] |= {"201": ref("responses", "created"), **_errors(WRITING_ERRORS)}
        operation["security"] = [{}, {"key": []}]  # a query needs none
    return operation


def _write(dataset: Dataset, name: str, summary: Text, say: Language, body: str | None = None) -> Json:
    operation: Json = {
        "operationId": f"{dataset.id}.{name}",
        "tags": [dataset.id],
        "summary": summary.in_(say),
        "responses": {"204": ref("responses", "changed"), **_errors(WRITING_ERRORS)},
        "security": [{"key": []}],
    }
    return operation | ({"requestBody": ref("requestBodies", body)} if body else {})


def _process_paths(service: Service, say: Language) -> Json:
    listed = ("limitList", "f", "lang")
    paths: Json = {
        "/processes": {
            "get": _get("getProcesses", "processes", _LIST.in_(say), "processes", *listed, errors=("400", "500"))
        },
        "/jobs": {
            "get": _get(
                "getJobs",
                "processes",
                _JOBS.in_(say),
                "jobs",
                "limitList",
                "offsetList",
                *listed[1:],
                errors=("400", "500"),
            )
        },
    }
    if service.resources:
        described = _get("getProcess", "processes", _DESCRIBE.in_(say), "process", "processId", "f", "lang")
        paths["/processes/{processId}"] = {"get": described}
    for id_, process in service.resources.items():
        paths[f"/processes/{id_}/execution"] = {"post": _execution(id_, process, say)}
    return paths


def _execution(id_: str, process: Process, say: Language) -> Json:
    described = _described(process.processor.name)
    title = described.get("title", {}).get(say, id_)
    return {
        "operationId": f"{id_}.execute",
        "tags": ["processes"],
        "summary": _EXECUTE.in_(say).format(title=title),
        "description": described.get("description", {}).get(say, title),
        "requestBody": {"required": True, "content": {"application/json": _request(described, say)}},
        "responses": {
            "200": _result(process.processor.name, described, title),
            **_errors(("400", "413", "500", "503")),
        },
    }


def _described(name: str) -> Json:
    """What a process says of itself, where it is made like ours."""
    processor = _class(name)
    return processor.metadata_of() if issubclass(processor, Processor) else {}


def _class(name: str) -> Any:  # noqa: ANN401 — the host's class may be any
    module, _, class_ = name.rpartition(".")
    return getattr(import_module(module), class_)


def _request(described: Json, say: Language) -> Json:
    inputs = described.get("inputs", {})
    properties = {
        name: _in_3_0(one["schema"]) | {"title": one["title"][say], "description": one["description"][say]}
        for name, one in inputs.items()
    }
    required = [name for name, one in inputs.items() if one["minOccurs"]]
    given: Json = {"type": "object", "properties": properties, "additionalProperties": not inputs}
    schema: Json = {
        "type": "object",
        "properties": {
            "inputs": given | ({"required": required} if required else {}),
            "outputs": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "string"}}]},
            "response": {"type": "string", "enum": ["raw", "document"], "default": "raw"},
        },
    }
    content: Json = {"schema": schema | ({"required": ["inputs"]} if required else {})}
    return content | ({"example": described["example"]} if "example" in described else {})


def _result(name: str, described: Json, title: str) -> Json:
    """The one output by itself, or by its name in a document."""
    media = getattr(_class(name), "media_type", "application/json")
    schemas = [
        {key: value for key, value in _in_3_0(one.get("schema", {})).items() if not key.startswith("content")}
        for one in described.get("outputs", {}).values()
    ]
    raw = schemas[0] if schemas and media != "application/json" else {}
    return {
        "description": title,
        "content": {media: {"schema": raw}, "application/json": {"schema": {"type": "object"}}},
    }


def _in_3_0(schema: Json) -> Json:
    """A JSON Schema in the dialect of OpenAPI 3.0."""
    told: Json = {}
    for name, value in schema.items():
        match name, value:
            case "const", _:
                told["enum"] = [value]
            case (("exclusiveMinimum" | "exclusiveMaximum"), int() | float()):
                told |= {name: True, name.replace("exclusiveM", "m"): value}
            case (("properties"), dict()):
                told[name] = {key: _in_3_0(one) for key, one in value.items()}
            case (("items" | "not" | "additionalProperties"), dict()):
                told[name] = _in_3_0(value)
            case (("oneOf" | "anyOf" | "allOf"), list()):
                told[name] = [_in_3_0(one) for one in value]
            case _:
                told[name] = value
    if told.get("type") == "array":
        told.setdefault("items", {})
    return told
