# SPDX-License-Identifier: GPL-3.0-or-later
"""udev beside a run: however busy it is, no partition vanishes from under an action.

The tests of this file follow one another on one host.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from barestore.lab.machine import parse_disk
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import converge, converged

pytestmark = pytest.mark.lab

SERIALS = ("OTHER", *(f"HDD{number}" for number in range(6)))
DISKS: list[dict[str, Any]] = [{"serial": serial, "type": "hdd", "size": "4 GiB"} for serial in SERIALS]
DOCUMENT: dict[str, Any] = {
    "disks": {
        "parts": {"match": {"serial": "HDD[0-3]"}, "count": 4},
        "whole": {"match": {"serial": "HDD[45]"}, "count": 2},
    },
    "partitions": {
        "parts": [
            {"name": "lvm", "size": "1 GiB", "use": "lvm"},
            {"name": "zfs", "size": "1 GiB", "use": "zfs"},
            {"name": "data", "size": "rest", "use": "filesystem", "filesystem": "ext4"},
        ]
    },
    "lvm": {"fast": {"physical_volumes": ["parts.lvm"], "volumes": {"v": {"size": "1 GiB", "filesystem": "xfs"}}}},
    "zfs": {"tank": {"data": {"mirror": ["whole"]}, "log": {"stripe": ["parts.zfs"]}}},
}
# What the kernel says of partitions, and work for udev on both processors.
_WATCH = """
setsid udevadm monitor --kernel --subsystem-match=block >/run/monitor 2>&1 </dev/null &
echo $! >/run/monitor.pid; sleep 1
"""
_BUSY = """
for i in 1 2; do
    for work in 'udevadm trigger --subsystem-match=block; udevadm settle' :; do
        setsid sh -c "while :; do $work; done" >/dev/null 2>&1 </dev/null &
        echo $! >>/run/busy
    done
done
"""
_CALM = "for i in $(cat /run/busy); do kill -- -$i; done; rm /run/busy; udevadm settle"


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="udev", say=print) as machine:
        machine.ssh("modprobe zfs")
        yield machine


def removed(vm: VirtualMachine) -> list[str]:
    """Partitions that vanished since the watch began."""
    said = vm.ssh("kill $(cat /run/monitor.pid); cat /run/monitor").stdout
    return [line.split()[-2] for line in said.splitlines() if " remove " in line and "/host" in line]


def test_a_shared_lock_keeps_udev_from_reading_a_table_again(vm: VirtualMachine) -> None:
    """What the executor builds on, seen on the udev of this system: without the lock, closing a disk is enough."""
    disk = f"/dev/disk/by-id/{vm.machine.disks[0].link}"
    vm.ssh(f"echo size=1GiB | sfdisk --quiet --label gpt {disk}; sleep 2; udevadm settle")
    vm.ssh(_WATCH)
    vm.ssh(f"flock --shared {disk} sh -c 'exec 3<>{disk}; exec 3>&-; sleep 3'")
    assert removed(vm) == []
    vm.ssh(_WATCH)
    vm.ssh(f"exec 3<>{disk}; exec 3>&-; sleep 3")
    assert len(removed(vm)) == 1


def test_partitions_stay_while_a_run_works(vm: VirtualMachine) -> None:
    vm.ssh(_WATCH)
    vm.ssh(_BUSY)
    try:
        result = converged(vm, DOCUMENT)
    finally:
        vm.ssh(_CALM)
    assert result["changed"]
    assert removed(vm) == []
    assert converge(vm, DOCUMENT)["plan"] == []


def test_a_disk_that_somebody_keeps_locked_is_a_sentence(vm: VirtualMachine) -> None:
    grown = {**DOCUMENT, "zfs": {"tank": {**DOCUMENT["zfs"]["tank"], "spare": {"disks": ["spare"]}}}}
    grown["disks"] = {**DOCUMENT["disks"], "spare": {"match": {"serial": "HDD6"}, "count": 1}}
    further = parse_disk({"serial": "HDD6", "type": "hdd", "size": "4 GiB"}, slot=20)
    vm.add_disk(further)
    disk = f"/dev/disk/by-id/{further.link}"
    vm.ssh(f"i=0; while [ ! -e {disk} ] && [ $i -lt 100 ]; do sleep .1; i=$((i+1)); done; udevadm settle")
    vm.ssh(f"setsid flock {disk} sleep 600 >/dev/null 2>&1 </dev/null & echo $! >/run/holder")
    refused = converge(vm, grown)
    assert refused["failed"] and "locked, so nothing was written to it" in refused["msg"]
    vm.ssh("kill -- -$(cat /run/holder)")  # what flock started has the lock as well
    assert converged(vm, grown)["changed"]
