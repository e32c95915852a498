"""Common Query Language (CQL2, OGC 21-065r2) as a service answers it, by its conformance classes.

Each class is asked by some filters, as text and as JSON, in the address and in a body. What each requirement says in
full is tested at the reader and the writer of filters, in tests/integration/test_filters_conformance.py.
"""

import json

import httpx
import pytest

from features.filters import FUNCTIONS, parse
from tests.filter_oracle import as_json
from tests.ogc import Requirements, get, ids, refused

SHAPES = "/collections/shapes/items"
IN_METRES = {"filter-crs": "http://www.opengis.net/def/crs/EPSG/0/3857"}
text_, json_ = Requirements("cql2", "cql2-text"), Requirements("cql2", "cql2-json")

CLASSES: dict[str, tuple[tuple[str, ...], list[tuple[str, list[int]]]]] = {  # with the requirements, and what is found
    "basic-cql2": (
        ("cql2-filter", "property", "binary-comparison-predicate", "null-predicate"),
        [
            ("a = 7 OR a = 0 AND b > 1", [1]),
            ("NOT (a >= 2 AND name <> 'it''s')", [2, 3, 4]),
            ("begin < DATE('2024-05-02')", [1, 2]),
            ("a IS NULL", [5]),
            ("name IS NOT NULL AND TRUE", [1, 2, 3, 4]),
        ],
    ),
    "advanced-comparison-operators": (
        ("like-predicate", "between-predicate", "in-predicate"),
        [
            ("name LIKE '%ß%'", [1]),
            ("name NOT LIKE '_____%'", [3, 4]),
            ("a BETWEEN 0 AND 2", [3, 4]),
            ("a NOT IN (0, 2)", [1, 2]),
        ],
    ),
    "case-insensitive-comparison": (("casei-function",), [("CASEI(name) = CASEI('STRASSE')", [1])]),
    "accent-insensitive-comparison": (("accenti-function",), [("ACCENTI(name) LIKE ACCENTI('Mull%')", [2])]),
    "basic-spatial-functions": (
        ("spatial-predicate", "spatial-functions"),
        [("S_INTERSECTS(geometry, POINT(1 1))", [1, 2, 3]), ("S_INTERSECTS(geometry, BBOX(5, 5, 9, 9))", [4])],
    ),
    "basic-spatial-functions-plus": (
        ("spatial-data-types",),
        [
            ("S_INTERSECTS(geometry, MULTIPOINT((1 1),(9 9)))", [1, 2, 3]),
            ("S_INTERSECTS(geometry, LINESTRING(5 0,5 9))", [4]),
            ("S_INTERSECTS(geometry, POLYGON((0 0,9 0,9 1,0 1,0 0)))", [1, 2, 3]),
            ("S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(5 5),LINESTRING(8 8,9 9)))", [4]),
        ],
    ),
    "spatial-functions": (
        ("spatial-functions",),
        [
            ("S_EQUALS(geometry, POINT(1 1))", [1]),
            ("S_DISJOINT(geometry, POINT(1 1))", [4]),
            ("S_TOUCHES(geometry, POINT(4 4))", [2, 3]),
            ("S_WITHIN(geometry, BBOX(0, 0, 5, 5))", [1, 2, 3]),
            ("S_OVERLAPS(geometry, BBOX(3, 3, 9, 9))", [3, 4]),
            ("S_CROSSES(geometry, LINESTRING(-1 5,4 0))", [2, 3]),
            ("S_CONTAINS(geometry, POINT(1 1))", [1, 2, 3]),
        ],
    ),
    "temporal-functions": (
        ("temporal-predicates", "temporal-functions"),
        [
            ("T_AFTER(begin, DATE('2024-05-02'))", [4]),
            ("T_INTERSECTS(begin, INTERVAL('..', '2024-05-01'))", [1, 2]),
            ("T_DURING(INTERVAL(begin, \"end\"), INTERVAL('2024-04-30', '2024-05-04'))", [1, 2, 3]),
            ("T_OVERLAPS(INTERVAL(begin, \"end\"), INTERVAL('2024-05-02', '2024-05-09'))", [1]),
        ],
    ),
    "array-functions": (
        ("array-predicates",),
        [
            ("A_EQUALS(tags, ('y', 'x'))", [1]),
            ("A_CONTAINS(tags, ('x', 'y'))", [1, 4]),
            ("A_CONTAINEDBY(tags, ('x', 'y'))", [1, 2, 3]),
            ("A_OVERLAPS(tags, ('x', 'q'))", [1, 4]),
        ],
    ),
    "property-property": (
        ("withdraw-permissions",),
        [("a = b", [1, 4]), ("7 = a", [1]), ("begin < \"end\" AND \"end\" > begin", [1, 2, 3, 4])],
    ),
    "functions": (("functions",), [("lower(name) = 'müller'", [2]), ("area(geometry) = 16", [3, 4])]),
    "arithmetic": (("arithmetic",), [("a + 1 = 8", [1]), ("a * -1 = 7", [2]), ("a ^ 2 = 49 AND a % 4 = 3", [1])]),
}  # fmt: skip


CASES = [
    pytest.param(
        text,
        found,
        marks=[Requirements("cql2", class_)(*requirements), text_(class_), json_(class_)],
        id=f"{class_}: {text}",
    )
    for class_, (requirements, filters) in CLASSES.items()
    for text, found in filters
]


@pytest.mark.parametrize(("text", "found"), CASES)
def test_filters_of_every_class_are_answered(lab: httpx.Client, text: str, found: list[int]) -> None:
    document = as_json(parse(text))
    for asked in ({"filter": text}, {"filter": document, "filter-lang": "cql2-json"}):
        page = get(lab, SHAPES, **asked, **IN_METRES)
        assert (ids(page), page["numberMatched"]) == (found, len(found)), asked
    for body, type_ in ((text, "application/cql2+text"), (document, "application/cql2+json")):
        answer = lab.post(SHAPES, params=IN_METRES, content=body.encode(), headers={"Content-Type": type_})
        assert answer.status_code == 200, answer.text
        assert ids(answer.json()) == found


@text_("escaping")
@pytest.mark.parametrize(
    ("text", "found"),
    [("name = 'it''s'", [4]), (r"name = 'it\'s'", [4]), (r"name = 'a_c\\'", [3]), (r"name LIKE 'a\_c%'", [3])],
)
def test_quotes_and_backslashes_are_escaped(lab: httpx.Client, text: str, found: list[int]) -> None:
    assert ids(get(lab, SHAPES, filter=text)) == found


@Requirements("cql2", "functions")("get-functions-operation", "get-functions-response-json")
def test_every_function_is_listed(api: httpx.Client) -> None:
    assert [one["name"] for one in get(api, "/functions")["functions"]] == [one.name for one in FUNCTIONS]


@json_(*CLASSES)
@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"op": "="},
        {"op": "=", "args": []},
        {"op": "=", "args": [{"property": "a"}]},
        {"op": "=", "args": [{"property": 1}, 1]},
        {"op": "like", "args": [{"property": "name"}, 1]},
        {"op": "in", "args": [{"property": "a"}, 1]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point"}]},
        {"op": "t_after", "args": [{"property": "begin"}, {"date": "2024-13-01"}]},
        {"op": "unknown", "args": [1]},
        {"property": "a"},
    ],
)
def test_json_that_is_no_filter_is_refused(lab: httpx.Client, document: object) -> None:
    refused(lab.get(SHAPES, params={"filter": json.dumps(document), "filter-lang": "cql2-json"}))
    refused(lab.post(SHAPES, content=json.dumps(document), headers={"Content-Type": "application/json"}))
