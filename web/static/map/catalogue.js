/** The city's collections, and what can be known of them before anything is drawn. */
const COLOURS = [
  "#1f78b4",
  "#d97706",
  "#2a9d5c",
  "#c8385a",
  "#7b5cc4",
  "#a6761d",
  "#0f9aa6",
  "#d45fa5",
  "#6b8e23",
  "#4a66d8",
  "#b5532a",
  "#5f7f95",
];

/** Fetch all collections -> [{id, title, colour, extent, drawable, origin, license}]. */
export async function catalogue(root, language) {
  const answer = await fetch(`${root}/collections?f=json&lang=${language}`);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const { collections } = await answer.json();
  const colours = colourById(collections.map(({ id }) => id));
  return collections.map((collection) => ({
    id: collection.id,
    title: collection.title || collection.id,
    colour: colours.get(collection.id),
    extent: extentOf(collection),
    drawable: collection.itemType === "feature",
    origin: linkOf(collection, "via"),
    license: linkOf(collection, "license"),
  }));
}

/** The first link of a relation: `via` names where the data are from, `license` what may be done with them. */
function linkOf({ links = [] }, relation) {
  const link = links.find(({ rel }) => rel === relation);
  return link ? { href: link.href, title: link.title || link.href } : null;
}

/** The same id has the same colour on every visit; a taken colour moves on to the next free one. */
function colourById(ids) {
  const taken = new Set();
  return new Map(
    [...ids].sort().map((id) => {
      if (taken.size === COLOURS.length) taken.clear();
      let index =
        [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) % COLOURS.length;
      while (taken.has(index)) index = (index + 1) % COLOURS.length;
      taken.add(index);
      return [id, COLOURS[index]];
    }),
  );
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

export const union = (boxes) =>
  boxes.reduce((a, b) => [
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.max(a[2], b[2]),
    Math.max(a[3], b[3]),
  ]);

export const meets = (a, b) => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];

export const within = (inner, outer) =>
  inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3];
