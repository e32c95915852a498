"""QGIS draws the vector tiles in the service's own style, from the addresses that its page and its file tell."""

import os
import subprocess
import warnings
from pathlib import Path
from xml.etree.ElementTree import fromstring

import httpx
import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("qgis_tiles_session.py")

pytestmark = pytest.mark.qgis


@pytest.fixture(scope="module")
def connections(live_server: str) -> dict[str, dict[str, str]]:
    """The connections of the file that the page offers, by their tiles' address."""
    root = fromstring(httpx.get(f"{live_server}/qgis/vector-tiles.xml?lang=en").content)
    assert (root.tag, root.get("version")) == ("qgsVectorTileConnections", "1.0")
    return {one.attrib["url"]: one.attrib for one in root}


def test_the_file_of_connections_has_the_city_and_each_data_set(
    connections: dict[str, dict[str, str]], live_server: str
) -> None:
    ending = "{z}/{x}/{y}.mvt"
    assert {f"{live_server}/xyz/{ending}", f"{live_server}/xyz/parcels/{ending}"} <= connections.keys()
    for one in connections.values():
        assert httpx.get(one["styleUrl"]).status_code == 200
        assert httpx.get(one["url"].format(z=0, x=0, y=0)).status_code == 200


def test_the_page_tells_the_addresses_of_the_city_or_of_the_data_set_that_is_looked_at(live_server: str) -> None:
    page = httpx.get(f"{live_server}/qgis", headers={"Accept": "text/html"}).text
    assert f"{live_server}/xyz/{{z}}/{{x}}/{{y}}.mvt" in page
    page = httpx.get(f"{live_server}/qgis?collection=places", headers={"Accept": "text/html"}, timeout=60).text
    assert f"{live_server}/collections/places/style.json" in page


def test_qgis_draws_the_tiles_in_the_colours_of_the_style(
    connections: dict[str, dict[str, str]], live_server: str, tmp_path: Path
) -> None:
    if subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False).returncode:
        pytest.skip("QGIS is not installed under /usr/bin/python3: run `make qgis`")
    one = connections[f"{live_server}/xyz/parcels/{{z}}/{{x}}/{{y}}.mvt"]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    command = [PYTHON, str(SCRIPT), one["url"], one["styleUrl"], str(tmp_path / "map.png")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(tmp_path / "map.png") as picture:
            red, green, blue = picture.read([1, 2, 3]).astype(int)
    drawn = {tuple(colour) for colour in np.stack([red, green, blue], axis=-1).reshape(-1, 3)[::7].tolist()}
    wanted = [_on_paper(entry["colour"]) for entry in _legend(one["styleUrl"]) if entry["value"]]
    assert len(wanted) == 3
    for colour in wanted:
        assert min(max(abs(a - b) for a, b in zip(colour, seen, strict=True)) for seen in drawn) <= 4


def _legend(style: str) -> list[dict[str, str]]:
    (legend,) = httpx.get(style).json()["metadata"]["chengtu:legend"]
    entries: list[dict[str, str]] = legend["entries"]
    return entries


def _on_paper(colour: str, opacity: float = 0.75, paper: int = 255) -> tuple[float, ...]:
    """A colour as it is where it lets some of the white paper through."""
    channels = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return tuple(channel * opacity + paper * (1 - opacity) for channel in channels)
