"""A tiny land survey: two villages of two parcels each, as frames of the layers that a survey's database has."""

from pathlib import Path

import geopandas as gpd
import shapely

SRID = 4551
EAST, NORTH, SIDE = 540_000.0, 4_850_000.0, 100.0
VILLAGES = {"2202021010010000000": "一村", "2202021010020000000": "二村"}


def square(column: int, row: int, side: float = SIDE) -> shapely.Polygon:
    """The square at a column and a row of the tiny survey's grid, in EPSG:4551."""
    return shapely.box(EAST + column * side, NORTH + row * side, EAST + (column + 1) * side, NORTH + (row + 1) * side)


def dltb(**changed: list[object]) -> gpd.GeoDataFrame:
    """Four parcels: a paddy and a wood in each village."""
    villages = list(VILLAGES.items())
    rows = [(column, row, *villages[row]) for row in (0, 1) for column in (0, 1)]
    columns: dict[str, list[object]] = {
        "BSM": [f"22020221100000{n:04d}" for n in range(4)],
        "YSDM": ["2001010100"] * 4,
        "DLBM": ["0101", "0301"] * 2,
        "DLMC": ["水田", "乔木林地"] * 2,
        "QSXZ": ["30"] * 4,
        "QSDWDM": [village for *_, village, _ in rows],
        "QSDWMC": [name for *_, name in rows],
        "ZLDWDM": [village for *_, village, _ in rows],
        "ZLDWMC": [name for *_, name in rows],
        "TBMJ": [10_000.0] * 4,
        "GDPDJB": ["1", None] * 2,
        "KCXS": [0.0] * 4,
        "KCMJ": [0.0] * 4,
        "TBDLMJ": [10_000.0] * 4,
        "SJNF": [2024] * 4,
    }
    shapes = [square(column, row) for column, row, *_ in rows]
    return gpd.GeoDataFrame(columns | changed, geometry=shapes, crs=SRID)


def cjdcq() -> gpd.GeoDataFrame:
    """The two villages."""
    columns = {
        "BSM": ["220202211100000001", "220202211100000002"],
        "YSDM": ["1000600800"] * 2,
        "ZLDWDM": list(VILLAGES),
        "ZLDWMC": list(VILLAGES.values()),
        "DCMJ": [20_000.0] * 2,
    }
    shapes = [shapely.union_all([square(0, row), square(1, row)]) for row in (0, 1)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=SRID)


def xzq() -> gpd.GeoDataFrame:
    """The one district."""
    columns = {"BSM": ["220202210100000001"], "XZQDM": ["220202101"], "XZQMC": ["一镇"], "DCMJ": [40_000.0]}
    return gpd.GeoDataFrame(columns, geometry=[shapely.union_all(cjdcq().geometry)], crs=SRID)


def write_survey(path: Path, **layers: gpd.GeoDataFrame) -> Path:
    """A GeoPackage of the tiny survey; `layers` stand in the place of its own, or beside them."""
    for name, frame in ({"DLTB": dltb(), "CJDCQ": cjdcq(), "XZQ": xzq()} | layers).items():
        frame.to_file(path, driver="GPKG", layer=name)
    return path
