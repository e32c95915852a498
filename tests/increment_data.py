"""A land survey of some squares, and the increment of a year to it, made by hand: each defect is one edit away."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd
import shapely

COUNTY = "220203"
VILLAGE = f"{COUNTY}001001" + "0" * 7
CRS = 4526
_EAST, _NORTH, _SIDE = 38_500_000, 4_850_000, 100


class Piece(NamedTuple):
    """A row of the process: which became which, and what ground they share."""

    before: str
    after: str
    class_before: str
    class_after: str
    area: float
    shape: shapely.Geometry


def square(column: int, row: int, width: float = 1, shift: float = 0) -> shapely.Polygon:
    """A square of 100 m, or a vertical part of it."""
    west, south = _EAST + (column + shift) * _SIDE, _NORTH + row * _SIDE
    return shapely.box(west, south, west + width * _SIDE, south + _SIDE)


def bsm(number: int) -> str:
    """An identifier."""
    return f"{COUNTY}{number:012}"


def parcel(id_: str, class_: str, shape: shapely.Geometry, unit: str = VILLAGE) -> dict[str, Any]:
    """A land parcel."""
    return {"BSM": id_, "DLBM": class_, "ZLDWDM": unit, "TBMJ": round(shape.area, 2), "geometry": shape}


def survey(columns: int = 10, rows: int = 10) -> list[dict[str, Any]]:
    """The state of 2023: paddies (0101), and villages (0702) in the last row."""
    return [
        parcel(bsm(row * columns + column), "0702" if row == rows - 1 else "0101", square(column, row))
        for row in range(rows)
        for column in range(columns)
    ]


def write(path: Path, **layers: Sequence[dict[str, Any]]) -> Path:
    """A GeoPackage of such rows by layer."""
    for name, found in layers.items():
        gpd.GeoDataFrame(pd.DataFrame(found), geometry="geometry", crs=CRS).to_file(path, driver="GPKG", layer=name)
    return path


class Increment:
    """The year 2024: parcel 0 is split in two, 2 and 3 are joined, and 5 becomes a village."""

    def __init__(self, day: str = "2024-12-31") -> None:
        self.day = day
        halves = square(0, 0, 0.5), square(0, 0, 0.5, 0.5)
        joined = shapely.union_all([square(2, 0), square(3, 0)])
        self.new = [
            parcel(bsm(1000), "0101", halves[0]),
            parcel(bsm(1001), "0702", halves[1]),
            parcel(bsm(1002), "0101", joined),
            parcel(bsm(1003), "0702", square(5, 0)),
        ]
        self.pieces = [
            Piece(bsm(0), bsm(1000), "0101", "0101", 5000.0, halves[0]),
            Piece(bsm(0), bsm(1001), "0101", "0702", 5000.0, halves[1]),
            Piece(bsm(2), bsm(1002), "0101", "0101", 10000.0, square(2, 0)),
            Piece(bsm(3), bsm(1002), "0101", "0101", 10000.0, square(3, 0)),
            Piece(bsm(5), bsm(1003), "0101", "0702", 10000.0, square(5, 0)),
        ]
        self.unit = VILLAGE

    def write(self, path: Path) -> Path:
        """The two layers in a GeoPackage."""
        process = [self._row(number, one) for number, one in enumerate(self.pieces)]
        return write(path, DLTBGX=[one | {"GXSJ": self.day} for one in self.new], DLTBGXGC=process)

    def _row(self, number: int, one: Piece) -> dict[str, Any]:
        return {
            "BSM": bsm(9000 + number),
            "BGQTBBSM": one.before,
            "BGQDLBM": one.class_before,
            "BGQZLDWDM": self.unit,
            "BGHTBBSM": one.after,
            "BGHDLBM": one.class_after,
            "BGHZLDWDM": self.unit,
            "TBBGMJ": one.area,
            "GXSJ": self.day,
            "geometry": one.shape,
        }
