// Elements from values. Text goes in as text and never as markup: serials and labels come from disks.

function el(name, attributes = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") found.className = value;
    else if (key.startsWith("on")) found.addEventListener(key.slice(2), value);
    else found.setAttribute(key, value === true ? "" : value);
  }
  found.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return found;
}

const byId = (id) => document.getElementById(id);

function badge(kind, words) {
  return el("span", { class: `badge ${kind}` }, words);
}

function swatch(use) {
  const key = site.uses[use];
  return el("span", { class: `swatch u-${key}`, "aria-hidden": "true" }, USES[key][0]);
}

function says(words, kind = "") {
  return el("p", { class: `says ${kind}` }, words);
}

const empty = (words) => el("p", { class: "empty" }, words);

// A button that opens something in the panel.
const link = (words, open) => el("button", { type: "button", class: "link", onclick: open }, words);
