"""What a tile holds, and how far that is from what another server says it holds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import mapbox_vector_tile

from benchmarks.peers.questions import Wrong, points

_EDGE_CASES = 0.01  # of the features: slivers at a tile's edge, and what rounding leaves nothing of
_EXTENT = 4096
_ID = "fid"  # some have it among the attributes, some as the feature's id


class Contents(NamedTuple):
    """The features of tiles, and their bytes."""

    within: Counter[tuple[int, tuple[object, ...]]]  # those that reach into the tile itself, by tile and attributes
    number: int  # all, with those of the buffer
    attributes: frozenset[str]
    size: int


def read(tiles: Iterable[bytes], shared: Sequence[str]) -> Contents:
    """Decode tiles; features are told apart by the attributes that all servers give."""
    within: Counter[tuple[int, tuple[object, ...]]] = Counter()
    attributes: set[str] = set()
    size = count = 0
    for number, tile in enumerate(tiles):
        size += len(tile)
        for one in _features(tile):
            count += 1
            attributes |= one["properties"].keys()
            if _reaches_in(one["geometry"]["coordinates"]):
                within[number, tuple(one["properties"].get(name) for name in shared)] += 1
    return Contents(within, count, frozenset(attributes - {_ID}), size)


def _features(tile: bytes) -> Iterator[dict[str, Any]]:
    for layer in mapbox_vector_tile.decode(tile).values() if tile else ():
        yield from layer["features"]


def _reaches_in(coordinates: list[Any]) -> bool:
    """Whether the box around a geometry meets the tile without its buffer."""
    x, y = zip(*points(coordinates), strict=True)
    return bool(max(x) > 0 and min(x) < _EXTENT and max(y) > 0 and min(y) < _EXTENT)


def differing(found: Contents, right: Contents) -> int:
    """How many features that reach into the tiles are in one and not in the other."""
    return max((found.within - right.within).total(), (right.within - found.within).total())


def compare(found: Contents, right: Contents, *, same_attributes: bool) -> None:
    """Refuse what is not the same but for a few cases at the edge; which features only the buffer has is left to each."""
    if same_attributes and found.attributes != right.attributes:
        raise Wrong("other attributes")
    if differing(found, right) > _EDGE_CASES * right.within.total():
        raise Wrong(f"{found.within.total() - right.within.total():+} features")
