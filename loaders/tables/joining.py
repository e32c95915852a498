"""A join from beginning to end: a table without geometry, the places that it speaks of, and the data set made of both."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from core.catalogue import check_id
from core.database import Connection, connect
from core.errors import ChengtuError
from core.language import Text
from loaders.job import id_from
from loaders.load import Finish, lock, peak_megabytes, plainly, with_progress, workspace
from loaders.publish import Progress, publish
from loaders.release import check
from loaders.report import LayerRead, Published
from loaders.tables.aside import find_aside
from loaders.tables.divisions import Divisions, read_changes
from loaders.tables.fields import read_columns
from loaders.tables.finding import Way, find_way
from loaders.tables.making import make_candidate
from loaders.tables.options import JoinOptions
from loaders.tables.places import candidates, read_places
from loaders.tables.reading import Ask, Sheet, read_sheet
from loaders.tables.report import Joined, JoinReport
from loaders.tables.rows import describe_match, match_rows, text_columns
from loaders.tables.unmatched import write_unmatched
from loaders.tables.years import Years, find_years


class OntoItself(ChengtuError):
    """The data set that a table would become is the one that it is joined to."""

    en = "The table would replace {id}, which it is joined to. Call what it becomes something else: --as ID."
    zh = "结果会覆盖所关联的数据集 {id}。请用 --as 指定其他编号。"
    exit_code = 2


class JoinRefused(ChengtuError):
    """Rows have no place, and nobody has accepted that."""

    en = (
        "{source}: {rows} rows have no place in {dataset}, such as {examples}; nothing is published."
        " Mend them, or publish them without geometry by --accept-unmatched; --unmatched FILE.csv lists them all."
    )
    zh = (
        "{source}:有 {rows} 行在 {dataset} 中没有对应地点,例如 {examples};未发布。"
        "请修改,或用 --accept-unmatched 发布为无几何记录;用 --unmatched FILE.csv 导出全部未匹配行。"
    )
    exit_code = 2

    def __init__(self, report: JoinReport, **facts: object) -> None:
        super().__init__(**facts)
        self.report = report


def join(
    source: Path,
    dsn: str,
    options: JoinOptions,
    *,
    scratch: Path,
    archive_limit: int,
    progress: Progress | None = None,
    finish: Finish | None = None,
) -> JoinReport:
    """Join a table to places and publish it; on any error, or kill, nothing changes.

    `scratch` is a directory for temporary files, `archive_limit` the most bytes an archive may unpack to; `finish`
    makes what else a release needs, in the same transaction.
    Raises a `ChengtuError` that says what to do; `JoinRefused` carries the report of what did not match.
    """
    started = time.monotonic()
    tell = progress or (lambda stage, done, total: None)
    divisions = read_changes(*options.divisions)
    with workspace(scratch) as room, plainly():
        sheet = read_sheet(source, Ask(room, options.layer, options.encoding, archive_limit))
        tell("read", sheet.rows.num_rows, sheet.rows.num_rows)
        id_ = check_id(options.id or id_from(sheet.table.shown, "" if options.layer is None else options.layer))
        with connect(dsn, purpose=f"chengtu-load {id_}") as connection:
            lock(connection, id_)
            report = _join(connection, sheet, id_, options, divisions, started, finish, tell)
            if options.dry_run:
                connection.rollback()
    return report


def _join(
    connection: Connection,
    sheet: Sheet,
    id_: str,
    options: JoinOptions,
    divisions: Divisions,
    started: float,
    finish: Finish | None,
    tell: Progress,
) -> JoinReport:
    years = find_years(sheet, options)
    way = _way(connection, sheet, id_, options, divisions, years)
    if way.places.dataset.id == id_:
        raise OntoItself(id=id_)
    match = match_rows(sheet, way, years, options, divisions)
    columns = read_columns(match.body, text_columns(match.body, way, options), years.column, options)
    joined = describe_match(match, columns, years, options)
    if options.unmatched:
        write_unmatched(options.unmatched, match.body.keep(match.rows), match.outcomes, match.row_numbers)
    layer = _read(sheet, way, [note.text for note in (*sheet.notes, *columns.notes)])
    write = partial(_report, layer, joined, sheet, options, started)
    if joined.unmatched_rows and not options.accept_unmatched:
        raise _refusal(write((), ()))
    candidate = make_candidate(connection, id_, match, columns, years, options)
    tell("publish", len(match.rows), len(match.rows))
    return publish(
        connection,
        [(candidate, check(connection, candidate.staging))],
        finish=with_progress(finish, tell),
        discard_edits=options.discard_edits,
        dry_run=options.dry_run,
        write=write,
    )


def _way(
    connection: Connection, sheet: Sheet, id_: str, options: JoinOptions, divisions: Divisions, years: Years
) -> Way:
    """How to join, judged by the rows that may be places."""
    aside = {row.number - 1 for row in find_aside(sheet)}
    body = sheet.keep([row for row in range(sheet.rows.num_rows) if row not in aside])
    asked = [options.on.field if options.on else None, *([options.within.field] if options.within else [])]
    places = [read_places(connection, one, asked) for one in candidates(connection, options, id_)]
    year = years.single or min((year for year in years.of(body) if year is not None), default=None)
    return find_way(body, places, options, divisions, year)


def _read(sheet: Sheet, way: Way, notes: Sequence[Text]) -> LayerRead:
    table, dataset = sheet.table, way.places.dataset
    return LayerRead(
        layer=table.name,
        driver=table.driver,
        rows=sheet.rows.num_rows,
        encoding=table.guess.label if table.guess else None,
        encoding_reason=table.guess.reason if table.guess else None,
        sample_text=table.guess.sample if table.guess else (),
        crs_reason=Text(f"EPSG:{dataset.srid}, as {dataset.id} has it", f"EPSG:{dataset.srid},与 {dataset.id} 相同"),
        crs_certain=True,
        profile=None,
        profile_reason=None,
        notes=tuple(notes),
    )


def _report(
    layer: LayerRead,
    joined: Joined,
    sheet: Sheet,
    options: JoinOptions,
    started: float,
    published: tuple[Published, ...],
    notes: tuple[Text, ...],
) -> JoinReport:
    return JoinReport(
        source=str(sheet.table.shown),
        outcome="checked" if options.dry_run else "published",
        rows_in=sheet.rows.num_rows,
        layers=(layer,),
        quality={},
        notes=notes,
        datasets=published,
        seconds=round(time.monotonic() - started, 2),
        peak_megabytes=peak_megabytes(),
        joined=joined,
    )


def _refusal(report: JoinReport) -> JoinRefused:
    joined = report.joined
    examples = ", ".join(one.value or "-" for one in joined.unmatched[:5])
    refused = replace(report, outcome="refused")
    return JoinRefused(
        refused, source=report.source, rows=joined.unmatched_rows, dataset=joined.dataset, examples=examples
    )
