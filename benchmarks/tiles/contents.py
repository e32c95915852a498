"""What a tile holds, and how far that is from what another server says it holds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import mapbox_vector_tile

from benchmarks.peers.questions import Wrong

_EDGE_CASES = 0.01  # of the features: slivers at a tile's edge, and what rounding leaves nothing of
_ID = "fid"  # some have it among the attributes, some as the feature's id


class Contents(NamedTuple):
    """The features of tiles by their attributes, and the bytes."""

    features: Counter[tuple[int, tuple[object, ...]]]  # by tile
    attributes: frozenset[str]
    size: int

    @property
    def count(self) -> int:
        """How many features all tiles have together."""
        return self.features.total()


def read(tiles: Iterable[bytes], shared: Sequence[str]) -> Contents:
    """Decode tiles; features are told apart by the attributes that all servers give."""
    features: Counter[tuple[int, tuple[object, ...]]] = Counter()
    attributes: set[str] = set()
    size = 0
    for number, tile in enumerate(tiles):
        size += len(tile)
        for layer in mapbox_vector_tile.decode(tile).values() if tile else ():
            for one in layer["features"]:
                if not one["geometry"]["coordinates"]:
                    raise Wrong("a feature without a place")
                features[number, tuple(one["properties"].get(name) for name in shared)] += 1
                attributes |= one["properties"].keys()
    return Contents(features, frozenset(attributes - {_ID}), size)


def differing(found: Contents, right: Contents) -> int:
    """How many features are in one and not in the other."""
    return max((found.features - right.features).total(), (right.features - found.features).total())


def compare(found: Contents, right: Contents, *, same_attributes: bool) -> None:
    """Refuse what is not the same but for a few cases at the edge."""
    if same_attributes and found.attributes != right.attributes:
        raise Wrong("other attributes")
    if differing(found, right) > _EDGE_CASES * right.count:
        raise Wrong(f"{found.count - right.count:+} features")
