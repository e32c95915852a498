"""What a client asks for: the query parameters of OGC API - Features 1 to 3, read strictly into one value."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.crs import CRS84, Srid, UnknownCrs, parse_uri, uri
from core.errors import BadRequest, ChengtuError
from features import temporal
from features.filters import Node, parse, parse_json
from features.paging import Cursor, decode, digest
from features.table import Table

Pairs = Sequence[tuple[str, str]]

PARAMETERS = (
    "f", "lang", "limit", "offset", "cursor", "bbox", "bbox-crs", "crs", "datetime", "properties", "skipGeometry",
    "sortby", "filter", "filter-lang", "filter-crs", "resulttype", "q", "api-key",
)  # fmt: skip
_MOST_ROWS = 2**62  # PostgreSQL's offset is a bigint
_LONGEST = 2000  # characters of what is no filter
_NUMBER = r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"  # what Python reads besides, no API means
_NO_PART_OF_A_QUERY = ("f", "lang", "limit", "offset", "cursor", "api-key", "crs", "properties", "skipGeometry")


class UnknownParameter(ChengtuError):
    """A query parameter that means nothing here (OGC API - Features 1, requirement 8)."""

    en = "There is no parameter {name!r} here. There are: {known}."
    zh = "此处没有参数 {name!r}。可用参数:{known}。"
    code = "InvalidParameterValue"
    status = 400


class RepeatedParameter(ChengtuError):
    """A query parameter given twice: which of the two is meant?"""

    en = "The parameter {name!r} is given more than once. Give it once; lists are separated by commas."
    zh = "参数 {name!r} 重复出现。请只给一次,列表以逗号分隔。"
    code = "InvalidParameterValue"
    status = 400


class BadNumber(ChengtuError):
    """A parameter that must be a whole number within bounds."""

    en = "{name}={value!r} is not a whole number from {least} to {most}."
    zh = "{name}={value!r} 应为 {least} 到 {most} 之间的整数。"
    code = "InvalidParameterValue"
    status = 400


class BadChoice(ChengtuError):
    """A parameter that takes one of a few words."""

    en = "{name}={value!r} is not one of: {known}."
    zh = "{name}={value!r} 不在可选值之中:{known}。"
    code = "InvalidParameterValue"
    status = 400


class CrsNotOffered(ChengtuError):
    """A CRS that the collection does not list."""

    en = "{name} {crs!r} is not offered by this collection. It offers: {known}."
    zh = "该集合不提供 {name} {crs!r}。可用:{known}。"
    code = "InvalidParameterValue"
    status = 400


class Needless(ChengtuError):
    """A parameter that says something of another, which is absent."""

    en = "{name} is given without {other}. Give both, or neither."
    zh = "给出了 {name} 却没有 {other}。请同时给出或都不给。"
    code = "InvalidParameterValue"
    status = 400


class TooLong(ChengtuError):
    """A parameter of a length that no honest value has."""

    en = "{name} has more than {limit} characters."
    zh = "{name} 超过 {limit} 个字符。"
    code = "InvalidParameterValue"
    status = 400


class Bounds(NamedTuple):
    """A bounding box as the client gave it: in the axis order of its CRS."""

    numbers: tuple[float, ...]
    srid: Srid


class Search(NamedTuple):
    """What features are wanted, and how."""

    limit: int = 10
    offset: int = 0
    cursor: Cursor | None = None
    hits_only: bool = False
    bounds: Bounds | None = None
    datetime: str | None = None
    equals: Sequence[tuple[str, str]] = ()
    text: str | None = None
    filter: Node | None = None
    filter_srid: Srid = CRS84
    sort: Sequence[tuple[str, bool]] = ()  # (property, descending)
    properties: Sequence[str] = ()
    geometry: bool = True
    crs: Srid = CRS84
    digest: str = ""  # of what the cursor of the next page must fit

    @property
    def backwards(self) -> bool:
        """Whether the page before a cursor is wanted."""
        return self.cursor is not None and self.cursor.backwards

    @property
    def everything(self) -> bool:
        """Whether no feature is left out."""
        return not (self.bounds or self.datetime or self.equals or self.text or self.filter)


class Limits(NamedTuple):
    """How many features a page holds."""

    default: int
    most: int


def read_search(pairs: Pairs, table: Table, limits: Limits) -> Search:
    """Read query parameters; each that is unknown, repeated or makes no sense raises an error that says so.

    A `limit` beyond the most is cut to it (OGC API - Features 1, 7.15.2).
    """
    given = once(pairs, (*PARAMETERS, *table.names))
    for name, value in given.items():
        if name != "filter" and len(value) > _LONGEST:
            raise TooLong(name=name, limit=_LONGEST)
    whole = digest(sorted((name, value) for name, value in given.items() if name not in _NO_PART_OF_A_QUERY))
    cursor = decode(given["cursor"], whole) if "cursor" in given else None
    if cursor and "offset" in given:
        raise Needless(name="offset", other="cursor")
    return Search(
        limit=min(whole_number(given, "limit", limits.default, least=1, most=_MOST_ROWS), limits.most),
        offset=whole_number(given, "offset", 0, least=0, most=_MOST_ROWS),
        cursor=cursor,
        hits_only=choice(given, "resulttype", ("results", "hits")) == "hits",
        bounds=_bounds(given, table),
        datetime=_datetime(given),
        equals=tuple((name, value) for name, value in given.items() if name not in PARAMETERS),
        text=given.get("q") or None,
        filter=_filter(given),
        filter_srid=offered(given, "filter-crs", table, needs="filter"),
        sort=_sort(given.get("sortby"), table),
        properties=_properties(given.get("properties"), table),
        geometry=choice(given, "skipGeometry", ("false", "true")) != "true",
        crs=offered(given, "crs", table),
        digest=whole,
    )


def once(pairs: Pairs, known: Sequence[str]) -> dict[str, str]:
    """Parameters by name, each known and given once."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise RepeatedParameter(name=name[:60])
        if name not in known:
            raise UnknownParameter(name=name[:60], known=", ".join(known))
        given[name] = value
    return given


def whole_number(given: dict[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """A parameter that is a number within bounds."""
    value = given.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"\+?[0-9]{1,30}", value) or not least <= int(value) <= most:
        raise BadNumber(name=name, value=value[:40], least=least, most=most)
    return int(value)


def choice(given: dict[str, str], name: str, known: tuple[str, ...]) -> str:
    """A parameter that is one of a few words, the first of which is the default."""
    value = given.get(name, known[0])
    if value.lower() not in known:
        raise BadChoice(name=name, value=value[:40], known=", ".join(known))
    return value.lower()


def _bounds(given: dict[str, str], table: Table) -> Bounds | None:
    srid = offered(given, "bbox-crs", table, needs="bbox")
    if "bbox" not in given:
        return None
    if not re.fullmatch(rf"{_NUMBER}(,{_NUMBER})*", given["bbox"]):
        raise BadRequest(reason=f"bbox={given['bbox'][:80]!r} is not a list of numbers separated by commas")
    return Bounds(tuple(map(float, given["bbox"].split(","))), srid)


def instant(given: dict[str, str]) -> str | None:
    """`datetime` where it may be no interval: one feature is asked for."""
    value = _datetime(given)
    if value is not None and "/" in value:
        raise temporal.NoInterval(value=value[:80])
    return value


def _datetime(given: dict[str, str]) -> str | None:
    """Refused where it means nothing, even of data that have no time."""
    value = given.get("datetime")
    if value is not None:
        temporal.interval(value)
    return value


def offered(given: Mapping[str, str], name: str, table: Table, needs: str = "") -> Srid:
    """The CRS that a parameter names, of those the collection lists."""
    text = given.get(name)
    if text is None:
        return CRS84
    if needs and needs not in given:
        raise Needless(name=name, other=needs)
    try:
        srid = parse_uri(text)
    except UnknownCrs:
        srid = None
    if srid is None or srid not in table.offered:
        raise CrsNotOffered(name=name, crs=text[:100], known=", ".join(uri(one) for one in table.offered))
    return srid


def _filter(given: dict[str, str]) -> Node | None:
    language = choice(given, "filter-lang", ("cql2-text", "cql2-json"))
    if "filter" not in given:
        if "filter-lang" in given:
            raise Needless(name="filter-lang", other="filter")
        return None
    return parse_json(given["filter"]) if language == "cql2-json" else parse(given["filter"])


def _sort(text: str | None, table: Table) -> tuple[tuple[str, bool], ...]:
    """`+a,-b`; a plus sign in a URL arrives as a blank."""
    if not text:
        return ()
    wanted = [(part.lstrip("+- "), part.startswith("-")) for part in (part.strip() for part in text.split(","))]
    for name, _ in wanted:
        table.type_of(name)
    return tuple(wanted)


def _properties(text: str | None, table: Table) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",")) if text else ()
    for name in names:
        table.type_of(name)
    return names
