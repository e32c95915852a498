/** The list of layers: a switch, a colour and one line of news for each. */
import { h } from "../dom.js";
import { number, words } from "./words.js";

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
    const { id, title, colour, extent, drawable } = layer.collection;
    const news = h("small", { id: `news-${id}` });
    const box = h("input", {
      type: "checkbox",
      "aria-describedby": news.id,
      disabled: !drawable,
      checked: layer.on,
      change: () => this.actions.toggle(layer, box.checked),
    });
    const swatch = h("span", { class: "swatch" });
    swatch.style.setProperty("--colour", colour);
    const zoom =
      drawable &&
      extent &&
      h(
        "button",
        {
          type: "button",
          class: "icon",
          title: words.zoomTo(title),
          "aria-label": words.zoomTo(title),
          click: () => this.actions.zoomTo(layer),
        },
        "◎",
      );
    const about = h(
      "a",
      {
        class: "icon",
        href: `${this.root}/collections/${encodeURIComponent(id)}`,
        title: words.about(title),
        "aria-label": words.about(title),
      },
      "ⓘ",
    );
    const row = h(
      "li",
      { "data-layer": id },
      h("label", {}, box, swatch, h("span", { class: "title" }, title)),
      zoom,
      about,
      news,
    );
    this.rows.set(id, { row, box, news });
    this.update(layer);
    return row;
  }

  update(layer) {
    const { row, box, news } = this.rows.get(layer.collection.id) ?? {};
    if (!row) return;
    row.dataset.state = layer.state.kind;
    box.checked = layer.on;
    news.textContent = newsOf(layer.state);
    if (layer.state.kind === "failed") {
      news.append(
        " ",
        h("button", { type: "button", class: "retry", click: () => this.actions.retry(layer) }, words.retry),
      );
    }
    this.count();
  }

  count() {
    const on = this.layers?.filter((layer) => layer.on).length ?? 0;
    this.element.querySelector(".summary-note").textContent = this.layers
      ? words.layersOn(on, this.layers.length)
      : "";
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

function newsOf({ kind, count, total, more, why }) {
  if (kind === "off") return "";
  if (kind === "failed") return words.failed(why);
  if (kind !== "shown") return words[kind];
  if (!more) return words.shown(number(count));
  return total ? words.partly(number(count), number(total)) : words.partlyUnknown(number(count));
}
