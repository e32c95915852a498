"""A map that follows /changes in a real browser: it loads again what changed, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.acceptance.test_pages import CHROMIUM, FLAGS, WINDOW, playwright
from tests.conftest import _database, service
from tests.integration.test_change_feed import Sites

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="pages: apt-get install chromium"),
]

MAP = """
async () => {
  const { follow } = await import("/static/live.js");
  const maplibre = await import("/static/vendor/maplibre-gl/maplibre-gl.mjs");
  const box = document.createElement("div");
  box.style.cssText = "position:fixed;inset:0;z-index:99";
  document.body.append(box);
  const tiles = [`${location.origin}/xyz/sites/{z}/{x}/{y}.mvt`];
  const map = new maplibre.Map({
    container: box, center: [127, 43], zoom: 8, renderWorldCopies: false,
    style: { version: 8, sources: { city: { type: "vector", tiles, maxzoom: 16 } }, layers: [
      { id: "sites", type: "circle", source: "city", "source-layer": "sites" } ] },
  });
  window.live = { map, told: [], stop: () => {} };
  await map.once("idle");
  const opened = new Promise((done) => {
    const { EventSource } = window;
    window.EventSource = class extends EventSource {
      constructor(address) {
        super(address);
        this.addEventListener("open", done);
      }
    };
  });
  window.live.stop = follow(map, { url: "/changes", sources: { city: ["sites"] }, onchange: (one) => live.told.push(one) });
  await opened;
}
"""
NAMES = (
    """() => live.map.querySourceFeatures("city", { sourceLayer: "sites" }).map(({ properties }) => properties.name)"""
)


class Live(NamedTuple):
    """A page with a map of three sites, a degree apart, which follows them."""

    page: Any
    sites: Sites
    asked: list[str]  # tiles, since it began to

    def shows(self, name: str) -> bool:
        """Whether a site of that name comes up."""
        self.page.wait_for_function(f"() => ({NAMES.replace('sites', self.sites.id)})().includes('{name}')")
        return True


@pytest.fixture(scope="module")
def shared(server_dsn: str, template: str) -> Iterator[str]:
    with _database(server_dsn, "chengtu_live", template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def api(shared: str) -> Iterator[httpx.Client]:
    with service(shared, workers="1") as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def live(browser: Any, api: httpx.Client, shared: str, tmp_path: Path) -> Iterator[Live]:
    sites, page = Sites(api, shared, tmp_path), browser.new_page(viewport=WINDOW)
    asked: list[str] = []
    page.goto(str(api.base_url.join("/qgis")))
    page.evaluate(MAP.replace("sites", sites.id))
    page.on("request", lambda request: asked.append(request.url) if "/xyz/" in request.url else None)
    yield Live(page, sites, asked)
    page.close()


def test_the_tile_that_changed_is_loaded_again_and_its_neighbours_are_not(live: Live) -> None:
    live.sites.run("update data.sites set name = '改' where no = 1")
    assert live.shows("改")
    assert {"/".join(one.split("/")[-3:]) for one in live.asked} == {"8/217/94.mvt"}
    assert live.page.evaluate("live.told.length") == 1


def test_a_tile_that_changed_while_out_of_view_is_new_when_it_comes_back(live: Live) -> None:
    live.page.evaluate(
        "new Promise((done) => { live.map.jumpTo({ center: [131, 43] }); live.map.once('idle', done); })"
    )
    live.sites.run("update data.sites set name = '改' where no = 2")
    live.page.wait_for_function("() => live.told.length === 1")
    live.page.evaluate("live.map.jumpTo({ center: [127, 43] })")
    assert live.shows("改")


def test_a_reset_loads_everything_again(live: Live) -> None:
    live.sites.run("truncate data.sites")
    live.page.wait_for_function(f"() => !({NAMES.replace('sites', live.sites.id)})().length")
    assert live.page.evaluate("live.told[0].type") == "reset"


def test_a_map_that_no_longer_follows_is_left_alone(live: Live) -> None:
    live.page.evaluate("live.stop()")
    live.sites.run("update data.sites set name = '改' where no = 1")
    live.page.wait_for_timeout(500)
    assert live.asked == []
