"""One data set's features as SQL: pages, counts and single items, as GeoJSON that PostgreSQL writes."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from psycopg import sql

from core.bbox import Area, bbox_area
from core.catalogue import GEOMETRY, VALID_FROM, Field, all_text
from core.crs import Srid, is_axis_swapped, is_geographic, keeps_numbers, postgis_srid
from core.database import query
from features import temporal, versions
from features.filters import to_sql
from features.paging import BadCursor, Cursor
from features.search import Search
from features.table import Table

_FEW = 5000  # rows that are fetched, sorted and counted in some milliseconds


class Statement(NamedTuple):
    """SQL with its parameters."""

    text: sql.Composed
    parameters: dict[str, object]


_Part = tuple[sql.Composable, dict[str, object]]


class _Order(NamedTuple):
    """A column that features are sorted by."""

    name: str
    type: str
    descending: bool
    never_null: bool = False


def page(table: Table, search: Search, written: sql.Composable | None = None) -> Statement:
    """The statement for one page, and one feature more that tells whether another follows.

    Columns: release, change, feature_count, changed_at, feature (as GeoJSON text, or as `written`; null in the one row
    of an empty page), matched (null where counting is not for free), and a text for each sort column and the key, which make the cursor
    of a page that begins there.
    """
    area = _area(table, search)
    where, parameters = _where(table, search, area)
    order = _orders(table, search)
    backwards = search.backwards
    source = versions.source(table, search)
    counted: sql.Composable = sql.SQL("null::bigint")
    if area is not None and table.share_of(area.bounds) <= _FEW:
        source, counted = query("counted_rows").format(table=source, conditions=where), sql.SQL("f.matched")
        where = sql.SQL("true")
    where, parameters = _from_cursor((where, parameters), order, search)
    text = query("items_page").format(
        feature=feature(table, search) if written is None else written,
        matched=counted,
        position=table.remember(("position", *order), lambda: _position(order)),
        source=source,
        conditions=where,
        limit=sql.Literal(search.limit + 1),  # a parameter would keep PostgreSQL from planning once for all
        offset=query("skipped") if search.offset else sql.SQL(""),
        order=table.remember(("order", *order, backwards), lambda: _ordered(order, backwards)),
    )
    return Statement(text, parameters | {"dataset": table.dataset.id, "offset": search.offset})


def rows(table: Table, search: Search, columns: Sequence[sql.Composable]) -> Statement:
    """The statement for many features as rows: the columns, then a text for each sort column and the key.

    Forwards there is one row more, which tells whether another follows; backwards the rows are in order all the same.
    """
    order = _orders(table, search)
    where, parameters = _from_cursor(_where(table, search, _area(table, search)), order, search)
    text = query("items_rows_before" if search.backwards else "items_rows").format(
        columns=sql.SQL(", ").join([*columns, _position(order)]),
        table=versions.source(table, search),
        conditions=where,
        turned=_ordered(order, backwards=True),
        order=_ordered(order, backwards=False),
    )
    most = search.limit if search.backwards else search.limit + 1
    return Statement(text, parameters | {"limit": most, "offset": search.offset})


def gaps(table: Table, search: Search) -> Statement:
    """The statement that tells whether any of the features that match has no geometry."""
    where, parameters = _where(table, search, _area(table, search))
    text = query("items_gaps").format(
        table=versions.source(table, search), conditions=where, geometry=sql.Identifier("f", GEOMETRY)
    )
    return Statement(text, parameters)


def count(table: Table, search: Search) -> Statement:
    """The statement for the number of features that match (columns release, change, matched)."""
    where, parameters = _where(table, search, _area(table, search))
    text = query("items_count").format(table=versions.source(table, search), conditions=where)
    return Statement(text, parameters | {"dataset": table.dataset.id})


def items(table: Table, identifier: str, crs: Srid, datetime: str | None = None) -> list[Statement]:
    """The statements of which the first that finds something finds one feature (columns feature, release, version).

    The identifier may be that of a version which holds no more; a key may look the same, and comes after it.
    """
    whole = _item(table, identifier, Search(crs=crs, datetime=datetime))
    version = versions.read_id(table, identifier)
    if version is None or datetime is not None:
        return [whole]
    return [_item(table, version.key, Search(crs=crs, datetime=str(version.began)), version.began), whole]


def _item(table: Table, key: str, search: Search, began: date | None = None) -> Statement:
    held = versions.began(table, began) if began is not None else versions.held(table, search)
    condition, parameters = held or (sql.SQL("true"), {})
    text = query("one_item").format(
        feature=feature(table, search),
        table=versions.source(table, search),
        key=named(table.dataset.key),
        key_type=type_name(table.dataset.key_type),
        condition=condition,
    )
    return Statement(text, {"id": key, **parameters})


def conditions(table: Table, search: Search) -> tuple[sql.Composable, dict[str, object]]:
    """What a search asks of features, over their columns as `f.…`, with its parameters."""
    return _where(table, search, _area(table, search))


def explain(statement: Statement) -> Statement:
    """The statement for the plan of another, as JSON."""
    return Statement(query("explain").format(statement=statement.text), statement.parameters)


def state(table: Table) -> Statement:
    """The statement for what is being served now (columns release, change, feature_count, changed_at)."""
    return Statement(query("dataset_state").format(), {"dataset": table.dataset.id})


def _area(table: Table, search: Search) -> Area | None:
    if search.bounds is None:
        return None
    return bbox_area(search.bounds.numbers, search.bounds.srid, Srid(table.dataset.srid))


def _where(table: Table, search: Search, area: Area | None) -> _Part:
    """All conditions but the cursor's."""
    parts: list[_Part] = []
    dataset = table.dataset
    if search.bounds is not None:
        parts.append(_within(table, area))
    if held := versions.held(table, search):
        parts.append(held)
    elif search.datetime is not None and dataset.time is not None:
        parts.append(temporal.condition(search.datetime, column(dataset.time), table.types[dataset.time]))
    for n, (name, value) in enumerate(search.equals):
        parts.append(_equal(table, name, value, f"equal{n}"))
    if search.text is not None:
        parts.append(_contains(table, search.text))
    if search.filter is not None:
        parts.append(to_sql(search.filter, dataset, crs=search.filter_srid))
    if not parts:
        return sql.SQL("true"), {}
    bound = {name: value for _, values in parts for name, value in values.items()}
    return sql.SQL(" and ").join(condition for condition, _ in parts), bound


def _within(table: Table, area: Area | None) -> _Part:
    """The index decides first (`&&`), then the exact test of what is not wholly inside; what has no place always matches.

    In this form a leakproof `&&` also serves row security.
    """
    if area is None:
        return sql.SQL("{} is null").format(sql.Identifier("f", GEOMETRY)), {}
    if area.inside is None:
        return table.remember("meets", lambda: _meets(table, "meets")), {"area": area.wkb}
    west, south, east, north = area.inside
    box = {"west": west, "south": south, "east": east, "north": north}
    return table.remember("inside", lambda: _meets(table, "inside_or_meets")), {"area": area.wkb, **box}


def _meets(table: Table, name: str) -> sql.Composable:
    return query(name).format(geometry=sql.Identifier("f", GEOMETRY), srid=sql.Literal(table.dataset.srid))


def _equal(table: Table, name: str, value: str, parameter: str) -> _Part:
    test = sql.SQL("{} = cast({} as {})").format(
        column(name), sql.Placeholder(parameter), type_name(table.type_of(name))
    )
    return test, {parameter: value}


def _contains(table: Table, text: str) -> _Part:
    """Words anywhere in the text columns, all of them, without regard to case."""
    haystack = all_text(table.dataset.fields, column)
    if haystack is None:
        return sql.SQL("false"), {}
    words = {f"word{n}": f"%{_escaped(word)}%" for n, word in enumerate(text.split()[:10])}
    tests: list[sql.Composable] = [sql.SQL("{} ilike {}").format(haystack, sql.Placeholder(name)) for name in words]
    return sql.SQL("({})").format(sql.SQL(" and ").join(tests or [sql.SQL("true")])), dict(words)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _orders(table: Table, search: Search) -> list[_Order]:
    """The order asked for, then the key, so that pages neither overlap nor leave gaps."""
    wanted = [_Order(name, table.type_of(name), descending) for name, descending in search.sort]
    last = [_Order(table.dataset.key, table.dataset.key_type, descending=False, never_null=True)]
    if versions.several(table, search):
        last.append(_Order(VALID_FROM, "date", descending=False, never_null=True))
    return [*wanted, *last]


def _position(order: list[_Order]) -> sql.Composable:
    texts = [
        query("position").format(column=column(one.name), name=named(f"position{n}")) for n, one in enumerate(order)
    ]
    return sql.SQL(", ").join(texts)


def _ordered(order: list[_Order], backwards: bool) -> sql.Composable:
    return sql.SQL(", ").join(_direction(one, backwards) for one in order)


def _direction(one: _Order, backwards: bool) -> sql.Composable:
    """Nulls come last, and first where the order is turned round."""
    direction = sql.SQL("desc") if one.descending != backwards else sql.SQL("asc")
    nulls = sql.SQL("first") if backwards else sql.SQL("last")
    return sql.SQL("{} {} nulls {}").format(column(one.name), direction, nulls)


def _from_cursor(condition: _Part, order: list[_Order], search: Search) -> _Part:
    """A condition, and what comes after the cursor where there is one."""
    if search.cursor is None:
        return condition
    after, values = _after(order, search.cursor)
    return sql.SQL("{} and {}").format(condition[0], after), condition[1] | values


def _after(order: list[_Order], cursor: Cursor) -> _Part:
    """What comes after the cursor's place: beyond it in one sort column, and level with it in those before."""
    if len(order) != len(cursor.values):
        raise BadCursor
    bound: dict[str, object] = {}
    ways: list[sql.Composable] = []
    level: list[sql.Composable] = []
    for n, (one, value) in enumerate(zip(order, cursor.values, strict=True)):
        name = f"after{n}"
        if value is not None:
            bound[name] = value
        at = sql.SQL("cast({} as {})").format(sql.Placeholder(name), type_name(one.type))
        if beyond := _beyond(one, at if value is not None else None, cursor.backwards):
            ways.append(sql.SQL(" and ").join([*level, beyond]))
        level.append(sql.SQL("{} is null" if value is None else "{} = {}").format(column(one.name), at))
    beyond = sql.SQL("({})").format(sql.SQL(" or ").join(ways))
    if len(order) > 1 and order[0].never_null:  # an index serves no alternatives
        first = sql.SQL("{} {} cast({} as {})").format(
            column(order[0].name),
            sql.SQL("<=" if cursor.backwards else ">="),
            sql.Placeholder("after0"),
            type_name(order[0].type),
        )
        beyond = sql.SQL("({} and {})").format(first, beyond)
    return beyond, bound


def _beyond(one: _Order, at: sql.Composable | None, backwards: bool) -> sql.Composable | None:
    """A column's values past one of its values (None: past null, the last of all); None where there are none."""
    compared = column(one.name)
    if at is None:
        return sql.SQL("{} is not null").format(compared) if backwards else None
    sign = sql.SQL("<") if one.descending != backwards else sql.SQL(">")
    if backwards or one.never_null:
        return sql.SQL("{} {} {}").format(compared, sign, at)
    return sql.SQL("({0} {1} {2} or {0} is null)").format(compared, sign, at)


def feature(table: Table, search: Search) -> sql.SQL:
    """A feature as GeoJSON text."""

    def compose() -> sql.Composable:
        return query("feature").format(
            id=versions.id_of(table, search),
            geometry=geometry_json(table, search),
            properties=_properties(table, search),
        )

    what = (tuple(search.properties), search.geometry, search.crs, versions.wanted(table, search))
    return table.remember(("feature", what), compose)


def _properties(table: Table, search: Search) -> sql.Composable:
    wanted = set(search.properties)
    chosen = [field for field in table.dataset.attributes if not wanted or field.name in wanted]
    return sql.SQL(", ").join(_value(field) for field in chosen)


def _value(field: Field) -> sql.Composable:
    """A column as JSON shall have it: 8100.0 where PostgreSQL writes 8100.

    QGIS and GDAL take a property's type from the first numbers they see, and would cut the fractions of all that follow.
    """
    if field.type not in ("real", "double precision"):
        return column(field.name)
    return query("with_decimal_point").format(number=column(field.name), name=named(field.name))


def column(name: str) -> sql.Identifier:
    """A column of the data set's table, in a statement with parameters."""
    return sql.Identifier("f", name.replace("%", "%%"))


def named(name: str) -> sql.Identifier:
    """A name in a statement with parameters, where psycopg reads a single percent sign as one."""
    return sql.Identifier(name.replace("%", "%%"))


def geometry_json(table: Table, search: Search) -> sql.Composable:
    """GeoJSON in the wanted CRS and its own axis order."""
    if not search.geometry:
        return sql.SQL("null")
    placed = shape(table, search.crs)
    if is_axis_swapped(search.crs):
        placed = sql.SQL("st_flipcoordinates({})").format(placed)
    return sql.SQL("st_asgeojson({}, {}, 0)").format(placed, digits(search.crs))


def shape(table: Table, crs: Srid) -> sql.Composable:
    """The geometry in a CRS, x = east."""
    stored = sql.Identifier("f", GEOMETRY)
    if keeps_numbers(Srid(table.dataset.srid), crs):
        return stored
    return sql.SQL("st_transform({}, {})").format(stored, sql.Literal(int(postgis_srid(crs))))


def wkb(table: Table, crs: Srid, *, empty: bool = True) -> sql.Composable:
    """The geometry in a CRS as ISO WKB, x = east; on demand null where it is one without a point."""
    bytes_ = sql.SQL("st_asbinary({}, 'NDR')").format(shape(table, crs))
    if empty:
        return bytes_
    return sql.SQL("case when not st_isempty({}) then {} end").format(sql.Identifier("f", GEOMETRY), bytes_)


def digits(crs: Srid) -> sql.Literal:
    """How many digits tell a tenth of a millimetre."""
    return sql.Literal(9 if is_geographic(crs) else 4)


def type_name(name: str) -> sql.SQL:
    """A type's name from the catalogue, where `format_type` wrote it: never from a user."""
    return sql.SQL(name)
