"""Writing a made-up survey as its users exchange it: GeoPackage, FileGDB, Shapefiles in GBK."""

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyproj import Transformer

from data.sample.files import ROWS_PER_BATCH, Layer
from data.sample.shapes import CGCS2000, Shapes
from data.survey.table import Table

Form = Literal["gpkg", "gdb", "shp", "zip"]
_DRIVERS = {"gpkg": "GPKG", "gdb": "OpenFileGDB", "shp": "ESRI Shapefile"}
SUFFIXES: dict[Form, str] = {"gpkg": ".gpkg", "gdb": ".gdb", "shp": "", "zip": ".zip"}
_METRE_DECIMALS = 4
_MARK = {"DESCRIPTION": "模拟数据,并非真实地块 / synthetic: nothing of it exists"}


def write_tables(tables: Mapping[str, Table], path: Path, *, form: Form = "gpkg", srid: int = CGCS2000) -> Path:
    """Write the layers whole or not at all; `path` is the file, or the folder of a FileGDB or of Shapefiles.

    `srid` is 4490 (longitude first in the file) or a Gauss-Krüger plane, 4513 to 4554.
    """
    partial = path.with_name(f".{path.stem}.{'gpkg' if form == 'gpkg' else 'gdb' if form == 'gdb' else 'shapes'}")
    _remove(partial)
    try:
        _write_all(tables, partial, "shp" if form == "zip" else form, srid)
        if form == "zip":
            _zip(partial, path)
        else:
            _remove(path)
            partial.rename(path)
    finally:
        _remove(partial)
    return path


def _write_all(tables: Mapping[str, Table], path: Path, form: Form, srid: int) -> None:
    if form == "shp":
        path.mkdir(parents=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    for number, (name, table) in enumerate(tables.items()):
        layer = table.layer(srid, planar(table.shapes, srid))
        _write(layer, path / f"{name}.shp" if form == "shp" else path, name, form, append=number > 0 and form != "shp")


def planar(shapes: Shapes, srid: int) -> Shapes:
    """Shapes in EPSG:4490 in the plane `srid`, rounded so that neighbours still share their vertices."""
    if srid == CGCS2000:
        return shapes
    transformer = Transformer.from_crs(CGCS2000, srid, always_xy=True)
    moved = np.column_stack(transformer.transform(*shapely.get_coordinates(shapes).T)).round(_METRE_DECIMALS)
    rounded: Shapes = shapely.set_coordinates(shapes.copy(), moved)
    return rounded


def _write(layer: Layer, path: Path, name: str, form: Form, *, append: bool) -> None:
    columns = {column[:10] if form == "shp" else column: values for column, values in layer.columns.items()}
    fields = [pa.field(column, values.type) for column, values in columns.items()]
    schema = pa.schema([*fields, pa.field("SHAPE", pa.binary())])
    reader = pa.RecordBatchReader.from_batches(schema, _batches(layer.geometry, [*columns.values()], schema))
    pyogrio.write_arrow(
        reader,
        path,
        driver=_DRIVERS[form],
        layer=name,
        append=append,
        geometry_name="SHAPE",
        geometry_type=layer.geometry_type,
        crs=f"EPSG:{layer.srid}",
        encoding="GBK" if form == "shp" else None,
        layer_options={"SPATIAL_INDEX": "NO"} if form == "gpkg" else {},
        layer_metadata=_MARK if form == "gpkg" else None,
    )


def _batches(shapes: Shapes, columns: list[pa.Array], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(shapes), ROWS_PER_BATCH):
        wkb = pa.array(np.asarray(shapely.to_wkb(shapes[start : start + ROWS_PER_BATCH])), pa.binary())
        yield pa.record_batch([*(one.slice(start, ROWS_PER_BATCH) for one in columns), wkb], schema=schema)


def _zip(folder: Path, path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    partial.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
