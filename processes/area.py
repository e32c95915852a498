"""The input `area` that processes share: a polygon or a bounding box in CRS84."""

import math
from typing import Annotated, Any

import shapely
from pydantic import PlainValidator, WithJsonSchema

from core.errors import ChengtuError
from core.geojson import read_geojson
from processes.base import InputProblem

_BBOX = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4, "format": "ogc-bbox"}
_SCHEMA = {
    "oneOf": [
        {
            "type": "object",
            "format": "geojson-geometry",
            "required": ["type", "coordinates"],
            "properties": {"type": {"enum": ["Polygon", "MultiPolygon"]}, "coordinates": {"type": "array"}},
        },
        _BBOX,
        {"type": "object", "required": ["bbox"], "properties": {"bbox": _BBOX}},
    ]
}


def read_area(value: Any) -> shapely.Geometry:  # noqa: ANN401 — what a caller sent
    """A polygon in CRS84 from GeoJSON or [west, south, east, north], bare or as a `value` (OGC 18-062r2, 7.11.2.2)."""
    if isinstance(value, dict) and value.keys() <= {"value", "mediaType"} and "value" in value:
        value = value["value"]
    if isinstance(value, dict) and value.keys() == {"bbox"}:
        value = value["bbox"]
    if isinstance(value, list):
        return _box(value)
    if not isinstance(value, dict) or value.get("type") not in ("Polygon", "MultiPolygon"):
        raise InputProblem(
            "it must be a GeoJSON Polygon or MultiPolygon, or [west, south, east, north]",
            "应为 GeoJSON Polygon 或 MultiPolygon,或 [西, 南, 东, 北]",
        )
    try:
        shape = read_geojson(value)
    except ChengtuError as error:
        raise InputProblem(*(text.rstrip(".。") for text in error.text)) from error
    west, south, east, north = shape.bounds
    _check_degrees(west, south, east, north)
    return shape


def _box(numbers: list[Any]) -> shapely.Geometry:
    if len(numbers) != 4 or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise InputProblem("a bounding box is four finite numbers", "边界框应为四个有限数值")
    west, south, east, north = numbers
    _check_degrees(west, south, east, north)
    if west >= east or south >= north:
        raise InputProblem(
            "give west, south, east, north: west below east, south below north", "应按西、南、东、北给出,且西<东、南<北"
        )
    return shapely.box(west, south, east, north)


def _check_degrees(west: float, south: float, east: float, north: float) -> None:
    if min(west, east) < -180 or max(west, east) > 180 or min(south, north) < -90 or max(south, north) > 90:
        raise InputProblem("it lies outside the globe; give degrees, longitude first", "坐标超出范围;应为度,经度在前")


Area = Annotated[shapely.Geometry, PlainValidator(read_area), WithJsonSchema(_SCHEMA)]
