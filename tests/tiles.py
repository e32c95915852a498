"""Tiles as tests look at them: decoded, and the same features by PostGIS's own ST_AsMVTGeom."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import httpx
import mapbox_vector_tile
import morecantile
import psycopg
import shapely
from mapbox_vector_tile.Mapbox import vector_tile_pb2
from psycopg import sql
from shapely.geometry import shape

_POLYGON, _MOVE, _CLOSE = 3, 1, 7
MERCATOR = morecantile.tms.get("WebMercatorQuad")
SQUARE = shapely.box(0, 0, 4096, 4096)


class Feature(NamedTuple):
    """A feature of a tile: in its units, y downwards."""

    id: int
    geometry: shapely.Geometry
    properties: dict[str, Any]


def decode(tile: bytes) -> dict[str, list[Feature]]:
    """The features of each layer."""
    layers = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True}) if tile else {}
    return {
        name: [Feature(one.get("id", 0), shape(one["geometry"]), one["properties"]) for one in layer["features"]]
        for name, layer in layers.items()
    }


def fetch(client: httpx.Client, path: str) -> dict[str, list[Feature]]:
    """A tile of the service, decoded."""
    answer = client.get(path)
    assert answer.status_code in (200, 204), answer.text
    return decode(answer.content)


def around(lon: float, lat: float, z: int, reach: int = 0) -> list[morecantile.Tile]:
    """The tile of a place, and those around it."""
    middle = MERCATOR.tile(lon, lat, z)
    steps = range(-reach, reach + 1)
    return [morecantile.Tile(middle.x + x, middle.y + y, z) for x in steps for y in steps]


def reference(dsn: str, collection: str, key: str, tile: morecantile.Tile) -> dict[int, shapely.Geometry]:
    """What ST_AsMVTGeom makes of the features in a tile, by key."""
    bounds = MERCATOR.xy_bounds(tile)
    statement = sql.SQL(
        "select {key}, st_asbinary(g) from (select {key}, st_asmvtgeom(st_transform(geom, 3857),"
        " st_makeenvelope(%s, %s, %s, %s, 3857)::box2d, 4096, 64, true) as g from {table}) as t where g is not null"
    ).format(key=sql.Identifier(key), table=sql.Identifier("data", collection))
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(statement, [bounds.left, bounds.bottom, bounds.right, bounds.top]).fetchall()
    return {id_: shapely.from_wkb(bytes(wkb)) for id_, wkb in rows}


def ring_areas(tile: bytes) -> list[float]:
    """The signed area of each ring of a tile's polygons, as its commands draw it."""
    layers = vector_tile_pb2.tile.FromString(tile).layers
    return [area for layer in layers for one in layer.features if one.type == _POLYGON for area in _areas(one.geometry)]


def _areas(commands: Sequence[int]) -> Iterator[float]:
    numbers = iter(commands)
    x = y = 0
    ring: list[tuple[int, int]] = []
    for command in numbers:
        kind, times = command & 7, command >> 3
        if kind == _CLOSE:
            pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
            yield sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) / 2
            continue
        for _ in range(times):
            x, y = x + _zigzag(next(numbers)), y + _zigzag(next(numbers))
            ring = [(x, y)] if kind == _MOVE else [*ring, (x, y)]


def _zigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)
