"""GeoParquet, through pyarrow: the "geo" metadata says where the geometry is and in which CRS."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from core.language import Text
from loaders.columns import Words, plan
from loaders.errors import DamagedSource
from loaders.infer import Kind
from loaders.layer import BATCH, BBox, Layer, Note, schema_of
from loaders.table import Table
from loaders.tally import Tally
from loaders.wkb import check_nesting

_BUFFER = 1 << 20  # bytes of a column read at once
_TEXT: Kind = "text"
_FIXED = Text("fixed by the format", "由文件格式规定")


class Geometry(NamedTuple):
    """The geometry column, and what the metadata says of it."""

    column: str
    about: Mapping[str, Any]
    others: tuple[str, ...]  # further geometry columns
    boxes: tuple[str, ...]  # columns that only serve to find rows


def prepare(path: Path, shown: Path) -> Table | Geometry:
    """Find the geometry column; a file without one is a table whose columns may hold coordinates."""
    with _file(path, shown) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
    geometry = _geometry(schema, shown)
    return geometry or Table(
        driver="Parquet",
        shown=shown,
        name=shown.stem,
        schema=schema,
        rows=lambda _: _batches(path, shown),
        count=count,
        kinds=tuple(_TEXT for _ in schema),
    )


def open_layer(path: Path, shown: Path, geometry: Geometry) -> Layer:
    """A layer of a file with a geometry column."""
    with _file(path, shown) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
    tally = Tally()
    given = [
        (index, field.name, field.type)
        for index, field in enumerate(schema)
        if field.name not in (geometry.column, *geometry.others, *geometry.boxes)
    ]
    columns, notes = plan(shown, given, Words(tally), tally)
    place = schema.get_field_index(geometry.column)

    def read(size: int) -> Iterator[pa.RecordBatch]:
        tally.clear()
        target = schema_of(tuple(column.field for column in columns))
        for batch in _batches(path, shown, size):
            shapes = _as_wkb(batch.column(place), str(geometry.about.get("encoding", "WKB")))
            check_nesting(shown, shapes)
            values = [column.convert(batch.column(column.place)) for column in columns]
            yield pa.RecordBatch.from_arrays([*values, shapes], schema=target)

    types = geometry.about.get("geometry_types") or []
    return Layer(
        driver="Parquet",
        path=shown,
        name=shown.stem,
        crs=_crs(geometry.about, shown),
        geometry_type=str(types[0]) if len(types) == 1 else "Unknown",
        feature_count=count,
        bounds=_bounds(geometry.about),
        fields=tuple(column.field for column in columns),
        encoding="UTF-8",
        encoding_reason=_FIXED,
        sample_text=(),
        known=(*notes, *_others_note(geometry)),
        read=read,
        found=tally.notes,
    )


def _file(path: Path, shown: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(shown, error) from error


def _batches(path: Path, shown: Path, size: int = BATCH) -> Iterator[pa.RecordBatch]:
    with _file(path, shown) as file:
        batches = file.iter_batches(batch_size=size, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise _damaged(shown, error) from error
            if batch is None:
                return
            yield batch


def _damaged(shown: Path, error: Exception) -> DamagedSource:
    text = " ".join(str(error).split())[:200].rstrip(". ")
    return DamagedSource(path=shown, why=Text(f"Parquet: {text}", f"Parquet:{text}"))


def _geometry(schema: pa.Schema, shown: Path) -> Geometry | None:
    """The geometry column by the file's "geo" metadata, else the first that Arrow itself knows as geometry."""
    geo = _metadata(schema, shown)
    columns = geo.get("columns")
    if isinstance(columns, dict) and geo.get("primary_column") in columns:
        name = str(geo["primary_column"])
        about = columns[name]
        if name in schema.names and isinstance(about, dict):
            others = tuple(other for other in columns if other != name)
            return Geometry(name, about, others, _boxes(about))
    known = [field.name for field in schema if _extension(field).startswith("geoarrow.wkb")]
    return Geometry(known[0], {"encoding": "WKB", "crs": None}, tuple(known[1:]), ()) if known else None


def _metadata(schema: pa.Schema, shown: Path) -> dict[str, Any]:
    raw = (schema.metadata or {}).get(b"geo")
    try:
        geo = json.loads(raw) if raw else {}
    except (ValueError, RecursionError) as error:
        why = Text('its "geo" metadata is not JSON', "其 geo 元数据不是 JSON")
        raise DamagedSource(path=shown, why=why) from error
    return geo if isinstance(geo, dict) else {}


def _boxes(about: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that the `covering` of GeoParquet 1.1 names."""
    covering = about.get("covering")
    box = covering.get("bbox") if isinstance(covering, dict) else None
    return tuple({str(path[0]): None for path in box.values() if path}) if isinstance(box, dict) else ()


def _extension(field: pa.Field) -> str:
    marked = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode("ascii", "replace")
    return str(getattr(field.type, "extension_name", marked))


def _others_note(geometry: Geometry) -> tuple[Note, ...]:
    if not geometry.others:
        return ()
    names = ", ".join(geometry.others)
    text = Text(
        f"Left out, since a layer has one geometry: {names}.",
        f"图层只有一个几何字段,未加载:{names}。",
    )
    return (Note("columns-left-out", text),)


def _crs(about: Mapping[str, Any], shown: Path) -> str | None:
    """A CRS is PROJJSON; null says that none is known, silence means longitude, latitude (GeoParquet 1.1)."""
    crs = about.get("crs", "OGC:CRS84")
    if crs is None or isinstance(crs, str):
        return crs
    known = crs.get("id") if isinstance(crs, dict) else None
    if isinstance(known, dict) and known.get("authority") and known.get("code"):
        return f"{known['authority']}:{known['code']}"
    try:
        return str(pyproj.CRS.from_json_dict(crs).to_wkt())
    except (CRSError, TypeError, AttributeError) as error:
        why = Text("the CRS in its metadata cannot be read", "元数据中的坐标系无法解析")
        raise DamagedSource(path=shown, why=why) from error


def _bounds(about: Mapping[str, Any]) -> BBox | None:
    box = about.get("bbox")
    if not isinstance(box, list) or len(box) not in (4, 6):
        return None
    numbers = [float(number) for number in box]
    west, south, east, north = numbers if len(numbers) == 4 else (numbers[0], numbers[1], numbers[3], numbers[4])
    return (west, south, east, north)


_LEVELS = {
    "point": shapely.GeometryType.POINT,
    "linestring": shapely.GeometryType.LINESTRING,
    "polygon": shapely.GeometryType.POLYGON,
    "multipoint": shapely.GeometryType.MULTIPOINT,
    "multilinestring": shapely.GeometryType.MULTILINESTRING,
    "multipolygon": shapely.GeometryType.MULTIPOLYGON,
}


def _as_wkb(column: pa.Array, encoding: str) -> pa.Array:
    """WKB of a geometry column, which may also be GeoArrow's nested lists of coordinates."""
    storage = column.storage if isinstance(column, pa.ExtensionArray) else column
    if encoding.upper() == "WKB":
        return storage if storage.type == pa.binary() else storage.cast(pa.binary())
    whole = storage.fill_null([]) if pa.types.is_list(storage.type) else storage
    offsets: list[NDArray[np.int64]] = []
    while pa.types.is_list(whole.type) or pa.types.is_large_list(whole.type):
        offsets.insert(0, np.asarray(whole.offsets) - whole.offsets[0].as_py())
        whole = whole.flatten()
    shapes = shapely.from_ragged_array(_LEVELS[encoding.lower()], _coordinates(whole), tuple(offsets) or None)
    absent = np.asarray(storage.is_null())
    return pa.array(np.where(absent, None, shapely.to_wkb(shapes, flavor="iso", output_dimension=4)), pa.binary())


def _coordinates(column: pa.Array) -> np.ndarray[Any, Any]:
    """Coordinates as rows of two, three or four numbers, from a struct of them or from fixed lists."""
    if pa.types.is_struct(column.type):
        axes = [np.asarray(axis.fill_null(np.nan), dtype=np.float64) for axis in column.flatten()]
        return np.column_stack(axes)
    return np.asarray(column.flatten(), dtype=np.float64).reshape(len(column), -1)
