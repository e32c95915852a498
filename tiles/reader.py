"""Makes tiles out of PostgreSQL, for the event loop: whole, or, where that is too much for a tile, the most important of it."""

from typing import Final, NamedTuple

from isal import isal_zlib

from core.changes import Standing
from core.database import AsyncPool, run, speaking_plainly
from core.errors import NoSuchDataset
from tiles import queries
from tiles.mvt import count_features
from tiles.queries import Wanted

_FEWER = 0.8  # of the share of features that would just fit
_TRIES: Final = 5
_GZIP = 31  # zlib's window bits for the gzip format
_LEVEL = 2  # of isal: as small as zlib's 5, in a fifth of the time


class Budget(NamedTuple):
    """The most bytes of a tile: as it is, and zipped."""

    raw: int
    zipped: int


class Made(NamedTuple):
    """A tile as it was made, and of what state of the data set."""

    standing: Standing
    raw: bytes
    left_out: bool = False  # whether features were left out to keep the tile within its budget
    zipped: bytes = b""  # where it had to be zipped to see whether it fits


async def make(pool: AsyncPool, wanted: Wanted, budget: Budget) -> Made:
    """Make a tile; one with nothing in it is b''."""
    made = await _once(pool, wanted)
    for _ in range(_TRIES):
        share, made = _fitting(made, budget)
        if share >= 1:
            break
        fewer = wanted._replace(most=int(count_features(made.raw) * share * _FEWER))
        made = (await _once(pool, fewer))._replace(left_out=True)
    return made


async def _once(pool: AsyncPool, wanted: Wanted) -> Made:
    statement = queries.tile(wanted)
    with speaking_plainly():
        row = await (await run(pool, statement.text, statement.parameters, binary=True)).fetchone()
    if row is None:
        raise NoSuchDataset(id=wanted.layer.id)
    return Made(Standing(*row[:3]), bytes(row[3] or b""))


def _fitting(made: Made, budget: Budget) -> tuple[float, Made]:
    """Which share of a tile fits its budget; only one that might be too large is zipped to see, and stays so."""
    raw = made.raw
    if len(raw) <= min(budget.raw, budget.zipped):
        return 1.0, made
    zipped = zip_(raw)
    return min(budget.raw / len(raw), budget.zipped / len(zipped)), made._replace(zipped=zipped)


def zip_(raw: bytes) -> bytes:
    """A tile zipped; one with nothing in it stays b''."""
    if not raw:
        return b""
    zipper = isal_zlib.compressobj(_LEVEL, wbits=_GZIP)
    return bytes(zipper.compress(raw) + zipper.flush())


def unzip(zipped: bytes) -> bytes:
    """The tile as it is."""
    return bytes(isal_zlib.decompress(zipped, _GZIP)) if zipped else b""
