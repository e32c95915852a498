/** The page's colours for the things the map draws itself; they follow light and dark. */
export function theme() {
  const style = getComputedStyle(document.body);
  const [ink, paper, seal] = ["--ink", "--paper", "--seal"].map((name) =>
    style.getPropertyValue(name).trim(),
  );
  return { ink, paper, seal };
}
