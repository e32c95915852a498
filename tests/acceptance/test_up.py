"""`chengtu up` with nothing but a checkout: a cluster, a city, a service; and Ctrl-C takes all of it down again."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from core.settings import ROOT

REAL = {"prefecture", "districts", "places", "land_cover"}
SURVEY = {"dltb", "xzq", "cjdcq", "xzqjx", "cjdcqjx", "pdt", "czcdyd", "yjjbnttb", "stbhhx"}
SYNTHETIC = {"roads", "parcels", "land_use", "buildings"} | SURVEY
HELSINKI = {"osm_helsinki_points", "osm_helsinki_lines", "osm_helsinki_multipolygons"}


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """A folder that any account may enter, as a checkout's `var` is."""
    with tempfile.TemporaryDirectory(prefix="chengtu-up-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def up(var: Path, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"CHENGTU_VAR": str(var), "CHENGTU_PORT": str(port)}
    command = [ROOT / "chengtu", "up", *arguments]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            assert process.poll() is None, "chengtu up has ended"
            try:
                httpx.get(f"{url}/readyz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)  # as the terminal's Ctrl-C does: to everyone at once
        process.wait(timeout=60)


def postmasters(var: Path) -> list[str]:
    """The PostgreSQL servers that run from this folder."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if str(var.resolve()) in line and "postgres -D" in line]


def test_the_first_run_makes_a_city_and_ctrl_c_leaves_nothing_running(var: Path) -> None:
    with up(var) as (url, process):
        collections = {one["id"]: one for one in httpx.get(f"{url}/collections?f=json").json()["collections"]}
        assert collections.keys() == REAL | SYNTHETIC | HELSINKI
        for id_, one in collections.items():
            synthetic = id_ in SYNTHETIC
            assert ("synthetic" in (one["title"] + one["description"]).lower()) == synthetic
            items = httpx.get(f"{url}/collections/{id_}/items?f=json&limit=1").json()
            assert items["numberMatched"] > 0
            if id_ not in HELSINKI:
                origin = "DATA_ORIGIN" if id_ in SURVEY else "data_origin"
                assert items["features"][0]["properties"][origin] == ("synthetic" if synthetic else "real")
        districts = httpx.get(f"{url}/collections/districts/items?f=json&skipGeometry=true").json()["features"]
        assert {"船营区", "龙潭区", "昌邑区", "丰满区"} <= {one["properties"]["name_zh"] for one in districts}
        assert len(postmasters(var)) == 1
    assert process.returncode == 0
    assert postmasters(var) == []


def test_the_second_run_serves_the_same_city_without_making_it_again(var: Path) -> None:
    with up(var) as (url, _):
        history = httpx.get(f"{url}/collections/parcels?f=json").json()
        assert history["storageCrs"].endswith("/4551")
        assert len(httpx.get(f"{url}/collections?f=json").json()["collections"]) == len(REAL | SYNTHETIC | HELSINKI)
    assert postmasters(var) == []


def test_a_load_beside_a_running_service_is_served_by_it_and_leaves_it_running(var: Path, tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text("name,lon,lat\n水厂,126.55,43.84\n", "utf-8")
    environment = os.environ | {"CHENGTU_VAR": str(var)}
    environment.pop("DATABASE_URL", None)
    with up(var) as (url, _):
        subprocess.run(
            [ROOT / "chengtu", "load", path, "--srs", "EPSG:4490"], env=environment, check=True, capture_output=True
        )
        for _ in range(40):
            if (answer := httpx.get(f"{url}/collections/sites/items?f=json")).status_code == 200:
                break
            time.sleep(0.1)
        assert answer.json()["features"][0]["properties"] == {"name": "水厂", "lon": 126.55, "lat": 43.84}
        assert httpx.get(f"{url}/readyz").status_code == 200
    assert postmasters(var) == []
