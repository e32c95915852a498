/** The looked-at feature, outlined; no collection can have an id that begins with a dash. */
import { seal } from "./theme.js";

const NOTHING = { type: "FeatureCollection", features: [] };
const IS_POINT = ["in", ["geometry-type"], ["literal", ["Point", "MultiPoint"]]];

export function addSelection(map) {
  if (!map.getSource("-selected")) map.addSource("-selected", { type: "geojson", data: NOTHING });
  const colour = seal();
  map.addLayer({
    id: "-selected-line",
    source: "-selected",
    type: "line",
    filter: ["!", IS_POINT],
    layout: { "line-join": "round" },
    paint: { "line-color": colour, "line-width": 3.5 },
  });
  map.addLayer({
    id: "-selected-point",
    source: "-selected",
    type: "circle",
    filter: IS_POINT,
    paint: {
      "circle-radius": 9,
      "circle-color": "transparent",
      "circle-stroke-color": colour,
      "circle-stroke-width": 3,
    },
  });
}

export const select = (map, geometry) =>
  map.getSource("-selected")?.setData(geometry ? { type: "Feature", properties: {}, geometry } : NOTHING);
