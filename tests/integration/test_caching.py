"""Answers that may be kept: tags that change with the data and with nothing else."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import geopandas as gpd
import httpx
import psycopg
import pytest
import shapely

from tests.conftest import Load, service

ITEMS = "/collections/sites/items?limit=5"


@pytest.fixture
def sites(load_into: Load, tmp_path: Path, database: str) -> Iterator[httpx.Client]:
    """A client of a service with one data set of ten features."""
    frame = gpd.GeoDataFrame(
        {"no": range(10), "name": [f"站点{n}" for n in range(10)]},
        geometry=shapely.points(range(120, 130), 43),
        crs=4490,
    )
    frame.to_file(tmp_path / "sites.gpkg", driver="GPKG")
    load_into(tmp_path / "sites.gpkg", id="sites", key="no")
    with service(database) as url, httpx.Client(base_url=url) as client:
        yield client


def _tag(client: httpx.Client, url: str, **headers: str) -> str:
    answer = client.get(url, headers={"Accept-Encoding": "identity", **headers})
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


def test_the_same_question_has_the_same_strong_tag_and_another_has_another(sites: httpx.Client) -> None:
    tag = _tag(sites, ITEMS)
    assert tag == _tag(sites, ITEMS)
    assert tag.startswith('"')
    assert len({tag, _tag(sites, f"{ITEMS}&no=1"), _tag(sites, "/collections/sites/items")}) == 3


@pytest.mark.parametrize("url", [ITEMS, "/collections/sites/items/3"])
def test_who_has_the_answer_is_told_so_without_it(sites: httpx.Client, url: str) -> None:
    tag = _tag(sites, url)
    for asked in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = sites.get(url, headers={"If-None-Match": asked})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"].strip('"').startswith(tag.strip('"'))
    assert sites.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_compressed_answer_has_a_tag_of_its_own_that_is_known_as_well(sites: httpx.Client) -> None:
    answer = sites.get(ITEMS, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["etag"] != _tag(sites, ITEMS)
    assert "Accept-Encoding" in answer.headers["vary"]
    again = sites.get(ITEMS, headers={"Accept-Encoding": "gzip", "If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, answer.headers["etag"])


def test_the_next_request_after_a_committed_edit_sees_it(sites: httpx.Client, database: str) -> None:
    for n in range(20):
        page, other, edited = (_tag(sites, url) for url in (ITEMS, ITEMS[:-8] + "/4", ITEMS[:-8] + "/3"))
        with psycopg.connect(database) as connection:
            connection.execute("update data.sites set name = %s where no = 3", [f"第{n}次"])
        answer = sites.get(ITEMS, headers={"If-None-Match": page})
        assert answer.status_code == 200
        assert answer.json()["features"][3]["properties"]["name"] == f"第{n}次"
        assert sites.get(ITEMS[:-8] + "/3", headers={"If-None-Match": edited}).status_code == 200
        assert sites.get(ITEMS[:-8] + "/4", headers={"If-None-Match": other}).status_code == 304


def test_the_next_request_after_a_new_release_sees_it(sites: httpx.Client, tmp_path: Path, load_into: Load) -> None:
    tag = _tag(sites, ITEMS)
    frame = gpd.read_file(tmp_path / "sites.gpkg")
    frame["name"] = "新"
    frame.to_file(tmp_path / "sites.gpkg", driver="GPKG")
    load_into(tmp_path / "sites.gpkg", id="sites", key="no")
    answer = sites.get(ITEMS, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert {one["properties"]["name"] for one in answer.json()["features"]} == {"新"}


def test_the_date_of_the_last_change_serves_where_there_is_no_tag(sites: httpx.Client, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("update chengtu.dataset set changed_at = '2026-01-02 03:04:05.6Z'")
    answer = sites.get(ITEMS)
    assert parsedate_to_datetime(answer.headers["last-modified"]).isoformat() == "2026-01-02T03:04:05+00:00"
    since = {"If-Modified-Since": answer.headers["last-modified"]}
    assert sites.get(ITEMS, headers=since).status_code == 304
    with psycopg.connect(database) as connection:
        connection.execute("delete from data.sites where no = 3")
    assert sites.get(ITEMS, headers=since).status_code == 200
    assert "last-modified" not in sites.get(ITEMS).headers  # a second change in the same second would go unseen


def test_each_data_set_says_how_long_it_may_be_kept(sites: httpx.Client, tmp_path: Path, load_into: Load) -> None:
    assert sites.get(ITEMS).headers["cache-control"] == "no-cache"
    load_into(tmp_path / "sites.gpkg", id="sites", key="no", max_age=600)
    for _ in range(100):
        if (kept := sites.get(ITEMS).headers["cache-control"]) != "no-cache":
            break
        time.sleep(0.05)
    assert kept == "public, max-age=600"
