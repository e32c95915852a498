"""docs/codelists.md: its tables are true, its commands run, and its example of a list is one."""

import json
import os
import re
import subprocess
from pathlib import Path

import httpx

from core.codelist_files import read_files
from core.codelists import codelist, codelists, crosswalks
from core.settings import ROOT

PAGE = (ROOT / "docs" / "codelists.md").read_text("utf-8")


def test_the_tables_have_every_list_and_every_crosswalk() -> None:
    documented = re.findall(r"^\| `([\w-]+)` \| ([^`|]+) \| (\d+) \| (.+?) \| (\w+) \|$", PAGE, flags=re.MULTILINE)
    assert documented == [
        (one.id, one.title.en, str(len(one.codes)), one.standard, one.confidence) for one in codelists().values()
    ]
    walked = re.findall(r"^\| `([\w-]+)` \| `([\w-]+)` \| `([\w-]+)` \|$", PAGE, flags=re.MULTILINE)
    assert walked == [(one.id, one.source, one.target) for one in crosswalks().values()]


def test_every_command_of_the_page_runs(live_server: str, tmp_path: Path) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    environment = os.environ | {"URL": live_server}
    subprocess.run(["bash", "-ec", block], cwd=tmp_path, env=environment, check=True, capture_output=True)
    told = {path.stem: json.loads(path.read_text("utf-8")) for path in tmp_path.glob("*.json")}
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert told["code"]["codes"] == [json.loads(shown)]
    assert len(told["then"]["codelists"]) < len(told["lists"]["codelists"])
    assert told["shops"]["matches"][0]["to"] is None
    assert (tmp_path / "planning.csv").read_text("utf-8").startswith("code,name_zh,name_en,parent")


def test_the_example_of_a_list_is_one(tmp_path: Path) -> None:
    (described,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (rows,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "city.toml").write_text(described, "utf-8")
    (tmp_path / "city-uses.csv").write_text(rows, "utf-8")
    mine = read_files(tmp_path, tmp_path / "walks").codelists["city-uses"]
    assert [(one.code, one.level, one.color) for one in mine.codes] == [("A", 1, "#d9705f"), ("A1", 2, "#d9705f")]


def test_what_is_to_be_typed_into_qgis_is_python(api: httpx.Client) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    compile(block, "docs/codelists.md", "exec")
    assert api.get("/collections/parcels/style.qml?lang=zh").status_code == 200


def test_what_the_page_says_of_0303_is_true() -> None:
    names = {id_: codelist(id_).name_of("0303") for id_ in ("survey-classes", "planning-classes-2023")}
    assert [name.en if name else None for name in names.values()] == ["Mangrove land", "Shrub land"]
