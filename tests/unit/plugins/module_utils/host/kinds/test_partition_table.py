# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Partition tables of disks in use: the kernel learns of a change later than the disk."""

from __future__ import annotations

import uuid

import pytest
from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.host.kinds import partition_table
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import (
    Observation,
    ReadBlock,
    Signatures,
)
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device, Site, State
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Refusal

DISK = DiskModel("D1", "sas", 1, 8 * GIB, wwn="0x5000c50000000001")
SWAP = {"name": "s", "size": "1 GiB", "use": "swap"}
MORE = {"name": "m", "size": "1 GiB", "use": "reserved"}
DOCUMENT = {"disks": {"d": {"match": {"serial": "D1"}, "count": 1}}, "partitions": {"d": [SWAP]}}
LARGER = {**DOCUMENT, "partitions": {"d": [SWAP, MORE]}}


def test_a_run_killed_before_the_kernel_knew_of_a_new_partition_is_finished_by_the_next() -> None:
    host = SimulatedHost([DISK])
    for action in host.plan(DOCUMENT).actions:
        host.run(action)
    (change,) = host.plan(LARGER).actions
    host.step(change.steps[0], change)
    (again,) = host.plan(LARGER).actions
    assert again.id == change.id
    host.run(again)
    assert host.plan(LARGER).actions == ()


@pytest.mark.parametrize("primary", [b"", b"ours", b"another"])
@pytest.mark.parametrize("last", [b"ours", b"another"])
def test_a_table_that_sfdisk_began_is_made_anew_and_one_of_somebody_else_is_refused(
    primary: bytes, last: bytes
) -> None:
    path, size = "/dev/disk/by-id/d1", 8 * GIB
    device = Device("d", path, "disk:d1", size, 512, ("d1",), "seed", True, "disk D1", "D1")
    want, document = State(devices={"d": (device,)}), {"partitions": {"d": [SWAP]}}

    def declared(answers: dict[str, object]) -> list[object]:
        return list(partition_table.declare(document, State(), want, Site("s", "h"), Observation(answers)))

    blank = {Signatures(path).key: {"found": [], "error": ""}}
    (table,) = (one for one in declared(blank) if isinstance(one, partition_table.PartitionTable))

    def header(whose: bytes) -> str:
        owner = {b"ours": uuid.UUID(table.uuid), b"another": uuid.UUID(int=7)}.get(whose)
        return (b"EFI PART" + bytes(48) + owner.bytes_le).ljust(512, b"\0").hex() if owner else bytes(512).hex()

    torn = {
        Signatures(path).key: {"found": [{"type": "gpt", "offset": hex(size - 512)}], "error": ""},
        ReadBlock(path, 512, 512).key: header(primary),
        ReadBlock(path, size - 512, 512).key: header(last),
    }
    refused = [one for one in declared(torn) if isinstance(one, Refusal)]
    assert bool(refused) == (b"another" in (primary, last))
    # Nothing else on the disk is taken for ours.
    torn[Signatures(path).key]["found"].append({"type": "ext4", "offset": "0x438"})  # type: ignore[index]
    (more,) = (one for one in declared(torn) if isinstance(one, Refusal))
    assert "it carries" in more.message and "ext4" in more.message
