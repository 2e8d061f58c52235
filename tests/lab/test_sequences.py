# SPDX-License-Identifier: GPL-3.0-or-later
"""Three random documents after one another on real disks: each is reached, and nothing that was written is lost.

``BARESTORE_SEED`` repeats a run from its seed, ``BARESTORE_LAB_SEQUENCES`` says how many.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest
from sequences import Sequence, sequences
from simulated_block import DiskModel

from barestore.lab.machine import parse_disk
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import converge, converged, pasted
from tests.lab.random_disks import SMALL, drawn, has_no_keys, lab_disk

pytestmark = pytest.mark.lab

SEED = int(os.environ.get("BARESTORE_SEED", "5"))
EXAMPLES = int(os.environ.get("BARESTORE_LAB_SEQUENCES", "30"))

# Each file system and dataset that was made gets a file, each device that was given away a word in its second MiB.
_WRITE = r"""
mark() { printf 'kept on %-200s' "$1"; }
findmnt --list --noheadings --types ext4,xfs,vfat,zfs --output TARGET | grep -v '^/$' | while read -r path; do
    [ -e "$path/kept" ] || mark "$path" >"$path/kept"
done
for link in /var/lib/barestore/local-volumes/*/*; do
    [ -b "$link" ] && mark "$link" | dd of="$link" bs=512 seek=2048 conv=notrunc,fsync,sync status=none
done
sync
"""
_READ = r"""
findmnt --list --noheadings --output TARGET | while read -r path; do
    [ -e "$path/kept" ] && echo "$path: $(cat "$path/kept")"
done
for link in /var/lib/barestore/local-volumes/*/*; do
    [ -b "$link" ] && echo "$link: $(dd if="$link" bs=512 skip=2048 count=1 status=none | tr -d '\0')"
done
true
"""
_IDLE = "for md in /sys/block/md*/md/sync_action; do [ ! -e $md ] || until grep -q idle $md; do sleep 0.5; done; done"


@cache
def examples() -> list[Sequence]:
    return drawn(sequences(SMALL), lambda one: all(has_no_keys(step.document) for step in one.steps), EXAMPLES, SEED)


@pytest.mark.parametrize("number", range(EXAMPLES))
def test_each_document_is_reached_and_nothing_is_lost(number: int) -> None:
    sequence = examples()[number]
    print(f"BARESTORE_SEED={SEED}{sequence!r}")
    disks = [lab_disk(disk) for disk in sequence.disks if disk.bus in ("scsi", "nvme")]
    with throwaway({"disks": disks}) as vm:
        kept: set[str] = set()
        for step in sequence.steps:
            for disk in step.plugged:
                vm.add_disk(parse_disk(lab_disk(disk), slot=free_slot(vm, disk)))
            reached(vm, step.document)
            assert kept <= told(vm)
            vm.ssh(_WRITE)
            kept = told(vm)
            again = converged(vm, step.document)
            assert not again["changed"], [one["id"] for one in again["plan"]]


def free_slot(vm: VirtualMachine, disk: DiskModel) -> int:
    """NVMe disks stand in the order in which they came; the others have a place in the model."""
    return sum(one.type == "nvme" for one in vm.machine.disks) if disk.bus == "nvme" else disk.port


def reached(vm: VirtualMachine, document: dict[str, Any]) -> None:
    """Apply, with the consents that refusals ask for, until nothing waits for an array any more."""
    while True:
        vm.ssh(_IDLE)
        result = converge(vm, document)
        consent = pasted(result) if result["failed"] and result["refusals"] else None
        if consent:
            result = converge(vm, document, consent=consent)
        assert not result["failed"], result["msg"]
        if not result["changed"]:
            return


def told(vm: VirtualMachine) -> set[str]:
    """What was written earlier, with where it is found now."""
    return set(vm.ssh(_READ).stdout.splitlines())
