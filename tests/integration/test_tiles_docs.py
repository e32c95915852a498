"""docs/tiles.md: its commands run, and bring tiles of the city."""

import os
import re
import subprocess
from pathlib import Path

from core.settings import ROOT
from tests.tiles import decode

PAGE = (ROOT / "docs" / "tiles.md").read_text("utf-8")


def test_every_command_of_the_page_runs(live_server: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        subprocess.run(
            ["bash", "-ec", block], cwd=tmp_path, env=os.environ | {"URL": live_server}, check=True, capture_output=True
        )
    tiles = {path.name: decode(path.read_bytes()) for path in tmp_path.glob("*.mvt")}
    assert sorted(tiles) == ["city.mvt", "some.mvt", "then.mvt", "tile.mvt"]
    assert list(tiles["city.mvt"]) == ["parcels", "roads"]
    every = {one.id for one in tiles["tile.mvt"]["parcels"]}
    assert {one.properties["land_class"] for one in tiles["some.mvt"]["parcels"]} == {"0303"}
    assert {one.id for one in tiles["then.mvt"]["parcels"]} < every


def test_every_header_and_setting_that_it_names_is_one(live_server: str) -> None:
    settings = (ROOT / "docs" / "settings.md").read_text("utf-8")
    named = set(re.findall(r"`(CHENGTU_\w+)`", PAGE))
    assert len(named) >= 4
    assert all(f"`{name}`" in settings for name in named)
