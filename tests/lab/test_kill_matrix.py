# SPDX-License-Identifier: GPL-3.0-or-later
"""Each action of a scenario is cut off before, within and after; the next run goes on, without a hand.

One test is one host. Its run is cut off at the first action, the next run at the second, and so on: each plans from
what the one before left, and the last one ends. So each stop costs one launch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from barestore.lab.vm import VirtualMachine
from tests.lab import faults
from tests.lab.scenarios import Scenario, scenario
from tests.lab.used import used

pytestmark = pytest.mark.lab
SCENARIOS = ("mixed", "lvm-day2", "zfs-day2")
_MOST = 200
# The lines that a run left in fstab are told to systemd by that run, or by the next one before it plans.
_NOT_READ = "systemctl show --property=NeedDaemonReload '*.mount' '*.swap'"
_TOLD = "fstab.reload:/etc/fstab"
# What should be mounted is, so that each walk meets every unmount; a busy emulated host may need to be asked.
_BOOTED = """
systemctl is-system-running --wait
for mount in $(findmnt --fstab -rno TARGET | grep ^/); do mountpoint -q "$mount" || echo "not mounted: $mount"; done
systemctl list-units --failed --no-legend --plain
mount -a; true
"""


@dataclass
class Walk:
    """A host on its way to the last document of a scenario, and what it met."""

    vm: VirtualMachine
    told: Scenario
    plan: list[dict[str, Any]]
    passed: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        return self.told.documents[-1]

    @property
    def stops(self) -> int:
        """Without what was let through from the beginning; the first digests are those of before."""
        return len(self.digests) - 1

    def walk(self, point: str, way: str, fault: Callable[[faults.Run, str], None], within: str = "last") -> None:
        """Run until a run ends without a stop; ``fault`` is what happens at each stop."""
        while len(self.passed) < _MOST:
            told = {"point": point, "way": way, "passed": self.passed, "within": within, "alone": way != "kill"}
            launched = faults.Run(self.vm, self.document, told, self.told.consent)
            if not (stop := launched.stop()):
                answer = launched.answer()
                if answer.get("failed"):
                    print(f"after {self.passed[-1:]}: {answer['msg']}\n{faults.look(self.vm)}", flush=True)
                    raise AssertionError(answer["msg"])
                return
            print(f"{time.strftime('%T')} {way} {stop}", flush=True)
            fault(launched, stop)
            self.passed.append(stop)
            self.digests.append(faults.kept(self.vm))
        raise AssertionError(f"after {_MOST} runs there is no end: {self.passed}")

    def end(self) -> None:
        """What was kept is byte-equal, nothing is left to do, and each run that was cut off has its report."""
        faults.unchanged(self.vm, self.digests)
        again = faults.run(self.vm, self.document, consent=self.told.consent).answer
        assert not again.get("failed"), again["msg"]
        assert (again["changed"], again["plan"]) == (False, [])
        assert "=yes" not in self.vm.ssh(_NOT_READ).stdout
        print(f"{self.stops} stops", flush=True)


@contextmanager
def host(name: str, forgets: bool = False) -> Iterator[Walk]:
    """A host with the earlier documents of a scenario, and files in its file systems."""
    told = scenario(name)
    with used(told, forgets) as (vm, digests):
        planned = faults.run(vm, told.documents[-1], consent=told.consent, check=True).answer
        assert not planned.get("failed"), planned["msg"]
        yield Walk(vm, told, planned["plan"], digests=[digests])


@pytest.mark.parametrize("way", ["kill", "kill-all"])
@pytest.mark.parametrize("point", faults.POINTS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_killed_run_is_finished_by_the_next(name: str, point: str, way: str) -> None:
    """``kill`` leaves the module's children running; ``kill-all`` kills them first, a command in one of its writes."""
    with host(name) as one:
        one.walk(point, way, lambda launched, _stop: launched.await_end())
        one.end()
        reports = [json.loads(text) for text in one.vm.ssh(faults.REPORTS).stdout.split("\0") if text.strip()]
        cut = [report for report in reports if "was cut off" in report["error"]]
        assert len(cut) == len(one.passed)
        met = _actions(one.passed)
        if point != "after":
            assert {name for report in cut for name in report["running"]} >= met - {_TOLD}
        if way == "kill":  # others ran beside the one that was stopped
            met |= {name for report in cut for name in report["running"] + report["done"]}
        assert met >= {action["id"] for action in one.plan}


@pytest.mark.parametrize("point", faults.POINTS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_power_cut_is_finished_by_the_next(name: str, point: str) -> None:
    """What no disk was told to flush is lost with the power, as far as it is new since the last cut.

    A boot mounts what an action had unmounted for a while, and then no run does. Whatever a walk did not meet is met
    on a host of its own, where all else is let through.
    """
    planned, met = _walk_with_power_cuts(name, point)
    for action in sorted(planned - met):
        print(f"not met, so on a host of its own: {action}", flush=True)
        _planned, alone = _walk_with_power_cuts(name, point, let_through=planned - {action})
        assert action in alone


def _walk_with_power_cuts(name: str, point: str, let_through: Collection[str] = ()) -> tuple[set[str], set[str]]:
    """The planned actions, and those at which the power was cut."""
    with host(name, forgets=True) as one:

        def cut(launched: faults.Run, _stop: str) -> None:
            one.vm.power_cut()
            launched.abandon()
            one.vm.boot()
            print(" ".join(one.vm.ssh(_BOOTED).stdout.split()), flush=True)
            faults.start(one.vm)

        one.passed += let_through
        one.walk(point, "wait", cut)
        one.end()
        return {action["id"] for action in one.plan}, _actions(one.passed[len(let_through) :])


@pytest.mark.parametrize("point", faults.POINTS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_a_disk_refused_is_done_by_the_next(name: str, point: str) -> None:
    """All that a disk of the action is asked for is an input/output error, until the run has ended.

    A file system that is mounted then is given up by the kernel, and checked by a person: the run says so.
    """
    with host(name) as one:
        serials = {disk.link: disk.serial for disk in one.told.machine.disks}
        disks = {action["id"]: [serials[link] for link in action["disks"] if link in serials] for action in one.plan}
        failed: list[str] = []

        def refuse(launched: faults.Run, stop: str) -> None:
            serial = disks[stop.partition(f"/{point}")[0]][0]
            faults.fail(one.vm, serial)
            faults.go_on(one.vm)
            answer = launched.answer()
            faults.mend(one.vm, serial)
            if given_up := faults.check(one.vm):
                print(f"the kernel gave up {', '.join(given_up)}", flush=True)
            if answer.get("failed"):
                print(answer["msg"], flush=True)
                assert "Traceback" not in answer["msg"] and answer["msg"].endswith(".")
                failed.append(stop)

        one.passed += [name for name, used in disks.items() if not used]
        one.walk(point, "wait", refuse)
        one.end()
        print(f"{len(failed)} of {one.stops} runs failed")
        assert failed


def _actions(stops: list[str]) -> set[str]:
    """The actions of stops, and the one that is in no plan any more once its lines are written."""
    return {_TOLD} | {stop.rpartition("/")[0].removesuffix("/within") for stop in stops}
