// Past runs: when, where, how each ended, and what took its time.

const MOST_RUNS = 500;

function stepRow([action, , seconds, rc], longest) {
  const line = el("i");
  line.style.width = `${Math.max(1, (seconds / (longest || 1)) * 100)}%`;
  return el("li", { class: `step${rc ? " is-bad" : ""}` },
    el("span", {}, rc ? el("strong", { class: "bad" }, `failed: ${action}`) : action),
    el("div", { "aria-hidden": "true" }, line),
    el("span", {}, `${seconds.toFixed(1)} s`));
}

function stepList(steps) {
  const longest = Math.max(...steps.map((step) => step[2]), 0.001);
  return el("ol", { class: "steps" }, steps.map((step) => stepRow(step, longest)));
}

function runCard([host, began, status, message, steps]) {
  const seconds = steps.reduce((sum, step) => sum + step[2], 0);
  const found = el("details", { class: "card" },
    el("summary", {}, el("strong", {}, shortTime(began) || "time unknown"), ` ${host} `,
      badge(`s-${status}`, STATUS[status] || status), " ",
      el("span", { class: "soft" }, `${many(steps.length, "step")}, ${seconds.toFixed(1)} s`)),
    message && says(message, status === "done" ? "" : "is-bad"));
  found.load = () => found.append(stepList(steps));
  found.addEventListener("toggle", () => found.open && found.load(), { once: true });
  return found;
}

function drawRuns(part) {
  const draw = () => {
    if (part.hidden && !printing) return;
    const names = new Set(chosenHosts().map((host) => host.n));
    const known = new Set(site.hosts.map((host) => host.n));
    const runs = site.runs.filter(([host]) => names.has(host) || (!known.has(host) && !isFiltered()));
    const more = runs.length - MOST_RUNS;
    part.replaceChildren(
      ...runs.slice(0, MOST_RUNS).map(runCard),
      runs.length ? "" : empty("No run of these hosts. Give journals or answers of apply --json with --runs."),
      more > 0 ? el("p", { class: "soft" }, `${number(more)} older runs.`) : "");
  };
  listeners.push(draw);
  part.refresh = draw;
  draw();
}
