"""CPU of a tile, made and cached, beside Martin, tipg and MapServer; memory of a server process, and seeding."""

from benchmarks.tiles.table import measure

__all__ = ["measure"]
