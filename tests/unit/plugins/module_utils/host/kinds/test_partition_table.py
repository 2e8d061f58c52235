# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Partition tables of disks in use: the kernel learns of a change later than the disk."""

from __future__ import annotations

from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost

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
