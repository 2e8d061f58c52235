// Bytes by failure domain and device class, of the disks that are chosen.

function capacityCell(disks, kind) {
  if (!disks.length) return el("td", { class: "soft none" }, "none");
  const sums = sumUses(disks, chosen.side);
  const total = sums.reduce((all, each) => all + each, 0);
  return el("td", {},
    sumsBar(sums),
    el("div", {}, el("strong", {}, human(total)), ` ${KINDS[kind]} in ${many(disks.length, "disk")}`),
    sumsList(sums));
}

function drawCapacity(part) {
  const draw = () => {
    if (part.hidden && !printing) return;
    const kinds = Object.keys(KINDS).filter((kind) =>
      site.hosts.some((host) => host.d.some((disk) => field(disk, KIND) === kind)));
    const rows = [];
    const all = Object.fromEntries(kinds.map((kind) => [kind, []]));
    for (const [name, hosts] of racks) {
      const found = Object.fromEntries(kinds.map((kind) => [kind, []]));
      for (const host of hosts) {
        for (const disk of chosenDisks(host)) found[field(disk, KIND)]?.push(disk);
      }
      if (!kinds.some((kind) => found[kind].length)) continue;
      for (const kind of kinds) for (const disk of found[kind]) all[kind].push(disk);
      const used = hosts.filter((host) => hostShows[host.place]);
      rows.push(el("tr", {},
        el("th", { scope: "row" }, rackTitle(name), el("div", { class: "soft" }, many(used.length, "host"))),
        kinds.map((kind) => capacityCell(found[kind], kind))));
    }
    if (!rows.length) {
      part.replaceChildren(empty("No disk fits. Clear the search to see all."));
      return;
    }
    const words = chosen.side === "then" ? "after the plan" : "now";
    part.replaceChildren(el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Capacity" },
      el("table", { class: "capacity" },
        el("caption", {}, `Raw capacity by rack and device class, ${words}`),
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Rack"),
          kinds.map((kind) => el("th", { scope: "col" }, KINDS[kind])))),
        el("tbody", {},
          rows.length > 1 && el("tr", {},
            el("th", { scope: "row" }, "All", el("div", { class: "soft" }, many(rows.length, "rack"))),
            kinds.map((kind) => capacityCell(all[kind], kind))),
          rows))));
  };
  listeners.push(draw);
  part.refresh = draw;
  draw();
}
