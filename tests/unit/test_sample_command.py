"""`chengtu sample` writes made-up data and the truth beside them."""

import json
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from click.testing import CliRunner, Result

from data.survey import sample_survey
from data.survey.sample import DESCRIPTION, TITLE
from server.commands.sample import sample

SMALL = ("--parcels", "1000")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(sample, arguments)


def told(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    assert json.loads(Path(answer["truth"]).read_text("utf-8")).items() >= {"synthetic": True}.items()
    return answer


def test_a_survey_and_the_increment_to_it(tmp_path: Path) -> None:
    survey = told("survey", *SMALL, "--into", str(tmp_path), "--defects", "all=1,class-name=2")
    assert len(survey["rules"]["class-name"]) == 2
    assert len(survey["rules"]) == 22
    increment = told(
        "increment", *SMALL, "--into", str(tmp_path), "--changes", "20", "--format", "zip", "--srs", "EPSG:4530"
    )
    keys = set(pyogrio.raw.read(survey["data"], layer="DLTB", columns=["BSM"], read_geometry=False)[3][0])
    old = {before for before, _ in increment["pairs"]}
    assert sum(increment["changes"].values()) == 20
    assert len(old & keys) > 0.9 * len(old)  # a defect may have changed one's identifier
    assert {one.name for one in tmp_path.iterdir()} == {
        *("survey-220200-2025.gpkg", "survey-220200-2025.truth.json"),
        *("increment-220200-2026.zip", "increment-220200-2026.truth.json"),
    }


def test_a_drawing_and_two_sheets(tmp_path: Path) -> None:
    assert told("dxf", "--objects", "200", "--into", str(tmp_path))["total"] == 200
    sheets = told("dxf", "--sheets", "500", "--mismatches", "1", "--into", str(tmp_path))
    assert all(Path(sheets["data"], file).is_file() for file in sheets["sheets"].values())
    assert {kind: len(found) for kind, found in sheets["mismatches"].items()} == {"geometry": 1, "attribute": 1}


@pytest.mark.parametrize(
    "arguments",
    [
        ("survey", "--defects", "overlap"),
        ("survey", "--srs", "EPSG:32652"),
        ("survey", "--parcels", "1000000"),
        ("increment", "--spoil", "nothing"),
    ],
)
def test_what_cannot_be_meant_is_said_and_nothing_written(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = run(*arguments, "--into", str(tmp_path))
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_the_sample_citys_survey_is_made_once(tmp_path: Path) -> None:
    path = sample_survey("220200", tmp_path, parcels=1000)
    stamp = path.stat().st_mtime_ns
    assert sample_survey("220200", tmp_path, parcels=1000) == path
    assert path.stat().st_mtime_ns == stamp
    assert "synthetic" in TITLE.en
    assert "模拟数据" in TITLE.zh
    assert "模拟数据" in DESCRIPTION.zh
