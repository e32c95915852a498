/** Keeps a MapLibre map up to date: listens to /changes, and loads again exactly what changed. */

const MOST_BOXES = 500; // remembered for tiles out of view; beyond so many, everything is loaded anew
const BUFFER = 64 / 4096; // of a tile's side: what a tile draws beyond its edge
const TILE = 512; // pixels of the tiles that MapLibre's zoom levels count in
const AGAIN = 5000; // ms before a stream that was refused is asked for again

/**
 * Follow the changes of a map's sources until the function that comes back is called.
 *
 * @param map a MapLibre map
 * @param url the address of /changes
 * @param sources by the id of each source, the collections that it shows: a list of ids, or null for all there are; a
 *   source of GeoJSON that has an address is loaded anew as a whole
 * @param onchange hears of each event: {type, collection, features, bbox, ...}
 */
export function follow(map, { url, sources, onchange = () => {} }) {
  const followed = Object.entries(sources).map(([id, shows]) => new Followed(map, id, shows));
  const hear = ({ type, data }) => {
    const told = { type, ...JSON.parse(data) };
    followed.filter((source) => source.isAbout(told.collection)).forEach((source) => source.take(told));
    onchange(told);
  };
  const settled = () => followed.forEach((source) => source.settle());
  const stop = listen(withCollections(url, sources), hear);
  map.on("idle", settled);
  return () => {
    stop();
    map.off("idle", settled);
  };
}

/** A stream that begins again whatever ends it; a browser itself does so only where the connection was lost. */
function listen(address, hear) {
  let stream = null;
  let timer = 0;
  let last = "";
  const open = () => {
    const resumed = new URL(address);
    if (last) resumed.searchParams.set("since", last);
    stream = new EventSource(resumed);
    for (const type of ["change", "reset"])
      stream.addEventListener(type, (event) => {
        last = event.lastEventId;
        hear(event);
      });
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, AGAIN);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    stream.close();
  };
}

function withCollections(url, sources) {
  const address = new URL(url, document.baseURI);
  const shown = Object.values(sources);
  if (!shown.includes(null)) address.searchParams.set("collections", [...new Set(shown.flat())].join(","));
  return address;
}

/** A source of the map: which of its tiles have become stale, and when each was last loaded again. */
class Followed {
  constructor(map, id, shows) {
    Object.assign(this, { map, id, shows });
    this.forget();
  }

  forget() {
    this.boxes = []; // where something changed, each with its number
    this.loaded = new Map(); // "z/x/y" -> the number of changes that it has been loaded after
    this.count = 0;
  }

  isAbout(collection) {
    return this.shows === null || this.shows.includes(collection);
  }

  take(told) {
    const source = this.map.getSource(this.id);
    if (!source) return;
    if (source.type === "geojson") {
      const { data } = source.serialize();
      if (typeof data === "string") source.setData(data);
      return;
    }
    const boxes = told.truncated || !told.features ? null : told.features.map(({ bbox }) => bbox).filter(Boolean);
    if (boxes === null || this.boxes.length + boxes.length > MOST_BOXES) {
      this.forget();
      this.map.refreshTiles(this.id);
      return;
    }
    this.count += 1;
    this.boxes.push(...boxes.map((box) => ({ box, number: this.count })));
    this.refreshStale();
  }

  /** Load again what is stale in the view; what is still on its way is seen to once the map is at rest. */
  refreshStale() {
    const stale = this.map.getSource(this.id) && this.boxes.length ? this.stale() : [];
    if (stale.length) this.map.refreshTiles(this.id, stale.map(({ tile }) => tile));
    return stale;
  }

  /** The map is at rest: tiles that were out of view when they changed have come out of its memory. */
  settle() {
    for (const { key, changed } of this.refreshStale()) this.loaded.set(key, changed);
  }

  stale() {
    return this.inView()
      .map((tile) => ({
        tile,
        key: `${tile.z}/${tile.x}/${tile.y}`,
        changed: this.boxes.findLast(({ box }) => touches(tile, box))?.number ?? 0,
      }))
      .filter(({ key, changed }) => changed > (this.loaded.get(key) ?? 0));
  }

  /** The tiles of the view, and those above them that stand in while others load. */
  inView() {
    const { minzoom = 0, maxzoom = 22, tileSize = TILE } = this.map.getSource(this.id);
    const zoom = this.map.getZoom() + Math.log2(TILE / tileSize);
    const deepest = Math.max(minzoom, Math.min(maxzoom, Math.ceil(zoom)));
    const view = this.map.getBounds();
    const box = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()];
    const tiles = [];
    for (let z = Math.max(minzoom, deepest - 3); z <= deepest; z++) tiles.push(...covering(box, z));
    return tiles;
  }
}

function covering(box, z) {
  const [left, top, right, bottom] = place(box, z).map(Math.floor);
  const side = 2 ** z;
  const tiles = [];
  for (let x = left; x <= Math.min(right, left + side - 1); x++)
    for (let y = Math.max(0, top); y <= Math.min(side - 1, bottom); y++) tiles.push({ z, x: mod(x, side), y });
  return tiles;
}

function touches({ z, x, y }, box) {
  const [left, top, right, bottom] = place(box, z);
  return left <= x + 1 + BUFFER && right >= x - BUFFER && top <= y + 1 + BUFFER && bottom >= y - BUFFER;
}

/** A box in degrees, as left, top, right and bottom in tiles of a zoom of Web Mercator. */
function place([west, south, east, north], z) {
  const side = 2 ** z;
  const across = (longitude) => ((longitude + 180) / 360) * side;
  const down = (latitude) => {
    const bounded = (Math.max(-85.0511, Math.min(85.0511, latitude)) * Math.PI) / 180;
    return ((1 - Math.asinh(Math.tan(bounded)) / Math.PI) / 2) * side;
  };
  return [across(west), down(north), across(east), down(south)];
}

const mod = (number, side) => ((number % side) + side) % side;
