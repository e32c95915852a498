"""All generalised zooms of a data set, made out of its features under the byte budget."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from core.database import Connection
from tiles.levels.budget import Budget, Measured, measure
from tiles.levels.level import Step, Traits
from tiles.levels.makers import Maker, makers_for
from tiles.levels.source import Features, Table, read
from tiles.levels.whole import whole_zoom
from tiles.levels.words import said

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

    def as_json(self) -> dict[str, Any]:
        """What the catalogue says of them."""
        return {
            "whole_zoom": self.whole_zoom,
            "zooms": [_zoom_json(one) for one in self.zooms],
            "seconds": round(self.seconds, 2),
            "budget": {"raw": self.budget.raw, "gzip": self.budget.zipped},
        }


def build(connection: Connection, table: Table, budget: Budget, tell: Tell) -> Levels:
    """Generalise the features of a table."""
    started = time.process_time()
    features = read(connection, table)
    keyed = table.key_type in ("smallint", "integer", "bigint")
    everything = _all_traits(features)
    whole = whole_zoom(connection, features, budget, partial(said, features, everything), keyed=keyed)
    label = table.portrayal.label_field
    makers = makers_for(features, table.carried.index(label) if label in table.carried else None) if whole else []
    zooms = []
    for zoom in range(whole - 1, -1, -1):
        tell(whole - 1 - zoom, whole)
        zooms.append(_made(connection, zoom, makers, features, budget, keyed=keyed))
    return Levels(whole, tuple(zooms), features, tuple(makers), time.process_time() - started, budget)


def _all_traits(features: Features) -> Traits:
    count = len(features.keys)
    return Traits(
        np.arange(count),
        features.codes,
        features.klass,
        np.ones(count, dtype=np.int64),
        np.zeros((count, 0), np.float32),
    )


def _made(
    connection: Connection, zoom: int, makers: list[Maker], features: Features, budget: Budget, *, keyed: bool
) -> Zoom:
    """Make a zoom, coarser and coarser until its fullest tiles keep the budget."""
    for maker in makers:
        maker.begin(zoom)
    at = [maker.guess(budget) for maker in makers]
    while True:
        made = [_first_worth_showing(maker, step) for maker, step in zip(makers, at, strict=True)]
        at = [step for step, _ in made]
        steps = tuple(one for _, one in made)
        shapes, traits = _together(steps)
        measured = measure(connection, shapes, partial(said, features, traits), keyed=keyed)
        coarser = [min(step + 1, maker.steps - 1) for step, maker in zip(at, makers, strict=True)]
        if measured.fits(budget) or coarser == at:
            break
        at = coarser
    for maker, one, step in zip(makers, steps, at, strict=True):
        maker.accept(one, step)
    return _told(zoom, makers, steps, tuple(at), measured, features)


def _first_worth_showing(maker: Maker, step: int) -> tuple[int, Step]:
    for at in range(step, maker.steps):
        if (made := maker.make(at)) is not None:
            return at, made
    raise AssertionError("the coarsest step is always made")


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
