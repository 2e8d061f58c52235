# SPDX-License-Identifier: GPL-3.0-or-later
"""What else happens while a run goes on: a disk is pulled, is slow, the journal's disk fills, udev is late, SSH breaks.

The tests of this file use one host, each with disks of its own.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from barestore.lab import qemu
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab import faults

pytestmark = pytest.mark.lab

SERIALS = ("PULL1", "PULL2", "SLOW1", "FULL1", "LATE1", "SSH1", "EXT4", "XFS")
RULE = "/run/udev/rules.d/10-late.rules"


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    disks = [{"serial": serial, "type": "hdd", "size": "1 GiB"} for serial in SERIALS]
    with throwaway({"disks": disks}, name="faults", say=print) as host:
        faults.prepare(host)
        yield host


def whole(*serials: str, kind: str = "xfs") -> dict[str, Any]:
    """A file system on each disk and a mount for it."""
    return {
        "disks": {serial.lower(): {"match": {"serial": serial}, "count": 1} for serial in serials},
        "filesystems": {
            serial.lower(): {"device": serial.lower(), "type": kind, "mount": f"/srv/{serial.lower()}"}
            for serial in serials
        },
    }


def parted(serial: str) -> dict[str, Any]:
    """A partition with a file system: what udev has to see before mkfs finds it."""
    name = serial.lower()
    part = {"name": "data", "size": "256 MiB", "use": "filesystem", "filesystem": "ext4", "mount": f"/srv/{name}"}
    return {"disks": {name: {"match": {"serial": serial}, "count": 1}}, "partitions": {name: [part]}}


def stopped(vm: VirtualMachine, document: dict[str, Any], action: str, point: str) -> faults.Run:
    """A run that waits at a point of the action whose id starts so."""
    plan = faults.run(vm, document, check=True).answer["plan"]
    others = [one["id"] for one in plan if not one["id"].startswith(action)]
    assert len(others) == len(plan) - 1, plan
    run = faults.Run(vm, document, {"point": point, "way": "wait", "passed": others, "within": "last"})
    assert run.stop().startswith(action)
    return run


def converges(vm: VirtualMachine, document: dict[str, Any]) -> dict[str, Any]:
    """Run, and run again: the second has nothing to do. The first answer."""
    first, again = faults.run(vm, document).answer, faults.run(vm, document).answer
    for answer in (first, again):
        assert not answer.get("failed"), answer["msg"]
    assert (again["changed"], again["plan"]) == (False, [])
    return dict(first)


def report(vm: VirtualMachine, answer: dict[str, Any]) -> dict[str, Any]:
    """The report that a run left."""
    told: dict[str, Any] = json.loads(vm.ssh(f"cat {answer['report']}").stdout)
    return told


def test_a_disk_pulled_in_the_middle_comes_back(vm: VirtualMachine) -> None:
    document = whole("PULL1", "PULL2")
    run = stopped(vm, document, "filesystem.create:pull1", "within")
    disk = next(one for one in vm.machine.disks if one.serial == "PULL1")
    vm.remove_disk("PULL1")
    faults.go_on(vm)
    answer = run.answer()
    assert answer["failed"] and report(vm, answer)["error"] == answer["msg"]
    # Not without it: it was chosen, and nothing else is taken in its place.
    refused = faults.run(vm, document).answer
    assert "the disk PULL1 was chosen" in refused["msg"] and not refused["executed"]
    vm.add_disk(disk)
    converges(vm, document)
    assert vm.ssh("findmnt -no FSTYPE /srv/pull1; findmnt -no FSTYPE /srv/pull2").stdout == "xfs\nxfs\n"


def test_a_slow_disk_is_waited_for(vm: VirtualMachine) -> None:
    limits = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd"), 0)
    vm.qmp.command("block_set_io_throttle", id=qemu.device_name("SLOW1"), **limits, iops_wr=3)
    try:
        assert converges(vm, whole("SLOW1"))["changed"]
    finally:
        vm.qmp.command("block_set_io_throttle", id=qemu.device_name("SLOW1"), **limits, iops_wr=0)


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_file_system_that_the_kernel_gave_up_is_told_and_comes_back(vm: VirtualMachine, kind: str) -> None:
    document, path = whole(kind.upper(), kind=kind), f"/srv/{kind}"
    converges(vm, document)
    digests = faults.kept(vm)
    faults.fail(vm, kind.upper())
    vm.ssh(
        f"for i in $(seq 20); do touch {path}/$i 2>&1; sync {path}; sleep 1; stat {path} || break; done", check=False
    )
    faults.mend(vm, kind.upper())
    answer = faults.run(vm, document).answer
    assert not answer.get("failed"), answer["msg"]
    assert any(note.startswith(f"{path}: the kernel") and "unmount it" in note for note in answer["notes"]), answer
    assert faults.check(vm) == [path]
    assert [one["id"] for one in converges(vm, document)["plan"]] == [f"mount.mount:{path}"]
    faults.unchanged(vm, [digests])


def test_a_journal_disk_that_fills_in_the_middle_has_room_for_this_run(vm: VirtualMachine) -> None:
    """The room was reserved before the first write. The report has none, which is said, and written by the next run."""
    document = whole("FULL1")
    vm.ssh("mkdir /mnt/saved; cp -a /var/lib/barestore/. /mnt/saved; mount -t tmpfs -o size=256k t /var/lib/barestore")
    vm.ssh("cp -a /mnt/saved/state.json /var/lib/barestore/")
    try:
        run = stopped(vm, document, "filesystem.create:full1", "before")
        vm.ssh("head -c 1M /dev/zero >/var/lib/barestore/full || true")
        faults.go_on(vm)
        answer = run.answer()
        assert not answer.get("failed"), answer["msg"]
        assert any("cannot be written: No space left on device" in note for note in answer["notes"]), answer["notes"]
        vm.ssh("rm /var/lib/barestore/full")
        converges(vm, document)
        told = json.loads(vm.ssh("cat /var/lib/barestore/reports/*.json").stdout)
        assert told["error"] == "" and "filesystem.create:full1@FULL1" in told["done"]
    finally:
        vm.ssh("cp -a /var/lib/barestore/state.json /mnt/saved/; umount /var/lib/barestore; rm -r /mnt/saved")


def test_a_late_udev_is_waited_for(vm: VirtualMachine) -> None:
    vm.ssh(f"mkdir -p {RULE.rpartition('/')[0]}; cat >{RULE}; udevadm control --reload", input=_LATE)
    try:
        assert converges(vm, parted("LATE1"))["changed"]
    finally:
        vm.ssh(f"rm {RULE}; udevadm control --reload")


_LATE = 'SUBSYSTEM=="block", KERNEL=="sd*", PROGRAM="/bin/sleep 3"\n'


def test_a_run_whose_connection_broke_ends_by_itself(vm: VirtualMachine) -> None:
    document = whole("SSH1")
    run = stopped(vm, document, "filesystem.create:ssh1", "within")
    subprocess.run(["ssh", "-F", str(vm.ssh_config), "-O", "exit", vm.name], capture_output=True, check=False)
    run.abandon()
    faults.go_on(vm)
    answer = _unlocked(vm, document)
    assert not answer.get("failed"), answer["msg"]
    assert answer["changed"] is False, "the run that nobody listened to had not ended its work"
    last = json.loads(vm.ssh("cat $(ls -t /var/lib/barestore/reports/*.json | head -1)").stdout)
    assert last["error"] == "" and "filesystem.create:ssh1@SSH1" in [one["id"] for one in last["plan"]]


def _unlocked(vm: VirtualMachine, document: dict[str, Any]) -> dict[str, Any]:
    """The answer of the first run that finds the lock free."""
    while True:
        answer = dict(faults.run(vm, document).answer)
        if "another run" not in answer.get("msg", ""):
            return answer
        time.sleep(1)
