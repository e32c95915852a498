"""The requirements of CQL2 (OGC 21-065r2), one test each: what it says, asked of a small table."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from core.catalogue import Dataset, get_dataset
from core.crs import WEB_MERCATOR
from core.database import Connection
from core.errors import BadRequest
from features.filters import CONFORMANCE, FUNCTIONS, errors, nodes, parse, parse_json, to_sql
from tests.filter_data import asking, dsn_of, found
from tests.filter_oracle import as_json
from tests.made_data import make_dataset

FIELDS = {
    "name": "text", "ascii": "text", "a": "integer", "b": "double precision", "ok": "boolean", "day": "date",
    "begin": "timestamp with time zone", "end": "timestamp with time zone", "tags": "text[]", "sizes": "integer[]",
}  # fmt: skip


def hour(n: int) -> datetime:
    return datetime(2024, 5, 1, n, tzinfo=UTC)


ROWS = [
    (1, "Straße", "Strasse", 7, 0.5, True, date(2024, 5, 1), hour(6), hour(12), ["x", "y"], [1, 2], "POINT(1 1)"),
    (2, "Müller", "Muller", -7, 7.0, False, date(2024, 5, 2), hour(6), hour(9), ["y"], [2], "LINESTRING(0 0,4 4)"),
    (3, "ΟΔΟΣ", "100%", 0, -1.5, True, date(2024, 5, 3), hour(9), hour(12), [], [], "POLYGON((0 0,4 0,4 4,0 4,0 0))"),
    (4, "a_c\\", "abc", 2, 2.0, False, date(2024, 5, 4), hour(12), hour(18), ["x", "y", "z"], [3, 1],
     "POLYGON((2 2,6 2,6 6,2 6,2 2))"),
    (5, *[None] * 11),
]  # fmt: skip


@pytest.fixture(scope="module")
def connection(server_dsn: str, template: str) -> Iterator[Connection]:
    with asking(server_dsn, template) as connection:
        yield connection


@pytest.fixture(scope="module")
def data(connection: Connection) -> Dataset:
    make_dataset(dsn_of(connection), "data", "Geometry", WEB_MERCATOR, ROWS, FIELDS)
    return get_dataset(connection, "data")


REQUIREMENTS: dict[str, list[tuple[str, list[int]]]] = {
    "/req/basic-cql2/cql2-filter": [
        ("a = 7", [1]),
        ("a = 7 OR a = 0 AND ok = FALSE", [1]),
        ("(a = 7 OR a = 0) AND ok = TRUE", [1, 3]),
        ("NOT (a = 7 AND ok = TRUE)", [2, 3, 4]),
        ("not a=7 and not a=0", [2, 4]),
        ("TRUE", [1, 2, 3, 4, 5]),
        ("FALSE or ok", [1, 3]),
        ("NOT ok AND a < 0", [2]),
    ],
    "/req/basic-cql2/property": [
        ('"end" = TIMESTAMP(\'2024-05-01T09:00:00Z\')', [2]),
        ("day IS NULL", [5]),
        ("ok", [1, 3]),
    ],
    "/req/basic-cql2/binary-comparison-predicate": [
        ("a <> 7", [2, 3, 4]),
        ("a >= 2", [1, 4]),
        ("b <= 0.5", [1, 3]),
        ("a < 1.5", [2, 3]),
        ("a > -99999999999999999999999", [1, 2, 3, 4]),
        ("name = 'Müller'", [2]),
        ("day > DATE('2024-05-02')", [3, 4]),
        ("begin = TIMESTAMP('2024-05-01T06:00:00Z')", [1, 2]),
        ("ok = false", [2, 4]),
    ],
    "/req/basic-cql2/null-predicate": [
        ("a IS NULL", [5]),
        ("NOT a IS NULL", [1, 2, 3, 4]),
        ("a IS NOT NULL", [1, 2, 3, 4]),
        ("geom is null", [5]),
        ("tags IS NULL", [5]),
        ("a + 1 IS NULL", [5]),
        ("1 / a IS NULL", [3, 5]),
        ("CASEI(name) IS NULL", [5]),
        ("(a = 7) IS NULL", [5]),
        ("INTERVAL(begin, '..') IS NULL", [5]),
        ("POINT(1 2) IS NULL OR BBOX(1, 2, 3, 4) IS NULL OR INTERVAL('..', '..') IS NULL", []),
        ("S_INTERSECTS(geom, POINT(1 1)) IS NULL", [5]),
    ],
    "/req/advanced-comparison-operators/like-predicate": [
        ("name LIKE '%ß%'", [1]),
        ("name LIKE '______'", [1, 2]),
        ("name LIKE 'a\\_c\\\\\\\\'", [4]),
        ("ascii LIKE 'a_c'", [4]),
        ("ascii LIKE '100\\%'", [3]),
        ("ascii LIKE '%%'", [1, 2, 3, 4]),
        ("ascii NOT LIKE '%r%'", [3, 4]),
        ("ascii LIKE ''", []),
        ("'abc' LIKE 'a%'", [1, 2, 3, 4, 5]),
    ],
    "/req/advanced-comparison-operators/between-predicate": [
        ("a BETWEEN 0 AND 7", [1, 3, 4]),
        ("a NOT BETWEEN 0 AND 7", [2]),
        ("a BETWEEN 7 AND 0", []),
        ("5 BETWEEN a AND b", [2]),
        ("NOT 5 BETWEEN 9 AND a", [1, 2, 3, 4]),
        ("a + 1 BETWEEN b * 2 AND 8", [1, 3]),
    ],
    "/req/advanced-comparison-operators/in-predicate": [
        ("a IN (7, 2.0, 99999999999999999999)", [1, 4]),
        ("a NOT IN (7, 2)", [2, 3]),
        ("name IN ('Müller')", [2]),
        ("ok IN (TRUE)", [1, 3]),
        ("day IN (DATE('2024-05-01'), DATE('2024-05-04'))", [1, 4]),
        ("2 IN (a, b)", [4]),
    ],
    "/req/case-insensitive-comparison/casei-function": [
        ("CASEI(name) = CASEI('STRASSE')", [1]),
        ("casei(name) <> casei('strasse')", [2, 3, 4]),
        ("CASEI(name) = CASEI('οδος')", [3]),
        ("CASEI(name) LIKE CASEI('οδο_')", [3]),
        ("CASEI(name) IN (CASEI('MÜLLER'), CASEI('x'))", [2]),
        ("CASEI(ascii) BETWEEN CASEI('M') AND CASEI('N')", [2]),
    ],
    "/req/accent-insensitive-comparison/accenti-function": [
        ("ACCENTI(name) = ACCENTI('Muller')", [2]),
        ("ACCENTI('Müller') = ACCENTI(name)", [2]),
        ("ACCENTI(name) LIKE accenti('Mü%')", [2]),
        ("ACCENTI(name) NOT IN (ACCENTI('Müller'), ACCENTI('x'))", [1, 3, 4]),
        ("ACCENTI(CASEI(name)) = ACCENTI(CASEI('MULLER'))", [2]),
        ("ACCENTI(name) = ascii", [2]),
        ("ACCENTI('Køb Đ') = 'Kob D'", [1, 2, 3, 4, 5]),
        ("ACCENTI('が') = ACCENTI('か')", []),
    ],
    "/req/basic-spatial-functions/spatial-predicate": [
        ("S_INTERSECTS(geom, POINT(1 1))", [1, 2, 3]),
        ("NOT S_INTERSECTS(geom, POINT(1 1))", [4]),
    ],
    "/req/basic-spatial-functions/spatial-functions": [
        ("S_INTERSECTS(geom, BBOX(5, 5, 9, 9))", [4]),
        ("S_INTERSECTS(BBOX(0, 0, 0, 1, 1, 9), geom)", [1, 2, 3]),
    ],
    "/req/basic-spatial-functions-plus/spatial-data-types": [
        ("S_INTERSECTS(geom, MULTIPOINT((1 1),(9 9)))", [1, 2, 3]),
        ("S_INTERSECTS(geom, LINESTRING(5 0,5 9))", [4]),
        ("S_INTERSECTS(geom, MULTILINESTRING((5 0,5 9),(9 9,8 8)))", [4]),
        ("S_INTERSECTS(geom, POLYGON((0 0,9 0,9 1,0 1,0 0)))", [1, 2, 3]),
        ("S_INTERSECTS(geom, MULTIPOLYGON(((5 5,9 5,9 9,5 5))))", [4]),
        ("S_INTERSECTS(geom, GEOMETRYCOLLECTION(POINT(5 5),LINESTRING(8 8,9 9)))", [4]),
        ("S_INTERSECTS(geom, POINT Z (1 1 50)) AND S_INTERSECTS(geom, POINT(1 1 50))", [1, 2, 3]),
    ],
    "/req/spatial-functions/spatial-functions": [
        ("S_EQUALS(geom, POINT(1 1))", [1]),
        ("S_EQUALS(geom, POLYGON((4 4,4 0,0 0,0 4,4 4)))", [3]),
        ("S_DISJOINT(geom, POINT(1 1))", [4]),
        ("S_TOUCHES(geom, POINT(4 4))", [2, 3]),
        ("S_TOUCHES(geom, LINESTRING(0 4,0 9))", [3]),
        ("S_WITHIN(geom, BBOX(0, 0, 5, 5))", [1, 2, 3]),
        ("S_OVERLAPS(geom, BBOX(3, 3, 9, 9))", [3, 4]),
        ("S_OVERLAPS(geom, LINESTRING(3 3,9 9))", [2]),
        ("S_CROSSES(geom, LINESTRING(-1 5,4 0))", [2, 3]),
        ("S_CROSSES(geom, BBOX(1, 1, 9, 9))", [2]),
        ("S_CROSSES(geom, POINT(1 1))", []),
        ("S_CONTAINS(geom, POINT(1 1))", [1, 2, 3]),
        ("S_CONTAINS(BBOX(0, 0, 5, 5), geom)", [1, 2, 3]),
    ],
    "/req/temporal-functions/temporal-predicates": [
        ("T_AFTER(begin, TIMESTAMP('2024-05-01T06:00:00Z'))", [3, 4]),
        ("NOT T_AFTER(begin, TIMESTAMP('2024-05-01T06:00:00Z'))", [1, 2]),
        ("NOT T_DURING(INTERVAL(begin, '..'), INTERVAL('..', '2024-01-01'))", [1, 2, 3, 4]),
    ],
    "/req/temporal-functions/temporal-functions": [
        ("T_BEFORE(day, DATE('2024-05-02'))", [1]),
        ("T_EQUALS(day, DATE('2024-05-02'))", [2]),
        ("T_DISJOINT(day, INTERVAL('2024-05-02', '2024-05-03'))", [1, 4]),
        ("T_INTERSECTS(day, INTERVAL('2024-05-02', '..'))", [2, 3, 4]),
        ("T_INTERSECTS(begin, INTERVAL('2024-04-30', '2024-05-01'))", [1, 2, 3, 4]),
        ("T_INTERSECTS(begin, DATE('2024-05-01'))", [1, 2, 3, 4]),
        ("T_AFTER(INTERVAL(begin, \"end\"), TIMESTAMP('2024-05-01T11:00:00Z'))", [4]),
        ("T_CONTAINS(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T07:00:00Z', '2024-05-01T08:00:00Z'))", [1, 2]),
        ("T_DURING(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T05:00:00Z', '2024-05-01T10:00:00Z'))", [2]),
        ("T_STARTS(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T06:00:00Z', '2024-05-01T12:00:00Z'))", [2]),
        ("T_STARTEDBY(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T06:00:00Z', '2024-05-01T09:00:00Z'))", [1]),
        ("T_FINISHES(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T06:00:00Z', '2024-05-01T12:00:00Z'))", [3]),
        ("T_FINISHEDBY(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T09:00:00Z', '2024-05-01T12:00:00Z'))", [1]),
        ("T_MEETS(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T12:00:00Z', '..'))", [1, 3]),
        ("T_METBY(INTERVAL(begin, \"end\"), INTERVAL('..', '2024-05-01T09:00:00Z'))", [3]),
        ("T_OVERLAPS(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T08:00:00Z', '2024-05-01T20:00:00Z'))", [1, 2]),
        ("T_OVERLAPPEDBY(INTERVAL(begin, \"end\"), INTERVAL('2024-05-01T01:00:00Z', '2024-05-01T10:00:00Z'))", [1, 3]),
    ],
    "/req/array-functions/array-predicates": [
        ("A_EQUALS(tags, ('y', 'x'))", [1]),
        ("A_EQUALS(tags, ())", [3]),
        ("A_CONTAINS(tags, ('x', 'y'))", [1, 4]),
        ("A_CONTAINEDBY(tags, ('x', 'y'))", [1, 2, 3]),
        ("A_OVERLAPS(tags, ('x', 'q'))", [1, 4]),
        ("NOT A_OVERLAPS(tags, ('x'))", [2, 3]),
        ("A_CONTAINS(sizes, (1.0))", [1, 4]),
        ("A_OVERLAPS((a, 2), sizes)", [1, 2]),
        ("A_EQUALS(('x', 'y'), tags) OR A_EQUALS(tags, tags)", [1, 2, 3, 4]),
    ],
    "/req/property-property/withdraw-permissions": [
        ("a = b", [4]),
        ("7 = a", [1]),
        ("1 = 1", [1, 2, 3, 4, 5]),
        ("begin < \"end\"", [1, 2, 3, 4]),
        ("S_EQUALS(geom, geom)", [1, 2, 3, 4]),
        ("S_CROSSES(LINESTRING(0 0,2 2), POLYGON((1 1,3 1,3 3,1 1)))", []),
        ("S_WITHIN(POINT(2 1), BBOX(1, 0, 3, 3))", [1, 2, 3, 4, 5]),
        ("T_DURING(INTERVAL('2024-05-02', '2024-05-03'), INTERVAL('2024-05-01', '..'))", [1, 2, 3, 4, 5]),
        ("T_AFTER(\"end\", begin)", [1, 2, 3, 4]),
        ("A_CONTAINS(('x', 'y'), ('x'))", [1, 2, 3, 4, 5]),
    ],
    "/req/functions/functions": [
        ("lower(name) = 'müller'", [2]),
        ("upper(ascii) LIKE '%S'", []),
        ("length(name) = a - 1", [1]),
        ("abs(a) = 7", [1, 2]),
        ("floor(b) = -2", [3]),
        ("ceil(b) = 1", [1]),
        ("round(b) IN (1, -2)", [1, 3]),
        ("area(geom) = 16", [3, 4]),
        ("area(POLYGON((0 0,1 0,1 1,0 0))) = 0.5", [1, 2, 3, 4, 5]),
    ],
    "/req/arithmetic/arithmetic": [
        ("a + 1 = 8", [1]),
        ("a - 1 - 1 = 5", [1]),
        ("a * -1 = 7", [2]),
        ("a / 2 = 3.5", [1]),
        ("a div 2 = -3", [2]),
        ("a % 4 = 3", [1]),
        ("a % 4 = -3", [2]),
        ("a ^ 2 = 49", [1, 2]),
        ("2 ^ a = 128", [1]),
        ("2 + 3 * a ^ 2 = 149", [1, 2]),
        ("-a = b", [2]),
        ("b = a / 1", [4]),
        ("10 / a > 0", [1, 4]),
        ("a ^ 0.5 > 2", [1]),
        ("a ^ -1 < 0", [2]),
        ("a + 1 = a * 2 - 6", [1]),
        ("9 = a ^ 2 - 40", [1, 2]),
    ],
    "/req/cql2-text/escaping": [
        ("name = 'a_c\\\\'", [4]),
        ("'it''s' = 'it\\'s'", [1, 2, 3, 4, 5]),
        ("length('\\a\\b\\t\\n\\v\\f\\r') = 7", [1, 2, 3, 4, 5]),
    ],
}  # fmt: skip
CASES = [(requirement, text, keys) for requirement, cases in REQUIREMENTS.items() for text, keys in cases]


@pytest.mark.parametrize(("requirement", "text", "keys"), CASES)
def test_requirement_is_met(
    connection: Connection, data: Dataset, requirement: str, text: str, keys: list[int]
) -> None:
    """Each as text and, for /req/cql2-json/*, as JSON."""
    assert found(connection, data, parse(text), WEB_MERCATOR) == keys, requirement
    assert found(connection, data, parse_json(as_json(parse(text))), WEB_MERCATOR) == keys, requirement


def test_every_class_that_is_declared_has_its_requirements_tested() -> None:
    tested = {requirement.split("/")[2] for requirement in REQUIREMENTS} | {"cql2-json"}
    assert {uri.rpartition("/")[2] for uri in CONFORMANCE} == tested


@pytest.mark.parametrize(
    "text",
    [
        "T_CONTAINS(day, DATE('2024-05-01'))",
        "T_DURING(begin, INTERVAL('2024-05-01', '..'))",
        "T_MEETS(INTERVAL(begin, \"end\"), \"end\")",
    ],
)  # fmt: skip
def test_temporal_functions_between_intervals_refuse_instants(data: Dataset, text: str) -> None:
    """/req/temporal-functions/temporal-functions: using these functions with instants is a client error."""
    with pytest.raises(errors.NoInterval):
        to_sql(parse(text), data)


@pytest.mark.parametrize("name", ["pg_sleep", "version", "current_setting", "query_to_xml", "dblink", "st_buffer"])
def test_no_function_but_those_listed_reaches_sql(name: str) -> None:
    """/req/functions/functions: what `FUNCTIONS` does not list is refused by the reader."""
    for refused in (
        lambda: parse(f"{name}(a) = 1"),
        lambda: parse_json(json.dumps({"op": "=", "args": [{"op": name, "args": [1]}, 1]})),
    ):
        with pytest.raises(errors.FilterUnsupported) as caught:
            refused()
        assert all(function.name in caught.value.text.zh for function in FUNCTIONS)


def test_a_function_that_no_reader_lets_in_is_refused_by_the_writer(data: Dataset) -> None:
    with pytest.raises(KeyError):
        to_sql(nodes.Call("pg_sleep", (nodes.Value(1),)), data)


QGIS = [
    ("((\"a\" = 7) AND (\"ascii\" = 'Strasse'))", [1]),
    ("(NOT (\"a\" = 7))", [2, 3, 4]),
    ("(\"a\" > ( - (5)))", [1, 3, 4]),
    ("(\"day\" = DATE('2024-05-02'))", [2]),
    ("(\"begin\" >= TIMESTAMP('2024-05-01T12:00:00.000Z'))", [4]),
    ("(\"name\" IS NOT NULL)", [1, 2, 3, 4]),
    ("(\"name\" = 'a_c\\\\')", [4]),
    ("(CASEI(\"ascii\") LIKE CASEI('STRA%'))", [1]),
    ("((((\"a\" + 1) * 2) / 4) = 4)", [1]),
    ("((\"a\" % 4) = 3)", [1]),
    ("((\"a\" ^ 2) = 49)", [1, 2]),
    ("(\"ascii\" IN ('abc','100%'))", [3, 4]),
    ("(S_INTERSECTS(\"geom\",BBOX(5.0,5.0,9.0,9.0))) AND ((\"a\" = 2))", [4]),
    ("(\"name\" = 'it''s')", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "keys"), QGIS)
def test_what_qgis_writes_is_understood(connection: Connection, data: Dataset, text: str, keys: list[int]) -> None:
    assert found(connection, data, parse(text), WEB_MERCATOR) == keys


COLLECTIONS = [
    (1, "GEOMETRYCOLLECTION(POLYGON((0 0,4 0,4 4,0 4,0 0)),POLYGON((2 2,6 2,6 6,2 6,2 2)))"),
    (2, "GEOMETRYCOLLECTION(POLYGON((0 0,4 0,4 4,0 4,0 0)),LINESTRING(2 2,8 2),POINT(0 8))"),
    (3, "GEOMETRYCOLLECTION(POINT(1 1),GEOMETRYCOLLECTION(POINT(9 9)))"),
    (4, "GEOMETRYCOLLECTION EMPTY"),
]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("S_INTERSECTS(geom, POINT(8 2))", [2]),
        ("S_DISJOINT(geom, POINT(1 1))", [4]),
        ("S_CONTAINS(geom, BBOX(1, 1, 3, 3))", [1, 2]),
        ("S_CONTAINS(geom, LINESTRING(3 3,6 6))", [1]),
        ("S_WITHIN(geom, BBOX(0, 0, 6, 6))", [1]),
        ("S_EQUALS(geom, MULTIPOINT((9 9),(1 1)))", [3]),
        ("S_EQUALS(geom, POLYGON((0 0,4 0,4 2,6 2,6 6,2 6,2 4,0 4,0 0)))", [1]),
        ("S_TOUCHES(geom, BBOX(-2, 0, 0, 4))", [1, 2]),
        ("S_OVERLAPS(geom, BBOX(-2, 0, 1, 4))", [1, 2]),
        ("S_CROSSES(geom, BBOX(0, 0, 2, 2))", [3]),
        ("S_WITHIN(geom, GEOMETRYCOLLECTION(BBOX(0, 0, 6, 6)))", None),
        ("S_WITHIN(POINT(4 3), geom)", [1]),
    ],
)  # fmt: skip
def test_collections_are_what_their_parts_cover(connection: Connection, text: str, keys: list[int] | None) -> None:
    """PostGIS would fail where parts overlap, or take an edge between two for the edge of both."""
    if connection.execute("select to_regclass('data.collections') as found").fetchone() == {"found": None}:
        make_dataset(dsn_of(connection), "collections", "Geometry", WEB_MERCATOR, COLLECTIONS)
    dataset = get_dataset(connection, "collections")
    if keys is None:
        with pytest.raises(BadRequest):
            parse(text)
    else:
        assert found(connection, dataset, parse(text), WEB_MERCATOR) == keys
