/** The list of layers: a switch, the legend and one line of news for each. */
import { h } from "../dom.js";
import { number, words } from "./words.js";

const OPEN = 5; // a legend with so few lines is shown at once
const STRIP = 8; // colours that a closed legend shows

export class Panel {
  /** `actions`: toggle(layer, on), retry(layer), zoomTo(layer). */
  constructor(element, root, actions) {
    Object.assign(this, { element, root, actions });
    this.list = element.querySelector(".layers");
    this.rows = new Map();
    if (matchMedia("(max-width: 40rem)").matches) element.querySelector("details").open = false;
  }

  say(message) {
    this.element.querySelector(".message").textContent = message;
  }

  fill(layers) {
    this.layers = layers;
    this.list.replaceChildren(...layers.map((layer) => this.row(layer)));
    this.list.removeAttribute("aria-busy");
    this.count();
    if (layers.length > 12) this.searchable();
  }

  row(layer) {
    const { id, title, count, drawable } = layer.collection;
    const news = h("small", { id: `news-${id}` });
    const box = h("input", {
      type: "checkbox",
      "aria-describedby": news.id,
      disabled: !drawable,
      checked: layer.on,
      change: () => this.actions.toggle(layer, box.checked),
    });
    const legend = h("div", { class: "legend" });
    const name = h("span", { class: "title", title: words.features(number(count ?? 0)) }, title);
    const label = h("label", {}, box, swatch(layer.collection), name);
    const row = h("li", { "data-layer": id }, label, this.zoomButton(layer), this.aboutLink(layer), news, legend);
    this.rows.set(id, { row, box, news, legend });
    this.explain(layer);
    this.update(layer);
    return row;
  }

  zoomButton(layer) {
    const said = words.zoomTo(layer.collection.title);
    const click = () => this.actions.zoomTo(layer);
    return layer.collection.extent
      ? h("button", { type: "button", class: "icon", title: said, "aria-label": said, click }, "◎")
      : h("span");
  }

  aboutLink({ collection: { id, title } }) {
    const said = words.about(title);
    const href = `${this.root}/collections/${encodeURIComponent(id)}`;
    return h("a", { class: "icon", href, title: said, "aria-label": said }, "ⓘ");
  }

  /** The legend; a long one is closed at first, and shows a strip of its colours. */
  explain(layer) {
    const { entries } = layer.collection;
    const { legend, row } = this.rows.get(layer.collection.id);
    row.querySelector(".swatch").replaceWith(swatch(layer.collection));
    if (entries.length < 2) return;
    const open = legend.querySelector("details")?.open ?? entries.length <= OPEN;
    const strip = entries.slice(0, STRIP).map(({ colour }) => dot(layer.collection.shape, colour));
    legend.replaceChildren(
      h(
        "details",
        { open },
        h("summary", {}, h("span", { class: "strip" }, ...strip), words.classes(entries.length - 1)),
        h("ul", {}, entries.map((entry) => line(layer.collection.shape, entry))),
      ),
    );
  }

  update(layer) {
    const { row, box, news } = this.rows.get(layer.collection.id) ?? {};
    if (!row) return;
    row.dataset.state = layer.state.kind;
    box.checked = layer.on;
    news.textContent = newsOf(layer.state);
    if (layer.state.kind === "failed") {
      const retry = () => this.actions.retry(layer);
      news.append(" ", h("button", { type: "button", class: "retry", click: retry }, words.retry));
    }
    this.count();
  }

  count() {
    const on = this.layers?.filter((layer) => layer.on).length ?? 0;
    const note = this.layers ? words.layersOn(on, this.layers.length) : "";
    this.element.querySelector(".summary-note").textContent = note;
  }

  searchable() {
    const label = this.element.querySelector(".search");
    label.hidden = false;
    label.querySelector("input").addEventListener("input", ({ target }) => {
      const wanted = target.value.trim().toLowerCase();
      for (const { row } of this.rows.values()) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
  }
}

/** What a layer looks like: its colour, or the first of its classes. */
const swatch = ({ shape, entries }) => dot(shape, entries[0]?.colour ?? "transparent");

/** A colour in the shape of what it colours. */
export function dot(shape, colour) {
  const one = h("span", { class: `swatch ${shape}` });
  one.style.setProperty("--colour", colour);
  return one;
}

const line = (shape, { title, colour }) => h("li", {}, dot(shape, colour), title);

function newsOf({ kind, why }) {
  if (kind === "off" || kind === "shown") return "";
  return kind === "failed" ? words.failed(why) : words[kind];
}
