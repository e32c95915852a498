/** Make an element: values that are functions become listeners, text is never read as HTML. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** The address of this page in another language, everything else kept. */
export function inLanguage(language) {
  const address = new URL(location.href);
  address.searchParams.set("lang", language);
  return withCommas(address);
}

/** The address with its commas left readable. */
export const withCommas = (address) => address.href.replaceAll("%2C", ",");

/** Only these may be followed: an attribute's value can be anything. */
export const isWebAddress = (text) => /^https?:\/\/\S+$/i.test(text);
