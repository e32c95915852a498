"""The `datetime` parameter: an instant, or an interval that may be open (OGC API - Features 1, 7.15.4)."""

import re
from datetime import UTC, date, datetime, timedelta

from psycopg import sql

from core.errors import ChengtuError

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")  # RFC 3339, 5.6
_OPEN = ("", "..")


class BadDatetime(ChengtuError):
    """A datetime that RFC 3339 does not know."""

    en = "datetime {value!r} is neither a day, an RFC 3339 time, nor an interval of them such as 2025-01-01/.."
    zh = "datetime {value!r} 既不是日期、RFC 3339 时间,也不是由其组成的区间(如 2025-01-01/..)。"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2


class NoInterval(BadDatetime):
    """An interval where one moment is wanted."""

    en = "datetime {value!r} is an interval. Name one day, such as 2024-12-31."
    zh = "datetime {value!r} 是时间区间。此处应为某一天,例如 2024-12-31。"


def condition(value: str, column: sql.Composable, type_: str) -> tuple[sql.Composable, dict[str, object]]:
    """A SQL condition on a date or timestamp column; rows without a time always match (7.15.4, requirement 26)."""
    begin, end = interval(value)
    zoned = type_ == "timestamp with time zone"
    bound: dict[str, object] = {}
    parts: list[sql.Composable] = []
    for name, moment, template in (
        ("time_begin", begin, sql.SQL("{} >= {}::{}")),
        ("time_end", end, sql.SQL("{} < {}::{}")),
    ):
        if moment is not None:
            bound[name] = moment if zoned else moment.replace(tzinfo=None)
            cast = sql.SQL("timestamptz") if zoned else sql.SQL("timestamp")
            parts.append(template.format(column, sql.Placeholder(name), cast))
    inside = sql.SQL(" and ").join(parts) if parts else sql.SQL("true")
    return sql.SQL("({} is null or ({}))").format(column, inside), bound


def days(value: str) -> tuple[date | None, date | None]:
    """The first and the last day that a value means, both within it, as its calendar has them; None where it is open.

    Of a moment it is the day that is written: the state of a land survey is that of a day, in whatever zone it is told.
    """
    interval(value)
    first, slash, last = value.partition("/")
    return _day(first), _day(last if slash else first)


def _day(text: str) -> date | None:
    return None if text in _OPEN else date.fromisoformat(text[:10])


def interval(value: str) -> tuple[datetime | None, datetime | None]:
    """The half-open range [begin, end) that a value means; None where it is open, `BadDatetime` where it means none."""
    begin, end = _ends(value)
    if begin is not None and end is not None and begin >= end:
        raise BadDatetime(value=value)
    return begin, end


def _ends(value: str) -> tuple[datetime | None, datetime | None]:
    if len(value) > 80:
        raise BadDatetime(value=value[:80])
    first, slash, last = value.partition("/")
    if not slash:
        begin, length = _moment(first, value)
        return begin, _after(begin, length)
    if first in _OPEN and last in _OPEN:
        raise BadDatetime(value=value)  # half-bounded at most
    start = None if first in _OPEN else _moment(first, value)[0]
    if last in _OPEN:
        return start, None
    return start, _after(*_moment(last, value))


def _after(moment: datetime, length: timedelta) -> datetime | None:
    """The end of a day or instant; None for that of the last day there is, which clients write for "for ever"."""
    try:
        return moment + length
    except OverflowError:
        return None


def _moment(text: str, whole: str) -> tuple[datetime, timedelta]:
    """A time, and how long it lasts: a day for a date, a microsecond for an instant."""
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC), timedelta(days=1)
        if not _TIME.fullmatch(text.upper()):
            raise BadDatetime(value=whole)
        return datetime.fromisoformat(text.upper()).astimezone(UTC), timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise BadDatetime(value=whole) from error
