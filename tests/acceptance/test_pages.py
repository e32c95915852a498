"""The pages in a real browser with the network cut: whatever is not this service is refused and remembered."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="pages: pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
WINDOW = {"width": 1100, "height": 700}
READY = "body[data-ready=true]"
PAGES = [
    "/",
    "/collections",
    "/collections/parcels",
    "/collections/parcels/schema",
    "/collections/parcels/queryables",
    "/collections/parcels/items",
    "/collections/parcels/items/{item}",
    "/conformance",
    "/openapi?f=html",
    "/openapi?f=html&ui=redoc",
    "/processes",
    "/processes/{process}",
    "/tiles",
    "/tileMatrixSets",
    "/tileMatrixSets/CGCS2000Quad",
    "/collections/parcels/tiles",
    "/collections/parcels/tiles/WebMercatorQuad",
    "/map",
    "/qgis",
    "/qgis?collection=parcels",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="pages: apt-get install chromium"),
]


class Visit(NamedTuple):
    """A page and what went wrong on it: requests to elsewhere, and errors in its console."""

    page: Any
    outside: list[str]
    errors: list[str]


Visitor = Callable[..., Visit]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, drawing WebGL in software."""
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


Contexts = Callable[..., Any]


@pytest.fixture(scope="module")
def context(browser: Any) -> Contexts:
    """One browser profile for each language and kind of window: what it has cached saves the next test time."""
    made: dict[str, Any] = {}

    def find(**how: Any) -> Any:
        kind = json.dumps(how)
        if kind not in made:
            made[kind] = browser.new_context(**how)
        return made[kind]

    return find


@pytest.fixture
def visit(context: Contexts, live_server: str) -> Iterator[Visitor]:
    """Open a page of the service, cut off from everything else."""
    pages = []

    def open_(path: str, language: str = "zh", setup: Callable[[Any], None] = lambda page: None, **how: Any) -> Visit:
        page = context(locale=language, **{"viewport": WINDOW, **how}).new_page()
        pages.append(page)
        seen = Visit(page, [], [])
        page.on("console", lambda said: seen.errors.extend([said.text] if said.type == "error" else []))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.route("**/*", lambda route: _inside_only(route, live_server, seen.outside))
        setup(page)
        page.goto(f"{live_server}{path}")
        if path.startswith("/map"):
            page.wait_for_selector(READY)
        return seen

    yield open_
    for page in pages:
        page.close()


def _inside_only(route: Any, base: str, outside: list[str]) -> None:
    if route.request.url.startswith((f"{base}/", "data:", "blob:")):
        route.continue_()
    else:
        outside.append(route.request.url)
        route.abort()


def _json(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def names(live_server: str) -> dict[str, str]:
    """A parcel and a process to look at."""
    item = _json(f"{live_server}/collections/parcels/items?f=json&limit=1")["features"][0]["id"]
    process = _json(f"{live_server}/processes?f=json")["processes"][0]["id"]
    return {"item": str(item), "process": process}


IN_ENGLISH = ["/", "/collections/parcels/items", "/processes/{process}", "/map", "/qgis?collection=parcels"]


@pytest.mark.parametrize(("path", "language"), [(path, "zh") for path in PAGES] + [(path, "en") for path in IN_ENGLISH])
def test_every_page_is_whole_with_the_network_cut(
    visit: Visitor, names: dict[str, str], path: str, language: str
) -> None:
    seen = visit(path.format(**names), language)
    if not path.startswith("/map"):  # that one is never at rest: it listens to changes
        seen.page.wait_for_load_state("networkidle")
    assert seen.outside == []
    assert seen.errors == []
    assert seen.page.get_attribute("html", "lang") == language
    assert seen.page.locator("h1").count() == 1


class Inline(HTMLParser):
    """Collects what a strict Content-Security-Policy would refuse: scripts, styles and handlers in the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or "style" in given or (tag == "script" and "src" not in given):
            self.found.append(tag)
        self.found += [name for name in given if name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_carries_a_script_or_style_of_its_own(live_server: str, names: dict[str, str], path: str) -> None:
    request = urllib.request.Request(f"{live_server}{path.format(**names)}", headers={"Accept": "text/html"})
    with urllib.request.urlopen(request) as answer:
        inline = Inline()
        inline.feed(answer.read().decode())
    assert inline.found == []


def test_a_language_chosen_once_stays_chosen(visit: Visitor) -> None:
    page = visit("/collections/parcels", "zh").page
    page.click("a[data-language]")
    page.wait_for_url("**lang=en")
    page.click("main a[href*='/collections/parcels/items']")
    page.wait_for_url("**/items?lang=en")
    assert page.get_attribute("html", "lang") == "en"
    assert page.locator("table").count() == 1


def test_the_landing_page_gives_the_address_that_qgis_wants(visit: Visitor, live_server: str) -> None:
    page = visit("/").page
    assert page.input_value("#service-url").rstrip("/") == live_server.rstrip("/")


def test_a_collection_is_sketched_without_a_base_map(visit: Visitor) -> None:
    page = visit("/collections/parcels").page
    page.wait_for_selector(".sketch svg")
    assert page.locator(".sketch path").count() > 0


def test_the_api_page_lists_the_addresses_of_a_collection(visit: Visitor) -> None:
    page = visit("/openapi?f=html").page
    page.fill("#api-filter", "/collections/parcels/items")
    page.wait_for_selector("#api details details")
    assert "/collections/parcels/items" in page.inner_text("#api")


def test_the_map_draws_the_collections_it_lists(visit: Visitor) -> None:
    page = visit("/map").page
    shown = page.evaluate("chengtuMap.shown()")
    assert shown["parcels"] > 0
    assert len(shown) > 1
    assert page.locator(".layers li[data-layer]").count() >= len(shown)
    sources = page.evaluate("Object.values(chengtuMap.map.getStyle().sources).map(({type, url}) => type + ' ' + url)")
    assert any(source.startswith("vector http") and source.endswith("/xyz/parcels.json") for source in sources)


def test_the_legend_has_the_classes_in_the_colours_of_the_map(visit: Visitor) -> None:
    page = visit("/map?layers=parcels").page
    said = page.locator("[data-layer=parcels] .legend li").all_inner_texts()
    assert said == ["0701", "0303", "1003", "其他"]  # most frequent first
    colours = page.evaluate(
        """() => {
          const paint = chengtuMap.map.getPaintProperty('parcels', 'fill-color');
          const dots = [...document.querySelectorAll('[data-layer=parcels] .legend li .swatch')];
          return {paint, legend: dots.map((dot) => dot.style.getPropertyValue('--colour'))};
        }"""
    )
    assert colours["legend"] == [*colours["paint"][3:-1:2], colours["paint"][-1]]


def test_a_click_on_the_map_tells_a_features_attributes(visit: Visitor) -> None:
    page = visit("/map?layers=parcels").page
    spot = page.evaluate(_VISIBLE_SPOT)
    page.mouse.click(spot["x"], spot["y"])
    page.wait_for_selector(".feature td:text('宗地')")  # 名称 may be in the tile; area_m2 is fetched
    page.wait_for_selector(".feature th:text('surveyed')")
    assert "/collections/parcels/items/" in page.get_attribute(".feature a:last-of-type", "href")
    assert page.evaluate("chengtuMap.map.getSource('-selected').serialize().data.type") == "Feature"


_VISIBLE_SPOT = """() => {
  const map = chengtuMap.map;
  for (let x = 420; x < 1000; x += 9)
    for (let y = 40; y < 640; y += 9)
      if (map.queryRenderedFeatures([x, y], {layers: ['parcels']}).length) return {x, y};
}"""


def test_the_keyboard_moves_the_map_and_asks_what_is_in_its_middle(visit: Visitor) -> None:
    page = visit("/map?layers=parcels#17/43.8135/126.5262").page
    page.focus(".maplibregl-canvas")
    before = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(before) => location.href !== before", arg=before)
    page.wait_for_selector(READY)
    page.keyboard.press("Enter")
    page.wait_for_selector(".feature h2")


def test_features_that_are_merged_far_out_say_so(visit: Visitor) -> None:
    page = visit("/map").page
    said = page.evaluate(
        """async () => {
          const {popupContent} = await import('/static/map/popup.js');
          const collection = {id: 'x', title: 'x', shape: 'area', entries: [{value: 'a', title: 'A', colour: '#123456'}],
                              classField: 'use'};
          const content = popupContent([{layer: {collection}, key: null, properties: {use: 'a'}}], '', () => {});
          return [content.querySelector('h2').innerText || content.querySelector('h2').textContent, content.textContent];
        }"""
    )
    assert said[0] == "A"
    assert "放大后可逐个查看" in said[1]


def test_a_layer_switched_off_leaves_the_map_and_the_address(visit: Visitor) -> None:
    page = visit("/map").page
    page.uncheck("[data-layer=parcels] input")
    page.wait_for_selector(READY)
    assert "parcels" not in page.evaluate("chengtuMap.shown()")
    assert "layers=" in page.url
    assert "parcels" not in page.url
    page.reload()
    page.wait_for_selector(READY)
    assert not page.is_checked("[data-layer=parcels] input")


def test_the_address_keeps_the_view_and_the_other_language_shows_the_same(visit: Visitor) -> None:
    page = visit("/map?layers=parcels").page
    page.evaluate("void chengtuMap.map.zoomTo(chengtuMap.map.getZoom() + 1, {animate: false})")
    page.wait_for_selector(READY)
    place = page.url.split("#")[1]
    page.click("a[data-language]")
    page.wait_for_url("**lang=en**")
    page.wait_for_selector(READY)
    assert page.get_attribute("html", "lang") == "en"
    assert page.url.split("#")[1] == place
    assert list(page.evaluate("chengtuMap.shown()")) == ["parcels"]
    assert page.locator("[data-layer=parcels] .legend li").last.inner_text() == "Other"


def test_a_collection_that_fails_is_named_and_the_others_stay(visit: Visitor) -> None:
    def fail(page: Any) -> None:
        page.route("**/xyz/parcels/**", lambda route: route.abort())

    page = visit("/map", setup=fail).page
    page.wait_for_selector("[data-layer=parcels][data-state=failed]")
    assert page.inner_text("[data-layer=parcels] small") != ""
    assert len(page.evaluate("chengtuMap.shown()")) > 0


def test_what_has_no_geometry_is_listed_with_the_reason_and_a_bad_layer_spoils_no_other(
    visit: Visitor, live_server: str
) -> None:
    style = _json(f"{live_server}/style.json?lang=zh")
    style["metadata"]["chengtu:legend"] = [one for one in style["metadata"]["chengtu:legend"] if one["id"] != "roads"]
    style["layers"].insert(1, {"id": "bad", "type": "fill", "source": "parcels", "paint": {"fill-color": ["no"]}})

    def serve(page: Any) -> None:
        page.route("**/style.json*", lambda route: route.fulfill(json=style))

    page = visit("/map", setup=serve).page
    assert page.is_disabled("[data-layer=roads] input")
    assert page.inner_text("[data-layer=roads] small") == "没有几何，仅有属性"
    assert page.evaluate("chengtuMap.shown()")["parcels"] > 0


def test_a_page_that_turns_dark_draws_the_map_dark(visit: Visitor) -> None:
    page = visit("/map?layers=parcels").page
    ground = "chengtuMap.map.getPaintProperty('-ground', 'background-color')"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"(light) => chengtuMap.map.getLayer('-ground') && {ground} !== light", arg=light)
    page.wait_for_selector(READY)
    assert page.evaluate("chengtuMap.shown()")["parcels"] > 0


def test_without_webgl_the_data_sets_are_still_listed(visit: Visitor) -> None:
    def blind(page: Any) -> None:
        page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")

    page = visit("/map", setup=blind).page
    assert page.inner_text(".panel .message") != ""
    assert page.locator(".layers li").count() > 1


def test_a_phone_shows_the_map_first_and_the_layers_on_demand(visit: Visitor) -> None:
    page = visit("/map", viewport={"width": 390, "height": 844}, has_touch=True).page
    assert not page.is_visible(".layers")
    page.tap(".panel summary")
    assert page.is_visible(".layers")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    "path", ["/", "/collections", "/collections/parcels", "/collections/parcels/items", "/qgis?collection=parcels"]
)
def test_no_page_is_wider_than_a_phone(visit: Visitor, path: str) -> None:
    page = visit(path, viewport={"width": 390, "height": 844}).page
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


HOSTILE = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"


def test_a_feature_on_the_map_shows_names_beside_codes(visit: Visitor) -> None:
    page = visit("/map?layers=parcels").page
    lines = page.evaluate(
        """async () => {
          const {card} = await import('/static/map/popup.js');
          const collection = {id: 'dltb', title: 'DLTB', shape: 'area', entries: []};
          const fields = {DLBM: {title: 'Land class', oneOf: [{const: '0101', title: 'Paddy field'}]}};
          const parts = card({layer: {collection}, key: 1}, {properties: {DLBM: '0101', QSXZ: '30'}}, '', null, fields);
          return parts.flatMap((part) => [...part.querySelectorAll('tr')].map((row) => row.innerText));
        }"""
    )
    assert [line.split() for line in lines] == [["Land", "class0101", "Paddy", "field"], ["QSXZ30"]]


def test_attributes_are_never_read_as_markup(visit: Visitor) -> None:
    page = visit("/map?layers=parcels").page
    page.evaluate(
        """async (text) => {
          const {popupContent} = await import('/static/map/popup.js');
          const {draw} = await import('/static/sketch.js');
          const feature = {type: 'Feature', id: text, geometry: {type: 'Point', coordinates: [1, 2]},
                           properties: {name: text, [text]: text, link: 'javascript:window.pwned=1'}};
          const entries = [{value: null, title: text, colour: text}];
          const layer = {collection: {id: text, title: text, shape: 'area', entries}};
          const figure = Object.assign(document.createElement('figure'), {className: 'test'});
          Object.assign(figure.dataset, {one: text, many: text, more: text, items: '/collections/x/items'});
          draw(figure, feature);
          const found = {layer, key: null, properties: feature.properties};
          document.body.append(popupContent([found], '', () => {}), figure);
        }""",
        HOSTILE,
    )
    assert HOSTILE in page.inner_text(".feature")
    assert page.locator(".feature img, .feature script, .test img, .test script").count() == 0
    assert page.locator("[href^='javascript']").count() == 0
    assert page.evaluate("window.pwned") is None
