"""All generalised zooms of a data set, made out of its features under the byte budget."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from tiles.levels.budget import Budget, Measured, estimate, fullest_tiles, measure
from tiles.levels.level import NO_FEATURE, Step, Traits, constants_of, nothing_amounts
from tiles.levels.makers import AreaMaker, Maker, makers_for
from tiles.levels.source import Features, Table, read
from tiles.levels.units import Ints
from tiles.levels.whole import whole_zoom
from tiles.levels.words import said
from tiles.portrayal import Portrayal

_LIGHT = 3  # areas that are merged further are all still shown: their tiles take no more than such a part of the budget
VERSION = 1  # of the way to generalise: what another one made is made anew before it is changed

Tell = Callable[[int, int], None]  # zooms made, zooms in all


class Zoom(NamedTuple):
    """The rows of one zoom, by kind of geometry, how coarse each had to be, and what the fullest tile takes."""

    zoom: int
    steps: tuple[Step, ...]
    coarseness: tuple[int, ...]
    measured: Measured
    left_out: int  # features
    share_left_out: float  # of area, length or number


class Levels(NamedTuple):
    """All generalised zooms, the finest first; features are whole from `whole_zoom` on."""

    whole_zoom: int
    zooms: tuple[Zoom, ...]
    features: Features
    makers: tuple[Maker, ...]
    seconds: float
    budget: Budget
    portrayal: Portrayal

    def as_json(self) -> dict[str, Any]:
        """What the catalogue says of them."""
        return {
            "whole_zoom": self.whole_zoom,
            "zooms": [_zoom_json(one) for one in self.zooms],
            "seconds": round(self.seconds, 2),
            "budget": {"raw": self.budget.raw, "gzip": self.budget.zipped},
            "version": VERSION,
            "portrayal": self.portrayal._asdict(),
            "kinds": [maker.kind for maker in self.makers],
            "patched": not any(isinstance(maker, AreaMaker) and len(maker.large) for maker in self.makers),
            "constants": self._constants(),
        }

    def _constants(self) -> list[list[str | None]]:
        """For each class the texts of the attributes that all its features share."""
        codes = constants_of(self.features.codes, self.features.klass, self.features.classes)
        traits = Traits(np.full(len(codes), NO_FEATURE), codes, *_no_numbers(len(codes)))
        return [list(row) for row in zip(*said(self.features, traits, np.arange(len(codes))).columns, strict=True)]


def build(connection: Connection, table: Table, budget: Budget, tell: Tell) -> Levels:
    """Generalise the features of a table."""
    started = time.process_time()
    features = read(connection, table)
    everything = _all_traits(features)
    whole = whole_zoom(connection, features, budget, partial(said, features, everything), keyed=table.keyed)
    makers = makers_for(features, table.label) if whole else []
    zooms = []
    for zoom in range(whole - 1, -1, -1):
        tell(whole - 1 - zoom, whole)
        zooms.append(_made(connection, zoom, makers, features, budget, keyed=table.keyed))
    return Levels(whole, tuple(zooms), features, tuple(makers), time.process_time() - started, budget, table.portrayal)


def _all_traits(features: Features) -> Traits:
    count = len(features.keys)
    return Traits(np.arange(count), features.codes, *_no_numbers(count))


def _no_numbers(count: int) -> tuple[Ints, Ints, NDArray[np.float32]]:
    """Class, members and amounts of rows of which only keys and attributes matter."""
    return np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64), nothing_amounts(count)


def _made(
    connection: Connection, zoom: int, makers: list[Maker], features: Features, budget: Budget, *, keyed: bool
) -> Zoom:
    """Make a zoom, coarser and coarser until its fullest tiles keep the budget: first the fullest alone, then all."""
    for maker in makers:
        maker.begin(zoom)
    at = [maker.guess(budget) for maker in makers]
    tile = _fullest(makers)
    while True:
        at, steps = _worth_showing(makers, at, tile)
        measured = _measured(connection, steps, features, tile, keyed=keyed)
        coarser = [min(step + 1, maker.steps - 1) for step, maker in zip(at, makers, strict=True)]
        if not _is_light(measured, makers, at, budget) and coarser != at:
            at = coarser
        elif tile is not None:
            tile = None
        else:
            break
    for maker, one, step in zip(makers, steps, at, strict=True):
        maker.accept(one, step)
    return _told(zoom, makers, steps, tuple(at), measured, features)


def _is_light(measured: Measured, makers: list[Maker], at: list[int], budget: Budget) -> bool:
    """Whether the fullest tiles keep the budget; where it costs nothing but detail, a part of it."""
    if not measured.fits(budget):
        return False
    light = Budget(budget.raw // _LIGHT, budget.zipped // _LIGHT)
    return measured.fits(light) or not all(
        maker.loses_nothing(step + 1) for maker, step in zip(makers, at, strict=True)
    )


def _fullest(makers: list[Maker]) -> int | None:
    """The tile that has most to show, where it is known."""
    shapes = np.concatenate([maker.base.shapes for maker in makers])
    tiles = fullest_tiles(shapes, estimate(shapes, 2), 1)
    return int(tiles[0]) if len(tiles) else None


def _worth_showing(makers: list[Maker], at: list[int], tile: int | None) -> tuple[list[int], tuple[Step, ...]]:
    found = [_first_worth_showing(maker, step, tile) for maker, step in zip(makers, at, strict=True)]
    return [step for step, _ in found], tuple(one for _, one in found)


def _first_worth_showing(maker: Maker, step: int, tile: int | None) -> tuple[int, Step]:
    for at in range(step, maker.steps):
        if (made := maker.make(at, tile)) is not None:
            return at, made
    raise AssertionError("the coarsest step is always made")


def _measured(
    connection: Connection, steps: tuple[Step, ...], features: Features, tile: int | None, *, keyed: bool
) -> Measured:
    shapes, traits = _together(steps)
    return measure(connection, shapes, partial(said, features, traits), keyed=keyed, tile=tile)


def _together(steps: tuple[Step, ...]) -> tuple["np.ndarray[tuple[int], np.dtype[np.object_]]", Traits]:
    traits = [one.level.traits._replace(amounts=one.level.traits.amounts[:, :0]) for one in steps]
    return np.concatenate([one.level.shapes for one in steps]), Traits(*map(np.concatenate, zip(*traits, strict=True)))


def _told(
    zoom: int, makers: list[Maker], steps: tuple[Step, ...], at: tuple[int, ...], measured: Measured, features: Features
) -> Zoom:
    shown = sum(int(one.level.traits.members.sum()) for one in steps)
    kept = min((maker.kept(one) for maker, one in zip(makers, steps, strict=True)), default=1.0)
    return Zoom(zoom, steps, at, measured, max(len(features.keys) - shown, 0), max(1 - kept, 0.0))


def _zoom_json(one: Zoom) -> dict[str, Any]:
    return {
        "zoom": one.zoom,
        "rows": sum(len(step.level.shapes) for step in one.steps),
        "features": sum(int(step.level.traits.members.sum()) for step in one.steps),
        "bytes_most": one.measured.raw,
        "gzip_most": one.measured.zipped,
        "coarseness": list(one.coarseness),
        "left_out": {"features": one.left_out, "area_share": round(one.share_left_out, 4)},
    }
