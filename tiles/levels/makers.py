"""One maker for each kind of geometry: it makes a zoom out of the finer one, as coarse as it is told to."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import shapely

from tiles.levels import areas, lines, points
from tiles.levels.budget import Budget
from tiles.levels.cells import Cells, cells_of, halved_cells
from tiles.levels.level import NO_FEATURE, Level, Step, Traits, constants_of, nothing_amounts, tiles_of
from tiles.levels.mosaic import mosaic, outlines
from tiles.levels.source import Features
from tiles.levels.units import PIXEL, Floats, Ints, Shapes, halved, in_units, rounded

FINER = 4  # the whole is put on a grid so many times finer than a level's before it is compared
MOSAIC_STEPS = (1, 2, 4, 8, 16, 32)  # pixels a side of a cell
_TOO_SMALL, _TOO_MUCH_LOST = 0.3, 0.02  # of the area


class Maker(Protocol):
    """Makes levels of one kind of geometry, from the finest to the coarsest."""

    steps: int
    which: Ints  # its features

    def begin(self, zoom: int) -> None:
        """Turn to a zoom, the one above the last one that was accepted."""

    def guess(self, budget: Budget) -> int:
        """The first step that may keep the budget."""

    def make(self, step: int) -> Step | None:
        """The level at a step, from the finest (0) to the coarsest; None where it would not be worth showing."""

    def accept(self, made: Step, step: int) -> None:
        """Go on from this level."""

    def kept(self, made: Step) -> float:
        """The share of area, length or number that a level shows."""


class _Maker:
    """What makers have in common: the features of their kind, and the level to go on from."""

    sizes: Sequence[int]

    def __init__(self, features: Features, which: Ints) -> None:
        self.features, self.which = features, which
        self.traits = whole_traits(features, which)
        self.constants = constants_of(self.traits.codes, self.traits.klass, features.classes)
        self.steps = len(self.sizes)
        self.zoom = -1
        self.last: Level | None = None
        self.step = 0

    def begin(self, zoom: int) -> None:
        """Take the last level, or the whole, in the units of the zoom."""
        self.zoom = zoom
        if self.last is None:
            self.base = Level(zoom, rounded(in_units(self.features.shapes[self.which], zoom), FINER), self.traits)
        else:
            self.base = Level(zoom, halved(self.last.shapes), self.last.traits)

    def accept(self, made: Step, step: int) -> None:
        """Go on from this level."""
        self.last, self.step = made.level, step


class PointMaker(_Maker):
    """Thins points by rank."""

    sizes = points.STEPS

    def guess(self, budget: Budget) -> int:
        """From the last zoom's cells, or ones half as wide, which the nesting allows at most."""
        step = max(self.step - 1, 0)
        while step < self.steps - 1 and self._bytes(self.sizes[step]) > budget.raw:
            step += 1
        return step

    def _bytes(self, side: int) -> float:
        cell = np.floor(points.cells(self.base, side)).astype(np.int64)
        first = np.unique(cell[:, 1] << 32 | cell[:, 0], return_index=True)[1]
        return _most(self.base.shapes[first], np.full(len(first), 25.0))

    def make(self, step: int) -> Step:
        """The best point of each cell."""
        return points.coarser(self.base, self.features.rank, self.sizes[step])

    def kept(self, made: Step) -> float:
        """The share of the points."""
        return len(made.level.shapes) / max(len(self.which), 1)


class LineMaker(_Maker):
    """Joins lines, and leaves out the short ones."""

    sizes = lines.STEPS

    def __init__(self, features: Features, which: Ints, label: int | None) -> None:
        super().__init__(features, which)
        self.label = label

    def guess(self, budget: Budget) -> int:
        """Not finer than the last zoom."""
        return max(self.step - 1, 0)

    def make(self, step: int) -> Step:
        """Chains of lines of one name; of one class alone where much has to be left out."""
        label = self.label if self.sizes[step] <= 16 else None
        return lines.coarser(self.base, lines.alike(self.base.traits, label), self.sizes[step], self.constants)

    def kept(self, made: Step) -> float:
        """The share of the length."""
        whole = shapely.length(in_units(self.features.shapes[self.which], self.zoom)).sum()
        return min(float(shapely.length(made.level.shapes).sum() / max(whole, 1e-9)), 1.0)


class AreaMaker(_Maker):
    """Merges areas; where they become too small to be seen as such, shows cells of a grid instead."""

    sizes = (*(same for _, same in areas.STEPS), *MOSAIC_STEPS)

    def __init__(self, features: Features, which: Ints) -> None:
        super().__init__(features, which)
        self.finest_mosaic = len(areas.STEPS)
        self.cells: tuple[int, Cells] | None = None  # by the zoom at which a cell is a pixel wide
        self.whole = float(shapely.area(in_units(features.shapes[which], 0)).sum())  # at zoom 0; four times at 1

    def begin(self, zoom: int) -> None:
        """As all do, and find the groups, unless it is a mosaic from here on."""
        self.zoom = zoom
        if self.step < self.finest_mosaic:
            super().begin(zoom)
            self.groups = areas.groups_by_step(self.base)

    def guess(self, budget: Budget) -> int:
        """The first step that has few enough groups, else the finest mosaic."""
        if self.step >= self.finest_mosaic:
            return max(self.step - 1, self.finest_mosaic)
        for step, groups in enumerate(self.groups):
            if areas.fullest(self.base, groups) * (28 + 2 * self.traits.codes.shape[1]) <= budget.raw:
                return step
        return self.finest_mosaic

    def make(self, step: int) -> Step | None:
        """Groups of areas, or a mosaic."""
        if step >= self.finest_mosaic:
            return self._mosaic(self.sizes[step])
        made = areas.grouped(self.base, self.groups[step], self.constants)
        poor = self.kept(made) < 1 - _TOO_MUCH_LOST or areas.small_share(made.level) > _TOO_SMALL
        return None if poor else made

    def kept(self, made: Step) -> float:
        """The share of the area."""
        return float(shapely.area(made.level.shapes).sum() / max(self.whole * 4.0**self.zoom, 1e-9))

    def _mosaic(self, side: int) -> Step:
        """Cells so many pixels wide, as areas of their classes."""
        shown = mosaic(self._cells(self.zoom - side.bit_length() + 1), self.features.classes)
        faces, face = outlines(shown)
        first = np.unique(face, return_index=True)[1]
        klass = shown.klass[first]
        traits = Traits(
            np.full(len(faces), NO_FEATURE),
            self.constants[klass],
            klass,
            np.round(np.bincount(face, shown.members, len(faces))).astype(np.int64),
            np.zeros((len(faces), self.features.classes), dtype=np.float32),
        )
        shapes = shapely.set_coordinates(faces, shapely.get_coordinates(faces) * (side * PIXEL))
        return Step(Level(self.zoom, shapes, traits), np.full(0, -1))

    def _cells(self, zoom: int) -> Cells:
        """What lies in the pixels of a zoom: from the whole once, then from the zoom below."""
        if self.cells is None:
            shapes = in_units(self.features.shapes[self.which], max(zoom, 0))
            side = PIXEL * 2.0 ** (max(zoom, 0) - zoom)
            self.cells = zoom, cells_of(shapes, self.traits.klass, side, np.ones(len(shapes), dtype=np.int64))
        at, cells = self.cells
        for _ in range(at - zoom):
            cells = halved_cells(cells)
        return cells


def _most(shapes: Shapes, sizes: Floats) -> float:
    place = np.unique(tiles_of(shapes), return_inverse=True)[1]
    return float(np.bincount(place, sizes).max(initial=0))


def whole_traits(features: Features, which: Ints) -> Traits:
    """The traits of features themselves."""
    klass = features.klass[which]
    amounts = nothing_amounts(len(which))
    if len(which) and shapely.get_dimensions(features.shapes[which[0]]) == 2:
        amounts = np.zeros((len(which), features.classes), dtype=np.float32)
        amounts[np.arange(len(which)), klass] = shapely.area(features.shapes[which])
    return Traits(which, features.codes[which], klass, np.ones(len(which), dtype=np.int64), amounts)


def makers_for(features: Features, label: int | None) -> list[Maker]:
    """A maker for each kind of geometry that there is."""
    kinds = shapely.get_dimensions(features.shapes)
    made: list[Maker] = []
    if len(which := np.flatnonzero(kinds == 2)):
        made.append(AreaMaker(features, which))
    if len(which := np.flatnonzero(kinds == 1)):
        made.append(LineMaker(features, which, label))
    if len(which := np.flatnonzero(kinds == 0)):
        made.append(PointMaker(features, which))
    return made
