"""Which cells make a parcel: blocks cut into rectangles, some joined again, ponds inside fields, strips between blocks."""

from typing import NamedTuple

import numpy as np

from data.sample.shapes import Flags, Ints
from data.survey.classes import FOREST, NUMBER, TOWN, ZONES, choose_classes, is_class
from data.survey.faces import OUTSIDE
from data.survey.lattice import BLOCK, PERIOD, STRIPS, Lattice

SHARE_JOINED, SHARE_PONDS = 0.10, 0.2


class Plots(NamedTuple):
    """The parcel of each cell; the class, block and strip kind (-1: none) of each parcel."""

    cells: Ints
    classes: Ints
    blocks: Ints
    strips: Ints


def lay_out(rng: np.random.Generator, lattice: Lattice, villages: Ints, zones: Ints) -> Plots:
    """Parcels for the blocks that have a village (not -1), numbered from 0."""
    rows, columns = lattice.blocks
    cells = np.full((rows * PERIOD, columns * PERIOD), OUTSIDE)
    blocks, classes = _fill_blocks(rng, cells, np.flatnonzero(villages != OUTSIDE), zones, columns)
    strips = np.full(len(blocks), OUTSIDE)
    for kinds, owners in _lay_strips(lattice, cells, villages, zones, len(blocks)):
        in_town = (zones[owners] == TOWN) & (kinds >= STRIPS.index("1006"))
        named = np.array([NUMBER[code] for code in STRIPS])[kinds]
        classes = np.r_[classes, np.where(in_town, NUMBER["1004"], named)]
        blocks, strips = np.r_[blocks, owners], np.r_[strips, kinds]
    return _numbered(cells, classes, blocks, strips)


def count_parcels(rng: np.random.Generator, zones: Ints) -> Ints:
    """About how many parcels blocks of these zones get: for choosing how many blocks to take."""
    mean = np.array([BLOCK * BLOCK / zone.cells for zone in ZONES])[zones]
    return np.rint(1.18 * mean * (0.9 + 0.2 * rng.random(len(zones))) + 2).astype(np.int64)


def _fill_blocks(rng: np.random.Generator, cells: Ints, blocks: Ints, zones: Ints, columns: int) -> tuple[Ints, Ints]:
    """Write parcels into the blocks' cells; returns the block and the class of each."""
    owners, boxes = _rectangles(rng, blocks, zones)
    classes = choose_classes(rng, zones[owners])
    height, width = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    size = height * width
    parcel = np.repeat(np.arange(len(owners)), size)
    cell = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    row = (owners // columns * PERIOD + 1 + boxes[:, 0])[parcel] + cell // width[parcel]
    column = (owners % columns * PERIOD + 1 + boxes[:, 2])[parcel] + cell % width[parcel]
    cells[row, column] = parcel
    _join(rng, cells, owners, classes)
    ponds = np.flatnonzero((height > 2) & (width > 2) & (rng.random(len(owners)) < SHARE_PONDS))
    middle = (
        owners[ponds] // columns * PERIOD + 2 + boxes[ponds, 0],
        owners[ponds] % columns * PERIOD + 2 + boxes[ponds, 2],
    )
    cells[middle] = len(owners) + np.arange(len(ponds))
    return np.r_[owners, owners[ponds]], np.r_[classes, np.full(len(ponds), NUMBER["1104"])]


def _rectangles(rng: np.random.Generator, blocks: Ints, zones: Ints) -> tuple[Ints, Ints]:
    """Blocks halved again and again: the block of each rectangle, and its (first row, end, first column, end)."""
    aims = np.array([zone.cells for zone in ZONES])
    owners, boxes = blocks, np.tile([0, BLOCK, 0, BLOCK], (len(blocks), 1))
    done_owners, done = [], []
    while len(owners):
        sides = np.stack([boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]], axis=1)
        large = sides.prod(axis=1) > np.maximum(1, aims[zones[owners]] * (0.75 + 0.95 * rng.random(len(owners))))
        done_owners.append(owners[~large])
        done.append(boxes[~large])
        owners, boxes, sides = owners[large], boxes[large], sides[large]
        owners, boxes = np.tile(owners, 2), np.concatenate(_halves(rng, boxes, sides))
    return np.concatenate(done_owners), np.concatenate(done)


def _halves(rng: np.random.Generator, boxes: Ints, sides: Ints) -> tuple[Ints, Ints]:
    tall = sides[:, 0] + 0.5 * rng.random(len(sides)) > sides[:, 1]
    begin = np.where(tall, 0, 2)
    length, every = np.where(tall, sides[:, 0], sides[:, 1]), np.arange(len(boxes))
    cut = boxes[every, begin] + np.clip(np.rint(length * (0.35 + 0.3 * rng.random(len(boxes)))), 1, length - 1).astype(
        np.int64
    )
    low, high = boxes.copy(), boxes.copy()
    low[every, begin + 1] = cut
    high[every, begin] = cut
    return low, high


def _join(rng: np.random.Generator, cells: Ints, owners: Ints, classes: Ints) -> None:
    """Join some neighbours of one class and block, each parcel at most once, so that none gets a hole or a pinch."""
    pairs = np.concatenate(
        [np.stack([cells[:-1].ravel(), cells[1:].ravel()]), np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()])],
        axis=1,
    )
    one, other = pairs[:, (pairs[0] != pairs[1]) & (pairs >= 0).all(axis=0)]
    alike = (owners[one] == owners[other]) & (classes[one] == classes[other])
    one, other = np.unique(np.sort(np.stack([one[alike], other[alike]]), axis=0), axis=1)
    woods = is_class(classes[one], FOREST)
    turn = rng.permutation(len(one))
    best = np.full(len(owners), len(one))
    np.minimum.at(best, one, turn)
    np.minimum.at(best, other, turn)
    chosen = (
        (best[one] == turn) & (best[other] == turn) & (rng.random(len(one)) < SHARE_JOINED * np.where(woods, 3, 1.5))
    )
    becomes = np.arange(len(owners))
    becomes[other[chosen]] = one[chosen]
    inside = cells != OUTSIDE
    cells[inside] = becomes[cells[inside]]


def _lay_strips(lattice: Lattice, cells: Ints, villages: Ints, zones: Ints, begun: int) -> list[tuple[Ints, Ints]]:
    """Write the strips' parcels into their cells; returns kind and block of each, for columns, then rows.

    A strip's parcel goes on from block to block through crossings that it takes, as long as the village is the same.
    """
    shape = lattice.blocks
    village, town = villages.reshape(shape), (zones == TOWN).reshape(shape)
    by_column, by_row = np.broadcast_to(lattice.column_kinds, shape), np.broadcast_to(lattice.row_kinds[:, None], shape)
    column_takes = by_column <= by_row
    found = []
    for upright in (True, False):
        takes = column_takes if upright else ~column_takes
        parcel, heads = _runs(village, town, takes) if upright else _runs(village.T, town.T, takes.T)
        parcel, heads = (parcel, heads) if upright else (parcel.T, heads.T)
        parcel = np.where(parcel >= 0, parcel + begun, OUTSIDE)
        for step in range(1, PERIOD):
            (cells[step::PERIOD, ::PERIOD] if upright else cells[::PERIOD, step::PERIOD])[...] = parcel
        crossing = cells[::PERIOD, ::PERIOD]
        crossing[takes] = parcel[takes]
        where = np.flatnonzero(heads)
        order = np.argsort(parcel.ravel()[where])
        found.append(((by_column if upright else by_row).ravel()[where][order], where[order]))
        begun += len(where)
    return found


def _runs(village: Ints, town: Flags, takes: Flags) -> tuple[Ints, Flags]:
    """Numbers 0 … for runs down the columns, -1 where there is no village; and where each run begins."""
    begins = village != OUTSIDE
    begins[1:] &= ~((village[1:] == village[:-1]) & (town[1:] == town[:-1]) & takes[1:])
    number = (np.cumsum(begins.T.ravel()) - 1).reshape(village.T.shape).T
    return np.where(village != OUTSIDE, number, OUTSIDE), begins


def _numbered(cells: Ints, classes: Ints, blocks: Ints, strips: Ints) -> Plots:
    """The parcels that have cells, numbered without gaps."""
    used = np.zeros(len(classes), dtype=bool)
    used[cells[cells != OUTSIDE]] = True
    number = np.where(used, np.cumsum(used) - 1, OUTSIDE)
    inside = cells != OUTSIDE
    cells[inside] = number[cells[inside]]
    return Plots(cells, classes[used], blocks[used], strips[used])
