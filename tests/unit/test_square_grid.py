"""The square grid: codes, corners, and the cells over an area."""

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as some

from core.crs import CRS84, Srid
from core.shapes import project, transform_points
from grids import square
from grids.cells import OutlineTooLong, TooManyCells, plane_of
from grids.square import BadCellCode, Cell, cell_at, cell_of, code_of, polygon_of

ZONE = Srid(4551)
METRES = some.integers(-50_000_000, 50_000_000)
SIZES = some.sampled_from([1, 25, 30, 250, 999, 1000, 1500, 2000, 10_000, 100_000])


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (Cell(1000, 544_000, 4_856_000), "1km_E544N4856"),
        (Cell(250, 544_250, 4_856_000), "250m_E544250N4856000"),
        (Cell(1500, 543_000, 4_855_500), "1500m_E543000N4855500"),
        (Cell(10_000, 42_540_000, 4_850_000), "10km_E42540N4850"),
        (Cell(1000, -3000, 0), "1km_E-3N0"),
    ],
)
def test_a_code_names_size_and_corner(cell: Cell, code: str) -> None:
    assert code_of(cell) == code
    assert cell_of(code) == cell


@given(METRES, METRES, SIZES)
def test_every_cell_has_one_code_and_every_code_one_cell(x: int, y: int, size: int) -> None:
    cell = cell_at(x, y, size)
    assert cell_of(code_of(cell)) == cell


@given(some.floats(-5e7, 5e7), some.floats(-5e7, 5e7), SIZES)
def test_a_point_lies_in_its_cell(x: float, y: float, size: int) -> None:
    cell = cell_at(x, y, size)
    assert cell.east <= x < cell.east + size
    assert cell.north <= y < cell.north + size


def test_points_on_a_corner_belong_to_the_cell_north_east_of_it() -> None:
    assert cell_at(544_000, 4_856_000, 1000) == Cell(1000, 544_000, 4_856_000)


@pytest.mark.parametrize(
    "code",
    ["", "1km_E544", "1000m_E544000N4856000", "250m_E544100N4856000", "0m_E0N0", "1km_E0544N4856", "1km_E544N4856 ",
     "1km_E-0N0", "1km_E٥N1", "1km_E" + "9" * 5000 + "N1", "01km_E544N4856"],
)  # fmt: skip
def test_other_spellings_are_refused(code: str) -> None:
    with pytest.raises(BadCellCode):
        cell_of(code)


def test_a_cell_is_a_square_with_its_corner_lower_left() -> None:
    polygon = polygon_of(cell_of("1km_E544N4856"))
    assert polygon.bounds == (544_000, 4_856_000, 545_000, 4_857_000)
    assert polygon.area == 1e6
    assert polygon.exterior.is_ccw


def test_cells_cover_an_area_without_gaps_or_overlaps() -> None:
    area = shapely.Point(126.55, 43.84).buffer(0.05)
    cells = square.cover(area, ZONE, 700, 10_000)
    assert shapely.area(shapely.union_all(cells.shapes)) == pytest.approx(len(cells.ids) * 700**2)
    assert shapely.union_all(cells.shapes).covers(project(area, CRS84, ZONE))
    assert shapely.intersects(cells.shapes, project(area, CRS84, ZONE)).all()
    assert [code_of(cell_at(*shape.centroid.coords[0], 700)) for shape in cells.shapes] == cells.ids


def test_a_cell_loses_its_upper_and_right_edges() -> None:
    cells = square.cover(shapely.Point(126.55, 43.84).buffer(1e-6), ZONE, 1000, 10)
    west, south, east, north = cells.shapes[0].bounds
    assert list(cells.lost[0].coords) == [(west, north), (east, north), (east, south)]
    assert cells.inner.tolist() == [[west, south, east, north]]


def test_outlines_are_curved_where_the_cell_is_large() -> None:
    outline = square.outline_of(shapely.box(500_000, 4_800_000, 600_000, 4_900_000), ZONE)
    assert shapely.get_num_coordinates(outline) == 4 * 50 + 1
    assert transform_points(outline, CRS84, ZONE).area == pytest.approx(1e10, rel=1e-12)


def test_too_many_cells_are_refused_before_they_are_made_with_a_size_that_will_do() -> None:
    area = shapely.box(126, 43, 127, 44)
    with pytest.raises(TooManyCells) as caught:
        square.cover(area, ZONE, 1, 10_000)
    assert "Ask for a size of 1100 m or more" in caught.value.text.en
    assert len(square.cover(area, ZONE, 1100, 10_000).ids) <= 10_000


def test_a_narrow_area_is_counted_by_itself_and_not_by_its_bounds() -> None:
    diagonal = shapely.LineString([(126, 43), (127, 44)]).buffer(1e-5)
    assert len(square.cover(diagonal, ZONE, 1000, 400).ids) < 400


def test_a_zigzag_is_refused_though_it_has_no_area() -> None:
    zigzag = shapely.LineString([(126 + n % 2, 43 + n / 2000) for n in range(2000)]).buffer(1e-9, quad_segs=1)
    with pytest.raises(OutlineTooLong):
        square.cover(zigzag, ZONE, 1000, 20_000)


def test_nothing_is_covered_by_nothing() -> None:
    assert square.cover(shapely.Polygon(), ZONE, 1000, 10).ids == []


@pytest.mark.parametrize(
    ("stored", "place", "plane"),
    [
        (4551, (126.5, 43.8), 4551),
        (4530, (126.5, 43.8), 4530),  # easting with the zone in front
        (4549, (126.5, 43.8), 4549),  # its own, though the neighbouring zone would be nearer
        (4490, (126.5, 43.8), 4551),
        (4490, (121.47, 31.2), 4549),
        (4326, (116.4, 39.9), 4548),
        (3857, (126.5, 43.8), 4551),  # Web Mercator would double the areas
        (4326, (2.3, 48.9), 32631),
        (4326, (-43.2, -22.9), 32723),
        (4326, (180, 0), 32601),
        (32652, (126.5, 43.8), 32652),
        (2263, (-74, 40.7), 32618),  # feet
    ],
)
def test_cells_are_measured_in_the_citys_own_plane(stored: int, place: tuple[float, float], plane: int) -> None:
    assert plane_of(Srid(stored), *place) == plane
