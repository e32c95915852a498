/** Call `visit(coordinates, kind)` for each point, line and ring list of a GeoJSON geometry. */
export function eachPart(geometry, visit) {
  if (!geometry) return;
  const { type, coordinates } = geometry;
  if (type === "GeometryCollection") geometry.geometries.forEach((inner) => eachPart(inner, visit));
  else if (type.startsWith("Multi")) coordinates.forEach((part) => visit(part, type.slice(5)));
  else visit(coordinates, type);
}

/** [west, south, east, north] of some geometries, or null where there is no coordinate at all. */
export function bounds(geometries) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  const grow = ([x, y]) => {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  };
  for (const geometry of geometries) {
    eachPart(geometry, (part, kind) => {
      if (kind === "Point") grow(part);
      else (kind === "Polygon" ? (part[0] ?? []) : part).forEach(grow);
    });
  }
  return box[0] <= box[2] ? box : null;
}

/** Twice the signed area of a ring, times its centroid: [area2, x, y]. */
function moments(ring) {
  const [ox, oy] = ring[0]; // near the origin, so that small parcels keep their digits
  let area = 0,
    x = 0,
    y = 0;
  for (let i = 1; i < ring.length; i++) {
    const ax = ring[i - 1][0] - ox,
      ay = ring[i - 1][1] - oy;
    const bx = ring[i][0] - ox,
      by = ring[i][1] - oy;
    const cross = ax * by - bx * ay;
    area += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  return area ? [area, ox + x / (3 * area), oy + y / (3 * area)] : [0, ox, oy];
}

/** Where a polygon's name goes: its centroid, or the middle of the widest stretch at that height; and how much
 *  room it has, in twice square degrees: {point, area}. */
export function labelPoint(geometry) {
  let rings = null,
    most = -1,
    centre = null;
  eachPart(geometry, (part, kind) => {
    if (kind !== "Polygon" || !part[0]?.length) return;
    const [area, x, y] = moments(part[0]);
    if (Math.abs(area) > most) [rings, most, centre] = [part, Math.abs(area), [x, y]];
  });
  if (!rings) return null;
  const crossings = rings.flatMap((ring) => crossingsAt(ring, centre[1])).sort((a, b) => a - b);
  let widest = null;
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    const [from, to] = [crossings[i], crossings[i + 1]];
    if (centre[0] > from && centre[0] < to) return { point: centre, area: most };
    if (!widest || to - from > widest[1] - widest[0]) widest = [from, to];
  }
  return { point: widest ? [(widest[0] + widest[1]) / 2, centre[1]] : centre, area: most };
}

function crossingsAt(ring, y) {
  const found = [];
  for (let i = 1; i < ring.length; i++) {
    const [ax, ay] = ring[i - 1],
      [bx, by] = ring[i];
    if (ay > y !== by > y) found.push(ax + ((y - ay) / (by - ay)) * (bx - ax));
  }
  return found;
}
