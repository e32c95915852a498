"""Tiles of WebMercatorQuad as plain arithmetic: which of them a box in degrees touches."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from core.catalogue import BBox

MOST_ZOOM = 30
BUFFER = 64 / 4096  # of a tile's side: what a tile draws beyond its edge
_NORTHERNMOST = math.degrees(math.atan(math.sinh(math.pi)))  # 85.0511: the square's edge
_TOUCH = 1e-9  # of a tile's side: whoever ends at an edge touches both sides of it


class Tile(NamedTuple):
    """A tile by its zoom, column from the west, and row from the north."""

    z: int
    x: int
    y: int


class TileRange(NamedTuple):
    """A rectangle of tiles of one zoom; its ends belong to it."""

    z: int
    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> int:
        """How many tiles there are in it."""
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    def __contains__(self, tile: object) -> bool:
        """Whether a tile is one of them."""
        match tile:
            case [int(z), int(x), int(y)]:
                return z == self.z and self.left <= x <= self.right and self.top <= y <= self.bottom
        return False

    def tiles(self) -> Iterator[Tile]:
        """All of them, row by row."""
        for y in range(self.top, self.bottom + 1):
            for x in range(self.left, self.right + 1):
                yield Tile(self.z, x, y)


def tile_range(box: BBox, zoom: int, buffer: float = BUFFER) -> list[TileRange]:
    """The tiles that a box touches, counting so much beyond each tile's edge; two rectangles across the antimeridian.

    West may exceed east, or east 180, where the box crosses it; latitudes beyond the square count as its edge.
    """
    side = 2**zoom
    east = box.east + 360 if box.east < box.west else box.east
    left = math.floor(_across(box.west, side) - buffer - _TOUCH)
    right = math.floor(_across(east, side) + buffer + _TOUCH)
    top = max(0, math.floor(_down(box.north, side) - buffer - _TOUCH))
    bottom = min(side - 1, math.floor(_down(box.south, side) + buffer + _TOUCH))
    return [TileRange(zoom, first, top, last, bottom) for first, last in _columns(left, right, side)]


def _columns(left: int, right: int, side: int) -> list[tuple[int, int]]:
    """Columns of the one world there is, from columns that go on around it."""
    if right - left >= side - 1:
        return [(0, side - 1)]
    first, last = left % side, right % side
    return [(first, last)] if first <= last else [(first, side - 1), (0, last)]


def _across(longitude: float, side: int) -> float:
    return (longitude + 180) / 360 * side


def _down(latitude: float, side: int) -> float:
    bounded = math.radians(max(-_NORTHERNMOST, min(_NORTHERNMOST, latitude)))
    return (1 - math.asinh(math.tan(bounded)) / math.pi) / 2 * side
