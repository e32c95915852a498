"""Random filters over random rows: text, JSON and tree are one, and PostGIS finds what plain Python finds."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
import shapely
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as some
from psycopg import sql

from core.catalogue import Dataset, get_dataset
from core.crs import WEB_MERCATOR
from core.database import Connection, connect
from features.filters import Node, nodes, parse, parse_json, to_sql
from tests.filter_oracle import Row, as_json, as_text, holds
from tests.made_data import make_dataset

FIELDS = {
    "a": "integer", "big": "bigint", "x": "double precision", "r": "real", "exact": "numeric(12,3)",
    "name": "text", "code": "character varying(10)", "ok": "boolean",
    "day": "date", "from": "timestamp with time zone", "to": "timestamp with time zone",
    "local": "timestamp without time zone", "tags": "text[]", "sizes": "integer[]", "shares": "double precision[]",
    "days": "date[]",
}  # fmt: skip
LETTERS = "aAeéÉßSs水%_\\'\""
SHAPES = [
    "POINT(0 0)", "POINT(2 2)", "POINT(5 1)", "MULTIPOINT((0 0),(2 2))", "LINESTRING(0 0,4 4)", "LINESTRING(0 4,4 0)",
    "LINESTRING(0 0,4 0,4 4)", "LINESTRING(2 2,6 2)", "MULTILINESTRING((0 0,2 2),(2 2,4 4))",
    "POLYGON((0 0,4 0,4 4,0 4,0 0))", "POLYGON((2 2,6 2,6 6,2 6,2 2))", "POLYGON((4 0,8 0,8 4,4 4,4 0))",
    "POLYGON((0 0,8 0,8 8,0 8,0 0),(2 2,6 2,6 6,2 6,2 2))", "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((2 2,4 2,4 4,2 2)))",
    "GEOMETRYCOLLECTION(POINT(2 2),LINESTRING(0 0,4 4))",
    "GEOMETRYCOLLECTION(POLYGON((0 0,4 0,4 4,0 4,0 0)),POLYGON((2 2,6 2,6 6,2 6,2 2)))",
]  # fmt: skip
GEOMETRIES = [shapely.from_wkt(text) for text in SHAPES]
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(5)]
TIMES = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=6 * n) for n in range(17)]


def made_rows() -> list[Row]:
    """Forty rows of few different values, of which one in six is null."""
    chance = random.Random(7)

    def maybe(value: Any) -> Any:
        return None if chance.random() < 1 / 6 else value

    def word(letters: str = LETTERS) -> str:
        return "".join(chance.choice(letters) for _ in range(chance.randint(0, 3)))

    rows = []
    for n in range(40):
        moments = sorted(chance.sample(TIMES, 2))
        rows.append({
            "fid": n,
            "a": maybe(chance.randint(-3, 3)),
            "big": maybe(chance.choice([0, 2, -(2**40), 2**40])),
            "x": maybe(chance.randint(-24, 24) / 8),
            "r": maybe(chance.choice([0.1, -1.5, 2.0])),
            "exact": maybe(Decimal(chance.randint(-24, 24)) / 8),
            "name": maybe(word()),
            "code": maybe(word("abc")),
            "ok": maybe(chance.random() < 0.5),
            "day": maybe(chance.choice(DAYS)),
            "from": maybe(moments[0]),
            "to": maybe(moments[1]),
            "local": maybe(chance.choice(TIMES).replace(tzinfo=None)),
            "tags": maybe([maybe(word("abc")) for _ in range(chance.randint(0, 3))]),
            "sizes": maybe([chance.randint(0, 3) for _ in range(chance.randint(0, 3))]),
            "shares": maybe([chance.choice([0.1, 0.5, 1.0]) for _ in range(chance.randint(0, 3))]),
            "days": maybe([chance.choice(DAYS) for _ in range(chance.randint(0, 3))]),
            "geom": maybe(chance.choice(GEOMETRIES)),
        })  # fmt: skip
    return rows


def properties(*names: str) -> some.SearchStrategy[Node]:
    return some.sampled_from(names).map(nodes.Property)


def values(*choices: Any) -> some.SearchStrategy[Node]:
    return some.sampled_from(choices).map(nodes.Value)


def calls(names: list[str], argument: some.SearchStrategy[Node]) -> some.SearchStrategy[Node]:
    return some.builds(nodes.Call, some.sampled_from(names), some.tuples(argument))


WHOLE = properties("fid", "a", "big") | values(-2, 0, 1, 3, 10**20)
NUMBER = WHOLE | properties("x", "r", "exact") | values(Decimal("0.125"), Decimal("-1.5"), Decimal("0.1"))
POWERS = some.builds(nodes.Arithmetic, some.just("^"), properties("a", "x", "exact"), values(0, 1, 2, 3))
# What Python computes exactly as well: a division by powers of two, and remainders of anything.
HALVES = some.builds(nodes.Arithmetic, some.just("/"), NUMBER, values(2, 4, -8, 0))
NUMBERS = some.recursive(
    NUMBER | POWERS | HALVES | calls(["length"], properties("name", "code")) | some.builds(
        nodes.Call, some.just("area"), some.just((nodes.Property("geom"),))
    ),
    lambda inner: some.builds(nodes.Arithmetic, some.sampled_from(["+", "-", "*", "%", "DIV"]), inner, inner)
    | calls(["abs", "floor", "ceil", "round"], inner),
    max_leaves=4,
)  # fmt: skip
WORDS = some.text(LETTERS, max_size=3).map(nodes.Value)
WORD = properties("name") | WORDS
FOLDS = some.lists(some.sampled_from([nodes.CaseI, nodes.AccentI]), max_size=2)
ORDERED = properties("code") | some.text("abc", max_size=2).map(nodes.Value)
MOMENT = properties("day", "from", "to", "local") | values(*DAYS, *TIMES)
TRUTH = properties("ok") | values(True, False)


@some.composite
def intervals(draw: some.DrawFn) -> Node:
    """Open, stored or literal ends; two literals in their order."""
    start, end = draw(some.none() | MOMENT), draw(some.none() | MOMENT)
    if isinstance(start, nodes.Value) and isinstance(end, nodes.Value):
        start, end = map(nodes.Value, sorted(draw(some.sampled_from([DAYS, TIMES]))[:: draw(some.integers(1, 3))][:2]))
    return nodes.Interval(start, end)


@some.composite
def temporals(draw: some.DrawFn) -> Node:
    op = draw(some.sampled_from(get_args(nodes.TemporalOp)))
    of_instants = op in ("T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS")
    periods = intervals() | MOMENT if of_instants else intervals()
    return nodes.Temporal(op, draw(periods), draw(periods))


@some.composite
def foldings(draw: some.DrawFn) -> Node:
    """Texts that are equal or alike, folded on both sides in the same way."""
    folds, left, right = draw(FOLDS), draw(WORD), draw(WORD)
    pattern: Node = nodes.Value(draw(some.text(LETTERS + "%_", max_size=4)))
    for fold in folds:
        left, right, pattern = fold(left), fold(right), fold(pattern)
    return draw(
        some.sampled_from(
            [
                nodes.Comparison("=", left, right),
                nodes.Comparison("<>", left, right),
                nodes.In(left, (right, left)),
                nodes.In(left, (right,)),
                nodes.Like(left, pattern),
            ]
        )
    )


SHAPE = (
    some.just(nodes.Property("geom"))
    | some.sampled_from(GEOMETRIES).map(nodes.Shape)
    | some.builds(
        lambda x, y, wide, high: nodes.Box((x, y, x + wide, y + high)), *[some.integers(0, 4)] * 2, *[some.integers(1, 4)] * 2
    )
)  # fmt: skip


def arrays(name: str, element: some.SearchStrategy[Node]) -> some.SearchStrategy[Node]:
    array = properties(name) | some.lists(element, max_size=3).map(lambda items: nodes.Array(tuple(items)))
    return some.builds(nodes.ArrayTest, some.sampled_from(get_args(nodes.ArrayOp)), array, array)


def compared(value: some.SearchStrategy[Node]) -> some.SearchStrategy[Node]:
    return (
        some.builds(nodes.Comparison, some.sampled_from(get_args(nodes.ComparisonOp)), value, value)
        | some.builds(nodes.Between, value, value, value)
        | some.builds(nodes.In, value, some.lists(value, min_size=1, max_size=3).map(tuple))
    )


PREDICATES = some.one_of(
    compared(NUMBERS),
    compared(ORDERED),
    compared(MOMENT),
    compared(TRUTH),
    foldings(),
    some.builds(nodes.Spatial, some.sampled_from(get_args(nodes.SpatialOp)), SHAPE, SHAPE),
    temporals(),
    arrays("tags", ORDERED),
    arrays("sizes", WHOLE),
    arrays("shares", NUMBER),
    arrays("days", properties("day") | values(*DAYS)),
    properties("ok"),
    some.builds(nodes.IsNull, some.one_of(NUMBERS, WORD, MOMENT, SHAPE, intervals(), properties("tags", "ok"))),
)
FILTERS = some.recursive(
    PREDICATES,
    lambda inner: some.one_of(
        some.builds(nodes.Not, inner),
        some.builds(nodes.And, some.tuples(inner, inner)),
        some.builds(nodes.Or, some.tuples(inner, inner)),
        some.builds(nodes.IsNull, inner),
        some.builds(nodes.Comparison, some.sampled_from(["=", "<>"]), inner, TRUTH),
    ),
    max_leaves=5,
)


@pytest.fixture
def places(database: str) -> tuple[Dataset, list[Row]]:
    """A table of mixed geometries in a plane, and its rows."""
    rows = made_rows()
    columns = ["fid", *FIELDS]
    stored = [(*(row[name] for name in columns), row["geom"] and row["geom"].wkt) for row in rows]
    make_dataset(database, "places", "Geometry", WEB_MERCATOR, stored, FIELDS)
    with connect(database) as connection:
        return get_dataset(connection, "places"), rows


def found(connection: Connection, dataset: Dataset, node: Node) -> list[int]:
    condition, parameters = to_sql(node, dataset, crs=WEB_MERCATOR)
    table = sql.Identifier("data", dataset.id)
    statement = sql.SQL("select fid from {} as f where {} order by fid").format(table, condition)
    return [row["fid"] for row in connection.execute(statement, parameters)]


def test_a_filter_finds_what_it_says_however_it_is_spelled(database: str, places: tuple[Dataset, list[Row]]) -> None:
    """Requirements */cql2-text/* and */cql2-json/*: both encodings of every class are read as the same filter."""
    dataset, rows = places
    with connect(database) as connection:
        connection.autocommit = True
        connection.execute("set timezone = 'UTC'")

        @settings(max_examples=800, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(FILTERS)
        def is_found(node: Node) -> None:
            event(type(node).__name__)
            assert parse(as_text(node)) == node
            assert parse_json(as_json(node)) == node
            expected = [row["fid"] for row in rows if holds(node, row)]
            assert found(connection, dataset, node) == expected, as_text(node)

        is_found()
