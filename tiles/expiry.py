"""Which tiles a change of features touches: those that its old or its new place lies in, or in whose buffer."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from core.catalogue import BBox
from core.changes import Change, LevelChange, Standing, level_changes, read_log
from core.database import AsyncPool
from tiles.layer import TileLayer
from tiles.matrix import Limits, MatrixSet
from tiles.placing import BUFFER, EXTENT

MOST_CHANGES: Final = 2000  # places: beyond so many, all tiles of the data set are let go, as most would be anyway
_MARGIN = (BUFFER + 16) / EXTENT  # tiles: the buffer, and what a box turned into another CRS may gain

type Touched = dict[str, list[Limits]]  # by matrix set


def touched(
    layer: TileLayer, sets: Mapping[str, MatrixSet], changes: Iterable[Change], levels: Iterable[LevelChange]
) -> Touched | None:
    """The tiles that changed, whole ones by the features and generalised ones by their levels; None: any of them."""
    boxes = [box for change in changes for box in change.boxes]
    areas = [(one.zoom, one.box) for one in levels]
    if len(boxes) + len(areas) > MOST_CHANGES:
        return None
    found: Touched = {}
    for name, one in sets.items():
        whole = [z for z in one.matrices if one.mercator_zoom(z) >= layer.whole_from]
        ranges = {limits for box in boxes for limits in _ranges(one, box, whole)}
        for zoom, box in areas:
            ranges.update(_ranges(one, box, [z for z in one.matrices if one.mercator_zoom(z) == zoom]))
        found[name] = sorted(ranges)
    return found


async def changed_since(
    pool: AsyncPool, layer: TileLayer, sets: Mapping[str, MatrixSet], since: Standing
) -> Touched | None:
    """The tiles that changed after a state; None where that cannot be told, or is too much to tell."""
    log = await read_log(pool, layer.id, since.position.mark, MOST_CHANGES)
    levels = await level_changes(pool, layer.id, since.level_step)
    if log is None or log.reset or log.more or levels is None:
        return None
    return await asyncio.to_thread(touched, layer, sets, log.changes, levels)


def _ranges(matrix_set: MatrixSet, box: BBox | None, zooms: Iterable[int]) -> list[Limits]:
    """The tiles of some zooms that a box touches; without a box, all of them."""
    if box is None:
        return [Limits(z, (0, matrix_set.matrices[z].columns - 1), (0, matrix_set.matrices[z].rows - 1)) for z in zooms]
    bounds = matrix_set.reach(box)
    return [matrix_set.range(bounds, z, _MARGIN) for z in zooms]
