"""GeoParquet 1.1: WKB columns whose CRS, kinds and bounds the file tells in its footer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from core.crs import CRS84, crs_json
from features.formats.job import Layer
from features.formats.rows import Rows

_GROUP = 16_000_000  # bytes in a row group, about


class _Extent:
    """The bounds and the kinds of all geometries that pass."""

    def __init__(self) -> None:
        self.bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
        self.kinds: set[str] = set()

    def add(self, wkb: pa.Array) -> None:
        """Look at some geometries."""
        shapes = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False))
        there = shapes[~shapely.is_missing(shapes)]
        kinds = np.unique(np.column_stack([shapely.get_type_id(there), shapely.has_z(there)]), axis=0)
        self.kinds |= {_NAMES[kind] + (" Z" if z else "") for kind, z in kinds}
        if (bounds := shapely.bounds(there)[~shapely.is_empty(there)]).size:
            self.bounds[:2] = np.minimum(self.bounds[:2], bounds[:, :2].min(axis=0))
            self.bounds[2:] = np.maximum(self.bounds[2:], bounds[:, 2:].max(axis=0))


_NAMES = [
    "Point",
    "LineString",
    "LinearRing",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
]


def write(layer: Layer, rows: Rows, path: Path) -> None:
    """Write one file, in row groups of some tens of megabytes."""
    extent = _Extent()
    schema = rows.schema.remove_metadata()
    schema = pa.schema([field.remove_metadata() for field in schema])
    waiting: list[pa.RecordBatch] = []
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for batch in rows.batches():
            if layer.geometry:
                extent.add(batch.column(layer.geometry))
            waiting.append(batch)
            if sum(one.nbytes for one in waiting) > _GROUP:
                file.write_table(pa.Table.from_batches(waiting, schema))
                waiting = []
        if waiting:
            file.write_table(pa.Table.from_batches(waiting, schema))
        if layer.geometry:
            file.add_key_value_metadata({"geo": json.dumps(_geo(layer, layer.geometry, extent))})


def _geo(layer: Layer, geometry: str, extent: _Extent) -> dict[str, Any]:
    """The `geo` metadata; a CRS that is left out is CRS84."""
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(extent.kinds)}
    if layer.srid != CRS84:
        column["crs"] = crs_json(layer.srid)
    if np.isfinite(extent.bounds).all():
        column["bbox"] = extent.bounds.tolist()
    return {"version": "1.1.0", "primary_column": geometry, "columns": {geometry: column}}
