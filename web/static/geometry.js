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
