"""Spot heights and the numbers beside them: which number belongs to a spot, and which is a spot height by itself."""

import struct
from array import array
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import shapely

from loaders.cass.codes import GB_EDITION
from loaders.cass.features import Made, number_in
from loaders.cass.spool import Feature

_MOST = 300_000  # numbers that are held until the drawing was read
_NEAR = 5.0  # heights of its letters that a number may lie from its spot
_CLASS = "7201"  # spot heights, of GB/T 13923
_LAYER_CLASS = "720000"


class _Number(NamedTuple):
    """A number on a layer of spot heights."""

    feature: Feature
    x: float
    y: float
    value: float


class Spots:
    """Holds back what cannot be told before the whole drawing was read; `settle` gives it out."""

    def __init__(self) -> None:
        self._places = array("d")
        self._numbers: list[_Number] = []
        self._bare: dict[int, Feature] = {}  # spots without a height, by their number among the places

    def hold(self, made: Made) -> bool:
        """Take note of a feature, and keep it if its theme or its height is not certain yet."""
        feature = made.feature
        if len(feature.geometry) != 29 or not (feature.gb_code or "").startswith((_CLASS, _LAYER_CLASS)):
            return False
        _, _, x, y, _ = struct.unpack("<BI3d", feature.geometry)
        if made.meaning.theme == "text":
            return self._hold_number(feature, x, y)
        self._places.extend((x, y))
        if made.raised or len(self._bare) >= _MOST:
            return False
        self._bare[len(self._places) // 2 - 1] = feature
        return True

    def settle(self) -> Iterator[tuple[str, Feature]]:
        """All that was held, each with its theme."""
        spots = np.frombuffer(self._places, float).reshape(-1, 2)
        tree = shapely.STRtree(shapely.points(np.where(np.isfinite(spots), spots, 0.0)))
        for number in self._numbers:
            reach = _NEAR * (number.feature.height or 1.0)
            near = list(tree.query_nearest(shapely.Point(number.x, number.y), max_distance=reach)) if len(spots) else []
            if not near:
                yield "relief", _raised(number.feature, number.x, number.y, number.value)
                continue
            yield "text", number.feature
            if (spot := self._bare.pop(int(near[0]), None)) is not None:
                x, y = spots[near[0]]
                yield "relief", _raised(spot, x, y, number.value)
        for spot in self._bare.values():
            yield "relief", spot

    def _hold_number(self, feature: Feature, x: float, y: float) -> bool:
        value = number_in(feature.text)
        if value is None or len(self._numbers) >= _MOST or not np.isfinite((x, y)).all():
            return False
        self._numbers.append(_Number(feature, x, y, value))
        return True


def _raised(feature: Feature, x: float, y: float, value: float) -> Feature:
    """A spot height with the height that was written."""
    wkb = struct.pack("<BI3d", 1, 1001, x, y, value)
    return feature._replace(geometry=wkb, elevation=value, gb_edition=GB_EDITION)
