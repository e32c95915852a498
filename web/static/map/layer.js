/** One collection on the map: its style layers, shown or hidden together, and what is to be said of them. */
import { meets } from "./catalogue.js";

export class Layer {
  /** `changed` is called at each new `state`: off, loading, shown, outside, far, empty, failed or flat. */
  constructor(collection, changed) {
    Object.assign(this, { collection, changed });
    this.styles = []; // as the service made them
    this.on = false;
    this.broken = null; // why its tiles could not be had
    this.state = { kind: collection.drawable ? "off" : "flat" };
  }

  get visible() {
    return this.on && this.collection.drawable;
  }

  /** The layers that a click can meet: not the names. */
  get clickable() {
    return this.styles.filter(({ type }) => type !== "symbol").map(({ id }) => id);
  }

  set(map, on) {
    this.on = on && this.collection.drawable;
    for (const { id } of this.styles) {
      if (map?.getLayer(id)) map.setLayoutProperty(id, "visibility", this.on ? "visible" : "none");
    }
    this.become({ kind: this.on ? "loading" : this.collection.drawable ? "off" : "flat" });
  }

  /** Say how it stands, after the map has drawn all that it could. */
  tell(map, view) {
    if (!this.visible) return;
    const ids = this.clickable.filter((id) => map.getLayer(id));
    const near = this.styles.some(({ minzoom = 0 }) => map.getZoom() >= minzoom);
    if (this.broken) this.become({ kind: "failed", why: this.broken });
    else if (this.collection.extent && !meets(this.collection.extent, view)) this.become({ kind: "outside" });
    else if (ids.length && map.queryRenderedFeatures({ layers: ids }).length) this.become({ kind: "shown" });
    else this.become({ kind: near && !this.hidden(map) ? "empty" : "far" });
  }

  /** Whether its main layer begins only further in. */
  hidden(map) {
    return map.getZoom() < (this.styles.find(({ type }) => type !== "symbol")?.minzoom ?? 0);
  }

  become(state) {
    this.state = state;
    this.changed(this);
  }
}
