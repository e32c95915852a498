"""From which zoom on features are shown as they are: the lowest at which every tile keeps the budget."""

import numpy as np
import shapely

from core.database import Connection
from tiles.levels.budget import Budget, Say, estimate, measure
from tiles.levels.level import tiles_of
from tiles.levels.source import Features
from tiles.levels.units import in_units, rounded

HIGHEST = 16
_SMALL = 50_000  # bytes: a data set that takes no more is whole at every zoom
_SEEN = 2  # pixels: half of the areas are at least so wide


def whole_zoom(connection: Connection, features: Features, budget: Budget, say: Say, *, keyed: bool) -> int:
    """The lowest zoom at which the features are worth drawing as they are, and all tiles keep the budget."""
    small = Budget(min(_SMALL, budget.raw), budget.zipped)
    if _estimated(features, 0) <= 4 * small.raw and _fits(connection, features, 0, small, say, keyed=keyed):
        return 0
    lowest = _visible(features)
    zoom = next((z for z in range(lowest, HIGHEST) if _estimated(features, z) <= budget.raw), HIGHEST)
    while zoom < HIGHEST and not _fits(connection, features, zoom, budget, say, keyed=keyed):
        zoom += 1
    while zoom > lowest and _estimated(features, zoom - 1) < 2 * budget.raw:
        if not _fits(connection, features, zoom - 1, budget, say, keyed=keyed):
            break
        zoom -= 1
    return zoom


def _visible(features: Features) -> int:
    """The lowest zoom at which half of the areas are wide enough to be told apart."""
    areas = shapely.area(features.shapes)
    if not (areas > 0).any():
        return 0
    width = np.sqrt(np.median(areas[areas > 0]))
    pixels = [zoom for zoom in range(HIGHEST) if width * (1 << zoom) * 512 / 40075016.7 >= _SEEN]
    return pixels[0] if pixels else HIGHEST


def _estimated(features: Features, zoom: int) -> float:
    """About how many bytes the fullest tile takes."""
    shapes = features.shapes
    tiles = tiles_of(in_units(shapes, zoom))
    sizes = estimate(shapes, features.codes.shape[1]) + _texts(features)
    return float(np.bincount(np.unique(tiles, return_inverse=True)[1], sizes).max(initial=0))


def _texts(features: Features) -> float:
    """Bytes of a feature for texts that hardly any other shares."""
    total = 0.0
    for words in features.words:
        if len(words) * 4 > len(features.keys):
            total += 4 + sum(map(len, words[:1000].to_pylist())) / min(len(words), 1000) * 2
    return total


def _fits(connection: Connection, features: Features, zoom: int, budget: Budget, say: Say, *, keyed: bool) -> bool:
    shapes = rounded(in_units(features.shapes, zoom))
    return measure(connection, shapes, say, keyed=keyed).fits(budget)
