// Puts the page together: numbers, filters, tabs, theme, keys, print.

let printing = false;
const PARTS = [
  ["racks", "Racks", drawRacks],
  ["capacity", "Capacity", drawCapacity],
  ["plan", "Plan", drawPlan],
  ["health", "Health", drawHealth],
  ["runs", "Runs", drawRuns],
];
const drawn = new Set();

function tile(value, words, kind = "", only = "") {
  if (!only) return el("div", { class: `tile ${kind}` }, el("b", {}, value), el("span", {}, words));
  return el("button", {
    type: "button", class: `tile ${kind}`, "aria-pressed": "false", "data-only": only,
    onclick: () => choose({ only: chosen.only === only ? "" : only }),
  }, el("b", {}, value), el("span", {}, words));
}

function drawTiles() {
  const disks = site.hosts.flatMap((host) => host.d);
  const bytes = disks.reduce((sum, disk) => sum + (disk[SIZE] || 0), 0);
  const count = (only) => site.hosts.filter(ONLY[only][1]).length;
  const marked = disks.filter((disk) => field(disk, MARK)).length;
  const lost = [...site.hosts, ...site.clusters].reduce((sum, one) => sum + (one.x || []).length, 0);
  const clusters = site.clusters.filter((cluster) => cluster.c).length;
  byId("tiles").replaceChildren(...[
    tile(number(site.hosts.length), `${site.hosts.length === 1 ? "host" : "hosts"} in ${many(racks.size, "rack")}`),
    tile(human(bytes), `in ${many(disks.length, "disk")}`),
    count("changes") ? tile(number(count("changes")), `${count("changes") === 1 ? "host" : "hosts"} to change, ${many(marked, "disk")}`, "is-plan", "changes")
      : tile("0", "hosts to change"),
    clusters > 0 && tile(number(clusters), `${clusters === 1 ? "Ceph cluster" : "Ceph clusters"} to change`, "is-plan"),
    lost ? tile(number(lost), "things destroyed by the plan", "is-bad", "destroys") : planned && tile("0", "destroyed by the plan"),
    count("refused") > 0 && tile(number(count("refused")), "refused", "is-bad", "refused"),
    count("wrong") > 0 && tile(number(count("wrong")), "not read", "is-bad", "wrong"),
    count("trouble") ? tile(number(count("trouble")), "not healthy", "is-bad", "trouble") : tile("0", "not healthy"),
  ].filter(Boolean));
}

function drawFilters() {
  const used = new Set();
  const kinds = new Set();
  for (const host of site.hosts) {
    for (const disk of host.d) {
      kinds.add(field(disk, KIND));
      for (const which of ["now", "then"]) for (const use of usesOf(layout(disk, which))) used.add(use);
      if (layout(disk, "then").some((part) => part[USE] === FREE)) used.add(FREE);
    }
  }
  byId("kind").append(...Object.keys(KINDS).filter((kind) => kinds.has(kind))
    .map((kind) => el("option", { value: kind }, KINDS[kind])));
  byId("legend").append(...site.uses.map((key, use) => used.has(use) && el("button", {
    type: "button", "aria-pressed": "false", "data-use": use,
    onclick: () => choose({ use: chosen.use === use ? -1 : use }),
  }, swatch(use), USES[key][1])).filter(Boolean));
  let pause = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(pause);
    pause = setTimeout(() => choose({ text: event.target.value }), site.hosts.length > 100 ? 150 : 0);
  });
  byId("kind").addEventListener("change", (event) => choose({ kind: event.target.value }));
  byId("clear").addEventListener("click", () => {
    byId("search").value = "";
    byId("kind").value = "";
    choose({ text: "", kind: "", use: -1, only: "" });
    byId("search").focus();
  });
  listeners.push(() => {
    for (const each of document.querySelectorAll("[data-use]")) each.ariaPressed = String(Number(each.dataset.use) === chosen.use);
    for (const each of document.querySelectorAll("[data-only]")) each.ariaPressed = String(each.dataset.only === chosen.only);
    byId("clear").hidden = !isFiltered();
    byId("shown").textContent = isFiltered() ? `${many(counts.disks, "disk")} in ${many(counts.hosts, "host")}` : "";
  });
}

function drawTabs() {
  const wrong = site.hosts.filter((host) => troublesOf(host).length || isWrong(host)).length;
  const marks = {
    plan: [[...site.hosts, ...site.clusters].filter((one) => one.c).length, ""],
    health: [wrong, "is-bad"],
    runs: [site.runs.length, ""],
  };
  for (const [name, title] of PARTS) {
    const [count, kind] = marks[name] || [0, ""];
    byId("tabs").append(el("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `part-${name}`, "aria-selected": "false", tabindex: "-1",
      onclick: () => {
        if (SMALL.matches) closePanel();
        show(name);
      },
    }, title, count > 0 && el("span", { class: `count ${kind}` }, number(count))));
    byId("main").append(el("section", { class: "part", "data-title": title, id: `part-${name}`, role: "tabpanel", "aria-labelledby": `tab-${name}`, hidden: true }));
  }
  byId("tabs").addEventListener("keydown", (event) => {
    const all = [...byId("tabs").children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    next.click();
    next.focus();
  });
}

function drawPart(name) {
  if (drawn.has(name)) return;
  drawn.add(name);
  PARTS.find(([each]) => each === name)[2](byId(`part-${name}`));
}

function show(name) {
  for (const [each] of PARTS) {
    const tab = byId(`tab-${each}`);
    tab.ariaSelected = String(each === name);
    tab.tabIndex = each === name ? 0 : -1;
    byId(`part-${each}`).hidden = each !== name;
  }
  if (drawn.has(name)) byId(`part-${name}`).refresh?.();
  else drawPart(name);
  if (location.hash.slice(1) !== name) history.replaceState(null, "", `#${name}`);
}

function setSide(which) {
  document.querySelector(`input[name="side"][value="${which}"]`).checked = true;
  choose({ side: which });
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
}

function listenKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const typing = event.target.closest("input[type=search], select");
    if (event.key === "Escape") {
      if (!byId("panel").hidden) closePanel();
      else if (isFiltered()) byId("clear").click();
    } else if (!typing && event.key === "/") {
      event.preventDefault();
      byId("search").focus();
    } else if (!typing && event.key === "b" && planned) {
      setSide(chosen.side === "now" ? "then" : "now");
    }
  });
}

function listenPrint() {
  byId("print").addEventListener("click", () => window.print());
  addEventListener("beforeprint", () => {
    printing = true;
    for (const [name] of PARTS) {
      drawPart(name);
      byId(`part-${name}`).refresh?.();
    }
    for (const [place, one] of hostElements) if (!one.found.hidden) fill(place);
  });
  addEventListener("afterprint", () => {
    printing = false;
  });
}

function begin() {
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  byId("sides").hidden = !planned;
  for (const each of document.querySelectorAll('input[name="side"]')) each.addEventListener("change", () => choose({ side: each.value }));
  drawTiles();
  drawFilters();
  drawTabs();
  listenKeys();
  listenPrint();
  choose({});
  const asked = location.hash.slice(1);
  show(PARTS.some(([name]) => name === asked) ? asked : "racks");
  performance.mark("drawn");
}

begin();
