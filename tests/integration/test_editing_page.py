"""The page on editing: what stands there works."""

import os
import re
import subprocess
from pathlib import Path

import geopandas as gpd
import httpx
import shapely

from core.settings import ROOT
from tests.conftest import Load, service

PAGE = (ROOT / "docs" / "editing.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
KEY = "an-edit-key-for-the-page"


def test_the_commands_of_the_page_create_change_and_remove_a_tree(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    trees = gpd.GeoDataFrame({"species": ["榆"], "height": [7.0]}, geometry=[shapely.Point(126.5, 43.8)], crs=4490)
    trees.to_file(tmp_path / "trees.gpkg", driver="GPKG")
    load_into(tmp_path / "trees.gpkg", id="trees")
    up, switch_on, create, update, replace, delete = BLOCKS
    assert "./chengtu up" in up
    with service(database, edit_key=KEY) as url:
        shell = Shell(database, url)
        shell(switch_on)
        tree = shell(create, update, 'echo "$tree"')
        found = httpx.get(tree).json()
        assert tree == f"{url}/collections/trees/items/2"
        assert found["properties"] == {"species": "红松", "height": 13.0}
        shell(f"tree={tree}", replace)
        assert httpx.get(tree).json()["geometry"] == found["geometry"]
        shell(f"tree={tree}", delete)
        assert httpx.get(tree).status_code == 404


class Shell:
    """Runs commands as the page's reader would."""

    def __init__(self, dsn: str, url: str) -> None:
        self.environment = os.environ | {"DATABASE_URL": dsn, "URL": url, "CHENGTU_EDIT_KEY": KEY}

    def __call__(self, *commands: str) -> str:
        script = ["bash", "-euo", "pipefail", "-c", "\n".join(commands)]
        done = subprocess.run(script, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.strip()
