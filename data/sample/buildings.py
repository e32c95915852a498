"""Buildings: rows of them in each parcel, lengthwise from east to west as housing in the north of China faces south."""

from typing import NamedTuple

import numpy as np
import shapely

from data.sample.parcels import Parcels, oriented_boxes
from data.sample.shapes import Flags, Floats, Ints, Shapes, centres
from data.sample.uses import USES

SETBACK = 4.0  # metres from the parcel's edge
MOST = 7  # rows, and buildings in a row


class Form(NamedTuple):
    """How the buildings of a use look: metres, and the storeys to choose from."""

    zh: str
    depth: float
    length: float
    rows_apart: float
    sides_apart: float
    storeys: tuple[int, ...]
    storey_height: float
    wing: float = 0.0  # depth of a wing that makes the building an L


_HOUSE = Form("住宅楼", 13, 46, 22, 9, (6, 6, 6, 7, 7, 11, 11, 18, 18, 26, 33), 2.95)
FORMS = {
    "0701": _HOUSE,
    "0702": Form("社区服务楼", 16, 34, 16, 12, (2, 3, 4), 3.6),
    "0801": Form("办公楼", 16, 48, 28, 16, (4, 6, 9, 12), 3.6, 16),
    "0802": Form("科研楼", 18, 52, 26, 16, (5, 7, 9), 3.9),
    "0803": Form("文化馆", 30, 44, 24, 18, (2, 3, 4), 4.8),
    "0804": Form("教学楼", 14, 54, 30, 20, (3, 4, 5), 3.6, 14),
    "0805": Form("体育馆", 42, 58, 30, 24, (1, 2), 8.0),
    "0806": Form("医疗楼", 20, 52, 26, 18, (5, 8, 12, 16), 3.9, 18),
    "0807": Form("福利院", 15, 42, 22, 14, (3, 4, 5), 3.3),
    "0901": Form("商厦", 28, 40, 14, 10, (2, 3, 4, 5, 6, 12, 20), 4.5),
    "0902": Form("写字楼", 26, 36, 20, 16, (9, 14, 18, 24, 32, 38), 4.0),
    "0903": Form("影剧院", 30, 42, 20, 14, (2, 3, 4), 5.0),
    "1001": Form("厂房", 30, 72, 16, 14, (1, 1, 2), 7.5),
    "1101": Form("仓库", 34, 78, 20, 16, (1, 1, 1, 2), 8.5),
    "1208": Form("站房", 18, 46, 24, 18, (1, 2), 5.0),
    "1303": Form("变电所", 14, 26, 18, 14, (1, 2), 4.5),
}


class Buildings(NamedTuple):
    """Footprints with the index of their parcel, their number in it, and their storeys."""

    shapes: Shapes
    parcels: Ints
    numbers: Ints
    storeys: Ints


def build_up(rng: np.random.Generator, parcels: Parcels, where: Flags) -> Buildings:
    """Fill the parcels chosen by `where` with the buildings of their use; parks and reserves stay empty."""
    built = np.array([use.code in FORMS for use in USES])
    chosen = np.flatnonzero(where & built[parcels.uses])
    forms = [FORMS[USES[use].code] for use in parcels.uses[chosen]]
    chances = zip(forms, rng.random(len(forms)), strict=True)
    storeys = np.array([form.storeys[int(chance * len(form.storeys))] for form, chance in chances])
    shapes, parcel = _rows(rng, parcels.shapes[chosen], forms, storeys)
    numbers = np.arange(len(parcel)) - np.searchsorted(parcel, parcel) + 1
    return Buildings(shapes, chosen[parcel], numbers, storeys[parcel])


def _rows(rng: np.random.Generator, plots: Shapes, forms: list[Form], storeys: Ints) -> tuple[Shapes, Ints]:
    """Footprints and the index of the plot of each, ordered by plot."""
    corner, east, north = _frames(plots)
    size = np.array([[form.length, form.depth] for form in forms]) * (0.85 + 0.3 * rng.random((len(forms), 2)))
    size[:, 1] = np.minimum(size[:, 1], 1.08 * np.array([form.depth for form in forms]))
    gap = np.array([[form.sides_apart, form.rows_apart] for form in forms], dtype=np.float64)
    gap[:, 1] = np.maximum(gap[:, 1], 0.8 * storeys * 3.0)  # winter sun: taller rows stand farther apart
    wing = np.array([form.wing for form in forms])
    room = np.column_stack([np.linalg.norm(east, axis=1), np.linalg.norm(north, axis=1)]) - 2 * SETBACK
    gap[:, 1] = np.minimum(gap[:, 1], 46) + np.where(wing > 0, 1.4 * wing, 0)
    size = np.minimum(size, room * 0.9)
    counts = np.clip(((room + gap) // (size + gap)).astype(np.int64), 1, MOST)
    plot, column, row = _grid(counts)
    pitch = (room / counts)[plot]
    place = SETBACK + pitch * (np.column_stack([column, row]) + 0.5) - size[plot] / 2
    axes = [side / np.linalg.norm(side, axis=1)[:, None] for side in (east, north)]
    outline = _outlines(size[plot], wing[plot]) + place[:, None, :]
    points = corner[plot, None] + outline[..., :1] * axes[0][plot, None] + outline[..., 1:] * axes[1][plot, None]
    return _inside(plots, shapely.polygons(points.round(2)), plot)


def _frames(plots: Shapes) -> tuple[Floats, Floats, Floats]:
    """The south-west corner of each plot's oriented box, and its sides to the east and to the north."""
    corner, one, other = oriented_boxes(plots)
    flat = (np.abs(one[:, 0]) >= np.abs(other[:, 0]))[:, None]
    east, north = np.where(flat, one, other), np.where(flat, other, one)
    for side, axis in ((east, 0), (north, 1)):
        back = side[:, axis] < 0
        corner[back] += side[back]
        side[back] *= -1
    return corner, east, north


def _grid(counts: Ints) -> tuple[Ints, Ints, Ints]:
    """Plot, column and row of each of the counts[i] = (columns, rows) cells of every plot."""
    cells = counts.prod(axis=1)
    plot = np.repeat(np.arange(len(counts)), cells)
    cell = np.arange(cells.sum()) - np.repeat(np.cumsum(cells) - cells, cells)
    return plot, cell % counts[plot, 0], cell // counts[plot, 0]


def _outlines(size: Floats, wing: Floats) -> Floats:
    """(n, 6, 2): each footprint from its own corner: a bar, with a wing to the south at one end where it has one."""
    length, depth = size.T
    zero = np.zeros(len(size))
    reach = np.where(wing > 0, -1.2 * wing, 0)
    end = np.where(wing > 0, np.minimum(wing, 0.5 * length), 0.5 * length)
    corners = [(zero, reach), (end, reach), (end, zero), (length, zero), (length, depth), (zero, depth)]
    return np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)


def _inside(plots: Shapes, shapes: Shapes, plot: Ints) -> tuple[Shapes, Ints]:
    """The footprints that stand whole in their plot; a plot where none does gets one half as large, if that fits."""
    fits = shapely.contains_properly(plots[plot], shapes)
    bare = np.setdiff1d(np.arange(len(plots)), plot[fits])
    small = _small(plots[bare])
    good = shapely.contains_properly(plots[bare], small)
    every = np.concatenate([shapes[fits], small[good]])
    owner = np.concatenate([plot[fits], bare[good]])
    order = np.argsort(owner, kind="stable")
    return shapely.remove_repeated_points(every[order], 0.01), owner[order]


def _small(plots: Shapes) -> Shapes:
    """A box of half the size of each plot's own, around a point of its surface."""
    _, east, north = _frames(plots)
    middle = centres(plots)
    corners = [middle + x * east / 4 + y * north / 4 for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    boxes: Shapes = shapely.polygons(np.stack(corners, axis=1).round(2).reshape(-1, 4, 2))
    return boxes
