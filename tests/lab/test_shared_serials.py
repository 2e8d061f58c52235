# SPDX-License-Identifier: GPL-3.0-or-later
"""Two disks with one serial number and world-wide names of their own, as the actuators of one drive."""

from __future__ import annotations

from typing import Any

import pytest

from barestore.lab import qemu
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import converge, converged, wipe_lines

pytestmark = pytest.mark.lab

DISKS: list[dict[str, Any]] = [{"serial": f"TWIN{number}", "type": "hdd", "size": "512 MiB"} for number in (1, 2)]
DOCUMENT: dict[str, Any] = {
    "disks": {"d": {"match": {"serial": "TWIN"}, "count": 2}},
    "partitions": {"d": [{"name": "data", "size": "rest"}]},
    "filesystems": {"f": {"device": "d.data", "type": "ext4", "mount": "/srv/{serial}"}},
}


def test_each_is_wiped_and_gets_all_that_the_document_says() -> None:
    with throwaway({"disks": DISKS}) as vm:
        links = [disk.link for disk in vm.machine.disks]
        say_one_number(vm)
        vm.ssh(f"for disk in {' '.join(links)}; do mkfs.ext4 -q /dev/disk/by-id/$disk; done; udevadm settle")
        lines = wipe_lines(converge(vm, DOCUMENT))
        assert [list(line) for line in lines] == [["wwn", "contents"]] * 2
        converged(vm, DOCUMENT, consent={"wipe": lines})
        assert vm.ssh("findmnt -rno TARGET --types ext4 | grep ^/srv/ | sort").stdout.split() == [
            f"/srv/{link}" for link in sorted(links)
        ]
        assert not converged(vm, DOCUMENT)["changed"]


def say_one_number(vm: VirtualMachine) -> None:
    """Both disks come back and call themselves the same; what they are named by else stays."""
    for disk in vm.machine.disks:
        vm.remove_disk(disk.serial)
        vm.qmp.command("blockdev-add", **qemu.block_node(disk, vm.disk_path(disk.serial)))
        vm.qmp.command("device_add", **{**qemu.device(disk), "serial": "TWIN"})
    vm.ssh("until [ $(lsblk -dno SERIAL | grep -c ^TWIN$) = 2 ]; do sleep 0.2; done; udevadm settle")
