"""Words anywhere in the texts: found with and without their index, and by it where there is one."""

from pathlib import Path

import geopandas as gpd
import httpx
import psycopg
import pytest
import shapely

from core.catalogue import get_dataset
from core.database import connect
from features.queries import page
from features.search import Search
from features.table import Table
from tests.conftest import Load, service


@pytest.fixture
def names(tmp_path: Path) -> Path:
    """Three thousand points with names, one of them of a park."""
    count = 3000
    frame = gpd.GeoDataFrame(
        {
            "no": range(count),
            "name": [f"第{n}号 Street" for n in range(count)],
            '100% "odd"': [None if n != 77 else "北山公园 Öst" for n in range(count)],
        },
        geometry=shapely.points([126.0] * count, [43.0] * count),
        crs=4490,
    )
    frame.to_file(tmp_path / "names.gpkg", driver="GPKG")
    return tmp_path / "names.gpkg"


def _plan(dsn: str, words: str) -> str:
    with connect(dsn) as connection:
        statement = page(Table(get_dataset(connection, "names")), Search(text=words))
        explained = connection.execute(b"explain " + statement.text.as_bytes(connection), statement.parameters)
        return "\n".join(row["QUERY PLAN"] for row in explained)


@pytest.mark.parametrize("how", ["by index", "index made later", "without"])
def test_words_are_found_wherever_they_are(load_into: Load, database: str, names: Path, how: str) -> None:
    load_into(names, id="names", key="no", search=how == "by index")
    if how == "index made later":
        assert load_into(names, id="names", key="no", search=True).datasets[0].outcome == "unchanged"
    assert ("_words" in _plan(database, "北山公园")) is (how != "without")
    with service(database) as url, httpx.Client(base_url=url) as client:
        for words, found in {
            "北山公园": [77],
            "公园": [77],
            "第77号 öst": [77],
            "第299": [299, *range(2990, 3000)],
            "street 第42号": [42],
            "%": [],
            "公园 湖": [],
        }.items():
            answer = client.get("/collections/names/items", params={"q": words, "limit": 20})
            assert [one["id"] for one in answer.json()["features"]] == found, words


def test_the_next_release_keeps_the_index(load_into: Load, database: str, names: Path) -> None:
    load_into(names, id="names", key="no", search=True)
    frame = gpd.read_file(names)
    frame["name"] = "新"
    frame.to_file(names, driver="GPKG")
    load_into(names, id="names", key="no")
    assert "_words" in _plan(database, "北山公园")
    load_into(names, id="names", key="no", search=False)
    frame["name"] = "旧"
    frame.to_file(names, driver="GPKG")
    load_into(names, id="names", key="no")
    assert "_words" not in _plan(database, "北山公园")
    with psycopg.connect(database) as connection:
        found = connection.execute("select search from chengtu.dataset").fetchone()
    assert found == (False,)
