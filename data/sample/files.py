"""Writing the sample's files whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from data.sample.shapes import Shapes

ROWS_PER_BATCH = 65_536


class Layer(NamedTuple):
    """A feature table in memory: geometries, and columns of the same length."""

    geometry: Shapes
    geometry_type: str
    srid: int
    columns: Mapping[str, pa.Array]


def write_layer(layer: Layer, path: Path) -> None:
    """Write one GeoPackage under another name and rename it, so that a killed build leaves no half file."""
    partial = path.with_name(f".{path.stem}-{os.getpid()}.gpkg")
    reader = pa.RecordBatchReader.from_batches(_schema(layer), _batches(layer))
    try:
        pyogrio.write_arrow(
            reader,
            partial,
            driver="GPKG",
            layer=path.stem,
            geometry_name="geometry",
            geometry_type=layer.geometry_type,
            crs=f"EPSG:{layer.srid}",
            layer_options={"SPATIAL_INDEX": "NO"},  # the loader reads all of it, in order
        )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _schema(layer: Layer) -> pa.Schema:
    fields = [pa.field(name, column.type) for name, column in layer.columns.items()]
    return pa.schema([*fields, pa.field("geometry", pa.binary())])


def _batches(layer: Layer) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(layer.geometry), ROWS_PER_BATCH):
        shapes = layer.geometry[start : start + ROWS_PER_BATCH]
        columns = [column.slice(start, ROWS_PER_BATCH) for column in layer.columns.values()]
        wkb = pa.array(np.asarray(shapely.to_wkb(shapes)), pa.binary())
        yield pa.record_batch([*columns, wkb], schema=_schema(layer))
