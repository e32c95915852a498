"""QGIS itself shows names where the data have codes, in both languages, and the survey in its usual colours."""

import json
import os
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from core.codelists import codelist
from tests.acceptance.test_qgis import PYTHON, _has_qgis
from tests.conftest import loader_for, service
from tests.filter_data import asking, dsn_of
from tests.survey import dltb, write_survey

SCRIPT = Path(__file__).with_name("qgis_codes_session.py")
CLASSES = {"0101": "水田", "0301": "乔木林地", "0702": "农村宅基地", "1101": "河流水面"}

pytestmark = pytest.mark.qgis


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where QGIS draws."""
    return tmp_path_factory.mktemp("qgis")


@pytest.fixture(scope="module")
def survey(server_dsn: str, template: str, folder: Path) -> Iterator[str]:
    """A service that has a tiny survey, of parcels of four classes."""
    if not _has_qgis():
        pytest.skip("QGIS is not installed under /usr/bin/python3: run `make qgis`")
    parcels = dltb(DLBM=[*CLASSES], DLMC=[*CLASSES.values()])
    with asking(server_dsn, template) as connection:
        dsn = dsn_of(connection)
        loader_for(dsn, folder)(write_survey(folder / "survey.gpkg", DLTB=parcels))
        with service(dsn) as url:
            yield url


@pytest.fixture(scope="module")
def seen(survey: str, folder: Path) -> dict[str, Any]:
    """What QGIS saw, in one session with a profile of its own."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    command = [PYTHON, str(SCRIPT), survey, "dltb", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


@pytest.mark.parametrize(
    ("language", "class_", "owner", "title"),
    [
        ("zh", "水田", "集体土地所有权", "地类编码"),
        ("en", "Paddy field", "Collective ownership of land", "Land class code"),
    ],
)
def test_the_table_and_the_form_show_names(
    seen: dict[str, Any], language: str, class_: str, owner: str, title: str
) -> None:
    told = seen[language]
    assert told["loaded"], told["message"]
    assert told["cell"] == class_
    assert told["owner"] == owner
    assert told["form"] == [class_, str(len(codelist("survey-classes").codes))]
    assert told["aliases"]["DLBM"] == title


def test_the_legend_has_the_classes_by_name(seen: dict[str, Any]) -> None:
    assert seen["zh"]["renderer"] == "categorizedSymbol"
    assert seen["zh"]["legend"] == [f"{name} ({code})" for code, name in CLASSES.items()] + ["其他"]
    survey = codelist("survey-classes")
    found = {code: one.color if (one := survey.find(code)) else None for code in CLASSES}
    assert found.items() <= seen["colours"].items()


def test_the_map_is_drawn_in_the_surveys_colours(seen: dict[str, Any], folder: Path) -> None:
    """Four squares, of which each fills a fifth of the picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # it is a picture
        with rasterio.open(folder / "map.png") as image:
            pixels = image.read([1, 2, 3])
    for code in CLASSES:
        colour = [int(seen["colours"][code][start : start + 2], 16) for start in (1, 3, 5)]
        share = np.all(pixels == np.array(colour).reshape(3, 1, 1), axis=0).mean()
        assert 0.1 < share < 0.25, code
