/** Light or dark, as the reader's machine is; and the page's colour for what the map itself draws. */
export const DARK = matchMedia("(prefers-color-scheme: dark)");

export const theme = () => (DARK.matches ? "dark" : "light");

export const seal = () => getComputedStyle(document.body).getPropertyValue("--seal").trim();
