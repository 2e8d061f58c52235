# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that change places between plan and apply: what was approved for one is never written to another.

The tests of this file follow one another on one host. What is stored is compared by digests of the disks' files.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from barestore.lab.machine import Disk
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import PYTHON, converge, wipe_lines

pytestmark = pytest.mark.lab

SERIALS = ("EXT", "XFS", "FREE1", "FREE2", "FREE3", "FREE4")
DISKS: list[dict[str, Any]] = [
    {"serial": serial, "type": "hdd", "size": "512 MiB", "bus_slot": slot} for slot, serial in enumerate(SERIALS)
]
MAKE = "mkfs.ext4 -q {EXT}; mkfs.xfs -q {XFS}; udevadm settle; sync"
_NAMES = "lsblk --nodeps --noheadings --output SERIAL,KNAME | sort"


def one(group: str, **match: str) -> dict[str, Any]:
    return {group: {"match": match, "count": 1}}


def filesystems(*groups: str) -> dict[str, Any]:
    # Of a type that no disk carries: what is there and equal would be kept.
    return {group: {"device": group, "type": "vfat", "mount": f"/srv/{group}"} for group in groups}


# Contents of two disks may be lost, and a third is blank.
USED: dict[str, Any] = {
    "disks": {**one("ext", serial="EXT"), **one("xfs", serial="XFS"), **one("free", serial="FREE1")},
    "filesystems": filesystems("ext", "xfs", "free"),
}
# What a document may say of places: which disk it means depends on the cabling.
BY_PLACE: dict[str, dict[str, Any]] = {
    "slot": {"disks": one("s", slot="*-scsi-0:0:2:0"), "filesystems": filesystems("s")},
    "take": {"disks": {"t": {"match": {"serial": "FREE*"}, "take": 1}}, "filesystems": filesystems("t")},
    "mirrors": {
        "disks": {"m": {"match": {"serial": "FREE*"}, "count": 4}},
        "zfs": {"tank": {"data": {"mirror": ["m"], "width": 2}}},
    },
}
BY_SERIAL: dict[str, Any] = {"disks": one("n", serial="FREE1"), "filesystems": filesystems("n")}


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="lab1", say=print) as host:
        host.ssh(MAKE.format(**{disk.serial: f"/dev/disk/by-id/{disk.link}" for disk in host.machine.disks}))
        yield host


@pytest.fixture(scope="module")
def wipe(vm: VirtualMachine) -> dict[str, Any]:
    """The consent that the first plan asks for."""
    consent = {"wipe": wipe_lines(converge(vm, USED, check=True))}
    assert [entry["serial"] for entry in consent["wipe"]] == ["EXT", "XFS"]
    return consent


def stored(vm: VirtualMachine) -> dict[str, str]:
    vm.ssh("sync")
    return {serial: vm.disk_digest(serial) for serial in SERIALS}


def planned(vm: VirtualMachine, document: Mapping[str, Any], consent: Mapping[str, Any] | None = None) -> str:
    """The digest of the plan that is made now."""
    result = converge(vm, document, check=True, consent=consent)
    assert not result["failed"], result["msg"]
    assert result["plan"]
    return str(result["digest"])


def pull(vm: VirtualMachine, *serials: str) -> None:
    links = " ".join(f"/dev/disk/by-id/{disk.link}" for disk in known(vm, *serials))
    for serial in serials:
        vm.remove_disk(serial)
    vm.ssh(f"while ls {links} 2>/dev/null; do sleep 0.1; done; udevadm settle")


def plug(vm: VirtualMachine, disks: list[Disk]) -> None:
    for disk in disks:
        vm.add_disk(disk)
        # Names are given in the order in which disks are found: the next one waits until this one has its own.
        vm.ssh(f"until [ -e /dev/disk/by-id/{disk.link} ]; do sleep 0.1; done; udevadm settle")


def known(vm: VirtualMachine, *serials: str) -> list[Disk]:
    return [disk for serial in serials for disk in vm.machine.disks if disk.serial == serial]


def exchange_contents(vm: VirtualMachine, first: str, second: str) -> None:
    """What one disk carried lies on the other one, which keeps its number, its slot and its name."""
    disks = known(vm, first, second)
    pull(vm, first, second)
    aside = vm.disks / "aside"
    vm.disk_path(first).rename(aside)
    vm.disk_path(second).rename(vm.disk_path(first))
    aside.rename(vm.disk_path(second))
    plug(vm, disks)


def exchange_names(vm: VirtualMachine, first: str, second: str) -> None:
    """The same disks in the same slots; the kernel found the other one first."""
    before = vm.ssh(_NAMES).stdout
    disks = known(vm, second, first)
    pull(vm, first, second)
    plug(vm, disks)
    assert vm.ssh(_NAMES).stdout != before


def exchange_slots(vm: VirtualMachine, first: str, second: str) -> None:
    """Each in the other one's slot, as after work on the chassis."""
    left, right = known(vm, first, second)
    pull(vm, first, second)
    plug(vm, [replace(left, slot=right.slot), replace(right, slot=left.slot)])


def refused(
    vm: VirtualMachine, document: Mapping[str, Any], digest: str, consent: Mapping[str, Any] | None = None
) -> list[str]:
    """The sentences of an apply of what was approved; not a byte of any disk is another one."""
    before = stored(vm)
    result = converge(vm, document, expected_digest=digest, consent=consent)
    assert result["failed"] and not result["changed"], result
    assert result.get("executed", []) == []
    sentences: list[str] = result["refusals"]
    assert sentences and all(text.endswith(".") and "\n" not in text for text in sentences)
    assert stored(vm) == before
    return sentences


def test_contents_of_two_used_disks(vm: VirtualMachine, wipe: dict[str, Any]) -> None:
    """Both may be lost; but nobody said so of what now lies on either."""
    digest = planned(vm, USED, wipe)
    before = stored(vm)
    exchange_contents(vm, "EXT", "XFS")
    sentences = refused(vm, USED, digest, wipe)
    for serial in ("EXT", "XFS"):
        (sentence,) = (text for text in sentences if f"disk {serial} " in text)
        assert "names other contents" in sentence
    exchange_contents(vm, "EXT", "XFS")
    assert stored(vm) == before
    assert planned(vm, USED, wipe) == digest


def test_contents_of_a_used_and_a_blank_disk(vm: VirtualMachine, wipe: dict[str, Any], tmp_path: Path) -> None:
    """By the command, with the file of the plan that was approved."""
    variables = {"host_storage": USED, "host_storage_consent": wipe, "ansible_python_interpreter": PYTHON}
    connection = {"ansible_ssh_common_args": f"-F {vm.ssh_config}", "ansible_ssh_args": ""}
    (tmp_path / "site").mkdir()
    (tmp_path / "site/hosts.json").write_text(json.dumps({"all": {"hosts": {vm.name: {**variables, **connection}}}}))
    assert barestore(tmp_path, "plan", "--out", "plan.json")[0] == 2
    exchange_contents(vm, "EXT", "FREE1")
    before = stored(vm)
    code, text = barestore(tmp_path, "apply", "--plan", "plan.json")
    assert code == 3, text
    assert "FREE1" in text and "ext4" in text and "Traceback" not in text
    assert stored(vm) == before
    exchange_contents(vm, "EXT", "FREE1")


def barestore(folder: Path, command: str, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("barestore")), command, "-i", "site", *words],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_names_and_contents_of_blank_disks_change_no_plan(vm: VirtualMachine, wipe: dict[str, Any]) -> None:
    digest = planned(vm, USED, wipe)
    before = stored(vm)
    exchange_names(vm, "EXT", "FREE1")
    exchange_contents(vm, "FREE1", "FREE2")
    assert planned(vm, USED, wipe) == digest
    assert stored(vm) == before


def test_slots_change_the_plan_of_a_document_that_speaks_of_places(vm: VirtualMachine) -> None:
    digests = {name: planned(vm, document) for name, document in BY_PLACE.items()}
    by_serial = planned(vm, BY_SERIAL)
    exchange_slots(vm, "FREE1", "FREE3")
    for name, document in BY_PLACE.items():
        (sentence,) = refused(vm, document, digests[name])
        assert f"and not {digests[name]} as approved" in sentence
    assert planned(vm, BY_SERIAL) == by_serial


def test_what_was_approved_for_a_disk_is_written_to_that_disk_alone(vm: VirtualMachine) -> None:
    """Names and slots changed since the approval: serials say which disk is meant."""
    digest = planned(vm, BY_SERIAL)
    exchange_slots(vm, "FREE1", "FREE3")
    exchange_names(vm, "FREE1", "FREE4")
    before = stored(vm)
    done = converge(vm, BY_SERIAL, expected_digest=digest)
    assert not done["failed"], done["msg"]
    after = stored(vm)
    assert {serial for serial in SERIALS if after[serial] != before[serial]} == {"FREE1"}
