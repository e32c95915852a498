"""A client's bounding box, in whatever CRS and axis order, as a polygon in the CRS that the data are stored in."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate

from core.crs import (
    BBox,
    Srid,
    UnknownOperation,
    area_of_use,
    geographic_base,
    is_axis_swapped,
    is_geographic,
    is_known_operation,
    keeps_numbers,
    lookup,
    postgis_srid,
    transformer,
)
from core.errors import ChengtuError

_Points = NDArray[np.float64]  # (n, 2), x = east
_Transform = Callable[[_Points, _Points], tuple[_Points, _Points]]

_PLANE_LIMIT = 1e9  # metres: no plane CRS of the Earth reaches further
_METRES, _DEGREES = 0.02, 2e-7  # how far an edge may stray from the true one, each way
_QUARTERS = np.array([0.0, 0.25, 0.5, 0.75])[:, None]
_MARGINS = (0.0, 0.002, 0.01, 0.04)  # of a box's sides: meridians converge by less than a degree within a zone
_SINGLE = 2.0**-22  # twice the relative rounding of a float32
_ROUNDING = 1e-6  # degrees: a client's own transformation may end at 180.0000000003


class BadBbox(ChengtuError):
    """A bounding box that cannot be one."""

    en = "bbox {bbox} is not four (or, with heights, six) finite numbers."
    zh = "bbox {bbox} 应为四个(带高程时六个)有限数值。"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2


class BboxReversed(BadBbox):
    """The lower corner lies above the upper one."""

    en = "bbox {bbox} has its corners reversed: give the lower corner first, in the axis order of its CRS."
    zh = "bbox {bbox} 的角点颠倒:应先给较小的角点,并按其坐标系的轴序书写。"


class BboxOutOfRange(BadBbox):
    """The numbers lie outside what the CRS can express, often because the axes are swapped."""

    en = "bbox {bbox} lies outside its CRS. Mind the axis order: CRS84 is lon,lat; EPSG:4326 and EPSG:4490 are lat,lon."
    zh = "bbox {bbox} 超出其坐标系范围。请注意轴序:CRS84 为经度,纬度;EPSG:4326 和 EPSG:4490 为纬度,经度。"


class Area(NamedTuple):
    """A bounding box in the CRS that data are stored in, x = east."""

    wkb: bytes
    bounds: BBox
    inside: BBox | None  # a box that lies within; what it holds needs no closer look


def bbox_polygon(bbox: Sequence[float], from_srid: Srid, to_srid: Srid) -> bytes | None:
    """A bbox in its CRS's axis order as WKB in `to_srid`; see `bbox_area`."""
    area = bbox_area(bbox, from_srid, to_srid)
    return area.wkb if area else None


def bbox_area(bbox: Sequence[float], from_srid: Srid, to_srid: Srid) -> Area | None:
    """A bbox in its CRS's axis order as an area in `to_srid`, x = east, with edges bent to within some centimetres.

    A geographic bbox with west > east crosses the antimeridian and has two parts (OGC API - Features 1, 7.15.3).
    What the target's projection cannot express is clipped off first; None if nothing is left.
    """
    shape = _stored(bbox, from_srid, to_srid)
    return Area(bytes(shapely.to_wkb(shape)), _bounds(shape), _inside(shape)) if shape is not None else None


def _stored(bbox: Sequence[float], from_srid: Srid, to_srid: Srid) -> shapely.Geometry | None:
    shape = _shape(_box(bbox, from_srid), 1e-9 if is_geographic(from_srid) else 1e-4)
    if _needs_no_change(shape, from_srid, to_srid):
        return shape
    if not is_known_operation(from_srid, to_srid):
        raise UnknownOperation(source=postgis_srid(from_srid), target=to_srid)
    pieces = _within(_in_degrees(shape, from_srid), _domain(to_srid))
    if not pieces:
        return None
    forward = transformer(geographic_base(from_srid), to_srid).transform
    bent = [_bent(piece, forward, _DEGREES if is_geographic(to_srid) else _METRES) for piece in pieces]
    return bent[0] if len(bent) == 1 else shapely.union_all(bent)


def _needs_no_change(shape: shapely.Geometry, from_srid: Srid, to_srid: Srid) -> bool:
    """Whether the target counts in the same numbers: the same plane, or degrees short of the antimeridian."""
    if is_geographic(to_srid):
        return keeps_numbers(from_srid, to_srid) and bool(shape.bounds[2] <= 180.0)
    return postgis_srid(from_srid) == to_srid


def _bounds(shape: shapely.Geometry) -> BBox:
    west, south, east, north = map(float, shape.bounds)
    return west, south, east, north


def _inside(shape: shapely.Geometry) -> BBox | None:
    """A box within a polygon: its bounds less a margin, since bent edges are nearly straight.

    PostGIS compares boxes in single precision, rounded outwards, so the box keeps that far from the edge.
    """
    if shape.geom_type != "Polygon":
        return None
    west, south, east, north = _bounds(shape)
    rounding = max(map(abs, (west, south, east, north))) * _SINGLE
    for margin in _MARGINS:
        across, along = margin * (east - west) + rounding, margin * (north - south) + rounding
        if east - west <= 2 * across or north - south <= 2 * along:
            return None
        box = west + across, south + along, east - across, north - along
        if shape.covers(shapely.box(*box)):
            return box
    return None


def _box(bbox: Sequence[float], srid: Srid) -> BBox:
    """West, south, east, north, checked; east is above 180 where the box crosses the antimeridian."""
    shown = ",".join(f"{value:g}" for value in bbox[:7])
    if len(bbox) not in (4, 6) or not all(map(math.isfinite, bbox)):
        raise BadBbox(bbox=shown)
    half = len(bbox) // 2
    (west, south), (east, north) = bbox[:2], bbox[half : half + 2]
    if is_axis_swapped(srid):
        west, south, east, north = south, west, north, east
    geographic = is_geographic(srid)
    x_limit, y_limit = (180.0, 90.0) if geographic else (_PLANE_LIMIT, _PLANE_LIMIT)
    if max(abs(west), abs(east)) > x_limit + _ROUNDING or max(abs(south), abs(north)) > y_limit + _ROUNDING:
        raise BboxOutOfRange(bbox=shown)
    if south > north or (west > east and not geographic):
        raise BboxReversed(bbox=shown)
    west, east = max(west, -x_limit), min(east, x_limit)
    return west, max(south, -y_limit), east + 360 if west > east else east, min(north, y_limit)


def _shape(box: BBox, thin: float) -> shapely.Geometry:
    """A polygon, or the line or point that a box thinner than 0.1 mm is: GEOS cares for the difference."""
    west, south, east, north = box
    if east - west > thin and north - south > thin:
        return shapely.box(west, south, east, north)
    if east - west <= thin and north - south <= thin:
        return shapely.Point(west, south)
    return shapely.LineString([(west, south), (east, north)])


def _in_degrees(shape: shapely.Geometry, srid: Srid) -> shapely.Geometry:
    """A shape of a plane in longitude and latitude, unbroken across the antimeridian."""
    if is_geographic(srid):
        return shape
    west, _, east, _ = _domain(srid)
    plane_to_degrees = transformer(srid, geographic_base(srid)).transform

    def inverse(x: _Points, y: _Points) -> tuple[_Points, _Points]:
        lon, lat = plane_to_degrees(x, y)
        return lon + 360.0 * (lon < west - 1) - 360.0 * (lon > east + 1), lat

    pieces = _parts(shapely.intersection(shape, _footprint(srid)), shape)
    return shapely.union_all([_bent(piece, inverse, _DEGREES) for piece in pieces])


def _within(shape: shapely.Geometry, domain: BBox) -> list[shapely.Geometry]:
    """What of a shape in degrees lies in a domain, whichever turn of the globe either is counted in."""
    frame = shapely.box(*domain)
    pieces: list[shapely.Geometry] = []
    for turn in (-360.0, 0.0, 360.0):
        turned = translate(shape, xoff=turn)
        pieces += _parts(shapely.intersection(turned, frame), shape)
    return pieces


def _parts(shape: shapely.Geometry, origin: shapely.Geometry) -> list[shapely.Geometry]:
    """The single parts of a clipped shape, without edges and corners that merely touch."""
    dimension = shapely.get_dimensions(origin)
    return [part for part in shapely.get_parts(shape) if part and shapely.get_dimensions(part) == dimension]


def _bent(part: shapely.Geometry, transform: _Transform, tolerance: float) -> shapely.Geometry:
    """A point, line or polygon without holes, transformed."""
    if part.geom_type == "Polygon":
        return shapely.Polygon(_curve(shapely.get_coordinates(part), transform, tolerance))
    points = _curve(shapely.get_coordinates(part), transform, tolerance)
    return shapely.LineString(points) if part.geom_type == "LineString" else shapely.Point(points)


def _curve(points: _Points, transform: _Transform, tolerance: float) -> _Points:
    """Transform a path, with so many points between that chords stay within the tolerance (or 1e-7 of its extent)."""
    image = np.column_stack(transform(*points.T))
    tolerance = max(tolerance, 1e-7 * float(np.ptp(image, axis=0).max()))
    for _ in range(10):  # at most 1024 chords an edge
        steps = points[:-1, None] + _QUARTERS * np.diff(points, axis=0)[:, None]
        between = np.column_stack(transform(*steps.reshape(-1, 2).T)).reshape(steps.shape)
        crooked = _sagitta(between, np.diff(image, axis=0)) > tolerance
        if not crooked.any():
            break
        keep = np.column_stack([np.ones_like(crooked), np.zeros_like(crooked), crooked, np.zeros_like(crooked)])
        points = np.vstack([steps[keep], points[-1:]])
        image = np.vstack([between[keep], image[-1:]])
    return image


def _sagitta(arcs: _Points, chords: _Points) -> _Points:
    """How far each arc, given by its start and points along it, strays from its chord."""
    along = arcs - arcs[:, :1]
    lengths = np.linalg.norm(chords, axis=1)
    across = np.abs(chords[:, None, 0] * along[..., 1] - chords[:, None, 1] * along[..., 0]).max(axis=1)
    return np.where(lengths > 0, across / np.maximum(lengths, 1e-300), np.linalg.norm(along, axis=2).max(axis=1))


@lru_cache(maxsize=256)
def _domain(srid: Srid) -> BBox:
    """West, south, east, north in degrees of where a CRS's numbers are finite and one-to-one."""
    crs = lookup(srid)
    if crs.is_geographic:
        return -180.0, -90.0, 180.0, 90.0
    operation = crs.coordinate_operation
    method = operation.method_name if operation else ""
    if operation and "Transverse Mercator" in method:
        meridian = next(float(p.value) for p in operation.params if p.name == "Longitude of natural origin")
        return meridian - 30.0, -89.9, meridian + 30.0, 89.9
    if "Mercator" in method:
        return -180.0, -85.06, 180.0, 85.06
    west, south, east, north = area_of_use(srid) or (-180.0, -89.9, 180.0, 89.9)
    east += 360.0 if west > east else 0.0
    return west - 15.0, max(south - 15.0, -89.9), east + 15.0, min(north + 15.0, 89.9)


@lru_cache(maxsize=256)
def _footprint(srid: Srid) -> shapely.Geometry:
    """The domain of a plane CRS as a polygon in its own plane."""
    return _bent(shapely.box(*_domain(srid)), transformer(geographic_base(srid), srid).transform, 1.0)
