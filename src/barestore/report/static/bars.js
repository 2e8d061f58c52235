// Stacked bars: widths by size, a letter where there is room for it.

const LETTER_SHARE = 0.06;

// pieces are [use, bytes, isNew]; the bar is a picture, and what it says stands beside it as text.
function bar(pieces, whole) {
  const total = whole || pieces.reduce((sum, piece) => sum + piece[1], 0) || 1;
  const found = el("div", { class: "bar", "aria-hidden": "true" });
  for (const [use, bytes, isNew] of pieces) {
    if (bytes <= 0) continue;
    const key = site.uses[use];
    const part = el("i", { class: `u-${key}${isNew ? " is-new" : ""}` }, bytes / total >= LETTER_SHARE ? USES[key][0] : "");
    part.style.flexGrow = String(bytes / total);
    found.append(part);
  }
  return found;
}

function sumsBar(sums) {
  return bar(sums.map((bytes, use) => [use, bytes, false]));
}

function sumsList(sums) {
  return el("ul", { class: "sums" }, sums.map((bytes, use) =>
    bytes > 0 && el("li", {}, swatch(use), `${USES[site.uses[use]][1]} ${human(bytes)}`)));
}

function diskBar(disk, side) {
  const pieces = layout(disk, side).map((part) => [part[USE], part[BYTES], part[NEW]]);
  const rest = (disk[SIZE] || 0) - pieces.reduce((sum, piece) => sum + piece[1], 0);
  if (rest > 0) pieces.push([FREE, rest, false]);
  return bar(pieces, disk[SIZE]);
}
