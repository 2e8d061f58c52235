// What the plan does to Ceph clusters: each OSD that comes or goes, with its rack, host and disk, and all actions.

// Places in a row of a cluster's OSDs; a place that nobody knows yet, as that of a new OSD, is empty.
const OSD_SIGN = 0, OSD_WHAT = 1, OSD_NAME = 2, OSD_PLACES = 3;
const OSD_HEADS = ["OSD", "Device set", "Rack", "Host", "Disk", "Volume"];

const clusterName = (cluster) => `cluster ${cluster.n}`;

function hasWords(said) {
  const all = said.join(" ").toLowerCase();
  return chosen.text.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

const chosenOsds = (cluster) => cluster.q.filter((row) => hasWords([clusterName(cluster), ...row]));

// A cluster is found by its name and by what its rows say; what is chosen of disks leaves clusters out.
function clusterShows(cluster) {
  if (chosen.kind || chosen.use >= 0) return false;
  if (chosen.only && !ONLY[chosen.only][1](cluster)) return false;
  return hasWords([clusterName(cluster)]) || chosenOsds(cluster).length > 0;
}

const chosenClusters = () => site.clusters.filter(clusterShows);

function osdRow(row) {
  const places = row.slice(OSD_PLACES);
  return el("tr", { class: row[OSD_SIGN] === 3 ? "bad" : "" },
    el("th", { scope: "row" },
      el("span", { class: `sign sign-${row[OSD_SIGN]}`, "aria-hidden": "true" }, site.signs[row[OSD_SIGN]]),
      ` ${row[OSD_NAME] || "new OSD"}`,
      el("div", { class: "soft" }, row[OSD_WHAT])),
    places.map((each, place) => el("td", { "data-head": OSD_HEADS[place + 1] }, each || "–")));
}

function osdTable(cluster) {
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `OSDs of ${clusterName(cluster)}` },
    el("table", {},
      el("caption", {}, `What the plan does to OSDs of ${cluster.n}`),
      el("thead", {}, el("tr", {}, OSD_HEADS.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, chosenOsds(cluster).map(osdRow))));
}

function clusterLost(clusters) {
  return el("section", { class: "card is-bad" },
    el("h2", {}, `Destroys in ${many(clusters.length, "cluster")}`),
    clusters.map((cluster) => el("p", {}, el("strong", {}, cluster.n), `: ${cluster.x.join("; ")}`)));
}

function clusterCard(cluster) {
  const wrong = cluster.s === "refused" || isWrong(cluster);
  return el("section", { class: `card ${wrong ? "is-bad" : ""}` },
    el("h2", {}, clusterName(cluster), " ", badge(`s-${cluster.s}`, STATUS[cluster.s] || cluster.s), " ", countBadges(cluster.c)),
    cluster.m && el("p", {}, cluster.m),
    (cluster.f || []).map((each) => el("p", {}, each)),
    cluster.q.length > 0 && osdTable(cluster),
    cluster.l && el("details", {},
      el("summary", {}, `${many(cluster.l.length, "action")} in their order`),
      lineList(cluster.l)),
    (cluster.o || []).map((each) => el("p", { class: "soft" }, each)),
    cluster.g && el("p", { class: "soft" }, el("code", {}, cluster.g)));
}
