"""Reading CQL2: what is understood, and what is refused before it costs anything."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pygeofilter.ast
import pytest
import shapely
from pygeofilter.parsers.cql2_text import parse as host_parse

from core.errors import BadRequest
from core.geojson import BadShape, TooManyPoints
from features.filters import errors, parse, parse_json
from features.filters.nodes import (
    AccentI,
    And,
    Arithmetic,
    Array,
    ArrayTest,
    Between,
    Box,
    Call,
    CaseI,
    Comparison,
    In,
    Interval,
    IsNull,
    Like,
    Node,
    Not,
    Or,
    Property,
    Shape,
    Spatial,
    Temporal,
    Value,
)

A, B, C = Property("a"), Property("b"), Property("c")
ONE, TWO, THREE = Value(1), Value(2), Value(3)


def equal(left: Node, right: Node) -> Comparison:
    return Comparison("=", left, right)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a = 1", equal(A, ONE)),
        ("a=1 OR b=2 AND c=3", Or((equal(A, ONE), And((equal(B, TWO), equal(C, THREE)))))),
        ("(a=1 OR b=2) AND c=3", And((Or((equal(A, ONE), equal(B, TWO))), equal(C, THREE)))),
        ("NOT a=1 AND b=2", And((Not(equal(A, ONE)), equal(B, TWO)))),
        ("not (a=1 and b=2)", Not(And((equal(A, ONE), equal(B, TWO))))),
        ("a + 1 * 2 > 3", Comparison(">", Arithmetic("+", A, Arithmetic("*", ONE, TWO)), THREE)),
        ("(a - 1) / 2 <> -3", Comparison("<>", Arithmetic("/", Arithmetic("-", A, ONE), TWO), Value(-3))),
        ("a - 1 - 2 = 3", equal(Arithmetic("-", Arithmetic("-", A, ONE), TWO), THREE)),
        ("-a >= 1.50", Comparison(">=", Arithmetic("*", Value(-1), A), Value(Decimal("1.50")))),
        ("a BETWEEN 1 AND 2 AND b=3", And((Between(A, ONE, TWO), equal(B, THREE)))),
        ("a NOT BETWEEN 1 AND 2", Not(Between(A, ONE, TWO))),
        ("a IN (1, 2)", In(A, (ONE, TWO))),
        ("a NOT IN ('x')", Not(In(A, (Value("x"),)))),
        ("a LIKE 'x%'", Like(A, Value("x%"))),
        ("CASEI(a) NOT LIKE casei('X_')", Not(Like(CaseI(A), CaseI(Value("X_"))))),
        ("a IS NULL", IsNull(A)),
        ("a IS NOT NULL", Not(IsNull(A))),
        ("a = 'it''s' OR b = 'it\\'s'", Or((equal(A, Value("it's")), equal(B, Value("it's"))))),
        ("地类名称 = '水田'", equal(Property("地类名称"), Value("水田"))),
        ('"say ""AND""" = TRUE', equal(Property('say "AND"'), Value(True))),
        ("date = DATE('2024-02-29')", equal(Property("date"), Value(date(2024, 2, 29)))),
        (
            "a < TIMESTAMP('2024-05-31T08:00:00.5Z')",
            Comparison("<", A, Value(datetime(2024, 5, 31, 8, 0, 0, 500_000, UTC))),
        ),
        ("S_INTERSECTS(geom,\n\tBBOX(-1,2,3,4.5))", Spatial("S_INTERSECTS", Property("geom"), Box((-1, 2, 3, 4.5)))),
        ("S_INTERSECTS(point, POINT Z (1 2 3))", Spatial("S_INTERSECTS", Property("point"), Shape(shapely.Point(1, 2)))),
        (
            "S_INTERSECTS(geom, POLYGON((0 0,1 0,1 1,0 0))) AND a=1",
            And((Spatial("S_INTERSECTS", Property("geom"), Shape(shapely.Polygon([(0, 0), (1, 0), (1, 1)]))), equal(A, ONE))),
        ),
        ("TRUE", Value(True)),
        ("a = b ^ 2 % 3", equal(A, Arithmetic("%", Arithmetic("^", B, TWO), THREE))),
        ("a = -1 ^ 2 div 3", equal(A, Arithmetic("DIV", Arithmetic("^", Value(-1), TWO), THREE))),
        ("a = +1 - -2", equal(A, Arithmetic("-", ONE, Value(-2)))),
        ("a = 'tab\\tquote\\'back\\\\slash'", equal(A, Value("tab\tquote'back\\slash"))),
        ("a LIKE '50\\%'", Like(A, Value("50\\%"))),
        ("a = 'C:\\\\' AND b = 'x'", And((equal(A, Value("C:\\")), equal(B, Value("x"))))),
        ("ACCENTI(CASEI(a)) = accenti(casei('É'))", equal(AccentI(CaseI(A)), AccentI(CaseI(Value("É"))))),
        ("CASEI(a) IN (CASEI('x'), CASEI('y'))", In(CaseI(A), (CaseI(Value("x")), CaseI(Value("y"))))),
        ("T_DURING(INTERVAL(a, b), interval('2024-01-01', '..'))",
         Temporal("T_DURING", Interval(A, B), Interval(Value(date(2024, 1, 1)), None))),
        ("A_CONTAINS(a, ('x', 1 + 2, b))",
         ArrayTest("A_CONTAINS", A, Array((Value("x"), Arithmetic("+", ONE, TWO), B)))),
        ("A_EQUALS((), (1))", ArrayTest("A_EQUALS", Array(()), Array((ONE,)))),
        ("Lower(a) = round(1.5)", equal(Call("lower", (A,)), Call("round", (Value(Decimal("1.5")),)))),
        ("a AND NOT (b OR TRUE)", And((A, Not(Or((B, Value(True))))))),
        ("(a = 1) IS NULL", IsNull(equal(A, ONE))),
        ("POINT(1 2) IS NULL", IsNull(Shape(shapely.Point(1, 2)))),
        ("eo:cloud.cover = 1", equal(Property("eo:cloud.cover"), ONE)),
    ],
)  # fmt: skip
def test_text_is_read_as_the_standard_says(text: str, node: Node) -> None:
    assert parse(text) == node


@pytest.mark.parametrize(
    ("text", "json"),
    [
        ("a=1 AND b<>2", '{"op":"and","args":[{"op":"=","args":[{"property":"a"},1]},{"op":"<>","args":[{"property":"b"},2]}]}'),
        ("a=0.10", '{"op":"=","args":[{"property":"a"},0.10]}'),
        ("NOT a IS NULL", '{"op":"not","args":[{"op":"isNull","args":[{"property":"a"}]}]}'),
        ("a IN (1,2)", '{"op":"in","args":[{"property":"a"},[1,2]]}'),
        ("a BETWEEN 1 AND 2", '{"op":"between","args":[{"property":"a"},1,2]}'),
        ("CASEI(a) LIKE CASEI('X%')", '{"op":"like","args":[{"op":"casei","args":[{"property":"a"}]},{"op":"casei","args":["X%"]}]}'),
        ("a = DATE('2024-02-29')", '{"op":"=","args":[{"property":"a"},{"date":"2024-02-29"}]}'),
        ("a > TIMESTAMP('2024-02-29T00:00:00Z')", '{"op":">","args":[{"property":"a"},{"timestamp":"2024-02-29T00:00:00Z"}]}'),
        ("a + 1 = 2 * b", '{"op":"=","args":[{"op":"+","args":[{"property":"a"},1]},{"op":"*","args":[2,{"property":"b"}]}]}'),
        ("S_INTERSECTS(geom, BBOX(1,2,3,4))", '{"op":"s_intersects","args":[{"property":"geom"},{"bbox":[1,2,3,4]}]}'),
        (
            "S_INTERSECTS(geom, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1)))",
            '{"op":"s_intersects","args":[{"property":"geom"},{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[0,0],[1,1]]}]}]}',
        ),
        ("a = FALSE", '{"op":"=","args":[{"property":"a"},false]}'),
        ("ACCENTI(a) = ACCENTI('é')", '{"op":"=","args":[{"op":"accenti","args":[{"property":"a"}]},{"op":"accenti","args":["é"]}]}'),
        ("S_WITHIN(POINT(1 2), geom)", '{"op":"s_within","args":[{"type":"Point","coordinates":[1,2]},{"property":"geom"}]}'),
        ("T_FINISHEDBY(INTERVAL(a, '..'), INTERVAL('2024-01-01', '2024-01-02T00:00:00Z'))",
         '{"op":"t_finishedBy","args":[{"interval":[{"property":"a"},".."]},{"interval":["2024-01-01","2024-01-02T00:00:00Z"]}]}'),
        ("A_CONTAINEDBY(a, ('x', 'y'))", '{"op":"a_containedBy","args":[{"property":"a"},["x","y"]]}'),
        ("a = 7 div 2 % 3 ^ 2", '{"op":"=","args":[{"property":"a"},{"op":"%","args":[{"op":"div","args":[7,2]},{"op":"^","args":[3,2]}]}]}'),
        ("-a = 1", '{"op":"=","args":[{"op":"*","args":[-1,{"property":"a"}]},1]}'),
        ("lower(a) = 'x'", '{"op":"=","args":[{"op":"lower","args":[{"property":"a"}]},"x"]}'),
        ("a LIKE '50\\\\%'", '{"op":"like","args":[{"property":"a"},"50\\\\%"]}'),
    ],
)  # fmt: skip
def test_json_means_the_same_as_text(text: str, json: str) -> None:
    assert parse_json(json) == parse(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", errors.FilterCutShort),
        ("a =", errors.FilterCutShort),
        ("a = 1 b", errors.FilterUnreadable),
        ("a = 'open", errors.FilterUnreadable),
        ("a = 1 = 2", errors.FilterUnreadable),
        ("a IN ()", errors.FilterUnreadable),
        ("a; DROP TABLE x", errors.FilterUnreadable),
        ("a = 12abc", errors.FilterUnreadable),
        ("a != 1", errors.FilterUnsupported),
        ("a = 2 ^ 3 ^ 4", errors.FilterUnreadable),
        ("a = (b", errors.FilterCutShort),
        ("a = b)", errors.FilterUnreadable),
        ("a = 1 IS NULL", errors.FilterUnreadable),
        ("a LIKE", errors.FilterCutShort),
        ("a NOT = 1", errors.FilterUnreadable),
        ("a = pg_sleep(10)", errors.FilterUnsupported),
        ("query_to_xml('select 1', true, true, '') IS NULL", errors.FilterUnsupported),
        ("S_WITHIN(geom)", errors.FilterUnreadable),
        ("S_DWITHIN(geom, POINT(1 2), 5)", errors.FilterUnsupported),
        ("T_AFTER(a, DATE('2024-01-01'), b)", errors.FilterUnreadable),
        ("T_AFTER(a, INTERVAL('2024-01-01'))", errors.FilterUnreadable),
        ("T_AFTER(a, INTERVAL('2024-13-01', '..'))", errors.BadLiteral),
        ("T_AFTER(a, INTERVAL('...', '..'))", errors.BadLiteral),
        ("A_EQUALS(a, ('x',))", errors.FilterUnreadable),
        ("A_EQUALS(a, ['x'])", errors.FilterUnreadable),
        ("a = 1e999", errors.BadLiteral),
        ("a = 1e-999", errors.BadLiteral),
        ("a = DATE('2023-02-29')", errors.BadLiteral),
        ("a = TIMESTAMP('2023-02-28T00:00:00')", errors.BadLiteral),
        ("S_INTERSECTS(geom, POINT(nan 1))", BadShape),
        ("S_INTERSECTS(geom, POINT EMPTY)", BadShape),
        ("S_INTERSECTS(geom, POLYGON((0 0,1 1)))", BadShape),
        ("S_INTERSECTS(geom, POLYGON((0 0,1 1,1 0,0 1,0 0)))", BadShape),
        ("S_INTERSECTS(geom, BBOX(1,2,3))", errors.FilterUnreadable),
        ("a = '\0'", errors.BadLiteral),
        ("a = '\ud800'", errors.BadLiteral),
    ],
)
def test_what_is_no_filter_is_refused_with_its_reason(text: str, error: type[BadRequest]) -> None:
    with pytest.raises(error) as caught:
        parse(text)
    assert caught.value.status == 400
    assert caught.value.text.en.encode() != caught.value.text.zh.encode()


@pytest.mark.parametrize(
    "json",
    [
        "[1]",
        "null",
        '{"op":"="',
        '{"op":"=","args":[{"property":"a"},NaN]}',
        '{"op":"=","args":[{"property":"a"}]}',
        '{"op":"=","args":{"property":"a"}}',
        '{"op":"in","args":[{"property":"a"},[]]}',
        '{"op":"and","args":[true]}',
        '{"op":"pg_sleep","args":[1]}',
        '{"function":{"name":"version","args":[]}}',
        '{"op":"version","args":[]}',
        '{"op":"t_after","args":[{"property":"a"},{"interval":["2024-01-01"]}]}',
        '{"op":"t_after","args":[{"property":"a"},{"interval":["yesterday",".."]}]}',
        '{"op":"s_within","args":[{"property":"geom"}]}',
        '{"op":"a_equals","args":[{"property":"a"},["x"],["y"]]}',
        '{"op":"=","args":[{"property":"a"},"\\ud800"]}',
        '{"op":"=","args":[{"property":"a"},' + "9" * 100_000 + "]}",
        '{"op":"s_intersects","args":[{"property":"geom"},{"type":"Point","coordinates":["1","2"]}]}',
        '{"op":"s_intersects","args":[{"property":"geom"},{"type":"Point","coordinates":[[1,2]]}]}',
        '{"op":"s_intersects","args":[{"property":"geom"},{"type":"Circle","coordinates":[1,2]}]}',
        '{"op":"s_intersects","args":[{"property":"geom"},{"bbox":[1,2,3,"4"]}]}',
    ],
)
def test_what_is_no_json_filter_is_refused(json: str) -> None:
    with pytest.raises(BadRequest):
        parse_json(json)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3000 + "a=1" + ")" * 3000,
        "NOT " * 2000 + "a=1",
        "A_EQUALS((" * 500 + "a",
        "lower(" * 1000 + "a",
        "a = '\\\\' OR " + "(" * 500,
        "a = 2" + " ^ (2" * 500,
        "-" * 3000 + "a = 1",
        "a" + "+1" * 2000 + " = 1",
        "CASEI(" * 1000 + "a",
        "S_INTERSECTS(geom, " + "GEOMETRYCOLLECTION(" * 400 + "POINT(1 2)" + ")" * 401,
    ],
)
def test_deep_text_is_refused(text: str) -> None:
    with pytest.raises(errors.FilterTooDeep):
        parse(text)


def test_deep_json_is_refused() -> None:
    with pytest.raises(errors.FilterTooDeep):
        parse_json('{"op":"not","args":[' * 1600 + "true" + "]}" * 1600)
    with pytest.raises(errors.FilterTooDeep):
        parse_json('{"op":"=","args":[{"property":"a"},' + "[" * 100_000 + "]" * 100_000 + "]}")


def test_brackets_within_quotes_are_not_depth() -> None:
    assert parse("a = '" + "(" * 100 + "'") == equal(A, Value("(" * 100))
    assert parse_json('{"op":"=","args":[{"property":"a"},"' + "[" * 100 + '\\""]}') == equal(A, Value("[" * 100 + '"'))


def test_long_filters_are_refused_unread() -> None:
    with pytest.raises(errors.FilterTooLong):
        parse("a=1 AND " * 2000 + "a=1")
    with pytest.raises(errors.FilterTooLong):
        parse("S_INTERSECTS(geom, POLYGON((" + "0 0," * 1_000_000 + "0 0)))")
    with pytest.raises(errors.FilterTooLong):
        parse_json('{"op":"and","args":[' + "true," * 300_000 + "true]}")


def test_wide_filters_are_refused() -> None:
    for count in (6_000, 190_000):
        with pytest.raises(errors.FilterTooWide):
            parse_json('{"op":"in","args":[{"property":"a"},[' + "1," * count + "1]]}")


def test_a_long_text_in_quotes_is_refused() -> None:
    with pytest.raises(errors.TextTooLong):
        parse_json('{"op":"=","args":[{"property":"a"},{"op":"casei","args":["' + "x" * 900_000 + '"]}]}')


def test_a_long_chain_is_not_deep() -> None:
    node = parse(" AND ".join(["a=1"] * 900))
    assert isinstance(node, And)
    assert len(node.operands) == 900


def test_geometries_have_few_enough_vertices() -> None:
    ring = ",".join(f"[{n},{n % 7}]" for n in range(20_000))
    shape = f'{{"type":"LineString","coordinates":[{ring}]}}'
    with pytest.raises(TooManyPoints):
        parse_json(f'{{"op":"s_intersects","args":[{{"property":"geom"}},{shape}]}}')


def test_the_place_of_an_error_is_told_in_both_languages() -> None:
    with pytest.raises(errors.FilterUnreadable) as caught:
        parse("name = 'x' ANDD n = 1")
    assert "character 12, near 'ANDD n = 1'" in caught.value.text.en
    assert "第 12 个字符" in caught.value.text.zh


def test_the_hosts_own_reader_still_gets_precedence_wrong() -> None:
    """Once this fails, pygeofilter reads AND before OR, and ours may be weighed against it again."""
    assert isinstance(host_parse("aa=1 OR bb=2 AND cc=3"), pygeofilter.ast.And)
