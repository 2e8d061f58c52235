# SPDX-License-Identifier: GPL-3.0-or-later
"""Two disks with one serial number and world-wide names of their own, as the actuators of one drive."""

from __future__ import annotations

from typing import Any

import pytest

from barestore.lab import qemu
from barestore.lab.machine import parse_disk
from barestore.lab.throwaway import throwaway
from tests.lab.converge import converge, converged, wipe_lines

pytestmark = pytest.mark.lab

DOCUMENT: dict[str, Any] = {
    "disks": {"d": {"match": {"serial": "TWIN*"}, "count": 2}},
    "partitions": {"d": [{"name": "data", "size": "rest", "use": "filesystem"}]},
    "filesystems": {"f": {"device": "d.data", "type": "ext4", "mount": "/srv/{serial}"}},
}


def test_each_is_wiped_and_gets_all_that_the_document_says(monkeypatch: pytest.MonkeyPatch) -> None:
    device = qemu.device
    with throwaway({"disks": [{"serial": "OTHER", "type": "hdd", "size": "512 MiB"}]}) as vm:
        monkeypatch.setattr(qemu, "device", lambda disk: {**device(disk), "serial": "TWIN"})
        for number in (1, 2):
            vm.add_disk(parse_disk({"serial": f"TWIN{number}", "type": "hdd", "size": "512 MiB"}, slot=number))
        links = [disk.link for disk in vm.machine.disks[1:]]
        vm.ssh(f"for disk in {' '.join(links)}; do mkfs.ext4 -q /dev/disk/by-id/$disk; done; udevadm settle")
        lines = wipe_lines(converge(vm, DOCUMENT))
        assert [list(line) for line in lines] == [["wwn", "contents"]] * 2
        converged(vm, DOCUMENT, consent={"wipe": lines})
        assert vm.ssh("findmnt -rno TARGET --types ext4 | grep ^/srv/ | sort").stdout.split() == [
            f"/srv/{link}" for link in sorted(links)
        ]
        assert not converged(vm, DOCUMENT)["changed"]
