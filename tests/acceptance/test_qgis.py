"""QGIS itself, without its window: opens, counts, reads and draws what the service offers."""

import json
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.errors import NotGeoreferencedWarning

from tests.acceptance.conftest import EMPTY, FIELDS, ROWS, Wide
from tests.city import ORIGIN, SIDE, STEP

PYTHON = "/usr/bin/python3"
FILL = (0xE8, 0xC9, 0x6A)  # of the parcels; qgis_session.py has the same
SCRIPT = Path(__file__).with_name("qgis_session.py")

pytestmark = pytest.mark.qgis


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where QGIS draws the map."""
    return tmp_path_factory.mktemp("qgis") / "map.png"


@pytest.fixture(scope="module")
def seen(live_server: str, picture: Path) -> dict[str, Any]:
    """What QGIS saw of the service, in one session."""
    return _session(picture.parent, live_server, str(picture))


@pytest.fixture(scope="module")
def pages(wide: Wide, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What QGIS saw of the layer of many pages."""
    return _session(tmp_path_factory.mktemp("qgis"), wide.url)


def _session(home: Path, *arguments: str) -> dict[str, Any]:
    """Run the script with a profile of its own: no caches, no proxy settings of the person who runs the tests."""
    if not _has_qgis():
        pytest.skip("QGIS is not installed under /usr/bin/python3: run `make qgis`")
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    command = [PYTHON, str(SCRIPT), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def _has_qgis() -> bool:
    probe = [PYTHON, "-c", "import qgis.core"]
    return Path(PYTHON).exists() and subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _in_degrees(east: float, north: float) -> list[float]:
    """Where a point of the city's plane is, by PROJ."""
    return list(Transformer.from_crs(4551, 4490, always_xy=True).transform(east, north))


def _queries(urls: list[str]) -> list[dict[str, list[str]]]:
    """The queries of the requests for items."""
    return [parse_qs(urlsplit(url).query) for url in urls if urlsplit(url).path.endswith("/items")]


def test_layers_are_valid_and_counted(seen: dict[str, Any]) -> None:
    layers = seen["layers"]
    assert all(layer["valid"] for layer in layers.values())
    assert {name: layer["count"] for name, layer in layers.items()} == {"parcels": 2500, "roads": 10, "places": 4}
    assert [layers[name]["geometry"] for name in ("parcels", "roads", "places")] == [6, 5, 1]  # WKB codes


def test_fields_have_their_types(seen: dict[str, Any]) -> None:
    fields = seen["layers"]["parcels"]["fields"]
    types = {name: fields[name] for name in ("parcel_no", "land_class", "名称", "area_m2", "surveyed")}
    assert types == {
        "parcel_no": "Integer",
        "land_class": "String",
        "名称": "String",
        "area_m2": "Real",
        "surveyed": "DateTime",
    }


def test_attributes_are_read_and_features_lie_where_they_are(seen: dict[str, Any]) -> None:
    parcel = seen["parcel"]
    row, column = divmod(77 - 1, SIDE)
    assert parcel["名称"] == "宗地77号"
    assert parcel["land_class"] == "0303"
    assert parcel["centre"] == pytest.approx(_in_degrees(ORIGIN[0] + column * STEP + 45, ORIGIN[1] + row * STEP + 45))
    assert seen["place"]["centre"] == pytest.approx([126.55, 43.84])


def test_all_features_come_in_large_pages_with_seven_requests(seen: dict[str, Any]) -> None:
    assert seen["read"] == 2500
    pages = _queries(seen["requests"])
    assert [(one["limit"][0], "cursor" in one) for one in pages] == [
        ("10", False),
        ("1000", False),
        ("1000", True),
        ("1000", True),
    ]
    assert len(seen["requests"]) == 7


def test_a_layer_restricted_to_the_view_fetches_only_that(seen: dict[str, Any]) -> None:
    with_box = [one for one in _queries(seen["corner_requests"]) if "bbox" in one]
    assert len(with_box) == 1
    assert [float(number) for number in with_box[0]["bbox"][0].split(",")] == pytest.approx(
        [126.505, 43.79, 126.51, 43.795]
    )
    assert 0 < len(seen["corner"]) < 100
    assert len(seen["corner"]) == len(set(seen["corner"]))


def test_a_filter_on_the_date_is_sent_to_the_server(seen: dict[str, Any]) -> None:
    since = seen["since"]
    assert since["accepted"]
    assert since["found"] == [n + 1 for n in range(SIDE * SIDE) if n % 366 >= 364]
    asked = [one for one in _queries(since["requests"]) if "datetime" in one]
    assert {one["datetime"][0] for one in asked} == {"2024-12-30T00:00:00Z/9999-12-31T00:00:00Z"}


def test_twenty_thousand_features_come_in_pages_without_doubles_or_gaps(pages: dict[str, Any]) -> None:
    assert pages["layer"]["valid"]
    assert pages["layer"]["count"] == ROWS
    assert pages["names"] == [f"n°{n}" for n in range(1, ROWS + 1)]
    assert len(pages["requests"]) == 4 + ROWS // 1000


def test_each_box_is_fetched_by_itself(pages: dict[str, Any]) -> None:
    """Ten by ten points lie in each."""
    boxes = [
        {f"n°{200 * row + column}" for row in range(1, 11) for column in range(10 * n + 1, 10 * n + 11)}
        for n in range(3)
    ]
    assert [set(names) for names in pages["boxes"]] == boxes
    assert all(len(names) == 100 for names in pages["boxes"])
    assert len([one for one in _queries(pages["box_requests"]) if "bbox" in one]) == 3


def test_fields_that_are_empty_at_first_are_text_to_old_versions(pages: dict[str, Any], wide: Wide) -> None:
    """QGIS before 3.44 looks at ten features; the schema that later ones read says what they are."""
    assert EMPTY > 10
    assert set(pages["layer"]["fields"].values()) == {"String"}
    told = httpx.get(f"{wide.url}/collections/buildings/schema").json()["properties"]
    assert {name: (told[name]["type"], told[name].get("format")) for name in FIELDS} == {
        "name": ("string", None),
        "land_use": ("string", None),
        "storeys": ("integer", None),
        "height": ("number", None),
        "listed": ("boolean", None),
        "built": ("string", "date"),
        "seen": ("string", "date-time"),
    }


def test_the_map_is_drawn_with_every_parcel_in_its_place(seen: dict[str, Any], picture: Path) -> None:
    """The parcels fill a square of which 81 % is theirs, less what outlines and roads cover."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # it is a picture
        with rasterio.open(picture) as image:
            red, green, blue = image.read([1, 2, 3])
    filled = (red == FILL[0]) & (green == FILL[1]) & (blue == FILL[2])
    rows, columns = np.nonzero(filled)
    square = filled[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert 0.4 < square.mean() < 0.81
    assert 0.1 < filled.mean() < 0.4
