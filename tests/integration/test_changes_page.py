"""The page on changes: what stands there works, and it tells of every parameter and member."""

import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import psycopg
import shapely
from psycopg import sql

from core.settings import ROOT
from server import changes, news, push
from tests.conftest import Load, service
from tests.integration.test_editing_page import Shell

PAGE = (ROOT / "docs" / "changes.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def shape_of(value: Any) -> Any:
    """What members there are, whatever their values."""
    if isinstance(value, dict):
        return {name: shape_of(one) if name in ("changes", "features") else None for name, one in value.items()}
    return [shape_of(one) for one in value[:1]] if isinstance(value, list) else None


def test_the_commands_of_the_page_follow_a_data_set(database: str, load_into: Load, tmp_path: Path) -> None:
    trees = gpd.GeoDataFrame({"species": ["榆"]}, geometry=[shapely.Point(126.5, 43.8)], crs=4490)
    trees.to_file(tmp_path / "trees.gpkg", driver="GPKG")
    load_into(tmp_path / "trees.gpkg", id="trees")
    begin, more, stream = blocks("sh")
    fed, pushed = map(json.loads, blocks("json"))
    edit = "update data.trees set species = '松'"
    with service(database, workers="1") as url, psycopg.connect(database, autocommit=True) as connection:
        shell = Shell(database, url)
        token = shell(begin.replace("copy.json", str(tmp_path / "copy.json")), 'echo "$next"')
        connection.execute(edit)
        told = json.loads(shell(f"next={token}", more))
        heard = shell(stream.replace("trees", f"trees&zoom=14&since={token}"))
        (statement,) = blocks("sql")
        logged = connection.execute(sql.SQL(statement)).fetchall()  # type: ignore[arg-type]
    assert (tmp_path / "copy.json").stat().st_size > 0
    assert shape_of(told) == shape_of(fed)
    assert "event: change" in heard
    (data,) = re.findall(r"^data: (.+)$", heard, re.MULTILINE)
    assert shape_of(json.loads(data)) == shape_of(pushed)
    assert [row[2] for row in logged] == ["R", "U"]


def test_every_parameter_is_told_of() -> None:
    names = {*changes._PARAMETERS, *push._PARAMETERS} - {"f", "lang", "api-key"}
    assert {name for name in names if f"`{name}" not in PAGE} == set()


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f"at most {push._MOST_FEATURES} `features`" in PAGE
    assert f"has at most {push._MOST_TILES}, else" in PAGE
    assert f"Every {push._HEARTBEAT:g} seconds" in PAGE
    assert "more than 5000 changes" in PAGE.replace("\n", " ").replace("  ", " ")
    assert news.MOST_CHANGES == 5000
