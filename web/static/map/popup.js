/** What a click found: one feature at a time, its attributes as text, a way to the next. */
import { h, isWebAddress } from "../dom.js";
import { nameOf } from "./names.js";
import { words } from "./words.js";

const ROWS = 14;

/** Content for `found`, a list of {layer, feature}; `select` is told which one is looked at. */
export function popupContent(found, root, select) {
  const content = h("div", { class: "feature" });
  const show = (index) => {
    const { layer, feature } = found[index];
    content.replaceChildren(
      ...card(layer.collection, feature, root),
      found.length > 1 ? pager(index, found.length, show) : "",
    );
    select(found[index]);
  };
  show(0);
  return content;
}

function card(collection, feature, root) {
  const swatch = h("span", { class: "swatch" });
  swatch.style.setProperty("--colour", collection.colour);
  const rows = Object.entries(feature.properties ?? {}).filter(([, value]) => value != null && value !== "");
  const items = `${root}/collections/${encodeURIComponent(collection.id)}/items`;
  const line = ([key, value]) => h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, shown(value)));
  const link = () => h("a", { href: `${items}/${encodeURIComponent(feature.id)}` }, words.details);
  return [
    h("p", { class: "kind" }, swatch, collection.title),
    h("h2", {}, nameOf(feature.properties) ?? String(feature.id ?? "")),
    h("table", {}, h("tbody", {}, rows.slice(0, ROWS).map(line))),
    rows.length > ROWS && h("p", { class: "quiet" }, words.more(rows.length - ROWS)),
    feature.id != null && h("p", {}, link()),
  ].filter(Boolean);
}

function shown(value) {
  if (typeof value === "object") return JSON.stringify(value);
  const text = String(value);
  return isWebAddress(text) ? h("a", { href: text, rel: "noopener noreferrer" }, text) : text;
}

function pager(index, count, show) {
  const go = (step) => show((index + step + count) % count);
  return h(
    "nav",
    { class: "pages" },
    h("button", { type: "button", "aria-label": words.previous, click: () => go(-1) }, "‹"),
    h("span", {}, `${index + 1} / ${count}`),
    h("button", { type: "button", "aria-label": words.next, click: () => go(1) }, "›"),
  );
}
