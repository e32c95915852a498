"""Fills the cache with tiles before anybody asks for them."""

from collections.abc import Sequence
from typing import Final

from core.catalogue import BBox, joined
from tiles.layer import TileLayer
from tiles.matrix import MatrixSet, Tile
from tiles.pyramid import Progress, Pyramid, walk
from tiles.service import Tiles

_JOBS: Final = 2  # the connections that a process has to make tiles, less one for what else it must ask


async def seed(
    tiles: Tiles, layers: Sequence[TileLayer], matrix_set: MatrixSet, zooms: range, box: BBox | None, tell: Progress
) -> int:
    """Make the tiles of each data set, and where there are several, those that hold all; how many have something in them."""
    extent = joined([one.dataset.extent for one in layers if one.dataset.extent is not None])
    filled = 0

    async def visit(tile: Tile) -> bool:
        nonlocal filled
        if tile.z < zooms[0]:
            return await tiles.holds_anything(layers, matrix_set, tile)
        kept = await (
            tiles.tile(layers[0], matrix_set, tile) if len(layers) == 1 else tiles.city(layers, matrix_set, tile)
        )
        filled += not kept.is_empty
        return not kept.is_empty or await tiles.holds_anything(layers, matrix_set, tile)

    await walk(Pyramid(matrix_set, zooms, extent, box), visit, _JOBS, tell)
    return filled
