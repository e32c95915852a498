"""Features that clients send: GeoJSON bodies and merge patches, read strictly into what will be written."""

import json
from typing import Any, NamedTuple, Never

from core.crs import CRS84, Srid
from core.errors import BadRequest
from core.language import Text
from features.shape import Shape, read_shape
from features.table import Table
from features.values import Value, as_stored

_DIGITS = 25  # an integer of more is no key and no count


class NotJson(BadRequest):
    """A body that is not JSON."""

    en = "The body is not JSON: {problem}."
    zh = "请求体不是 JSON:{problem}。"


class NotAFeature(BadRequest):
    """JSON that is not a feature."""

    en = "The body is not a GeoJSON Feature: {problem}."
    zh = "请求体不是 GeoJSON Feature:{problem}。"


class OneByOne(BadRequest):
    """A collection of features where one is wanted."""

    en = "A FeatureCollection cannot be created at once. Post its features one by one, or load a file with `chengtu load`."
    zh = "不能一次创建 FeatureCollection。请逐个提交要素,或用 `chengtu load` 加载文件。"
    status = 422


class UnknownProperties(BadRequest):
    """Properties that the data set does not have."""

    en = "{dataset} has no property {names}. It has: {known}."
    zh = "{dataset} 没有属性 {names}。可用属性:{known}。"


class KeyFixed(BadRequest):
    """A change of what names a feature."""

    en = "The feature {id!r} keeps its key: {given!r} is another. Create a new feature, and delete this one."
    zh = "要素 {id!r} 的主键不可更改:{given!r} 与之不符。请新建要素并删除本要素。"
    status = 409


class Received(NamedTuple):
    """What a client sent of a feature: only what was there."""

    values: dict[str, Value]
    crs: Srid = CRS84
    has_geometry: bool = False
    shape: Shape | None = None


def is_geojson(body: bytes) -> bool:
    """Whether a body is about features, and not a filter."""
    try:
        found = read_json(body)
    except NotJson:
        return False
    return isinstance(found, dict) and found.get("type") in ("Feature", "FeatureCollection")


def read_feature(body: bytes, table: Table, crs: Srid, identifier: str | None = None) -> Received:
    """A whole feature: one to be created, or the new state of the one with an identifier."""
    feature = _object(read_json(body))
    if feature.get("type") == "FeatureCollection" and identifier is None:
        raise OneByOne
    if feature.get("type") != "Feature":
        raise NotAFeature(problem=Text('its type is not "Feature"', "type 不是 Feature"))
    for name in ("properties", "geometry"):
        if name not in feature:
            raise NotAFeature(problem=Text(f"it has no {name!r} (which may be null)", f"缺少 {name!r}(可为 null)"))
    return _received(feature, table, crs, identifier)


def read_patch(body: bytes, table: Table, crs: Srid, identifier: str) -> Received:
    """What shall change of a feature (RFC 7386); its geometry is given as a whole."""
    patch = _object(read_json(body))
    if patch.get("type", "Feature") != "Feature":
        raise NotAFeature(problem=Text('its type is not "Feature"', "type 不是 Feature"))
    if "properties" in patch and patch["properties"] is None:
        patch["properties"] = {name: None for name, _ in table.dataset.fields if name != table.dataset.key}
    return _received(patch, table, crs, identifier)


def _received(feature: dict[str, Any], table: Table, crs: Srid, identifier: str | None) -> Received:
    given = feature.get("id")
    if identifier is not None and given is not None and str(given) != identifier:
        raise KeyFixed(id=identifier[:40], given=str(given)[:40])
    node = feature.get("geometry")
    if node is None and feature.get("place") is not None:
        raise NotAFeature(
            problem=Text(
                "its place is that of JSON-FG; give a geometry, and its CRS by Content-Crs",
                "place 属于 JSON-FG;请给出 geometry,并以 Content-Crs 指定坐标系",
            )
        )
    return Received(
        values=_values(feature.get("properties") or {}, table),
        crs=crs,
        has_geometry="geometry" in feature,
        shape=read_shape(node, table.dataset, crs) if node is not None else None,
    )


def _values(properties: object, table: Table) -> dict[str, Value]:
    if not isinstance(properties, dict):
        raise NotAFeature(problem=Text("its properties are no object", "properties 不是对象"))
    types = dict(table.dataset.fields)
    kept = table.dataset.attributes[len(types) :]  # by the service itself: what clients send back of it is passed over
    properties = {name: value for name, value in properties.items() if name not in dict(kept)}
    if unknown := [name for name in properties if name not in types]:
        names = ", ".join(repr(name[:60]) for name in unknown[:5])
        raise UnknownProperties(dataset=table.dataset.id, names=names, known=", ".join(types))
    return {name: as_stored(name, value, types[name]) for name, value in properties.items()}


def _object(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise NotAFeature(problem=Text("it is no JSON object", "不是 JSON 对象"))
    return found


def read_json(body: bytes) -> Any:  # noqa: ANN401 — any JSON value
    """A JSON text (RFC 8259), without what Python would add to it."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_members, parse_constant=_no_constant, parse_int=_integer)
    except UnicodeDecodeError:
        raise NotJson(problem=Text("it is not UTF-8", "不是 UTF-8 编码")) from None
    except RecursionError:
        raise NotJson(problem=Text("it is nested too deeply", "嵌套层次过深")) from None
    except ValueError as error:
        raise NotJson(problem=Text(str(error)[:200], str(error)[:200])) from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson(problem=Text("an object names a member twice", "对象中有重复的成员"))
    return found


def _no_constant(name: str) -> Never:
    raise NotJson(problem=Text(f"{name} is no JSON number", f"{name} 不是 JSON 数值"))


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _DIGITS else float(text)
