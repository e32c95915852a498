"""An increment from beginning to end: one source, one transaction; applied wholly or not at all, and once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from core.database import Connection, connect, one_line, query, speaking_plainly
from core.errors import ChengtuError, NoSuchDataset
from loaders.amendment import Amended, Rows, Undone, What, amend, applied_before, digest_of, hold, undo
from loaders.increments.balance import areas, balance, judge
from loaders.increments.checks import ALWAYS, check
from loaders.increments.report import Finding, IncrementRefused, IncrementReport, Outcome
from loaders.increments.source import Prepared, prepare
from loaders.load import workspace
from loaders.options import Options
from loaders.report import Changes
from loaders.source import open_source


class NoHistoryKept(ChengtuError):
    """An increment to a data set that keeps no history."""

    en = "{id} keeps no history, which an increment needs. Load its state anew with --history and --state-of."
    zh = "数据集 {id} 未保留历史,无法应用增量。请用 --history 与 --state-of 重新加载其状态。"
    exit_code = 2


class AmendmentFailed(ChengtuError):
    """PostgreSQL refused something that no check foresaw."""

    en = "The database refused the increment: {reason}. {id} stays as it was."
    zh = "数据库拒绝了本次增量:{reason}。{id} 保持原状。"
    exit_code = 3


class Wish(NamedTuple):
    """How an increment shall be applied."""

    state_of: date | None = None  # the day that it leads to, where it does not say so itself
    accept: frozenset[str] = frozenset()  # ids of rules that may be broken, or "all"
    dry_run: bool = False
    options: Options = Options()  # how its layers are read


def apply_increment(
    source: Path, dsn: str, id_: str, wish: Wish, *, scratch: Path, archive_limit: int
) -> IncrementReport:
    """Apply an increment to a data set with history; on any error, or kill, nothing changes.

    Raises `IncrementRefused`, which carries the report, where it does not fit; and what reading a source does.
    """
    started = time.monotonic()
    with workspace(scratch) as room, _plainly(id_), connect(dsn, purpose=f"chengtu-increment {id_}") as connection:
        opened = open_source(source, workspace=room, encoding=wish.options.encoding, archive_limit=archive_limit)
        held = hold(connection, id_)
        if not held.history:
            raise NoHistoryKept(id=id_)
        prepared = prepare(connection, dsn, opened, held, wish.options, wish.state_of)
        report = _report(_applied(connection, held, prepared, source, wish), started)
        for staging in prepared.stagings:
            connection.execute(query("drop_staging").format(staging=staging.table))
        if wish.dry_run:
            connection.rollback()
    return report


def undo_last(dsn: str, id_: str) -> Undone:
    """Take the newest increment or sheet of a data set back."""
    with _plainly(id_), connect(dsn, purpose=f"chengtu-increment {id_}") as connection:
        return undo(connection, hold(connection, id_))


def list_amendments(dsn: str, id_: str) -> list[dict[str, Any]]:
    """All increments and sheets of a data set, the newest first."""
    with connect(dsn) as connection:
        if connection.execute(query("current_release"), {"id": id_}).fetchone() is None:
            raise NoSuchDataset(id=id_)
        return list(connection.execute(query("list_amendments"), {"id": id_}).fetchall())


@contextmanager
def _plainly(id_: str) -> Iterator[None]:
    """Say in one sentence what the database could not do."""
    try:
        with speaking_plainly():
            yield
    except psycopg.Error as error:
        raise AmendmentFailed(id=id_, reason=one_line(error)) from error


def _applied(connection: Connection, held: Amended, prepared: Prepared, source: Path, wish: Wish) -> IncrementReport:
    what = What("increment", str(prepared.day.year), source.name, prepared.day)
    rows = _rows(prepared)
    told = IncrementReport(
        id=held.id,
        source=source.name,
        label=what.label,
        outcome="refused",
        state_before=str(held.state_of) if held.state_of else None,
        state=str(prepared.day),
        changes=Changes(0, 0, 0),
        findings=(),
        balance=None,
    )
    if before := applied_before(connection, held.id, digest_of(connection, what, rows)):
        return replace(told, outcome="again", amendment=before.id, applied_at=f"{before.again:%Y-%m-%d %H:%M}")
    told = _judged(told, check(connection, held, prepared), wish)
    at_first = areas(connection, held, prepared.terms)
    done = amend(connection, held, what, rows, {})
    table = balance(connection, at_first)
    outcome: Outcome = "checked" if wish.dry_run else "applied"
    told = replace(told, outcome=outcome, changes=done.changes, balance=table, amendment=done.id)
    told = _judged(told, (*told.findings, *judge(table)), wish)
    connection.execute(query("keep_report"), {"id": done.id, "report": psycopg.types.json.Jsonb(told.as_json())})
    return told if not wish.dry_run else replace(told, amendment=None)


def _rows(prepared: Prepared) -> Rows:
    return Rows(
        closing=query("increment_closing"),
        opening=sql.Identifier("ct_opening"),
        columns=prepared.columns,
        pairs=query("increment_succession"),
    )


def _judged(told: IncrementReport, findings: tuple[Finding, ...], wish: Wish) -> IncrementReport:
    """The report with findings; `IncrementRefused` unless each of them was accepted."""
    marked = tuple(replace(one, accepted=_accepted(one, wish)) for one in findings)
    told = replace(told, findings=marked)
    if not all(one.accepted for one in marked):
        raise IncrementRefused(replace(told, outcome="refused", amendment=None))
    return told


def _accepted(one: Finding, wish: Wish) -> bool:
    return one.rule not in ALWAYS and bool({one.rule, "all"} & wish.accept)


def _report(told: IncrementReport, started: float) -> IncrementReport:
    return replace(told, seconds=round(time.monotonic() - started, 2))
