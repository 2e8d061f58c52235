# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host can have that a document must not run over: one sentence each, and nothing written.

The tests of this file follow one another on one host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from barestore.lab import qemu
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import converge
from tests.lab.look import fingerprint

pytestmark = pytest.mark.lab

# What makes each content, and the word by which a refusal must call it.
CONTENTS = {
    "EXT4": ("mkfs.ext4 -q $D", "ext4"),
    "XFS": ("mkfs.xfs -q $D", "xfs"),
    "VFAT": ("mkfs.vfat $D >/dev/null", "vfat"),
    "SWAP": ("mkswap -q $D", "swap"),
    "PV": ("pvcreate -qq $D", "LVM2_member"),
    "ZFS": ("zpool create -f other $D; zpool export other", "zfs|gpt"),
    "MD": ("mdadm --create --run --quiet --level=1 --force --raid-devices=1 /dev/md/one $D; mdadm -q -S /dev/md/one",
           "linux_raid_member"),
    "LUKS": ("echo secret | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $D -", "crypto_LUKS"),
    "GPT": ("echo ,, | sfdisk -q --label gpt $D", "gpt"),
    "MBR": ("echo ,, | sfdisk -q --label dos $D", "dos"),
    "MOUNTED": ("mkfs.xfs -q $D; mount $D /mnt", "in use by the kernel|/mnt"),
    "HELD": ("setsid sleep 100000 >$D 2>/dev/null </dev/null &", "sleep"),
}  # fmt: skip
# What is there may be part of what is wanted: it is kept and never made again.
ADOPTED = {("lvm", "PV"), ("partitions", "GPT"), ("filesystems", "XFS"), ("filesystems", "MOUNTED")}
SWAPON = "SWAPON"
PLAIN = ("FREE1", "FREE2", "FREE3", "FREE4")
DISKS: list[dict[str, Any]] = [
    {"serial": serial, "type": "hdd", "size": "512 MiB", "bus_slot": slot}
    for slot, serial in enumerate((*CONTENTS, SWAPON, *PLAIN))
]
USES: dict[str, Any] = {
    "partitions": lambda group: {"partitions": {group: [{"name": "a", "size": "rest", "use": "local"}]}},
    "lvm": lambda group: {"lvm": {f"vg{group}": {"physical_volumes": [group]}}},
    "zfs": lambda group: {"zfs": {f"pool{group}": {"data": {"stripe": [group]}}}},
    "filesystems": lambda group: {"filesystems": {group: {"device": group, "type": "xfs"}}},
}


def document(use: str, *serials: str) -> dict[str, Any]:
    """Each disk in a group of its own, all for the same use."""
    out: dict[str, Any] = {"disks": {}}
    for serial in serials:
        group = serial.lower()
        out["disks"][group] = {"match": {"serial": serial}, "count": 1}
        for section, entries in USES[use](group).items():
            out.setdefault(section, {}).update(entries)
    return out


def link(vm: VirtualMachine, serial: str) -> str:
    return next(f"/dev/disk/by-id/{disk.link}" for disk in vm.machine.disks if disk.serial == serial)


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="lab1", say=print) as host:
        lines = [f"D={link(host, serial)}; {command}" for serial, (command, _word) in CONTENTS.items()]
        lines.append(f"D={link(host, SWAPON)}; mkswap -q $D; swapon $D")
        host.ssh(
            "set -e; mkdir -p /var/lib/barestore; touch /var/lib/barestore/lock; exec >/dev/null\n"
            + "\n".join(lines)
            + "\nudevadm settle; sync"
        )
        yield host


def refused(vm: VirtualMachine, asked: dict[str, Any]) -> list[str]:
    """The sentences of a refusal; nothing was written on the host by it."""
    before = fingerprint(vm)
    result = converge(vm, asked)
    assert result["failed"] and not result["changed"], result
    assert fingerprint(vm) == before
    assert result.get("executed", []) == []
    sentences: list[str] = result.get("refusals") or [result["msg"]]
    assert all(sentence.endswith(".") and "Traceback" not in sentence for sentence in sentences)
    return sentences


@pytest.mark.parametrize("use", USES)
def test_a_disk_that_carries_anything_is_refused(vm: VirtualMachine, use: str) -> None:
    sentences = refused(vm, document(use, *CONTENTS))
    print(*sentences, sep="\n")
    for serial, (_command, word) in CONTENTS.items():
        if (use, serial) in ADOPTED:
            continue
        about = [sentence for sentence in sentences if f"disk {serial} " in sentence]
        assert len(about) == 1, f"{serial}: {about}"
        assert re.search(word, about[0]), about[0]


def test_a_disk_that_holds_swap_in_use(vm: VirtualMachine) -> None:
    (sentence,) = refused(vm, document("lvm", SWAPON))
    assert f"not matching: {SWAPON} (" in sentence and "swap in use lies on it" in sentence


def test_a_disk_that_is_not_there(vm: VirtualMachine) -> None:
    (sentence,) = refused(vm, document("lvm", "NOSUCH"))
    assert "disk group 'nosuch'" in sentence and "no disk matches" in sentence


def test_a_disk_that_is_there_twice(vm: VirtualMachine) -> None:
    """Another path to FREE1, as with two cables and no multipath."""
    first = next(disk for disk in vm.machine.disks if disk.serial == "FREE1")
    path = vm.disks / "twin.raw"
    path.touch()
    path.write_bytes(b"")
    with path.open("ab") as handle:
        handle.truncate(first.size)
    node = qemu.block_node(replace(first, serial="TWIN"), path)
    vm.qmp.command("blockdev-add", **node)
    vm.qmp.command("device_add", **{**qemu.device(first), "id": "twin", "drive": node["node-name"], "scsi-id": 200})
    vm.ssh("i=0; while [ $(lsblk -dno SERIAL | grep -c FREE1) -lt 2 ] && [ $i -lt 100 ]; do sleep .1; i=$((i+1)); done")
    vm.ssh("udevadm settle")
    (sentence,) = refused(vm, document("lvm", "FREE1"))
    assert "FREE1" in sentence
    assert "one disk seen twice, or share the identity" in sentence
    vm.unplug("twin", node["node-name"])
    # The link of both names went with the one that udev had given it to.
    vm.ssh("udevadm trigger --settle --subsystem-match=block --action=change")


def test_a_tool_that_is_not_there(vm: VirtualMachine) -> None:
    vm.ssh("mv /usr/sbin/mkfs.xfs /usr/sbin/gone")
    try:
        (sentence,) = refused(vm, document("filesystems", "FREE1"))
        assert sentence == "mkfs.xfs: this tool is needed and not installed; install xfsprogs."
    finally:
        vm.ssh("mv /usr/sbin/gone /usr/sbin/mkfs.xfs")


def test_a_journal_without_room(vm: VirtualMachine) -> None:
    vm.ssh("mount -t tmpfs -o size=64k tmpfs /var/lib/barestore; cd /var/lib/barestore; touch lock")
    vm.ssh("head -c 61440 /dev/zero >/var/lib/barestore/full")
    try:
        (sentence,) = refused(vm, document("filesystems", "FREE1"))
        assert "No space left on device" in sentence and "/var/lib/barestore/journal" in sentence
    finally:
        vm.ssh("umount /var/lib/barestore")


# Sends the signal once, when the first file system is being made.
_INTERRUPT = """
cd /var/lib/barestore && pid=$(cat lock) &&
grep -qs 'filesystem.create.*"event": "start"' journal/*-$pid.jsonl && kill -{signal} $pid
"""


def throttle(vm: VirtualMachine, serials: Sequence[str], writes: int) -> None:
    """Let disks write so often in a second; 0 is no limit."""
    for serial in serials:
        limits = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd"), 0)
        vm.qmp.command("block_set_io_throttle", id=qemu.device_name(serial), **limits, iops_wr=writes)


@pytest.mark.parametrize("signal", ["INT", "TERM"])
def test_an_interrupted_run_goes_on_when_it_is_run_again(vm: VirtualMachine, signal: str) -> None:
    serials = PLAIN[:2] if signal == "INT" else PLAIN[2:]
    asked = document("filesystems", *serials)
    for entry in asked["filesystems"].values():
        entry["mount"] = f"/srv/{entry['device']}"
    throttle(vm, serials, 10)  # so that the signal comes while their file systems are made
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(converge, vm, asked)
        while not run.done() and vm.ssh(_INTERRUPT.format(signal=signal), check=False).returncode:
            pass
        result = run.result()
    throttle(vm, serials, 0)
    assert result["failed"] and "interrupted" in result["msg"], result
    assert len(result["executed"]) > 0
    journal = [json.loads(line) for line in vm.ssh(f"cat {result['journal']}").stdout.splitlines()]
    started = {one["action"] for one in journal if one["event"] == "start"}
    assert started == {one["action"] for one in journal if one["event"] == "done"}
    assert journal[-1]["result"] == "failed" and len(started) < len(result["plan"])
    again = converge(vm, asked)
    assert not again["failed"], again["msg"]
    assert 0 < len(again["plan"]) < len(result["plan"])
    assert all(vm.ssh(f"findmnt -no FSTYPE /srv/{serial.lower()}").stdout == "xfs\n" for serial in serials)
