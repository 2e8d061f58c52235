# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The vdevs that a document asks for, held against those that a pool has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..blockdevices import BlockDevices
from ..sizes import MIB, human
from ..state import Device
from .status import Vdev

# The order of zpool's own words on a command line; data needs no word.
ROLES = ("data", "special", "dedup", "log", "cache", "spare")
REDUNDANT = ("data", "special", "dedup")
_KINDS = ("stripe", "mirror", "raidz1", "raidz2", "raidz3", "draid1", "draid2", "draid3", "disks")
_FUZZ = 16 * MIB  # ZPOOL_FUZZ of zpool_vdev.c: members that differ by more are refused by zpool
_DRAID_DATA = 8  # draid_config_by_type of zpool_vdev.c: at most this many by default


@dataclass(frozen=True)
class Wanted:
    """One vdev to be: ``kind`` as in :attr:`Vdev.kind`."""

    role: str
    kind: str
    devices: tuple[Device, ...]

    @property
    def shape(self) -> tuple[str, int]:
        return self.kind, len(self.devices)

    def argv(self) -> tuple[str, ...]:
        return (*(() if self.kind == "stripe" else (self.kind,)), *(device.path for device in self.devices))

    def __str__(self) -> str:
        return " ".join((self.kind, *(device.path.rpartition("/")[2] for device in self.devices)))


@dataclass(frozen=True)
class Entry:
    """One line of the document: devices that become vdevs of ``width`` each."""

    role: str
    kind: str
    width: int
    devices: tuple[Device, ...]


class Unfit(Exception):
    """A layout that cannot be had; its text is a sentence without place."""


def entries(document: Mapping[str, Any], devices: Mapping[str, Sequence[Device]]) -> Iterator[Entry]:
    """The entries of a pool of the document.

    :raises Unfit: too few devices for the kind.
    """
    for role in ROLES:
        lines = document.get(role, ())
        for line in (lines,) if isinstance(lines, Mapping) else lines:
            (kind,) = (kind for kind in _KINDS if kind in line)
            found = tuple(device for ref in line[kind] for device in devices[ref])
            single = kind in ("stripe", "disks")
            width = 1 if single else int(line.get("width", len(found)))
            yield Entry(role, "stripe" if single else _full_kind(kind, width, line), width, found)


def _full_kind(kind: str, width: int, line: Mapping[str, Any]) -> str:
    parity = int(kind[-1]) if kind[-1].isdigit() else 1
    spares = int(line.get("spares", 0))
    data = int(line.get("data", max(1, min(_DRAID_DATA, width - spares - parity)))) if kind.startswith("draid") else 1
    if width < parity + data + spares:
        raise Unfit(f"a {kind} of {width} devices is wanted, and it needs at least {parity + data + spares}")
    return f"{kind}:{data}d:{width}c:{spares}s" if kind.startswith("draid") else kind


def parity(kind: str) -> int:
    """Devices that may fail, of raidz and dRAID."""
    return int(kind[5])


def is_in(device: Device, slot: Sequence[Vdev], block: BlockDevices) -> bool:
    """Whether a wanted device is one of the devices in a place of the pool."""
    names = device_names(device, block)
    return any(names & _leaf_names(leaf, block) for leaf in slot)


def device_names(device: Device, block: BlockDevices) -> frozenset[str]:
    """What ZFS may call a device: of a whole disk also the partition 1 that zpool makes on it."""
    names = {device.path, f"{device.path}-part1"}
    there = block.at(device.path)
    if there is not None:
        names.add(there.kname)
        parts = [part for part in map(block.get, there.children) if part is not None and part.type == "part"]
        if {part.number for part in parts} <= {1, 9}:
            names.update(part.kname for part in parts if part.number == 1)
    return frozenset(names)


def _leaf_names(leaf: Vdev, block: BlockDevices) -> frozenset[str]:
    if leaf.name.isdigit():  # ZFS lost it and only remembers where it was; what is there now may be another disk
        return frozenset(word for word in leaf.note.split() if word.startswith("/dev/disk/by-id/"))
    path = leaf.name if leaf.name.startswith("/") else f"/dev/disk/by-id/{leaf.name}"
    there = block.at(path)
    return frozenset((path, there.kname)) if there else frozenset((path,))


def inconsistent(vdevs: Sequence[Wanted]) -> str:
    """Why zpool would want to be forced to make these, or empty (get_replication of zpool_vdev.c)."""
    for vdev in (one for one in vdevs if one.role in REDUNDANT):
        sizes = [device.size for device in vdev.devices]
        if max(sizes) - min(sizes) > _FUZZ:
            return f"a {vdev.kind} of devices of different sizes is wanted ({human(min(sizes))} to {human(max(sizes))})"
    shapes = sorted({one.shape for one in vdevs if one.role in REDUNDANT})
    for shape in shapes:
        if not _alike(shapes[0], shape):
            return f"vdevs of different redundancy are wanted ({_words(shapes[0])} and {_words(shape)})"
    return ""


def _alike(one: tuple[str, int], other: tuple[str, int]) -> bool:
    if one[0][:5] == other[0][:5]:  # raidz, draid, mirro, strip: zpool's own names without parity
        return one[0].split(":")[0] == other[0].split(":")[0] and (one[0] == "stripe" or one[1] == other[1])
    return _survives(one) == _survives(other) > 0


def _survives(shape: tuple[str, int]) -> int:
    kind, width = shape
    return 0 if kind == "stripe" else width - 1 if kind == "mirror" else parity(kind)


def _words(shape: tuple[str, int]) -> str:
    return "single disks" if shape[0] == "stripe" else f"{shape[0]} of {shape[1]}"


def argv(vdevs: Sequence[Wanted]) -> tuple[str, ...]:
    """The vdevs in zpool's words: the role stands once before its vdevs."""
    words: list[str] = []
    for role in ROLES:
        mine = [one for one in vdevs if one.role == role]
        if mine and role != "data":
            words.append(role)
        words.extend(word for one in mine for word in one.argv())
    return tuple(words)


def last(path: str) -> str:
    return path.rpartition("/")[2]
