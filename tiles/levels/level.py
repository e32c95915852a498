"""The rows of one generalised zoom, and how several become one."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiles.levels.units import EXTENT, Floats, Ints, Shapes, centres

Codes = NDArray[np.int32]  # a row a feature, a column an attribute: the number of its value, -1 for null
NO_FEATURE = -1


class Traits(NamedTuple):
    """What rows are told apart by: which feature, its attributes, its class, and how many features it stands for."""

    feature: Ints  # its number in the source; -1 where it stands for several
    codes: Codes
    klass: Ints
    members: Ints
    amounts: NDArray[np.float32]  # of each class (column): what the row really holds; empty but for areas


class Level(NamedTuple):
    """The rows of a zoom: shapes in its units, and what they are."""

    zoom: int
    shapes: Shapes
    traits: Traits

    def take(self, which: Ints) -> "Level":
        """Some of the rows."""
        return Level(self.zoom, self.shapes[which], taken(self.traits, which))


class Step(NamedTuple):
    """A level, and which of its rows each row of the finer one went into; -1 where it is left out."""

    level: Level
    parent: Ints


def taken(traits: Traits, which: Ints) -> Traits:
    """The traits of some rows."""
    feature, codes, klass, members, amounts = traits
    return Traits(feature[which], codes[which], klass[which], members[which], amounts[which])


def joined(traits: Traits, groups: Ints) -> Traits:
    """The traits of groups (numbered from 0): what their members agree on, and what follows from the class."""
    order = np.argsort(groups, kind="stable")
    first = np.flatnonzero(np.diff(groups[order], prepend=-1) > 0)
    if not len(first):
        return traits
    sizes = np.diff(first, append=len(order))
    codes = traits.codes[order]
    low, high = np.minimum.reduceat(codes, first), np.maximum.reduceat(codes, first)
    klass = traits.klass[order]
    mixed = np.minimum.reduceat(klass, first) != np.maximum.reduceat(klass, first)
    klass = np.where(mixed, NO_FEATURE, klass[first])
    amounts = np.add.reduceat(traits.amounts[order], first)
    feature = np.where(sizes == 1, traits.feature[order][first], NO_FEATURE)
    members = np.add.reduceat(traits.members[order], first)
    return Traits(feature, np.where(low == high, low, -1).astype(np.int32), klass, members, amounts)


def classed(traits: Traits, klass: Ints, constants: Codes) -> Traits:
    """Traits with their classes decided, and with the attributes that a class always has."""
    mixed = traits.klass == NO_FEATURE
    codes = traits.codes.copy()
    of_class = constants[klass[mixed]]
    codes[mixed] = np.where(of_class >= 0, of_class, codes[mixed])
    return traits._replace(klass=np.where(mixed, klass, traits.klass), codes=codes)


def constants_of(codes: Codes, klass: Ints, count: int) -> Codes:
    """For each class the value that all its features have in an attribute; -1 where they differ."""
    result = np.full((count, codes.shape[1]), -1, dtype=np.int32)
    for one in range(count):
        of_one = codes[klass == one]
        if len(of_one):
            result[one] = np.where((of_one == of_one[0]).all(axis=0), of_one[0], -1)
    return result


def tiles_of(shapes: Shapes) -> Ints:
    """The tile, as one number, that holds the middle of each shape."""
    tile = np.floor(centres(shapes) / EXTENT).astype(np.int64)
    result: Ints = tile[:, 1] << 32 | tile[:, 0]
    return result


def nothing_amounts(count: int) -> NDArray[np.float32]:
    """Amounts for rows that are no areas."""
    return np.zeros((count, 0), dtype=np.float32)


def shares(values: Floats) -> Floats:
    """Values as shares of their sum."""
    total = values.sum()
    return values / total if total else values
