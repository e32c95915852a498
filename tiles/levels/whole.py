"""From which zoom on features are shown as they are: the lowest at which every tile keeps the budget."""

import numpy as np
import shapely

from core.database import Connection
from tiles.levels.budget import Budget, Say, estimate, measure, within_bounds
from tiles.levels.source import Features
from tiles.levels.units import EXTENT, HALF_WORLD, PIXEL, Floats, Ints, in_units, rounded, unit
from tiles.levels.words import Words

HIGHEST = 16
_SMALL = 10  # a data set that takes no more than such a part of the budget is whole at every zoom
_SEEN = 2  # pixels
_LOOKED_AT = 3  # of the fullest tiles, by estimate


def whole_zoom(connection: Connection, features: Features, budget: Budget, say: Say, *, keyed: bool) -> int:
    """The lowest zoom at which the features are worth drawing as they are, and all tiles keep the budget."""
    whole = _Whole(connection, features, say, keyed=keyed)
    if whole.estimated(0) <= budget.raw / _SMALL:
        return 0
    lowest = _visible(features)
    zoom = next((z for z in range(lowest, HIGHEST) if whole.estimated(z) <= budget.raw), HIGHEST)
    while zoom < HIGHEST and not whole.fits(zoom, budget):
        zoom += 1
    while zoom > lowest and whole.estimated(zoom - 1) < 2 * budget.raw and whole.fits(zoom - 1, budget):
        zoom -= 1
    return zoom


def _visible(features: Features) -> int:
    """The lowest zoom at which half of the areas are wide enough to be told apart, and half of the lines long enough."""
    areas, lengths = shapely.area(features.shapes), shapely.length(features.shapes)
    widths = np.where(areas > 0, np.sqrt(areas), lengths)[lengths > 0]
    if not len(widths):
        return 0
    seen = (zoom for zoom in range(HIGHEST) if np.median(widths) / (PIXEL * unit(zoom)) >= _SEEN)
    return next(seen, HIGHEST)


class _Whole:
    """The features as they are, and what tiles of them take at any zoom."""

    def __init__(self, connection: Connection, features: Features, say: Say, *, keyed: bool) -> None:
        self.connection, self.features, self.say, self.keyed = connection, features, say, keyed
        self.bounds: Floats = shapely.bounds(features.shapes)
        self.sizes = estimate(features.shapes, features.codes.shape[1]) + _texts(features)

    def estimated(self, zoom: int) -> float:
        """About how many bytes the fullest tile takes."""
        return float(self._by_tile(zoom)[1].max(initial=0))

    def fits(self, zoom: int, budget: Budget) -> bool:
        """Whether the fullest tiles keep a budget."""
        tiles, sizes = self._by_tile(zoom)
        return all(
            self._fits(zoom, tile, budget) for tile in tiles[np.argsort(-sizes, kind="stable")][:_LOOKED_AT].tolist()
        )

    def _fits(self, zoom: int, tile: int, budget: Budget) -> bool:
        which = within_bounds((self.bounds + HALF_WORLD) / unit(zoom), tile)
        shapes = rounded(in_units(self.features.shapes[which], zoom))

        def say(some: Ints) -> Words:
            return self.say(which[some])

        return measure(self.connection, shapes, say, keyed=self.keyed, tile=tile).fits(budget)

    def _by_tile(self, zoom: int) -> tuple[Ints, Floats]:
        """Tiles, and about how many bytes each takes."""
        middle = (self.bounds[:, :2] + self.bounds[:, 2:]) / 2 + HALF_WORLD
        place = np.floor(middle / (unit(zoom) * EXTENT)).astype(np.int64)
        tiles, which = np.unique(place[:, 1] << 32 | place[:, 0], return_inverse=True)
        return tiles, np.bincount(which, self.sizes, len(tiles))


def _texts(features: Features) -> float:
    """Bytes of a feature for texts that hardly any other shares."""
    total = 0.0
    for words in features.words:
        if len(words) * 4 > len(features.keys):
            total += 4 + sum(map(len, words[:1000].to_pylist())) / min(len(words), 1000) * 2
    return total
