"""One data set's features as SQL: pages, counts and single items, as GeoJSON that PostgreSQL writes."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg import sql

from core.bbox import bbox_polygon
from core.catalogue import GEOMETRY, Dataset, Field
from core.crs import CGCS2000, CRS84, WGS84, Srid, is_axis_swapped, lookup, postgis_srid
from core.database import query
from core.errors import ChengtuError
from features import temporal
from features.filters import Node, to_sql

COUNT_LIMIT = 100_000  # a filtered count goes on no further: `numberMatched` is then left out


class UnknownProperty(ChengtuError):
    """A name that is not one of the data set's fields."""

    en = "{dataset} has no property {name!r}. It has: {known}."
    zh = "{dataset} 没有属性 {name!r}。可用属性:{known}。"
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


class Statement(NamedTuple):
    """SQL with its parameters."""

    text: sql.Composed
    parameters: dict[str, object]


def page(dataset: Dataset, search: Search) -> Statement | None:
    """The statement for one page and its count (columns `features`, `matched`); None where nothing can match."""
    conditions: list[sql.Composable] = []
    parameters: dict[str, object] = {"limit": search.limit, "offset": search.offset, "dataset": dataset.id}
    for part in _conditions(dataset, search):
        if part is None:
            return None
        conditions.append(part[0])
        parameters |= part[1]
    where = sql.SQL(" and ").join(conditions) if conditions else sql.SQL("true")
    table = sql.Identifier("data", dataset.id)
    matched = query("matched_all")
    if conditions:
        parameters["count_limit"] = COUNT_LIMIT
        matched = query("matched_some").format(table=table, conditions=where)  # type: ignore[assignment]
    items = query("items_page").format(
        table=table,
        key=_name(dataset.key),
        geometry=_geometry(dataset, search),
        properties=_properties(dataset, search),
        conditions=sql.SQL("false") if search.hits_only else where,
        order=_order(dataset, search),
    )
    return Statement(query("items_of_release").format(page=items, matched=matched), parameters)


def item(dataset: Dataset, identifier: str, crs: Srid) -> Statement:
    """The statement for one feature (column `feature`)."""
    text = query("one_item").format(
        table=sql.Identifier("data", dataset.id),
        key=_name(dataset.key),
        key_type=_type(dataset.key_type),
        geometry=_geometry(dataset, Search(crs=crs)),
        properties=_properties(dataset, Search()),
    )
    return Statement(text, {"id": identifier})


def _conditions(dataset: Dataset, search: Search) -> list[tuple[sql.Composable, dict[str, object]] | None]:
    parts: list[tuple[sql.Composable, dict[str, object]] | None] = []
    if search.bounds is not None:
        parts.append(_within(dataset, search.bounds))
    if search.datetime is not None and dataset.time is not None:
        moment = _column(dataset.time)
        parts.append(temporal.condition(search.datetime, moment, dict(dataset.fields)[dataset.time]))
    for n, (name, value) in enumerate(search.equals):
        parts.append(_equal(dataset, name, value, f"equal{n}"))
    if search.text is not None:
        parts.append(_contains(dataset, search.text))
    if search.filter is not None:
        parts.append(to_sql(search.filter, dataset, crs=search.filter_srid))
    return parts


def _within(dataset: Dataset, bounds: Bounds) -> tuple[sql.Composable, dict[str, object]] | None:
    """The index decides first (`&&`), then the exact test: in this form a leakproof `&&` also serves row security."""
    area = bbox_polygon(bounds.numbers, bounds.srid, Srid(dataset.srid))
    if area is None:
        return None
    test = sql.SQL("(f.{0} && {1} and st_intersects(f.{0}, {1}))").format(
        sql.Identifier(GEOMETRY),
        sql.SQL("st_geomfromwkb(%(area)s, {})").format(sql.Literal(dataset.srid)),
    )
    return test, {"area": area}


def _equal(dataset: Dataset, name: str, value: str, parameter: str) -> tuple[sql.Composable, dict[str, object]]:
    type_ = known_type(dataset, name)
    test = sql.SQL("{} = cast({} as {})").format(_column(name), sql.Placeholder(parameter), _type(type_))
    return test, {parameter: value}


def _contains(dataset: Dataset, text: str) -> tuple[sql.Composable, dict[str, object]]:
    """Words anywhere in the text columns, all of them, without regard to case."""
    columns = [_column(field.name) for field in dataset.fields if field.type == "text"]
    if not columns:
        return sql.SQL("false"), {}
    haystack = sql.SQL("concat_ws(' ', {})").format(sql.SQL(", ").join(columns))
    words = {f"word{n}": f"%{_escaped(word)}%" for n, word in enumerate(text.split()[:10])}
    tests: list[sql.Composable] = [sql.SQL("{} ilike {}").format(haystack, sql.Placeholder(name)) for name in words]
    return sql.SQL("({})").format(sql.SQL(" and ").join(tests or [sql.SQL("true")])), dict(words)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def known_type(dataset: Dataset, name: str) -> str:
    """The type of a property; names that are not in the catalogue never reach SQL."""
    known = dict(dataset.fields) | {dataset.key: dataset.key_type}
    if name not in known:
        raise UnknownProperty(dataset=dataset.id, name=name[:80], known=", ".join(known))
    return known[name]


def _properties(dataset: Dataset, search: Search) -> sql.Composable:
    chosen = dataset.fields
    if search.properties:
        wanted = {name for name in search.properties if known_type(dataset, name)}
        chosen = tuple(field for field in chosen if field.name in wanted)
    return sql.SQL(", ").join(_value(field) for field in chosen)


def _value(field: Field) -> sql.Composable:
    """A column as JSON shall have it: 8100.0 where PostgreSQL writes 8100.

    QGIS and GDAL take a property's type from the first numbers they see, and would cut the fractions of all that follow.
    """
    if field.type not in ("real", "double precision"):
        return _column(field.name)
    return query("with_decimal_point").format(number=_column(field.name), name=_name(field.name))


def _column(name: str) -> sql.Identifier:
    """A column of the data set's table, in a statement with parameters."""
    return sql.Identifier("f", name.replace("%", "%%"))


def _name(name: str) -> sql.Identifier:
    """A name in a statement with parameters, where psycopg reads a single percent sign as one."""
    return sql.Identifier(name.replace("%", "%%"))


def _order(dataset: Dataset, search: Search) -> sql.Composable:
    """The order asked for, then the key, so that pages neither overlap nor leave gaps."""
    parts = []
    for name, descending in search.sort:
        known_type(dataset, name)
        direction = sql.SQL("desc nulls last") if descending else sql.SQL("asc nulls last")
        parts.append(sql.SQL("{} {}").format(_column(name), direction))
    return sql.SQL(", ").join([*parts, _column(dataset.key)])


def _geometry(dataset: Dataset, search: Search) -> sql.Composable:
    """GeoJSON in the wanted CRS and its own axis order; digits for a tenth of a millimetre."""
    if not search.geometry:
        return sql.SQL("null::json")
    shape: sql.Composable = sql.Identifier("f", GEOMETRY)
    target = postgis_srid(search.crs)
    # ST_Transform between CGCS2000 and WGS 84 changes no number, and costs more than all the rest.
    if target != dataset.srid and {target, dataset.srid} != {WGS84, CGCS2000}:
        shape = sql.SQL("st_transform({}, {})").format(shape, sql.Literal(int(target)))
    if is_axis_swapped(search.crs):
        shape = sql.SQL("st_flipcoordinates({})").format(shape)
    digits = 9 if lookup(search.crs).is_geographic else 4
    return sql.SQL("st_asgeojson({}, {}, 0)::json").format(shape, sql.Literal(digits))


def _type(name: str) -> sql.SQL:
    """A type's name from the catalogue, where `format_type` wrote it: never from a user."""
    return sql.SQL(name)
