# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The disks of a host as people know them: serial, slot, size, and what lies on them. Never a part of a digest."""

from __future__ import annotations

from typing import Any

from . import blockdevices
from .blockdevices import BlockDevice, BlockDevices
from .kinds import disk
from .observation import Observation
from .selection import Disk


def disk_facts(observation: Observation) -> list[dict[str, Any]]:
    """One entry a disk, in bus-path order."""
    block = observation.once(blockdevices.read)
    return [_disk(one, block) for one in disk.observe(observation, block)]


def _disk(one: Disk, block: BlockDevices) -> dict[str, Any]:
    device = block.get(one.kname)
    return {
        "id": one.id,
        "path": one.path,
        "name": one.kname,
        "serial": one.told_serial,
        "wwn": one.wwn,
        "vendor": one.vendor,
        "model": one.model,
        "slot": one.slot,
        "size": one.size,
        "rotational": one.rotational,
        "transport": one.transport,
        "content": one.content,
        "holds": _holds(device, block) if device else [],
        "out_of_reach": one.reach,
    }


def _holds(device: BlockDevice, block: BlockDevices) -> list[dict[str, Any]]:
    """The partitions of a disk, in the order of their place."""
    children = [block.get(name) for name in device.children]
    parts = sorted((one for one in children if one and one.type == "part"), key=lambda one: one.start)
    return [
        {
            "name": one.part_name,
            "number": one.number,
            "size": one.size,
            "content": one.content,
            "label": one.content_label,
            "mounted": sorted(one.mountpoints),
        }
        for one in parts
    ]
