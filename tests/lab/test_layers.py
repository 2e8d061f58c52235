# SPDX-License-Identifier: GPL-3.0-or-later
"""An array, encryption on it, LVM on that: made, grown, booted; the key is found nowhere; health of real disks' logs.

The tests of this file follow one another on one host.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import ansible, converge, converged
from tests.lab.look import prepare_trace, read_trace

pytestmark = pytest.mark.lab

SECRET = "correct-horse-battery-staple-7f3a"
KEY = "/etc/barestore/keys/secret"
DISKS: list[dict[str, Any]] = [
    {"serial": "HDD1", "type": "hdd", "size": "2 GiB"},
    {"serial": "HDD2", "type": "hdd", "size": "2 GiB"},
    {"serial": "NV1", "type": "nvme", "size": "1 GiB"},
]
DOCUMENT: dict[str, Any] = {
    "disks": {
        "hdd": {"match": {"serial": "HDD*"}, "count": 2},
        "nvme": {"match": {"serial": "NV1"}, "count": 1},
    },
    "partitions": {"hdd": [{"name": "raid", "size": "1 GiB", "use": "raid"}]},
    "md": {"safe": {"level": "raid1", "devices": ["hdd.raid"]}},
    "luks": {
        # Argon2 takes minutes where the processor is only emulated.
        "secret": {"device": "safe", "key_file": KEY, "pbkdf": {"type": "pbkdf2", "iterations": 1000}},
        "single": {"device": "nvme", "key_file": KEY, "pbkdf": {"type": "pbkdf2", "iterations": 1000}},
    },
    "lvm": {
        "vg": {
            "physical_volumes": ["secret"],
            "volumes": {"data": {"size": "rest", "filesystem": "ext4", "mount": "/srv/data"}},
        }
    },
    "filesystems": {"single": {"device": "single", "type": "xfs", "mount": "/srv/single"}},
}


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="layers", say=print) as host:
        host.ssh(f"install -d -m 700 /etc/barestore/keys; umask 277; cat >{KEY}", input=SECRET)
        yield host


def idle(vm: VirtualMachine) -> None:
    """Until no array has work left."""
    vm.ssh("for md in /sys/block/md*; do until grep -q idle $md/md/sync_action; do sleep 0.5; done; done")


def test_layers_are_made_in_one_run_and_the_key_is_found_nowhere(vm: VirtualMachine) -> None:
    prepare_trace(vm)
    result = converge(vm, DOCUMENT, python="/usr/local/bin/traced-python3")
    assert not result["failed"], result["msg"]
    assert SECRET not in json.dumps(result)
    trace = read_trace(vm)
    assert not [call for call in trace.processes if SECRET in call]
    assert any(KEY in call for call in trace.processes)
    kept = vm.ssh(f"grep -rlF {SECRET} /var/lib/barestore /etc /run/log /var/log 2>/dev/null || true").stdout.split()
    assert kept == [KEY]
    idle(vm)
    prepare_trace(vm)
    again = converge(vm, DOCUMENT, python="/usr/local/bin/traced-python3")
    assert (again["failed"], again["changed"]) == (False, False), again.get("msg", again["plan"])
    trace = read_trace(vm)
    assert len(trace.processes) <= 10
    assert trace.written == ()


def test_the_report_of_the_run_is_on_the_host(vm: VirtualMachine) -> None:
    told = json.loads(vm.ssh("cat /var/lib/barestore/reports/*.json").stdout)
    ids = [one["id"] for one in told["plan"]]
    assert ids.index("md.create:safe") < ids.index("luks.format:secret")
    assert told["error"] == ""
    assert told["after"]["disks"] != told["before"]["disks"]


def test_all_layers_grow_in_one_run(vm: VirtualMachine) -> None:
    larger = copy.deepcopy(DOCUMENT)
    larger["partitions"]["hdd"][0]["size"] = "1500 MiB"
    idle(vm)
    ids = [one["id"] for one in converged(vm, larger)["plan"]]
    assert {"md.grow:safe", "luks.grow:secret", "logical_volume.grow:vg/data", "filesystem.grow:vg/data"} <= set(ids)
    assert int(vm.ssh("stat --file-system --format=%b /srv/data").stdout) > 1300 * 256
    DOCUMENT["partitions"] = larger["partitions"]


def test_everything_comes_back_after_a_boot(vm: VirtualMachine) -> None:
    vm.ssh("echo kept >/srv/data/file; echo kept >/srv/single/file; sync")
    idle(vm)
    vm.reboot()
    wait = "for i in $(seq 120); do mountpoint -q /srv/data && mountpoint -q /srv/single && break; sleep 1; done"
    assert vm.ssh(f"{wait}; cat /srv/data/file /srv/single/file").stdout == "kept\nkept\n"
    result = converge(vm, DOCUMENT)
    assert (result["failed"], result["changed"]) == (False, False), result.get("msg", result["plan"])


def test_what_was_closed_is_opened_and_the_run_goes_on(vm: VirtualMachine) -> None:
    vm.ssh("umount /srv/single && cryptsetup close single && umount /srv/data && vgchange -qan vg && "
           "cryptsetup close secret && mdadm --stop /dev/md/safe")  # fmt: skip
    ids = [one["id"] for one in converged(vm, DOCUMENT)["plan"]]
    assert ids[0] == "md.assemble:safe"
    assert {"luks.open:secret", "luks.open:single", "mount.mount:/srv/data", "mount.mount:/srv/single"} <= set(ids)
    assert vm.ssh("cat /srv/data/file /srv/single/file").stdout == "kept\nkept\n"


def test_an_array_that_somebody_calls_otherwise_grows_by_that_name(vm: VirtualMachine) -> None:
    idle(vm)
    vm.ssh("echo grows >/srv/data/grows && umount /srv/data && vgchange -qan vg && cryptsetup close secret && "
           "members=$(mdadm --detail --export /dev/md/safe | sed -n 's/^MD_DEVICE_.*_DEV=//p') && "
           "mdadm --stop /dev/md/safe && mdadm --assemble /dev/md/theirs $members && udevadm settle")  # fmt: skip
    larger = copy.deepcopy(DOCUMENT)
    larger["partitions"]["hdd"][0]["size"] = "1600 MiB"
    idle(vm)
    plan = {one["id"]: json.dumps(one) for one in converged(vm, larger)["plan"]}
    assert "/dev/md/theirs" in plan["md.grow:safe"]
    assert vm.ssh("cat /srv/data/grows").stdout == "grows\n"
    DOCUMENT["partitions"] = larger["partitions"]


def test_health_is_told_from_what_the_disks_say(vm: VirtualMachine) -> None:
    arguments = {"document": DOCUMENT, "site": "lab", "host": vm.name, "health": True}
    result = ansible(vm, "barestore.storage.host_storage_info", arguments)
    assert not result["failed"], result.get("msg")
    disks = {one["serial"]: one for one in result["health"]["disks"]}
    assert disks["NV1"]["passed"] is True
    assert disks["NV1"]["error"] == ""
    assert disks["NV1"]["temperature"] is not None
    (array,) = result["health"]["arrays"]
    assert (array["level"], array["devices"], array["working"]) == ("raid1", 2, 2)
