"""A load from beginning to end: one source, one transaction, and what it published."""

import itertools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import psycopg
import shapely
from psycopg.types.json import Jsonb

from core.catalogue import CLEARANCE, GEOMETRY, RELEASE, BBox, Field, check_id
from core.crs import lookup
from core.database import Connection, connect, one_line, query, speaking_plainly
from core.errors import ChengtuError
from core.language import Text
from loaders.crs import CrsDecision, decide, read_datum_shift
from loaders.difference import compare, tell_whole
from loaders.geometry import FAMILIES, Rules
from loaders.options import Options
from loaders.pipeline import Columns, Stream, family_of, straightener
from loaders.release import Served, check, index, index_words, interval, record, served_release, swap
from loaders.report import Changes, Published, Report
from loaders.source import Layer, open_layer
from loaders.staging import ROW_NUMBER, Place, Staging, postgres_type

Progress = Callable[[str, int, int | None], None]  # stage, rows so far, rows in all where known


class Finished(Protocol):
    """What was made out of a release besides its table, and goes into service with it."""

    @property
    def note(self) -> Text | None:
        """What to tell of it in the report."""

    def swap(self, connection: Connection, id_: str, /) -> None:
        """Put it in the place of the release before, under the swap's lock."""

    def record(self, connection: Connection, id_: str, /) -> None:
        """Write of it into the catalogue."""


Finish = Callable[
    [Connection, Staging, str, Progress], Finished
]  # with a checked and indexed staging table, and its id


class LoadRunning(ChengtuError):
    """Another load of the same data set is under way."""

    en = "Another load of {id} is under way. Wait until it has ended."
    zh = "数据集 {id} 正在被另一个加载任务写入,请等待其结束。"
    status = 409
    exit_code = 3


class NoSuchField(ChengtuError):
    """--key or --time names a field that the layer lacks."""

    en = "The layer has no field {name}. Its fields: {fields}."
    zh = "图层中没有字段 {name}。可用字段:{fields}。"
    exit_code = 2


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


class _Job(NamedTuple):
    """What stays the same all through a load."""

    id: str
    source: Path
    layer: Layer
    options: Options
    decision: CrsDecision


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
    """Load one layer of `source` and publish it; on any error, or kill, the old release stays.

    `scratch` is a directory for temporary files, `archive_limit` the most bytes an archive may unpack to; `finish`
    makes what else a release needs, in the same transaction.
    Raises a `ChengtuError` that says what to do.
    """
    started = time.monotonic()
    tell = progress or (lambda stage, done, total: None)
    shift = read_datum_shift(options.datum_shift) if options.datum_shift else None
    with _workspace(scratch) as workspace, _opened(source, workspace, options, archive_limit) as layer, _plainly():
        decision = decide(
            layer.crs, _bounds(layer, options.batch), asked=options.srs, axes=options.axes, datum_shift=shift
        )
        job = _Job(check_id(options.id or id_from(source, layer)), source, layer, options, decision)
        with (
            connect(dsn, purpose=f"chengtu-load {job.id}") as connection,
            connect(dsn, purpose="chengtu-load") as aside,
        ):
            _lock(connection, job.id)
            stream = _stream(connection, aside, job)
            rows = stream.run(layer.batches(options.batch), lambda done: tell("read", done, layer.feature_count))
            tell("publish", rows, rows)
            report = _publish(connection, stream, job, rows, started, _finisher(finish, tell))
    return report


def id_from(source: Path, layer: Layer) -> str:
    """An id made of the file's name, and of the layer's where the file holds several; `check_id` judges it."""
    stem = source.name.split(".")[0]
    name = stem if layer.name.lower() in (stem.lower(), "entities", "") else f"{stem}_{layer.name}"
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") if name.isascii() else name


@contextmanager
def _workspace(scratch: Path) -> Iterator[Path]:
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


@contextmanager
def _opened(source: Path, workspace: Path, options: Options, archive_limit: int) -> Iterator[Layer]:
    with open_layer(
        source,
        workspace=workspace,
        layer=options.layer,
        encoding=options.encoding,
        x=options.x,
        y=options.y,
        wkt=options.wkt,
        archive_limit=archive_limit,
    ) as layer:
        yield layer


@contextmanager
def _plainly() -> Iterator[None]:
    """Say in one sentence what the database could not do."""
    try:
        with speaking_plainly():
            yield
    except (psycopg.errors.DiskFull, psycopg.errors.InsufficientResources) as error:
        raise DiskFull(reason=one_line(error)) from error
    except psycopg.Error as error:
        raise LoadFailed(reason=one_line(error)) from error


def _bounds(layer: Layer, size: int) -> tuple[float, float, float, float] | None:
    """The bounds of the raw coordinates: from the layer's header, else of its first batch that has any."""
    if layer.bounds is not None:
        return layer.bounds
    for batch in layer.batches(size):
        shapes = shapely.from_wkb(batch.column(batch.num_columns - 1).to_pylist(), on_invalid="ignore")
        west, south, east, north = map(float, shapely.total_bounds(shapes))
        if np.isfinite([west, south, east, north]).all():
            return west, south, east, north
    return None


def _lock(connection: Connection, id_: str) -> None:
    row = connection.execute(query("lock_load"), {"id": id_}).fetchone()
    if not (row and row["ours"]):
        raise LoadRunning(id=id_)


def _stream(connection: Connection, aside: Connection, job: _Job) -> Stream:
    row = connection.execute(query("next_release")).fetchone()
    place = Place(int(row["release"]) if row else 0, job.decision.srid, job.options.generic)
    tolerance = job.options.curve_tolerance or (1e-7 if lookup(job.decision.srid).is_geographic else 0.01)
    move = job.decision.move if job.decision.moves else None
    rules = Rules(move, straightener(aside, tolerance), job.options.generic)
    return Stream(connection, place, _columns(job), rules, family_of(job.layer.geometry_type))


def _columns(job: _Job) -> Columns:
    """The table's columns: the source's own names, but for those that the table needs for itself."""
    names = [one.name for one in job.layer.fields]
    for wanted in (job.options.key, job.options.time):
        if wanted is not None and wanted not in names:
            raise NoSuchField(name=wanted, fields=", ".join(names))
    reserved = {GEOMETRY, RELEASE, CLEARANCE} | ({ROW_NUMBER} if job.options.key is None else set())
    taken = set(names) | reserved
    fields, sources = [], {}
    for one in job.layer.fields:
        if one.name == job.layer.fid and one.name != job.options.key:
            continue
        name = one.name if one.name not in reserved else _free(one.name, taken)
        fields.append(Field(name, postgres_type(one.type)))
        sources[name] = one.name
    return Columns(job.options.key or ROW_NUMBER, tuple(fields), sources)


def _free(name: str, taken: set[str]) -> str:
    """`name` with the first number behind it that no other column has."""
    free = next(candidate for n in itertools.count(2) if (candidate := f"{name}_{n}") not in taken)
    taken.add(free)
    return free


def _finisher(finish: Finish | None, tell: Progress) -> Callable[[Connection, Staging, str], Finished | None]:
    return lambda connection, staging, id_: finish(connection, staging, id_, tell) if finish else None


def _publish(
    connection: Connection,
    stream: Stream,
    job: _Job,
    rows: int,
    started: float,
    finish: Callable[[Connection, Staging, str], Finished | None],
) -> Report:
    """Check, compare and swap in every data set of the load, in the load's one transaction."""
    stagings = _named(connection, stream, job)
    extents = {id_: check(connection, staging) for id_, staging in stagings.items()}
    published, differences = [], {}
    for id_, staging in stagings.items():
        served = served_release(connection, id_)
        differences[id_] = difference = compare(connection, staging, served, id_)
        changes = difference.changes if difference else Changes(0, 0, 0)
        published.append(_published(id_, staging, extents[id_], changes, None if difference else served))
    finished: dict[str, Finished | None] = {}
    for one in published:
        if one.outcome == "published":
            index(connection, stagings[one.id], search=_searched(job, served_release(connection, one.id)))
            finished[one.id] = finish(connection, stagings[one.id], one.id)
    notes = tuple(one.note for one in finished.values() if one and one.note)
    report = _report(job, rows, tuple(published), started, notes)
    for one in published:
        described = _described(job, one, stagings[one.id], interval(connection, stagings[one.id], job.options.time))
        difference = differences[one.id]
        if difference is not None:
            made = finished[one.id]
            edits = swap(
                connection,
                stagings[one.id],
                one.id,
                discard_edits=job.options.discard_edits,
                also=made.swap if made else None,
            )
            tell_whole(connection, one.id, one.release, difference, edits)
            record(connection, stagings[one.id], described, one.changes, report.as_json())
            if made:
                made.record(connection, one.id)
        else:
            connection.execute(query("drop_staging").format(staging=stagings[one.id].table))
            connection.execute(query("describe_dataset"), described)
            served = served_release(connection, one.id)
            if served is not None and served.search and served.partition is not None:
                index_words(connection, served.partition, served.fields)
    return report


def _searched(job: _Job, served: Served | None) -> bool:
    """Whether words anywhere in the texts shall be found by an index: as asked, else as before."""
    asked = job.options.described.search
    return asked if asked is not None else served is not None and served.search


def _named(connection: Connection, stream: Stream, job: _Job) -> dict[str, Staging]:
    """Give each family's table its data set's id: the plain one if it is alone, or had it before."""
    stagings = list(stream.stagings.values())
    if len(stagings) == 1:
        return {job.id: stagings[0]}
    served = served_release(connection, job.id)
    before = family_of(served.geometry_type) if served else None
    return {
        job.id if staging.family == before else check_id(f"{job.id}_{FAMILIES[staging.family]}s"): staging
        for staging in stagings
    }


def _published(id_: str, staging: Staging, extent: BBox | None, changes: Changes, same: Served | None) -> Published:
    tally = staging.tally
    return Published(
        id=id_,
        outcome="unchanged" if same else "published",
        release=same.release if same else staging.place.release,
        geometry_type=staging.type_name,
        rows=tally.rows,
        null_geometries=tally.null - sum(tally.refused.values()),
        empty_geometries=tally.empty,
        repaired=dict(tally.repaired),
        repaired_keys=tuple(tally.repaired_keys),
        refused=dict(tally.refused),
        refused_keys=tuple(tally.refused_keys),
        srid=staging.place.srid,
        extent=extent,
        changes=changes,
    )


def _described(job: _Job, one: Published, staging: Staging, times: list[datetime] | None) -> dict[str, Any]:
    """The catalogue row of a data set, for the queries that write it."""
    described = job.options.described
    name = job.source.name.split(".")[0] if job.layer.name in ("", "entities") else job.layer.name
    title = described.title_zh or described.title_en or name
    return asdict(described) | {
        "id": one.id,
        "default_title": title if one.id == job.id else f"{title} ({one.id.removeprefix(job.id + '_')})",
        "geometry_type": one.geometry_type,
        "srid": one.srid,
        "key_column": staging.key,
        "time_column": job.options.time,
        "fields": Jsonb([one._asdict() for one in staging.fields]),
        "extent": list(one.extent) if one.extent else None,
        "time_extent": times,
        "feature_count": one.rows,
        "source": job.source.name,
        "release": one.release,
    }


def _report(
    job: _Job, rows: int, published: tuple[Published, ...], started: float, finished: tuple[Text, ...]
) -> Report:
    layer, decision = job.layer, job.decision
    return Report(
        source=str(job.source),
        layer=layer.name,
        driver=layer.driver,
        rows_in=rows,
        encoding=layer.encoding,
        encoding_reason=layer.encoding_reason,
        sample_text=layer.sample_text,
        crs_reason=decision.reason,
        crs_certain=decision.certain,
        notes=(*(note.text for note in layer.notes), *decision.notes, *finished),
        datasets=published,
        seconds=round(time.monotonic() - started, 2),
        peak_megabytes=_peak_megabytes(),
    )


def _peak_megabytes() -> int:
    """The most memory this process had; `getrusage` would also tell of the process that started it."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
