"""The synthetic street network: a planner's grid with a ring, bent, and cut ever finer between its main streets."""

from typing import NamedTuple

import numpy as np
import shapely

from data.sample.ground import Ground
from data.sample.shapes import Flags, Floats, Ints, Shapes, centres, node


class Rank(NamedTuple):
    """A class of urban road; the width is between the red lines, in metres."""

    code: str
    zh: str
    en: str
    width: float
    lanes: int
    speed: int


RANKS = (
    Rank("1", "快速路", "Expressway", 56, 8, 80),
    Rank("2", "主干路", "Arterial road", 42, 6, 60),
    Rank("3", "次干路", "Secondary road", 28, 4, 40),
    Rank("4", "支路", "Local road", 16, 2, 30),
)
EXPRESSWAY, ARTERIAL, SECONDARY, LOCAL = range(4)
BORDER = 4  # not a street: a district's boundary, which no block crosses
LONGEST = 1000.0  # metres between main streets
HALF_WIDTHS = np.array([*(rank.width / 2 for rank in RANKS), 28.0])


class Lines(NamedTuple):
    """Lines, their rank, and the number of the street that each is a part of (-1: a boundary)."""

    shapes: Shapes
    ranks: Ints
    streets: Ints

    def where(self, keep: Ints | Flags) -> "Lines":
        """The chosen lines."""
        return Lines(self.shapes[keep], self.ranks[keep], self.streets[keep])


def lay_streets(rng: np.random.Generator, ground: Ground) -> Lines:
    """All lines of the plane that bound blocks: streets and district boundaries, cut at every junction."""
    board = _noded(_board(rng, ground))
    bent = shapely.transform(shapely.segmentize(board.shapes, 60.0), ground.bend)
    borders = _borders(ground)
    ranks = np.concatenate([board.ranks, np.full(len(borders), BORDER)])
    streets = np.concatenate([board.streets, np.full(len(borders), -1)])
    return _noded(Lines(np.concatenate([bent, borders]), ranks, streets))


def _board(rng: np.random.Generator, ground: Ground) -> Lines:
    """The streets as straight lines around (0, 0), before they bend; rank and street go by line."""
    extent = 1.5 * ground.radius
    columns, column_ranks = _main_streets(rng, extent)
    rows, row_ranks = _main_streets(rng, extent)
    grid = [
        *(shapely.LineString([(u, -extent), (u, extent)]) for u in columns),
        *(shapely.LineString([(-extent, v), (extent, v)]) for v in rows),
        shapely.Point(0, 0).buffer(0.58 * ground.radius, quad_segs=24).exterior,
    ]
    cuts, cut_ranks = _cut_cells(rng, _cells(columns, rows), ground)
    ranks = np.concatenate([column_ranks, row_ranks, [EXPRESSWAY], cut_ranks])
    return Lines(np.concatenate([np.array(grid, dtype=object), cuts]), ranks, np.arange(len(ranks)))


def _main_streets(rng: np.random.Generator, extent: float) -> tuple[Floats, Ints]:
    """Positions of parallel main streets 620 to 1000 m apart, one of them at 0; every other one is an arterial."""
    count = int(extent / 620) + 1
    east, west = (np.cumsum(620 + 380 * rng.random(count)) for _ in range(2))
    positions = np.concatenate([-west[::-1], [0.0], east])
    ranks = np.where(np.arange(-count, count + 1) % 2, SECONDARY, ARTERIAL)
    return positions, ranks


def _cells(columns: Floats, rows: Floats) -> Floats:
    """(n, 4, 2): the rectangles between main streets, corners anticlockwise."""
    west, south = (grid.ravel() for grid in np.meshgrid(columns[:-1], rows[:-1]))
    east, north = (grid.ravel() for grid in np.meshgrid(columns[1:], rows[1:]))
    return np.stack([west, south, east, south, east, north, west, north], axis=1).reshape(-1, 4, 2)


def _cut_cells(rng: np.random.Generator, cells: Floats, ground: Ground) -> tuple[Shapes, Ints]:
    """Cut cells across their longer side until they are block-sized: small in the centre, larger outside."""
    cells = cells[ground.remoteness(ground.bend(cells.mean(axis=1))) < 1 + LONGEST / ground.radius]
    cuts, ranks = [], []
    for level in range(8):
        away = np.hypot(*cells.mean(axis=1).T) / ground.radius
        limit = (285 + 185 * away) * np.exp(0.28 * (rng.random(len(cells)) * 2 - 1))
        cells, length = _long_side_first(cells)
        cells = cells[length > limit]
        if not len(cells):
            break
        near = 0.5 + 0.26 * (rng.random((len(cells), 1)) - 0.5)
        far = near + 0.12 * (rng.random((len(cells), 1)) - 0.5)
        a, b, c, d = cells.transpose(1, 0, 2)
        start, end = a + (b - a) * near, d + (c - d) * far
        cuts.append(np.stack([start, end], axis=1))
        ranks.append(np.where((level == 0) & (rng.random(len(cells)) < 0.3), SECONDARY, LOCAL))
        cells = np.concatenate([np.stack([a, start, end, d], axis=1), np.stack([start, b, c, end], axis=1)])
    return shapely.linestrings(np.concatenate(cuts)), np.concatenate(ranks)


def _long_side_first(cells: Floats) -> tuple[Floats, Floats]:
    """The cells turned so that the first corner begins the longer side, and that side's length."""
    width = np.linalg.norm(cells[:, 1] - cells[:, 0], axis=1) + np.linalg.norm(cells[:, 2] - cells[:, 3], axis=1)
    height = np.linalg.norm(cells[:, 2] - cells[:, 1], axis=1) + np.linalg.norm(cells[:, 3] - cells[:, 0], axis=1)
    upright = (height > width)[:, None, None]
    return np.where(upright, np.roll(cells, -1, axis=1), cells), np.maximum(width, height) / 2


def _borders(ground: Ground) -> Shapes:
    """The districts' boundaries near the town."""
    near = shapely.Point(ground.centre).buffer(2.2 * ground.radius)
    rings = shapely.intersection(shapely.boundary(ground.districts), near)
    pieces = shapely.get_parts(rings)
    lines: Shapes = pieces[shapely.get_type_id(pieces) == shapely.GeometryType.LINESTRING]
    return lines


def _noded(lines: Lines) -> Lines:
    """The lines cut at every meeting; where two run together the higher rank wins."""
    pieces = node(lines.shapes)
    middles = shapely.points(centres(pieces))
    piece, source = shapely.STRtree(lines.shapes).query(middles, predicate="dwithin", distance=0.05)
    order = np.lexsort((source, lines.ranks[source], piece))
    found, first = np.unique(piece[order], return_index=True)
    best = source[order][first]
    return Lines(pieces[found], lines.ranks[best], lines.streets[best])
