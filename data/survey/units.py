"""Made-up townships and villages: neighbouring blocks of a district, with codes and names in the official form."""

from typing import NamedTuple

import numpy as np

from data.sample.shapes import Floats, Ints, Texts

_FIRST = "永兴东西南北大双新长平太福金红青龙柳杏榆"
_SECOND = "河山岭沟泉湖阳丰发胜安顺岗桥林江源口屯甸"
NOBODY = -1


class Units(NamedTuple):
    """The village of each block; codes (12 and 9 digits), names, and the township of each village, by village.

    `districts` is the index of each township's district.
    """

    villages: Ints
    village_codes: Texts
    village_names: Texts
    townships: Ints
    township_codes: Texts
    township_names: Texts
    districts: Ints


def divide_blocks(
    rng: np.random.Generator, grid: tuple[int, int], middles: Floats, districts: Ints, codes: Texts
) -> Units:
    """Townships of six to twelve villages, villages of four to twelve blocks; blocks of district -1 have none."""
    count = int((districts != NOBODY).sum())
    size = int(np.clip(count / 40, 4, 12))
    villages = _connected(grid, _clusters(rng, middles, districts, size))
    first = np.unique(villages[villages != NOBODY], return_index=True)[1]
    own = np.flatnonzero(villages != NOBODY)[first]
    seats = np.stack([_mean(middles[:, axis], villages) for axis in (0, 1)], axis=1)
    townships = _clusters(rng, seats, districts[own], int(np.clip(len(own) / 6, 2, 12)))
    township_districts = districts[own][np.unique(townships, return_index=True)[1]]
    return _named(rng, villages, townships, township_districts, codes)


def _mean(values: Floats, groups: Ints) -> Floats:
    used = groups != NOBODY
    sums: Floats = np.bincount(groups[used], weights=values[used]) / np.bincount(groups[used])
    return sums


def _clusters(rng: np.random.Generator, points: Floats, groups: Ints, size: int) -> Ints:
    """Numbers 0 … for clusters of about `size` points of one group each; -1 for points of group -1."""
    found, begun = np.full(len(points), NOBODY), 0
    for group in np.unique(groups[groups != NOBODY]):
        own = np.flatnonzero(groups == group)
        seeds = points[rng.choice(own, max(1, round(len(own) / size)), replace=False)]
        for _ in range(4):
            nearest = _nearest(points[own], seeds)
            used, nearest = np.unique(nearest, return_inverse=True)
            seeds = np.stack([_mean(points[own, axis], nearest) for axis in (0, 1)], axis=1)
        found[own] = begun + nearest
        begun += len(used)
    return found


def _nearest(points: Floats, seeds: Floats) -> Ints:
    squares = (seeds**2).sum(axis=1)
    parts = [
        (squares - 2 * chunk @ seeds.T).argmin(axis=1) for chunk in np.array_split(points, len(points) // 4000 + 1)
    ]
    return np.concatenate(parts)


def _connected(grid: tuple[int, int], villages: Ints) -> Ints:
    """The same villages, each part that lies apart being one of its own, numbered from the north-west."""
    found = np.full(len(villages), NOBODY)
    count = 0
    for block in np.flatnonzero(villages != NOBODY):
        if found[block] == NOBODY:
            _flood(grid, villages, found, int(block), count)
            count += 1
    return found


def _flood(grid: tuple[int, int], villages: Ints, found: Ints, block: int, number: int) -> None:
    found[block], waiting = number, [block]
    while waiting:
        row, column = divmod(waiting.pop(), grid[1])
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            beside = r * grid[1] + c
            if (
                0 <= r < grid[0]
                and 0 <= c < grid[1]
                and found[beside] == NOBODY
                and villages[beside] == villages[block]
            ):
                found[beside] = number
                waiting.append(beside)


def _named(rng: np.random.Generator, villages: Ints, townships: Ints, districts: Ints, codes: Texts) -> Units:
    """Codes run from 100 for townships of a district, and from 200 for villages of a township."""
    township_codes, township_names = _numbered(rng, codes[districts], districts, 100, ("镇", "乡", "镇"))
    village_codes, village_names = _numbered(rng, township_codes[townships], townships, 200, ("村",))
    return Units(villages, village_codes, village_names, townships, township_codes, township_names, districts)


def _numbered(
    rng: np.random.Generator, prefixes: Texts, groups: Ints, begin: int, kinds: tuple[str, ...]
) -> tuple[Texts, Texts]:
    words = [a + b for a in _FIRST for b in _SECOND]
    codes, names = np.empty(len(groups), dtype=object), np.empty(len(groups), dtype=object)
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        chosen = rng.permutation(len(words))
        for number, index in enumerate(own):
            codes[index] = f"{prefixes[index]}{begin + number:03d}"
            series, word = divmod(number, len(words))
            names[index] = (
                f"{words[chosen[word]]}{'一二三四五六七八九'[series - 1] if series else ''}{kinds[number % len(kinds)]}"
            )
    return codes, names
