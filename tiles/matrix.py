"""Tile matrix sets (OGC Two Dimensional Tile Matrix Set 2.0): the registry's, and CGCS2000Quad, which China's tiles use."""

import json
import math
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import Any, NamedTuple

import morecantile
from morecantile.models import TileMatrix

from core.catalogue import BBox
from core.crs import CGCS2000, CRS84, WGS84, Srid, area_of_use, is_axis_swapped, parse_uri, postgis_srid, transformer
from core.errors import ChengtuError

Bounds = tuple[float, float, float, float]  # west, south, east, north in the set's CRS, x = east
Json = dict[str, Any]

WEB_MERCATOR_QUAD = "WebMercatorQuad"
CGCS2000_QUAD = "CGCS2000Quad"
_MERCATOR_NORTH = 85.051128779806604  # degrees: where Web Mercator's square ends
_FIRST_SCALE = 559082264.0287178  # denominator of WebMercatorQuad's first matrix
_EDGE = 1e-9  # of a tile: an extent that ends on a tile's edge does not reach into the next


class NoSuchMatrixSet(ChengtuError):
    """A tile matrix set that is not offered."""

    en = "There is no tile matrix set {id!r} here. There are: {known}."
    zh = "没有瓦片矩阵集 {id!r}。可用:{known}。"
    code = "NotFound"
    status = 404
    exit_code = 2


class NoSuchTile(ChengtuError):
    """A tile matrix, row or column that the set does not have."""

    en = "{set} has no tile {z}/{row}/{column}: it has matrices {first} to {last}, and matrix z has rows and columns from 0."
    zh = "{set} 中没有瓦片 {z}/{row}/{column}:矩阵级别为 {first} 至 {last},行列号从 0 起且不得超出该级矩阵。"
    code = "NotFound"
    status = 404


class Tile(NamedTuple):
    """A tile by matrix, column and row: z, x and y of a web map."""

    z: int
    x: int
    y: int


class Matrix(NamedTuple):
    """One zoom level: where its first tile begins, and how large its tiles are, in the set's CRS."""

    west: float
    north: float
    width: float
    height: float
    columns: int
    rows: int
    cell: float  # a pixel's side
    scale: float  # denominator, for pixels of 0.28 mm


class Limits(NamedTuple):
    """The tiles of a matrix that something may be in (OGC 2DTMS 2.0, TileMatrixSetLimits)."""

    z: int
    columns: tuple[int, int]
    rows: tuple[int, int]

    def holds(self, tile: Tile) -> bool:
        """Whether a tile lies within."""
        x, y = self.columns, self.rows
        return tile.z == self.z and x[0] <= tile.x <= x[1] and y[0] <= tile.y <= y[1]


class MatrixSet:
    """One tile matrix set, whose matrices are called by their numbers."""

    def __init__(self, definition: morecantile.TileMatrixSet, document: Json | None = None) -> None:
        self.document: Json = document or json.loads(definition.model_dump_json(exclude_none=True))
        self.id: str = self.document["id"]
        self.title: str = self.document.get("title") or self.id
        self.srid: Srid = parse_uri(self.document["crs"])
        self.matrices: dict[int, Matrix] = {int(one.id): _matrix(definition, one) for one in definition.tileMatrices}

    @property
    def uri(self) -> str | None:
        """The registry's name of the set; None for ours."""
        return self.document.get("uri")

    @property
    def stored(self) -> Srid:
        """The CRS as PostGIS knows it."""
        return postgis_srid(self.srid)

    @cached_property
    def is_mercator(self) -> bool:
        """Whether generalised features, which lie on its grid, need no other treatment."""
        return self.id == WEB_MERCATOR_QUAD

    def mercator_zoom(self, z: int) -> int:
        """The matrix of WebMercatorQuad of about the same scale."""
        return max(0, round(math.log2(_FIRST_SCALE / self.matrices[z].scale)))

    def tile(self, z: str | int, row: str | int, column: str | int) -> Tile:
        """The tile that three numbers of an address name; `NoSuchTile` for anything else."""
        try:
            tile = Tile(*(_whole(one) for one in (z, column, row)))
            matrix = self.matrices[tile.z]
        except (ValueError, KeyError):
            raise self.missing(z, column, row) from None
        if tile.x >= matrix.columns or tile.y >= matrix.rows:
            raise self.missing(z, column, row)
        return tile

    def bounds(self, tile: Tile) -> Bounds:
        """Where a tile lies."""
        one = self.matrices[tile.z]
        west, north = one.west + tile.x * one.width, one.north - tile.y * one.height
        return west, north - one.height, west + one.width, north

    def limits(self, extent: BBox | None, zooms: Iterable[int]) -> Iterator[Limits]:
        """The tiles that an extent (in degrees) touches, matrix by matrix; none without an extent."""
        if extent is None:
            return
        bounds = self.reach(extent)
        for z in zooms:
            if z in self.matrices:
                yield self.range(bounds, z)

    def range(self, bounds: Bounds, z: int, buffer: float = 0.0) -> Limits:
        """The tiles of a matrix that bounds touch, with a margin in tiles."""
        one = self.matrices[z]
        columns = _range((bounds[0] - one.west) / one.width, (bounds[2] - one.west) / one.width, one.columns, buffer)
        rows = _range((one.north - bounds[3]) / one.height, (one.north - bounds[1]) / one.height, one.rows, buffer)
        return Limits(z, columns, rows)

    def reach(self, extent: BBox) -> Bounds:
        """An extent in degrees as bounds in the set's CRS; one across the antimeridian reaches round the world."""
        west, south, east, north = _across(extent)
        if self.is_mercator:
            south, north = (max(-_MERCATOR_NORTH, min(_MERCATOR_NORTH, one)) for one in (south, north))
        elif area := area_of_use(self.stored):
            west, south, east, north = _within((west, south, east, north), area)
        return transformer(WGS84, self.stored).transform_bounds(west, south, east, north)

    def missing(self, z: str | int, column: str | int, row: str | int) -> NoSuchTile:
        """The error of a tile that is not there."""
        facts = {"z": str(z)[:12], "row": str(row)[:12], "column": str(column)[:12]}
        return NoSuchTile(set=self.id, first=min(self.matrices), last=max(self.matrices), **facts)


def _whole(text: str | int) -> int:
    """A number as an address writes it: digits alone."""
    if isinstance(text, int):
        return text
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueError(text)
    return int(text)


def _matrix(definition: morecantile.TileMatrixSet, one: TileMatrix) -> Matrix:
    first = definition.xy_bounds(morecantile.Tile(0, 0, int(one.id)))
    return Matrix(
        first.left,
        first.top,
        first.right - first.left,
        first.top - first.bottom,
        one.matrixWidth,
        one.matrixHeight,
        one.cellSize,
        one.scaleDenominator,
    )


def _range(first: float, last: float, count: int, buffer: float) -> tuple[int, int]:
    """The tiles between two places, counted in tiles; what lies beyond the matrix belongs to its last tile."""
    low, high = math.floor(first - buffer + _EDGE), math.ceil(last + buffer - _EDGE) - 1
    return min(max(low, 0), count - 1), min(max(high, low, 0), count - 1)


def _across(extent: BBox) -> Bounds:
    if extent.west > extent.east or extent.east > 180 or extent.west < -180:
        return -180.0, extent.south, 180.0, extent.north
    return extent.west, extent.south, extent.east, extent.north


def _within(bounds: Bounds, area: Bounds) -> Bounds:
    west, south = max(bounds[0], area[0]), max(bounds[1], area[1])
    return west, south, max(west, min(bounds[2], area[2])), max(south, min(bounds[3], area[3]))


@cache
def matrix_sets(names: tuple[str, ...]) -> dict[str, MatrixSet]:
    """The sets of these names, in their order; ours, or one of the registry's that is a quadtree."""
    return {name: _named(name) for name in names}


def known_sets() -> list[str]:
    """The names that there may be."""
    quads = [name for name in morecantile.tms.list() if morecantile.tms.get(name).is_quadtree]
    return [WEB_MERCATOR_QUAD, "WorldCRS84Quad", CGCS2000_QUAD, *sorted({*quads} - {WEB_MERCATOR_QUAD})]


def _named(name: str) -> MatrixSet:
    if name == CGCS2000_QUAD:
        return _cgcs2000()
    return MatrixSet(morecantile.tms.get(name))


def _cgcs2000() -> MatrixSet:
    """WorldCRS84Quad in EPSG:4490: 2 x 1 tiles at its beginning, latitude first, as Tianditu's `c` has it one level later."""
    world = morecantile.tms.get("WorldCRS84Quad")
    document: Json = json.loads(world.model_dump_json(exclude_none=True))
    for name in ("uri", "wellKnownScaleSet"):
        document.pop(name, None)
    document |= {
        "id": CGCS2000_QUAD,
        "title": "CGCS2000 for the World",
        "crs": f"http://www.opengis.net/def/crs/EPSG/0/{CGCS2000}",
        "orderedAxes": ["Lat", "Lon"],
    }
    for one in document["tileMatrices"]:
        one["pointOfOrigin"] = one["pointOfOrigin"][::-1]
    return MatrixSet(world, document)


def axes_swapped(one: MatrixSet) -> bool:
    """Whether the set's CRS counts north before east."""
    return one.srid != CRS84 and is_axis_swapped(one.srid)
