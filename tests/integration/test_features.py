"""Features as clients ask for them: pages, filters, single items, errors."""

import httpx
import pytest


def test_pages_follow_each_other_without_gaps_or_doubles(api: httpx.Client) -> None:
    url, seen = "/collections/parcels/items?f=json&limit=700", []
    while url:
        page = api.get(url).json()
        assert page["numberMatched"] == 2500
        assert page["numberReturned"] == len(page["features"])
        seen += [one["id"] for one in page["features"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert seen == list(range(1, 2501))


def test_properties_keep_their_names_types_and_characters(api: httpx.Client) -> None:
    parcel = api.get("/collections/parcels/items/2", params={"f": "json"}).json()
    assert parcel["properties"] == {
        "parcel_no": 2,
        "land_class": "0303",
        "名称": "宗地2号",
        "area_m2": 8100.0,
        "surveyed": "2024-01-02T00:00:00",
    }
    names = [one["properties"]["name"] for one in api.get("/collections/places/items?f=json").json()["features"]]
    assert names == ["市中心", "北山 <公园>", "松花江", "O'Brien & Söhne"]


def test_sorting_selecting_and_skipping_geometry(api: httpx.Client) -> None:
    parameters = {"f": "json", "sortby": "-population", "properties": "name", "skipGeometry": "true"}
    found = api.get("/collections/places/items", params=parameters).json()["features"]
    assert [one["id"] for one in found] == [4, 3, 1, 2]
    assert found[0]["geometry"] is None
    assert found[0]["properties"] == {"name": "O'Brien & Söhne"}


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"land_class": "0303"}, 833),
        ({"land_class": "0303", "parcel_no": "2"}, 1),
        ({"名称": "宗地7号"}, 1),
        ({"datetime": "2024-01-01"}, 7),
        ({"datetime": "2024-01-01T00:00:00Z/2024-01-03T00:00:00Z"}, 21),
        ({"datetime": "2024-12-31/.."}, 6),
        ({"datetime": "../2024-01-01"}, 7),
        ({"datetime": "2024-12-30T00:00:00Z/9999-12-31T00:00:00Z"}, 12),
        ({"filter": "land_class = '0303' AND parcel_no <= 10"}, 3),
        ({"filter": "\"名称\" LIKE '宗地24%'"}, 111),
        ({"q": "宗地 1234"}, 1),
        ({"q": "宗地%"}, 0),
    ],
)
def test_filters_find_what_they_say(api: httpx.Client, parameters: dict[str, str], count: int) -> None:
    answer = api.get("/collections/parcels/items", params={"f": "json", "limit": 1, **parameters})
    assert answer.status_code == 200, answer.text
    assert answer.json()["numberMatched"] == count
    hits = api.get("/collections/parcels/items", params={"f": "json", "resulttype": "hits", **parameters}).json()
    assert (hits["numberMatched"], hits["features"]) == (count, [])


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "abc"},
        {"limit": "9" * 5000},
        {"offset": "-1"},
        {"offset": "1" + "0" * 30},
        {"sortby": "geom);drop"},
        {"properties": "__class__"},
        {"parcel_no": "abc"},
        {"parcel_no": "9" * 40},
        {"datetime": "yesterday"},
        {"datetime": "2024-02-01/2024-01-01"},
        {"datetime": "99999-01-01"},
        {"filter": "pg_sleep(5) = 1"},
        {"filter": "current_setting('data_directory') = 'x'"},
        {"filter": "(" * 3000 + "parcel_no=1" + ")" * 3000},
        {"filter": "NOT " * 4000 + "parcel_no=1"},
        {"filter": "no_such = 1"},
        {"land_class": "a\0b"},
    ],
)
def test_bad_parameters_get_400_with_advice_in_ogc_form(api: httpx.Client, parameters: dict[str, str]) -> None:
    answer = api.get("/collections/parcels/items", params={"f": "json", **parameters})
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) >= {"code", "description"}
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("identifier", ["999999", "1' or 1=1", "abc", "10" * 30, "..%2f..%2fetc", "%27", "x" * 5000])
def test_ids_that_name_nothing_are_404(api: httpx.Client, identifier: str) -> None:
    assert api.get(f"/collections/parcels/items/{identifier}", params={"f": "json"}).status_code == 404


def test_unknown_places_answer_in_json_and_in_the_callers_language(api: httpx.Client) -> None:
    english = api.get("/nothing/here")
    chinese = api.get("/nothing/here", headers={"Accept-Language": "zh-CN"})
    assert (english.status_code, chinese.status_code) == (404, 404)
    assert english.json()["description"] == "There is nothing at /nothing/here."
    assert chinese.json()["description"] == "/nothing/here 不存在。"
    assert api.get("/collections/nothing?f=json").status_code == 404
    assert api.delete("/collections").status_code == 405


def test_titles_follow_the_language(api: httpx.Client) -> None:
    for language, title in (("zh-CN", "宗地"), ("en-US", "Parcels")):
        assert api.get("/collections/parcels", params={"f": "json", "lang": language}).json()["title"] == title


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(api: httpx.Client) -> None:
    answer = api.post("/processes/grid-cell-query/execution", content=b" " * 5_000_000)
    assert answer.status_code == 413
    chunked = api.post("/processes/grid-cell-query/execution", content=(b" " * 100_000 for _ in range(50)))
    assert chunked.status_code == 413


def test_qgis_finds_its_page_size_in_the_openapi_document(api: httpx.Client) -> None:
    document = api.get("/openapi", params={"f": "json"}).json()
    assert document["components"]["parameters"]["limit"]["schema"]["maximum"] == 10_000
    assert "/collections/parcels/items" in document["paths"]


def test_health_tells_life_from_readiness(api: httpx.Client) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}
    assert api.get("/readyz").json()["status"] == "ok"


def test_large_answers_are_compressed_for_those_who_can_read_them(api: httpx.Client) -> None:
    with api.stream("GET", "/collections/parcels/items?f=json&limit=500") as answer:
        raw = sum(len(part) for part in answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    plain = api.get("/collections/parcels/items?f=json&limit=500", headers={"Accept-Encoding": "identity"})
    assert raw < len(plain.content) / 3
