"""Filters as clients send them: counted against a city of squares, refused in words and never with a 500."""

from urllib.parse import urlencode

import httpx
import pytest

ITEMS = "/collections/parcels/items"
CORNER = "POLYGON((540000 4850000, 540090 4850000, 540090 4850090, 540000 4850090, 540000 4850000))"
IN_PLANE = {"filter-crs": "http://www.opengis.net/def/crs/EPSG/0/4551"}


def swapped(wkt: str) -> str:
    """The same in EPSG:4551's own axis order, northing first."""
    return wkt.replace("540000 4850000", "4850000 540000").replace("540090 4850090", "4850090 540090").replace(
        "540090 4850000", "4850000 540090").replace("540000 4850090", "4850090 540000")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"S_EQUALS(geometry, {swapped(CORNER)})", 1),
        (f"S_CONTAINS({swapped(CORNER)}, geometry)", 1),
        ("S_WITHIN(geometry, BBOX(4850000, 540000, 4850200, 540200))", 4),
        ("S_TOUCHES(geometry, POINT(4850090 540090))", 1),
        ("S_OVERLAPS(geometry, BBOX(4850050, 540050, 4850150, 540150))", 4),
        ("S_CROSSES(geometry, LINESTRING(4850050 540050, 4850050 540150))", 2),
        ("S_DISJOINT(geometry, BBOX(4850000, 540000, 4850200, 540200))", 2491),
        ("T_BEFORE(surveyed, DATE('2024-01-02')) AND parcel_no <= 10", 1),
        ("T_INTERSECTS(surveyed, INTERVAL('2024-01-01', '2024-01-03')) AND parcel_no <= 366", 3),
        ("parcel_no % 50 = 1 AND parcel_no div 50 < 3", 3),
        ("parcel_no = 2 ^ 10", 1),
        ("round(area(geometry)) = 8100 AND area_m2 = area(geometry)", 2500),
        ("length(\"名称\") = 4 AND ACCENTI(CASEI(\"名称\")) LIKE ACCENTI(CASEI('宗地%'))", 9),
    ],
)  # fmt: skip
def test_every_class_is_answered(api: httpx.Client, text: str, count: int) -> None:
    answer = api.get(ITEMS, params={"filter": text, "resulttype": "hits"} | IN_PLANE)
    assert answer.status_code == 200, answer.text
    assert answer.json()["numberMatched"] == count


def test_json_in_a_body_is_answered(api: httpx.Client) -> None:
    filter_ = {"op": "a_equals", "args": [["x"], ["x"]]}
    answer = api.post(ITEMS, json=filter_)
    assert answer.status_code == 200, answer.text
    assert answer.json()["numberMatched"] == 2500


@pytest.mark.parametrize(
    "text",
    [
        "S_WITHIN(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))",
        "S_WITHIN(parcel_no, POINT(1 1))",
        "T_DURING(surveyed, INTERVAL('2024-01-01', '..'))",
        "A_CONTAINS(land_class, ('x'))",
        "query_to_xml('select 1', true, true, '') IS NULL",
        "dblink('x') = 1",
        "version() = 'x'",
        " AND ".join(["land_class LIKE '%a%a%'"] * 30),
        "parcel_no = 'one'",
    ],
)
def test_what_cannot_be_asked_is_refused_in_both_languages(api: httpx.Client, text: str) -> None:
    answers = [api.get(f"{ITEMS}?{urlencode({'filter': text, 'lang': language})}") for language in ("en", "zh")]
    assert [answer.status_code for answer in answers] == [400, 400]
    english, chinese = (answer.json()["description"] for answer in answers)
    assert english != chinese


@pytest.mark.parametrize(
    "body",
    [
        b'{"op":"not","args":[' * 1600 + b"true" + b"]}" * 1600,
        b'{"op":"in","args":[{"property":"parcel_no"},[' + b"1," * 100_000 + b"1]]}",
        b'{"op":"=","args":[{"property":"parcel_no"},NaN]}',
        b'{"op":"and","args":[' + b"true," * 100_000 + b"true]}",
        b'{"op":"version","args":[]}',
    ],
    ids=["deep", "many", "nan", "ands", "function"],
)
def test_a_body_that_asks_too_much_is_refused(api: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert api.post(ITEMS, content=body, headers=headers).status_code == 400
