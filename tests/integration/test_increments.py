"""An increment fits and is applied wholly, once; or it does not, says why in a line, and nothing changes."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from core.database import connect
from core.errors import DatabaseUnreachable
from data.survey import SPOILT, Survey, build_increment, build_survey, spoil, write_tables
from data.survey import increment as made_up
from data.survey.increment import applied
from loaders import Report, remove
from loaders.amendment import ChangedSince, NothingToUndo, Running, hold
from loaders.increments import IncrementRefused, IncrementReport, Wish, apply_increment, undo_last
from loaders.increments.apply import AmendmentFailed, NoHistoryKept
from loaders.increments.source import FieldMissing, NoDay, NotAnIncrement
from loaders.lives import AnotherShape, DayMissing, OlderState
from loaders.release import EditsWouldBeLost
from tests.conftest import _database, loader_for
from tests.increment_data import Increment, bsm, square, survey, write

STATE = date(2023, 12, 31)
HELD = "select * from data.dltb order by 1"


def rows(dsn: str, statement: str) -> list[dict[str, Any]]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


class Place:
    """A database that serves the state of 2023 as `dltb`."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn, self.folder = dsn, folder
        self.load = loader_for(dsn, folder)
        self.release(survey(), STATE, history=True)

    def release(self, parcels: list[dict[str, Any]], day: date | None, **more: Any) -> Report:
        """Load a whole state."""
        path = self.folder / "state.gpkg"
        path.unlink(missing_ok=True)
        write(path, DLTB=parcels)
        return self.load(path, id="dltb", key="BSM", profile="none", state_of=day, **more)

    def apply(self, given: Increment | Path, id_: str = "dltb", **wish: Any) -> IncrementReport:
        """Apply an increment."""
        path = given if isinstance(given, Path) else self.folder / "increment.gpkg"
        if isinstance(given, Increment):
            path.unlink(missing_ok=True)
            given.write(path)
        scratch = self.folder / "scratch"
        return apply_increment(path, self.dsn, id_, Wish(**wish), scratch=scratch, archive_limit=10**9)


@pytest.fixture
def place(database: str, tmp_path: Path) -> Place:
    """One of a test's own."""
    return Place(database, tmp_path)


@pytest.fixture(scope="module")
def shared(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all that is refused."""
    with _database(server_dsn, f"chengtu_increments_{os.getpid()}", template) as dsn:
        yield Place(dsn, tmp_path_factory.mktemp("increments"))


def state(dsn: str) -> dict[str, Any]:
    """All that an increment changes but the log, and the times."""
    return {
        "data": rows(dsn, HELD),
        "history": rows(dsn, "select to_jsonb(h) - 'ct_amendment' as h from history.dltb as h order by 1"),
        "catalogue": rows(dsn, "select state_of, feature_count, history from chengtu.dataset"),
        "opened": rows(dsn, "select key from chengtu.opened"),
        "succession": rows(dsn, "select before, after, area from chengtu.succession order by 1, 2"),
        "tables": rows(dsn, "select relname from pg_class where relnamespace = 'data'::regnamespace and relkind = 'r'"),
    }


def test_an_increment_closes_and_opens_and_its_balance_adds_up(place: Place) -> None:
    before = state(place.dsn)
    planned = place.apply(Increment(), dry_run=True)
    assert state(place.dsn) == before
    done = place.apply(Increment())
    assert (planned.outcome, done.outcome) == ("checked", "applied")
    assert planned.balance == done.balance
    assert done.changes == (4, 4, 0)
    assert done.balance is not None
    (district,) = done.balance.districts
    assert (district.code, district.before, district.after) == ("220203", 1_000_000.0, 1_000_000.0)
    assert district.classes == (
        ("0101", 900_000.0, 15_000.0, 0.0, 885_000.0),
        ("0702", 100_000.0, 0.0, 15_000.0, 115_000.0),
    )
    assert [(flow.from_, flow.to, flow.pieces, flow.area) for flow in done.balance.transitions] == [
        ("0101", "0101", 3, 25_000.0),
        ("0101", "0702", 2, 15_000.0),
    ]
    assert any("0101 -> 0702" in line for line in done.lines("zh"))
    found = rows(
        place.dsn, f"select \"BSM\", valid_from from data.dltb where valid_from > {STATE:'%Y-%m-%d'} order by 1"
    )
    assert found == [{"BSM": bsm(1000 + n), "valid_from": date(2024, 12, 31)} for n in range(4)]
    closed = rows(place.dsn, 'select "BSM", valid_from, valid_to from history.dltb order by 1')
    assert closed == [{"BSM": bsm(n), "valid_from": STATE, "valid_to": date(2024, 12, 31)} for n in (0, 2, 3, 5)]
    ((log,),) = [
        row.values()
        for row in rows(place.dsn, "select string_agg(op, '' order by change) from chengtu.change_log where change > 0")
    ]
    assert log == "DDDDIIII"
    assert rows(place.dsn, "select change - amended as edits, state_of, feature_count from chengtu.dataset") == [
        {"edits": 0, "state_of": date(2024, 12, 31), "feature_count": 100}
    ]


def test_once_is_enough_and_back_is_as_before(place: Place) -> None:
    before = state(place.dsn)
    place.apply(Increment())
    after = state(place.dsn)
    again = place.apply(Increment())
    assert (again.outcome, again.changes) == ("again", (0, 0, 0))
    assert state(place.dsn) == after
    undone = undo_last(place.dsn, "dltb")
    assert undone.changes == (4, 4, 0)
    assert state(place.dsn) == before
    with pytest.raises(NothingToUndo):
        undo_last(place.dsn, "dltb")
    assert place.apply(Increment()).outcome == "applied"
    assert state(place.dsn) == after
    with psycopg.connect(place.dsn) as connection:
        connection.execute('update data.dltb set "DLBM" = \'0103\' where "BSM" = %s', [bsm(1000)])
    with pytest.raises(ChangedSince, match=bsm(1000)):
        undo_last(place.dsn, "dltb")


def test_a_parcel_may_keep_its_identifier(place: Place) -> None:
    increment = Increment()
    increment.new[0]["BSM"] = bsm(0)
    increment.pieces[0] = increment.pieces[0]._replace(after=bsm(0))
    before = state(place.dsn)
    assert place.apply(increment).changes == (3, 3, 1)
    assert rows(place.dsn, f'select "TBMJ", valid_from from data.dltb where "BSM" = \'{bsm(0)}\'') == [
        {"TBMJ": 5000.0, "valid_from": date(2024, 12, 31)}
    ]
    undo_last(place.dsn, "dltb")
    assert state(place.dsn) == before


def _of_2022(one: Increment) -> None:
    one.day = "2022-12-31"


def _of_2025(one: Increment) -> None:
    one.day = "2025-12-31"


def _of_another_county(one: Increment) -> None:
    one.unit = one.unit.replace("220203", "220281")
    one.new = [new | {"ZLDWDM": one.unit} for new in one.new]


def _with_an_unknown_parcel(one: Increment) -> None:
    one.pieces[4] = one.pieces[4]._replace(before=bsm(777))


def _with_a_parcel_too_many(one: Increment) -> None:
    one.new.append(one.new[0] | {"BSM": bsm(1009)})


def _with_a_parcel_missing(one: Increment) -> None:
    del one.new[3]


def _with_a_taken_identifier(one: Increment) -> None:
    one.new[3]["BSM"] = bsm(7)
    one.pieces[4] = one.pieces[4]._replace(after=bsm(7))


def _with_a_cent_too_much(one: Increment) -> None:
    one.pieces[4] = one.pieces[4]._replace(area=10_000.01)


def _with_another_class(one: Increment) -> None:
    one.pieces[4] = one.pieces[4]._replace(class_before="0201")


def _that_leaves_a_gap(one: Increment) -> None:
    one.new[1]["geometry"] = square(0, 0, 0.4, 0.6)


def _that_overlaps(one: Increment) -> None:
    one.new[1]["geometry"] = square(0, 0, 0.6, 0.4)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (_of_2022, "increment-year"),
        (_of_2025, "increment-gap"),
        (_of_another_county, "increment-county"),
        (_with_an_unknown_parcel, "increment-ids"),
        (_with_a_parcel_too_many, "increment-ids"),
        (_with_a_parcel_missing, "increment-ids"),
        (_with_a_taken_identifier, "increment-ids"),
        (_with_a_cent_too_much, "increment-balance"),
        (_with_another_class, "increment-values"),
        (_that_leaves_a_gap, "increment-coverage"),
        (_that_overlaps, "increment-coverage"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(shared: Place, spoil: Callable[[Increment], None], rule: str) -> None:
    increment = Increment()
    spoil(increment)
    with pytest.raises(IncrementRefused) as refused:
        shared.apply(increment)
    found = refused.value.report.findings
    assert found[0].rule == rule
    assert {one.rule for one in found} <= {rule, "increment-coverage", "increment-balance"}
    assert "\n" not in refused.value.message("zh")
    if rule in ("increment-year", "increment-county", "increment-gap"):
        assert len(found) == 1
    assert rows(shared.dsn, "select count(*) as n from chengtu.amendment") == [{"n": 0}]


def test_what_was_looked_at_may_be_let_pass(place: Place) -> None:
    increment = Increment()
    _with_another_class(increment)
    _of_2025(increment)
    with pytest.raises(IncrementRefused, match="years between"):
        place.apply(increment, accept=frozenset({"increment-values"}))
    done = place.apply(increment, accept=frozenset({"all"}))
    assert {one.rule for one in done.findings if one.accepted} >= {"increment-gap", "increment-values"}
    _of_2022(increment)
    with pytest.raises(IncrementRefused):
        place.apply(increment, accept=frozenset({"all"}))


def test_sources_that_are_none_are_one_clear_line(shared: Place) -> None:
    folder = shared.folder
    with pytest.raises(NotAnIncrement, match="DLTB"):
        shared.apply(write(folder / "a.gpkg", DLTB=survey(2, 2)))
    increment = Increment()
    increment.day = "soon"
    with pytest.raises(NoDay, match="soon"):
        shared.apply(increment)
    pieces = [{"BGQTBBSM": bsm(0), "geometry": square(0, 0)}]
    with pytest.raises(FieldMissing, match="BGHTBBSM"):
        shared.apply(write(folder / "b.gpkg", DLTBGX=Increment().new, DLTBGXGC=pieces))
    shared.load(write(folder / "c.gpkg", DLTB=survey(2, 2)), id="plain", key="BSM", profile="none")
    with pytest.raises(NoHistoryKept, match="--history"):
        shared.apply(Increment(), "plain")
    with connect(shared.dsn) as other:
        hold(other, "dltb")
        with pytest.raises(Running):
            shared.apply(Increment())


def test_a_kill_at_any_statement_leaves_the_old_state_or_the_new(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is cut before the first statement of an apply, before the second, and so on until it is done."""
    path = Increment().write(place.folder / "increment.gpkg")
    before = state(place.dsn)
    execute, cut, left = psycopg.Connection.execute, 0, 0

    def cutting(self: Any, *given: Any, **more: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            with psycopg.connect(place.dsn) as other:
                execute(other, "select pg_terminate_backend(%s)", [self.info.backend_pid])
        return execute(self, *given, **more)

    for step in range(2, 200, 6):
        left = step
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Connection, "execute", cutting)
            try:
                done = place.apply(path)
            except (AmendmentFailed, DatabaseUnreachable, psycopg.OperationalError):
                cut += 1
            else:
                assert done.outcome == "applied"
                break
        assert state(place.dsn) == before
    assert cut > 5
    assert rows(place.dsn, "select count(*) as n from history.dltb") == [{"n": 4}]


def test_a_full_release_is_compared_and_closes_what_changed(place: Place) -> None:
    place.apply(Increment())
    parcels = [one for one in survey() if one["BSM"] not in {bsm(n) for n in (0, 2, 3, 5, 20)}]
    parcels += [one | {} for one in Increment().new]
    (changed,) = (one for one in parcels if one["BSM"] == bsm(30))
    changed["DLBM"] = "0301"
    (moved,) = (one for one in parcels if one["BSM"] == bsm(40))
    moved["geometry"] = square(0, 4, 0.5)
    parcels.append({**survey()[20], "BSM": bsm(2000)})
    report = place.release(parcels, date(2025, 12, 31))
    (one,) = report.datasets
    assert one.changes == (1, 1, 2)
    assert one.comparison is not None
    assert [part.features for part in one.comparison[:5]] == [1, 1, 1, 0, 1]
    assert any("in shape 1" in line for line in report.lines("en"))
    assert one.comparison.added.area == pytest.approx(10_000, rel=2e-3)
    closed = rows(place.dsn, "select \"BSM\", valid_from from history.dltb where valid_to = '2025-12-31' order by 1")
    assert closed == [{"BSM": bsm(n), "valid_from": STATE} for n in (20, 30, 40)]
    begun = rows(place.dsn, "select valid_from, count(*) as n from data.dltb group by 1 order by 1")
    assert begun == [
        {"valid_from": STATE, "n": 93},
        {"valid_from": date(2024, 12, 31), "n": 4},
        {"valid_from": date(2025, 12, 31), "n": 3},
    ]
    with pytest.raises(NothingToUndo):
        undo_last(place.dsn, "dltb")
    assert place.release(parcels, date(2026, 12, 31)).datasets[0].outcome == "unchanged"
    assert rows(place.dsn, "select state_of, history_from from chengtu.dataset") == [
        {"state_of": date(2026, 12, 31), "history_from": STATE}
    ]
    with pytest.raises(OlderState, match="2026-12-31"):
        place.release(survey(), STATE)
    with pytest.raises(DayMissing):
        place.release(survey(), None)
    with pytest.raises(AnotherShape, match="DLBM"):
        place.release([one | {"DLBM": 101} for one in parcels], date(2027, 12, 31))


def test_amendments_are_no_edits_and_edits_belong_to_the_state_that_is_served(place: Place) -> None:
    place.apply(Increment())
    with psycopg.connect(place.dsn) as connection:
        connection.execute(
            'insert into data.dltb ("BSM", "DLBM", geom, ct_release) select %s, \'0101\', geom, ct_release from data.dltb limit 1',
            ["x"],
        )
    assert rows(place.dsn, "select valid_from, valid_to from data.dltb where \"BSM\" = 'x'") == [
        {"valid_from": date(2024, 12, 31), "valid_to": None}
    ]
    with pytest.raises(EditsWouldBeLost, match="edited 1 times"):
        place.release(survey(), date(2025, 12, 31))
    assert place.release(survey(), date(2025, 12, 31), discard_edits=True).datasets[0].outcome == "published"


def test_history_goes_when_it_is_told_to_or_the_data_set_does(place: Place) -> None:
    place.apply(Increment())
    place.release(survey(), None, history=False, discard_edits=True)
    assert rows(place.dsn, "select to_regclass('history.dltb') as gone, history from chengtu.dataset") == [
        {"gone": None, "history": False}
    ]
    place.release(survey(), STATE, history=True)
    with connect(place.dsn) as connection:
        remove(connection, "dltb")
    assert rows(place.dsn, "select relname from pg_class where relnamespace = 'history'::regnamespace") == []


@pytest.fixture(scope="module")
def made() -> tuple[Survey, made_up.Increment]:
    """A made-up survey of the size of a few villages, and its increment."""
    survey = build_survey(parcels=600)
    return survey, build_increment(survey, 40)


def test_a_made_up_increment_fits_its_survey_and_spoilt_ones_do_not(
    database: str, tmp_path: Path, made: tuple[Survey, made_up.Increment]
) -> None:
    survey, increment = made
    path = write_tables({"DLTB": survey.parcels}, tmp_path / "survey.gpkg")
    (loaded,) = loader_for(database, tmp_path)(path, id="dltb", accept=frozenset({"all"})).datasets[:1]
    assert loaded.state_of == date(survey.year, 12, 31)

    def apply(given: made_up.Increment) -> IncrementReport:
        layers = write_tables(given.layers, tmp_path / "increment.gpkg")
        return apply_increment(layers, database, "dltb", Wish(), scratch=tmp_path / "scratch", archive_limit=10**9)

    for how in SPOILT:
        spoilt, shown = spoil(increment, how)
        with pytest.raises(IncrementRefused) as refused:
            apply(spoilt)
        (found,) = refused.value.report.findings
        assert (found.rule, list(found.ids)) == (RULES_BROKEN[how], shown)
    done = apply(increment)
    assert done.changes[:2] == (len(increment.layers["DLTBGX"].shapes), len(set(_column(increment, "BGQTBBSM"))))
    assert done.balance is not None
    for district in done.balance.districts:
        assert district.before == district.after
    after = applied(survey, increment)
    expected: Counter[tuple[str, str]] = Counter()
    for unit, class_, area in zip(after["ZLDWDM"], after["DLBM"], after["TBMJ"], strict=True):
        expected[unit[:6], class_] += round(area * 100)
    for district in done.balance.districts:
        for row in district.classes:
            assert round(row.after * 100) == expected[district.code, row.class_]
    found_now = rows(database, 'select "BSM" from data.dltb order by 1')
    assert [one["BSM"] for one in found_now] == sorted(after["BSM"])


RULES_BROKEN = {
    "wrong-year": "increment-year",
    "other-county": "increment-county",
    "unbalanced": "increment-balance",
    "unknown-before": "increment-ids",
    "missing-after": "increment-ids",
}


def _column(increment: made_up.Increment, name: str) -> list[str]:
    return list(increment.layers["DLTBGXGC"][name])
