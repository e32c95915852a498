"""The H3 grid: codes, outlines, and the cells over an area."""

from itertools import pairwise

import h3 as reference
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as some

from core.crs import CRS84, Srid
from core.shapes import project
from grids import h3
from grids.cells import OutlineTooLong, TooManyCells

ZONE = Srid(4551)
CITY = shapely.Point(126.55, 43.84).buffer(0.05)


@given(some.floats(-180, 180), some.floats(-90, 90), some.integers(0, 15))
def test_every_place_has_a_code_and_every_code_a_cell(lon: float, lat: float, resolution: int) -> None:
    code = h3.code_at(lon, lat, resolution)
    assert code == reference.latlng_to_cell(lat, lon, resolution)
    assert h3.cell_of(code) == reference.str_to_int(code)


@pytest.mark.parametrize(
    "code", ["", "8731aab91fffff", "8731AAB91ffffff", "ffffffffffffffff", "0x8731", "x" * 5000, "1"]
)
def test_other_spellings_are_refused(code: str) -> None:
    with pytest.raises(h3.BadH3Code):
        h3.cell_of(code)


def test_an_outline_is_anticlockwise_and_holds_its_place() -> None:
    outline = h3.outline_of(h3.cell_of(h3.code_at(126.55, 43.84, 8)))
    assert outline.exterior.is_ccw
    assert outline.contains(shapely.Point(126.55, 43.84))
    assert len(outline.exterior.coords) == 7


@pytest.mark.parametrize("resolution", [6, 7, 8, 9])
def test_cells_cover_an_area_without_gaps_or_overlaps(resolution: int) -> None:
    cells = h3.cover(CITY, ZONE, resolution, 10_000)
    flat = project(CITY, CRS84, ZONE)
    assert shapely.union_all(cells.shapes).covers(flat)
    assert shapely.intersects(cells.shapes, flat).all()
    assert shapely.union_all(cells.shapes).area == pytest.approx(shapely.area(cells.shapes).sum(), rel=1e-12)
    inside = {code for code in cells.ids if CITY.contains(shapely.Point(reference.cell_to_latlng(code)[::-1]))}
    assert inside == set(reference.geo_to_cells(CITY, resolution))


def test_neighbours_share_their_corners_to_the_last_bit() -> None:
    cells = h3.cover(CITY, ZONE, 9, 10_000)
    corners = [set(map(tuple, shapely.get_coordinates(shape))) for shape in cells.shapes]
    place = {code: n for n, code in enumerate(cells.ids)}
    for code, mine in zip(cells.ids, corners, strict=True):
        for neighbour in set(reference.grid_ring(code, 1)) & place.keys():
            assert len(mine & corners[place[neighbour]]) == 2


def test_each_edge_belongs_to_one_cell() -> None:
    cells = h3.cover(CITY, ZONE, 8, 10_000)
    lost = {edge for shape in cells.lost for edge in _edges(shape)}
    for shape, mine in zip(cells.shapes, cells.lost, strict=True):
        kept = _edges(shape.exterior) - _edges(mine)
        assert _edges(mine) <= _edges(shape.exterior)
        shared = [edge for other in cells.shapes if other is not shape for edge in _edges(other.exterior) & kept]
        assert lost.issuperset(shared)
    assert sum(len(_edges(shape)) for shape in cells.lost) == len(lost)


def _edges(shape: shapely.Geometry) -> set[frozenset[tuple[float, float]]]:
    lines = [line.coords for line in shapely.get_parts(shape)]
    return {frozenset(pair) for line in lines for pair in pairwise(line)}


def test_the_inner_box_lies_within_the_cell() -> None:
    cells = h3.cover(CITY, ZONE, 8, 10_000)
    boxes = shapely.box(*cells.inner.T)
    assert shapely.contains_properly(cells.shapes, boxes).all()
    assert (shapely.area(boxes) > 0.4 * shapely.area(cells.shapes)).all()


def test_too_many_cells_are_refused_before_they_are_made_with_a_resolution_that_will_do() -> None:
    with pytest.raises(TooManyCells) as caught:
        h3.cover(CITY, ZONE, 15, 10_000)
    assert "Ask for resolution 10 or less" in caught.value.text.en
    assert len(h3.cover(CITY, ZONE, 10, 10_000).ids) <= 10_000


def test_a_zigzag_is_refused_though_it_has_no_area() -> None:
    zigzag = shapely.LineString([(126 + n % 2, 43 + n / 2000) for n in range(2000)]).buffer(1e-9, quad_segs=1)
    with pytest.raises(OutlineTooLong):
        h3.cover(zigzag, ZONE, 12, 10_000)


def test_nothing_is_covered_by_nothing() -> None:
    assert h3.cover(shapely.Polygon(), ZONE, 8, 10).ids == []
