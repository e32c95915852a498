"""Addresses: each parcel gets a number on the nearest street, odd on one side and even on the other."""

from typing import NamedTuple

import numpy as np
import shapely

from data.sample.ground import Ground
from data.sample.names import StreetNames
from data.sample.parcels import Parcels, number_within
from data.sample.shapes import Floats, Ints, Shapes, Texts, centres, xy
from data.sample.streets import Lines

TOWARDS_EDGE = 0.85  # how far from the parcel's middle to its edge a door is


class Addresses(NamedTuple):
    """For each parcel: the line it faces, its house number, and both in words (吉林市昌邑区文化路12号)."""

    lines: Ints
    numbers: Ints
    texts: Texts


class Doors(NamedTuple):
    """Address points: the index of the parcel, and the door's number in it."""

    points: Shapes
    parcels: Ints
    numbers: Ints


def address(city_name: str, ground: Ground, lines: Lines, names: StreetNames, parcels: Parcels) -> Addresses:
    """Number the parcels along their streets."""
    middles = centres(parcels.shapes)
    parcel, line = shapely.STRtree(lines.shapes).query_nearest(shapely.points(middles), all_matches=False)
    nearest = np.empty(len(middles), dtype=np.int64)
    nearest[parcel] = line
    numbers = _house_numbers(lines, nearest, middles)
    districts = ground.district_names[parcels.districts]
    texts = [
        f"{'' if district == city_name else city_name}{district}{street}{number}号"
        for district, street, number in zip(districts, names.zh[nearest], numbers, strict=True)
    ]
    return Addresses(nearest, numbers, np.array(texts, dtype=object))


def open_doors(rng: np.random.Generator, parcels: Parcels, count: int) -> Doors:
    """`count` points spread evenly over the parcels, each inside its own."""
    owner = np.arange(count) * len(parcels.shapes) // count
    middles = centres(parcels.shapes)[owner]
    outlines = shapely.get_exterior_ring(parcels.shapes)[owner]
    edge = xy(shapely.line_interpolate_point(outlines, rng.random(count), normalized=True))
    places = (middles + TOWARDS_EDGE * (edge - middles)).round(2)
    inside = shapely.contains_xy(parcels.shapes[owner], *places.T)
    places[~inside] = middles[~inside]
    return Doors(shapely.points(places), owner, number_within(owner))


def _house_numbers(lines: Lines, nearest: Ints, middles: Floats) -> Ints:
    start, end = (xy(shapely.get_point(lines.shapes[nearest], which)) for which in (0, -1))
    along = end - start
    along *= np.where(np.abs(along).max(axis=1) == -along.min(axis=1), -1, 1)[:, None]  # to the east or north
    away = middles - start
    left = along[:, 0] * away[:, 1] - along[:, 1] * away[:, 0] > 0
    side = lines.streets[nearest] * 2 + left
    order = np.lexsort((middles.sum(axis=1), side))
    numbers = np.empty(len(nearest), dtype=np.int64)
    numbers[order] = number_within(side[order])
    return 2 * numbers - left
