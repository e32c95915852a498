/** What a click found: one feature at a time, its attributes fetched from the service, a way to the next. */
import { h, isWebAddress } from "../dom.js";
import { fieldsOf, json } from "./catalogue.js";
import { nameOf } from "./names.js";
import { dot } from "./panel.js";
import { language, words } from "./words.js";

const ROWS = 14;

/** Content for `found`, a list of {layer, key, properties}; `select` is given the geometry of the one looked at. */
export function popupContent(found, root, select) {
  const content = h("div", { class: "feature", "aria-live": "polite" });
  let shown = 0;
  const show = async (index) => {
    shown = index;
    const fill = (...parts) => content.replaceChildren(...parts, found.length > 1 ? pager(index, found.length, show) : "");
    select(null);
    fill(...card(found[index], { properties: found[index].properties }, root, words.loading));
    if (found[index].key == null) return fill(...card(found[index], { properties: found[index].properties }, root, words.merged));
    try {
      const { id } = found[index].layer.collection;
      const [feature, fields] = await Promise.all([json(itemOf(found[index], root) + "?f=json"), fieldsOf(id, root, language)]);
      if (shown !== index) return;
      select(feature.geometry);
      fill(...card(found[index], feature, root, null, fields));
    } catch (error) {
      if (shown === index) fill(...card(found[index], { properties: {} }, root, words.failed(error.message)));
    }
  };
  show(0);
  return content;
}

const itemOf = ({ layer, key }, root) =>
  `${root}/collections/${encodeURIComponent(layer.collection.id)}/items/${encodeURIComponent(key)}`;

/** One feature: its collection, its name, its attributes; `note` says why there are no more, `fields` what they are called. */
export function card(one, { properties }, root, note, fields = {}) {
  const { collection } = one.layer;
  const rows = Object.entries(properties ?? {}).filter(([, value]) => value != null && value !== "");
  const line = ([key, value]) =>
    h("tr", {}, h("th", { scope: "row", title: key }, fields[key]?.title ?? key), h("td", {}, shown(value), named(fields[key], value)));
  return [
    h("p", { class: "kind" }, dot(collection.shape, colourOf(collection, one.properties)), collection.title),
    h("h2", {}, nameOf(properties) ?? String(one.key ?? classOf(collection, one.properties)?.title ?? "")),
    h("table", {}, h("tbody", {}, rows.slice(0, ROWS).map(line))),
    rows.length > ROWS && h("p", { class: "quiet" }, words.more(rows.length - ROWS)),
    note && h("p", { class: "quiet" }, note),
    one.key != null && h("p", {}, h("a", { href: itemOf(one, root) }, words.details)),
  ].filter(Boolean);
}

const classOf = ({ entries, classField }, properties) =>
  entries.find(({ value }) => value != null && value === String(properties?.[classField]));

const colourOf = (collection, properties) =>
  (classOf(collection, properties) ?? collection.entries.at(-1))?.colour ?? "transparent";

/** What a code means, beside it. */
function named(field, value) {
  const name = field?.oneOf?.find((one) => one.const === value)?.title;
  return name ? ` ${name}` : "";
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
