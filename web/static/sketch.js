/** Draw features as an SVG: no base map, no library, good on any machine and on paper. */
import { bounds, eachPart } from "./geometry.js";

const WIDTH = 800,
  HEIGHT = 380,
  MARGIN = 22;
const SVG = "http://www.w3.org/2000/svg";

/** Fetch what a figure asks for ("" is what this page shows) and draw it; it stays hidden if that is nothing. */
export async function sketch(figure) {
  const address = new URL(figure.dataset.sketch || location.href, location.href);
  address.searchParams.set("f", "json");
  address.searchParams.delete("crs"); // drawn in longitude and latitude, whatever the page shows
  const answer = await fetch(address, { headers: { Accept: "application/geo+json, application/json" } });
  if (answer.ok) draw(figure, await answer.json());
}

/** Draw a Feature or FeatureCollection (CRS84) into a figure. */
export function draw(figure, data) {
  const features = (data.features ?? [data]).filter((feature) => feature.geometry);
  const wanted = figure.dataset.bbox?.split(",").map(Number);
  const frame = bounds(features.map((feature) => feature.geometry)) ?? wanted;
  if (!features.length || !frame || frame.some((value) => !Number.isFinite(value))) return;
  const place = projection(frame);
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  for (const feature of features) svg.append(shape(feature, place, figure.dataset.items));
  const caption = document.createElement("figcaption");
  const more = (data.links ?? []).some((link) => link.rel === "next");
  const words = more ? figure.dataset.more : features.length === 1 ? figure.dataset.one : figure.dataset.many;
  caption.textContent = words.replace("{n}", features.length);
  svg.setAttribute("aria-label", caption.textContent);
  if (figure.dataset.map) caption.append(" ", mapLink(figure.dataset, frame));
  figure.replaceChildren(svg, caption);
  figure.hidden = false;
}

/** The map page at this frame: its hash is #zoom/latitude/longitude. */
function mapLink({ map, open }, [west, south, east, north]) {
  const zoom = Math.min(18, Math.log2(360 / Math.max(east - west, 2 * (north - south), 1e-6)));
  const link = document.createElement("a");
  link.href = `${map}#${zoom.toFixed(1)}/${((south + north) / 2).toFixed(6)}/${((west + east) / 2).toFixed(6)}`;
  link.textContent = open;
  return link;
}

/** Longitude and latitude -> the drawing's x and y, true to shape at the middle latitude. */
function projection([west, south, east, north]) {
  const squeeze = Math.max(0.05, Math.cos((((south + north) / 2) * Math.PI) / 180));
  const wide = Math.max((east - west) * squeeze, 1e-6),
    high = Math.max(north - south, 1e-6);
  const scale = Math.min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high, 4e6);
  const left = (WIDTH - (east - west) * squeeze * scale) / 2,
    top = (HEIGHT - (north - south) * scale) / 2;
  return ([x, y]) => [round(left + (x - west) * squeeze * scale), round(top + (north - y) * scale)];
}

const round = (value) => Math.round(value * 10) / 10;

function shape(feature, place, items) {
  const group = make(items && feature.id != null ? "a" : "g");
  if (items) group.setAttribute("href", `${items}/${encodeURIComponent(feature.id)}`);
  const areas = [],
    lines = [];
  eachPart(feature.geometry, (part, kind) => {
    if (kind === "Point") {
      const [cx, cy] = place(part);
      group.append(make("circle", { cx, cy, r: 4 }));
    } else if (kind === "LineString") lines.push(path(part, place));
    else areas.push(...part.map((ring) => `${path(ring, place)}z`));
  });
  if (areas.length) group.append(make("path", { d: areas.join(""), "fill-rule": "evenodd" }));
  if (lines.length) group.append(make("path", { d: lines.join(""), class: "line" }));
  const title = make("title");
  title.textContent = feature.id ?? "";
  group.prepend(title);
  return group;
}

const path = (positions, place) => `M${positions.map((position) => place(position).join(" ")).join("L")}`;

function make(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
