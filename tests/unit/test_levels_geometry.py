"""The geometry of low zooms: neighbours, groups, cells, mosaics and chains, as pure functions."""

import numpy as np
import pytest
import shapely

from core.crs import Srid
from tiles.levels.cells import cells_of, halved_cells
from tiles.levels.dissolve import dissolve, simplify, snap
from tiles.levels.districts import districts, unpacked
from tiles.levels.level import Level, Traits
from tiles.levels.lines import coarser
from tiles.levels.merge import Limits, borders, merge
from tiles.levels.mosaic import Mosaic, mosaic, outlines
from tiles.levels.places import in_degrees, to_units
from tiles.levels.share import share_out
from tiles.levels.source import in_metres_of_the_map
from tiles.levels.units import HALF_WORLD, hilbert, unit


def ones(count: int) -> np.ndarray:
    return np.ones(count, dtype=np.int64)


def squares(*corners: tuple[int, int], side: int = 10) -> np.ndarray:
    return np.array([shapely.box(x, y, x + side, y + side) for x, y in corners])


def test_neighbours_are_those_that_share_an_edge() -> None:
    found = borders(squares((0, 0), (10, 0), (10, 10), (40, 40)))
    assert list(zip(found.left, found.right, found.length, strict=True)) == [(0, 1, 10), (1, 2, 10)]


def test_a_hole_and_what_fills_it_are_neighbours() -> None:
    ring = shapely.Polygon(shapely.box(0, 0, 30, 30).exterior, [shapely.box(10, 10, 20, 20).exterior])
    found = borders(np.array([ring, shapely.box(10, 10, 20, 20)]))
    assert found.length.tolist() == [40]


def test_a_small_area_joins_its_own_class_before_a_longer_border() -> None:
    shapes = np.array([shapely.box(0, 0, 4, 10), shapely.box(4, 0, 30, 10), shapely.box(0, 10, 4, 40)])
    groups = merge(shapely.area(shapes), np.array([1, 2, 1]), borders(shapes), Limits(50, 50))
    assert groups.tolist() == [0, 1, 0]
    other = merge(shapely.area(shapes), np.array([1, 2, 3]), borders(shapes), Limits(50, 50))
    assert other.tolist() == [0, 0, 1]


def test_merging_ends_when_no_area_is_too_small_and_has_a_neighbour() -> None:
    dice = np.random.default_rng(1)
    shapes = squares(*((x * 10, y * 10) for x in range(30) for y in range(30)))
    groups = merge(shapely.area(shapes), dice.integers(0, 4, 900), borders(shapes), Limits(600, 2000))
    sizes = np.bincount(groups, shapely.area(shapes))
    assert sizes.min() >= 600
    united = dissolve(shapes, groups)
    assert shapely.area(united) == pytest.approx(sizes)
    assert (shapely.get_type_id(united) == 3).all()  # each group hangs together


def test_overlapping_areas_are_united_as_well() -> None:
    united = dissolve(squares((0, 0), (5, 5), (100, 0)), np.array([0, 0, 1]))
    assert shapely.area(united) == pytest.approx([175, 100])
    assert shapely.is_valid(united).all()


def test_cells_hold_exactly_what_lies_in_them() -> None:
    dice = np.random.default_rng(2)
    corners = dice.uniform(0, 60, (40, 3, 2))
    holed = shapely.Polygon(shapely.box(3, 3, 55, 50).exterior, [shapely.box(10, 10, 31.5, 20.25).exterior])
    shapes = np.array([*shapely.polygons(corners), holed])
    kinds = np.arange(len(shapes))
    cells = cells_of(shapes, kinds, 8, ones(len(shapes)))
    for x, y, kind, share in zip(cells.x, cells.y, cells.klass, cells.share, strict=True):
        cell = shapely.box(8 * x, 8 * y, 8 * x + 8, 8 * y + 8)
        assert shapely.area(shapely.intersection(shapes[kind], cell)) / 64 == pytest.approx(share, abs=1e-6)
    assert cells.share.sum() * 64 == pytest.approx(shapely.area(shapes).sum(), rel=1e-6)
    assert cells.members.sum() == len(shapes)


def test_coarser_cells_hold_what_the_finer_ones_did() -> None:
    shapes = squares((3, 3), (17, 29), (50, 8))
    fine = cells_of(shapes, np.array([0, 1, 1]), 4, ones(3))
    coarse = halved_cells(fine)
    direct = cells_of(shapes, np.array([0, 1, 1]), 8, ones(3))
    some = direct.share > 0
    assert coarse.share[coarse.share > 0] == pytest.approx(direct.share[some], abs=1e-6)
    assert coarse.members.sum() == 3


def test_cells_come_back_from_their_districts_as_they_were() -> None:
    cells = cells_of(squares((0, 0), (150, 200), (500, 10), side=90), np.array([0, 1, 2]), 8, ones(3))
    back = unpacked(packed for _, _, packed in districts(cells))
    for one, other in zip(cells, back, strict=True):
        assert one.tolist() == other.tolist()


def test_a_lone_house_is_shown_as_one_cell() -> None:
    shown = mosaic(cells_of(squares((1000, 1000), side=2), np.array([0]), 8, ones(1)), 1)
    assert len(shown.x) == 1
    assert shown.members.tolist() == [1]


def test_a_suburb_shows_as_many_cells_as_its_houses_cover() -> None:
    houses = squares(*((x * 16, y * 16) for x in range(64) for y in range(64)), side=8)  # a quarter is covered
    shapes = shapely.transform(houses, lambda xy: xy + 4)
    shown = mosaic(cells_of(shapes, np.zeros(len(shapes), dtype=np.int64), 8, ones(len(shapes))), 1)
    assert len(shown.x) * 64 == pytest.approx(shapely.area(shapes).sum(), rel=0.02)
    assert shown.members.sum() == len(shapes)


def test_classes_are_shown_in_their_shares_though_one_leads_everywhere() -> None:
    amounts = np.tile([0.6, 0.3, 0.1], (1000, 1))
    shown = share_out(amounts, np.zeros(1000, dtype=np.int64))
    assert np.bincount(shown, minlength=3) / 1000 == pytest.approx([0.6, 0.3, 0.1], abs=0.002)


def test_a_row_shows_only_what_is_in_it() -> None:
    dice = np.random.default_rng(3)
    amounts = dice.random((500, 5)) * (dice.random((500, 5)) < 0.4)
    amounts[:, 0] += 1e-3
    shown = share_out(amounts, dice.integers(0, 7, 500))
    assert (amounts[np.arange(500), shown] > 0).all()


def test_outlines_cover_each_cell_once_with_its_class() -> None:
    dice = np.random.default_rng(4)
    y, x = (part.ravel() for part in np.nonzero(dice.random((40, 40)) < 0.8))
    klass = dice.integers(0, 3, len(x))
    shown = Mosaic(x.astype(np.int64), y.astype(np.int64), klass, np.ones(len(x)))
    faces, face = outlines(shown)
    assert shapely.is_valid(faces).all()
    assert shapely.area(faces) == pytest.approx(np.bincount(face))
    assert shapely.contains_xy(faces[face], x + 0.5, y + 0.5).all()
    assert all(len(set(klass[face == one])) == 1 for one in range(len(faces)))
    assert shapely.area(shapely.union_all(faces)) == pytest.approx(len(x))


def test_areas_on_the_grid_are_valid_and_what_collapses_is_empty() -> None:
    turn = np.linspace(0, 2 * np.pi, 3000, endpoint=False)
    reach = 100 + 3 * np.random.default_rng(5).random(len(turn))
    star = shapely.polygons(np.column_stack([reach * np.cos(turn), reach * np.sin(turn)]))
    snapped = snap(np.array([star, shapely.box(0, 0, 0.3, 0.3)]))
    assert shapely.is_valid(snapped).all()
    assert shapely.area(snapped[0]) == pytest.approx(shapely.area(star), rel=0.01)
    assert shapely.is_empty(snapped[1])


def test_areas_with_spikes_are_mended_before_their_borders_are_simplified() -> None:
    square = shapely.box(0, 0, 100, 100)
    spiked = shapely.Polygon([(100, 0), (200, 0), (200, 100), (150, 100), (150, 150), (150, 100), (100, 100)])
    shapes = np.array([square, spiked], dtype=object)
    for simple in (simplify(shapes), simplify(shapes, np.array([0, 0]))):
        assert shapely.is_valid(simple).all()
        assert shapely.area(simple).tolist() == [10_000, 10_000]


def test_lines_of_one_kind_join_end_to_end_and_others_do_not() -> None:
    lines = shapely.linestrings(
        [[(0, 0), (100, 0)], [(100, 0), (200, 50)], [(200, 50), (300, 0)], [(100, 0), (100, 90)]]
    )
    kinds = np.array([0, 0, 1, 1])
    traits = Traits(np.arange(4), np.zeros((4, 0), np.int32), kinds, ones(4), np.zeros((4, 1), np.float32))
    made = coarser(Level(5, lines, traits), kinds, 0)
    assert sorted(made.level.traits.members.tolist()) == [1, 1, 2]
    assert made.parent[0] == made.parent[1]
    assert shapely.length(made.level.shapes).sum() == pytest.approx(shapely.length(lines).sum(), rel=0.01)


def test_the_hilbert_curve_visits_each_cell_once_and_steps_to_a_neighbour() -> None:
    y, x = (part.ravel().astype(np.int64) for part in np.indices((16, 16)))
    place = hilbert(x, y, 4)
    assert sorted(place) == list(range(256))
    order = np.argsort(place)
    assert (np.abs(np.diff(x[order])) + np.abs(np.diff(y[order])) == 1).all()


def test_what_crosses_the_antimeridian_is_carried_round() -> None:
    moved = in_metres_of_the_map(np.array([shapely.box(179, 10, 181, 12)]), Srid(4326))[0]
    assert shapely.get_num_geometries(moved) == 2
    west, _, east, _ = moved.bounds
    assert (west, east) == pytest.approx((-HALF_WORLD, HALF_WORLD))
    assert moved.area == pytest.approx(
        2 * in_metres_of_the_map(np.array([shapely.box(10, 10, 11, 12)]), Srid(4326))[0].area
    )


def test_what_lies_beyond_the_square_world_is_cut_off() -> None:
    moved = in_metres_of_the_map(np.array([shapely.box(0, 80, 10, 90), shapely.Point(0, 89)]), Srid(4326))
    assert moved[0].bounds[3] == pytest.approx(HALF_WORLD)
    assert shapely.is_empty(moved[1])


def test_boxes_come_back_from_units_as_they_were() -> None:
    boxes = np.array([[126.5, 43.8, 126.6, 43.9], [-180, -85, 180, 85]])
    assert in_degrees(to_units(boxes, 9) * unit(9) - HALF_WORLD) == pytest.approx(boxes)
