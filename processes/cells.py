"""Fills the cells of a grid with the features of a data set: counted, and measured in one plane, by one statement."""

from typing import NamedTuple

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import DictRow

from core.catalogue import Dataset, get_dataset
from core.crs import CRS84, Srid, uri
from core.database import Connection, one_line, query
from core.errors import BadRequest, ChengtuError, DatasetQuarantined, NoSuchDataset
from core.language import spoken
from core.shapes import project, reach_of
from features.filters import Node, column, to_sql
from features.filters.errors import FilterNotComputable
from grids import h3, square
from grids.cells import Cells, plane_of
from processes.base import JsonObject

_PIECE = 128  # vertices: what has more is cut up before it meets the cells
_LEAST = 1e-4  # metres, square metres: less than that in a cell is the rounding of coordinates, and not counted
_A_HAIR, _A_STEP = 1e-9, 1e-6  # degrees: a tenth of a millimetre, and a decimetre
_DIGITS = 6  # decimals of the metres and square metres given out
_DIMENSIONS = {"point": [0], "line": [1], "curve": [1], "polygon": [2], "surface": [2]}


class AreaTooFar(BadRequest):
    """An area that the plane of the data set's grid cannot show."""

    en = "The area reaches too far from the data set to be measured in EPSG:{srid}. Ask for a smaller area."
    zh = "该范围离数据集过远,无法在 EPSG:{srid} 中量算。请缩小范围。"


class NoSuchCollection(BadRequest):
    """An id that is none of the catalogue's."""

    en = "There is no data set {id}. The ids are those under /collections."
    zh = "没有数据集 {id}。可用编号见 /collections。"


class ShapesNotComputable(ChengtuError):
    """PostGIS gave up on a geometry of the data set."""

    en = "PostGIS could not compute with a geometry of {dataset}: {reason}. `chengtu doctor` names what is broken."
    zh = "PostGIS 无法处理数据集 {dataset} 中的几何:{reason}。可运行 `chengtu doctor` 检查。"


class Wish(NamedTuple):
    """What to fill the cells with, and what cells: squares if they have a size, else H3."""

    filter: Node | None = None
    area: shapely.Geometry | None = None  # in CRS84
    size: int | None = 1000
    resolution: int = 8
    empty: bool = False
    limit: int = 10_000


class Frame(NamedTuple):
    """The cells to fill, and the part of each that was asked for."""

    cells: Cells  # their shapes and lost edges cut at the area, if one was given
    wholes: NDArray[np.bool_]  # whether the part is all of a rectangular cell
    asked: NDArray[np.bool_]  # whether the cell, and not only its edge, lies in what was asked for
    plane: Srid
    bucket: float  # metres: the width of a cell
    reach: bytes | None  # WKB in the CRS of the data set: where features may matter; None is everywhere


def hold(connection: Connection, id_: str) -> Dataset:
    """A data set that stays as it is until the connection's transaction ends."""
    try:
        dataset = get_dataset(connection, id_)
        if dataset.healthy:
            connection.execute(query("cells_lock").format(table=sql.Identifier("data", dataset.id)))
            dataset = get_dataset(connection, id_)  # a release may have come in just before the lock
    except NoSuchDataset:
        raise NoSuchCollection(id=id_) from None
    if dataset.problem is not None:
        raise DatasetQuarantined(id=id_, reason=dataset.problem.in_(spoken.get()))
    return dataset


def fill(connection: Connection, dataset: Dataset, wish: Wish) -> JsonObject:
    """The filled cells as GeoJSON in CRS84, in the order of the grid."""
    frame = _frame(dataset, wish)
    rows = _measure(connection, dataset, frame, wish.filter) if frame and frame.cells.ids else {}
    kinds = _dimensions(dataset)
    measures = [name for dimension, name in ((2, "area_m2"), (1, "length_m")) if dimension in kinds]
    features = _features(frame, rows, measures, wish.empty) if frame else []
    grid: JsonObject = {"type": "h3", "resolution": wish.resolution}
    if wish.size is not None:
        grid = {"type": "square", "size": wish.size}
    return {
        "type": "FeatureCollection",
        "dataset": dataset.id,
        "release": dataset.release,
        "grid": grid | {"crs": uri(frame.plane) if frame else None},
        "totals": {"cells": len(features), **_values(rows.get(None), measures)},
        "features": features,
    }


def _frame(dataset: Dataset, wish: Wish) -> Frame | None:
    """The cells that may hold something; None where there is neither a feature nor an area."""
    extent = _widened(dataset.extent, _A_HAIR) if dataset.extent else wish.area
    if extent is None:
        return None
    middle = extent.centroid
    plane = plane_of(Srid(dataset.srid), middle.x, middle.y)
    where = _where(wish, extent, plane)
    if wish.size is not None:
        cells, bucket = square.cover(where, plane, wish.size, wish.limit), float(wish.size)
    else:
        cells = h3.cover(where, plane, wish.resolution, wish.limit)
        west, _, east, _ = shapely.bounds(cells.shapes).T
        bucket = float((east - west).max(initial=1.0))
    if wish.area is None:
        asked = shapely.area(shapely.intersection(cells.shapes, project(extent, CRS84, plane))) > 0
        return Frame(cells, np.full(len(cells.ids), wish.size is not None), asked, plane, bucket, None)
    cut, wholes = _cut(cells, project(wish.area, CRS84, plane))
    reach = project(_widened(where.bounds, _A_STEP), CRS84, Srid(dataset.srid))
    asked = shapely.area(cut.shapes) > 0
    return Frame(cut, wholes & (wish.size is not None), asked, plane, bucket, shapely.to_wkb(reach))


def _where(wish: Wish, extent: shapely.Geometry, plane: Srid) -> shapely.Geometry:
    """The area to cover with cells, in CRS84: not more than the features need, unless empty cells are wanted too."""
    if wish.area is not None and wish.empty:
        if not reach_of(plane).contains(wish.area):
            raise AreaTooFar(srid=plane)
        return wish.area
    west, south, east, north = extent.bounds
    # An edge that is straight in the data's plane may bulge over the box around its ends, by its length squared.
    around = _widened(extent.bounds, _A_STEP + 0.01 * ((east - west) ** 2 + (north - south) ** 2))
    return around if wish.area is None else shapely.intersection(wish.area, around)


def _widened(bounds: tuple[float, float, float, float], margin: float) -> shapely.Geometry:
    west, south, east, north = bounds
    return shapely.box(west - margin, south - margin, east + margin, north + margin)


def _cut(cells: Cells, area: shapely.Geometry) -> tuple[Cells, NDArray[np.bool_]]:
    """Cells and their lost edges cut at the edge of an area in their plane, and which of them are still whole."""
    shapely.prepare(area)
    wholes: NDArray[np.bool_] = shapely.covers(area, cells.shapes)
    shapes, lost = cells.shapes.copy(), cells.lost.copy()
    shapes[~wholes] = shapely.intersection(shapes[~wholes], area)
    lost[~wholes] = shapely.intersection(lost[~wholes], area)
    return cells._replace(shapes=shapes, lost=lost), wholes


def _measure(connection: Connection, dataset: Dataset, frame: Frame, filter_: Node | None) -> dict[int | None, DictRow]:
    """The counts and measures by the place of the cell; under None those of all cells together."""
    condition, parameters = to_sql(filter_, dataset) if filter_ else (sql.SQL("true"), {})
    statement = query("cells_of_dataset").format(
        table=sql.Identifier("data", dataset.id),
        key=column(dataset.key),
        stored=sql.Literal(dataset.srid),
        condition=condition,
    )
    given = _as_arrays(frame) | {
        "plane": frame.plane,
        "reach": frame.reach,
        "dimensions": _dimensions(dataset),
        "vertices": _PIECE,
        "least": _LEAST,
    }
    try:
        return {row["number"]: row for row in connection.execute(statement, given | parameters)}
    except psycopg.DataError as error:
        raise FilterNotComputable(reason=one_line(error)) from error
    except psycopg.errors.InternalError_ as error:
        raise ShapesNotComputable(dataset=dataset.id, reason=one_line(error)) from error


def _as_arrays(frame: Frame) -> dict[str, object]:
    """The cells' parts and their buckets: every square of the bucket grid that a part's box touches."""
    parts, owners = shapely.get_parts(frame.cells.shapes, return_index=True)  # PostGIS overlays no mixed collections
    bounds = shapely.bounds(parts)
    low, high = np.floor(bounds / frame.bucket).astype(int)[:, :2], np.floor(bounds / frame.bucket).astype(int)[:, 2:]
    buckets = [
        (n + 1, x, y)
        for n, ((west, south), (east, north)) in enumerate(zip(low.tolist(), high.tolist(), strict=True))
        for x in range(west, east + 1)
        for y in range(south, north + 1)
    ]
    names = ("west", "south", "east", "north")
    return {
        "numbers": owners.tolist(),
        "parts": list(shapely.to_wkb(parts)),
        "losts": list(shapely.to_wkb(frame.cells.lost[owners])),
        "wholes": frame.wholes[owners].tolist(),
        **{f"{name}s": column.tolist() for name, column in zip(names, bounds.T, strict=True)},
        **dict(zip(names, shapely.total_bounds(parts).tolist(), strict=True)),
        **dict(zip(("bucket_cell", "bucket_x", "bucket_y"), map(list, zip(*buckets, strict=True)), strict=True)),
        "bucket": frame.bucket,
    }


def _dimensions(dataset: Dataset) -> list[int]:
    """0 for points, 1 for lines, 2 for polygons, whichever the data set may hold."""
    type_ = dataset.geometry_type.lower()
    return next((found for word, found in _DIMENSIONS.items() if word in type_), [0, 1, 2])


def _features(frame: Frame, rows: dict[int | None, DictRow], measures: list[str], empty: bool) -> list[JsonObject]:
    """The cells that hold something, or all if the empty ones are wanted."""
    coordinates, owners = shapely.get_coordinates(frame.cells.outlines, return_index=True)
    rings = np.split(coordinates.round(8), np.flatnonzero(np.diff(owners)) + 1)  # 8 decimals: a millimetre
    found = []
    for n, id_ in enumerate(frame.cells.ids):
        values = _values(rows.get(n), measures)
        if values["count"] or (empty and frame.asked[n]):
            polygon = {"type": "Polygon", "coordinates": [rings[n].tolist()]}
            properties = {"cell": id_, **values}
            found.append({"type": "Feature", "id": id_, "geometry": polygon, "properties": properties})
    return found


def _values(row: DictRow | None, measures: list[str]) -> dict[str, float]:
    """The count and the measures of a row; nothing is there where no row is."""
    if row is None:
        return {"count": 0} | dict.fromkeys(measures, 0.0)
    return {"count": row["count"]} | {name: round(row[name], _DIGITS) for name in measures}
