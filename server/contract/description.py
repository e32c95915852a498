"""The steps before the first feature: landing page, OpenAPI document, collection, classes, queryables, schema, OPTIONS."""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from core.language import Text
from server.contract.client import Answer
from server.contract.findings import finding
from server.contract.geojson import Link, find_link, links, mapping
from server.contract.report import Finding, Found
from server.contract.versions import CRS_CLASS, SCHEMAS_CLASS, SPATIAL_FUNCTIONS, SPATIAL_OPERATORS, has, missing_gate
from server.contract.visit import JSON, SCHEMA_JSON, Queryable, Visit

_OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_OPENAPI_DRAFT = "application/openapi+json;version=3.0"
_OPENAPI_ACCEPT = f"{_OPENAPI}, {_OPENAPI_DRAFT}, {JSON}"
_SCHEMA_RELS = ("http://www.opengis.net/def/rel/ogc/1.0/schema", "[ogc-rel:schema]")
_GEOJSON_SCHEMA = "https://geojson.org/schema/"
_NOT_PROPERTIES = {"crs", "bbox", "bbox-crs", "filter", "filter-lang", "filter-crs", "datetime", "limit"}
_LARGE_API = 5_000_000  # bytes
_FULL_PAGE = 1000  # features that QGIS asks for if it may
_PROBE = "api-key=chengtu-check"


def landing(visit: Visit) -> Iterator[Finding]:
    """The links that everything else hangs on."""
    answer = visit.client.get(visit.client.home, JSON)
    found = links(mapping(answer, Text("a landing page", "首页"), "links"))
    api = find_link(found, "service-desc", _OPENAPI, _OPENAPI_DRAFT)
    data = find_link(found, "data", JSON)
    conformance = find_link(found, "conformance")
    visit.got = Text(f"{len(found)} links", f"{len(found)} 个链接")
    if api is None:
        yield finding("no-service-desc")
    elif api.type not in (_OPENAPI, _OPENAPI_DRAFT):
        yield finding("service-desc-type", type=api.type or "–")
    if data is None:
        yield finding("no-data-link")
    if conformance is None:
        yield finding("no-conformance-link")
    visit.api_url = api.href if api else ""
    visit.data_url = data.href.split("?")[0] if data else ""  # QGIS cuts the query off
    visit.conformance_url = conformance.href if conformance else ""
    yield from _insecure(visit, [one for one in (api, data, conformance) if one])
    yield from _key(visit, found)


def _insecure(visit: Visit, found: Iterable[Link]) -> Iterator[Finding]:
    """Links that leave https."""
    leaving = [one.href for one in found if one.href.startswith("http://")]
    if visit.client.home.startswith("https://") and leaving:
        yield finding("link-insecure", url=leaving[0])


def _key(visit: Visit, found: list[Link]) -> Iterator[Finding]:
    """Whether an address with a query string, such as a key, is understood, and kept on links."""
    query = visit.client.query
    if not query:
        query = _PROBE
        answer = visit.client.get(f"{visit.client.home}?{_PROBE}", JSON)
        if answer.status != 200:
            yield finding("key-refused", status=answer.status)
            return
        found = links(answer.document())
    if not all(query in one.href for one in found if one.rel == "conformance"):
        yield finding("key-not-kept", query=query.split("=")[0] + "=…")


def api(visit: Visit) -> Iterator[Finding]:
    """The size of pages, and the properties that may stand in a query string."""
    answer = visit.client.get(visit.api_url, _OPENAPI_ACCEPT)
    document = mapping(answer, Text("an OpenAPI document", " OpenAPI 文档"))
    default, maximum = _limits(document)
    visit.page_size = _page_size(default, maximum)
    visit.got = Text(f"pages of {visit.page_size} features", f"每页 {visit.page_size} 个要素")
    if default is None and maximum is None:
        yield finding("no-limit-parameter")
    elif visit.page_size < _FULL_PAGE:
        yield finding("small-pages", size=visit.page_size)
    if len(answer.body) > _LARGE_API:
        yield finding("api-large", megabytes=round(len(answer.body) / 1e6, 1))
    if not isinstance(_at(document, "info", "contact", "name"), str):
        yield finding("no-contact")
    visit.openapi = document


def _limits(document: dict[str, Any]) -> tuple[int | None, int | None]:
    schema = _at(document, "components", "parameters", "limit", "schema")
    values = [_at(schema, name) for name in ("default", "maximum")]
    default, maximum = (one if isinstance(one, int) and one > 0 else None for one in values)
    return default, maximum


def _page_size(default: int | None, maximum: int | None) -> int:
    """QGIS's rule, where its user gives no page size."""
    if default is not None and maximum is not None:
        return min(max(_FULL_PAGE, default), maximum)
    if default is not None:
        return max(_FULL_PAGE, default)
    return maximum or 100


def collection(visit: Visit) -> Iterator[Finding]:
    """What the collection says of itself; without a wish, the first of the service's."""
    visit.collection = visit.wanted or _first_collection(visit)
    visit.collection_url = f"{visit.data_url}/{quote(visit.collection)}"
    answer = visit.client.get(visit.collection_url, JSON)
    if answer.status != 200:
        again = visit.client.get(f"{visit.collection_url}/", JSON)
        if again.status == 200:
            visit.collection_url, answer = f"{visit.collection_url}/", again
            yield finding("slash-needed")
    visit.description = mapping(answer, Text("a collection", "集合说明"), "id")
    visit.simple = _simple_queryables(visit.openapi, visit.collection)
    title = str(visit.description.get("title") or visit.collection)
    visit.got = Text(title, title)
    yield from _extent(visit.description)
    yield from _listed_crs(visit.description)
    if not isinstance(visit.description.get("itemCount"), int):
        yield finding("no-item-count")
    if find_link(links(visit.description), "license") is None:
        yield finding("no-licence")


def _first_collection(visit: Visit) -> str:
    answer = visit.client.get(visit.data_url, JSON)
    listed = mapping(answer, Text("a list of collections", "集合列表"), "collections")["collections"]
    named = [one["id"] for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]
    if not named:
        raise Found(finding("no-collections"))
    return str(named[0])


def _simple_queryables(document: dict[str, Any], collection_id: str) -> dict[str, str]:
    """Properties declared as query parameters just so that QGIS takes them for such (qgsoapifapirequest.cpp)."""
    parameters = _at(document, "paths", f"/collections/{collection_id}/items", "get", "parameters")
    simple: dict[str, str] = {}
    for one in parameters if isinstance(parameters, list) else []:
        given = _resolved(document, one)
        wanted = {"in": "query", "style": "form", "explode": False}
        type_ = _at(given, "schema", "type")
        if isinstance(given, dict) and wanted.items() <= given.items() and isinstance(type_, str):
            simple[str(given.get("name"))] = type_
    return {name: type_ for name, type_ in simple.items() if name not in _NOT_PROPERTIES}


def _resolved(document: dict[str, Any], parameter: object) -> Any:  # noqa: ANN401 — any JSON value
    """A parameter, or what its `$ref` names in the same document."""
    ref = _at(parameter, "$ref")
    return _at(document, *ref[2:].split("/")) if isinstance(ref, str) and ref.startswith("#/") else parameter


def _extent(description: dict[str, Any]) -> Iterator[Finding]:
    boxes = _at(description, "extent", "spatial", "bbox")
    first = boxes[0] if isinstance(boxes, list) and boxes else None
    if (
        not isinstance(first, list)
        or len(first) not in (4, 6)
        or not all(isinstance(one, int | float) for one in first)
    ):
        yield finding("no-extent")


def _listed_crs(description: dict[str, Any]) -> Iterator[Finding]:
    listed, storage = listed_crs(description), description.get("storageCrs")
    if listed and "CRS84" not in listed[0]:
        yield finding("crs84-not-first", crs=listed[0])
    if isinstance(storage, str) and listed and storage not in listed:
        yield finding("storage-crs-unlisted", crs=storage)


def listed_crs(description: dict[str, Any]) -> list[str]:
    """The CRSs that a collection lists."""
    listed = description.get("crs")
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def conformance(visit: Visit) -> Iterator[Finding]:
    """The classes, compared letter by letter as QGIS does."""
    answer = visit.client.get(visit.conformance_url, JSON, with_query=False)
    declared = mapping(answer, Text("a conformance declaration", "符合性声明"), "conformsTo")["conformsTo"]
    visit.classes = (
        frozenset(one for one in declared if isinstance(one, str)) if isinstance(declared, list) else frozenset()
    )
    visit.got = Text(f"{len(visit.classes)} classes", f"{len(visit.classes)} 个要求类")
    if CRS_CLASS not in visit.classes:
        yield finding("no-part2")
    missing = missing_gate(visit.classes)
    if len(missing) == 4:
        yield finding("no-cql2", missing=", ".join(missing))
    elif missing:
        yield finding("cql2-gate", missing=", ".join(missing))
    spatial = [one for one in (SPATIAL_FUNCTIONS, SPATIAL_OPERATORS) if has(visit.classes, one)]
    if len(spatial) == 1:
        yield finding("spatial-class-name", declared=f"`{spatial[0].rsplit('/', 1)[1]}`")
    if SCHEMAS_CLASS not in visit.classes:
        yield finding("no-schemas-class")


def queryables(visit: Visit) -> Iterator[Finding]:
    """What may be filtered by. QGIS asks only where CQL2 is declared; we look in any case."""
    used = not missing_gate(visit.classes)
    answer = visit.client.get(f"{visit.collection_url}/queryables", SCHEMA_JSON, with_query=False)
    try:
        given = mapping(answer, Text("a JSON Schema", " JSON Schema"), "properties")["properties"]
    except Found as error:
        reason = Text(error.finding.seen.en.rstrip("."), error.finding.seen.zh.rstrip("。"))
        yield finding("no-queryables" if used else "queryables-absent", reason=reason)
        return
    properties = {name: one for name, one in given.items() if isinstance(one, dict)} if isinstance(given, dict) else {}
    visit.queryables = {name: one for name, one in ((n, _queryable(p)) for n, p in properties.items()) if one}
    visit.got = Text(f"{len(visit.queryables)} properties", f"{len(visit.queryables)} 个属性")
    if not any(one.type for one in visit.queryables.values()):
        yield finding("queryables-empty")
    for name in _unrecognised_geometries(properties):
        yield finding("geometry-not-ref", name=name)


def _queryable(given: dict[str, Any]) -> Queryable | None:
    """A property as QGIS understands it: by its `type`, else by its `$ref` (qgsoapifqueryablesrequest.cpp)."""
    if isinstance(given.get("type"), str):
        return Queryable(given["type"], given["format"] if isinstance(given.get("format"), str) else None, False)
    if "type" not in given and str(given.get("$ref", "")).startswith(_GEOJSON_SCHEMA):
        return Queryable(None, None, True)
    return None


def _unrecognised_geometries(properties: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Properties that say they are geometries, in a way that QGIS does not read."""
    for name, given in properties.items():
        is_geometry = "geometry" in str(given.get("format", "")) or "geojson.org" in str(given.get("$ref", ""))
        known = _queryable(given)
        if is_geometry and not (known and known.is_geometry):
            yield name


def schema(visit: Visit) -> Iterator[Finding]:
    """Fields and geometry type, for the versions that look here."""
    link = next(
        (one for rel in _SCHEMA_RELS if (one := find_link(links(visit.description), rel, SCHEMA_JSON, JSON))), None
    )
    if link is None or link.type not in (SCHEMA_JSON, JSON):
        yield finding("schema-unlinked")
        return
    answer = visit.client.get(link.href, SCHEMA_JSON, with_query=False)
    given = mapping(answer, Text("a JSON Schema", " JSON Schema"), "properties")["properties"]
    properties = {name: one for name, one in given.items() if isinstance(one, dict)} if isinstance(given, dict) else {}
    fields = {name: one for name, one in properties.items() if "type" in one}
    visit.got = Text(f"{len(fields)} fields", f"{len(fields)} 个字段")
    if not fields:
        yield finding("schema-empty")
        return
    missing = sorted({name for one in visit.first for name in one.properties} - set(fields))
    if missing:
        yield finding("schema-fields-missing", fields=", ".join(missing))
    if not any(_is_primary_geometry(one) for one in properties.values()):
        yield finding("schema-no-geometry")
    numbers = [one["x-ogc-propertySeq"] for one in fields.values() if isinstance(one.get("x-ogc-propertySeq"), int)]
    if len(numbers) != len(set(numbers)):
        yield finding("schema-sequence")


def _is_primary_geometry(given: dict[str, Any]) -> bool:
    return given.get("x-ogc-role") == "primary-geometry" and str(given.get("format", "")).startswith("geometry-")


def options(visit: Visit) -> Iterator[Finding]:
    """What may be done with the items, and with one of them."""
    visit.allowed = yield from _allowed(visit, visit.items_url)
    if "POST" in visit.allowed:  # QGIS asks about one item only then
        first = visit.first[0].id if visit.first else None
        visit.allowed_one = yield from _allowed(visit, f"{visit.items_url}/{quote(first or 'unknown_id')}")
    elif visit.first and visit.first[0].id is not None:
        visit.allowed_one = _methods(visit.client.options(f"{visit.items_url}/{quote(visit.first[0].id)}"))
    told = ", ".join(sorted(visit.allowed)) or "–"
    visit.got = Text(f"Allow: {told}", f"Allow:{told}")


def _allowed(visit: Visit, url: str) -> Any:  # noqa: ANN401 — a generator of findings that returns methods
    answer = visit.client.options(url)
    methods = _methods(answer)
    if not methods:
        yield finding("options-refused", url=url, status=answer.status)
    return methods


def _methods(answer: Answer) -> frozenset[str]:
    named = answer.headers.get("allow", "") if answer.status < 300 else ""
    return frozenset(one.strip().upper() for one in named.split(",") if one.strip())


def writes(visit: Visit) -> Iterator[Finding]:
    """What editing would be like, read from OPTIONS: nothing is ever written here."""
    changes = visit.allowed_one & {"PUT", "PATCH", "DELETE"}
    allow = ", ".join(sorted(visit.allowed)) or "–"
    if "POST" not in visit.allowed:
        visit.got = Text("read-only", "只读")
        yield (
            finding("edits-hidden", allow=", ".join(sorted(changes)))
            if changes
            else finding("edits-impossible", allow=allow)
        )
        return
    visit.got = Text("editable", "可编辑")
    missing = [one for one in ("PUT", "DELETE") if one not in visit.allowed_one]
    if missing:
        yield finding("edits-partial", allow=", ".join(sorted(visit.allowed_one)) or "–", missing=", ".join(missing))
    elif "PATCH" not in visit.allowed_one:
        yield finding("no-patch")


def _at(document: object, *keys: str) -> Any:  # noqa: ANN401 — any JSON value
    """What lies at the end of a path of keys; None where the path breaks off."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document
