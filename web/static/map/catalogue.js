/** The city's collections, how the service's style draws them, and what can be known before anything is drawn. */

/** Fetch all collections -> [{id, title, extent, drawable, origin, license, key, classField, entries, shape}]. */
export async function catalogue(root, language, style) {
  const { collections } = await json(`${root}/collections?f=json&lang=${language}`);
  const legends = new Map(style.metadata["chengtu:legend"].map((legend) => [legend.id, legend]));
  return collections.map((collection) => ({
    id: collection.id,
    title: collection.title || collection.id,
    count: collection.itemCount,
    extent: extentOf(collection),
    drawable: legends.has(collection.id),
    origin: linkOf(collection, "via"),
    license: linkOf(collection, "license"),
    ...legendOf(legends.get(collection.id)),
  }));
}

/** The style of the city, in the page's language, for light or dark. */
export const cityStyle = (root, language, theme) => json(`${root}/style.json?lang=${language}&theme=${theme}`);

const schemas = new Map();

/** What the fields of a collection and their codes are called -> {name: {title, oneOf}}; nothing where that cannot be had. */
export function fieldsOf(id, root, language) {
  const address = `${root}/collections/${encodeURIComponent(id)}/schema?f=json&lang=${language}`;
  if (!schemas.has(id)) schemas.set(id, json(address).then(({ properties }) => properties, () => ({})));
  return schemas.get(id);
}

export async function json(address, signal) {
  const answer = await fetch(address, { signal, headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

const legendOf = (legend) => ({
  key: legend?.key,
  classField: legend?.class,
  shape: legend?.role === "boundary" ? "boundary" : (legend?.shape ?? "none"),
  entries: legend?.entries ?? [],
});

/** The first link of a relation: `via` names where the data are from, `license` what may be done with them. */
function linkOf({ links = [] }, relation) {
  const link = links.find(({ rel }) => rel === relation);
  return link ? { href: link.href, title: link.title || link.href } : null;
}

/** [west, south, east, north], heights dropped; null where the collection says nothing usable. */
function extentOf({ extent }) {
  const box = extent?.spatial?.bbox?.[0];
  const flat = box?.length === 6 ? [box[0], box[1], box[3], box[4]] : box;
  return flat?.length === 4 && flat.every(Number.isFinite) && flat[0] <= flat[2] && flat[1] <= flat[3]
    ? flat
    : null;
}

/** The extent most collections share: one stray data set must not open the map on the whole world. */
export function cityExtent(collections) {
  const known = collections.map(({ extent }) => extent).filter((box) => box && box[2] - box[0] < 30);
  if (!known.length) return null;
  const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const x = middle(known.map(([west, , east]) => (west + east) / 2));
  const y = middle(known.map(([, south, , north]) => (south + north) / 2));
  const near = known.filter(
    (box) => Math.abs((box[0] + box[2]) / 2 - x) < 3 && Math.abs((box[1] + box[3]) / 2 - y) < 3,
  );
  return union(near.length ? near : known);
}

const union = (boxes) =>
  boxes.reduce((a, b) => [
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.max(a[2], b[2]),
    Math.max(a[3], b[3]),
  ]);

export const meets = (a, b) => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
