"""The T_ functions as SQL: instants and closed intervals, as the OWL time ontology relates them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from psycopg import sql

from features.filters import nodes
from features.filters.errors import IntervalReversed, NoInterval, NoTime
from features.filters.nodes import Node
from features.filters.sql_scope import Scalar, Scope, require

# {a} is the first operand's start and {b} its end, {c} and {d} are the second's.
_RELATIONS: dict[nodes.TemporalOp, sql.SQL] = {
    "T_AFTER": sql.SQL("({a} > {d})"),
    "T_BEFORE": sql.SQL("({b} < {c})"),
    "T_DISJOINT": sql.SQL("({b} < {c} or {a} > {d})"),
    "T_EQUALS": sql.SQL("({a} = {c} and {b} = {d})"),
    "T_INTERSECTS": sql.SQL("({a} <= {d} and {b} >= {c})"),
    "T_CONTAINS": sql.SQL("({a} < {c} and {b} > {d})"),
    "T_DURING": sql.SQL("({a} > {c} and {b} < {d})"),
    "T_FINISHEDBY": sql.SQL("({a} < {c} and {b} = {d})"),
    "T_FINISHES": sql.SQL("({a} > {c} and {b} = {d})"),
    "T_MEETS": sql.SQL("({b} = {c})"),
    "T_METBY": sql.SQL("({a} = {d})"),
    "T_OVERLAPPEDBY": sql.SQL("({a} > {c} and {a} < {d} and {b} > {d})"),
    "T_OVERLAPS": sql.SQL("({a} < {c} and {b} > {c} and {b} < {d})"),
    "T_STARTEDBY": sql.SQL("({a} = {c} and {b} > {d})"),
    "T_STARTS": sql.SQL("({a} = {c} and {b} < {d})"),
}
_OF_INSTANTS = ("T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS")
_DAWN_OF_TIME, _END_OF_TIME = sql.SQL("'-infinity'::timestamptz"), sql.SQL("'infinity'::timestamptz")
_LAST_MOMENT = sql.SQL("({}::timestamp + interval '1 day' - interval '1 microsecond')")

Write = Callable[[Node], Scalar]


class _Period(NamedTuple):
    """An instant or an interval; an end of None is open."""

    start: Scalar | None
    end: Scalar | None
    shown: str
    is_instant: bool
    unknowns: tuple[sql.Composable, ...] = ()  # ends of an interval that may be null in a row

    @property
    def has_times(self) -> bool:
        """Whether an end is an instant within a day."""
        return any(end is not None and end.kind == "instant" for end in (self.start, self.end))


def temporal(scope: Scope, write: Write, op: nodes.TemporalOp, left: Node, right: Node) -> sql.Composable:
    """How two instants or intervals lie to each other; unknown where either is."""
    scope.count()
    periods = [_period(scope, write, op, side) for side in (left, right)]
    for period in periods:
        if period.is_instant and op not in _OF_INSTANTS:
            raise NoInterval(op=op, given=period.shown)
    timed = any(period.has_times for period in periods)
    (a, b), (c, d) = (_ends(period, timed=timed) for period in periods)
    relation = _RELATIONS[op].format(a=a, b=b, c=c, d=d)
    unknowns = [unknown for period in periods for unknown in period.unknowns]
    if not unknowns:
        return relation
    # AND would make false of an unknown start and an end that does not fit: but then all of it is unknown.
    unknowns += [period.start.code for period in periods if period.is_instant and period.start]
    return sql.SQL("(case when num_nulls({}) = 0 then {} end)").format(sql.SQL(", ").join(unknowns), relation)


def ends_of(scope: Scope, write: Write, interval: nodes.Interval) -> list[sql.Composable]:
    """The ends of an interval that are not open."""
    period = _period(scope, write, "INTERVAL", interval)
    return [end.code for end in (period.start, period.end) if end]


def _period(scope: Scope, write: Write, op: str, node: Node) -> _Period:
    if not isinstance(node, nodes.Interval):
        moment = _moment(write, op, node)
        return _Period(moment, moment, moment.shown, is_instant=True)
    _check_order(node)
    scope.count()
    ends = [_moment(write, "INTERVAL", end) if end else None for end in (node.start, node.end)]
    start, end = ends
    unknowns = [
        moment.code
        for moment, written in zip(ends, (node.start, node.end), strict=True)
        if moment and not isinstance(written, nodes.Value)
    ]
    return _Period(start, end, "INTERVAL(...)", is_instant=False, unknowns=tuple(unknowns))


def _moment(write: Write, op: str, node: Node) -> Scalar:
    if isinstance(node, nodes.Shape | nodes.Box | nodes.Array | nodes.Interval):
        raise NoTime(op=op, given=type(node).__name__.upper())
    scalar = write(node)
    if scalar.kind == "text":
        require(op, "instant", scalar)
    if scalar.kind not in ("date", "instant"):
        raise NoTime(op=op, given=scalar.shown)
    return scalar


def _check_order(interval: nodes.Interval) -> None:
    """Refuse an interval of two literals that ends before it begins."""
    match interval:
        case nodes.Interval(nodes.Value(date() as start), nodes.Value(date() as end)):
            if _instant(start, time.min) > _instant(end, time.max):
                raise IntervalReversed(start=start.isoformat(), end=end.isoformat())


def _instant(moment: date, of_day: time) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, of_day, UTC)


def _ends(period: _Period, *, timed: bool) -> tuple[sql.Composable, sql.Composable]:
    """Start and end; beside times of the day, a date lasts from its first moment to its last."""
    start: sql.Composable = period.start.code if period.start else _DAWN_OF_TIME
    end: sql.Composable = period.end.code if period.end else _END_OF_TIME
    if timed and period.end and period.end.kind == "date":
        end = _LAST_MOMENT.format(end)
    return start, end
