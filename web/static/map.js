/** The map page: the city's collections as vector tiles in the service's own style, with nothing from outside. */
import * as maplibre from "./vendor/maplibre-gl/maplibre-gl.mjs";
import { h, inLanguage, isWebAddress, withCommas } from "./dom.js";
import { catalogue, cityExtent, cityStyle, meets } from "./map/catalogue.js";
import { Layer } from "./map/layer.js";
import { Panel } from "./map/panel.js";
import { popupContent } from "./map/popup.js";
import { follow } from "./live.js";
import { addSelection, select } from "./map/selection.js";
import { DARK, theme } from "./map/theme.js";
import { language, words } from "./map/words.js";

const ON_AT_FIRST = 12;

const root = document.body.dataset.root;
const panel = new Panel(document.querySelector(".panel"), root, { toggle, zoomTo, retry });
let layers = [];
let map = null;
let popup = null;

start();

async function start() {
  try {
    const style = await cityStyle(root, language, theme());
    const collections = await catalogue(root, language, style);
    const first = atFirst(collections);
    const height = ({ id }) => style.layers.findIndex((layer) => layer["source-layer"] === id);
    collections.sort((a, b) => height(b) - height(a));
    layers = collections.map((collection) => new Layer(collection, layerChanged));
    layers.forEach((layer) => (layer.on = first.includes(layer.collection)));
    map = makeMap(cityExtent(first.length ? first : collections), style);
    if (!map) layers.forEach((layer) => (layer.on = false));
    panel.fill(layers);
    if (!layers.length) panel.say(words.noLayers);
    if (map) map.on("load", () => begin(style));
    else document.body.dataset.ready = "true";
  } catch (error) {
    panel.say(words.noCatalogue(error.message));
    document.body.dataset.ready = "true";
  }
  window.chengtuMap = { map, layers, shown };
}

/** What a test or a curious person may ask: how many pieces of each layer are drawn. */
function shown() {
  const drawn = ({ clickable }) => map.queryRenderedFeatures({ layers: clickable.filter((id) => map.getLayer(id)) });
  const visible = layers.filter((layer) => layer.state.kind === "shown");
  return Object.fromEntries(visible.map((layer) => [layer.collection.id, drawn(layer).length]));
}

/** The collections named in the address, else those that lie where most of them do. */
function atFirst(collections) {
  const named = new URLSearchParams(location.search).get("layers");
  if (named !== null) return collections.filter(({ id }) => named.split(",").includes(id));
  const city = cityExtent(collections);
  const here = ({ extent, drawable }) => drawable && extent && (!city || meets(extent, city));
  return collections.filter(here).slice(0, ON_AT_FIRST);
}

function makeMap(extent, { layers: [ground] }) {
  maplibre.setWorkerUrl(new URL("./vendor/maplibre-gl/maplibre-gl-worker.mjs", import.meta.url).href);
  try {
    const made = new maplibre.Map({
      container: "map",
      style: { version: 8, sources: {}, layers: [ground] },
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
  return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
}

function begin(style) {
  map.on("error", failed);
  put(style);
  DARK.addEventListener("change", repaint);
  map.on("movestart", busy);
  map.on("idle", settled);
  map.on("moveend", languageLink);
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
  const sources = Object.fromEntries(layers.map(({ collection: { id } }) => [id, [id]]));
  follow(map, { url: `${root}/changes`, sources });
}

/** Put the city's style on the map layer by layer: one that MapLibre refuses leaves the others whole. */
function put(style) {
  for (const [id, source] of Object.entries(style.sources)) {
    if (!map.getSource(id)) map.addSource(id, source);
  }
  for (const layer of layers) {
    layer.styles = style.layers.filter(({ source }) => source?.replace(/-names$/, "") === layer.collection.id);
  }
  const hidden = new Set(layers.filter(({ visible }) => !visible).flatMap(({ styles }) => styles));
  for (const one of style.layers) {
    const visibility = hidden.has(one) ? "none" : "visible";
    if (!map.getLayer(one.id)) map.addLayer({ ...one, layout: { ...one.layout, visibility } });
  }
  addSelection(map);
  layers.forEach((layer) => layer.set(map, layer.on));
}

/** The page has turned light or dark: the service draws the same city in the other colours. */
async function repaint() {
  busy();
  const style = await cityStyle(root, language, theme());
  for (const { id } of map.getStyle().layers) map.removeLayer(id);
  const legends = new Map(style.metadata["chengtu:legend"].map(({ id, entries }) => [id, entries]));
  put(style);
  for (const layer of layers) {
    layer.collection.entries = legends.get(layer.collection.id) ?? [];
    panel.explain(layer);
  }
}

/** `data-ready` on the body says whether everything asked for is drawn. */
function busy() {
  document.body.dataset.ready = "false";
}

function settled() {
  layers.forEach((layer) => layer.tell(map, view()));
  document.body.dataset.ready = String(!map.isMoving());
}

function failed({ sourceId, error }) {
  const layer = layers.find(({ collection }) => collection.id === sourceId);
  if (!layer) return console.warn(error?.message);
  layer.broken = error?.status ? `HTTP ${error.status}` : words.noAnswer;
  layer.tell(map, view());
}

function layerChanged(layer) {
  panel.update(layer);
  tellSources();
}

function toggle(layer, on) {
  const keep = layers.filter((each) => (each === layer ? on : each.on)).map((each) => each.collection.id);
  const address = new URL(location.href);
  address.searchParams.set("layers", keep.join(","));
  history.replaceState(history.state, "", withCommas(address));
  languageLink();
  if (!map) return;
  busy();
  layer.set(map, on);
  map.triggerRepaint();
}

function retry(layer) {
  layer.broken = null;
  layer.become({ kind: "loading" });
  busy();
  map.refreshTiles(layer.collection.id);
  map.triggerRepaint();
}

function zoomTo(layer) {
  map?.fitBounds(layer.collection.extent, { padding: room(), maxZoom: 17 });
}

/** The link to the other language keeps the layers and the view. */
function languageLink() {
  const link = document.querySelector("a[data-language]");
  link.href = inLanguage(link.dataset.language);
}

/** The features under a pixel, topmost first, each once; several of low zooms that were merged have no key. */
function featuresAt({ x, y }) {
  const visible = layers.filter((layer) => layer.visible);
  const ids = visible.flatMap(({ clickable }) => clickable).filter((id) => map.getLayer(id));
  const [low, high] = [-3, 3].map((by) => [x + by, y + by]);
  const found = new Map();
  for (const { source, id, properties } of map.queryRenderedFeatures([low, high], { layers: ids })) {
    const layer = layers.find(({ collection }) => collection.id === source);
    const key = id ?? properties[layer.collection.key] ?? null;
    const name = JSON.stringify([source, key ?? properties]);
    if (!found.has(name)) found.set(name, { layer, key, properties });
  }
  return [...found.values()];
}

function inspect(point, lngLat) {
  popup?.remove();
  const found = featuresAt(point);
  if (!found.length) return;
  popup = new maplibre.Popup({ maxWidth: "min(22rem, 86vw)" })
    .setLngLat(lngLat)
    .setDOMContent(popupContent(found, root, (geometry) => select(map, geometry)))
    .addTo(map);
  popup.on("close", () => select(map, null));
}

function tellPlace({ lng, lat }) {
  const digits = Math.min(6, Math.max(2, Math.round(map.getZoom() / 3)));
  document.querySelector(".coordinates").textContent = words.place(lng.toFixed(digits), lat.toFixed(digits));
}

/** Who the data on the map are from and what may be done with them, each said once. */
function tellSources() {
  const seen = new Map();
  for (const { collection } of layers.filter((layer) => layer.state.kind === "shown")) {
    const said = [collection.origin, collection.license].filter(Boolean);
    if (said.length) seen.set(said.map(({ title }) => title).join(), said);
  }
  const links = ({ href, title }) => (isWebAddress(href) ? h("a", { href, rel: "noopener" }, title) : title);
  const parts = [...seen.values()].map((pair, index) =>
    h("span", {}, index ? " · " : "", links(pair[0]), ...(pair[1] ? [" ", links(pair[1])] : [])),
  );
  document.querySelector(".sources").replaceChildren(...(parts.length ? [words.sources, ...parts] : []));
}
