"""How stored coordinates become the whole numbers of a tile: by an affine map where that is true to one of them."""

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from core.crs import WEB_MERCATOR, Srid, is_geographic, keeps_numbers, transformer
from tiles.matrix import Bounds, MatrixSet, Tile

EXTENT: Final = 4096  # units of a tile's side (MVT 2.1, 4.1)
BUFFER: Final = 64  # units beyond the edge that features are drawn to
UNCUT: Final = 256  # units beyond the edge that a feature may reach without being cut
_TRUE = 1.0  # units: the most that an affine map may stray
_SAFE: Final = 1.4143  # units: two places of a valid polygon that are further apart stay apart when both are rounded
_EVERYWHERE: Final = (-1e9, -1e9, 1e9, 1e9)  # where a tile reaches to places that the stored CRS has no numbers for
_RADIUS = 6378137.0  # metres, of Web Mercator's sphere


_STEPS = 5
_LATTICE = np.stack(np.meshgrid(np.linspace(-1, 1, _STEPS), np.linspace(-1, 1, _STEPS)), axis=-1).reshape(-1, 2)
_SQUARES = float((_LATTICE[:, 0] ** 2).sum())


class Affine(NamedTuple):
    """x' = a x + b y + x0 and y' = d x + e y + y0, in units from the tile's upper left corner, y downwards."""

    a: float
    b: float
    d: float
    e: float
    x0: float
    y0: float

    @property
    def least(self) -> float:
        """The fewest units that a stored unit becomes, in any direction: the map's smaller singular value."""
        squares = self.a**2 + self.b**2 + self.d**2 + self.e**2
        determinant = self.a * self.e - self.b * self.d
        return math.sqrt(max(0.0, squares - math.sqrt(max(0.0, squares**2 - 4 * determinant**2))) / 2)


class Placing(NamedTuple):
    """A tile for features of one CRS: what of them to fetch, and how to place it."""

    fetch: str  # EWKT of a box in the stored CRS: the tile with its buffer
    through: Srid | None  # the CRS to transform to first, where the stored one is too bent for an affine map
    affine: Affine
    inside: str  # EWKT of a box, in the CRS that the map takes, of which no part lies outside the tile
    near: str  # the same, for the tile and what may stay uncut around it
    clear: float  # how far apart, in stored units, a polygon's parts must be for rounding to keep it valid


@lru_cache(maxsize=4096)
def place(matrix_set: MatrixSet, tile: Tile, stored: Srid) -> Placing:
    """Place features stored in a CRS, x = east, on a tile."""
    bounds = matrix_set.bounds(tile)
    if keeps_numbers(matrix_set.stored, stored):
        return _direct(_straight(bounds), _grown(bounds), stored)
    if matrix_set.stored == WEB_MERCATOR and is_geographic(stored) and keeps_numbers(Srid(4326), stored):
        affine, error = _from_degrees(bounds)
        fetch = _degrees(_grown(bounds))
    else:
        affine, error, fetch = _fitted(bounds, matrix_set.stored, stored)
    if error <= _TRUE:
        return _direct(affine, fetch, stored)
    exact, through = _straight(bounds), matrix_set.stored
    fetch = _reach(_grown(bounds), through, stored)
    shrunk = affine.least if math.isfinite(error) and error < EXTENT / 8 else 0.0
    return _placing(exact, fetch, stored, through, _SAFE / (shrunk / 2) if shrunk else math.inf)


def _direct(affine: Affine, fetch: Bounds, stored: Srid) -> Placing:
    return _placing(affine, fetch, stored, None, _SAFE / affine.least)


def _placing(affine: Affine, fetch: Bounds, stored: Srid, through: Srid | None, clear: float) -> Placing:
    taken = stored if through is None else through
    return Placing(
        fetch=_ewkt(fetch, stored),
        through=through,
        affine=affine,
        inside=_ewkt(_inscribed(affine, 0), taken),
        near=_ewkt(_inscribed(affine, UNCUT), taken),
        clear=clear,
    )


def _straight(bounds: Bounds) -> Affine:
    """The map of a tile in its own CRS."""
    west, south, east, north = bounds
    a, e = EXTENT / (east - west), -EXTENT / (north - south)
    return Affine(a, 0.0, 0.0, e, -west * a, -north * e)


def _from_degrees(bounds: Bounds) -> tuple[Affine, float]:
    """The map of degrees to a tile of Web Mercator, true along its edges, and how far it strays between them.

    A place on the edge of two tiles is thus the same in both.
    """
    straight = _straight(_degrees(bounds))
    strayed = (
        _latitude(bounds[3] - part * (bounds[3] - bounds[1])) * straight.e + straight.y0 - part * EXTENT
        for part in (0.25, 0.5, 0.75)
    )
    return straight, max(map(abs, strayed))


def _degrees(bounds: Bounds) -> Bounds:
    west, south, east, north = bounds
    return math.degrees(west / _RADIUS), _latitude(south), math.degrees(east / _RADIUS), _latitude(north)


def _latitude(y: float) -> float:
    return math.degrees(2 * math.atan(math.exp(y / _RADIUS)) - math.pi / 2)


def _fitted(bounds: Bounds, source: Srid, stored: Srid) -> tuple[Affine, float, Bounds]:
    """The nearest affine map of a stored CRS to a tile, how far it strays at most, and the tile's bounds there."""
    west, south, east, north = _grown(bounds)
    half = EXTENT / 2 + BUFFER
    x, y = (
        (west + east) / 2 + _LATTICE[:, 0] * (east - west) / 2,
        (south + north) / 2 - _LATTICE[:, 1] * (north - south) / 2,
    )
    there = np.column_stack(transformer(source, stored).transform(x, y))
    if not np.isfinite(there).all():
        return _straight(bounds), math.inf, _EVERYWHERE
    low, high = there.min(axis=0), there.max(axis=0)
    fetch = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    middle, (right, down) = there.mean(axis=0), _LATTICE.T @ there / _SQUARES  # stored units per half a tile
    determinant = right[0] * down[1] - right[1] * down[0]
    if determinant == 0:
        return _straight(bounds), math.inf, fetch
    a, b, d, e = (float(one) * half / float(determinant) for one in (down[1], -down[0], -right[1], right[0]))
    affine = Affine(
        a,
        b,
        d,
        e,
        EXTENT / 2 - a * float(middle[0]) - b * float(middle[1]),
        EXTENT / 2 - d * float(middle[0]) - e * float(middle[1]),
    )
    strayed = there @ np.array([[a, d], [b, e]]) + (affine.x0, affine.y0) - (EXTENT / 2 + _LATTICE * half)
    return affine, float(np.abs(strayed).max()), fetch


def _reach(bounds: Bounds, source: Srid, stored: Srid) -> Bounds:
    """Bounds in a stored CRS of a tile so large that its edges bend; everywhere, where the CRS cannot express all of it."""
    west, south, east, north = transformer(source, stored).transform_bounds(*bounds, densify_pts=21)
    if not all(map(math.isfinite, (west, south, east, north))) or west > east:  # the latter: across the antimeridian
        return _EVERYWHERE
    by_x, by_y = (east - west) / 20, (north - south) / 20
    return west - by_x, south - by_y, east + by_x, north + by_y


def _inscribed(affine: Affine, beyond: int) -> Bounds:
    """A box along the axes, around the tile's middle, whose image lies in the tile grown by some units."""
    a, b, d, e, x0, y0 = affine
    determinant = a * e - b * d
    u, v = EXTENT / 2 - x0, EXTENT / 2 - y0
    x, y = (e * u - b * v) / determinant, (a * v - d * u) / determinant
    one, other = math.hypot(a, d), math.hypot(b, e)
    side = (EXTENT / 2 + beyond) / max(abs(a) / one + abs(b) / other, abs(d) / one + abs(e) / other)
    return x - side / one, y - side / other, x + side / one, y + side / other


def _grown(bounds: Bounds) -> Bounds:
    """With the tile's buffer."""
    west, south, east, north = bounds
    by_x, by_y = (east - west) * BUFFER / EXTENT, (north - south) * BUFFER / EXTENT
    return west - by_x, south - by_y, east + by_x, north + by_y


def _ewkt(box: Bounds, srid: Srid) -> str:
    west, south, east, north = (repr(one) for one in box)
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"SRID={int(srid)};POLYGON(({ring}))"
