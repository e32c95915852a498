"""Fills the cells of a grid with the features of a data set: counted, and measured in one plane, by one statement."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import DictRow

from core.catalogue import Dataset
from core.crs import CRS84, Srid, UnknownOperation, is_known_operation, uri
from core.database import Connection, Pool, one_line, query
from core.errors import BadRequest, ChengtuError, DatabaseBusy
from core.shapes import project, reach_of
from features.filters import Node, column, to_sql
from features.filters.errors import FilterNotComputable
from grids import h3, square
from grids.cells import Cells, Shapes, plane_of
from processes.base import JsonObject, find, hold

Places = NDArray[np.int_]
Rows = dict[int | None, DictRow]  # by the place of the cell; under None those of all cells together

_PIECE = 128  # vertices: what has more is cut up before it meets the cells
_LEAST = 1e-4  # metres, square metres: less than that in a cell is the rounding of coordinates, and not counted
_A_HAIR, _A_STEP = 1e-9, 1e-6  # degrees: a tenth of a millimetre, and a decimetre
_DIGITS = 6  # decimals of the metres and square metres given out
_TRIES = 3  # at a data set that is replaced while its cells are made
_DIMENSIONS = {"point": [0], "line": [1], "curve": [1], "polygon": [2], "surface": [2]}


class AreaTooFar(BadRequest):
    """An area that the plane of the data set's grid cannot show."""

    en = "The area reaches too far from the data set to be measured in EPSG:{srid}. Ask for a smaller area."
    zh = "该范围离数据集过远,无法在 EPSG:{srid} 中量算。请缩小范围。"


class ShapesNotComputable(ChengtuError):
    """PostGIS gave up on a geometry of the data set."""

    en = "PostGIS could not compute with a geometry of the data set: {reason}. `chengtu doctor` names what is broken."
    zh = "PostGIS 无法处理该数据集中的几何:{reason}。可运行 `chengtu doctor` 检查。"


class Wish(NamedTuple):
    """What to fill the cells with, and what cells: squares if they have a size, else H3."""

    filter: Node | None = None
    area: shapely.Geometry | None = None  # in CRS84
    size: int | None = 1000
    resolution: int = 8
    empty: bool = False
    limit: int = 10_000


class Statement(NamedTuple):
    """SQL with its parameters."""

    text: sql.Composed
    parameters: dict[str, object]


class Frame(NamedTuple):
    """The cells to fill, and the part of each that was asked for."""

    cells: Cells  # cut at the area, if one was given
    plane: Srid
    bucket: float  # metres: the width of a cell
    reach: bytes | None  # WKB in the CRS of the data set: where features may matter; None is everywhere
    asked: NDArray[np.bool_] | None  # which cells are listed even where they are empty; None is none


def fill(pool: Pool, id_: str, wish: Wish) -> JsonObject:
    """The cells filled with a data set, as GeoJSON in CRS84, in the order of the grid."""
    for _ in range(_TRIES):
        with pool.connection() as connection:
            dataset = find(connection, id_)
        # The cells may take a second, for which no transaction should wait.
        condition = _condition(dataset, wish)
        frame = _frame(dataset, wish)
        question = _question(dataset, condition, frame) if frame and frame.cells.ids else None
        with pool.connection() as connection, connection.transaction():
            if hold(connection, id_) == dataset:
                rows = _answers(connection, question) if question else {}
                break
    else:
        raise DatabaseBusy(reason=f"{id_} is being loaded again and again")
    return _collection(dataset, wish, frame, rows)


def _collection(dataset: Dataset, wish: Wish, frame: Frame | None, rows: Rows) -> JsonObject:
    kinds = _dimensions(dataset)
    measures = [name for dimension, name in ((2, "area_m2"), (1, "length_m")) if dimension in kinds]
    features = _features(frame, rows, measures) if frame else []
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
    stored = Srid(dataset.srid)
    plane = plane_of(stored, middle.x, middle.y)
    if not is_known_operation(stored, plane):
        raise UnknownOperation(source=stored, target=plane)
    where = _where(wish, extent, plane)
    if wish.size is not None:
        cells, bucket = square.cover(where, plane, wish.size, wish.limit), float(wish.size)
    else:
        cells = h3.cover(where, plane, wish.resolution, wish.limit)
        west, _, east, _ = shapely.bounds(cells.shapes).T
        bucket = float((east - west).max(initial=1.0))
    if wish.area is None:
        asked = _overlapping(_cut(cells, _flat(extent, plane))) if wish.empty else None
        return Frame(cells, plane, bucket, None, asked)
    cut = _cut(cells, _flat(wish.area, plane))
    reach = project(_widened(where.bounds, _A_STEP), CRS84, stored)
    return Frame(cut, plane, bucket, shapely.to_wkb(reach), _overlapping(cut) if wish.empty else None)


def _where(wish: Wish, extent: shapely.Geometry, plane: Srid) -> shapely.Geometry:
    """The area to cover with cells, in CRS84: not more than the features need, unless empty cells are wanted too."""
    if wish.area is not None and wish.empty:
        if not reach_of(plane).contains(wish.area):
            raise AreaTooFar(srid=plane)
        return wish.area
    west, south, east, north = extent.bounds
    # An edge that is straight in the data's plane may bulge over the box around its ends, by its length squared.
    around = _widened(extent.bounds, _A_STEP + 0.01 * ((east - west) ** 2 + (north - south) ** 2))
    return around if wish.area is None else _surfaces(shapely.intersection(wish.area, around))


def _widened(bounds: tuple[float, float, float, float], margin: float) -> shapely.Geometry:
    west, south, east, north = bounds
    return shapely.box(west - margin, south - margin, east + margin, north + margin)


def _surfaces(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a shape, without lines and points where something merely touched."""
    return shapely.MultiPolygon([part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"])


def _overlapping(cut: Cells) -> NDArray[np.bool_]:
    """Which cells, cut at an area, lie in it with more than their edge."""
    found: NDArray[np.bool_] = shapely.area(cut.shapes) > 0
    return found


def _flat(area: shapely.Geometry, plane: Srid) -> shapely.Geometry:
    """An area of CRS84 in the plane, where needles may have become too thin to stay valid."""
    moved = project(area, CRS84, plane)
    return moved if moved.is_valid else _surfaces(shapely.make_valid(moved))


def _cut(cells: Cells, area: shapely.Geometry) -> Cells:
    """Cells cut at the edge of an area in their plane; what was cut has no inner box."""
    shapely.prepare(area)
    (cut,) = np.nonzero(~shapely.covers(area, cells.shapes))
    shapes, lost, inner = cells.shapes.copy(), cells.lost.copy(), cells.inner.copy()
    for some, near in _neighbourhoods(cells.shapes, cut, area):
        shapes[some] = shapely.intersection(shapes[some], near)
        lost[some] = shapely.intersection(lost[some], near)
    inner[cut] = np.nan
    return cells._replace(shapes=shapes, lost=lost, inner=inner)


def _neighbourhoods(
    shapes: Shapes, places: Places, area: shapely.Geometry
) -> Iterator[tuple[Places, shapely.Geometry]]:
    """Some of the places at a time, with what of the area is near: no cell meets thousands of vertices far away."""
    if len(places) <= 4 or shapely.get_num_coordinates(area) <= _PIECE:
        yield places, area
        return
    bounds = shapely.bounds(shapes[places])
    middles = (bounds[:, :2] + bounds[:, 2:]) / 2
    axis = int(np.ptp(middles, axis=0).argmax())
    order = places[middles[:, axis].argsort()]
    for half in np.array_split(order, 2):
        near = _widened(
            tuple(shapely.total_bounds(shapes[half])), 1.0
        )  # a metre, so that no edge of a cell is cut here
        yield from _neighbourhoods(shapes, half, _surfaces(shapely.intersection(area, near)))


def _condition(dataset: Dataset, wish: Wish) -> Statement:
    text, parameters = to_sql(wish.filter, dataset) if wish.filter else (sql.SQL("true"), {})
    return Statement(sql.Composed([text]), parameters)


def _question(dataset: Dataset, condition: Statement, frame: Frame) -> Statement:
    """The one statement that fills all cells."""
    text = query("cells_of_dataset").format(
        table=sql.Identifier("data", dataset.id),
        key=column(dataset.key),
        stored=sql.Literal(dataset.srid),
        condition=condition.text,
    )
    given = {
        "plane": frame.plane,
        "reach": frame.reach,
        "dimensions": _dimensions(dataset),
        "vertices": _PIECE,
        "least": _LEAST,
    }
    return Statement(text, _as_arrays(frame) | given | condition.parameters)


def _answers(connection: Connection, question: Statement) -> Rows:
    """The counts and measures by the place of the cell; under None those of all cells together."""
    try:
        return {row["number"]: row for row in connection.execute(*question)}
    except psycopg.DataError as error:
        raise FilterNotComputable(reason=one_line(error)) from error
    except psycopg.errors.InternalError_ as error:
        raise ShapesNotComputable(reason=one_line(error)) from error


def _as_arrays(frame: Frame) -> dict[str, object]:
    """The cells' parts and their buckets: every square of the bucket grid that a part's box touches."""
    parts, owners = shapely.get_parts(frame.cells.shapes, return_index=True)  # PostGIS overlays no mixed collections
    bounds = shapely.bounds(parts)
    corners = np.floor(bounds / frame.bucket).astype(int).tolist()
    buckets = [
        (n + 1, x, y)
        for n, (west, south, east, north) in enumerate(corners)
        for x in range(west, east + 1)
        for y in range(south, north + 1)
    ]
    return {
        "numbers": owners.tolist(),
        "parts": list(shapely.to_wkb(parts)),
        "losts": list(shapely.to_wkb(frame.cells.lost[owners])),
        **_columns(("wests", "souths", "easts", "norths"), bounds),
        **_columns(("inner_wests", "inner_souths", "inner_easts", "inner_norths"), frame.cells.inner[owners]),
        **_columns(("bucket_cell", "bucket_x", "bucket_y"), np.array(buckets)),
        **_columns(("west", "south", "east", "north"), shapely.total_bounds(parts)),
        "bucket": frame.bucket,
    }


def _columns(names: tuple[str, ...], table: NDArray[Any]) -> dict[str, object]:
    """The last axis of an array by name, as lists or single numbers."""
    return dict(zip(names, table.T.tolist(), strict=True))


def _dimensions(dataset: Dataset) -> list[int]:
    """0 for points, 1 for lines, 2 for polygons, whichever the data set may hold."""
    type_ = dataset.geometry_type.lower()
    return next((found for word, found in _DIMENSIONS.items() if word in type_), [0, 1, 2])


def _features(frame: Frame, rows: Rows, measures: list[str]) -> list[JsonObject]:
    """The cells that hold something, or all if the empty ones are wanted."""
    coordinates, owners = shapely.get_coordinates(frame.cells.outlines, return_index=True)
    rings = np.split(coordinates.round(8), np.flatnonzero(np.diff(owners)) + 1)  # 8 decimals: a millimetre
    found = []
    for n, id_ in enumerate(frame.cells.ids):
        values = _values(rows.get(n), measures)
        if values["count"] or (frame.asked is not None and frame.asked[n]):
            polygon = {"type": "Polygon", "coordinates": [rings[n].tolist()]}
            properties = {"cell": id_, **values}
            found.append({"type": "Feature", "id": id_, "geometry": polygon, "properties": properties})
    return found


def _values(row: DictRow | None, measures: list[str]) -> dict[str, float]:
    """The count and the measures of a row; nothing is there where no row is."""
    if row is None:
        return {"count": 0} | dict.fromkeys(measures, 0.0)
    return {"count": row["count"]} | {name: round(row[name], _DIGITS) for name in measures}
