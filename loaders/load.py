"""A load from beginning to end: one source, one transaction, and what it published."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from core.database import Connection, connect, one_line, query, speaking_plainly
from core.errors import ChengtuError
from loaders import judging
from loaders.candidate import Staged, stage
from loaders.crs import read_datum_shift
from loaders.job import Job, plan
from loaders.options import Options
from loaders.publish import Finish as FinishQuietly
from loaders.publish import Finished, Progress, Write, publish
from loaders.release import check
from loaders.report import Report, Verdict
from loaders.sheets.exchange import refuse_without_sheet
from loaders.sheets.publishing import publish_sheet
from loaders.source import Source, open_source
from loaders.staging import Staging
from loaders.topographic import PROFILE
from loaders.topographic_layers import by_theme

Finish = Callable[
    [Connection, Staging, str, Progress], Finished
]  # with a checked and indexed staging table, and its id


class LoadRunning(ChengtuError):
    """Another load of the same data set is under way."""

    en = "Another load of {id} is under way. Wait until it has ended."
    zh = "数据集 {id} 正在被另一个加载任务写入,请等待其结束。"
    status = 409
    exit_code = 3


class DiskFull(ChengtuError):
    """No room is left for the new release."""

    en = "The disk is full: {reason}. The old release is still served; free some space and load again."
    zh = "磁盘空间不足:{reason}。仍提供旧版本;请释放空间后重新加载。"
    exit_code = 3


class LoadFailed(ChengtuError):
    """PostgreSQL refused something that no check foresaw."""

    en = "The load failed in the database: {reason}. The old release is still served."
    zh = "数据库拒绝了本次加载:{reason}。仍提供旧版本。"
    exit_code = 3


def load(
    source: Path,
    dsn: str,
    options: Options,
    *,
    scratch: Path,
    archive_limit: int,
    progress: Progress | None = None,
    finish: Finish | None = None,
) -> Report:
    """Load a layer of `source`, or all that follow a profile, and publish them together; on any error, or kill, nothing changes.

    `scratch` is a directory for temporary files, `archive_limit` the most bytes an archive may unpack to; `finish`
    makes what else a release needs, in the same transaction.
    Raises a `ChengtuError` that says what to do; `QualityRefused` carries the report of what the checks found.
    """
    started = time.monotonic()
    tell = progress or (lambda stage, done, total: None)
    with workspace(scratch) as room, plainly():
        opened = _by_theme(_open(source, room, options, archive_limit), options)
        jobs = plan(opened, options)
        with connect(dsn, purpose=f"chengtu-load {jobs[0].id}") as connection:
            staged = _stage(connection, dsn, opened, jobs, options, tell)
            rows = sum(one.read.rows for one in staged)
            tell("publish", rows, rows)
            teller = _Teller(opened.path, staged, options.dry_run, started)
            report = _publish(connection, teller, options, with_progress(finish, tell))
            if options.dry_run:
                connection.rollback()
    return report


@contextmanager
def workspace(scratch: Path) -> Iterator[Path]:
    """A directory of this load's own, removed at its end; those of loads that were killed go as well."""
    scratch.mkdir(parents=True, exist_ok=True)
    for left in scratch.glob("load-*"):
        if not Path(f"/proc/{left.name.split('-')[1]}").exists():
            shutil.rmtree(left, ignore_errors=True)
    directory = Path(tempfile.mkdtemp(prefix=f"load-{os.getpid()}-", dir=scratch))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _open(source: Path, room: Path, options: Options, archive_limit: int) -> Source:
    return open_source(
        source,
        workspace=room,
        encoding=options.encoding,
        x=options.x,
        y=options.y,
        wkt=options.wkt,
        archive_limit=archive_limit,
    )


def _by_theme(source: Source, options: Options) -> Source:
    """A topographic database as themes, unless it shall be read otherwise."""
    return by_theme(source) if options.layer is None and options.profile in (None, PROFILE) else source


@contextmanager
def plainly() -> Iterator[None]:
    """Say in one sentence what the database could not do."""
    try:
        with speaking_plainly():
            yield
    except (psycopg.errors.DiskFull, psycopg.errors.InsufficientResources) as error:
        raise DiskFull(reason=one_line(error)) from error
    except psycopg.Error as error:
        raise LoadFailed(reason=one_line(error)) from error


def _stage(
    connection: Connection, dsn: str, opened: Source, jobs: Sequence[Job], options: Options, tell: Progress
) -> list[Staged]:
    """Read each layer, once nobody else may load what it becomes."""
    for job in jobs:
        lock(connection, job.id)
    shift = read_datum_shift(options.datum_shift) if options.datum_shift else None
    with connect(dsn, purpose="chengtu-load") as aside:
        return [
            stage(connection, aside, opened, job, shift, lambda done, total: tell("read", done, total)) for job in jobs
        ]


def lock(connection: Connection, id_: str) -> None:
    """Keep all others from loading a data set until the transaction ends; `LoadRunning` if one does so already."""
    row = connection.execute(query("lock_load"), {"id": id_}).fetchone()
    if not (row and row["ours"]):
        raise LoadRunning(id=id_)


class _Teller(NamedTuple):
    """What a load knows of itself, to report it at whatever point it ends."""

    source: Path
    staged: Sequence[Staged]
    dry_run: bool
    started: float

    def write(self, quality: Mapping[str, tuple[Verdict, ...]]) -> Write:
        """How the report is written, once it is known what was published."""
        return lambda published, notes: Report(
            source=str(self.source),
            outcome="checked" if self.dry_run else "published",
            rows_in=sum(one.read.rows for one in self.staged),
            layers=tuple(one.read for one in self.staged),
            quality=dict(quality),
            notes=notes,
            datasets=published,
            seconds=round(time.monotonic() - self.started, 2),
            peak_megabytes=peak_megabytes(),
        )


def _publish(connection: Connection, teller: _Teller, options: Options, finish: FinishQuietly | None) -> Report:
    """Publish what was read: a sheet in the place of its old state, all else as releases, once it is judged."""
    sheet = teller.staged[0].job.sheet
    if sheet is None:
        return _release(connection, teller, options, finish)
    return publish_sheet(
        connection,
        teller.staged,
        sheet,
        finish=finish,
        discard_edits=options.discard_edits,
        dry_run=options.dry_run,
        write=teller.write({}),
    )


def _release(connection: Connection, teller: _Teller, options: Options, finish: FinishQuietly | None) -> Report:
    """Judge everything that was read, and publish it with what was found."""
    for one in teller.staged:
        if one.job.match is not None and one.job.match.profile.id == PROFILE:
            refuse_without_sheet(connection, one.job.id)
    judgement = judging.judge(connection, teller.staged, options)
    write = teller.write(judgement.verdicts)
    judgement.raise_errors(write)
    read = [candidate for one in teller.staged for candidate in one.candidates]
    checked = [(one, check(connection, one.staging)) for one in (*read, *judgement.candidates(connection))]
    report = publish(
        connection,
        checked,
        finish=finish,
        discard_edits=options.discard_edits,
        dry_run=options.dry_run,
        write=write,
    )
    if not options.dry_run:
        judgement.record(connection, report)
    return report


def with_progress(finish: Finish | None, tell: Progress) -> FinishQuietly | None:
    """What else a release needs, with someone to tell how far it is."""
    return (lambda connection, staging, id_: finish(connection, staging, id_, tell)) if finish else None


def peak_megabytes() -> int:
    """The most memory this process had; `getrusage` would also tell of the process that started it."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
