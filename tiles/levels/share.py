"""Which class a mixed group shows, so that over a district each class keeps its share of the map."""

import numpy as np

from tiles.levels.units import Floats, Ints


def share_out(amounts: Floats, regions: Ints) -> Ints:
    """The class that each row shows of those in it, given how much of each class (column) it has.

    What a row does not show is owed to the next rows of its region: so the classes of a region are shown in their
    shares, where the largest of each row would leave none but the most frequent. All regions are walked in step.
    """
    _, region = np.unique(regions, return_inverse=True)
    order = np.argsort(region, kind="stable")
    starts = np.searchsorted(region[order], region[order])
    place = np.arange(len(order)) - starts
    owed = np.zeros((int(region.max(initial=-1)) + 1, amounts.shape[1]))
    chosen = np.zeros(len(amounts), dtype=np.int64)
    by_place = order[np.argsort(place, kind="stable")]
    for rows in np.split(by_place, np.cumsum(np.bincount(place))[:-1]) if len(order) else []:
        have = amounts[rows]
        due = owed[region[rows]] + have
        best = np.where(have > 0, due, -np.inf).argmax(axis=1)
        due[np.arange(len(rows)), best] -= have.sum(axis=1)
        owed[region[rows]] = due
        chosen[rows] = best
    return chosen
