"""Coverages with one thing wrong, in metres and in degrees: what is found, by which rule, and nothing else."""

from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.language import Text
from loaders.profiles import Rule
from loaders.quality.coverage import Coverage
from loaders.quality.topology import TOPOLOGY_KINDS

KINDS = ("overlap", "gap", "near-edge", "outside", "sliver")
PLANE, DEGREES = 4530, 4490
EAST, NORTH = 42_540_000.0, 4_850_000.0
LONGITUDE, LATITUDE = 126.5, 43.8
METRE = (1 / 80_500, 1 / 111_100)  # degrees, about, near there

Shape = shapely.Geometry
Told = dict[str, list[tuple[str | None, str | None]]]


def box(x: float, y: float, wide: float = 100, high: float = 100) -> Shape:
    return shapely.box(x, y, x + wide, y + high)


def placed(shapes: list[Shape], srid: int) -> np.ndarray:
    """Shapes drawn in metres from a corner, at their place in a CRS."""
    origin, scale = ((EAST, NORTH), (1, 1)) if srid == PLANE else ((LONGITUDE, LATITUDE), METRE)
    array = np.array([None, *shapes], dtype=object)[1:]
    return np.asarray(shapely.transform(array, lambda xy: np.array(origin) + xy * scale)) if shapes else array


def coverage(shapes: list[Shape], srid: int = PLANE, boundary: list[Shape] | None = None, mended: int = -1) -> Coverage:
    flags = np.arange(len(shapes)) == mended
    return Coverage(placed(shapes, srid), placed(boundary or [], srid), flags, srid, 0.001)


def rule(kind: str) -> Rule:
    return Rule(kind, kind, "error", "", Text("", ""), {"tolerance": 0.2})


def told(given_: Coverage) -> Told:
    """What each rule finds; shapes are called a, b, c ..."""
    keys = np.array([chr(97 + n) for n in range(len(given_.shapes))], dtype=object)
    found = {kind: TOPOLOGY_KINDS[kind](rule(kind), given_, keys).findings for kind in KINDS}
    return {kind: sorted((one.key, one.other) for one in those) for kind, those in found.items() if those}


def measured(given_: Coverage, kind: str) -> float:
    keys = np.arange(len(given_.shapes)).astype(str).astype(object)
    (one,) = TOPOLOGY_KINDS[kind](rule(kind), given_, keys).findings
    return float(one.measured or 0)


both = pytest.mark.parametrize("srid", [PLANE, DEGREES])
FOUR = [box(0, 0), box(100, 0), box(0, 100), box(100, 100)]


@both
def test_neighbours_that_share_their_edges_are_right(srid: int) -> None:
    assert told(coverage(FOUR, srid)) == {}
    assert told(coverage(FOUR, srid, [box(0, 0, 200, 200)])) == {}


@both
def test_corners_that_only_one_neighbour_has_are_right(srid: int) -> None:
    """A long side against two short ones, askew, so that the corner between them is rounded off the long side."""
    corner = (33.3333, 71.4286)
    long = shapely.Polygon([(0, 0), (100, 33.3333), (66.6667, 142.8571), (-40, 100)])
    along = shapely.LineString([(0, 0), (100, 33.3333)]).interpolate(1 / 3, normalized=True)
    one = shapely.Polygon([(0, 0), (along.x, along.y), (along.x, -80), (0, -80)])
    other = shapely.Polygon([(along.x, along.y), (100, 33.3333), (100, -80), (along.x, -80)])
    assert long.contains(shapely.Point(corner))
    assert told(coverage([long, one, other], srid)) == {}


@both
def test_an_overlap_is_told_with_both_and_its_area(srid: int) -> None:
    given_ = coverage([box(0, 0, 110), *FOUR[1:]], srid)
    assert told(given_) == {"overlap": [("a", "b")]}
    assert measured(given_, "overlap") == pytest.approx(1000, rel=0.01)


@both
def test_a_gap_is_told_with_its_neighbours_and_its_area(srid: int) -> None:
    notched = shapely.difference(FOUR[0], box(95, 20, 5, 60))
    given_ = coverage([notched, *FOUR[1:]], srid)
    assert told(given_) == {"gap": [("a", "b")]}
    assert measured(given_, "gap") == pytest.approx(300, rel=0.01)


def test_a_gap_of_many_neighbours_is_told_with_the_first() -> None:
    nine = [box(x, y) for x in (0, 100, 200) for y in (0, 100, 200) if (x, y) != (100, 100)]
    assert told(coverage(nine)) == {"gap": [("b", None)]}


def test_what_stands_in_a_gap_is_no_part_of_it() -> None:
    ring = shapely.difference(box(0, 0, 300, 300), box(50, 50, 200, 200))
    given_ = coverage([ring, box(100, 100, 50, 50), box(200, 200, 20, 20)])
    assert told(given_) == {"gap": [("a", None)]}
    assert measured(given_, "gap") == pytest.approx(40_000 - 2500 - 400, rel=0.001)


def test_a_hole_that_a_neighbour_fills_is_none() -> None:
    ring = shapely.difference(box(0, 0, 300, 300), box(50, 50, 200, 200))
    assert told(coverage([ring, box(50, 50, 200, 100), box(50, 150, 200, 100)])) == {}


@both
@pytest.mark.parametrize("off", [0.05, -0.05])
def test_edges_that_nearly_match_are_neither_gap_nor_overlap(srid: int, off: float) -> None:
    bent = shapely.Polygon([(0, 0), (100, 0), (100 + off, 50), (100, 100), (0, 100)])
    assert told(coverage([bent, *FOUR[1:]], srid)) == {"near-edge": [("a", "b")]}


@both
def test_what_is_less_than_a_millimetre_is_the_rounding_of_coordinates(srid: int) -> None:
    dice = np.random.default_rng(1)
    noisy = [shapely.Polygon(shapely.get_coordinates(one)[:-1] + dice.uniform(-2e-4, 2e-4, (4, 2))) for one in FOUR]
    assert told(coverage(noisy, srid)) == {}


@both
def test_outside_the_boundary(srid: int) -> None:
    boundary = [box(0, 0, 100, 200), box(100, 0, 100, 200)]
    out = shapely.union(FOUR[3], box(200, 120, 15, 30))
    given_ = coverage([*FOUR[:3], out], srid, boundary)
    assert told(given_) == {"outside": [("d", None)]}
    assert measured(given_, "outside") == pytest.approx(450, rel=0.01)


def test_far_outside_are_all_of_them() -> None:
    away = [box(1000, 0), box(1100, 0)]
    assert told(coverage([*FOUR, *away], boundary=[box(0, 0, 200, 200)])) == {"outside": [("e", None), ("f", None)]}


@both
def test_a_boundary_that_is_not_filled_shows_as_a_gap(srid: int) -> None:
    boundary = [box(0, 0, 200, 260)]
    assert told(coverage(FOUR, srid, boundary)) == {"gap": [("c", "d")]}
    assert measured(coverage(FOUR, srid, boundary), "gap") == pytest.approx(12_000, rel=0.01)


def test_a_boundary_with_other_corners_is_the_same_boundary() -> None:
    boundary = shapely.Polygon([(0, 0), (70, 0), (200, 0), (200, 200), (110, 200), (0, 200), (0, 33)])
    assert told(coverage(FOUR, boundary=[boundary])) == {}


@both
def test_the_same_shape_twice(srid: int) -> None:
    assert told(coverage([*FOUR, FOUR[0]], srid)) == {"overlap": [("a", "e")]}


def test_one_inside_another() -> None:
    assert told(coverage([box(0, 0, 300, 300), box(100, 100, 50, 50)])) == {"overlap": [("a", "b")]}


def test_a_large_one_over_several() -> None:
    pairs = [("a", "e"), ("b", "e"), ("c", "e"), ("d", "e")]
    assert told(coverage([*FOUR, box(0, 0, 200, 200)])) == {"overlap": pairs}


def test_two_coverages_on_each_other_are_found_to_their_middle() -> None:
    """Nothing but the outline is left over of either: the pairs in the middle are found from their neighbours."""
    fine = [box(x, y, 25, 25) for x in range(0, 200, 25) for y in range(0, 200, 25)]
    coarse = [box(x, y, 40, 40) for x in range(0, 200, 40) for y in range(0, 200, 40)]
    given_ = coverage([*fine, *coarse])
    found = TOPOLOGY_KINDS["overlap"](rule("overlap"), given_, np.arange(len(given_.shapes)).astype(str)).findings
    shared = [one.intersection(other).area > 1 for one, other in combinations([*fine, *coarse], 2)]
    assert len(found) == sum(shared)


def test_parts_and_holes_belong_to_their_shape() -> None:
    multi = shapely.union_all([FOUR[0], FOUR[3]])
    assert multi.geom_type == "MultiPolygon"
    assert told(coverage([multi, FOUR[1], FOUR[2]])) == {}
    assert told(coverage([multi, box(100, 0, 100, 110), FOUR[2]])) == {"overlap": [("a", "b")]}


def test_slivers() -> None:
    sliver = shapely.Polygon([(100, 0), (100, 100), (99.7, 50)])
    rest = shapely.difference(FOUR[0], sliver)
    assert told(coverage([rest, *FOUR[1:], sliver])) == {"sliver": [("e", None)]}
    road = box(200, 0, 4, 500)
    assert told(coverage([*FOUR, road])) == {}


def test_a_shape_that_crossed_itself_does_not_blame_its_neighbours() -> None:
    """A figure of eight where a square was: its halves leave two open triangles, of which the square is the reason."""
    eight = shapely.make_valid(shapely.Polygon([(100, 0), (200, 100), (200, 0), (100, 100)]))
    around = [box(x, y) for x in (0, 100, 200) for y in (-100, 0, 100) if (x, y) != (100, 0)]
    assert told(coverage([*around, eight], mended=8)) == {}
    assert "gap" in told(coverage([*around, eight]))


def test_it_does_not_matter_which_way_outlines_are_wound() -> None:
    turned = [shapely.reverse(one) if n % 2 else one for n, one in enumerate(FOUR)]
    assert told(coverage(turned)) == {}


def test_far_apart_is_as_good_as_near() -> None:
    """From one end of the country to the other: more cells than 64 bits have room for, were they not larger."""
    squares = [shapely.box(x, 30, x + 0.01, 30.01) for x in (75, 75.01, 130, 130.01)]
    long = shapely.LineString([(110.123456789, 30), (110.234567891, 30.0612345678)])
    corner = long.interpolate(0.37, normalized=True)
    ends = [(end.x, end.y) for end in (long.boundary.geoms[0], corner, long.boundary.geoms[1])]
    sides = [
        shapely.Polygon([*pair, (110.2, y)]) for pair, y in ((ends[:2], 29), (ends[1:], 29), ((ends[0], ends[2]), 31))
    ]
    shapes = np.array([*squares, shapely.box(100, 20, 100.01, 50), *sides], dtype=object)
    given_ = Coverage(shapes, np.empty(0, object), np.zeros(8, bool), DEGREES, 0.001)
    assert told(given_) == {}


corner = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 5), st.integers(1, 5))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(corner, corner, st.booleans()), min_size=1, max_size=7))
def test_pairs_and_gaps_are_those_that_looking_at_every_pair_finds(
    drawn: list[tuple[tuple[int, ...], tuple[int, ...], bool]],
) -> None:
    shapes = [_drawn(*one) for one in drawn]
    shapes = [one for one in shapes if one.area > 0]
    assume(shapes)
    keys = np.array([f"{n}" for n in range(len(shapes))], dtype=object)
    given_ = coverage(shapes)
    pairs = {
        (f"{one}", f"{other}"): round(shapes[one].intersection(shapes[other]).area, 1)
        for one, other in combinations(range(len(shapes)), 2)
        if shapes[one].intersection(shapes[other]).area > 1
    }
    overlaps = TOPOLOGY_KINDS["overlap"](rule("overlap"), given_, keys).findings
    assert {(one.key, one.other): round(one.shape.area, 1) for one in overlaps} == pairs  # type: ignore[union-attr]
    union = shapely.union_all(shapes)
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(shapely.boundary(union))]))
    open_ = sum(face.area for face in faces if not union.contains(face.representative_point()))
    gaps = TOPOLOGY_KINDS["gap"](rule("gap"), given_, keys).findings
    assert sum(one.shape.area for one in gaps if one.shape) == pytest.approx(open_, abs=0.5)


def _drawn(one: tuple[int, ...], other: tuple[int, ...], cut: bool) -> Shape:
    first, second = box(*(10.0 * n for n in one)), box(*(10.0 * n for n in other))
    return shapely.difference(first, second) if cut else shapely.union(first, second)
