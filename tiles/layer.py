"""A data set as a layer of vector tiles: what its tiles carry, and from which zoom on features are whole."""

import hashlib
from functools import cached_property
from typing import Final, Literal

from core.catalogue import Dataset, Field
from tiles.portrayal import INTEGERS, Portrayal, portrayal_of

MAX_ZOOM: Final = 18  # of what is announced: beyond it a tile's units are finer than surveys, and maps enlarge it
_LAYOUT = "1"  # raise it whenever the same data become other tiles
_TEXT = "text"
_PLAIN = INTEGERS | {"real", "double precision", "boolean", _TEXT}

type Family = Literal["area", "line", "point", "any"]


class TileLayer:
    """One data set as its tiles have it; made anew when the catalogue changes."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @property
    def id(self) -> str:
        """The layer's name in a tile: the collection's id."""
        return self.dataset.id

    @cached_property
    def portrayal(self) -> Portrayal:
        """What it is coloured and labelled by."""
        return portrayal_of(self.dataset)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The attributes in its tiles, in their order; the key only where it is no number."""
        types = dict(self.dataset.fields) | {self.dataset.key: self.dataset.key_type}
        named = dict.fromkeys((*(() if self.has_ids else (self.dataset.key,)), *self.portrayal.fields))
        return tuple(Field(name, types[name]) for name in named if name in types and not self._is_id(name))

    @property
    def has_ids(self) -> bool:
        """Whether features keep their keys as the ids that tiles have room for: whole numbers."""
        return self.dataset.key_type in INTEGERS

    @property
    def family(self) -> Family:
        """What its geometries are, as far as encoding them goes."""
        name = self.dataset.geometry_type.lower().rstrip("zm").removeprefix("multi")
        families: dict[str, Family] = {"polygon": "area", "linestring": "line", "point": "point"}
        return families.get(name, "any")

    @property
    def whole_from(self) -> int:
        """The zoom from which tiles hold whole features; below, generalised ones."""
        levels = self.dataset.levels
        return int(levels["whole_zoom"]) if levels else 0

    @cached_property
    def left_out(self) -> dict[int, dict[str, float]]:
        """What is left out of the generalised features, by zoom: `features`, their number, and `area_share`."""
        levels = self.dataset.levels or {}
        return {int(one["zoom"]): one["left_out"] for one in levels.get("zooms", ()) if one.get("left_out")}

    @cached_property
    def recipe(self) -> str:
        """A short text that changes whenever the same features would become other tiles."""
        made_of = (_LAYOUT, self.dataset.key, self.fields, self.family, self.whole_from, self.dataset.srid)
        return hashlib.blake2b(repr(made_of).encode(), digest_size=6).hexdigest()

    def _is_id(self, name: str) -> bool:
        return self.has_ids and name == self.dataset.key


def is_plain(field: Field) -> bool:
    """Whether a tile can hold a value as it is; all others become texts."""
    return field.type in _PLAIN
