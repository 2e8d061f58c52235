// What is not well, and how full pools and volume groups are; the fullest first.

const MOST_STORES = 300;

function troubleCard(host) {
  const bad = troublesOf(host).some(([level]) => level === "bad") || isWrong(host);
  return el("section", { class: `card ${bad ? "is-bad" : "is-warn"}` },
    el("h2", {}, link(host.n, (event) => openHost(host, event.currentTarget)), host.r && ` · ${host.r}`),
    isWrong(host) && el("p", {}, host.m),
    troublesOf(host).map(([, words, disk]) => el("p", {},
      disk >= 0 && [link(serial(host.d[disk]), (event) => openDisk(host, disk, event.currentTarget)), ": "], words)),
    isStale(host) && el("p", {}, `What is shown was seen ${Math.floor(ageDays(host.t))} days before this report.`));
}

function storeRow([host, store]) {
  return el("tr", {},
    el("th", { scope: "row" }, link(host.n, (event) => openHost(host, event.currentTarget)),
      el("div", { class: "soft" }, host.r || "")),
    el("td", {}, gauge(store)));
}

function drawHealth(part) {
  const draw = () => {
    if (part.hidden && !printing) return;
    const hosts = chosenHosts();
    const troubled = hosts.filter((host) => troublesOf(host).length || isWrong(host) || isStale(host));
    const stores = hosts.flatMap((host) => (host.p || []).map((store) => [host, store]));
    stores.sort(([, a], [, b]) => Number(Boolean(b[4])) - Number(Boolean(a[4])) || b[3] / (b[2] || 1) - a[3] / (a[2] || 1));
    const more = stores.length - MOST_STORES;
    part.replaceChildren(
      ...(troubled.length ? troubled.map(troubleCard)
        : [el("p", { class: "empty" }, "Nothing is wrong with what was seen.")]),
      stores.length ? el("div", { class: "card" }, el("table", {},
        el("caption", {}, "Pools and volume groups, the fullest first"),
        el("tbody", {}, stores.slice(0, MOST_STORES).map(storeRow)))) : "",
      more > 0 ? el("p", { class: "soft" }, `${number(more)} more that are less full; search for a host to see its own.`) : "");
  };
  listeners.push(draw);
  part.refresh = draw;
  draw();
}
