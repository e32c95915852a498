"""A sheet goes into service: its features in the place of its old ones, the index told, its edges matched; all at once."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from psycopg import sql

from core.crs import Srid
from core.database import Connection, query
from core.language import Text
from grids.sheets import Bounds
from loaders.candidate import Candidate, Staged
from loaders.job import Job
from loaders.publish import Finish, Write, publish, told
from loaders.release import check, served_release
from loaders.report import Published, Report
from loaders.sheets.exchange import NewState, exchange
from loaders.sheets.index import ID, index_with, state_of
from loaders.sheets.mismatches import Mismatch, Placed, mismatch_collection, mismatches
from loaders.sheets.naming import Sheet, check_place, in_degrees
from loaders.topographic import PROFILE


def publish_sheet(
    connection: Connection,
    staged: Sequence[Staged],
    sheet: Sheet,
    *,
    finish: Finish | None,
    discard_edits: bool,
    dry_run: bool,
    write: Write,
) -> Report:
    """Publish what a sheet has of each theme, the index, and the mismatches at its edges.

    Data sets that are there already are changed in place, for this sheet alone; new ones become releases.
    Raises `NotOnSheet`, `NoRoomForSheets`, and what publishing does.
    """
    job, prefix = staged[0].job, _prefix(staged[0].job)
    srid = Srid(staged[0].main.staging.place.srid)
    candidates = [candidate for one in staged for candidate in one.candidates]
    around = _bounds(connection, candidates)
    outline = sheet.outline(srid, around)
    check_place(sheet, outline, around)
    fresh, amended = _exchanged(
        connection, sheet, candidates, prefix, NewState(candidates[0].source, state_of(job.options) or date.today())
    )
    tables = _tables(connection, prefix) | {one.id.removeprefix(prefix): one.staging.table for one in fresh}
    findings = mismatches(connection, prefix + ID, sheet, Placed(srid, around), tables)
    features = sum(one.staging.tally.rows for one in candidates)
    degrees = in_degrees(outline, srid)
    index = index_with(connection, prefix + ID, sheet, degrees, job.options, candidates[0].source, features)
    told = [index, *mismatch_collection(connection, prefix + ID, sheet, findings, candidates[0].source)]
    checked = [(one, check(connection, one.staging)) for one in (*fresh, *told)]
    return publish(
        connection,
        checked,
        finish=finish,
        discard_edits=discard_edits,
        dry_run=dry_run,
        write=lambda published, notes: write((*amended, *published), (*notes, _note(sheet, findings))),
    )


def _prefix(job: Job) -> str:
    """What stands before the ids of all themes, as --as asks."""
    return f"{job.options.id}_" if job.options.id else ""


def _bounds(connection: Connection, candidates: Sequence[Candidate]) -> Bounds | None:
    """The bounds of all that was read, in its CRS."""
    rows = (
        connection.execute(query("staged_extent").format(staging=one.staging.table)).fetchone() for one in candidates
    )
    boxes = [(row["xmin"], row["ymin"], row["xmax"], row["ymax"]) for row in rows if row and row["xmin"] is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return Bounds(min(west), min(south), max(east), max(north))


def _exchanged(
    connection: Connection, sheet: Sheet, candidates: Sequence[Candidate], prefix: str, new: NewState
) -> tuple[list[Candidate], list[Published]]:
    """Change the data sets that are there; those that are not yet come back, with what was done to the others.

    A theme that the sheet lacks has nothing of it any more.
    """
    fresh, amended = [], []
    for one in candidates:
        served = served_release(connection, one.id)
        if served is None:
            fresh.append(one)
            continue
        changes = exchange(connection, one.id, sheet.key, one.staging, new)
        extent = check(connection, one.staging)
        amended.append(
            told(
                one,
                extent,
                changes,
                release=served.release,
                geometry_type=served.geometry_type,
                srid=served.srid,
                unchanged=not any(changes),
            )
        )
        connection.execute(query("drop_staging").format(staging=one.staging.table))
    for id_ in _themes(connection, prefix) - {one.id for one in candidates}:
        served = served_release(connection, id_)
        if served is not None:
            exchange(connection, id_, sheet.key, None, new)
    return fresh, amended


def _themes(connection: Connection, prefix: str) -> set[str]:
    """The data sets of themes that are served under a prefix."""
    rows = connection.execute(query("sheet_themes"), {"profile": f"{PROFILE}/%"}).fetchall()
    return {row["id"] for row in rows if row["id"] == prefix + row["layer"]}


def _tables(connection: Connection, prefix: str) -> dict[str, sql.Identifier]:
    """The tables of the themes that are served."""
    return {id_.removeprefix(prefix): sql.Identifier("data", id_) for id_ in _themes(connection, prefix)}


def _note(sheet: Sheet, findings: Sequence[Mismatch]) -> Text:
    if not findings:
        return Text(f"Sheet {sheet.name} meets its neighbours without mismatch.", f"图幅 {sheet.name} 与邻幅接边一致。")
    counts = Counter(one.rule for one in findings)
    listed = ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))
    return Text(
        f"Mismatches at the edges of sheet {sheet.name}: {listed}. They are a collection of their own.",
        f"图幅 {sheet.name} 接边不符:{listed}。明细见接边检查数据集。",
    )
