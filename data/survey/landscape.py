"""The ground plan of a made-up survey: where it lies, which blocks it has, their villages and zones, and its parcels."""

from functools import cache
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Transformer

from data.sample.divisions import City, Divisions, find_city
from data.sample.errors import NoSuchCity
from data.sample.ground import Waves
from data.sample.places import city_centre, find_places
from data.sample.shapes import CGCS2000, Floats, Ints, Plane, Shapes, xy
from data.survey.classes import choose_zones
from data.survey.faces import Edges, border_edges, polygons
from data.survey.lattice import BLOCK, CELL, PERIOD, STRIPS, WIDTHS, Lattice
from data.survey.layout import Plots, count_parcels, lay_out
from data.survey.units import NOBODY, Units, divide_blocks

PARCELS_PER_BLOCK = 18.0
MARGIN = 40.0  # metres between the survey and the districts' boundary, at the least
ROOM = 0.7  # of the districts' area at the most is surveyed
DECIMALS = 9  # of a degree: a tenth of a millimetre


class Landscape(NamedTuple):
    """Polygons of the parcels in EPSG:4490, and all that their attributes are told by."""

    plane: Plane
    divisions: Divisions
    units: Units
    zones: Ints
    slopes: Ints
    plots: Plots
    shapes: Shapes
    edges: Edges
    points: Floats
    middles: Floats


def draw(code: str, parcels: int, seed: int) -> Landscape:
    """About `parcels` parcels around the city's centre; `code` is a prefecture's or a district's."""
    divisions, centre = _area(code)
    plane = Plane.at(centre[0])
    districts = plane.project(divisions.shapes)
    middle = xy(plane.project(np.array([shapely.Point(centre)])))[0]
    lattice = _lattice(_dice(seed, code, "lattice"), districts, middle, parcels)
    owners, zones, slopes = _choose_blocks(_dice(seed, code, "blocks"), lattice, districts, middle, parcels)
    units = divide_blocks(_dice(seed, code, "units"), lattice.blocks, lattice.block_middles(), owners, divisions.codes)
    plots = lay_out(_dice(seed, code, "plots"), lattice, units.villages, zones)
    edges = border_edges(plots.cells)
    places = lattice.points(_dice(seed, code, "points"), units.villages != NOBODY)
    points, middles = (_degrees(plane, one) for one in places)
    shapes = polygons(edges, points, middles, len(plots.classes))
    return Landscape(plane, divisions, units, zones, slopes, plots, shapes, edges, points, middles)


def _dice(seed: int, code: str, step: str) -> np.random.Generator:
    """Each step has dice of its own, so that changing one leaves the others as they were."""
    return np.random.default_rng([seed, int(code), *step.encode()])


def _area(code: str) -> tuple[Divisions, tuple[float, float]]:
    """The districts to survey, and the longitude and latitude around which."""
    try:
        city, centre = city_with_centre(code)
    except NoSuchCity:
        city, centre = city_with_centre(f"{code[:4]}00")
        own = city.districts.codes == code
        if not own.any():
            raise
        one = Divisions(*(column[own] for column in city.districts))
        return one, _inside(centre, one.shapes[0])
    return city.districts, centre


@cache
def city_with_centre(code: str) -> tuple[City, tuple[float, float]]:
    """A prefecture and its centre, read once."""
    city = find_city(code)
    return city, city_centre(city, find_places(city))


def _inside(centre: tuple[float, float], district: shapely.Geometry) -> tuple[float, float]:
    """The city's centre where it lies in the district, else the middle of the district's widest part."""
    if shapely.contains_xy(district, *centre):
        return centre
    middle = shapely.get_point(shapely.maximum_inscribed_circle(district, tolerance=0.01), 0)
    return float(middle.x), float(middle.y)


def _lattice(rng: np.random.Generator, districts: Shapes, middle: Floats, parcels: int) -> Lattice:
    """Wide enough for the blocks, its cells smaller where the districts are too small for so many parcels."""
    blocks = parcels / PARCELS_PER_BLOCK
    side = BLOCK * CELL + np.mean([*WIDTHS.values()])
    scale = min(1.0, float(np.sqrt(ROOM * shapely.area(districts).sum() / (blocks * side**2))))
    west, south, east, north = shapely.total_bounds(districts)
    reach = 2 * max(middle[0] - west, east - middle[0], middle[1] - south, north - middle[1])
    wanted = int(1.9 * np.sqrt(blocks)) + 6
    return Lattice.lay(
        rng, middle, min(wanted if scale == 1.0 else 4 * wanted, int(reach / (scale * side)) + 2), scale * CELL
    )


def _choose_blocks(
    rng: np.random.Generator, lattice: Lattice, districts: Shapes, middle: Floats, parcels: int
) -> tuple[Ints, Ints, Ints]:
    """District (-1: not surveyed), zone and slope class of each block: the nearest ones that make enough parcels."""
    centres = lattice.block_middles()
    owners = _districts_of(lattice, districts)
    away = np.hypot(*(centres - middle).T) * (1 + 0.25 * Waves.random(rng, 30_000).at(centres))
    order = np.argsort(np.where(owners == NOBODY, np.inf, away), kind="stable")
    radius = away[order][min(int(parcels / PARCELS_PER_BLOCK), int((owners != NOBODY).sum())) - 1]
    hills = Waves.random(rng, 9_000).at(centres)
    zones = choose_zones(rng, away / radius, hills, _blocks_from_river(lattice))
    enough = np.searchsorted(np.cumsum(count_parcels(rng, zones[order])), parcels) + 1
    left = np.ones(len(owners), dtype=bool)
    left[order[:enough]] = False
    owners[left] = NOBODY
    slopes = np.clip(np.floor(1.6 + 1.9 * hills + rng.random(len(hills))), 1, 5).astype(np.int64)
    return owners, zones, slopes


def _districts_of(lattice: Lattice, districts: Shapes) -> Ints:
    """The district around each block's middle; -1 where a corner lies outside all."""
    whole = shapely.buffer(shapely.union_all(districts), -MARGIN)
    shapely.prepare(whole)
    rows, columns = lattice.blocks
    flat, tall = (shapely.contains_xy(whole, points[..., 0], points[..., 1]) for points in lattice.frames())
    south = np.logical_and.reduceat(flat, np.arange(0, PERIOD * columns, PERIOD), axis=1)
    west = np.logical_and.reduceat(tall, np.arange(0, PERIOD * rows, PERIOD), axis=0)
    inside = south[:-1] & south[1:] & west[:, :-1] & west[:, 1:]
    found = np.full(rows * columns, NOBODY)
    for number, district in enumerate(districts):
        shapely.prepare(district)
        found[shapely.contains_xy(district, lattice.block_middles())] = number
    found[~inside.ravel()] = NOBODY
    return found


def _blocks_from_river(lattice: Lattice) -> Floats:
    """How many blocks away the nearest river is."""
    river = STRIPS.index("1101")
    apart = []
    for kinds in (lattice.row_kinds, lattice.column_kinds):
        rivers = np.flatnonzero(kinds == river)
        place = np.arange(len(kinds))[:, None] + 0.5
        apart.append(np.abs(place - rivers).min(axis=1) if rivers.size else np.full(len(kinds), 99.0))
    nearest: Floats = np.minimum(apart[0][:, None], apart[1][None, :]).ravel()
    return nearest


def _degrees(plane: Plane, points: Floats) -> Floats:
    transformer = Transformer.from_crs(plane.srid, CGCS2000, always_xy=True)
    return np.column_stack(transformer.transform(*points.T)).round(DECIMALS)
