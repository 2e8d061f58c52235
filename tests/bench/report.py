# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of 1,000 hosts with 60 disks each in a real browser: how large it is, and when its first rack is drawn.

Three hosts are planned from recordings that are multiplied to 60 disks: one as wanted, one that grows, one that is new.
The site has 25 racks of 40 of them, each with serials and world-wide names of its own; of 20 hosts one grows and one
is new.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from guest import ROOT, Unmeasured, median
from table import Row, verdict

HOSTS, DISKS, RACKS = 1000, 60, 25
SECONDS, MEBIBYTES = 3.0, 15
_RUNS = 3
_SERIAL = re.compile(r"(HDD|NVME)(?=\d)|5000c5(?=[0-9a-f])")
# The first disk of the first host, as a person sees it.
_FIRST = ".rack .host .cell"


def rows(notes: list[str]) -> Iterator[Row]:
    """Size and seconds to open, and what making the page costs beside the planning."""
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Unmeasured("playwright is not installed; run make setup") from error
    from tests.browser.chromium import FLAGS, found

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        started = time.process_time()
        path.write_text(_page(folder), encoding="utf-8")
        made = time.process_time() - started
        size = path.stat().st_size / (1 << 20)
        try:
            browser_path = found()
        except FileNotFoundError as error:
            raise Unmeasured(str(error)) from error
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            opened = [_open(browser, path) for _ in range(_RUNS)]
            browser.close()
    seconds, scroll, search = (median([one[each] for one in opened]) for each in range(3))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    what = f"report of {HOSTS:,} hosts with {DISKS} disks each"
    yield Row("report", f"{what}: size", f"<= {MEBIBYTES} MiB", f"{size:.1f} MiB", verdict(size <= MEBIBYTES))
    yield Row(
        "report",
        f"{what}: open, first rack drawn",
        f"<= {SECONDS:.0f} s",
        f"{seconds:.2f} s",
        verdict(seconds <= SECONDS),
    )
    yield Row("report", f"{what}: scroll through all racks, median frame", "", f"{scroll:.0f} ms")
    yield Row("report", f"{what}: search for a serial", "", f"{search:.0f} ms")
    yield Row("report", f"{what}: writing it", "", f"{made:.1f} s of processor time, {memory:.0f} MiB at most")
    notes.append("report: hosts are copies of three planned ones under their own serials; headless Chromium, no GPU")


def _open(browser: Any, path: Path) -> tuple[float, float, float]:
    """Seconds until disks are on the screen; milliseconds of a frame in a fast scroll, and of a search."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    started = time.monotonic()
    page.goto(path.as_uri())
    page.wait_for_selector(_FIRST)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seconds = time.monotonic() - started
    scroll = page.evaluate(
        """async () => {
          const frames = [];
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          const end = document.documentElement.scrollHeight;
          let last = await frame();
          for (let at = 0; at < end; at += 700) {
            scrollTo(0, at);
            const now = await frame();
            frames.push(now - last);
            last = now;
          }
          scrollTo(0, 0);
          return frames.sort((one, other) => one - other)[Math.floor(frames.length / 2)];
        }"""
    )
    search = page.evaluate(
        """async () => {
          const field = document.getElementById("search");
          const status = document.getElementById("shown");
          const begun = performance.now();
          const done = new Promise((resolve) => new MutationObserver(() => resolve(performance.now() - begun))
            .observe(status, { childList: true }));
          field.value = "h05120002";
          field.dispatchEvent(new Event("input"));
          return await done;
        }"""
    )
    page.close()
    return seconds, scroll, search


def _page(folder: str) -> str:
    from barestore.report.page import html

    return html("bench", "2026-11-21T12:00:00Z", _hosts(folder))


def _hosts(folder: str) -> Iterator[Any]:
    """The hosts of the site, by rack."""
    from barestore.report.data import view

    samples = _samples(folder)
    for number in range(HOSTS):
        rack, place = divmod(number, HOSTS // RACKS)
        plan, known = _renamed(samples[1 if place % 20 == 3 else 2 if place % 20 == 7 else 0], rack + 1, place)
        yield view(plan, known)


def _samples(folder: str) -> list[str]:
    """Plan and facts of the three hosts, as text in which names can be replaced."""
    from barestore.commands.common import ready
    from barestore.commands.report import planned
    from barestore.options import Options
    from tests.browser import sites

    inventory, recordings = sites.write(Path(folder), [[sites.WANTED, sites.GROWING, sites.NEW]], DISKS, renaming=False)
    found = []
    for host in ready(Options(inventory)).hosts:
        plan, known = planned(host, recordings)
        carried = [[*place, said] for place, said in known.carried.items()]
        stores = [[one.kind, one.name, one.size, one.used, one.state] for one in known.stores]
        found.append(
            json.dumps([plan.as_json(), known.taken, carried, dict(known.groups), dict(known.reasons), stores])
        )
    return found


def _renamed(sample: str, rack: int, place: int) -> tuple[Any, Any]:
    from barestore.hostplan import HostPlan
    from barestore.report.data import Facts, Store

    own = f"{rack:02X}{place:02}"
    text = _SERIAL.sub(lambda found: f"{found[0][0]}{own}" if found[0][0] in "HN" else f"50{own}".lower(), sample)
    plan, taken, carried, groups, reasons, stores = json.loads(text)
    kept = {key: plan[key] for key in ("status", "digest", "actions", "refusals", "notes", "disks")}
    known = Facts(
        taken,
        {(disk, number): said for disk, number, said in carried},
        groups,
        reasons,
        (),
        [Store(*one) for one in stores],
    )
    return HostPlan(f"ss{rack:02}{place:02}", rack=f"rack{rack:02}", **kept), known
