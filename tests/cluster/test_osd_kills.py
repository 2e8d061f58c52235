# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that change OSDs are killed at each step, the module or its controller; the next run goes on, without a hand.

One test is a walk: a run is killed at its first step, the next run at the next one, and so on, until one ends. So each
stop costs one launch. What was seen is in ``build/osd-kills.json`` afterwards.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.bed.site import ROOT
from tests.cluster.conftest import Cluster
from tests.cluster.osd_runs import Osds, edited, left_over, serial_of
from tests.cluster.test_ceph import NAMESPACE, POOL, SET, is_clean
from tests.cluster.watching import Watched, watch

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not os.environ.get("FULL"), reason="many killed runs, many minutes; run: make cluster FULL=1"),
]
POINTS = ("before", "within", "after")
_MOST = 60
FIGURES: list[dict[str, Any]] = []


@pytest.fixture(scope="module")
def osds(cluster: Cluster) -> Iterator[Osds]:
    """Four OSDs, so that one may go; three afterwards."""
    made = Osds(cluster, cluster.kube(NAMESPACE))
    made.ensure(4)
    yield made
    made.ensure(3)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/osd-kills.json").write_text(json.dumps(FIGURES, indent=1) + "\n")


@dataclass
class Walk:
    """Runs of the same options, each cut off at a step that no other was cut off at."""

    osds: Osds
    watched: Watched
    count: int
    more: dict[str, Any] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)

    def walk(self, point: str, only: str = "") -> None:
        """Until a run ends: nobody else was touched, nothing is left, and each action of the plan was met."""
        self.more["pace"] = "fast"  # which is set first and put back last
        planned = self.osds.run(self.count, check=True, **self.more)
        goers = {int(name[4:]) for name in planned["identities"] if name.startswith("osd.")}
        before = self.osds.others(goers)
        while len(self.passed) < _MOST:
            fault = {"point": point, "passed": self.passed, "only": only}
            run = self.osds.launch(self.count, fault=fault, **self.more)
            stop = run.stop()
            if not stop:
                answer = run.answer()
                assert not answer.get("failed"), (self.passed[-1:], answer["msg"])
                break
            run.await_end()
            self.passed.append(stop)
            print(stop, flush=True)
        else:
            raise AssertionError(f"after {_MOST} runs there is no end: {self.passed}")
        now = self.osds.others(goers)
        assert {number: now.get(number) for number in before} == before
        assert self.watched.touched(goers) == []
        assert left_over(self.osds.k, self.count) == []
        again = self.osds.run(self.count, **self.more)
        assert (again["changed"], again["plan"]) == (False, [])
        if not only:
            met = {stop.rpartition(f"/{point}")[0] for stop in self.passed} - {"run"}
            known = {one["id"] for one in planned["plan"]}
            # What was raised and not waited for is waited for by an action of its own.
            assert met - {f"device_set.settle:{SET}"} <= known
            assert met >= {one["id"] for one in planned["plan"] if point != "within" or one["commands"]}


@pytest.mark.parametrize("way", ["down", "up"])
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_module_is_finished_by_the_next(osds: Osds, point: str, way: str) -> None:
    start, end = (4, 3) if way == "down" else (3, 4)
    osds.ensure(start)
    finish(osds, f"{way}, {point}", lambda watched: walked(Walk(osds, watched, end), point))


@pytest.mark.parametrize("point", POINTS)
def test_a_replacement_that_is_killed_is_finished_by_the_next(osds: Osds, point: str) -> None:
    osds.ensure(4)
    victim = max(osds.on_hosts().values(), key=len)[-1]
    volume = osds.volume_of(victim)
    more = {"replace": [serial_of(volume)]}
    finish(osds, f"replace, {point}", lambda watched: walked(Walk(osds, watched, 4, more), point))
    osds.put_in(volume)


def test_a_run_that_is_killed_once_all_is_done_leaves_nothing(osds: Osds) -> None:
    osds.ensure(4)
    finish(osds, "down, at its end", lambda watched: walked(Walk(osds, watched, 3), "after", "run/after"))


def walked(walk: Walk, point: str, only: str = "") -> int:
    walk.walk(point, only)
    return len(walk.passed)


def finish(osds: Osds, what: str, steps: Callable[[Watched], int]) -> None:
    """Do it, and judge what was seen meanwhile."""
    with watch(osds.k, POOL) as watched:
        started = time.monotonic()
        stops = steps(watched)
        seconds = round(time.monotonic() - started)
        told = watched.end()
    load = round(os.getloadavg()[1], 1)
    figures = {"what": what, "stops": stops, "seconds": seconds, "load": load, **watched.figures()}
    FIGURES.append({**figures, "client": told})
    print(json.dumps(FIGURES[-1]), flush=True)


# What is so when the controller dies, and the number then wanted.
MOMENTS: dict[str, tuple[int, int, Callable[[Osds], Any]]] = {
    "an OSD empties": (4, 3, lambda o: any(not one["in"] for one in o.k.ceph("osd", "dump")["osds"])),
    "an OSD is stopped": (4, 3, lambda o: o.k.list("deploy", "ceph.rook.io/do-not-reconcile")),
    "a disk is wiped": (4, 3, lambda o: any("wipe" in one["metadata"]["name"] for one in o.k.list("job"))),
    "an OSD is to come": (3, 4, lambda o: len(o.k.list("pvc", f"ceph.rook.io/DeviceSet={SET}")) == 4),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_controller_is_finished_by_the_next(cluster: Cluster, osds: Osds, moment: str) -> None:
    start, end, holds = MOMENTS[moment]
    osds.ensure(start)

    def steps(_watched: Watched) -> int:
        argv = cluster.argv("site.yml", "--limit", "cp1", "-e", edited(cluster, end))
        run = subprocess.Popen(argv, cwd=ROOT, env=cluster.environment, stdout=subprocess.DEVNULL)
        osds.k.wait(moment, lambda: holds(osds))
        for pid in [run.pid, *below(run.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.wait()
        # The module does not know; while it lives, nobody else begins.
        said = cluster.playbook("site.yml", "--limit", "cp1", "-e", edited(cluster, end), check=False)
        if said.returncode:
            assert f"changes the OSDs of {NAMESPACE}, and last said so at" in said.stdout, said.stdout[-3000:]
            osds.k.wait("the end of the module that was left alone", lambda: not osds.hold(), 600)
            cluster.playbook("site.yml", "--limit", "cp1", "-e", edited(cluster, end))
        print("refused meanwhile" if said.returncode else "finished", flush=True)
        assert left_over(osds.k, end) == []
        assert is_clean(osds.k)
        return 1

    finish(osds, f"controller, while {moment}", steps)


def below(pid: int) -> list[int]:
    """All processes below one."""
    found = [pid]
    for one in found:
        text = subprocess.run(["pgrep", "-P", str(one)], capture_output=True, text=True, check=False).stdout
        found += map(int, text.split())
    return found[1:]
