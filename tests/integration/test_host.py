"""Each mend of pygeoapi beside what makes it needed: a test here fails once upstream mends it, so that ours can go."""

import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pygeoapi
import pytest

from core.settings import ROOT

UPSTREAM = """
import importlib, sys
util = importlib.import_module("pygeoapi.util")
crs = importlib.import_module("pygeoapi.crs")
"""


def upstream(script: str) -> str:
    """What untouched pygeoapi prints, in a process where nothing of ours was imported."""
    done = subprocess.run([sys.executable, "-c", UPSTREAM + script], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def source(module: str, function: str) -> str:
    found: Callable[..., Any] = getattr(importlib.import_module(f"pygeoapi.{module}"), function)
    return inspect.getsource(found)


def test_this_is_the_pygeoapi_that_was_read() -> None:
    assert pygeoapi.__version__.startswith("0.24.")


def test_upstream_still_changes_angle_brackets_in_json(api: httpx.Client) -> None:
    assert "&lt;" in upstream("""print(util.to_json({"a": "P<0>"}))""")
    place = api.get("/collections/places/items/2?f=json")
    assert place.json()["properties"]["name"] == "北山 <公园>"
    document = api.get("/openapi?f=json").text
    assert "&lt;" not in document
    assert "<" not in document  # harmless inside a page as well


def test_upstream_still_flips_what_is_stored_in_gauss_krueger(api: httpx.Client) -> None:
    script = """
http = "http://www.opengis.net/def/crs/"
print(crs.transform_bbox([126.0, 43.0, 127.0, 44.0], http + "OGC/1.3/CRS84", http + "EPSG/0/4551")[0] < 1e6)"""
    # A bbox for a table in the zone has the northing first, though PostGIS holds x = east.
    assert upstream(script) == "False"
    found = api.get("/collections/parcels/items?f=json&bbox=126.49,43.78,126.56,43.83&limit=1").json()
    assert found["numberMatched"] == 2500


def test_upstream_still_compiles_every_template_anew() -> None:
    script = """print(util.Environment.__module__, "bytecode_cache" in __import__("inspect").getsource(util.render_j2_template))"""
    assert upstream(script) == "jinja2.environment False"


def test_upstream_still_stumbles_over_answers_without_a_content_type() -> None:
    script = """
import os, json
config = importlib.import_module("pygeoapi.config"); openapi = importlib.import_module("pygeoapi.openapi")
os.environ["PYGEOAPI_OPENAPI"] = "x"
config.get_config = lambda raw=False: {"server": {"url": "http://h", "languages": ["en"], "mimetype": "x", "bind": {}},
    "logging": {"level": "CRITICAL"}, "metadata": {}, "resources": {}}
openapi.load_openapi_document = dict
app = importlib.import_module("pygeoapi.starlette_app")
app._to_response({}, 200, "")"""
    assert upstream(script) == "KeyError: 'Content-Type'"


def test_upstream_still_claims_callbacks_and_no_filters() -> None:
    script = """
items, processes = importlib.import_module("pygeoapi.api.itemtypes"), importlib.import_module("pygeoapi.api.processes")
print([any(name in one for one in items.CONFORMANCE_CLASSES_FEATURES + processes.CONFORMANCE_CLASSES)
    for name in ("conf/callback", "conf/features-filter")])"""
    assert upstream(script) == "[True, False]"


def test_upstreams_collections_still_tell_neither_count_nor_change() -> None:
    assert "itemCount" not in source("api.collection", "gen_collection")


def test_upstream_still_divides_by_a_weight_of_zero() -> None:
    script = """util.get_choice_from_headers({"accept": "text/html;q=0"}, "accept")"""
    assert upstream(script) == "ZeroDivisionError: float division by zero"


@pytest.mark.parametrize(
    "language", ["zh", "en", "zh-CN", "zh-TW", "zh-Hans", "en-GB", "fr", "de;q=0", "xx", "*", ";;", ""]
)
@pytest.mark.parametrize("form", ["json", "html"])
def test_any_language_is_answered(api: httpx.Client, language: str, form: str) -> None:
    for answer in (
        api.get("/collections", params={"f": form}, headers={"Accept-Language": language}),
        api.get("/collections", params={"f": form, "lang": language}),
    ):
        assert answer.status_code in (200, 400), answer.text


@pytest.mark.parametrize("accept", ["*/*", "text/html;q=0", "a/b", ",,,", "x" * 8000, "application/json;q=abc"])
def test_any_accept_header_is_answered(api: httpx.Client, accept: str) -> None:
    assert api.get("/collections", headers={"Accept": accept}).status_code in (200, 400, 406)


def test_only_the_host_and_the_plugins_import_pygeoapi() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("core", "grids", "loaders", "features", "processes", "server", "data")
        for path in (ROOT / folder).rglob("*.py")
        if "pygeoapi." in path.read_text("utf-8") and "import" in path.read_text("utf-8")
        for line in path.read_text("utf-8").splitlines()
        if line.startswith(("from pygeoapi", "import pygeoapi"))
    }
    assert found <= {"features/provider.py", "processes/base.py", "server/manager.py", "server/host.py"}
