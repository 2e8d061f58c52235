// What the plan does: what is lost first, then what is refused, then clusters and each host with its actions.

function hostTitle(host) {
  return [el("strong", {}, host.n), host.r && el("span", { class: "soft" }, ` ${host.r}`)];
}

function lostCard(hosts) {
  return el("section", { class: "card is-bad" },
    el("h2", {}, `Destroys on ${many(hosts.length, "host")}`),
    hosts.map((host) => el("p", {}, link(host.n, (event) => openHost(host, event.currentTarget)),
      `: ${host.x.join("; ")}`)));
}

function refusedCard(host) {
  return el("section", { class: "card is-bad" },
    el("h2", {}, link(host.n, (event) => openHost(host, event.currentTarget)), " ",
      badge(`s-${host.s}`, STATUS[host.s] || host.s)),
    host.m && el("p", {}, host.m),
    (host.f || []).map((each) => el("p", {}, each)));
}

function changeCard(host) {
  const body = el("div", {}, el("p", { class: "soft" }, "Unpacking ..."));
  const found = el("details", { class: "card" },
    el("summary", {}, hostTitle(host), " ", countBadges(host.c), " ", el("span", { class: "soft" }, countWords(host.c))),
    body);
  found.load = async () => {
    const lines = await linesOf(host);
    body.replaceChildren(lineList(lines), el("p", { class: "soft" }, el("code", {}, host.g || "")));
  };
  found.addEventListener("toggle", () => found.open && found.load(), { once: true });
  return found;
}

function drawPlan(part) {
  const draw = () => {
    if (part.hidden && !printing) return;
    const hosts = chosenHosts();
    const lost = hosts.filter((host) => host.x);
    const wrong = hosts.filter((host) => host.s === "refused" || isWrong(host));
    const changing = hosts.filter((host) => host.c && host.s !== "refused");
    const still = hosts.filter((host) => host.s === "nothing").length;
    const clusters = chosenClusters();
    const clustersLost = clusters.filter((cluster) => cluster.x);
    const clustersStill = clusters.filter((cluster) => cluster.s === "nothing").length;
    const cards = changing.map(changeCard);
    part.replaceChildren(
      lost.length ? lostCard(lost) : "",
      clustersLost.length ? clusterLost(clustersLost) : "",
      ...wrong.map(refusedCard),
      ...clusters.filter((cluster) => cluster.s !== "nothing").map(clusterCard),
      ...cards,
      still ? el("p", { class: "empty" }, `${many(still, "host")} ${still === 1 ? "is" : "are"} as wanted.`) : "",
      clustersStill ? el("p", { class: "empty" }, `${many(clustersStill, "cluster")} ${clustersStill === 1 ? "is" : "are"} as wanted.`) : "",
      hosts.length || clusters.length ? "" : empty("No host fits. Clear the search to see all."));
    if (cards.length === 1) cards[0].open = true;
  };
  listeners.push(draw);
  part.refresh = draw;
  draw();
}
