/** List an OpenAPI document: operations by tag, details made when opened (a city may have thousands). */
import { h } from "./dom.js";

const METHODS = ["get", "post", "put", "patch", "delete", "options", "head"];

export async function list(element) {
  const words = JSON.parse(element.dataset.words);
  try {
    const answer = await fetch(element.dataset.openapi);
    if (!answer.ok) throw new Error(answer.status);
    const api = await answer.json();
    const operations = flatten(api);
    const input = document.getElementById("api-filter");
    const show = () =>
      element.replaceChildren(...groups(api, operations, input.value.trim().toLowerCase(), words));
    input.addEventListener("input", show);
    show(); // what was typed before the document came counts too
  } catch (error) {
    element.replaceChildren(h("p", {}, `${words.failed} ${error.message}`));
  }
  element.removeAttribute("aria-busy");
}

/** Paths -> [{method, path, operation, parameters}], parameters of the path included. */
function flatten(api) {
  return Object.entries(api.paths ?? {}).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      method,
      path,
      operation: item[method],
      parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])],
    })),
  );
}

function groups(api, operations, wanted, words) {
  const found = operations.filter(({ path, operation }) =>
    `${path} ${operation.summary ?? ""}`.toLowerCase().includes(wanted),
  );
  const about = Object.fromEntries((api.tags ?? []).map((tag) => [tag.name, tag.description]));
  const tags = [...new Set(found.map(({ operation }) => operation.tags?.[0] ?? ""))];
  return tags.map((tag) => {
    const inside = found.filter(({ operation }) => (operation.tags?.[0] ?? "") === tag);
    const title = h(
      "summary",
      {},
      tag || "/",
      h("small", {}, [inside.length, short(about[tag])].filter(Boolean).join(" · ")),
    );
    return lazily(h("details", { open: tags.length < 3 || inside === found }, title), () =>
      inside.map((entry) =>
        lazily(
          h(
            "details",
            {},
            h(
              "summary",
              {},
              badge(entry.method),
              h("code", {}, entry.path),
              " ",
              entry.operation.summary ?? "",
            ),
          ),
          () => [describe(api, entry, words)],
        ),
      ),
    );
  });
}

const short = (text) => (text ?? "").split("\n")[0].slice(0, 120);
const badge = (method) => h("span", { class: `method ${method}` }, method.toUpperCase());

/** Fill a details element the first time it is open. */
function lazily(details, fill) {
  const once = () => {
    if (!details.open || details.dataset.filled) return;
    details.dataset.filled = "yes";
    details.append(...fill());
  };
  details.addEventListener("toggle", once);
  once();
  return details;
}

function describe(api, { method, path, operation, parameters }, words) {
  const known = parameters.map((parameter) => resolve(api, parameter));
  const plain = method === "get" && !path.includes("{") && !known.some((parameter) => parameter.required);
  const server = new URL(api.servers?.[0]?.url ?? "", location.href).pathname.replace(/\/$/, "");
  return h(
    "div",
    { class: "operation" },
    operation.description && h("p", {}, operation.description),
    plain && h("p", {}, h("a", { href: `${server}${path}` }, words.open)),
    known.length > 0 && h("h4", {}, words.parameters),
    known.length > 0 &&
      h(
        "div",
        { class: "scroll" },
        h(
          "table",
          {},
          h(
            "tbody",
            {},
            known.map((row) => parameterRow(row, words)),
          ),
        ),
      ),
    operation.requestBody && h("h4", {}, words.body),
    operation.requestBody && h("pre", {}, JSON.stringify(resolve(api, operation.requestBody), null, 2)),
    h("h4", {}, words.answers),
    h(
      "ul",
      {},
      Object.entries(operation.responses ?? {}).map(([status, response]) =>
        h(
          "li",
          {},
          h("code", {}, status),
          " ",
          resolve(api, response).description ?? resolve(api, response).name ?? "",
        ),
      ),
    ),
  );
}

function parameterRow({ name, in: place, required, schema = {}, description }, words) {
  const type = [schema.type, schema.format, schema.enum?.join(" | ")].filter(Boolean).join(", ");
  return h(
    "tr",
    {},
    h("td", {}, h("code", {}, name ?? ""), required && h("span", { class: "tag" }, words.required)),
    h("td", {}, [place, type].filter(Boolean).join(" · ")),
    h("td", {}, description ?? ""),
  );
}

/** Follow a reference inside the document; one that points elsewhere is only named, never fetched. */
function resolve(api, thing) {
  const reference = thing?.$ref;
  if (!reference) return thing ?? {};
  const steps = reference.split("/").slice(1);
  const found = reference.startsWith("#/") && steps.reduce((part, step) => part?.[step], api);
  return found || { name: reference.split("/").pop() };
}
