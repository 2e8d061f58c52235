// The keyboard in a rack: one stop for Tab, arrows between disks, Enter opens.

// Each rack has one element that Tab reaches: where somebody was last, else its first host.
function stops() {
  for (const rack of document.querySelectorAll(".rack")) {
    const held = rack.querySelector('[tabindex="0"]');
    if (held?.isConnected && !held.closest("[hidden]")) continue;
    held?.setAttribute("tabindex", "-1");
    rack.querySelector(".host:not([hidden]) .host-head button")?.setAttribute("tabindex", "0");
  }
}

function stopAt(element) {
  const rack = element.closest(".rack");
  for (const held of rack.querySelectorAll('[tabindex="0"]')) held.setAttribute("tabindex", "-1");
  element.setAttribute("tabindex", "0");
}

// Focus a disk of a host, or its name where it has no such disk.
function focusIn(place, disk) {
  fill(place);
  const one = hostElements.get(place);
  const found = one.cells.children[disk] || one.found.querySelector("button");
  stopAt(found);
  found.focus();
  return found;
}

function nextHost(host, step) {
  let found = host;
  do found = step > 0 ? found.nextElementSibling : found.previousElementSibling;
  while (found?.hidden);
  return found;
}

// The cell above or below on the screen, in this host or in the next one.
function vertical(current, host, step) {
  const cells = [...host.querySelectorAll(".cell")];
  const box = current.getBoundingClientRect();
  const at = cells.indexOf(current);
  const across = Math.max(1, cells.filter((each) => each.offsetTop === cells[0].offsetTop).length);
  if (at < 0 && step > 0 && cells.length) return cells[0];
  const target = at + step * across;
  if (at >= 0 && target >= 0 && target < cells.length) return cells[target];
  if (at >= 0 && step > 0 && Math.floor(at / across) < Math.floor((cells.length - 1) / across)) return cells.at(-1);
  if (at >= 0 && step < 0) return host.querySelector(".host-head button");
  const other = nextHost(host, step);
  if (!other) return null;
  fill(Number(other.dataset.host));
  if (step > 0) return other.querySelector(".host-head button");
  const others = [...other.querySelectorAll(".cell")];
  const last = others.filter((each) => each.offsetTop === others.at(-1).offsetTop);
  return last.findLast((each) => each.getBoundingClientRect().left <= box.left + 2) || last[0]
    || other.querySelector(".host-head button");
}

function moved(key, current, host) {
  const cells = [...host.querySelectorAll(".cell")];
  const at = cells.indexOf(current);
  switch (key) {
    case "ArrowRight":
      return cells[at + 1] || nextHost(host, 1)?.querySelector(".host-head button");
    case "ArrowLeft":
      return at === 0 ? host.querySelector(".host-head button") : at > 0 ? cells[at - 1] : vertical(current, host, -1);
    case "ArrowDown":
      return vertical(current, host, 1);
    case "ArrowUp":
      return vertical(current, host, -1);
    case "Home":
      return host.querySelector(".host-head button");
    case "End":
      return cells.at(-1);
    case "PageDown":
      return nextHost(host, 1)?.querySelector(".host-head button");
    case "PageUp":
      return nextHost(host, -1)?.querySelector(".host-head button");
    default:
      return undefined;
  }
}

function openFrom(element) {
  const host = site.hosts[Number(element.closest(".host").dataset.host)];
  if (element.classList.contains("cell")) openDisk(host, Number(element.dataset.disk), element);
  else openHost(host, element);
}

function listenGrid(grid) {
  const target = (event) => event.target.closest(".cell, [data-open]");
  grid.addEventListener("click", (event) => {
    const found = target(event);
    if (!found) return;
    stopAt(found);
    found.focus({ preventScroll: true });
    openFrom(found);
  });
  grid.addEventListener("pointerover", (event) => {
    const found = event.target.closest(".cell:not([title])");
    if (found) found.title = found.getAttribute("aria-label");
  });
  grid.addEventListener("keydown", (event) => {
    const found = target(event);
    if (!found || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      openFrom(found);
      return;
    }
    const next = moved(event.key, found, found.closest(".host"));
    if (next === undefined && !/^(Arrow|Page|Home|End)/.test(event.key)) return;
    event.preventDefault();
    if (!next) return;
    stopAt(next);
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    if (!byId("panel").hidden && next.classList.contains("cell")) openFrom(next);
  });
}
