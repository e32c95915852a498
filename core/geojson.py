"""Geometries that callers send, as GeoJSON or well-known text: looked at before GEOS sees them, and valid after."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import shapely

from core.errors import BadRequest
from core.language import Text

MAX_POINTS = 10_000  # vertices of one geometry
_MAX_DEPTH = 32  # collections within collections


class BadShape(BadRequest):
    """A geometry that is none, or none that can be asked with."""

    en = "A geometry in the request cannot be used: {problem}."
    zh = "请求中的几何无法使用:{problem}。"


class TooManyPoints(BadRequest):
    """A geometry with more vertices than a request may bring."""

    en = "A geometry in the request has {count} vertices; at most {limit} are read. Simplify it."
    zh = "请求中的几何有 {count} 个顶点,最多 {limit} 个。请先简化几何。"


class Demands(NamedTuple):
    """What a geometry may be."""

    points: int = MAX_POINTS
    flat: bool = True  # heights are left out


FLAT = Demands()


def read_geojson(node: dict[str, Any], demands: Demands = FLAT, depth: int = 0) -> shapely.Geometry:
    """A geometry as GeoJSON (RFC 7946, 3.1)."""
    kind, coordinates = str(node.get("type")), node.get("coordinates")
    if kind == "GeometryCollection":
        return _collection(node.get("geometries"), demands, depth)
    if kind not in _MAKERS:
        raise BadShape(problem=Text(f"{kind[:40]!r} is no geometry type", f"{kind[:40]!r} 不是几何类型"))
    levels, make = _MAKERS[kind]
    try:
        _check_points(_positions(coordinates, levels), demands)
        return usable(make(coordinates), demands)
    except (TypeError, ValueError, IndexError, OverflowError, shapely.errors.GEOSException):
        raise BadShape(
            problem=Text(f"its coordinates are not those of a {kind}", f"坐标不符合 {kind} 的结构")
        ) from None


def read_wkt(text: str) -> shapely.Geometry:
    """A geometry as well-known text, in two dimensions; the caller has bounded its length and nesting."""
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.GEOSException as error:
        raise BadShape(problem=_same(str(error).removeprefix("ParseException: "))) from None
    return usable(shape)


def usable(shape: shapely.Geometry, demands: Demands = FLAT) -> shapely.Geometry:
    """Return a shape that is finite, small enough and valid, else say what is wrong with it."""
    _check_points(int(shapely.get_num_coordinates(shape)), demands)
    if shape.is_empty:
        raise BadShape(problem=Text("it is empty", "几何为空"))
    heights = bool(shape.has_z) and not demands.flat
    if not all(map(math.isfinite, shapely.get_coordinates(shape, include_z=heights).flat)):
        raise BadShape(problem=Text("its coordinates are not finite numbers", "坐标不是有限数值"))
    if not shape.is_valid:
        raise BadShape(problem=_same(shapely.is_valid_reason(shape)))
    return shapely.force_2d(shape) if demands.flat else shape


_MAKERS: dict[str, tuple[int, Callable[[Any], shapely.Geometry]]] = {  # with the levels of lists above a position
    "Point": (0, shapely.Point),
    "MultiPoint": (1, shapely.MultiPoint),
    "LineString": (1, shapely.LineString),
    "MultiLineString": (2, shapely.MultiLineString),
    "Polygon": (2, lambda rings: shapely.Polygon(rings[0], rings[1:])),
    "MultiPolygon": (3, lambda parts: shapely.MultiPolygon([(rings[0], rings[1:]) for rings in parts])),
}


def _collection(members: object, demands: Demands, depth: int) -> shapely.Geometry:
    if depth >= _MAX_DEPTH or not isinstance(members, list) or not all(isinstance(one, dict) for one in members):
        raise BadShape(problem=Text("its geometries are not a list of geometries", "geometries 不是几何列表"))
    parts = [read_geojson(member, demands, depth + 1) for member in members]
    return usable(shapely.GeometryCollection(parts), demands)


def _positions(coordinates: Any, levels: int) -> int:  # noqa: ANN401 — what a caller sent
    """How many positions a coordinates array holds; one that is built otherwise raises ValueError."""
    if not isinstance(coordinates, list):
        raise ValueError  # noqa: TRY004 — told as one fault among others
    if levels:
        return sum(_positions(part, levels - 1) for part in coordinates)
    if not 2 <= len(coordinates) <= 4 or not all(type(number) in (int, float) for number in coordinates):
        raise ValueError
    return 1


def _check_points(count: int, demands: Demands) -> None:
    if count > demands.points:
        raise TooManyPoints(count=count, limit=demands.points)


def _same(text: str) -> Text:
    return Text(text, text)
