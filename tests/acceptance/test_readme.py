"""The READMEs tell the truth: their commands run, and answer what they show."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from core.settings import ROOT
from data.sample import build
from tests.conftest import Load, service

ENGLISH = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_both_readmes_have_the_same_commands_and_answers() -> None:
    for language in ("sh", "csv"):
        assert blocks(ENGLISH, language) == blocks(CHINESE, language)


def test_the_two_commands_are_there() -> None:
    commands = blocks(ENGLISH, "sh")[0].split("\n")[:2]
    assert commands == ["make up", "make test"]
    rules = (ROOT / "Makefile").read_text("utf-8")
    for command in commands:
        assert re.search(rf"^{command.removeprefix('make ')}:", rules, flags=re.MULTILINE)


def test_the_curl_command_answers_what_the_readme_shows(database: str, load_into: Load, tmp_path: Path) -> None:
    districts = next(one for one in build("220200", tmp_path / "sample") if one.id == "districts")
    load_into(districts.path, id="districts", layer=districts.layer, key=districts.key)
    (command,) = [block for block in blocks(ENGLISH, "sh") if block.startswith("curl")]
    with service(database) as url:
        answer = subprocess.run(
            command.replace("http://127.0.0.1:5000", url), shell=True, capture_output=True, text=True, check=True
        )
    assert answer.stdout.splitlines() == blocks(ENGLISH, "csv")[0].splitlines()


@pytest.mark.parametrize("line", blocks(ENGLISH, "sh")[2].splitlines())
def test_the_commands_for_own_data_run(database: str, tmp_path: Path, line: str) -> None:
    from tests.integration.test_releases import parcels  # noqa: PLC0415 — makes the file that the README speaks of

    parcels(tmp_path / "parcels.gpkg", {1: "甲"})
    environment = os.environ | {"DATABASE_URL": database, "CHENGTU_VAR": str(tmp_path / "var")}
    command = line.replace("./chengtu", str(ROOT / "chengtu")).replace("parcels.zip", "parcels.gpkg")
    subprocess.run(command, shell=True, cwd=tmp_path, env=environment, check=True, capture_output=True)


def test_the_picture_is_there_and_not_too_heavy() -> None:
    picture = ROOT / "docs" / "map.jpg"
    assert "docs/map.jpg" in ENGLISH
    assert 20_000 < picture.stat().st_size < 500_000
