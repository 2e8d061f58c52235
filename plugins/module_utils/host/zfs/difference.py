# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a pool lacks of the document, and what it has beyond it: every vdev, place by place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..blockdevices import BlockDevices
from ..state import Device, Former
from .layout import ROLES, Entry, Unfit, Wanted, is_in, last
from .status import Pool, Vdev

_RESIZED = ("stripe", "mirror")


@dataclass(frozen=True)
class Replacement:
    """``device`` takes the place of ``leaf``."""

    role: str
    vdev: Vdev
    leaf: Vdev
    device: Device


@dataclass(frozen=True)
class Attachment:
    """``device`` makes ``vdev`` wider; of a mirror it is put beside the leaf of the device ``like``."""

    role: str
    vdev: Vdev
    leaf: Vdev
    like: Device
    device: Device

    @property
    def raidz(self) -> bool:
        return self.vdev.kind.startswith("raidz")


@dataclass(frozen=True)
class Detachment:
    """``leaf`` leaves a mirror, whose other devices are such as ``like``."""

    role: str
    vdev: Vdev
    leaf: Vdev
    like: Device


@dataclass
class Difference:
    """All empty when the pool is laid out as the document says."""

    new: list[Wanted] = field(default_factory=list)
    replaced: list[Replacement] = field(default_factory=list)
    attached: list[Attachment] = field(default_factory=list)
    detached: list[Detachment] = field(default_factory=list)
    removed: list[tuple[str, Vdev]] = field(default_factory=list)


@dataclass(frozen=True)
class _Holder:
    """The wanted device of a place, and the leaf that it has yet to replace there."""

    device: Device
    old: Vdev | None = None


def difference(wanted: Sequence[Entry], pool: Pool | None, block: BlockDevices) -> Difference:
    """What leads from the pool to the document; vdevs that are there keep their members.

    :raises Unfit: nothing that ZFS can do leads there, or devices are left over.
    """
    out = Difference()
    lost = _lost(pool, wanted, block)
    for role in ROLES:
        here = [entry for entry in wanted if entry.role == role]
        left = list(pool.of(role)) if pool else []
        new: list[Wanted] = []
        for entry in here:
            free = _unheld(entry, left, block, out, lost)
            free = _resized(entry, left, free, block, out)
            if len(free) % entry.width:
                names = ", ".join(last(device.path) for device in free)
                raise Unfit(f"{len(free)} devices are left for {role} vdevs of {entry.width} ({names})")
            groups = [tuple(free[start : start + entry.width]) for start in range(0, len(free), entry.width)]
            new.extend(Wanted(role, entry.kind, group) for group in groups)
        for vdev in left:
            _check_removal(role, vdev, wanted, new, block)
            out.removed.append((role, vdev))
        out.new.extend(new)
    return out


def _lost(pool: Pool | None, wanted: Sequence[Entry], block: BlockDevices) -> _Holder | None:
    """A leaf that ZFS knows by its number alone, and the one device that takes the place of a disk seen nowhere."""
    if pool is None:
        return None
    leaves = [row for row in pool.rows() if not row.children]
    numbers = [leaf for leaf in leaves if leaf.name.isdigit() and not leaf.path.startswith("/dev/disk/by-id/")]
    coming = [
        device
        for entry in wanted
        for device in entry.devices
        if device.replaces and not is_in(device, leaves, block) and _seen_nowhere(device, leaves, block)
    ]
    return _Holder(coming[0], numbers[0]) if len(coming) == len(numbers) == 1 else None


def _seen_nowhere(device: Device, leaves: Sequence[Vdev], block: BlockDevices) -> bool:
    serials = {former.serial for former in device.replaces}
    named = any(_is_former(leaf, former, device, block) for leaf in leaves for former in device.replaces)
    return not named and not any(one.serial in serials for one in block)


def _unheld(entry: Entry, left: list[Vdev], block: BlockDevices, out: Difference, lost: _Holder | None) -> list[Device]:
    """The entry's devices that no vdev of ``left`` holds; vdevs of the entry's shape leave ``left``."""
    free = list(entry.devices)
    for vdev in list(left):
        if vdev.kind != entry.kind or len(vdev.places) != entry.width:
            continue
        found = _holders(vdev, free, block)
        if lost and lost.old in vdev.places and lost.device in free and found.count(None) == 1:
            found[vdev.places.index(lost.old)] = found[vdev.places.index(lost.old)] or lost
        holders = [one for one in found if one is not None]
        if len(holders) == len(found):
            left.remove(vdev)
            _take(entry.role, vdev, holders, free, out)
    return free


def _resized(entry: Entry, left: list[Vdev], free: list[Device], block: BlockDevices, out: Difference) -> list[Device]:
    """What is still free once the vdevs that are the entry's and of another width are as wide as it says."""
    growing: list[tuple[Vdev, list[_Holder]]] = []
    for vdev in list(left):
        mirrors = entry.kind in _RESIZED and vdev.kind in _RESIZED
        raidz = entry.kind == vdev.kind and vdev.kind.startswith("raidz")
        found = _holders(vdev, free, block) if mirrors or raidz else []
        holders = [one for one in found if one is not None]
        if not holders or len(found) == entry.width:
            continue
        if len(found) < entry.width and len(holders) == len(found):
            growing.append((vdev, holders))
        elif mirrors and len(holders) == entry.width:
            gone = [place for place, one in zip(vdev.places, found) if one is None]
            if any(place.children for place in gone):
                raise Unfit(f"its {vdev.name} shall lose a place in which a spare or a replacement works")
            out.detached.extend(Detachment(entry.role, vdev, place, holders[0].device) for place in gone)
        else:
            continue
        left.remove(vdev)
        _take(entry.role, vdev, holders, free, out)
    for vdev, holders in growing:
        need = entry.width - len(holders)
        if len(free) < need:
            raise Unfit(
                f"{_called(entry.role, vdev)} is {len(holders)} wide, {entry.width} is wanted, and no disk is free"
            )
        beside = _beside(vdev, holders, block)
        out.attached.extend(Attachment(entry.role, vdev, beside[0], beside[1], device) for device in free[:need])
        free = free[need:]
    return free


def _take(role: str, vdev: Vdev, holders: Sequence[_Holder], free: list[Device], out: Difference) -> None:
    for one in holders:
        free.remove(one.device)
        if one.old is not None:
            out.replaced.append(Replacement(role, vdev, one.old, one.device))


def _beside(vdev: Vdev, holders: Sequence[_Holder], block: BlockDevices) -> tuple[Vdev, Device]:
    """A leaf that works, with its device: what a new one is attached to."""
    for place, one in zip(vdev.places, holders):
        for leaf in place.leaves():
            if leaf.healthy and is_in(one.device, (leaf,), block):
                return leaf, one.device
    raise Unfit(f"no device of its {vdev.name} is online to attach another one to")


def _holders(vdev: Vdev, free: Sequence[Device], block: BlockDevices) -> list[_Holder | None]:
    """For each place which of the free devices is in it, or shall be; none is in two."""
    found: list[_Holder | None] = []
    for place in vdev.places:
        taken = [one.device for one in found if one]
        found.append(_holder(place, [one for one in free if one not in taken], block))
    return found


def _holder(place: Vdev, free: Sequence[Device], block: BlockDevices) -> _Holder | None:
    """Which of the free devices is in this place, or shall be."""
    slot = tuple(place.leaves())
    for one in free:
        mine = [leaf for leaf in slot if is_in(one, (leaf,), block)]
        if mine:
            # A disk that replaces itself was wiped: ZFS remembers only the number of what was there.
            anew = any(former.serial == one.serial for former in one.replaces)
            return _Holder(one, mine[0] if anew and all(leaf.name.isdigit() for leaf in mine) else None)
    for one in free:
        for leaf in slot:
            if any(_is_former(leaf, former, one, block) for former in one.replaces):
                if any(row.replacing for row in place.rows()):
                    raise Unfit(f"a replacement works in the place of {last(leaf.name)} already")
                return _Holder(one, leaf)
    return None


def _is_former(leaf: Vdev, former: Former, device: Device, block: BlockDevices) -> bool:
    """Whether a leaf is the disk whose place the device takes: the same partition of it, where it is one."""
    path = leaf.path
    disk, number = _parted(last(path))
    wanted = _parted(last(device.path))[1]
    if number != wanted and not (wanted == "" and number == "1"):
        return False
    there = block.at(path)
    below = (block.get(name) for name in block.disks_below(there.kname)) if there else ()
    if any(one and former.serial and one.serial == former.serial for one in below):
        return True
    # By any of udev's links, which end in the serial number or the world-wide name.
    names = [name for name in (former.serial, re.sub(r"^(0x|eui\.|naa\.)", "", former.wwn)) if name]
    ends = any(re.search(rf"(?:[-_.]|^scsi-\d){re.escape(name)}(?:_\d+)?$", disk, re.I) for name in names)
    return bool(former.id and disk == former.id) or ends


def _parted(link: str) -> tuple[str, str]:
    """A link and the number of its partition, or empty."""
    match = re.search(r"-part(\d+)$", link)
    return (link[: match.start()], match[1]) if match else (link, "")


def _check_removal(role: str, vdev: Vdev, wanted: Sequence[Entry], new: Sequence[Wanted], block: BlockDevices) -> None:
    """What leaves must be nobody's: seen on a device that the document does not name.

    :raises Unfit: it has a device of the document, or it could have one under a name that nobody knows any more.
    """
    devices = [device for entry in wanted for device in entry.devices]
    name = _called(role, vdev)
    if any(_holder(place, devices, block) for place in vdev.places):
        raise Unfit(f"{name} is not what the document asks for")
    unseen = [leaf for leaf in vdev.leaves() if block.at(leaf.path) is None]
    if unseen and (new or role in ("data", "special", "dedup")):
        raise Unfit(f"{name} is not in the document, and {last(unseen[0].path)} of it is not there")


def _called(role: str, vdev: Vdev) -> str:
    members = ", ".join(last(slot[0].name) for slot in vdev.slots)
    return f"its {role} vdev {vdev.name} ({members})" if vdev.children else f"its {role} device {members}"
