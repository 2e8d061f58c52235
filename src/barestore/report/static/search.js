// What is chosen: a text, a class, uses, and kinds of hosts. Others listen; nothing here draws.

const chosen = { text: "", kind: "", use: -1, only: "", side: "now" };
const listeners = [];
const shows = site.hosts.map((host) => new Uint8Array(host.d.length).fill(1));
const hostShows = new Uint8Array(site.hosts.length).fill(1);
let counts = { disks: 0, hosts: 0 };

const ONLY = {
  changes: ["to change", (host) => host.s === "changes", (host, disk) => field(disk, MARK) !== ""],
  destroys: ["destroys", (host) => Boolean(host.x), (host, disk) => field(disk, MARK) === "destroys"],
  refused: ["refused", (host) => host.s === "refused"],
  wrong: ["not read", isWrong],
  trouble: ["not healthy", (host) => troublesOf(host).length > 0],
};

const isFiltered = () => Boolean(chosen.text || chosen.kind || chosen.use >= 0 || chosen.only);

// Which texts of the table hold a word: each is looked at once and not once a disk.
function textHits(word) {
  const hits = new Uint8Array(site.texts.length);
  site.texts.forEach((each, place) => {
    hits[place] = each.toLowerCase().includes(word) ? 1 : 0;
  });
  const inLayout = site.layouts.map((parts) => parts.some((part) => hits[part[NAME]] || hits[part[CARRIES]]));
  return { word, hits, inLayout };
}

function hostHas(host, word) {
  return host.n.toLowerCase().includes(word) || (host.r || "").toLowerCase().includes(word);
}

function diskHas(disk, { word, hits, inLayout }) {
  return (
    serial(disk).toLowerCase().includes(word) ||
    (disk[WWN] || "").includes(word) ||
    hits[disk[SLOT] || 0] === 1 ||
    hits[disk[MODEL] || 0] === 1 ||
    hits[disk[GROUP] || 0] === 1 ||
    hits[disk[KIND] || 0] === 1 ||
    inLayout[disk[NOW] || 0] ||
    inLayout[disk[THEN] || 0]
  );
}

function choose(change) {
  Object.assign(chosen, change);
  const words = chosen.text.toLowerCase().split(/\s+/).filter(Boolean).map(textHits);
  const only = ONLY[chosen.only];
  counts = { disks: 0, hosts: 0 };
  for (const host of site.hosts) {
    const here = shows[host.place];
    let any = 0;
    if (!only || only[1](host)) {
      const open = words.filter((each) => !hostHas(host, each.word));
      const diskOnly = only && only[2];
      host.d.forEach((disk, place) => {
        const fits =
          (!chosen.kind || field(disk, KIND) === chosen.kind) &&
          (chosen.use < 0 || layout(disk, chosen.side).some((part) => part[USE] === chosen.use) ||
            (chosen.use === FREE && !layout(disk, chosen.side).length)) &&
          (!diskOnly || diskOnly(host, disk)) &&
          open.every((each) => diskHas(disk, each));
        here[place] = fits ? 1 : 0;
        any += here[place];
      });
      // A host without disks, such as one that is down, is found by its name.
      const bare = !host.d.length && !chosen.kind && chosen.use < 0 && !open.length;
      const lists = only && !only[2] && !open.length && !chosen.kind && chosen.use < 0;
      hostShows[host.place] = any || bare || lists ? 1 : 0;
    } else {
      here.fill(0);
      hostShows[host.place] = 0;
    }
    counts.disks += any;
    counts.hosts += hostShows[host.place];
  }
  for (const listen of listeners) listen();
}

const chosenHosts = () => site.hosts.filter((host) => hostShows[host.place]);
const chosenDisks = (host) => host.d.filter((disk, place) => shows[host.place][place]);
