"""What is in a tile: the same as ST_AsMVTGeom puts there, by a shorter way."""

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import httpx
import numpy as np
import pytest
import shapely

from core.catalogue import get_dataset
from core.database import connect
from tests.conftest import loader_for, service
from tests.tiles import SQUARE, around, fetch, reference, ring_areas
from tiles.layer import TileLayer

HERE = (126.55, 43.84)
_NEAR, _PIXEL = 2.9, 8.0  # units
SRIDS = [4490, 4551, 4530, 3857]


def _mesh(count: int = 900) -> gpd.GeoDataFrame:
    """A coverage around `HERE` in EPSG:4551: cells that share their borders vertex by vertex, some of them slivers."""
    dice = np.random.default_rng(7)
    middle = gpd.GeoSeries.from_xy([HERE[0]], [HERE[1]], crs=4490).to_crs(4551).iloc[0]
    places = np.column_stack([dice.uniform(-1500, 1500, count), dice.uniform(-1500, 1500, count)])
    places[: count // 3] = places[count // 3 : 2 * (count // 3)] + dice.uniform(-2, 2, (count // 3, 2))
    places += (middle.x, middle.y)
    outline = shapely.box(middle.x - 1600, middle.y - 1600, middle.x + 1600, middle.y + 1600)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(places), extend_to=outline))
    cells = cells[shapely.contains(outline, cells)]
    kinds = np.array(["住宅", "商业", "绿地"])[np.arange(len(cells)) % 3]
    return gpd.GeoDataFrame({"no": np.arange(len(cells)) + 1, "kind": kinds}, geometry=cells, crs=4551)


def _lines() -> gpd.GeoDataFrame:
    """Wriggling lines of every length, down to ones that are no longer than a unit."""
    dice = np.random.default_rng(8)
    starts = np.array(HERE) + dice.uniform(-0.02, 0.02, (400, 2))
    steps = [dice.normal(0, 10.0 ** dice.uniform(-7, -3), (dice.integers(2, 40), 2)).cumsum(axis=0) for _ in starts]
    lines = [shapely.linestrings(start + step) for start, step in zip(starts, steps, strict=True)]
    return gpd.GeoDataFrame({"no": range(1, 401)}, geometry=lines, crs=4490)


def _points() -> gpd.GeoDataFrame:
    dice = np.random.default_rng(9)
    places = np.array(HERE) + dice.uniform(-0.02, 0.02, (500, 2))
    several = [shapely.multipoints(places[n : n + 3]) for n in range(0, 90, 3)]
    return gpd.GeoDataFrame({"no": range(1, 501)}, geometry=[*several, *shapely.points(places[30:])], crs=4490)


@pytest.fixture(scope="module")
def tiled(
    server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, str]]:
    """A service of meshes in several CRSs, lines and points; and its database."""
    from tests.conftest import _database  # noqa: PLC0415

    folder: Path = tmp_path_factory.mktemp("tiled")
    with _database(server_dsn, f"chengtu_tiled_{folder.name.replace('-', '_')}", template) as dsn:
        load_it = loader_for(dsn, folder)
        for srid in SRIDS:
            _mesh().to_crs(srid).to_file(folder / "mesh.gpkg")
            load_it(folder / "mesh.gpkg", id=f"mesh_{srid}", key="no")
        for name, frame in (("lines", _lines()), ("points", _points())):
            frame.to_file(folder / f"{name}.gpkg")
            load_it(folder / f"{name}.gpkg", id=name, key="no")
        with service(dsn) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield client, dsn


def _whole_from(dsn: str, collection: str) -> int:
    """The zoom from which tiles hold whole features."""
    with connect(dsn) as connection:
        return TileLayer(get_dataset(connection, collection)).whole_from


def _is_seen(one: shapely.Geometry) -> bool:
    """Whether something is within the tile, and no line shorter than three units, of which rounding may leave nothing."""
    return bool(one.intersects(SQUARE) and not one.touches(SQUARE) and (one.length > 3 or one.length == 0))


def _are_near(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    """Whether two shapes are one within the tile, but for an affine map that strays by a unit, and rounding by 0.71 in both.

    Areas may differ by so much on average along their border, since slivers taper at a touch; lines by a pixel, since
    ST_AsMVTGeom simplifies them as well.
    """
    if other.area:
        apart = one.intersection(SQUARE).symmetric_difference(other.intersection(SQUARE))
        return bool(apart.area <= _NEAR * max(other.length, 8))
    return all(
        bool((shapely.distance(shape, shapely.points(shapely.get_coordinates(seen))) <= _PIXEL).all())
        for shape, seen in ((one, other.intersection(SQUARE)), (other, one.intersection(SQUARE)))
    )


@pytest.mark.parametrize("z", [13, 14, 16, 18])
@pytest.mark.parametrize("collection", [*(f"mesh_{srid}" for srid in SRIDS), "lines", "points"])
def test_a_tile_holds_what_st_asmvtgeom_would_put_there(
    tiled: tuple[httpx.Client, str], collection: str, z: int
) -> None:
    client, dsn = tiled
    z = max(z, _whole_from(dsn, collection))
    compared = 0
    for tile in around(*HERE, z, reach=1 if z > 13 else 0):
        ours = {
            one.id: one.geometry
            for one in fetch(client, f"/xyz/{collection}/{tile.z}/{tile.x}/{tile.y}.mvt").get(collection, [])
        }
        theirs = reference(dsn, collection, "no", tile)
        seen = {id_ for id_, one in theirs.items() if _is_seen(one)}
        assert seen <= ours.keys()
        for id_ in seen:
            assert _are_near(ours[id_], theirs[id_]), (tile, id_)
        compared += len(seen)
    assert compared > 5


@pytest.mark.parametrize("srid", SRIDS)
@pytest.mark.parametrize("z", [12, 13, 14, 17])
def test_polygons_in_a_tile_are_valid(tiled: tuple[httpx.Client, str], srid: int, z: int) -> None:
    client, _ = tiled
    seen = 0
    for tile in around(*HERE, z, reach=1 if z > 13 else 0):
        for one in fetch(client, f"/xyz/mesh_{srid}/{tile.z}/{tile.x}/{tile.y}.mvt").get(f"mesh_{srid}", []):
            assert one.geometry.is_valid, (tile, one)
            assert one.geometry.area > 0, (tile, one)
            seen += 1
    assert seen > 50


@pytest.mark.parametrize("srid", SRIDS)
@pytest.mark.parametrize("z", [12, 15, 17])
def test_rings_are_wound_as_the_specification_has_it(tiled: tuple[httpx.Client, str], srid: int, z: int) -> None:
    """An outer ring has a positive area by the surveyor's formula, y downwards (MVT 2.1, 4.3.4.4); cells have no others."""
    client, _ = tiled
    tile = around(*HERE, z)[0]
    areas = ring_areas(client.get(f"/xyz/mesh_{srid}/{tile.z}/{tile.x}/{tile.y}.mvt").content)
    assert len(areas) > 10
    assert min(areas) > 0


@pytest.mark.parametrize("srid", SRIDS)
@pytest.mark.parametrize("z", [14, 15, 17])
def test_neighbours_still_share_their_borders(tiled: tuple[httpx.Client, str], srid: int, z: int) -> None:
    client, _ = tiled
    for tile in around(*HERE, z, reach=1):
        features = fetch(client, f"/xyz/mesh_{srid}/{tile.z}/{tile.x}/{tile.y}.mvt").get(f"mesh_{srid}", [])
        inside = [one.geometry for one in features if SQUARE.contains(one.geometry)]
        assert shapely.coverage_is_valid(np.array(inside, dtype=object)), tile


@pytest.mark.parametrize("srid", SRIDS)
def test_nothing_gapes_where_two_tiles_meet(tiled: tuple[httpx.Client, str], srid: int) -> None:
    """What of the mesh lies along the edge of two tiles covers the edge's whole length in both, by the same features."""
    client, _ = tiled
    left, right = around(*HERE, 15)[0], around(*HERE, 15)[0]
    right = right._replace(x=left.x + 1)
    cuts = []
    for tile, edge in ((left, 4096), (right, 0)):
        features = fetch(client, f"/xyz/mesh_{srid}/{tile.z}/{tile.x}/{tile.y}.mvt")[f"mesh_{srid}"]
        line = shapely.linestrings([(edge, 0), (edge, 4096)])
        cuts.append(
            {one.id: one.geometry.intersection(line) for one in features if one.geometry.intersection(line).length > 3}
        )
    assert shapely.union_all(list(cuts[0].values())).length >= 4096 - 3 * len(cuts[0])
    assert cuts[0].keys() == cuts[1].keys()
    for id_, one in cuts[0].items():
        assert abs(one.length - cuts[1][id_].length) <= 4


def test_features_keep_their_ids_and_their_attributes(tiled: tuple[httpx.Client, str]) -> None:
    client, _ = tiled
    tile = around(*HERE, 16)[0]
    features = fetch(client, f"/xyz/mesh_4490/{tile.z}/{tile.x}/{tile.y}.mvt")["mesh_4490"]
    for one in features:
        item = client.get(f"/collections/mesh_4490/items/{one.id}").json()
        assert one.properties == {"kind": item["properties"]["kind"]}


@pytest.mark.parametrize(("matrix_set", "z"), [("WorldCRS84Quad", 13), ("CGCS2000Quad", 13), ("CGCS2000Quad", 16)])
def test_tiles_in_degrees_hold_degrees(tiled: tuple[httpx.Client, str], matrix_set: str, z: int) -> None:
    client, _ = tiled
    side = 180 / 2**z
    column, row = int((HERE[0] + 180) / side), int((90 - HERE[1]) / side)
    features = fetch(client, f"/collections/mesh_4551/tiles/{matrix_set}/{z}/{row}/{column}")["mesh_4551"]
    west, north = column * side - 180, 90 - row * side
    cells = _mesh().to_crs(4490).set_index("no").geometry
    for one in features:
        ours = shapely.transform(
            one.geometry.intersection(SQUARE), lambda at: at * (side / 4096, -side / 4096) + (west, north)
        )
        theirs = cells[one.id].intersection(shapely.box(west, north - side, west + side, north))
        assert ours.symmetric_difference(theirs).area <= (theirs.length + 8 * side / 4096) * _NEAR * side / 4096
    assert len(features) > 10


@pytest.mark.parametrize("collection", [*(f"mesh_{srid}" for srid in SRIDS), "lines", "points"])
@pytest.mark.parametrize("matrix_set", ["WebMercatorQuad", "CGCS2000Quad"])
def test_the_tiles_above_a_place_can_all_be_made(
    tiled: tuple[httpx.Client, str], collection: str, matrix_set: str
) -> None:
    """Down to the one that holds the world, most of which no Gauss-Krüger zone can express."""
    client, _ = tiled
    told = client.get(f"/collections/{collection}/tiles/{matrix_set}").json()
    for one in told["tileMatrixSetLimits"][:12]:
        place = f"{one['tileMatrix']}/{one['minTileRow']}/{one['minTileCol']}"
        answer = client.get(f"/collections/{collection}/tiles/{matrix_set}/{place}")
        assert answer.status_code in (200, 204), (place, answer.text)
    assert answer.status_code == 200


def test_every_tile_of_a_pyramid_together_holds_what_the_tables_hold(api: httpx.Client, live_server: str) -> None:
    """At whole zooms each feature is in some tile with its own attributes; below, nothing is told that is not so."""
    for collection, deepest in (("parcels", 15), ("roads", 14), ("places", 14)):
        told = api.get(f"/collections/{collection}/tiles/WebMercatorQuad").json()
        items = api.get(f"/collections/{collection}/items?limit=10000").json()["features"]
        table = {one["id"]: one["properties"] for one in items}
        for one in told["tileMatrixSetLimits"][: deepest + 1]:
            seen = {}
            for x in range(one["minTileCol"], one["maxTileCol"] + 1):
                for y in range(one["minTileRow"], one["maxTileRow"] + 1):
                    tile = fetch(api, f"/xyz/{collection}/{one['tileMatrix']}/{x}/{y}.mvt")
                    assert tile.keys() <= {collection}
                    seen |= {feature.id: feature.properties for feature in tile.get(collection, [])}
            for id_, properties in seen.items():
                assert id_ == 0 or properties.items() <= table[id_].items()  # merged ones have no id
            if int(one["tileMatrix"]) == deepest:
                assert seen.keys() == table.keys()
