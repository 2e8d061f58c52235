// The data of the page, and what is derived from it. Nothing here touches the document but to read the data.

const site = JSON.parse(document.getElementById("data").textContent);

// Places in a disk's row; empty ends were left out and mean 0 or "".
const SERIAL = 0, WWN = 1, SLOT = 2, MODEL = 3, SIZE = 4, KIND = 5, GROUP = 6, WHY = 7, NOW = 8, THEN = 9, MARK = 10,
  TROUBLE = 11;
// Places in a part of a layout.
const NUMBER = 0, NAME = 1, BYTES = 2, CARRIES = 3, USE = 4, NEW = 5;

const USES = {
  zfs: ["Z", "ZFS"],
  lvm: ["L", "LVM"],
  local: ["V", "local volume"],
  ceph: ["C", "Ceph"],
  fs: ["F", "file system"],
  swap: ["S", "swap"],
  md: ["M", "md RAID"],
  luks: ["E", "LUKS"],
  system: ["O", "out of reach"],
  other: ["?", "something else"],
  free: ["·", "nothing"],
};
const KINDS = { hdd: "HDD", ssd: "SSD", nvme: "NVMe" };
const STATUS = {
  changes: "to change",
  nothing: "as wanted",
  refused: "refused",
  error: "error",
  unreachable: "unreachable",
  unasked: "no document",
  later: "planned later",
  done: "done",
  failed: "failed",
  stopped: "stopped",
};
const SIGN_WORDS = ["to create", "to change", "to grow", "destroyed"];
const FREE = site.uses.indexOf("free");

const text = (place) => site.texts[place || 0];
const field = (disk, place) => text(disk[place]);
const serial = (disk) => disk[SERIAL] || "";
const layout = (disk, side) => site.layouts[disk[side === "then" ? THEN : NOW] || 0];
const planned = [...site.hosts, ...site.clusters].some((one) => one.s === "changes" || one.c);

const racks = new Map();
site.hosts.forEach((host, place) => {
  host.place = place;
  const name = host.r || "";
  if (!racks.has(name)) racks.set(name, []);
  racks.get(name).push(host);
});

const rackTitle = (name) => name || "no rack";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

function human(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const number = (value) => value.toLocaleString("en");
const many = (count, one, more = `${one}s`) => `${number(count)} ${count === 1 ? one : more}`;

// What a layout is in a cell: its uses in their order, the free rest only where nothing else is there.
const cellUses = new Map();

function usesOf(found) {
  let uses = cellUses.get(found);
  if (!uses) {
    uses = [...new Set(found.map((part) => part[USE]))].filter((use) => use !== FREE);
    if (!uses.length) uses = [FREE];
    cellUses.set(found, uses);
  }
  return uses;
}

// Bytes by use of one disk, with the rest that no part takes as free.
function bytesByUse(disk, side, add) {
  const size = disk[SIZE] || 0;
  let rest = size;
  for (const part of layout(disk, side)) {
    add(part[USE], part[BYTES]);
    rest -= part[BYTES];
  }
  if (rest > 0) add(FREE, rest);
}

function sumUses(pairs, side) {
  const sums = new Array(site.uses.length).fill(0);
  const add = (use, bytes) => {
    sums[use] += bytes;
  };
  for (const disk of pairs) bytesByUse(disk, side, add);
  return sums;
}

function carriesWords(disk, side) {
  const said = layout(disk, side)
    .map((part) => [text(part[NAME]), text(part[CARRIES])].filter(Boolean).join(" "))
    .filter(Boolean);
  return said.join(", ") || "nothing";
}

// One disk in words: what a screen reader says of a cell, and its tooltip.
function diskWords(disk, side) {
  const words = [
    serial(disk),
    [human(disk[SIZE] || 0), KINDS[field(disk, KIND)]].filter(Boolean).join(" "),
    field(disk, SLOT) && `slot ${field(disk, SLOT)}`,
    carriesWords(disk, side),
    field(disk, GROUP) && `group ${field(disk, GROUP)}`,
    { changes: "the plan changes it", destroys: "the plan destroys what is on it" }[field(disk, MARK)],
    field(disk, TROUBLE) && `not healthy: ${field(disk, TROUBLE)}`,
  ];
  return words.filter(Boolean).join(", ");
}

const shortTime = (time) => (time || "").replace("T", " ").replace(/:\d\dZ$/, " UTC");

function ageDays(time) {
  const days = (Date.parse(site.made) - Date.parse(time)) / 86400000;
  return Number.isFinite(days) ? days : 0;
}

const STALE_DAYS = 7;
const troublesOf = (host) => host.h || [];
const isWrong = (host) => host.s === "error" || host.s === "unreachable";
const isStale = (host) => ageDays(host.t) > STALE_DAYS;
