/** The little that Chengtu's pages do beyond HTML; each works, with less comfort, without it. */
import { inLanguage } from "./dom.js";

const all = (selector) => document.querySelectorAll(selector);

keepLanguage();
all("[data-copy]").forEach(copyButton);
all("[data-filter]").forEach(filterList);
all("[data-limit]").forEach(pageSize);
all("[data-run]").forEach(runForm);
const sketches = [...all("[data-sketch]")];
if (sketches.length) import("./sketch.js").then(({ sketch }) => sketches.forEach((figure) => sketch(figure)));
const api = document.querySelector("[data-openapi]");
if (api) import("./openapi.js").then(({ list }) => list(api));

/** A language chosen in the address stays chosen on the next page. */
function keepLanguage() {
  for (const link of all("a[data-language]")) link.href = inLanguage(link.dataset.language);
  const chosen = new URLSearchParams(location.search).get("lang");
  if (!chosen) return;
  for (const link of all("a[href]:not([data-language])")) {
    const address = new URL(link.href, location.href);
    if (address.origin !== location.origin || address.searchParams.has("lang")) continue;
    address.searchParams.set("lang", chosen);
    link.href = address.href;
  }
}

/** execCommand, because navigator.clipboard is absent on an intranet's plain http. */
function copyButton(button) {
  const label = button.textContent;
  button.addEventListener("click", () => {
    document.getElementById(button.dataset.copy).select();
    if (!document.execCommand("copy")) return;
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = label), 1500);
  });
}

function filterList(input) {
  const list = document.getElementById(input.dataset.filter);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const entry of list.children) entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
  });
}

function pageSize(select) {
  const address = new URL(location.href);
  const now = address.searchParams.get("limit");
  if (now && ![...select.options].some((option) => option.value === now)) select.add(new Option(now, now));
  if (now) select.value = now;
  select.addEventListener("change", () => {
    address.searchParams.set("limit", select.value);
    address.searchParams.delete("offset");
    location.assign(address);
  });
}

/** Send a process its request and show the answer, drawn where it is GeoJSON. */
function runForm(form) {
  const [status, output, figure] = ["[role=status]", "pre", "figure"].map((part) => form.querySelector(part));
  const show = (text) => {
    output.textContent = text;
    output.hidden = false;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const request = form.querySelector("textarea").value;
    figure.hidden = true;
    try {
      JSON.parse(request);
    } catch (error) {
      show(`${form.dataset.notJson} ${error.message}`);
      return;
    }
    status.textContent = form.dataset.working;
    try {
      const answer = await fetch(form.dataset.run, {
        method: "POST",
        body: request,
        headers: { "Content-Type": "application/json" },
      });
      const text = await answer.text();
      status.textContent = answer.ok ? form.dataset.done : `${form.dataset.failed} (${answer.status})`;
      showAnswer(text, show, figure);
    } catch (error) {
      status.textContent = form.dataset.failed;
      show(error.message);
    }
  });
}

async function showAnswer(text, show, figure) {
  let result;
  try {
    result = JSON.parse(text);
  } catch {
    show(text);
    return;
  }
  const whole = JSON.stringify(result, null, 2);
  show(whole.length > 100_000 ? `${whole.slice(0, 100_000)}\n…` : whole);
  if (result?.type === "FeatureCollection" || result?.type === "Feature") {
    const { draw } = await import("./sketch.js");
    draw(figure, result);
  }
}
