# SPDX-License-Identifier: GPL-3.0-or-later
"""Consent to wipe on a virtual host: refused with the line to paste, wiped with it once, kept when disks change places.

The tests of this file follow one another on one host.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import SITE, ansible, wipe_lines
from tests.lab.look import fingerprint

pytestmark = pytest.mark.lab

SERIALS = ("LVM", "ZFS1", "ZFS2", "MD1", "MD2", "OTHER")
DISKS: list[dict[str, Any]] = [
    {"serial": serial, "type": "hdd", "size": "512 MiB", "bus_slot": slot} for slot, serial in enumerate(SERIALS)
]
# The volume group stays active, as after the boot of a host that somebody used before; pool and array are not running.
MAKE = """
echo , | sfdisk -q --label gpt {LVM} && udevadm settle
vgcreate -qq old {LVM}-part1 && lvcreate -qq -n left -L 64M old && mkfs.ext4 -q /dev/old/left
zpool create -f oldpool mirror {ZFS1} {ZFS2} && zpool export oldpool
mdadm --create --run --quiet --metadata=1.2 --level=1 --raid-devices=2 /dev/md/old {MD1} {MD2}
mdadm -q -S /dev/md/old; udevadm settle
"""
DOCUMENT: dict[str, Any] = {
    "disks": {serial.lower(): {"match": {"serial": serial}, "count": 1} for serial in SERIALS[:-1]},
    "partitions": {"lvm": [{"name": "a", "size": "rest", "use": "filesystem", "filesystem": "xfs"}]},
    "lvm": {"fast": {"physical_volumes": ["zfs1", "md1"], "volumes": {"v": {"size": "64 MiB", "filesystem": "ext4"}}}},
    "filesystems": {
        "zfs2": {"device": "zfs2", "type": "ext4", "mount": "/srv/zfs2"},
        "md2": {"device": "md2", "type": "xfs"},
    },
}


def run(
    vm: VirtualMachine, document: dict[str, Any], wipe: list[dict[str, str]], check: bool = False
) -> dict[str, Any]:
    arguments = {"document": document, "site": SITE, "host": vm.name, "consent": {"wipe": wipe}}
    return ansible(vm, "barestore.storage.host_storage", arguments)


def link(vm: VirtualMachine, serial: str) -> str:
    return next(f"/dev/disk/by-id/{disk.link}" for disk in vm.machine.disks if disk.serial == serial)


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="lab1", say=print) as host:
        host.ssh(MAKE.format(**{serial: link(host, serial) for serial in SERIALS}))
        yield host


def test_refused_pasted_wiped_and_nothing_left_to_do(vm: VirtualMachine) -> None:
    before = fingerprint(vm)
    wipe = wipe_lines(run(vm, DOCUMENT, []))
    assert sorted(one["serial"] for one in wipe) == sorted(SERIALS[:-1])
    # One of a pair is not enough, and a digest of something else is none.
    assert {one["serial"] for one in wipe_lines(run(vm, DOCUMENT, wipe[:-1]))} == {wipe[-1]["serial"]}
    assert fingerprint(vm) == before
    result = run(vm, DOCUMENT, wipe)
    assert not result["failed"], result["msg"]
    assert sum(one["verb"] == "wipe" for one in result["plan"]) == len(wipe)
    again = run(vm, DOCUMENT, wipe)
    assert not again["failed"] and not again["changed"] and again["plan"] == [], again
    seen = vm.ssh("zpool import 2>&1; mdadm --examine --scan; vgs --noheadings -o vg_name").stdout.split()
    assert "oldpool" not in seen and "ARRAY" not in seen and "old" not in seen and "fast" in seen


def test_contents_that_change_places_after_the_consent_are_kept(vm: VirtualMachine) -> None:
    """The consent was for what OTHER carried; now something else lies there."""
    other = link(vm, "OTHER")
    document = {
        "disks": {**DOCUMENT["disks"], "other": {"match": {"serial": "OTHER"}, "count": 1}},
        **{key: value for key, value in DOCUMENT.items() if key != "disks"},
        "swap": {"s": {"device": "other"}},
    }
    vm.ssh(f"mkfs.xfs -q {other}; udevadm settle")
    wipe = wipe_lines(run(vm, document, []))
    assert [one["serial"] for one in wipe] == ["OTHER"]
    vm.ssh(f"wipefs -qa {other}; mkfs.ext4 -q {other}; udevadm settle")
    before = fingerprint(vm)
    result = run(vm, document, wipe)
    assert "the consent given for it names other contents" in result["msg"] and "ext4" in result["msg"]
    assert fingerprint(vm) == before
    vm.ssh(f"mount {other} /mnt")
    assert "is mounted on /mnt: unmount it by hand first" in run(vm, document, wipe_lines(result))["msg"]
    vm.ssh("umount /mnt")
    done = run(vm, document, wipe_lines(run(vm, document, [])))
    assert not done["failed"], done["msg"]
