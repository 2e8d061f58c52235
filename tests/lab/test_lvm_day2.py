# SPDX-License-Identifier: GPL-3.0-or-later
"""LVM in its later life, on real disks: evacuate, replace, resume, repair, shrink. What is kept is byte-equal.

The tests of this file follow one another on one host.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from barestore.lab.machine import parse_disk
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import converge, converged

pytestmark = pytest.mark.lab

DISKS: list[dict[str, Any]] = [
    {"serial": serial, "type": "hdd", "size": "2 GiB"} for serial in ("A0", "A1", "A2", "A3", "M0", "M1")
]
DOCUMENT: dict[str, Any] = {
    "disks": {
        "a": {"match": {"serial": "A*"}, "count": 4},
        "m": {"match": {"serial": "M*"}, "count": 2},
    },
    "lvm": {
        "vg": {
            "physical_volumes": ["a"],
            "thin_pools": {"pool": {"size": "200 MiB"}},
            "volumes": {
                "plain": {"size": "700 MiB", "filesystem": "ext4", "mount": "/srv/plain"},
                "copy": {"size": "200 MiB", "type": "raid1"},
            },
        },
        "pair": {
            "physical_volumes": ["m"],
            "volumes": {"mirror": {"size": "400 MiB", "type": "raid1", "filesystem": "xfs", "mount": "/srv/mirror"}},
        },
    },
}


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="lvmday2", say=print) as host:
        converged(host, DOCUMENT)
        host.ssh("for one in plain mirror; do head -c 150M /dev/urandom >/srv/$one/data; done; sync")
        host.ssh("sha256sum /srv/plain/data /srv/mirror/data >/root/sums")
        yield host


@pytest.fixture
def document(vm: VirtualMachine) -> Iterator[dict[str, Any]]:
    """What the host is now, to be changed by a test; afterwards all data is as it was, and nothing is left to do."""
    wanted = _now.setdefault(vm.name, copy.deepcopy(DOCUMENT))
    yield wanted
    vm.ssh("sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum --check --quiet /root/sums")
    again = converged(vm, wanted)
    assert not again["changed"], again["plan"]


_now: dict[str, dict[str, Any]] = {}


def of(vm: VirtualMachine, volume: str) -> str:
    """The serial number of a disk that holds a part of a volume."""
    node = vm.ssh(f"lvs --noheadings -a -o devices {volume} | head -1").stdout.strip().partition("(")[0]
    return vm.ssh(f"lsblk --nodeps --noheadings -o SERIAL {node}").stdout.strip()


def path(vm: VirtualMachine, serial: str) -> str:
    return next(f"/dev/disk/by-id/{one.link}" for one in vm.machine.disks if one.serial == serial)


def verbs(result: dict[str, Any]) -> list[str]:
    return [action["id"].partition(":")[0] for action in result["plan"]]


def test_a_disk_with_data_on_it_leaves(vm: VirtualMachine, document: dict[str, Any]) -> None:
    serial = of(vm, "vg/copy_rimage_0")
    document["disks"]["a"] |= {"count": 3, "retire": [serial]}
    done = converged(vm, document)
    assert {"physical_volume.evacuate", "volume_group.reduce", "physical_volume.remove"} <= set(verbs(done))
    assert vm.ssh(f"wipefs --noheadings {path(vm, serial)}").stdout == ""
    assert of(vm, "vg/copy_rimage_0") != of(vm, "vg/copy_rimage_1")


def test_a_disk_is_replaced_and_a_move_that_was_killed_goes_on(vm: VirtualMachine, document: dict[str, Any]) -> None:
    """pvmove is killed with its poller; LVM's description has the mirror, and the volumes lie on it."""
    serial = of(vm, "vg/plain")
    vm.add_disk(parse_disk({"serial": "A8", "type": "hdd", "size": "2 GiB"}, slot=20))
    vm.ssh(
        f"pvmove --interval 1 --name plain {path(vm, serial)} >/dev/null 2>&1 & sleep 1; kill -KILL $!; "
        "pkill -KILL lvmpolld; true"
    )
    moving = "pvmove0" in vm.ssh("lvs --noheadings -a -o lv_name vg").stdout
    document["disks"]["a"]["replace"] = {serial: "A8"}
    done = converged(vm, document)
    assert ("volume_group.resume" in verbs(done)) == moving
    assert "volume_group.reduce" in verbs(done)
    assert "pvmove" not in vm.ssh("lvs --noheadings -a -o lv_name vg").stdout


def test_a_pulled_disk_under_raid1_is_repaired_on_another(vm: VirtualMachine, document: dict[str, Any]) -> None:
    vm.remove_disk("M1")
    refused = converge(vm, document)
    assert "the disk M1 was chosen for it in an earlier run and is not there now" in refused["msg"]
    vm.add_disk(parse_disk({"serial": "M9", "type": "hdd", "size": "2 GiB"}, slot=21))
    document["disks"]["m"]["replace"] = {"M1": "M9"}
    done = converged(vm, document)
    assert {"volume_group.drop", "volume_group.extend", "logical_volume.repair"} <= set(verbs(done))
    for _try in range(60):
        if vm.ssh("lvs --noheadings -o sync_percent pair/mirror").stdout.strip() == "100.00":
            return
        time.sleep(1)
    raise AssertionError("the new image was not in sync after a minute")


def test_ext4_becomes_smaller_with_consent(vm: VirtualMachine, document: dict[str, Any]) -> None:
    document["lvm"]["vg"]["volumes"]["plain"] |= {"size": "400 MiB", "size_policy": "exact"}
    refused = converge(vm, document)
    found = re.search(r'- \{action: "(.*?)", digest: "(.*?)"\}', refused["msg"])
    assert found, refused["msg"]
    consent = {"irreversible": [{"action": found[1], "digest": found[2]}]}
    done = converged(vm, document, consent)
    assert "logical_volume.shrink" in verbs(done)
    assert vm.ssh("lvs --noheadings --units m --nosuffix -o lv_size vg/plain").stdout.strip() == "400.00"
    assert vm.ssh("findmnt --noheadings -o FSTYPE /srv/plain").stdout.strip() == "ext4"


def test_xfs_is_never_made_smaller(vm: VirtualMachine) -> None:
    wanted = copy.deepcopy(_now.get(vm.name, DOCUMENT))
    wanted["lvm"]["pair"]["volumes"]["mirror"] |= {"size": "320 MiB", "size_policy": "exact"}
    assert "xfs cannot be made smaller" in converge(vm, wanted)["msg"]
