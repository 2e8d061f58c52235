# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Devices on their way into a pool, and those of a pool that have grown."""

from __future__ import annotations

import re
import uuid as uuids
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...plan.model import Action, Command, Refusal
from ..blank import is_unfinished, still_blank, unless_blank
from ..blockdevices import BlockDevice, BlockDevices
from ..kinds.partition_table import TYPES
from ..observation import Observation, ReadBlock, Signatures
from ..sizes import MIB
from ..state import Device
from . import layout
from .layout import Entry
from .status import Pool, Vdev

# What zpool makes of a whole disk (zpool_label_disk of libzfs): data from 1 MiB on, 16,384 sectors kept at the end.
_DATA_NAME = re.compile(r"^zfs-[0-9a-f]{16}$")
_RESERVED_TYPE = "6a945a3b-1dd2-11b2-99a6-080020736631"
_ENTRY = 128  # bytes of an entry of a GPT, the first of them at its sector 2: type, GUID, first, last, flags, name
_LABELS = MIB // 2  # of the data partition: the first two labels of a pool
_SLACK_SECTORS = 32768


def unless_free(
    devices: Sequence[Device], wanted: str, block: BlockDevices, observation: Observation
) -> Iterator[Refusal]:
    """A refusal for each device that exists and carries anything but what a killed ``zpool create`` leaves."""
    for device in devices:
        if not device.there:
            continue
        data = _half_made(block.at(device.path), block)
        found = observation.ask(Signatures(device.path)) if data else None
        if data and found and {one["type"] for one in found["found"]} <= {"gpt", "PMBR"}:
            part = replace(device, path=f"{device.path}-part1", title=f"partition 1 of {device.title}")
            yield from unless_blank(observation, part, wanted)
        else:
            yield from unless_blank(observation, device, wanted, _begun(observation, device))


def is_whole(device: Device) -> bool:
    """Whether zpool gets a whole disk, on which it makes its own partitions."""
    return device.resource.startswith("disk:")


def whole(devices: Sequence[Device]) -> tuple[str, ...]:
    """The disks on which zpool makes partitions and opens them at once: they must not vanish in between."""
    return tuple(device.path for device in devices if is_whole(device))


def checks(devices: Sequence[Device]) -> tuple[Command, ...]:
    """What must find nothing on partitions and volumes, which this plan may make; whole disks were looked at.

    The same whether or not they are there yet, so that a consent outlives a run that ended in between.
    """
    paths = [device.path for device in devices if not is_whole(device)]
    return (still_blank(*paths),) if paths else ()


def called(leaf: Vdev, device: Device) -> str:
    """How commands call a leaf: zpool takes a whole disk by its own name only, never by that of its partition."""
    whole = leaf.name.endswith("-part1") and is_whole(device)
    return leaf.name[: -len("-part1")] if whole else leaf.name


def called_alone(leaf: Vdev, block: BlockDevices) -> str:
    """The same for a leaf that no device of the document is like: zpool's own partitions show a whole disk."""
    there = block.at(leaf.name)
    disk = block.get(there.parents[0]) if there and there.parents else None
    parts = [part for part in map(block.get, disk.children) if part is not None] if disk else []
    whole = any(part.number == 9 and part.part_type == _RESERVED_TYPE for part in parts)
    return leaf.name[: -len("-part1")] if whole and leaf.name.endswith("-part1") else leaf.name


def _half_made(disk: BlockDevice | None, block: BlockDevices) -> BlockDevice | None:
    """The data partition of a disk with zpool's own two partitions and no label of a pool in it."""
    if disk is None or disk.table != "gpt":
        return None
    parts = {part.number: part for part in map(block.get, disk.children) if part is not None}
    if set(parts) != {1, 9} or parts[9].part_type != _RESERVED_TYPE:
        return None
    return parts[1] if _DATA_NAME.match(parts[1].part_name) and not parts[1].content else None


def _begun(observation: Observation, device: Device) -> frozenset[str]:
    """The signature of a table that zpool began to write to a whole disk in a run of ours that was killed.

    Its protective MBR comes last (efi_write of libefi), and until then the kernel sees no partitions.
    """
    answer = observation.ask(Signatures(device.path))
    if not answer or {one["type"] for one in answer["found"]} != {"gpt"} or not is_whole(device):
        return frozenset()
    if not is_unfinished(observation, device):
        return frozenset()
    raw = bytes.fromhex(observation.ask(ReadBlock(device.path, 2 * device.sector, 9 * _ENTRY)) or "")
    entries = [raw[at : at + _ENTRY] for at in range(0, len(raw), _ENTRY)]
    if [entry[:16] for entry in entries if any(entry)] != [
        uuids.UUID(one).bytes_le for one in (TYPES["zfs"], _RESERVED_TYPE)
    ]:
        return frozenset()
    start = int.from_bytes(entries[0][32:40], "little") * device.sector
    named = _DATA_NAME.match(entries[0][56:].decode("utf-16-le", "replace").rstrip("\0"))
    labels = observation.ask(ReadBlock(device.path, start, _LABELS))
    return frozenset(("gpt",)) if named and labels is not None and not labels.strip("0") else frozenset()


def grown(
    name: str, wanted: Sequence[Entry], pool: Pool, properties: Mapping[str, str], block: BlockDevices
) -> Iterator[Action | Refusal]:
    """``zpool online -e`` for the data devices that are larger than ZFS uses, or will be in this plan.

    ZFS says ``expandsize`` once it looked at a device anew; a grown disk shows itself before that.
    """
    devices = [device for entry in wanted if entry.role in layout.REDUNDANT for device in entry.devices]
    told = properties.get("expandsize", "-") not in ("-", "0")
    larger = [device for device in devices if told or _is_larger(device, block)]
    if not larger:
        return
    leaves = [leaf for role in layout.REDUNDANT for vdev in pool.of(role) for leaf in vdev.leaves()]
    names = []
    for device in larger:
        leaf = next((one for one in leaves if layout.is_in(device, (one,), block)), None)
        if leaf is None or not leaf.healthy:
            continue  # a spare works in its place, or nothing does
        if not leaf.name.startswith("/dev/disk/"):
            yield Refusal(
                f"pool {name}",
                f"{device.title} has grown, and the pool knows it by a name that changes from boot to boot",
                "export the pool and import it with -d /dev/disk/by-id",
            )
            return
        names.append(called(leaf, device))
    if not names:
        return
    yield Action(
        "zfs_pool",
        "expand",
        name,
        steps=(Command(("zpool", "online", "-e", name, *names)),),
        before={"expandable": [device.title for device in larger]},
        after={"expandable": []},
        needs=frozenset(device.resource for device in larger),
        disks=tuple(sorted({disk for device in larger for disk in device.disks})),
        settles=True,
    )


def _is_larger(device: Device, block: BlockDevices) -> bool:
    there = block.at(device.path)
    if there is None:
        return False
    if there.type == "part":
        return device.size > there.size
    parts = [part for part in map(block.get, there.children) if part is not None and part.number == 1]
    return any(there.size - part.start * 512 - part.size > _SLACK_SECTORS * there.sector for part in parts)
