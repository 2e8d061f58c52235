// One disk or one host beside the racks; on a phone below them.

const SMALL = matchMedia("(width < 900px)");
let openAs = null;

function markOpen() {
  for (const each of document.querySelectorAll(".cell.is-open")) each.classList.remove("is-open");
  if (openAs?.disk === undefined || openAs === null) return;
  hostElements.get(openAs.host.place)?.cells.children[openAs.disk]?.classList.add("is-open");
}

function showPanel(state, title, under, ...children) {
  const panel = byId("panel");
  openAs = state;
  panel.replaceChildren(
    el("div", { class: "panel-head" },
      el("div", {}, el("h2", { id: "panel-title" }, title), el("p", { class: "soft" }, under)),
      el("button", { type: "button", onclick: closePanel, "aria-label": "Close the details" }, "Close")),
    ...children.flat().filter(Boolean));
  panel.hidden = false;
  panel.scrollTop = 0;
  markOpen();
  // The racks make room, and on a phone the panel covers most of them: keep in sight what it speaks of.
  state.from?.scrollIntoView?.({ block: SMALL.matches ? "start" : "nearest" });
}

function closePanel() {
  const panel = byId("panel");
  if (panel.hidden) return;
  const from = openAs;
  openAs = null;
  panel.hidden = true;
  markOpen();
  if (from?.from?.isConnected) from.from.focus();
  else if (from?.host && !byId("part-racks")?.hidden) focusIn(from.host.place, from.disk ?? -1);
  else byId("main").focus();
}

function partItem(part) {
  const name = [text(part[NAME]) || (part[NUMBER] ? `partition ${part[NUMBER]}` : "whole disk")];
  return el("li", {},
    swatch(part[USE]),
    el("div", {}, text(part[CARRIES]) || "nothing", el("small", {}, name, part[NEW] ? " · by the plan" : "")),
    el("span", {}, human(part[BYTES])));
}

function sideOf(disk, which, title) {
  const parts = layout(disk, which);
  return [
    el("h3", {}, title),
    diskBar(disk, which),
    parts.length ? el("ul", { class: "parts" }, parts.map(partItem)) : el("p", { class: "soft" }, "Nothing lies on it."),
  ];
}

function openDisk(host, place, from = null) {
  const disk = host.d[place];
  const changes = (disk[THEN] || 0) !== (disk[NOW] || 0);
  const rows = [
    ["Slot", field(disk, SLOT)],
    ["Size", `${human(disk[SIZE] || 0)} (${number(disk[SIZE] || 0)} bytes)`],
    ["Class", KINDS[field(disk, KIND)]],
    ["Model", field(disk, MODEL)],
    ["World-wide name", disk[WWN]],
    ["Group", field(disk, GROUP) || field(disk, WHY) || "none"],
  ].filter(([, value]) => value);
  const actions = el("div", {});
  const under = [host.r && `${host.r} · `, link(host.n, () => openHost(host, openAs.from)), ` · ${KINDS[field(disk, KIND)] || ""}`];
  showPanel({ host, disk: place, from: from || openAs?.from }, serial(disk), under.filter(Boolean),
    field(disk, TROUBLE) && says(`Not healthy: ${field(disk, TROUBLE)}`, "is-bad"),
    field(disk, MARK) === "destroys" && says("The plan destroys what is on this disk.", "is-bad"),
    sideOf(disk, "now", "Now"),
    changes && sideOf(disk, "then", "After the plan"),
    el("h3", {}, "Facts"),
    el("dl", { class: "facts" }, rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    actions);
  const state = openAs;
  linesOf(host).then((lines) => {
    const ours = lines.filter((line) => line[5].includes(place));
    if (openAs === state && ours.length) {
      actions.replaceChildren(el("h3", {}, `Actions on it (${ours.length})`), lineList(ours));
    }
  });
}

function gauge(store) {
  const [kind, name, size, used, state] = store;
  const share = size ? used / size : 0;
  const fillPart = el("i");
  fillPart.style.width = `${Math.round(share * 100)}%`;
  return el("div", { class: "row" },
    el("strong", {}, name), el("span", { class: "soft" }, kind),
    el("div", { class: `gauge${share > 0.85 ? " is-full" : ""}`, "aria-hidden": "true" }, fillPart),
    el("span", {}, `${human(used)} of ${human(size)} (${Math.round(share * 100)} %)`),
    state ? badge("is-lost", state) : badge("s-done", "healthy"));
}

function hostSays(host) {
  return [
    host.m && says(host.m, "is-bad"),
    (host.f || []).map((each) => says(each, "is-bad")),
    troublesOf(host).map(([level, words, disk]) =>
      says(disk >= 0 ? `${serial(host.d[disk])}: ${words}` : words, level === "bad" ? "is-bad" : "is-warn")),
    (host.o || []).map((each) => says(each)),
  ].flat();
}

function openHost(host, from = null) {
  const size = host.d.reduce((sum, disk) => sum + (disk[SIZE] || 0), 0);
  const actions = el("div", {});
  const under = [host.r, many(host.d.length, "disk"), human(size), host.t && `seen ${shortTime(host.t)}`];
  const now = sumUses(host.d, "now"), then = sumUses(host.d, "then");
  const changes = now.some((bytes, use) => bytes !== then[use]);
  showPanel({ host, from }, host.n, under.filter(Boolean).join(" · "),
    el("p", { class: "row" }, badge(`s-${host.s}`, STATUS[host.s] || host.s), countBadges(host.c)),
    hostSays(host),
    host.d.length > 0 && [el("h3", {}, "What its disks carry now"), sumsBar(now), sumsList(now)],
    changes && [el("h3", {}, "After the plan"), sumsBar(then), sumsList(then)],
    host.p && [el("h3", {}, "Pools and volume groups"), host.p.map(gauge)],
    actions);
  const state = openAs;
  linesOf(host).then((lines) => {
    if (openAs === state && lines.length) {
      actions.replaceChildren(el("h3", {}, `Plan (${countWords(host.c)})`), lineList(lines),
        el("p", { class: "soft" }, el("code", {}, host.g || "")));
    }
  });
}
