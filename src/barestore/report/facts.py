# SPDX-License-Identifier: GPL-3.0-or-later
"""What an observation tells beside the plan: what each disk carries, by name; pools and groups; what is not healthy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.blockdevices import BlockDevice, BlockDevices
from ansible_collections.barestore.storage.plugins.module_utils.host.kinds import disk, local_volume
from ansible_collections.barestore.storage.plugins.module_utils.host.kinds import volume_group as lvm
from ansible_collections.barestore.storage.plugins.module_utils.host.kinds import zfs_pool as zfs
from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.report import VolumeGroup
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.selection import Disk, mismatch
from ansible_collections.barestore.storage.plugins.module_utils.host.state import State
from barestore.report.data import Facts, Store, Trouble

Place = tuple[str, int]

_FINE = ("ONLINE", "AVAIL", "INUSE", "")
_LOST = ("FAULTED", "UNAVAIL", "SUSPENDED", "REMOVED")
_LINKS = f"stat:{local_volume.FOLDER}/"


def facts(document: Mapping[str, Any], observation: Observation) -> Facts:
    """Everything that the page shows beside the plan; for a host without a document the empty one."""
    have = planner.observed(observation)
    groups, _refused = disk.chosen(document, have)
    taken = {one.id: name for name, members in groups.items() for one in members}
    reasons = {
        one.id: "; ".join(_reasons(document, one))
        for one in have.of(disk.KIND)
        if one.id not in taken and not one.reach
    }
    places = {one.kname: one.id for one in have.of(disk.KIND)}
    carried = dict(_mounted(have.block, places))
    carried.update(_pools(have, places))
    carried.update(_groups(have, places))
    for place, name in _local_volumes(observation):
        carried[place] = f"{carried[place]}, {name}" if place in carried else name
    return Facts(observation.taken, carried, taken, reasons, tuple(_troubles(have, places)), tuple(_stores(have)))


def _reasons(document: Mapping[str, Any], one: Disk) -> Iterator[str]:
    for name, group in document.get("disks", {}).items():
        yield f"not {name}: {mismatch(one, group['match']) or 'it matches, but the group is refused or full'}"


def _place(device: BlockDevice | None, block: BlockDevices, places: Mapping[str, str]) -> Iterator[Place]:
    """The disk of a device and the number of its partition; the whole disk too where ZFS made the partition itself."""
    if device is None:
        return
    if device.kname in places:
        yield places[device.kname], 0
    for parent in device.parents if device.type == "part" else ():
        if parent in places:
            yield places[parent], device.number
            if device.part_name.startswith("zfs-"):
                yield places[parent], 0


def _mounted(block: BlockDevices, places: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    for device in block:
        if device.mountpoints and device.content:
            for place in _place(device, block, places):
                yield place, f"{device.content} {' '.join(sorted(device.mountpoints))}"


def _pools(have: State, places: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    for found in have.of(zfs.KIND):
        for role, vdevs in found.pool.vdevs.items():
            words = f"ZFS {found.pool.name}{'' if role == 'data' else f' {role}'}"
            for leaf in (leaf for vdev in vdevs for leaf in vdev.leaves()):
                for place in _place(have.block.at(leaf.name), have.block, places):
                    yield place, words


def _groups(have: State, places: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    for group in have.of(lvm.KIND):
        for member in group.physical_volumes:
            for place in _place(have.block.at(member.path), have.block, places):
                yield place, f"LVM {group.name}"


def _local_volumes(observation: Observation) -> Iterator[tuple[Place, str]]:
    """Links that an observation asked about and found."""
    for key, found in observation.answers.items():
        if key.startswith(_LINKS) and found and found.get("link"):
            name = key.removeprefix(_LINKS).partition("/")[0]
            device = str(found["link"]).removeprefix("/dev/disk/by-id/")
            whole, part, number = device.rpartition("-part")
            place = (whole, int(number)) if part and number.isdigit() else (device, 0)
            yield place, f"local volume {name}"


def _stores(have: State) -> Iterator[Store]:
    for found in have.of(zfs.KIND):
        size = _number(found.properties.get("size", ""))
        used = _number(found.properties.get("allocated", ""))
        yield Store("ZFS pool", found.pool.name, size, used, found.pool.unhealthy)
    for group in have.of(lvm.KIND):
        size, free = group.extents * group.extent_size, group.free * group.extent_size
        yield Store("volume group", group.name, size, size - free, _missing(group))


def _troubles(have: State, places: Mapping[str, str]) -> Iterator[Trouble]:
    for found in have.of(zfs.KIND):
        pool = found.pool
        if pool.unhealthy:
            lost = pool.state in _LOST or pool.state == "DEGRADED"
            said = f" {pool.status}" if pool.status else ""
            yield Trouble("bad" if lost else "warn", f"ZFS pool {pool.name}: {pool.unhealthy}.{said}")
        for leaf in (leaf for vdevs in pool.vdevs.values() for vdev in vdevs for leaf in vdev.leaves()):
            if leaf.state not in _FINE:
                for name in {name for name, _number in _place(have.block.at(leaf.name), have.block, places)}:
                    text = f"{leaf.state} in ZFS pool {pool.name}{f' ({leaf.note})' if leaf.note else ''}"
                    yield Trouble("bad", text, name)
    for group in have.of(lvm.KIND):
        if _missing(group):
            yield Trouble("bad", f"Volume group {group.name}: {_missing(group)}.")


def _missing(group: VolumeGroup) -> str:
    """Empty when none is."""
    verb = "is" if group.missing == 1 else "are"
    return f"{group.missing} of its physical volumes {verb} missing" if group.missing else ""


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
