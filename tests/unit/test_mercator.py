"""Tiles that a box touches: the same as morecantile finds, and never one too few at an edge."""

import math

import morecantile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import BBox
from core.mercator import Tile, TileRange, tile_range

TMS = morecantile.tms.get("WebMercatorQuad")
LONGITUDES, LATITUDES = st.floats(-150, 150), st.floats(-85, 85)


def test_a_point_touches_the_tile_that_it_lies_in() -> None:
    jilin = BBox(126.55, 43.84, 126.55, 43.84)
    assert tile_range(jilin, 0) == [TileRange(0, 0, 0, 0, 0)]
    assert tile_range(jilin, 12, buffer=0) == [TileRange(12, 3487, 1491, 3487, 1491)]


@given(LONGITUDES, LATITUDES, st.integers(0, 24))
def test_the_tile_of_a_point_is_morecantiles(longitude: float, latitude: float, zoom: int) -> None:
    x, y, z = TMS.tile(longitude, latitude, zoom)
    (found,) = tile_range(BBox(longitude, latitude, longitude, latitude), zoom, buffer=1e-6)
    assert Tile(z, x, y) in found
    assert found.size <= 4


@given(LONGITUDES, LATITUDES, st.floats(0, 0.5), st.floats(0, 0.5), st.integers(0, 12))
def test_a_box_touches_every_tile_whose_buffered_square_it_meets(
    west: float, south: float, width: float, height: float, zoom: int
) -> None:
    box = BBox(west, south, min(179.9, west + width), min(85.0, south + height))
    (found,) = tile_range(box, zoom)
    for tile in found.tiles():
        square = TMS.xy_bounds(morecantile.Tile(tile.x, tile.y, tile.z))
        margin = (square.right - square.left) * 64 / 4096 * 1.001 + 1e-3
        left, bottom = TMS.xy(box.west, box.south)
        right, top = TMS.xy(box.east, box.north)
        assert left <= square.right + margin
        assert right >= square.left - margin
        assert bottom <= square.top + margin
        assert top >= square.bottom - margin
    for corner in ((box.west, box.south), (box.east, box.north)):
        x, y, z = TMS.tile(*corner, zoom)
        assert Tile(z, x, y) in found


def test_what_ends_at_an_edge_touches_both_sides_of_it() -> None:
    assert tile_range(BBox(-90, 10, 0, 20), 1, buffer=0) == [TileRange(1, 0, 0, 1, 0)]


def test_what_lies_within_the_buffer_of_a_neighbour_touches_it() -> None:
    side = 360 / 2**10
    near, far = 63 / 4096 * side, 65 / 4096 * side
    assert {one.left for one in tile_range(BBox(near, 10, near, 10), 10)} == {511}
    assert {one.left for one in tile_range(BBox(far, 10, far, 10), 10)} == {512}


@pytest.mark.parametrize("box", [BBox(179, 0, -179, 1), BBox(179, 0, 181, 1)])
def test_a_box_across_the_antimeridian_touches_tiles_on_both_sides(box: BBox) -> None:
    found = tile_range(box, 4)
    assert [(one.left, one.right) for one in found] == [(15, 15), (0, 0)]


def test_the_whole_world_is_every_tile_once() -> None:
    (found,) = tile_range(BBox(-180, -90, 180, 90), 3)
    assert found == TileRange(3, 0, 0, 7, 7)
    assert len(set(found.tiles())) == found.size == 64


def test_the_poles_count_as_the_edge_of_the_square() -> None:
    assert tile_range(BBox(0, 89, 1, 90), 5)[0].top == 0
    assert tile_range(BBox(0, -90, 1, -89), 5)[0].bottom == 31
    assert math.isclose(TMS.bounds(morecantile.Tile(0, 0, 0)).top, 85.0511, abs_tol=1e-3)
