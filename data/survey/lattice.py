"""A bent lattice of cells: blocks of eight by eight with narrow strips between them, where roads and rivers run."""

from typing import NamedTuple, Self

import numpy as np

from data.sample.ground import Waves
from data.sample.shapes import Flags, Floats, Ints

BLOCK = 8  # cells along a block's side
PERIOD = BLOCK + 1  # a block and the strip before it
CELL = 64.0  # metres
WIDTHS = {"1101": 70.0, "1003": 26.0, "1006": 6.0, "1107": 4.5}  # of strips; metres
STRIPS = tuple(WIDTHS)  # the first takes a crossing


class Bend(NamedTuple):
    """From straight lines around (0, 0) to the plane; `scale` is the size of a cell over `CELL`."""

    turn: float
    centre: Floats
    waves: tuple[Waves, ...]
    scale: float

    @classmethod
    def random(cls, rng: np.random.Generator, centre: Floats, scale: float) -> Self:
        """Broad bends and small ones, so weak that no cell is folded."""
        waves = tuple(Waves.random(rng, length, count=2) for length in (5200, 5200, 1000, 1000))
        return cls(float(np.radians(24 * (rng.random() - 0.5))), centre, waves, scale)

    def at(self, board: Floats) -> Floats:
        """(n, 2) points."""
        small = board / self.scale
        wide = 130 * np.column_stack([wave.at(small) for wave in self.waves[:2]])
        fine = 16 * np.column_stack([wave.at(small) for wave in self.waves[2:]])
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        moved: Floats = (small + wide + fine) * self.scale @ np.array([[cos, sin], [-sin, cos]]) + self.centre
        return moved


class Lattice(NamedTuple):
    """Lines at `rows` and `columns` on the board; strips are every ninth row and column of cells, from the first.

    A block has the strips to its south and west. The kinds of strips are indices into `STRIPS`.
    """

    rows: Floats
    columns: Floats
    row_kinds: Ints
    column_kinds: Ints
    bend: Bend
    cell: float

    @classmethod
    def lay(cls, rng: np.random.Generator, centre: Floats, blocks: int, cell: float) -> Self:
        """A square lattice of `blocks` x `blocks` around a point of the plane."""
        row_kinds, column_kinds = _strip_kinds(rng, blocks), _strip_kinds(rng, blocks)
        rows, columns = (_ticks(rng, kinds, cell) for kinds in (row_kinds, column_kinds))
        return cls(rows, columns, row_kinds, column_kinds, Bend.random(rng, centre, cell / CELL), cell)

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        return len(self.row_kinds), len(self.column_kinds)

    def block_middles(self) -> Floats:
        """(n, 2): the middle of each block in the plane, row by row."""
        half = 1 + BLOCK // 2
        return self.bend.at(_pairs(self.columns[half::PERIOD], self.rows[half::PERIOD]))

    def frames(self) -> tuple[Floats, Floats]:
        """Points of the plane along the first lines of strips: (rows of blocks + 1, lines, 2), (lines, columns + 1, 2)."""
        flat = self.bend.at(_pairs(self.columns, self.rows[::PERIOD]))
        tall = self.bend.at(_pairs(self.columns[::PERIOD], self.rows))
        return flat.reshape(-1, len(self.columns), 2), tall.reshape(len(self.rows), -1, 2)

    def points(self, rng: np.random.Generator, used: Flags) -> tuple[Floats, Floats]:
        """Nodes, and middles of edges (eastward ones first), row by row; nought where no `used` block is."""
        cells = np.repeat(np.repeat(used.reshape(self.blocks), PERIOD, axis=0), PERIOD, axis=1)
        wide = np.pad(cells, 1)
        above, beside = wide[1:] | wide[:-1], wide[:, 1:] | wide[:, :-1]
        free = [np.arange(len(lines)) % PERIOD >= 2 for lines in (self.rows, self.columns)]  # neither side of a strip
        between = [np.arange(len(lines) - 1) % PERIOD >= 1 for lines in (self.rows, self.columns)]
        middle = [(lines[1:] + lines[:-1]) / 2 for lines in (self.rows, self.columns)]
        nodes = self._bent(rng, self.rows, self.columns, above[:, 1:] | above[:, :-1], np.outer(free[0], free[1]), 0.2)
        along = self._bent(rng, self.rows, middle[1], above[:, 1:-1], np.outer(free[0], between[1]), 0.09)
        up = self._bent(rng, middle[0], self.columns, beside[1:-1], np.outer(between[0], free[1]), 0.09)
        return nodes, np.concatenate([along, up])

    def _bent(
        self, rng: np.random.Generator, rows: Floats, columns: Floats, used: Flags, free: Flags, jitter: float
    ) -> Floats:
        made = np.zeros((used.size, 2))
        here = used.ravel()
        moves = jitter * self.cell * (2 * rng.random((int(here.sum()), 2)) - 1) * free.ravel()[here][:, None]
        made[here] = self.bend.at(_pairs(columns, rows)[here]) + moves
        return made


def _pairs(columns: Floats, rows: Floats) -> Floats:
    return np.column_stack([grid.ravel() for grid in np.meshgrid(columns, rows)])


def _strip_kinds(rng: np.random.Generator, count: int) -> Ints:
    """A road between fields or a ditch mostly, every fifth a highway, every thirteenth a river."""
    place = np.arange(count) + rng.integers(13)
    kinds = np.where(rng.random(count) < 0.3, STRIPS.index("1107"), STRIPS.index("1006"))
    kinds[place % 5 == 1] = STRIPS.index("1003")
    kinds[place % 13 == 4] = STRIPS.index("1101")
    return kinds


def _ticks(rng: np.random.Generator, kinds: Ints, cell: float) -> Floats:
    """The positions of lines around 0: strips of their width, and cells of about `cell` metres."""
    sizes = cell * (0.78 + 0.44 * rng.random((len(kinds), PERIOD)))
    sizes[:, 0] = np.array([WIDTHS[code] for code in STRIPS])[kinds] * min(1.0, cell / CELL)
    ticks = np.concatenate([[0.0], np.cumsum(sizes)])
    centred: Floats = ticks - ticks[-1] / 2
    return centred
