"""OWSLib, the client library of Python: what a script of the user's would do."""

import re
from collections.abc import Sequence
from typing import Any, LiteralString

import httpx
import pytest
from owslib.ogcapi.features import Features
from owslib.ogcapi.processes import Processes
from psycopg.rows import DictRow

from core.database import connect
from tests.acceptance.conftest import ROWS, Wide


@pytest.fixture(scope="module")
def features(live_server: str) -> Features:
    """A client of the service's features."""
    return Features(live_server)


def _one(dsn: str, statement: LiteralString, values: Sequence[float] = ()) -> DictRow:
    with connect(dsn) as connection:
        row = connection.execute(statement, values).fetchone()
    assert row is not None
    return row


def test_collections_are_listed_with_their_extent(features: Features, city_database: str) -> None:
    assert sorted(features.feature_collections()) == ["parcels", "places", "roads", "sites_mercator", "sites_wgs84"]
    row = _one(city_database, "select box2d(st_extent(st_transform(geom, 4326)))::text as box from data.parcels")
    box = [float(number) for number in re.findall(r"[\d.]+", row["box"].removeprefix("BOX"))]
    assert features.collection("parcels")["extent"]["spatial"]["bbox"][0] == pytest.approx(box, abs=1e-5)


def test_conformance_and_openapi_are_found_by_their_links(features: Features) -> None:
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in features.conformance()["conformsTo"]
    assert "/collections/parcels/items" in features.api()["paths"]


def test_a_box_finds_what_plain_sql_finds(features: Features, city_database: str) -> None:
    box = [126.51, 43.79, 126.53, 43.80]
    page = features.collection_items("parcels", bbox=box, limit=50)
    row = _one(
        city_database,
        "select count(*) as n from data.parcels"
        " where st_intersects(st_transform(geom, 4326), st_makeenvelope(%s, %s, %s, %s, 4326))",
        box,
    )
    assert page["numberMatched"] == row["n"] > 50
    assert page["numberReturned"] == len(page["features"]) == 50


def test_pages_follow_each_other_without_gap_or_overlap(features: Features) -> None:
    pages = [features.collection_items("parcels", limit=1000, offset=offset) for offset in (0, 1000, 2000)]
    numbers = [one["properties"]["parcel_no"] for page in pages for one in page["features"]]
    assert numbers == list(range(1, 2501))


def test_twenty_thousand_features_come_by_their_links(wide: Wide) -> None:
    client = Features(wide.url)
    page, names = client.collection_items("buildings", limit=5000), []
    while page:
        names += [one["properties"]["name"] for one in page["features"]]
        following = [one["href"] for one in page["links"] if one["rel"] == "next"]
        page = httpx.get(following[0]).json() if following else {}
    assert names == [f"n°{n}" for n in range(1, ROWS + 1)]


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ({"filter": "storeys > 27 AND land_use = 'Park'"}, "storeys > 27 and land_use = 'Park'"),
        ({"filter": "land_use LIKE 'a\\_b\\%c%' OR listed"}, "land_use like 'a\\_b\\%%c%%' or listed"),
        ({"datetime_": "2024-06-01/2024-06-02"}, "seen is null or seen >= '2024-06-01Z' and seen < '2024-06-03Z'"),
        (
            {"bbox": [126.0005, 43.0005, 126.0105, 43.0105]},
            "geom && st_makeenvelope(126.0005, 43.0005, 126.0105, 43.0105, 4490)",
        ),
        ({"storeys": 9, "listed": "true"}, "storeys = 9 and listed"),
    ],
)
def test_what_a_script_asks_for_is_what_sql_finds(wide: Wide, asked: dict[str, Any], condition: str) -> None:
    page = Features(wide.url).collection_items("buildings", limit=1, resulttype="hits", **asked)
    counted = _one(wide.dsn, "select count(*) as n from data.buildings where " + condition)  # type: ignore[operator]
    assert page["numberMatched"] == counted["n"] > 0


def test_queryables_name_the_attributes_and_a_filter_uses_them(features: Features) -> None:
    queryables = features.collection_queryables("parcels")["properties"]
    assert {"parcel_no", "land_class", "名称", "area_m2", "surveyed"} <= queryables.keys()
    found = features.collection_items("parcels", filter="名称 = '宗地77号' AND area_m2 > 8000")
    assert [one["id"] for one in found["features"]] == [77]
    assert [one["id"] for one in features.collection_items("parcels", 名称="宗地78号")["features"]] == [78]


def test_one_feature_comes_by_its_key(features: Features) -> None:
    feature = features.collection_item("parcels", "51")
    assert feature["properties"]["名称"] == "宗地51号"


def test_a_missing_collection_is_an_error_and_not_an_empty_page(features: Features) -> None:
    with pytest.raises(RuntimeError, match="NotFound"):
        features.collection_items("nowhere")


def test_grid_cell_query_runs_and_counts_every_parcel_once(live_server: str) -> None:
    processes = Processes(live_server)
    assert "grid-cell-query" in [one["id"] for one in processes.processes()]
    answer = processes.execute("grid-cell-query", {"dataset": "parcels", "grid": "square", "size": 1000})
    cells = answer["cells"]["value"]["features"]
    assert sum(cell["properties"]["count"] for cell in cells) == 2500
    assert sum(cell["properties"]["area_m2"] for cell in cells) == pytest.approx(2500 * 8100)
