"""Boxes on their way between degrees, metres of EPSG:3857 and the units of a zoom."""

import numpy as np

from tiles.levels.units import HALF_WORLD, Floats, unit

_NORTHERNMOST = 85.0511287798066  # degrees: the edge of the world of EPSG:3857


def to_units(degrees: Floats, zoom: int) -> Floats:
    """Boxes (west, south, east, north) in degrees as boxes in units; one across the antimeridian becomes all around."""
    west, south, east, north = degrees.T
    across = west > east
    left, right = np.where(across, -180, west) / 180, np.where(across, 180, east) / 180
    down, up = _mercator(south), _mercator(north)
    return (np.column_stack([left, down, right, up]) * HALF_WORLD + HALF_WORLD) / unit(zoom)


def in_degrees(metres: Floats) -> Floats:
    """Boxes in metres as boxes in degrees."""
    west, south, east, north = (metres / HALF_WORLD).T
    return np.column_stack([west * 180, _latitude(south), east * 180, _latitude(north)])


def _mercator(latitude: Floats) -> Floats:
    bounded = np.radians(np.clip(latitude, -_NORTHERNMOST, _NORTHERNMOST))
    result: Floats = np.arcsinh(np.tan(bounded)) / np.pi
    return result


def _latitude(share: Floats) -> Floats:
    result: Floats = np.degrees(np.arctan(np.sinh(share * np.pi)))
    return result
