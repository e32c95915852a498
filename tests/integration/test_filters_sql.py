"""Filters against PostGIS: they find what they say, and PostgreSQL never has to refuse one."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from typing import get_args

import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from psycopg import sql

from core.bbox import BadBbox
from core.catalogue import Dataset, get_dataset
from core.crs import CRS84, WEB_MERCATOR, WGS84, Srid
from core.database import Connection
from core.errors import BadRequest, ChengtuError
from core.geojson import BadShape
from features.filters import FUNCTIONS, Node, errors, nodes, parse, to_sql
from tests.filter_data import asking, dsn_of, found, make_land
from tests.made_data import make_dataset


@pytest.fixture(scope="module")
def connection(server_dsn: str, template: str) -> Iterator[Connection]:
    with asking(server_dsn, template) as connection:
        yield connection


@pytest.fixture(scope="module")
def land(connection: Connection) -> Dataset:
    return make_land(connection)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("fid >= 3", [3, 4]),
        ("name = 'Alpha'", [1]),
        ("name <> 'Alpha'", [2, 3]),
        ("NOT name = 'Alpha'", [2, 3]),
        ("n = 1 OR n = 2 AND name = 'none'", [1]),
        ("(n = 1 OR n = 2) AND name = 'none'", []),
        ("name IS NULL", [4]),
        ("NOT name IS NULL AND ok IS NULL", [3]),
        ("geometry IS NULL", [4]),
        ("document IS NOT NULL", [1, 2]),
        ("CASEI(name) = CASEI('ALPHA')", [1]),
        ("CASEI(name) LIKE casei('B%')", [2]),
        ("name LIKE '%50\\%'", [2]),
        ("name LIKE 'gamma\\_5\\\\\\%'", [3]),
        ("name LIKE '_____'", [1]),
        ("name LIKE '%\\\\\\%'", [3]),
        ("name LIKE '%a\\b%'", []),
        ("code IN ('A1', '')", [1, 3]),
        ("n IN (2, 1.0, 99999999999999999999)", [1, 2]),
        ("n NOT IN (1, 2)", [3]),
        ("n BETWEEN 0 AND 1", [1, 3]),
        ("name BETWEEN 'A' AND 'b'", [1]),
        ("big > 1000000000000", [1]),
        ("big < 99999999999999999999999", [1, 2, 3]),
        ("exact = 0.1", [1]),
        ("x = 0.5", [1]),
        ("x > 1e300", [3]),
        ("n / 2 = 0.5", [1]),
        ("1 / n = 1", [1]),
        ("big * big * big * big > 0", [1, 2]),
        ("x * 2 - 1 = 0", [1]),
        ("exact + 0.2 = 0.3", [1]),
        ("-n = -2", [2]),
        ("x * x > 1", [2, 3]),
        ("ok = TRUE", [1]),
        ("NOT ok = TRUE", [2]),
        ("TRUE", [1, 2, 3, 4]),
        ("FALSE OR n = 1", [1]),
        ("day = DATE('2024-02-29')", [2]),
        ("day < TIMESTAMP('2024-01-01T00:00:01Z')", [1]),
        ("at >= DATE('2024-01-02')", [2]),
        ("at = TIMESTAMP('2024-01-01T16:00:00+08:00')", [1]),
        ("local = TIMESTAMP('2024-01-01T08:00:00Z')", [1]),
        ("at BETWEEN DATE('2024-01-01') AND TIMESTAMP('2024-01-01T08:00:00Z')", [1]),
        ("uid = '6f1c9a52-0000-4000-8000-000000000002'", [2]),
        ("uid = 'no uuid'", []),
        ("地类 = '水田'", [1, 3]),
        ("\"占比%\" > 20 AND name LIKE '%'", [2]),
        ('"say ""a""" = \'it\'\'s\'', [2]),
    ],
)
def test_filters_find_what_they_say(connection: Connection, land: Dataset, text: str, keys: list[int]) -> None:
    assert found(connection, land, parse(text)) == keys


@pytest.mark.parametrize(
    ("text", "crs", "keys"),
    [
        ("S_INTERSECTS(geom, BBOX(126.5, 43.8, 126.56, 43.88))", CRS84, [1, 2]),
        ("S_INTERSECTS(geometry, BBOX(43.8, 126.5, 43.88, 126.56))", WGS84, [1, 2]),
        ("S_INTERSECTS(BBOX(4855999, 543999, 4856001, 544001), geom)", Srid(4551), [1]),
        ("S_INTERSECTS(geom, POINT(4856000 544000))", Srid(4551), [1]),
        ("S_INTERSECTS(geom, BBOX(-180, -90, 180, 90))", CRS84, [1, 2, 3]),
        ("S_INTERSECTS(geom, POLYGON((-180 -90, 180 -90, 180 90, -180 90, -180 -90)))", CRS84, [1, 2, 3]),
        ("S_INTERSECTS(geom, BBOX(170, -10, -170, 10))", CRS84, []),
        ("S_INTERSECTS(geom, POINT(-60 -40))", CRS84, []),
        ("NOT S_INTERSECTS(geom, POINT(-60 -40))", CRS84, [1, 2, 3]),
        ("S_CONTAINS(geom, MULTIPOINT((0 0), (126.547889 43.843055)))", CRS84, []),
        ("S_DISJOINT(geom, BBOX(126.5, 43.8, 126.56, 43.88))", CRS84, [3]),
        ("S_INTERSECTS(geom, POLYGON((14000000 5400000, 14100000 5400000, 14100000 5450000, 14000000 5400000)))",
         WEB_MERCATOR, [1, 2]),
        ("S_INTERSECTS(geom, POLYGON((126.5 43.8, 126.6 43.8, 126.6 43.9, 126.5 43.8))) AND n = 2", CRS84, [2]),
    ],
)  # fmt: skip
def test_geometries_in_any_crs_are_met(
    connection: Connection, land: Dataset, text: str, crs: Srid, keys: list[int]
) -> None:
    assert found(connection, land, parse(text), crs) == keys


def test_long_edges_are_straight_in_the_filters_crs(connection: Connection) -> None:
    """The parallel 44° N bends 500 m away from the straight line between its ends in the plane."""
    inverse = "ST_AsText(ST_Transform(ST_SetSRID(ST_Point(%s, %s), 4326), 4551))"
    places = [(126.0, 44.0001), (126.0, 43.9999), (124.9, 44.0001), (124.9, 43.9999)]
    with psycopg.connect(dsn_of(connection)) as plain:
        texts = [plain.execute(f"select {inverse}", place).fetchone() for place in places]
    rows = [(n, text[0]) for n, text in enumerate(texts) if text]
    make_dataset(dsn_of(connection), "north", "Point", 4551, rows)
    polygon = parse("S_INTERSECTS(geom, POLYGON((124 44, 128 44, 128 45, 124 45, 124 44)))")
    box = parse("S_INTERSECTS(geom, BBOX(124, 44, 128, 45))")
    dataset = get_dataset(connection, "north")
    assert found(connection, dataset, polygon) == found(connection, dataset, box) == [0, 2]


INDEXED = sorted(set(get_args(nodes.SpatialOp)) - {"S_DISJOINT"})


@pytest.mark.parametrize("op", INDEXED)
def test_a_spatial_filter_uses_the_index(connection: Connection, land: Dataset, op: str) -> None:
    condition, parameters = to_sql(parse(f"{op}(geom, BBOX(126.5, 43.8, 126.501, 43.801))"), land)
    with connection.transaction(force_rollback=True):
        connection.execute("set local enable_seqscan = off")
        statement = sql.SQL("explain select fid from data.land as f where {}").format(condition)
        plan = "\n".join(row["QUERY PLAN"] for row in connection.execute(statement, parameters))
    assert "geom_idx" in plan


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        ("name = 5", errors.TypesDiffer, "Put it in quotes"),
        ("n = 'one'", errors.TypesDiffer, "without quotes"),
        ("day = '2024-01-01'", errors.TypesDiffer, "DATE("),
        ("at > '2024-01-01'", errors.TypesDiffer, "TIMESTAMP("),
        ("ok = 1", errors.TypesDiffer, "true or false"),
        ("n IN (1, 'two')", errors.TypesDiffer, "IN"),
        ("n BETWEEN 1 AND 'two'", errors.TypesDiffer, "BETWEEN"),
        ("n LIKE '1%'", errors.TypesDiffer, "LIKE"),
        ("name LIKE n", errors.NoPattern, "LIKE"),
        ("CASEI(n) = 'x'", errors.TypesDiffer, "CASEI"),
        ("name + 1 = 2", errors.TypesDiffer, "+"),
        ("document = 'x'", errors.NotComparable, "jsonb"),
        ("geom = 1", errors.NotComparable, "geometry"),
        ("n", errors.NotACondition, "n"),
        ("n AND ok = TRUE", errors.NotACondition, "n"),
        ("n = BBOX(1,2,3,4)", errors.NotAValue, "value"),
        ("n = (1, 2)", errors.NotAValue, "value"),
        ("tags = 'a'", errors.NotComparable, "A_CONTAINS"),
        ("A_CONTAINS(tags, (1))", errors.TypesDiffer, "Put it in quotes"),
        ("A_CONTAINS(name, ('a'))", errors.NoArray, "name is none"),
        ("A_CONTAINS(tags, 'a')", errors.NoArray, "('a', 'b')"),
        ("A_CONTAINS(documents, ('a'))", errors.NotComparable, "IS NULL"),
        ("A_EQUALS(tags, (('a', 'b'), ('c', 'd')))", errors.NotAValue, "ARRAY"),
        ("T_AFTER(name, DATE('2024-01-01'))", errors.TypesDiffer, "TIMESTAMP("),
        ("T_AFTER(n, DATE('2024-01-01'))", errors.NoTime, "not n"),
        ("T_AFTER(at, BBOX(1,2,3,4))", errors.NoTime, "not BOX"),
        ("T_AFTER(at, INTERVAL(n, '..'))", errors.NoTime, "INTERVAL"),
        ("T_DURING(at, INTERVAL('2024-01-01', '..'))", errors.NoInterval, "T_INTERSECTS"),
        ("T_AFTER(at, INTERVAL('2024-02-01', '2024-01-01'))", errors.IntervalReversed, "Exchange"),
        ("lower(n) = '1'", errors.TypesDiffer, "lower"),
        ("abs(name) = 1", errors.TypesDiffer, "abs"),
        ("lower(name, name) = 'x'", errors.WrongArguments, "Write lower(text)"),
        ("area(name) = 1", BadShape, "name is no geometry"),
        ("lower(name)", errors.NotACondition, "lower(name)"),
        ("name LIKE upper('a%')", errors.NoPattern, "LIKE"),
        ("S_INTERSECTS(n, POINT(1 2))", BadShape, "n is no geometry"),
        ("S_INTERSECTS(geom, name)", BadShape, "name is no geometry"),
        ("S_TOUCHES(geom, 'POINT(1 2)')", BadShape, "S_TOUCHES takes"),
        ("S_INTERSECTS(geom, BBOX(1, 4, 3, 2))", BadBbox, "reversed"),
        ("owner = 'x'", errors.UnknownProperty, "owner"),
        ("ct_release = 1", errors.UnknownProperty, "ct_release"),
        ('"geom);drop table data.land;--" = 1', errors.UnknownProperty, "no property"),
        ("__class__ = 'x'", errors.UnknownProperty, "__class__"),
        ("name LIKE '" + "%a" * 30 + "'", errors.PatternTooWild, "wildcards"),
        (" AND ".join(["name LIKE '%a%a%'"] * 30), errors.PatternsTooWild, "wildcards"),
    ],
)
def test_what_cannot_be_asked_is_told(land: Dataset, text: str, error: type[ChengtuError], hint: str) -> None:
    with pytest.raises(error) as caught:
        to_sql(parse(text), land)
    assert caught.value.status == 400
    assert hint in caught.value.text.en


def test_a_filter_has_few_enough_parts(land: Dataset) -> None:
    with pytest.raises(errors.FilterTooWide):
        to_sql(nodes.In(nodes.Property("n"), tuple(map(nodes.Value, range(100_000)))), land)


LITERALS = {
    "number": some.integers(-(10**25), 10**25) | some.decimals(-(10**290), 10**290, allow_nan=False, places=3),
    "text": some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"])) | some.text("%_\\a'"),
    "time": some.dates() | some.datetimes(timezones=some.just(UTC)),
    "boolean": some.booleans(),
}
NAMES = {
    "number": ["fid", "n", "big", "x", "exact", "占比%"],
    "text": ["name", "code", "uid", "地类", 'say "a"'],
    "time": ["day", "at", "local"],
    "boolean": ["ok"],
}
KINDS = {
    kind: some.sampled_from(names).map(nodes.Property) | LITERALS[kind].map(nodes.Value)
    for kind, names in NAMES.items()
}
NUMBERS = some.recursive(
    KINDS["number"] | some.just(nodes.Call("area", (nodes.Property("geom"),))),
    lambda inner: (
        some.builds(nodes.Arithmetic, some.sampled_from(get_args(nodes.ArithmeticOp)), inner, inner)
        | some.builds(nodes.Call, some.sampled_from(["abs", "floor", "ceil", "round"]), some.tuples(inner))
    ),
    max_leaves=20,
)
TEXTS = some.recursive(
    KINDS["text"],
    lambda inner: (
        inner.map(nodes.CaseI)
        | inner.map(nodes.AccentI)
        | some.builds(nodes.Call, some.sampled_from(["lower", "upper"]), some.tuples(inner))
    ),
    max_leaves=3,
)
SHAPES = some.builds(
    nodes.Shape,
    some.builds(shapely.Point, some.floats(-180, 180), some.floats(-90, 90))
    | some.builds(shapely.box, some.floats(-180, 0), some.floats(-90, 0), some.floats(1, 180), some.floats(1, 90)),
) | some.builds(nodes.Box, some.tuples(*[some.floats(-200, 200)] * 4))
OPERATORS = some.sampled_from(["=", "<>", "<", ">", "<=", ">="])
PATTERNS = LITERALS["text"].map(nodes.Value)


def _about(values: some.SearchStrategy[Node]) -> some.SearchStrategy[Node]:
    return (
        some.builds(nodes.Comparison, OPERATORS, values, values)
        | some.builds(nodes.Between, values, values, values)
        | some.builds(nodes.In, values, some.lists(values, min_size=1, max_size=3).map(tuple))
        | some.builds(nodes.IsNull, values)
    )


GEOMETRIES = some.just(nodes.Property("geom")) | SHAPES
OF_INSTANTS = ["T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS"]
PERIODS = some.builds(nodes.Interval, some.none() | KINDS["time"], some.none() | KINDS["time"])
SETS = some.just(nodes.Property("tags")) | some.lists(TEXTS, max_size=3).map(lambda items: nodes.Array(tuple(items)))


SOUND = some.recursive(
    _about(NUMBERS)
    | _about(TEXTS)
    | _about(KINDS["time"])
    | _about(KINDS["boolean"])
    | some.builds(nodes.Like, TEXTS, PATTERNS | PATTERNS.map(nodes.CaseI) | PATTERNS.map(nodes.AccentI))
    | some.builds(nodes.Spatial, some.sampled_from(get_args(nodes.SpatialOp)), GEOMETRIES, GEOMETRIES)
    | some.builds(nodes.Temporal, some.sampled_from(OF_INSTANTS), KINDS["time"], KINDS["time"])
    | some.builds(nodes.Temporal, some.sampled_from(get_args(nodes.TemporalOp)), PERIODS, PERIODS)
    | some.builds(nodes.ArrayTest, some.sampled_from(get_args(nodes.ArrayOp)), SETS, SETS),
    lambda inner: (
        some.builds(nodes.Not, inner)
        | some.builds(nodes.And, some.tuples(inner, inner))
        | some.builds(nodes.Or, some.tuples(inner, inner))
    ),
    max_leaves=8,
)
ANYTHING = some.one_of(
    *KINDS.values(), NUMBERS, TEXTS, SHAPES, PERIODS, SETS, SOUND, some.just(nodes.Property("document"))
)
UNSOUND = (
    _about(ANYTHING)
    | some.builds(nodes.Like, ANYTHING, ANYTHING)
    | some.builds(nodes.Spatial, some.sampled_from(get_args(nodes.SpatialOp)), ANYTHING, ANYTHING)
    | some.builds(nodes.Temporal, some.sampled_from(get_args(nodes.TemporalOp)), ANYTHING, ANYTHING)
    | some.builds(nodes.ArrayTest, some.sampled_from(get_args(nodes.ArrayOp)), ANYTHING, ANYTHING)
    | some.builds(nodes.Arithmetic, some.sampled_from(get_args(nodes.ArithmeticOp)), ANYTHING, ANYTHING)
    | some.builds(nodes.Call, some.sampled_from([one.name for one in FUNCTIONS]), some.tuples(ANYTHING))
    | some.builds(nodes.Not, ANYTHING)
)
CRSS = some.sampled_from([CRS84, WGS84, WEB_MERCATOR, Srid(4490), Srid(4551)])
QUIET = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def test_postgresql_never_has_to_refuse_a_filter(connection: Connection, land: Dataset) -> None:
    """Any filter at all is either refused by us, in words, or runs; a sound one runs but for its box or its pattern."""

    @QUIET
    @given(SOUND, CRSS)
    def runs(node: Node, crs: Srid) -> None:
        with suppress(BadBbox, errors.PatternTooWild, errors.IntervalReversed):
            found(connection, land, node, crs)

    @QUIET
    @given(UNSOUND, CRSS)
    def is_refused_or_runs(node: Node, crs: Srid) -> None:
        with suppress(BadRequest, BadBbox):
            found(connection, land, node, crs)

    runs()
    is_refused_or_runs()
