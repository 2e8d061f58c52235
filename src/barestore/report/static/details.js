// Actions with their commands are packed, some hosts a piece: they are opened when somebody looks.

const opened = new Map();

async function unpack(place) {
  const packed = byId(`piece-${place}`)?.textContent;
  if (!packed) return [];
  const bytes = Uint8Array.from(atob(packed), (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

// The actions of a host: [sign, what, target, where, detail, disks, commands, lost].
async function linesOf(host) {
  if (!host.c) return [];
  const place = Math.floor(host.place / site.piece);
  if (!opened.has(place)) opened.set(place, unpack(place));
  return (await opened.get(place))[host.place % site.piece] || [];
}

function lineElement([sign, what, target, where, detail, , commands, lost]) {
  return el("li", {},
    el("span", { class: `sign sign-${sign}`, "aria-label": SIGN_WORDS[sign], role: "img" }, site.signs[sign]),
    el("div", {},
      el("div", {}, `${what} `, el("strong", {}, target)),
      detail && el("div", { class: "detail" }, detail),
      where && !target.includes(where.split(" ")[0]) && el("div", { class: "detail" }, `on ${where}`),
      lost.map((each) => el("div", { class: "bad" }, el("strong", {}, `destroys ${each}`))),
      commands.length > 0 && el("details", {},
        el("summary", {}, many(commands.length, "step")),
        commands.map((each) => el("code", {}, each)))));
}

function lineList(lines) {
  return el("ul", { class: "lines" }, lines.map(lineElement));
}

function countBadges(signs) {
  return (signs || []).map((count, sign) =>
    count > 0 && badge(sign === 3 ? "is-lost" : "", `${site.signs[sign]} ${number(count)}`));
}

function countWords(signs) {
  return (signs || []).map((count, sign) => count > 0 && `${number(count)} ${SIGN_WORDS[sign]}`).filter(Boolean).join(", ");
}
