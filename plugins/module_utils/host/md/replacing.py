# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Members of an array whose disk gives its place to another one: copied over while both are there, then taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...plan.model import Action
from ..blockdevices import BlockDevices
from ..state import Device
from . import actions
from .mdstat import Array, Member
from .request import Wanted, is_member


def leaving(devices: Iterable[Device], array: Array, block: BlockDevices) -> dict[Device, Member]:
    """For each device that takes a place the member that has it still, where the kernel still has one."""
    out = {}
    for device in devices:
        olds = {f"/dev/disk/by-id/{former.id}" for former in device.replaces}
        disks = {node.kname for node in map(block.at, olds) if node is not None}
        for member in array.members:
            if block.disks_below(member.kname) & disks:
                out[device] = member
    return out


def planned(wanted: Wanted, array: Array, block: BlockDevices) -> Iterator[Action]:
    """Copy what a healthy old member holds; take out one that failed, or that was copied."""
    for device, old in leaving(wanted.members, array, block).items():
        node = block.get(old.kname)
        path = f"/dev/disk/by-id/{node.by_id[0]}" if node and node.by_id else ""
        if not path:
            continue
        if not is_member(device, array, block):
            yield actions.replace(wanted, path, device, failed=old.faulty)
        elif old.faulty or old.spare:
            yield actions.remove(wanted, path)
