/** The map page: the city's collections as layers, fetched for the view, with nothing from outside. */
import * as maplibre from "./vendor/maplibre-gl/maplibre-gl.mjs";
import { h, inLanguage, isWebAddress, withCommas } from "./dom.js";
import { catalogue, cityExtent } from "./map/catalogue.js";
import { CLICKABLE, Layer, SLOTS } from "./map/layer.js";
import { Panel } from "./map/panel.js";
import { popupContent } from "./map/popup.js";
import { theme } from "./map/theme.js";
import { language, words } from "./map/words.js";

const ON_AT_FIRST = 8;
const IS_POINT = ["in", ["geometry-type"], ["literal", ["Point", "MultiPoint"]]];
const QUIET = 250; // ms without a move before the view is fetched

const root = document.body.dataset.root;
const panel = new Panel(document.querySelector(".panel"), root, {
  toggle,
  zoomTo,
  retry: (layer) => settled([layer.refresh(view())]),
});
let layers = [];
let map = null;
let popup = null;

start();

async function start() {
  try {
    const collections = await catalogue(root, language);
    const first = atFirst(collections);
    map = makeMap(cityExtent(first.length ? first : collections));
    layers = collections.map((collection) => new Layer(map, collection, root, layerChanged));
    layers.forEach((layer) => (layer.on = map !== null && first.includes(layer.collection)));
    panel.fill(layers);
    if (!layers.length) panel.say(words.noLayers);
    if (map) map.on("load", begin);
    else document.body.dataset.ready = "true";
  } catch (error) {
    panel.say(words.noCatalogue(error.message));
    document.body.dataset.ready = "true";
  }
  window.chengtuMap = { map, layers, shown };
}

/** What a test or a curious person may ask: how many features of each layer are drawn. */
function shown() {
  return Object.fromEntries(
    layers.filter((layer) => layer.visible).map((layer) => [layer.collection.id, layer.features.length]),
  );
}

/** The collections named in the address, else the first few that can be drawn. */
function atFirst(collections) {
  const named = new URLSearchParams(location.search).get("layers");
  if (named !== null) return collections.filter(({ id }) => named.split(",").includes(id));
  return collections.filter(({ drawable }) => drawable).slice(0, ON_AT_FIRST);
}

function makeMap(extent) {
  maplibre.setWorkerUrl(new URL("./vendor/maplibre-gl/maplibre-gl-worker.mjs", import.meta.url).href);
  const hidden = { visibility: "none" };
  try {
    const made = new maplibre.Map({
      container: "map",
      style: {
        version: 8,
        sources: {},
        layers: SLOTS.map((id) => ({ id, type: "background", layout: hidden })),
      },
      hash: true,
      locale: words.controls,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      maxZoom: 21,
      localIdeographFontFamily: getComputedStyle(document.body).fontFamily,
      ...(extent && { bounds: extent, fitBoundsOptions: { padding: room(), maxZoom: 17 } }),
    });
    made.touchZoomRotate.disableRotation();
    made.keyboard.disableRotation();
    made.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    made.addControl(new maplibre.ScaleControl({ maxWidth: 120 }), "bottom-right");
    return made;
  } catch {
    panel.say(words.noWebGL);
    return null;
  }
}

/** Space that the panel takes from the view, in pixels. */
function room() {
  const narrow = matchMedia("(max-width: 40rem)").matches;
  return narrow
    ? { top: 40, bottom: 90, left: 30, right: 30 }
    : { top: 40, bottom: 50, left: 350, right: 60 };
}

function view() {
  const box = map.getBounds();
  return [
    Math.max(-180, box.getWest()),
    Math.max(-90, box.getSouth()),
    Math.min(180, box.getEast()),
    Math.min(90, box.getNorth()),
  ];
}

function begin() {
  addSelection();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  let timer = 0;
  map.on("movestart", () => (document.body.dataset.ready = "false"));
  map.on("moveend", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, QUIET);
  });
  map.on("click", ({ point, lngLat }) => inspect(point, lngLat));
  map.on("mousemove", ({ point, lngLat }) => {
    map.getCanvas().style.cursor = featuresAt(point).length ? "pointer" : "";
    tellPlace(lngLat);
  });
  map.on("move", () => tellPlace(map.getCenter()));
  map.getCanvas().addEventListener("keydown", ({ key }) => {
    if (key === "Enter") inspect(map.project(map.getCenter()), map.getCenter());
  });
  tellPlace(map.getCenter());
  languageLink();
  refresh();
}

async function refresh() {
  languageLink();
  await settled(layers.map((layer) => layer.refresh(view())));
}

/** `data-ready` on the body says whether everything asked for is drawn. */
async function settled(requests) {
  document.body.dataset.ready = "false";
  await Promise.all(requests);
  map.once("idle", () => (document.body.dataset.ready = String(!map.isMoving())));
  map.triggerRepaint();
}

function layerChanged(layer) {
  panel.update(layer);
  if (layer.visible) [...layers].sort((a, b) => b.size - a.size).forEach((each) => each.raise());
  tellSources();
}

function toggle(layer, on) {
  const keep = layers.filter((each) => (each === layer ? on : each.on)).map((each) => each.collection.id);
  const address = new URL(location.href);
  address.searchParams.set("layers", keep.join(","));
  history.replaceState(history.state, "", withCommas(address));
  languageLink();
  if (map) settled([layer.set(on, view())]);
}

function zoomTo(layer) {
  map?.fitBounds(layer.collection.extent, { padding: room(), maxZoom: 17 });
}

/** The link to the other language keeps the layers and the view. */
function languageLink() {
  const link = document.querySelector("a[data-language]");
  link.href = inLanguage(link.dataset.language);
}

/** Names and outlines take on the page's colours again when it turns light or dark. */
function repaint() {
  const { ink, paper, seal } = theme();
  for (const { id, type } of map.getStyle().layers) {
    if (type === "symbol") {
      map.setPaintProperty(id, "text-color", ink);
      map.setPaintProperty(id, "text-halo-color", paper);
    } else if (id.endsWith("/points")) map.setPaintProperty(id, "circle-stroke-color", paper);
  }
  map.setPaintProperty("-selected-line", "line-color", seal);
  map.setPaintProperty("-selected-point", "circle-stroke-color", seal);
}

/** The looked-at feature, outlined; no collection can have an id that begins with a dash. */
function addSelection() {
  const { seal } = theme();
  map.addSource("-selected", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({
    id: "-selected-line",
    source: "-selected",
    type: "line",
    filter: ["!", IS_POINT],
    layout: { "line-join": "round" },
    paint: { "line-color": seal, "line-width": 3.5 },
  });
  map.addLayer({
    id: "-selected-point",
    source: "-selected",
    type: "circle",
    filter: IS_POINT,
    paint: {
      "circle-radius": 9,
      "circle-color": "transparent",
      "circle-stroke-color": seal,
      "circle-stroke-width": 3,
    },
  });
}

/** The features under a pixel, topmost first, each once. */
function featuresAt({ x, y }) {
  const ids = layers
    .filter((layer) => layer.visible)
    .flatMap(({ collection }) => CLICKABLE.map((part) => `${collection.id}/${part}`));
  const [low, high] = [-4, 4].map((by) => [x + by, y + by]);
  const hits = map.queryRenderedFeatures([low, high], { layers: ids.filter((id) => map.getLayer(id)) });
  const found = new Map();
  for (const { source, properties } of hits) {
    const layer = layers.find(({ collection }) => collection.id === source);
    found.set(`${source}/${properties.index}`, { layer, feature: layer.features[properties.index] });
  }
  return [...found.values()].filter(({ feature }) => feature);
}

function inspect(point, lngLat) {
  popup?.remove();
  const found = featuresAt(point);
  if (!found.length) return;
  const select = ({ feature }) =>
    map.getSource("-selected").setData({ type: "Feature", properties: {}, geometry: feature.geometry });
  popup = new maplibre.Popup({ maxWidth: "min(22rem, 86vw)" })
    .setLngLat(lngLat)
    .setDOMContent(popupContent(found, root, select))
    .addTo(map);
  popup.on("close", () => map.getSource("-selected").setData({ type: "FeatureCollection", features: [] }));
}

function tellPlace({ lng, lat }) {
  const digits = Math.min(6, Math.max(2, Math.round(map.getZoom() / 3)));
  document.querySelector(".coordinates").textContent = words.place(lng.toFixed(digits), lat.toFixed(digits));
}

/** Who the data on the map are from and what may be done with them, each said once. */
function tellSources() {
  const seen = new Map();
  for (const { collection } of layers.filter((layer) => layer.visible)) {
    const said = [collection.origin, collection.license].filter(Boolean);
    if (said.length) seen.set(said.map(({ title }) => title).join(), said);
  }
  const links = ({ href, title }) => (isWebAddress(href) ? h("a", { href, rel: "noopener" }, title) : title);
  const parts = [...seen.values()].map((pair, index) =>
    h("span", {}, index ? " · " : "", links(pair[0]), ...(pair[1] ? [" ", links(pair[1])] : [])),
  );
  document.querySelector(".sources").replaceChildren(...(parts.length ? [words.sources, ...parts] : []));
}
