# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a wipe reaches beyond its disk: volume groups, pools and arrays, and whoever uses the disk now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..blockdevices import BlockDevice, BlockDevices
from ..first_look import FULLREPORT
from ..lvm import report
from ..lvm.report import VolumeGroup
from ..observation import Observation
from .contents import Contents

# Several devices of one of these carry the same UUID, which is that of the whole.
_SHARED = {"zfs_member": "pool", "linux_raid_member": "md array", "btrfs": "Btrfs file system"}
_RELEASE = {"crypt": "close it with cryptsetup close"}


@dataclass(frozen=True)
class Group:
    """Something that several disks hold together: its words, and the kernel names of the disks."""

    title: str
    knames: frozenset[str]
    volume_group: VolumeGroup | None = None


def groups(contents: Contents, block: BlockDevices, observation: Observation) -> tuple[Group, ...] | None:
    """All that a disk is a member of; None while it is not answered."""
    devices = list(_tree(block.get(contents.disk.kname), block))
    out = [
        Group(f"{_SHARED[one.content]} {one.content_label or one.content_uuid}", _knames(one, block))
        for one in devices
        if one.content in _SHARED and one.content_uuid
    ]
    if any(one.type == "LVM2_member" for one in contents.things) or any(
        one.content == "LVM2_member" for one in devices
    ):
        if observation.ask(FULLREPORT) is None:
            return None
        out += _volume_groups(contents.disk.kname, block, observation)
    return tuple(dict.fromkeys(out))


def user(contents: Contents, block: BlockDevices) -> str:
    """Who uses a disk, and what to do by hand, as the end of a sentence; empty where nobody does.

    Volumes of LVM that nobody uses do not count: their group is deactivated.
    """
    for one in _tree(block.get(contents.disk.kname), block):
        name = one.path
        for mountpoint in one.mountpoints:
            if mountpoint == "[SWAP]":
                return f"{name} is in use as swap: end that by hand with swapoff first"
            return f"{name} is mounted on {mountpoint}: unmount it by hand first"
        if one.type.startswith("raid") or one.type == "md":
            return f"the md array {name} runs on it: stop it by hand with mdadm --stop first"
        if one.type not in ("disk", "part", "loop", "lvm", "mpath"):
            return f"{name} ({one.type}) lies on it: {_RELEASE.get(one.type, 'release it by hand')} first"
    if contents.error:
        return f"{contents.error}: look at it with wipefs and blkid -p"
    if any(not _is_held_by_lvm(kname, contents, block) for kname in contents.held):
        pool = next((one.label for one in contents.things if one.type == "zfs_member" and one.label), "")
        if pool:
            return f"the pool {pool} is imported: export it by hand with zpool export first"
        return "it is in use by the kernel: release it by hand first"
    return ""


def _is_held_by_lvm(kname: str, contents: Contents, block: BlockDevices) -> bool:
    """Whether volumes account for it; a disk is held with its partitions, each of which is looked at as well."""
    device = block.get(kname)
    children = [one for one in map(block.get, device.children if device else ()) if one is not None]
    return any(one.type == "lvm" or (one.type == "part" and one.kname in contents.held) for one in children)


def _tree(device: BlockDevice | None, block: BlockDevices) -> Iterator[BlockDevice]:
    if device is not None:
        yield device
        for child in device.children:
            yield from _tree(block.get(child), block)


def _knames(member: BlockDevice, block: BlockDevices) -> frozenset[str]:
    same = [one for one in block if one.content == member.content and one.content_uuid == member.content_uuid]
    return frozenset(disk for one in same for disk in block.disks_below(one.kname))


def _volume_groups(kname: str, block: BlockDevices, observation: Observation) -> Iterator[Group]:
    for group in observation.once(report.read).groups:
        nodes = [block.at(one.path) for one in group.physical_volumes]
        disks = frozenset(disk for one in nodes if one is not None for disk in block.disks_below(one.kname))
        if kname in disks:
            yield Group(f"volume group {group.name}", disks, group)
