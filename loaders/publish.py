"""Candidates become releases, all in one transaction: checked, compared, indexed, finished, and swapped in together."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from psycopg.types.json import Jsonb

from core.catalogue import BBox
from core.database import Connection, query
from core.language import Text
from loaders import lives
from loaders.candidate import Candidate
from loaders.compared import Comparison
from loaders.comparison import compare_closely
from loaders.difference import Difference, compare, tell_whole
from loaders.release import Served, Swap, index, index_words, interval, record, served_release, swap
from loaders.report import Changes, Published, Report
from loaders.staging import Staging

Progress = Callable[[str, int, int | None], None]  # stage, rows so far, rows in all where known
Write = Callable[[tuple[Published, ...], tuple[Text, ...]], Report]  # the report of what was published, with notes


class Finished(Protocol):
    """What was made out of a release besides its table, and goes into service with it."""

    @property
    def note(self) -> Text | None:
        """What to tell of it in the report."""

    def swap(self, connection: Connection, id_: str, /) -> None:
        """Put it in the place of the release before, under the swap's lock."""

    def record(self, connection: Connection, id_: str, /) -> None:
        """Write of it into the catalogue."""


Finish = Callable[[Connection, Staging, str], Finished]  # with a checked and indexed staging table, and its id


class _New(NamedTuple):
    """A candidate that differs from what is being served."""

    candidate: Candidate
    published: Published
    difference: Difference
    finished: Finished | None
    life: lives.Life
    begun: lives.Begun | None


def publish[R: Report](
    connection: Connection,
    candidates: Sequence[tuple[Candidate, BBox | None]],
    *,
    finish: Finish | None,
    discard_edits: bool,
    dry_run: bool,
    write: Callable[[tuple[Published, ...], tuple[Text, ...]], R],
) -> R:
    """Publish candidates that were checked, each with its extent in degrees; what is served already stays as it is.

    A dry run ends with the comparison.
    """
    published, fresh = [], []
    day = _day(connection, [candidate for candidate, _ in candidates])
    for candidate, extent in candidates:
        served = served_release(connection, candidate.id)
        life = lives.decide(connection, candidate.id, candidate.wish, day)
        difference = _difference(connection, candidate, served, life)
        begun = _begun(connection, candidate, served, life) if difference and life.history else None
        one = _published(candidate, extent, difference, served)
        one = replace(one, comparison=_comparison(connection, candidate, begun), state_of=life.state_of)
        published.append(one)
        if dry_run:
            continue
        if difference is not None:
            finished = _made(connection, candidate, served, finish)
            fresh.append(_New(candidate, one, difference, finished, life, begun))
        else:
            _describe(connection, candidate, served)
            lives.move_on(connection, candidate.id, life)
    report = write(tuple(published), tuple(one.finished.note for one in fresh if one.finished and one.finished.note))
    if dry_run:
        return report
    _swap_in(connection, fresh, report, discard_edits=discard_edits)
    for candidate, _ in candidates:
        _profile(connection, candidate)
    return report


def _day(connection: Connection, candidates: Sequence[Candidate]) -> date | None:
    """The day that all of it is the state of, as the data say: they come from one survey."""
    wanted = [one for one in candidates if one.wish.by_profile or one.wish.history]
    days = [day for one in wanted if (day := lives.day_of(connection, one.staging)) is not None]
    return max(days, default=None)


def _difference(
    connection: Connection, candidate: Candidate, served: Served | None, life: lives.Life
) -> Difference | None:
    """What differs; where a history begins with the features that are served, all of them get their first day."""
    difference = compare(connection, candidate.staging, served, candidate.id)
    if difference is None and served and life.history and not lives.life_of(connection, candidate.id).history:
        return Difference(Changes(0, 0, 0), told=False, edits=served.change)
    return difference


def _begun(connection: Connection, candidate: Candidate, served: Served | None, life: lives.Life) -> lives.Begun:
    return lives.begin(connection, candidate.staging, candidate.id, served, life)


def _comparison(connection: Connection, candidate: Candidate, begun: lives.Begun | None) -> Comparison | None:
    """How it differs from the state before, where that is known feature by feature."""
    if begun is None or begun.served is None:
        return None
    return compare_closely(connection, candidate.staging, begun.served, candidate.terms)


def _made(
    connection: Connection, candidate: Candidate, served: Served | None, finish: Finish | None
) -> Finished | None:
    """Index a candidate, and make what else it needs; before any swap, since that locks readers out until the end."""
    index(connection, candidate.staging, search=_searched(candidate, served))
    return finish(connection, candidate.staging, candidate.id) if finish else None


def _searched(candidate: Candidate, served: Served | None) -> bool:
    """Whether words anywhere in the texts shall be found by an index: as asked, else as before."""
    asked = candidate.described.search
    return asked if asked is not None else served is not None and served.search


def _describe(connection: Connection, candidate: Candidate, served: Served | None) -> None:
    """What is being served stays; only what the catalogue says of it may be new."""
    connection.execute(query("drop_staging").format(staging=candidate.staging.table))
    connection.execute(query("describe_dataset"), asdict(candidate.described) | {"id": candidate.id})
    if served is not None and served.partition is not None and _searched(candidate, served):
        index_words(connection, served.partition, served.fields)


def _swap_in(connection: Connection, fresh: Sequence[_New], report: Report, *, discard_edits: bool) -> None:
    described = [_described(connection, one) for one in fresh]
    for one in fresh:
        if one.begun:
            lives.end(connection, one.candidate.staging, one.candidate.id, one.begun)
    swaps = [
        Swap(one.candidate.staging, one.candidate.id, one.finished.swap if one.finished else None) for one in fresh
    ]
    edits = swap(connection, swaps, discard_edits=discard_edits)
    for one, row in zip(fresh, described, strict=True):
        id_ = one.candidate.id
        tell_whole(connection, id_, one.published.release, one.difference, edits[id_])
        record(connection, one.candidate.staging, row, one.published.changes, report.to_keep())
        lives.settle(connection, one.candidate.staging, id_, one.life)
        if one.finished:
            one.finished.record(connection, id_)


def _profile(connection: Connection, candidate: Candidate) -> None:
    about = Jsonb(dict(candidate.about_fields))
    connection.execute(
        query("profile_dataset"), {"id": candidate.id, "profile": candidate.profile, "about_fields": about}
    )


def _published(
    candidate: Candidate, extent: BBox | None, difference: Difference | None, served: Served | None
) -> Published:
    staging = candidate.staging
    same = served if difference is None else None
    return told(
        candidate,
        extent,
        difference.changes if difference else Changes(0, 0, 0),
        release=same.release if same else staging.place.release,
        geometry_type=staging.type_name,
        srid=staging.place.srid,
        unchanged=same is not None,
    )


def told(
    candidate: Candidate,
    extent: BBox | None,
    changes: Changes,
    *,
    release: int,
    geometry_type: str,
    srid: int,
    unchanged: bool,
) -> Published:
    """What became of a candidate, with what reading it has counted; type and SRID are those that are served."""
    tally = candidate.staging.tally
    return Published(
        id=candidate.id,
        outcome="unchanged" if unchanged else "published",
        release=release,
        geometry_type=geometry_type,
        rows=tally.rows,
        null_geometries=tally.null - sum(tally.refused.values()),
        empty_geometries=tally.empty,
        repaired=dict(tally.repaired),
        repaired_keys=tuple(tally.repaired_keys),
        refused=dict(tally.refused),
        refused_keys=tuple(tally.refused_keys),
        srid=srid,
        extent=extent,
        changes=changes,
    )


def _described(connection: Connection, one: _New) -> dict[str, Any]:
    """The catalogue row of a data set, for the query that writes it."""
    candidate, staging = one.candidate, one.candidate.staging
    times: list[datetime] | None = interval(connection, staging, candidate.time)
    return asdict(candidate.described) | {
        "id": candidate.id,
        "default_title_en": candidate.title.en,
        "default_title_zh": candidate.title.zh,
        "default_period": candidate.period,
        "geometry_type": staging.type_name,
        "srid": staging.place.srid,
        "key_column": staging.key,
        "time_column": candidate.time,
        "fields": Jsonb([field._asdict() for field in staging.fields]),
        "extent": list(one.published.extent) if one.published.extent else None,
        "time_extent": times,
        "feature_count": one.published.rows,
        "source": candidate.source,
        "release": staging.place.release,
    }
