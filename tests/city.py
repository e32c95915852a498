"""A small city for tests: a few hundred features whose every number can be worked out by hand."""

from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely

ORIGIN = (540_000.0, 4_850_000.0)  # metres east and north in EPSG:4551, near the centre of Jilin City
SIDE = 50  # parcels along each side of the square
STEP = 100.0  # metres


class CityFile(NamedTuple):
    """A file and what to call it."""

    id: str
    path: Path
    title_en: str
    title_zh: str
    key: str | None = None
    time: str | None = None


def write_city(folder: Path) -> list[CityFile]:
    """Write the city's files: parcels and roads in EPSG:4551, places in EPSG:4490, sites in 4326 and 3857."""
    parcels = _write(folder / "parcels.gpkg", _parcels())
    roads = _write(folder / "roads.gpkg", _roads())
    places = _write(folder / "places.gpkg", _places())
    wgs84 = _write(folder / "sites_wgs84.gpkg", _places().to_crs(4326))
    mercator = _write(folder / "sites_mercator.gpkg", _places().to_crs(3857))
    return [
        CityFile("parcels", parcels, "Parcels", "宗地", key="parcel_no", time="surveyed"),
        CityFile("roads", roads, "Roads", "道路"),
        CityFile("places", places, "Places", "地名"),
        CityFile("sites_wgs84", wgs84, "Sites in WGS 84", "站点(WGS 84)"),
        CityFile("sites_mercator", mercator, "Sites in Web Mercator", "站点(墨卡托)"),
    ]


def _write(path: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.to_file(path, driver="GPKG")
    return path


def _parcels() -> gpd.GeoDataFrame:
    """2 500 squares of 90 m, ten metres apart; number n lies in column n % 50 and row n // 50."""
    number = np.arange(SIDE * SIDE)
    west = ORIGIN[0] + (number % SIDE) * STEP
    south = ORIGIN[1] + (number // SIDE) * STEP
    return gpd.GeoDataFrame(
        {
            "parcel_no": number + 1,
            "land_class": np.array(["0701", "0303", "1003"])[number % 3],
            "名称": [f"宗地{n + 1}号" for n in number],
            "area_m2": np.full(number.size, 8100.0),
            "surveyed": np.datetime64("2024-01-01", "ms") + (number % 366).astype("timedelta64[D]"),
        },
        geometry=shapely.box(west, south, west + 90, south + 90),
        crs=4551,
    )


def _roads() -> gpd.GeoDataFrame:
    """Ten straight roads from west to east, 500 m apart, each 5 km long."""
    south = ORIGIN[1] - 5 + np.arange(10) * 500
    lines = [shapely.LineString([(ORIGIN[0], y), (ORIGIN[0] + 5000, y)]) for y in south]
    return gpd.GeoDataFrame(
        {"name": [f"第{n + 1}路" for n in range(10)], "lanes": range(1, 11)}, geometry=lines, crs=4551
    )


def _places() -> gpd.GeoDataFrame:
    """Four points with round degrees."""
    points = shapely.points([126.55, 126.56, 126.57, 126.50], [43.84, 43.85, 43.86, 43.80])
    names = ["市中心", "北山 <公园>", "松花江", "O'Brien & Söhne"]
    return gpd.GeoDataFrame({"name": names, "population": [100, None, 300, 400]}, geometry=points, crs=4490)
