"""One maker for each kind of geometry: it makes a zoom out of the finer one, as coarse as it is told to."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import shapely

from tiles.levels import areas, lines, points
from tiles.levels.budget import Budget, estimate, within
from tiles.levels.cells import Cells, cells_of, coarsened
from tiles.levels.dissolve import simplify
from tiles.levels.level import NO_FEATURE, Codes, Level, Step, Traits, constants_of, nothing_amounts, taken, tiles_of
from tiles.levels.merge import numbered
from tiles.levels.mosaic import Mosaic, mosaic, outlines
from tiles.levels.source import Features
from tiles.levels.units import PIXEL, Floats, Ints, Shapes, halved, on_grid, unit

MOSAIC_STEPS = (1, 2, 4, 8, 16, 32)  # pixels a side of a cell
_MOST_CELLS = 4_000_000
_TOO_SMALL, _TOO_MUCH_LOST = 0.3, 0.02  # of the area


class Maker(Protocol):
    """Makes levels of one kind of geometry, from the finest to the coarsest."""

    kind: str
    steps: int
    which: Ints  # its features
    base: Level  # what a level is made of

    def begin(self, zoom: int) -> None:
        """Turn to a zoom, the one above the last one that was accepted."""

    def guess(self, budget: Budget) -> int:
        """The first step that may keep the budget."""

    def make(self, step: int, tile: int | None = None) -> Step | None:
        """The level at a step, from the finest (0) to the coarsest, or what of it one tile needs to be measured.

        None where it would not be worth showing; the coarsest always is.
        """

    def accept(self, made: Step, step: int) -> None:
        """Go on from this level."""

    def kept(self, made: Step) -> float:
        """The share of area, length or number that a level shows."""

    def loses_nothing(self, step: int) -> bool:
        """Whether a step shows all that a finer one does, if less of its detail."""


class _Maker:
    """What makers have in common: the features of their kind, and the level to go on from."""

    sizes: Sequence[float]

    def __init__(self, features: Features, which: Ints) -> None:
        self.features, self.which = features, which
        self.traits = whole_traits(features, which)
        self.constants = constants_of(self.traits.codes, self.traits.klass, features.classes)
        self.steps = len(self.sizes)
        self.last: Level | None = None
        self.step = 0

    def begin(self, zoom: int) -> None:
        """Take the last level, or the whole, in the units of the zoom."""
        if self.last is None:
            self.base = Level(zoom, on_grid(self.features.shapes[self.which], zoom), self.traits)
        else:
            self.base = Level(zoom, halved(self.last.shapes), self.last.traits)

    def accept(self, made: Step, step: int) -> None:
        """Go on from this level."""
        self.last, self.step = made.level, step

    def loses_nothing(self, step: int) -> bool:
        """Lines and points that are not shown are lost."""
        return False


class PointMaker(_Maker):
    """Thins points by rank."""

    kind = "point"
    sizes = points.STEPS

    def guess(self, budget: Budget) -> int:
        """From the last zoom's cells, or ones half as wide, which the nesting allows at most."""
        step = max(self.step - 1, 0)
        while step < self.steps - 1 and self._bytes(step) > budget.raw:
            step += 1
        return step

    def _bytes(self, step: int) -> float:
        cell = np.floor(points.cells(self.base, points.STEPS[step])).astype(np.int64)
        first = np.unique(cell[:, 1] << 32 | cell[:, 0], return_index=True)[1]
        return _most(self.base.shapes[first], np.full(len(first), 18.0))

    def make(self, step: int, tile: int | None = None) -> Step:
        """The best point of each cell."""
        return points.coarser(_part(self.base, tile), self.features.rank, points.STEPS[step])

    def kept(self, made: Step) -> float:
        """The share of the points."""
        return len(made.level.shapes) / max(len(self.which), 1)


class LineMaker(_Maker):
    """Joins lines, and leaves out the short ones."""

    kind = "line"
    sizes = lines.STEPS

    def __init__(self, features: Features, which: Ints, label: int | None) -> None:
        super().__init__(features, which)
        self.label = label

    def begin(self, zoom: int) -> None:
        """As all do, and see how long the lines of a name are."""
        super().begin(zoom)
        self.chains = self.make(0).level

    def guess(self, budget: Budget) -> int:
        """The first step that leaves few enough of them."""
        lengths = shapely.length(self.chains.shapes) / PIXEL
        sizes = estimate(self.chains.shapes, self.traits.codes.shape[1])
        for step, shortest in enumerate(self.sizes):
            long = lengths >= shortest
            if _most(self.chains.shapes[long], sizes[long]) < 0.8 * budget.raw:
                return step
        return self.steps - 1

    def make(self, step: int, tile: int | None = None) -> Step:
        """Chains of lines of one class and name."""
        base = _part(self.base, tile)
        return lines.coarser(base, lines.alike(base.traits, self.label), self.sizes[step])

    def kept(self, made: Step) -> float:
        """The share of the length."""
        whole = shapely.length(self.features.shapes[self.which]).sum() / unit(made.level.zoom)
        return min(float(shapely.length(made.level.shapes).sum() / max(whole, 1e-9)), 1.0)


class AreaMaker(_Maker):
    """Merges areas; where they become too small to be seen as such, shows cells of a grid instead."""

    kind = "area"
    sizes = (*(same for _, same in areas.STEPS), *MOSAIC_STEPS)
    mosaics = len(areas.STEPS)  # the first step that is one

    def __init__(self, features: Features, which: Ints) -> None:
        super().__init__(features, which)
        self.large = np.empty(0, dtype=np.int64)
        self.cells: tuple[int, Cells] | None = None  # and the zoom at which a cell is a pixel wide
        self.whole = float(shapely.area(features.shapes[which]).sum())  # square metres
        self.mosaic: tuple[int, int] | None = None
        self.made: Step | None = None

    def begin(self, zoom: int) -> None:
        """As all do, and find the groups, unless it is a mosaic from here on."""
        if self.step < self.mosaics:
            super().begin(zoom)
            self.groups, self.parts = areas.groups_by_step(self.base)
            self.fullest = [areas.fullest(self.base, groups) for groups in self.groups]
        else:
            self.base = Level(zoom, self.base.shapes[:0], taken(self.traits, np.empty(0, dtype=np.int64)))

    def guess(self, budget: Budget) -> int:
        """The first step that has few enough groups, else the finest mosaic."""
        if self.step >= self.mosaics:
            return max(self.step - 1, self.mosaics)
        size = 26 + 2 * self.traits.codes.shape[1]
        return next((n for n, count in enumerate(self.fullest) if count * size <= budget.raw), self.mosaics)

    def make(self, step: int, tile: int | None = None) -> Step | None:
        """Groups of areas, or a mosaic."""
        if step >= self.mosaics:
            return self._mosaic(self.base.zoom, MOSAIC_STEPS[step - self.mosaics])
        groups = self.groups[step]
        if areas.small_share(self.base, groups) > _TOO_SMALL:
            return None
        if tile is not None:
            some = within(self.base.shapes, tile)
            groups = numbered(groups[some])
            return areas.grouped(self.base.take(some), groups, self.constants)
        made = areas.grouped(self.base, groups, self.constants, parts=self.parts)
        return made if self.kept(made) > 1 - _TOO_MUCH_LOST else None

    def kept(self, made: Step) -> float:
        """The share of the area."""
        return float(shapely.area(made.level.shapes).sum() * unit(made.level.zoom) ** 2 / max(self.whole, 1e-9))

    def loses_nothing(self, step: int) -> bool:
        """Groups show all that there is; a mosaic shows what fills its cells."""
        return step < self.mosaics

    def _mosaic(self, zoom: int, side: int) -> Step:
        """Cells so many pixels wide, as areas of their classes."""
        if self.made is None or self.mosaic != (zoom, side):
            shown = mosaic(self._cells(zoom - side.bit_length() + 1), self.features.classes)
            level = mosaic_level(shown, zoom, side, self.constants)
            self.mosaic = zoom, side
            self.made = Step(both(self._large(zoom), level), np.empty(0, dtype=np.int64))
        return self.made

    def _large(self, zoom: int) -> Level:
        """Areas that would be too many cells, as they are but for their simplified borders."""
        whole = self.features.shapes[self.which[self.large]]
        shapes = simplify(on_grid(whole, zoom)) if len(whole) else whole
        level = Level(zoom, shapes, taken(self.traits, self.large))
        return level.take(np.flatnonzero(~shapely.is_empty(shapes)))

    def _cells(self, zoom: int) -> Cells:
        """What lies in the pixels of a zoom: from the whole once, then from the zoom below."""
        if self.cells is None:
            side = PIXEL * 2.0 ** (max(zoom, 0) - zoom)
            self.large = self._too_large(side * unit(max(zoom, 0)))
            small = np.setdiff1d(np.arange(len(self.which)), self.large)
            shapes = on_grid(self.features.shapes[self.which[small]], max(zoom, 0))
            self.cells = zoom, cells_of(shapes, self.traits.klass[small], side, self.traits.members[small])
        at, cells = self.cells
        return coarsened(cells, at - zoom)

    def _too_large(self, cell: float) -> Ints:
        """The largest areas, if all of them would make too many cells so many metres wide."""
        cells: Floats = shapely.area(self.features.shapes[self.which]) / cell**2
        order = np.argsort(cells, kind="stable")
        return np.sort(order[np.cumsum(cells[order]) > _MOST_CELLS])


def both(one: Level, other: Level) -> Level:
    """The rows of two levels of a zoom."""
    a, b = one.traits, other.traits
    traits = Traits(
        np.concatenate([a.feature, b.feature]),
        np.concatenate([a.codes, b.codes]),
        np.concatenate([a.klass, b.klass]),
        np.concatenate([a.members, b.members]),
        np.concatenate([a.amounts, b.amounts]),
    )
    return Level(other.zoom, np.concatenate([one.shapes, other.shapes]), traits)


def mosaic_level(shown: Mosaic, zoom: int, side: int, constants: Codes) -> Level:
    """The rows of a zoom that is a mosaic of cells so many pixels wide."""
    faces, face = outlines(shown)
    klass = shown.klass[np.unique(face, return_index=True)[1]]
    traits = Traits(
        np.full(len(faces), NO_FEATURE),
        constants[klass],
        klass,
        np.round(np.bincount(face, shown.members, len(faces))).astype(np.int64),
        np.zeros((len(faces), len(constants)), dtype=np.float32),
    )
    return Level(zoom, shapely.set_coordinates(faces, shapely.get_coordinates(faces) * (side * PIXEL)), traits)


def _part(level: Level, tile: int | None) -> Level:
    return level if tile is None else level.take(within(level.shapes, tile))


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
