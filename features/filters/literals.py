"""Dates, instants, numbers and texts as both spellings of CQL2 write them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from core.language import Text
from features.filters.errors import BadLiteral, TextTooLong
from features.filters.limits import MAX_LITERAL

_A_DATE = Text("a date such as 2024-05-31", "日期(如 2024-05-31)")
_AN_INSTANT = Text("an instant such as 2024-05-31T08:00:00Z", "时刻(如 2024-05-31T08:00:00Z)")
_A_NUMBER = Text("a number that a database can hold", "数据库可以存储的数值")
_A_TEXT = Text("a text that a database can hold", "数据库可以存储的文本")
_DAY = r"\d{4}-\d\d-\d\d"
_MAGNITUDE = 300  # of a number's exponent: well inside PostgreSQL's double precision


def read_date(text: str) -> date:
    """A calendar day of RFC 3339."""
    with _reading(text, _A_DATE, _DAY):
        return date.fromisoformat(text)


def read_instant(text: str) -> datetime:
    """A date-time of RFC 3339; CQL2 writes Z, other offsets are understood."""
    with _reading(text, _AN_INSTANT, rf"{_DAY}T\d\d:\d\d:\d\d(\.\d{{1,9}})?(Z|[+-]\d\d:\d\d)"):
        return datetime.fromisoformat(text)


def read_end(text: str) -> date | datetime | None:
    """The end of an interval: a day, an instant, or `..` for an open one."""
    if text == "..":
        return None
    return read_date(text) if re.fullmatch(_DAY, text, re.ASCII) else read_instant(text)


def read_number(text: str) -> int | Decimal:
    """An integer, or a decimal kept exact."""
    if len(text) < 19 and text.lstrip("-").isdigit():
        return int(text)
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadLiteral(text=text[:40], expected=_A_NUMBER) from None
    if not value.is_finite() or (value and abs(value.adjusted()) > _MAGNITUDE):
        raise BadLiteral(text=text[:40], expected=_A_NUMBER)
    return int(value) if text.lstrip("-").isdigit() else value


def read_text(text: str) -> str:
    """A text that is not too long, of characters that PostgreSQL can store."""
    if len(text) > MAX_LITERAL:
        raise TextTooLong(length=len(text), limit=MAX_LITERAL)
    return storable(text)


def storable(text: str) -> str:
    """Return a text without what PostgreSQL cannot store: NUL and lone surrogates."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise BadLiteral(text=text[:40], expected=_A_TEXT)
    return text


@contextmanager
def _reading(text: str, expected: Text, form: str) -> Iterator[None]:
    """Say what was expected of a text that has not the form, or whose numbers are no day or time."""
    refusal = BadLiteral(text=text[:40], expected=expected)
    if not re.fullmatch(form, text, re.ASCII):
        raise refusal
    try:
        yield
    except ValueError:
        raise refusal from None
