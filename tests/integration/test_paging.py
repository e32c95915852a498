"""Pages by key: no gaps, no doubles, in any order, forwards and backwards, and across edits and releases."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import httpx
import numpy as np
import psycopg
import pytest
import shapely

from tests.conftest import Load, service

ORDERS = ["", "parcel_no", "-parcel_no", "land_class", "-land_class,surveyed", "area_m2,-名称", "surveyed,-parcel_no"]


def link(page: dict[str, Any], rel: str) -> str | None:
    return next((one["href"] for one in page["links"] if one["rel"] == rel), None)


def pages(client: httpx.Client, url: str | None, rel: str = "next") -> Iterator[dict[str, Any]]:
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        yield answer.json()
        url = link(answer.json(), rel)


def ids(page: dict[str, Any]) -> list[int]:
    return [one["id"] for one in page["features"]]


@pytest.mark.parametrize("order", ORDERS)
def test_pages_in_any_order_are_what_one_statement_says_forwards_and_backwards(
    api: httpx.Client, city_database: str, order: str
) -> None:
    columns = [f'"{one.lstrip("-")}" {"desc" if one.startswith("-") else ""}' for one in order.split(",") if one]
    with psycopg.connect(city_database) as connection:
        statement = f"select parcel_no from data.parcels order by {', '.join([*columns, 'parcel_no'])}"
        wanted = [row[0] for row in connection.execute(statement)]  # type: ignore[call-overload]
    seen = list(pages(api, f"/collections/parcels/items?limit=300&sortby={order}"))
    assert list(itertools.chain(*map(ids, seen))) == wanted
    assert {page["numberMatched"] for page in seen} == {2500}
    back = [ids(page) for page in pages(api, link(seen[-1], "prev"), "prev")]
    assert list(itertools.chain(*reversed(back))) == wanted[: len(wanted) - len(seen[-1]["features"])]


@pytest.fixture
def ranks(load_into: Load, tmp_path: Path) -> Path:
    """Twelve points whose rank is one of 1, 2 and null, in no order."""
    ranks = [2, None, 1, 1, None, 2, 2, 1, None, None, 1, 2]
    frame = gpd.GeoDataFrame(
        {"no": range(12), "rank": ranks}, geometry=shapely.points(np.arange(126.0, 138.0), 43), crs=4490
    )
    frame["rank"] = frame["rank"].astype("Int64")
    frame.to_file(tmp_path / "ranks.gpkg", driver="GPKG")
    load_into(tmp_path / "ranks.gpkg", id="ranks", key="no")
    return tmp_path / "ranks.gpkg"


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("rank", [2, 3, 7, 10, 0, 5, 6, 11, 1, 4, 8, 9]),
        ("-rank", [0, 5, 6, 11, 2, 3, 7, 10, 1, 4, 8, 9]),
        ("-rank,-no", [11, 6, 5, 0, 10, 7, 3, 2, 9, 8, 4, 1]),
    ],
)
def test_nulls_come_last_and_are_paged_through(ranks: Path, serve: str, order: str, wanted: list[int]) -> None:
    with httpx.Client(base_url=serve) as client:
        for size in (1, 2, 5):
            seen = list(pages(client, f"/collections/ranks/items?limit={size}&sortby={order}"))
            assert list(itertools.chain(*map(ids, seen))) == wanted
            back = [ids(page) for page in pages(client, link(seen[-1], "prev"), "prev")]
            assert list(itertools.chain(*reversed(back), ids(seen[-1]))) == wanted


def test_a_download_that_meets_a_new_release_is_told(ranks: Path, serve: str, load_into: Load) -> None:
    with httpx.Client(base_url=serve) as client:
        first = client.get("/collections/ranks/items?limit=5").json()
        frame = gpd.read_file(ranks)
        frame["rank"] = 7
        frame.to_file(ranks, driver="GPKG")
        load_into(ranks, id="ranks", key="no")
        answer = client.get(link(first, "next") or "")
        assert (answer.status_code, answer.json()["code"]) == (410, "ReleaseReplaced")
        assert "first page" in answer.json()["description"]
        assert len(list(pages(client, "/collections/ranks/items?limit=5"))) == 3


def test_a_download_goes_on_across_edits_without_gaps_or_doubles(ranks: Path, serve: str, database: str) -> None:
    with httpx.Client(base_url=serve) as client:
        url = "/collections/ranks/items?limit=4&sortby=rank"
        first = client.get(url).json()
        with psycopg.connect(database) as connection:
            connection.execute("delete from data.ranks where no in (2, 0)")
        rest = list(pages(client, link(first, "next")))
        assert list(itertools.chain(*map(ids, rest))) == [5, 6, 11, 1, 4, 8, 9]
        assert {page["numberMatched"] for page in rest} == {10}


def test_the_next_link_keeps_the_whole_query(api: httpx.Client) -> None:
    asked = {"land_class": "0303", "filter": "parcel_no < 2000", "crs": "http://www.opengis.net/def/crs/EPSG/0/4490"}
    asked |= {"bbox": "126,43,127,44", "properties": "名称", "limit": "100", "sortby": "-parcel_no", "lang": "zh"}
    first = api.get("/collections/parcels/items", params=asked).json()
    following = httpx.URL(link(first, "next") or "").params
    assert {name: following[name] for name in asked} == asked
    seen = list(pages(api, link(first, "next")))
    assert len(ids(first)) + sum(len(ids(page)) for page in seen) == first["numberMatched"] == 666
    assert all(list(one["properties"]) == ["名称"] for page in seen for one in page["features"])


@pytest.mark.parametrize("change", [{"cursor": "x"}, {"cursor": "W10"}, {"land_class": "0701"}, {"offset": "5"}])
def test_a_cursor_fits_its_own_query_only(api: httpx.Client, change: dict[str, str]) -> None:
    first = api.get("/collections/parcels/items?land_class=0303&limit=5").json()
    following = httpx.URL(link(first, "next") or "").copy_merge_params(change)
    answer = api.get(following)
    assert answer.status_code == 400, answer.text
    assert "next" in answer.json()["description"] or "offset" in answer.json()["description"]


def test_offset_works_for_old_clients_and_goes_on_by_key(api: httpx.Client) -> None:
    page = api.get("/collections/parcels/items?offset=2480&limit=10").json()
    assert ids(page) == list(range(2481, 2491))
    assert "offset" not in (link(page, "next") or "")
    assert ids(api.get(link(page, "next") or "").json()) == list(range(2491, 2501))
    assert ids(api.get(link(page, "prev") or "").json()) == list(range(2471, 2481))
    assert ids(api.get("/collections/parcels/items?offset=9999").json()) == []


def test_a_large_page_is_the_same_as_many_small_ones(api: httpx.Client) -> None:
    for query in ("", "&sortby=-land_class", "&offset=17"):
        large = api.get(f"/collections/parcels/items?limit=2300{query}").json()
        small = list(pages(api, f"/collections/parcels/items?limit=230{query}"))
        assert large["features"] == [one for page in small[:10] for one in page["features"]]
        assert large["numberReturned"] == 2300
        last = ids(api.get(link(large, "next") or "").json())
        assert last == list(itertools.chain(*map(ids, small[10:])))


def test_a_query_may_be_posted_and_its_pages_too(api: httpx.Client) -> None:
    numbers = ",".join(map(str, range(1, 1500)))
    for content, type_ in (
        (f"parcel_no IN ({numbers})", "application/cql2+text"),
        (f'{{"op":"in","args":[{{"property":"parcel_no"}},[{numbers}]]}}', "application/cql2+json"),
    ):
        answer = api.post("/collections/parcels/items?limit=900", content=content, headers={"Content-Type": type_})
        assert answer.status_code == 200, answer.text
        following = next(one for one in answer.json()["links"] if one["rel"] == "next")
        assert following["method"] == "POST"
        rest = api.post(following["href"], content=following["body"], headers=following["headers"]).json()
        assert ids(answer.json()) + ids(rest) == list(range(1, 1500))
    form = api.post("/collections/parcels/items", data={"land_class": "0303", "limit": "3"}).json()
    assert ids(form) == [2, 5, 8]
    assert api.post("/collections/parcels/items", content="x", headers={"Content-Type": "image/png"}).status_code == 415


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("colour=red", "no parameter 'colour'"),
        ("limit=1&limit=2", "more than once"),
        ("land_class=1&land_class=2", "more than once"),
        ("bbox-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84", "without bbox"),
        ("filter-lang=cql2-text", "without filter"),
        ("filter=parcel_no=1&filter-lang=sql", "cql2-text, cql2-json"),
        ("filter=parcel_no='1'", "without quotes"),
        ("skipGeometry=perhaps", "false, true"),
        ("resulttype=all", "results, hits"),
        ("sortby=colour", "no property 'colour'"),
        ("f=shp2000", "Offered are"),
        ("q=" + "x" * 3000, "more than 2000 characters"),
    ],
)
def test_what_makes_no_sense_gets_advice(api: httpx.Client, query: str, says: str) -> None:
    answer = api.get(f"/collections/parcels/items?{query}")
    assert answer.status_code == 400, answer.text
    assert says in answer.json()["description"]


def test_a_count_that_takes_too_long_is_left_out_and_hits_still_tell_it(city_database: str) -> None:
    with (
        service(city_database, count_budget="0.001", workers="1") as url,
        httpx.Client(base_url=url) as client,
    ):
        query = "/collections/parcels/items?filter=CASEI(名称) LIKE CASEI('%地%') AND 名称 LIKE '%号%'&limit=2"
        first = client.get(query).json()
        assert "numberMatched" not in first
        assert "numberMatched" not in client.get(link(first, "next") or "").json()
        assert client.get(f"{query}&resulttype=hits").json()["numberMatched"] == 2500
