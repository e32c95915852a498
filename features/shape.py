"""Geometries that clients send, made fit for a data set: its type, its ordinates, x = east, and on its part of the Earth."""

import json
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from core.catalogue import Dataset
from core.crs import (
    CRS84,
    WGS84,
    BBox,
    Srid,
    area_of_use,
    geographic_base,
    is_axis_swapped,
    is_geographic,
    transformer,
    uri,
)
from core.errors import BadRequest, ChengtuError
from core.geojson import BadShape, Demands, read_geojson
from core.language import Text

_DEMANDS = Demands(points=100_000, flat=False)
_MARGIN = 15.0  # degrees beyond its area of use in which a CRS still makes sense
_ROUND_TRIP = 0.001  # metres: where a projection cannot be undone, a position has another that looks the same
_ORDINATES = ("ZM", "Z", "M")
_MEMBERS = ("type", "coordinates", "geometries")

_Points = NDArray[np.float64]


class OffTheMap(BadRequest):
    """A position that the CRS cannot have, often because the axes are swapped."""

    en = (
        "The position {position} is not in {crs}, or far from where EPSG:{srid} is used."
        " Mind the axis order: CRS84 is lon,lat; EPSG:4326 and EPSG:4490 are lat,lon. Content-Crs names another CRS."
    )
    zh = (
        "位置 {position} 不在 {crs} 范围内,或远离 EPSG:{srid} 的适用区域。"
        "请注意轴序:CRS84 为经度,纬度;EPSG:4326 和 EPSG:4490 为纬度,经度。可用 Content-Crs 指定其他坐标系。"
    )


class Shape(NamedTuple):
    """A geometry as it was sent, and as it would be stored; or why it cannot be."""

    geojson: dict[str, Any]
    crs: Srid
    wkb: bytes
    refusal: ChengtuError | None

    def is_as_served(self, served: str | None) -> bool:
        """Whether it is what a client was given, number by number.

        Then what is stored stays as it is: not rounded, whatever GeoJSON cannot say of it, and valid or not.
        """
        sent = {name: self.geojson[name] for name in _MEMBERS if name in self.geojson}
        return served is not None and sent == json.loads(served)


def read_shape(node: object, dataset: Dataset, crs: Srid) -> Shape:
    """A GeoJSON geometry, whose fault is told only once it is known to be a new one."""
    if not isinstance(node, dict):
        raise BadShape(problem=Text("it is no GeoJSON object", "不是 GeoJSON 对象"))
    try:
        return Shape(node, crs, _fit(node, dataset, crs), None)
    except ChengtuError as error:
        return Shape(node, crs, b"", error)


def _fit(node: dict[str, Any], dataset: Dataset, crs: Srid) -> bytes:
    ordinates = next((end for end in _ORDINATES if dataset.geometry_type.endswith(end)), "")
    shape = _of_type(read_geojson(node, _DEMANDS), dataset.geometry_type.removesuffix(ordinates))
    _check_ordinates(shape, ordinates)
    given = shapely.get_coordinates(shape)
    if is_axis_swapped(crs):
        shape = shapely.transform(shape, _swapped, include_z=bool(shape.has_z))
    _check_place(shapely.get_coordinates(shape), given, crs, Srid(dataset.srid))
    return bytes(shapely.to_wkb(shape))


def _of_type(shape: shapely.Geometry, wanted: str) -> shapely.Geometry:
    """A geometry of the data set's type; a single one becomes the only part of a multiple one."""
    if wanted in ("Geometry", shape.geom_type):
        return shape
    if wanted not in _MULTIPLE or wanted != f"Multi{shape.geom_type}":
        raise BadShape(
            problem=Text(f"it is a {shape.geom_type}, not a {wanted}", f"类型为 {shape.geom_type},应为 {wanted}")
        )
    return _MULTIPLE[wanted]([shape])


_MULTIPLE = {
    "MultiPoint": shapely.multipoints,
    "MultiLineString": shapely.multilinestrings,
    "MultiPolygon": shapely.multipolygons,
}


def _check_ordinates(shape: shapely.Geometry, ordinates: str) -> None:
    """Heights are neither made up nor dropped."""
    if "M" in ordinates:
        raise BadShape(
            problem=Text(
                "the data set has measures, which GeoJSON cannot give; leave the geometry as it was read",
                "数据集含有 M 值,GeoJSON 无法表示;请保持读取时的几何不变",
            )
        )
    if ordinates == "Z" and not shape.has_z:
        raise BadShape(
            problem=Text("the data set has heights: give three numbers a position", "数据集含高程,每个位置应有三个数值")
        )
    if not ordinates and shape.has_z:
        raise BadShape(
            problem=Text(
                "the data set has no heights: give two numbers a position", "数据集不含高程,每个位置应有两个数值"
            )
        )


def _swapped(points: _Points) -> _Points:
    return np.column_stack([points[:, 1], points[:, 0], points[:, 2:]])


def _check_place(points: _Points, given: _Points, crs: Srid, storage: Srid) -> None:
    """See that each position (x = east) exists in its CRS, and lies where the data set's CRS is used."""
    x, y = points.T
    degrees = transformer(crs, geographic_base(crs)).transform
    lon, lat = (x, y) if is_geographic(crs) else degrees(x, y)
    sound = np.ones(len(points), bool)
    if not is_geographic(crs):
        east, north = degrees(lon, lat, direction="INVERSE")
        sound &= np.hypot(east - x, north - y) < _ROUND_TRIP  # false for NaN too
    for west, south, east_, north_ in (_reach(crs), _reach(storage)):
        sound &= (lon >= west) & (lon <= east_) & (lat >= south) & (lat <= north_)
    if not sound.all():
        position = ", ".join(f"{number:.10g}" for number in given[np.argmin(sound)])
        raise OffTheMap(position=position, crs=uri(crs), srid=storage)


def _reach(srid: Srid) -> BBox:
    """West, south, east, north in degrees of where a CRS makes sense."""
    west, south, east, north = area_of_use(srid) or (-180.0, -90.0, 180.0, 90.0)
    if srid in (CRS84, WGS84) or west > east:  # across the antimeridian
        west, east = -180.0, 180.0
    return (
        max(west - _MARGIN, -180.0),
        max(south - _MARGIN, -90.0),
        min(east + _MARGIN, 180.0),
        min(north + _MARGIN, 90.0),
    )
