"""What was, over HTTP: any day, any version, the life of a parcel and of a place, and what changed them."""

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import psycopg
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator
from psycopg import sql

from core.catalogue import get_dataset
from core.crs import WGS84, Srid, transformer
from core.database import connect
from core.settings import ROOT
from features import versions
from features.table import Table
from loaders.increments import Wish, apply_increment
from tests.conftest import _database, loader_for, service
from tests.increment_data import CRS, Increment, bsm, square, survey, write
from tests.integration.test_editing_page import Shell
from tests.tiles import around

STATE, NEXT = "2023-12-31", "2024-12-31"
CLOSED = [f"{bsm(n)}@{STATE}" for n in (0, 2, 3, 5)]
OPENED = [bsm(1000 + n) for n in range(4)]
KEY = "k" * 16


@pytest.fixture(scope="module")
def place(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A survey of two years."""
    folder = tmp_path_factory.mktemp("history")
    with _database(server_dsn, f"chengtu_history_{os.getpid()}", template) as dsn:
        path = write(folder / "2023.gpkg", DLTB=survey())
        day = date.fromisoformat(STATE)
        loader_for(dsn, folder)(
            path, id="dltb", key="BSM", profile="none", history=True, state_of=day, editable=True, title_en="Parcels"
        )
        increment = Increment().write(folder / "2024.gpkg")
        apply_increment(increment, dsn, "dltb", Wish(), scratch=folder / "scratch", archive_limit=10**9)
        yield dsn, folder


@pytest.fixture(scope="module")
def api(place: tuple[str, Path]) -> Iterator[httpx.Client]:
    with service(place[0], workers="1", edit_key=KEY) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def items(api: httpx.Client, **asked: str) -> dict[str, Any]:
    answer = api.get("/collections/dltb/items", params={"f": "json", "limit": "500", **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [one["id"] for one in found["features"]]


@pytest.mark.parametrize(
    ("asked", "closed", "opened"),
    [
        ("2023-12-30", None, None),
        (STATE, True, False),
        ("2024-12-30T23:59:59Z", True, False),
        (NEXT, False, True),
        ("2024-12-31T00:00:00+08:00", False, True),
        ("2099-01-01", False, True),
        (f"{STATE}/{NEXT}", True, True),
        ("../2024-06-30", True, False),
        ("2025-01-01/..", False, True),
        ("2020-01-01/2020-12-31", None, None),
    ],
)
def test_a_day_shows_what_held_on_it_and_an_interval_all_that_did(
    api: httpx.Client, asked: str, closed: bool | None, opened: bool | None
) -> None:
    found = ids(items(api, datetime=asked))
    assert set(CLOSED) <= set(found) if closed else not set(CLOSED) & set(found)
    assert set(OPENED) <= set(found) if opened else not set(OPENED) & set(found)
    assert len(found) == len(set(found)) == (96 + 4 * bool(closed) + 4 * bool(opened) if closed is not None else 0)
    hits = api.get("/collections/dltb/items", params={"f": "json", "resulttype": "hits", "datetime": asked}).json()
    assert hits["numberMatched"] == len(found)


def test_without_a_day_it_is_now(api: httpx.Client) -> None:
    found = items(api)
    assert found["numberMatched"] == 100
    assert set(OPENED) <= set(ids(found))
    assert not any("@" in one for one in ids(found))
    assert {one["properties"]["valid_to"] for one in found["features"]} == {None}
    assert items(api, filter=f"valid_from > DATE('{STATE}')")["numberMatched"] == 4


def test_paging_goes_through_all_versions_both_ways(api: httpx.Client) -> None:
    asked = f"/collections/dltb/items?f=json&limit=30&datetime={STATE}/{NEXT}"
    whole = ids(items(api, datetime=f"{STATE}/{NEXT}"))
    pages, last = [], {}
    while asked:
        last = api.get(asked).json()
        pages.append(ids(last))
        asked = next((one["href"] for one in last["links"] if one["rel"] == "next"), "")
    assert [one for page in pages for one in page] == whole
    back = next(one["href"] for one in last["links"] if one["rel"] == "prev")
    assert ids(api.get(back).json()) == pages[-2]
    ordered = items(api, datetime=f"{STATE}/{NEXT}", sortby="-valid_from,BSM")
    assert ids(ordered)[:4] == OPENED


def test_filters_and_forms_are_of_the_day(api: httpx.Client) -> None:
    villages = {day: items(api, datetime=day, filter="DLBM = '0702'")["numberMatched"] for day in (STATE, NEXT)}
    assert villages == {STATE: 10, NEXT: 12}
    text = api.get("/collections/dltb/items", params={"f": "csv", "datetime": STATE, "limit": "500"}).text
    assert text.splitlines()[0].startswith("BSM,DLBM,ZLDWDM,TBMJ,valid_from,valid_to,WKT")
    assert len(text.splitlines()) == 101
    assert f"{bsm(5)},0101" in text
    lines = api.get("/collections/dltb/items", params={"f": "ndjson", "datetime": f"{STATE}/..", "limit": "500"}).text
    assert len(lines.splitlines()) == 104
    file = api.get("/collections/dltb/items", params={"f": "gpkg", "datetime": f"{STATE}/.."})
    assert file.headers["OGC-NumberReturned"] == "104"
    page = api.get("/collections/dltb/items", params={"f": "html", "datetime": STATE, "limit": "500"}).text
    assert CLOSED[0] in page
    assert OPENED[0] not in page


def test_every_version_has_an_address(api: httpx.Client) -> None:
    for id_ in (*CLOSED, *OPENED):
        one = api.get(f"/collections/dltb/items/{id_}?f=json")
        assert one.json()["id"] == id_
    assert api.get(f"/collections/dltb/items/{bsm(0)}?f=json").status_code == 404
    assert api.get(f"/collections/dltb/items/{bsm(0)}?f=json&datetime=2024-06-30").json()["id"] == CLOSED[0]
    assert api.get(f"/collections/dltb/items/{bsm(0)}@2022-12-31?f=json").status_code == 404
    assert api.get(f"/collections/dltb/items/{bsm(0)}@2024-13-31?f=json").status_code == 404
    interval = api.get(f"/collections/dltb/items/{bsm(0)}?f=json&datetime=2024-06-30/..")
    assert (interval.status_code, "interval" in interval.json()["description"]) == (400, True)
    assert CLOSED[0] in api.get(f"/collections/dltb/items/{CLOSED[0]}?f=html").text
    assert STATE in api.get(f"/collections/dltb/items/{CLOSED[0]}?f=csv").text
    assert api.get("/collections/dltb/items?datetime=tomorrow&f=json").status_code == 400


def test_tiles_are_of_the_day_at_any_zoom(api: httpx.Client) -> None:
    for zoom in (9, 15):
        lon, lat = _degrees(square(0, 0).centroid.x, square(0, 0).centroid.y)
        (tile,) = around(lon, lat, zoom)
        seen = {}
        for day in (STATE, NEXT, "2020-01-01"):
            answer = api.get(f"/xyz/dltb/{tile.z}/{tile.x}/{tile.y}.mvt", params={"datetime": day})
            layers = mapbox_vector_tile.decode(answer.content) if answer.content else {"dltb": {"features": []}}
            seen[day] = {one["properties"]["BSM"] for one in layers["dltb"]["features"]}
        assert bsm(0) in seen[STATE] - seen[NEXT]
        assert OPENED[0] in seen[NEXT] - seen[STATE]
        assert not seen["2020-01-01"]


def _degrees(x: float, y: float) -> tuple[float, float]:
    lon, lat = transformer(Srid(CRS), WGS84).transform(x, y)
    return float(lon), float(lat)


def test_the_life_of_a_parcel_tells_where_it_came_from_and_went(api: httpx.Client) -> None:
    life = api.get("/collections/dltb/history", params={"key": bsm(0), "f": "json"}).json()
    assert ids(life) == [CLOSED[0], *OPENED[:2]]
    assert life["features"][0]["successors"] == [{"id": OPENED[0], "area": 5000}, {"id": OPENED[1], "area": 5000}]
    assert life["features"][2]["predecessors"] == [{"id": CLOSED[0], "area": 5000}]
    joined = api.get("/collections/dltb/history", params={"key": OPENED[2], "f": "json"}).json()
    assert ids(joined) == [CLOSED[1], CLOSED[2], OPENED[2]]
    still = api.get("/collections/dltb/history", params={"key": bsm(7), "f": "json"}).json()
    assert [(one["id"], one["predecessors"], one["successors"]) for one in still["features"]] == [(bsm(7), [], [])]
    assert api.get("/collections/dltb/history", params={"key": "?", "f": "json"}).json()["features"] == []


def test_the_life_of_a_place_is_one_request(api: httpx.Client) -> None:
    lon, lat = _degrees(square(5, 0).centroid.x, square(5, 0).centroid.y)
    here = api.get("/collections/dltb/history", params={"point": f"{lon},{lat}", "f": "json"}).json()
    assert [(one["id"], one["properties"]["DLBM"]) for one in here["features"]] == [
        (CLOSED[3], "0101"),
        (OPENED[3], "0702"),
    ]
    then = api.get("/collections/dltb/history", params={"point": f"{lon},{lat}", "datetime": STATE, "f": "json"}).json()
    assert ids(then) == [CLOSED[3]]
    box = api.get(
        "/collections/dltb/history",
        params={"bbox": f"{lon - 1},{lat - 1},{lon + 1},{lat + 1}", "limit": "7", "f": "json"},
    )
    assert (box.json()["numberReturned"], box.json()["more"]) == (7, True)
    for asked in (
        {},
        {"key": "1", "point": "1,2"},
        {"point": "1"},
        {"point": "nan,0"},
        {"point": "200,0"},
        {"day": "1"},
    ):
        assert api.get("/collections/dltb/history", params={"f": "json", **asked}).status_code == 400
    tag = box.headers["etag"]
    assert api.get(str(box.url), headers={"If-None-Match": tag}).status_code == 304


def test_pages_for_people_are_linked_and_speak_both_languages(api: httpx.Client) -> None:
    collection = api.get("/collections/dltb?f=html&lang=zh").text
    assert "/collections/dltb/history" in collection
    page = api.get("/collections/dltb/history", params={"key": bsm(0), "f": "html", "lang": "zh"}).text
    assert all(word in page for word in (CLOSED[0], OPENED[1], "去向", "现状"))
    assert "Show what was here" in api.get("/collections/dltb/history?f=html&lang=en").text
    assert "2024.gpkg" in api.get("/collections/dltb/amendments?f=html").text
    told = api.get("/collections/dltb/amendments/1?f=html&lang=zh").text
    assert all(word in told for word in ("平衡表", "885,000.00", "地类流向"))


def test_amendments_are_told_with_their_balance(api: httpx.Client) -> None:
    (one,) = api.get("/collections/dltb/amendments?f=json").json()["amendments"]
    assert (one["kind"], one["label"], one["day"], one["added"], one["removed"]) == ("increment", "2024", NEXT, 4, 4)
    report = api.get(one["links"][0]["href"]).json()["report"]
    (district,) = report["balance"]["districts"]
    assert district["before"] == district["after"] == 1_000_000
    assert api.get("/collections/dltb/amendments/99?f=json").status_code == 404


def test_documents_tell_of_it(api: httpx.Client) -> None:
    collection = api.get("/collections/dltb?f=json").json()
    assert collection["extent"]["temporal"]["interval"] == [[f"{STATE}T00:00:00Z", None]]
    assert "version-history" in [one["rel"] for one in collection["links"]]
    schema = api.get("/collections/dltb/schema?f=json").json()["properties"]
    assert schema["valid_from"]["x-ogc-role"] == "primary-interval-start"
    assert schema["valid_to"]["readOnly"] is True
    openapi = api.get("/openapi?f=json").json()
    OpenAPIV30SpecValidator(openapi).validate()
    assert "/collections/{collectionId}/history" in openapi["paths"]


def test_edits_correct_what_is_served(api: httpx.Client, place: tuple[str, Path]) -> None:
    headers = {"X-API-Key": KEY, "Content-Type": "application/geo+json"}
    feature = api.get(f"/collections/dltb/items/{bsm(9)}?f=json").json()
    del feature["links"], feature["id"]
    feature["properties"] |= {"BSM": "new", "valid_from": "2020-01-01"}
    assert api.post("/collections/dltb/items", json=feature, headers=headers).status_code == 201
    made = api.get("/collections/dltb/items/new?f=json").json()["properties"]
    assert (made["valid_from"], made["valid_to"]) == (NEXT, None)
    assert api.delete("/collections/dltb/items/new", headers=headers).status_code == 204
    assert api.delete(f"/collections/dltb/items/{CLOSED[0]}", headers=headers).status_code == 404
    assert api.get("/collections/dltb/history", params={"key": "new", "f": "json"}).json()["features"] == []


def test_guarded_rows_hide_what_was_until_it_is_guarded_too(api: httpx.Client, place: tuple[str, Path]) -> None:
    with connect(place[0]) as connection:
        table = Table(get_dataset(connection, "dltb"))
    seen = sql.SQL("select count(*) from {} as f where {}").format(versions.every(table), versions.shown(table))
    with psycopg.connect(place[0], autocommit=True) as connection:
        connection.execute("alter table data.dltb enable row level security, force row level security")
        connection.execute("create policy all_of_it on data.dltb using (true)")
        connection.execute("create role reader_of_history login")
        connection.execute("grant usage on schema data, history, chengtu to reader_of_history")
        connection.execute("grant select on all tables in schema data, history, chengtu to reader_of_history")
        try:
            connection.execute("set role reader_of_history")
            assert connection.execute(seen).fetchone() == (100,)
        finally:
            connection.execute("reset role")
            connection.execute("alter table data.dltb disable row level security, no force row level security")
            connection.execute("drop owned by reader_of_history")
            connection.execute("drop role reader_of_history")


def test_the_commands_of_the_page_work(place: tuple[str, Path], api: httpx.Client, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "history.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    reading = [one.replace("june.csv", str(tmp_path / "june.csv")) for one in blocks if "curl" in one]
    assert len(reading) == 3
    told = Shell(place[0], str(api.base_url))(*reading)
    assert '"amendments"' in told
    assert (tmp_path / "june.csv").read_text("utf-8").count("\n") > 5
