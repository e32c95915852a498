"""What changed: where each data set stands, and its change log from any place on."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

import psycopg

from core.catalogue import BBox
from core.database import AsyncPool, ask, query

CHANNEL = "chengtu_changes"  # NOTIFY with the id of a data set whose features or generalised zooms changed
_WHOLE = 2**31 - 1  # an ordinal after those of all rows of a change

Op = Literal["I", "U", "D", "R"]


class Position(NamedTuple):
    """How far a data set has come: its release, and the change within it. Later ones compare as greater."""

    release: int
    change: int

    @property
    def mark(self) -> "Mark":
        """The place in the log behind all rows of this change."""
        return Mark(self.release, self.change, _WHOLE)


class Standing(NamedTuple):
    """The position of a data set, and the step of its generalised zooms."""

    release: int
    change: int
    level_step: int

    @property
    def position(self) -> Position:
        """The position alone."""
        return Position(self.release, self.change)


class Mark(NamedTuple):
    """A place in the change log of a data set: right behind a row of it."""

    release: int
    change: int
    ordinal: int


class Change(NamedTuple):
    """A row of the log: a feature inserted, updated or deleted (R, that all must be read anew, is told by the page)."""

    mark: Mark
    op: Op
    key: str | None
    old_box: BBox | None
    new_box: BBox | None
    at: datetime

    @property
    def boxes(self) -> list[BBox]:
        """Where the feature was and is, as far as it has a place."""
        return [box for box in (self.old_box, self.new_box) if box is not None]


class LogPage(NamedTuple):
    """Some rows of the log in order, and how the data set stood when they were read."""

    now: Position
    changes: list[Change]
    more: bool  # whether others follow
    reset: bool  # the log does not tell all that changed: the data set must be read anew, as it is at `now`
    guarded: bool  # row security may hide features from this service


class LevelChange(NamedTuple):
    """An area of a generalised zoom that was rebuilt; everywhere where there is no box."""

    step: int
    zoom: int
    box: BBox | None


async def positions(pool: AsyncPool, ids: Iterable[str]) -> dict[str, Standing]:
    """How the data sets stand now, those that there are."""
    rows = await ask(pool, query("positions"), {"ids": list(ids)})
    return {row[0]: Standing(*row[1:]) for row in rows}


async def read_log(pool: AsyncPool, id_: str, since: Mark, limit: int) -> LogPage | None:
    """At most so many changes of a data set after a mark; None where there is no such data set."""
    bound = {"id": id_, "rows": limit + 1, **since._asdict()}
    rows = await ask(pool, query("read_log"), bound)
    if not rows:
        return None
    release, change, reset, guarded = rows[0][:4]
    changes = [] if reset else [_change(row[4:]) for row in rows[:limit] if row[4] is not None]
    return LogPage(Position(release, change), changes, len(rows) > limit, reset, guarded)


async def level_changes(pool: AsyncPool, id_: str, since: int) -> list[LevelChange] | None:
    """Which areas of the generalised zooms were rebuilt after a step; None where that is no longer known."""
    rows = await ask(pool, query("level_changes"), {"id": id_, "since": since})
    if not rows or not rows[0][0] <= since <= rows[0][1]:
        return None
    return [LevelChange(step, zoom, _box(box)) for _, _, step, zoom, box in rows if step is not None]


async def trim(connection: psycopg.AsyncConnection[Any], days: int) -> None:
    """Forget changes of so many days ago, unless another process is about it."""
    async with connection.transaction():
        row = await (await connection.execute(query("trim_alone"))).fetchone()
        if row and row[0]:
            await connection.execute(query("trim_log"), {"days": days})
            await connection.execute(query("trim_level_changes"), {"days": days})


def _change(row: tuple[object, ...]) -> Change:
    match row:
        case [int(release), int(change), int(ordinal), ("I" | "U" | "D" | "R") as op, key, old, new, datetime() as at]:
            known = key if isinstance(key, str) else None
            return Change(Mark(release, change, ordinal), op, known, _box(old), _box(new), at)
    raise TypeError(f"no row of the change log: {row}")


def _box(numbers: object) -> BBox | None:
    return BBox(*numbers) if isinstance(numbers, list) else None
