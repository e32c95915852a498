"""Cells by districts of 16 by 16, as the database keeps them: what an edit touches is found and replaced in one row."""

from collections.abc import Iterable, Iterator

import numpy as np

from tiles.levels.cells import Cells, gathered
from tiles.levels.units import Ints

BITS = 4  # 2 ** 4 cells a side
_PACKED = np.dtype([("x", "<i4"), ("y", "<i4"), ("klass", "<i2"), ("share", "<f4"), ("members", "<f4")])


def districts(cells: Cells) -> Iterator[tuple[int, int, bytes]]:
    """The column and row of each district, and its cells."""
    packed = np.empty(len(cells.x), dtype=_PACKED)
    for name, values in cells._asdict().items():
        packed[name] = values
    x, y = cells.x >> BITS, cells.y >> BITS
    order = np.lexsort((x, y))
    x, y, packed = x[order], y[order], packed[order]
    starts = np.flatnonzero((np.diff(x, prepend=-1) != 0) | (np.diff(y, prepend=-1) != 0))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(x)], strict=True):
        yield int(x[start]), int(y[start]), packed[start:end].tobytes()


def unpacked(districts: Iterable[bytes]) -> Cells:
    """The cells of some districts."""
    packed = np.frombuffer(b"".join(districts), dtype=_PACKED)
    x, y, klass = (packed[name].astype(np.int64) for name in ("x", "y", "klass"))
    share, members = packed["share"].astype(np.float64), packed["members"].astype(np.float64)
    return gathered(Cells(x, y, klass, share, members))


def district_codes(x: Ints, y: Ints) -> Ints:
    """The district of each cell, as one number."""
    return (y >> BITS) << 32 | (x >> BITS)
