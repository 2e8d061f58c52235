// Racks with hosts and disks as cells. A host's cells are made when it comes near the screen and let go when it is far.

const hostElements = new Map();
// Cells are made by the thousand: copies of these are several times cheaper than new elements.
const CELL = el("div", { role: "gridcell", tabindex: "-1" });
const LETTERS = site.uses.map((key) => el("i", { class: `u-${key}`, "aria-hidden": "true" }, USES[key][0]));
const CELL_WIDTH = 29, CELL_HEIGHT = 33, HEAD_HEIGHT = 41, RACK_EDGES = 30;

function cell(host, disk, place) {
  const uses = usesOf(layout(disk, chosen.side)).slice(0, 2);
  const mark = field(disk, MARK);
  const out = !shows[host.place][place];
  const names = ["cell"];
  if (mark) names.push(`m-${mark}`);
  if (mark && (disk[NOW] || 0) !== (disk[THEN] || 0)) names.push("is-new");
  if (field(disk, TROUBLE)) names.push("is-troubled");
  if (uses[0] === FREE) names.push("is-blank");
  if (out) names.push("is-out");
  const words = diskWords(disk, chosen.side);
  const found = CELL.cloneNode();
  found.className = names.join(" ");
  found.dataset.disk = place;
  found.setAttribute("aria-label", out ? `${words}, not among the chosen` : words);
  for (const use of uses) found.append(LETTERS[use].cloneNode(true));
  return found;
}

function hostBadges(host) {
  return [
    host.s === "changes" ? countBadges(host.c) : host.s !== "nothing" && badge(`s-${host.s}`, STATUS[host.s] || host.s),
    troublesOf(host).length > 0 && badge("is-lost", "not healthy"),
  ];
}

function hostElement(host) {
  const size = host.d.reduce((sum, disk) => sum + (disk[SIZE] || 0), 0);
  const cells = el("div", { class: "cells", role: "presentation" });
  const found = el("div", { class: `host s-${host.s}`, role: "row", "data-host": host.place },
    el("div", { class: "host-head", role: "rowheader" },
      el("button", { type: "button", tabindex: "-1", "data-open": "host" }, host.n),
      el("span", { class: "soft" }, host.d.length ? `${host.d.length} · ${human(size)}` : "no disks seen"),
      el("span", { class: "badges" }, hostBadges(host))),
    cells);
  hostElements.set(host.place, { found, cells, filled: false });
  return found;
}

function fill(place) {
  const one = hostElements.get(place);
  if (!one || one.filled) return;
  const host = site.hosts[place];
  one.filled = true;
  one.cells.replaceChildren(...host.d.map((disk, at) => cell(host, disk, at)));
  if (openAs?.host === host) markOpen();
}

function unfill(place) {
  const one = hostElements.get(place);
  if (!one?.filled || one.cells.contains(document.activeElement)) return;
  one.filled = false;
  one.cells.replaceChildren();
}

// The height of each host is known without its cells, so that making them moves nothing and lays out nothing else.
let reserved = 0;

function reserve(width) {
  const across = Math.max(1, Math.floor((width + 3) / CELL_WIDTH));
  if (across === reserved) return;
  reserved = across;
  for (const [place, one] of hostElements) {
    const rows = Math.ceil(site.hosts[place].d.length / across);
    const height = Math.max(0, rows * CELL_HEIGHT - 3);
    one.cells.style.height = `${height}px`;
    one.found.style.containIntrinsicHeight = `${height + HEAD_HEIGHT}px`;
  }
}

// What waits for its cells. A frame makes as many hosts as it has time for, so that scrolling stays smooth.
const waiting = new Set();
const FRAME_MS = 8;

function fillSome() {
  const end = performance.now() + FRAME_MS;
  for (const place of waiting) {
    waiting.delete(place);
    fill(place);
    if (performance.now() > end) break;
  }
  if (waiting.size) requestAnimationFrame(fillSome);
}

const nearby = new IntersectionObserver(
  (entries) => {
    const idle = waiting.size === 0;
    for (const entry of entries) {
      const place = Number(entry.target.dataset.host);
      if (entry.isIntersecting) waiting.add(place);
      else if (!waiting.delete(place)) unfill(place);
    }
    if (idle && waiting.size) fillSome();
  },
  { rootMargin: "900px 0px" },
);

function rackElement(name, hosts) {
  const disks = hosts.reduce((sum, host) => sum + host.d.length, 0);
  const id = `rack-${[...racks.keys()].indexOf(name)}`;
  return el("section", { class: "rack", id, "data-rack": name },
    el("h2", { id: `${id}-name` }, rackTitle(name), el("span", {}, `${many(hosts.length, "host")}, ${many(disks, "disk")}`)),
    el("div", { role: "grid", "aria-labelledby": `${id}-name`, "aria-readonly": "true" }, hosts.map(hostElement)));
}

function mapButton(name, hosts) {
  const disks = hosts.flatMap((host) => host.d);
  const wrong = hosts.filter((host) => isWrong(host) || host.s === "refused").length;
  const changing = hosts.filter((host) => host.s === "changes").length;
  const words = wrong ? el("span", { class: "bad" }, `${wrong} refused or down`)
    : changing ? el("span", {}, `${changing} to change`)
    : el("span", { class: "soft" }, many(hosts.length, "host"));
  return el("button", { type: "button", "data-rack": name, onclick: () => toRack(name) },
    el("b", {}, rackTitle(name)), sumsBar(sumUses(disks, chosen.side)), words);
}

function toRack(name) {
  const rack = byId(`rack-${[...racks.keys()].indexOf(name)}`);
  rack.scrollIntoView({ behavior: "auto", block: "start" });
  const first = [...rack.querySelectorAll(".host:not([hidden])")][0];
  if (first) focusIn(Number(first.dataset.host), 0);
}

function drawRacks(part) {
  const map = el("nav", { class: "map", "aria-label": "Racks" });
  const grid = el("div", { class: "racks" });
  const none = empty("No disk fits. Clear the search to see all.");
  part.replaceChildren(map, grid, none);
  for (const [name, hosts] of racks) grid.append(rackElement(name, hosts));
  map.hidden = racks.size < 3;
  const width = () => reserve(Math.round(grid.querySelector(".rack:not([hidden])")?.clientWidth || 330) - RACK_EDGES);
  width();
  new ResizeObserver(width).observe(grid);
  for (const { found } of hostElements.values()) nearby.observe(found);
  const refresh = () => {
    for (const [place, one] of hostElements) {
      one.found.hidden = !hostShows[place];
      if (one.filled) {
        const focus = document.activeElement?.dataset?.disk;
        const had = one.cells.contains(document.activeElement);
        one.filled = false;
        fill(place);
        if (had) focusIn(place, Number(focus));
      }
    }
    for (const rack of grid.children) {
      rack.hidden = ![...racks.get(rack.dataset.rack)].some((host) => hostShows[host.place]);
    }
    none.hidden = counts.hosts > 0;
    if (!map.hidden) {
      map.replaceChildren(...[...racks].filter(([, hosts]) => hosts.some((host) => hostShows[host.place]))
        .map(([name, hosts]) => mapButton(name, hosts)));
    }
    stops();
  };
  listeners.push(refresh);
  refresh();
  listenGrid(grid);
}
