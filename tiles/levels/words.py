"""The texts behind the numbers: what the rows of a level say."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tiles.levels.level import Traits
from tiles.levels.source import Features
from tiles.levels.units import Ints


class Words(NamedTuple):
    """What some rows say: their keys, null where they are several features, and the texts of each attribute."""

    keys: list[str | None]
    columns: tuple[list[str | None], ...]


def said(features: Features, traits: Traits, which: Ints) -> Words:
    """The keys and texts of some rows."""
    texts = zip(features.words, traits.codes[which].T, strict=True)
    return Words(_taken(features.keys, traits.feature[which]), tuple(_taken(words, codes) for words, codes in texts))


def _taken(words: pa.StringArray, places: "np.ndarray[tuple[int], np.dtype[np.int32 | np.int64]]") -> list[str | None]:
    taken: list[str | None] = words.take(pa.array(places, mask=places < 0)).to_pylist()
    return taken
