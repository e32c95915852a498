"""The files to load: the sample city's 300 000 parcels and a million points, and five million of either."""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from core.settings import read_settings
from data.sample import build

MANY = 5_000_000
_ROWS = 100_000  # rows a batch, so that making the file takes little memory
_SCHEMA = pa.schema([("number", pa.int32()), ("name", pa.string()), ("value", pa.float64()), ("geometry", pa.binary())])
_DRIVERS = {"fgb": "FlatGeobuf", "geojson": "GeoJSON", "gpkg": "GPKG", "shp": "ESRI Shapefile"}
_LAYER = {"fgb": "SPATIAL_INDEX=NO", "geojson": "RFC7946=YES", "shp": "ENCODING=UTF-8"}


def large_city() -> dict[str, Path]:
    """The sample city for load tests as GeoPackages; made in a few minutes, and kept beside the sample."""
    made = build("220200", read_settings().var / "sample", large=True)
    return {one.id: Path(one.path) for one in made}


def converted(source: Path, folder: Path, suffix: str) -> Path:
    """The same features in another format."""
    target = folder / f"{source.stem}.{suffix}"
    if not target.exists():
        command = ["ogr2ogr", "-f", _DRIVERS[suffix], "-lco", _LAYER[suffix], str(target), str(source)]
        subprocess.run(command, check=True, capture_output=True)
    return target


def some(source: Path, folder: Path, count: int) -> Path:
    """The first few features of a source."""
    target = folder / f"{source.stem}-{count}.gpkg"
    if not target.exists():
        command = ["ogr2ogr", "-f", "GPKG", str(target), str(source), "-limit", str(count), "-nln", source.stem]
        subprocess.run(command, check=True, capture_output=True)
    return target


def edited(source: Path, folder: Path) -> Path:
    """A city's next delivery: of a hundred parcels one has changed, of a thousand one is gone."""
    target = folder / f"{source.stem}-next.gpkg"
    target.write_bytes(source.read_bytes())
    with closing(sqlite3.connect(target)) as database, database:
        database.execute("update parcels set area_m2 = area_m2 + 1 where fid % 100 = 0")
        database.execute("delete from parcels where fid % 1000 = 1")
    return target


def five_million(folder: Path, kind: str, suffix: str) -> Path:
    """A file of many points, or of small rectangles; the caller removes it."""
    path = folder / f"{kind}.{suffix}"
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(_SCHEMA, _made(kind)),
        path,
        driver=_DRIVERS[suffix],
        geometry_name="geometry",
        geometry_type="Point" if kind == "points" else "Polygon",
        crs="EPSG:4551",
        layer_options={"SPATIAL_INDEX": "NO"},
    )
    return path


def _made(kind: str) -> Iterator[pa.RecordBatch]:
    dice = np.random.default_rng(1)
    for start in range(0, MANY, _ROWS):
        numbers = np.arange(start, start + _ROWS, dtype=np.int32)
        x, y = 500_000 + 50_000 * dice.random(_ROWS), 4_800_000 + 50_000 * dice.random(_ROWS)
        shapes = shapely.points(x, y) if kind == "points" else shapely.box(x, y, x + 20, y + 15)
        names = pa.array([f"地块{number}" for number in numbers])
        columns = [pa.array(numbers), names, pa.array(x), pa.array(shapely.to_wkb(shapes), pa.binary())]
        yield pa.record_batch(columns, schema=_SCHEMA)
