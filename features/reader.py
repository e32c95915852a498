"""Reads features from PostgreSQL for the event loop: as the bytes that PostgreSQL wrote, untouched."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.pq.abc import PGresult

from core.crs import Srid
from core.database import AsyncPool, run
from core.errors import BadRequest, ChengtuError, DatabaseBusy, NoSuchDataset
from features import queries
from features.asking import asking
from features.paging import Cursor, ReleaseReplaced
from features.queries import Statement
from features.search import Bounds, Search
from features.table import Table

_LONGEST_ID = 1000  # characters
_MOST_QUESTIONS = 500
_SECONDS = 1e-6  # that a unit of the planner's costs takes, where the table lies in memory


class NoSuchItem(ChengtuError):
    """No feature has this key."""

    en = "The collection {dataset} has no feature {id!r}."
    zh = "集合 {dataset} 中没有要素 {id!r}。"
    code = "NotFound"
    status = 404


class State(NamedTuple):
    """What of a data set was served: the release, the change within it, and when that was."""

    release: int
    change: int
    features: int
    changed: str


class Page(NamedTuple):
    """Some features in order, each as GeoJSON text, and where this page begins and ends."""

    state: State
    features: list[bytes]
    matched: int | None  # how many features the whole query matches, where that came for free
    first: tuple[str | None, ...]
    last: tuple[str | None, ...]
    more: bool  # whether there are others beyond it, in the direction of reading

    def after(self, matched: int | None = None) -> Cursor:
        """Where the page after this one begins, of so many features as the whole query matches."""
        return Cursor(self.state.release, self.state.change, matched, self.last)

    def before(self, matched: int | None = None) -> Cursor:
        """Where the page before this one ends."""
        return Cursor(self.state.release, self.state.change, matched, self.first, backwards=True)


class Item(NamedTuple):
    """One feature as GeoJSON text, and what tells this version of it from all others."""

    feature: bytes
    release: int
    version: str


async def read_page(pool: AsyncPool, table: Table, search: Search, written: sql.Composable | None = None) -> Page:
    """One page, of GeoJSON or of features as `written` says.

    `ReleaseReplaced` where its cursor comes from a release that is served no more.
    """
    result = await _ask(pool, table, queries.page(table, search, written))
    state = _state(result, table)
    cursor = search.cursor
    if cursor is not None and cursor.release != state.release:
        raise ReleaseReplaced(dataset=table.dataset.id)
    found = 0 if result.get_value(0, 4) is None else result.ntuples
    rows = list(range(min(found, search.limit)))
    if cursor is not None and cursor.backwards:
        rows.reverse()
    features = [result.get_value(row, 4) or b"" for row in rows]
    ends = [_position(result, row) for row in (rows[0], rows[-1])] if rows else [(), ()]
    matched = result.get_value(0, 5)
    return Page(state, features, int(matched) if matched else None, ends[0], ends[1], more=found > search.limit)


async def read_count(pool: AsyncPool, table: Table, search: Search) -> int:
    """How many features match, however long that takes within the limits of any query."""
    return (await _count(pool, table, queries.count(table, search)))[1]


async def read_count_in_time(pool: AsyncPool, table: Table, search: Search, state: State, budget: float) -> int | None:
    """How many features match at `state`; None where that takes longer than a budget of seconds, as PostgreSQL plans it."""
    statement = queries.count(table, search)
    question = statement.text.as_string(None), _magnitude(search.bounds)
    if question not in table.costs:
        if len(table.costs) >= _MOST_QUESTIONS:
            table.costs.clear()
        table.costs[question] = await _cost(pool, table, statement)
    if table.costs[question] * _SECONDS > budget:
        return None
    try:
        counted, matched = await _count(pool, table, statement)
    except DatabaseBusy:
        table.costs[question] = math.inf
        return None
    return matched if counted == (state.release, state.change) else None


def _magnitude(bounds: Bounds | None) -> int:
    """How large a box is, in powers of two: the one value that a count's cost depends on by orders of magnitude."""
    if bounds is None:
        return 0
    half = len(bounds.numbers) // 2
    sides = (abs(bounds.numbers[half + n] - bounds.numbers[n]) for n in (0, 1))
    return sum(math.frexp(side)[1] for side in sides)


async def _cost(pool: AsyncPool, table: Table, statement: Statement) -> float:
    """What the planner expects a statement to cost, in its own units."""
    result = await _ask(pool, table, queries.explain(statement))
    return float(json.loads(result.get_value(0, 0) or b"")[0]["Plan"]["Total Cost"])


async def _count(pool: AsyncPool, table: Table, statement: Statement) -> tuple[tuple[int, int], int]:
    result = await _ask(pool, table, statement)
    if not result.ntuples:
        raise NoSuchDataset(id=table.dataset.id)
    release, change, matched = (int(result.get_value(0, column) or 0) for column in range(3))
    return (release, change), matched


async def read_item(pool: AsyncPool, table: Table, identifier: str, crs: Srid, datetime: str | None = None) -> Item:
    """The feature with a key, as it is or was; `NoSuchItem` where there is none, whatever the identifier looks like."""
    for statement in queries.items(table, identifier, crs, datetime):
        with naming_an_item(table, identifier):
            result = await _ask(pool, table, statement)
        if result.ntuples:
            feature, release, version = (result.get_value(0, column) or b"" for column in range(3))
            return Item(feature, int(release), version.decode())
    raise NoSuchItem(dataset=table.dataset.id, id=identifier[:40])


@contextmanager
def naming_an_item(table: Table, identifier: str) -> Iterator[None]:
    """`NoSuchItem` for what cannot be a key, such as one of the wrong type."""
    refusal = NoSuchItem(dataset=table.dataset.id, id=identifier[:40])
    if len(identifier) > _LONGEST_ID or "\0" in identifier:
        raise refusal
    try:
        yield
    except (BadRequest, psycopg.DataError) as error:
        raise refusal from error


async def read_state(pool: AsyncPool, table: Table) -> State:
    """What is being served now."""
    return _state(await _ask(pool, table, queries.state(table)), table)


def _state(result: PGresult, table: Table) -> State:
    if not result.ntuples:
        raise NoSuchDataset(id=table.dataset.id)
    release, change, count, changed = (result.get_value(0, column) or b"0" for column in range(4))
    return State(int(release), int(change), int(count), changed.decode())


def _position(result: PGresult, row: int) -> tuple[str | None, ...]:
    values = (result.get_value(row, column) for column in range(6, result.nfields))
    return tuple(None if value is None else value.decode() for value in values)


async def _ask(pool: AsyncPool, table: Table, statement: Statement) -> PGresult:
    with asking(table.dataset.id):
        result = (await run(pool, statement.text, statement.parameters)).pgresult
    assert result is not None  # noqa: S101 — `run` has seen to it
    return result
