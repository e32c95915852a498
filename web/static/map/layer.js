/** One collection on the map: it fetches what the view needs and owns its source and its map layers. */
import { bounds, labelPoint } from "../geometry.js";
import { meets, within } from "./catalogue.js";
import { nameOf } from "./names.js";
import { theme } from "./theme.js";

export const LIMIT = 2000;

/** Map layers that draw nothing: all fills go under the first, all lines under the second, and so on;
 *  where names collide the upper one stays. */
export const SLOTS = ["fills", "edges", "lines", "points", "streets", "names", "areas"].map(
  (kind) => `slot-${kind}`,
);

const NOTHING = { type: "FeatureCollection", features: [] };

export class Layer {
  /** `changed` is called at each new `state`: off, outside, loading, shown, empty, flat, failed or notFeatures. */
  constructor(map, collection, root, changed) {
    Object.assign(this, { map, collection, root, changed });
    this.features = []; // as the service sent them; the map's own copies carry only index and name
    this.size = 0; // the middle extent of its polygons in degrees: larger ones are drawn lower
    this.on = false;
    this.loaded = null; // the box that `features` holds completely
    this.state = collection.drawable ? { kind: "off" } : { kind: "notFeatures" };
  }

  get visible() {
    return this.on && this.state.kind === "shown";
  }

  set(on, view) {
    this.on = on && this.collection.drawable;
    if (!this.on) {
      this.fetching?.abort();
      this.become({ kind: "off" });
      this.draw([]);
      this.loaded = null;
      return Promise.resolve();
    }
    return this.refresh(view);
  }

  /** Bring the layer up to the view [west, south, east, north]; a newer call ends an older one. */
  async refresh(view) {
    if (!this.on) return;
    this.fetching?.abort();
    if (this.loaded && within(view, this.loaded)) return;
    if (this.collection.extent && !meets(this.collection.extent, view)) {
      this.loaded = null;
      this.become({ kind: "outside" });
      return;
    }
    const request = (this.fetching = new AbortController());
    if (!this.loaded && this.state.kind !== "shown") this.become({ kind: "loading" });
    try {
      this.take(await this.fetch(enlarged(view), request.signal), enlarged(view));
    } catch (error) {
      if (request.signal.aborted) return;
      this.loaded = null;
      this.draw([]);
      this.become({ kind: "failed", why: error.message });
    }
  }

  async fetch(box, signal) {
    const address = `${this.root}/collections/${encodeURIComponent(this.collection.id)}/items`;
    const bbox = box.map((value) => value.toFixed(6)).join(",");
    const answer = await fetch(`${address}?f=json&limit=${LIMIT}&bbox=${bbox}`, { signal });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  }

  take(data, box) {
    const all = data.features ?? [];
    const features = all.filter((feature) => feature.geometry);
    const total = data.numberMatched;
    const more = total > all.length || (data.links ?? []).some(({ rel }) => rel === "next");
    this.loaded = more ? null : box;
    this.draw(features);
    if (features.length) this.become({ kind: "shown", count: features.length, total: total ?? null, more });
    else this.become({ kind: all.length ? "flat" : "empty" });
  }

  become(state) {
    this.state = state;
    this.changed(this);
  }

  draw(features) {
    this.features = features;
    if (!this.map || (!features.length && !this.map.getSource(this.collection.id))) return;
    if (!this.map.getSource(this.collection.id)) this.add();
    const drawn = features.flatMap((feature, index) => copies(feature, index));
    const sizes = features.map(({ geometry }) => (/Polygon/.test(geometry.type) ? extentSize(geometry) : 0));
    this.size = sizes.sort((a, b) => a - b)[Math.floor(sizes.length / 2)] ?? 0;
    this.map.getSource(this.collection.id).setData({ ...NOTHING, features: drawn });
  }

  add() {
    const source = this.collection.id;
    this.map.addSource(source, { type: "geojson", data: NOTHING, maxzoom: 20, tolerance: 0.3 });
    for (const [slot, layer] of Object.entries(mapLayers(this.collection.colour))) {
      this.map.addLayer({ ...layer, source, id: `${source}/${slot}` }, `slot-${slot}`);
    }
  }

  /** Put this layer's fills above all fills so far. */
  raise() {
    const fills = `${this.collection.id}/fills`;
    if (this.map?.getLayer(fills)) this.map.moveLayer(fills, "slot-fills");
  }
}

/** A sixth more on each side, so that a small move needs no new request. */
function enlarged([west, south, east, north]) {
  const x = (east - west) / 6;
  const y = (north - south) / 6;
  return [
    Math.max(-180, west - x),
    Math.max(-90, south - y),
    Math.min(180, east + x),
    Math.min(90, north + y),
  ];
}

function extentSize(geometry) {
  const box = bounds([geometry]);
  return box ? Math.hypot(box[2] - box[0], box[3] - box[1]) : 0;
}

/** What the map gets of a feature: its shape, and for polygons a point that bears the name. */
function copies(feature, index) {
  const name = nameOf(feature.properties);
  const shape = { type: "Feature", geometry: feature.geometry, properties: { index, name } };
  if (!name || !/Polygon/.test(feature.geometry.type)) return [shape];
  const label = labelPoint(feature.geometry);
  delete shape.properties.name;
  if (!label) return [shape];
  const geometry = { type: "Point", coordinates: label.point };
  return [shape, { type: "Feature", geometry, properties: { name, index, from: zoomToRead(label.area) } }];
}

/** The zoom from which an area, in twice square degrees, is wide enough for its name: 45 pixels. */
const zoomToRead = (area) => Math.log2((45 * 360) / (512 * Math.sqrt(area / 2 || 1e-12)));

const byZoom = (...stops) => ["interpolate", ["exponential", 1.4], ["zoom"], ...stops];

/** A style layer for each slot: polygons, their edges, lines, points, and the names of all three. */
function mapLayers(colour) {
  const { ink, paper } = theme();
  const is = (type) => ["in", ["geometry-type"], ["literal", [type, `Multi${type}`]]];
  const isLabel = ["has", "from"];
  const isPlace = ["all", is("Point"), ["!", isLabel]];
  const round = { "line-join": "round", "line-cap": "round" };
  const name = { "text-field": ["get", "name"], "text-font": ["sans-serif"], "text-max-width": 9 };
  const small = { ...name, "text-size": byZoom(10, 12, 18, 15) };
  const large = { ...name, "text-size": byZoom(10, 14, 18, 18), "text-letter-spacing": 0.08 };
  const letters = { "text-color": ink, "text-halo-color": paper, "text-halo-width": 1.4 };
  const around = { "text-variable-anchor": ["top", "bottom", "left", "right"], "text-radial-offset": 0.6 };
  const dot = { "circle-color": colour, "circle-stroke-color": paper, "circle-stroke-width": 1 };
  const fill = { "fill-color": colour, "fill-opacity": 0.22, "fill-antialias": false };
  const edge = { "line-color": colour, "line-opacity": 0.85, "line-width": byZoom(9, 0.5, 14, 0.9, 18, 2) };
  const line = { "line-color": colour, "line-width": byZoom(8, 0.8, 14, 2, 18, 5) };
  const along = { "symbol-placement": "line", "symbol-spacing": 350 };
  const largestFirst = { "symbol-sort-key": ["get", "from"] };
  return {
    fills: { type: "fill", filter: is("Polygon"), paint: fill },
    edges: { type: "line", filter: is("Polygon"), layout: round, paint: edge },
    lines: { type: "line", filter: is("LineString"), layout: round, paint: line },
    points: {
      type: "circle",
      filter: isPlace,
      paint: { ...dot, "circle-radius": byZoom(8, 2, 14, 4.5, 18, 8) },
    },
    streets: {
      type: "symbol",
      filter: is("LineString"),
      minzoom: 12,
      layout: { ...small, ...along },
      paint: letters,
    },
    names: { type: "symbol", filter: isPlace, layout: { ...small, ...around }, paint: letters },
    areas: {
      type: "symbol",
      filter: ["all", isLabel, [">=", ["zoom"], ["get", "from"]]],
      layout: { ...large, ...largestFirst },
      paint: letters,
    },
  };
}

/** The parts of a layer that a click can meet. */
export const CLICKABLE = ["fills", "lines", "points"];
