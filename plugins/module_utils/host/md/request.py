# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Arrays that are there, and an array of the document held against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..blockdevices import BlockDevice, BlockDevices
from ..observation import Observation, ReadFile, ReadLinks
from ..state import Device
from . import geometry, superblock
from .mdstat import Array

MEMBER = "linux_raid_member"  # blkid's word
NODES = ReadLinks("/dev/md")


@dataclass(frozen=True)
class Found:
    """An array by its UUID (as blkid spells it), the kernel names of what carries it, and how it runs, if it does."""

    uuid: str
    carriers: frozenset[str]
    array: Array | None = None


@dataclass(frozen=True)
class Wanted:
    """An array of the document. ``devices`` hold data, ``spares`` wait; sizes in bytes.

    ``device`` is what it offers to layers above, ``used`` what it shall use of each device, ``late`` says what must
    wait until the array has ended its work. ``half_made`` are devices with a superblock of ours that never ran.
    ``node`` is what mdadm is told: the name of the document, but for an array that runs under another one.
    """

    device: Device
    name: str
    level: str
    uuid: str
    devices: tuple[Device, ...]
    spares: tuple[Device, ...]
    chunk: int
    bitmap: str
    offset: int
    used: int
    node: str
    have: Found | None
    now_used: int = 0
    late: str = ""
    half_made: tuple[Device, ...] = ()

    @property
    def members(self) -> tuple[Device, ...]:
        return (*self.devices, *self.spares)

    @property
    def running(self) -> Array | None:
        return self.have.array if self.have else None


def found(block: BlockDevices, arrays: Iterable[Array]) -> Iterator[Found]:
    """Every array of which anything is seen: by its running self, or by the superblocks of its devices."""
    carriers: dict[str, set[str]] = {}
    for device in block:
        if device.content == MEMBER:
            carriers.setdefault(_plain(device.content_uuid), set()).add(device.kname)
    running: dict[str, Array] = {}
    for array in arrays:
        uuid = _uuid_of(array, block)
        running[uuid] = array
        carriers.setdefault(uuid, set()).update(one.kname for one in array.members)
    for uuid in sorted(carriers):
        yield Found(uuid, frozenset(carriers[uuid]), running.get(uuid))


def _uuid_of(array: Array, block: BlockDevices) -> str:
    node = block.get(array.kname)
    for name in node.by_id if node else ():
        if name.startswith("md-uuid-") and "-part" not in name:
            return _plain(name[len("md-uuid-") :])
    members = (block.get(one.kname) for one in array.members)
    return next((_plain(one.content_uuid) for one in members if one and one.content == MEMBER), array.kname)


def _plain(uuid: str) -> str:
    return uuid.replace("-", "").replace(":", "").lower()


def link(uuid: str) -> str:
    """The name of an array that is known before it is made, and stays whatever the kernel calls it."""
    return f"/dev/disk/by-id/md-uuid-{superblock.spelled(uuid)}"


def node_of(name: str) -> str:
    """What mdadm knows an array by: since 4.4 it takes no other links, as their names are longer than 32 signs."""
    return f"{NODES.path}/{name}"


def node_now(name: str, array: Array, observation: Observation) -> str:
    """The same of a running array: a boot or a person may have called it otherwise, and the name may be another's.

    Empty where udev has no name for it.
    """
    names = [one for one, kname in sorted((observation.ask(NODES) or {}).items()) if kname == array.kname]
    return node_of(name if name in names else names[0]) if names else ""


def there(device: Device, block: BlockDevices) -> BlockDevice | None:
    return block.at(device.path) if device.there else None


def is_carrier(device: Device, of: Found, block: BlockDevices) -> bool:
    """Whether a device carries a superblock of an array, or is a member of it."""
    seen = there(device, block)
    return seen is not None and seen.kname in of.carriers


def is_member(device: Device, of: Array, block: BlockDevices) -> bool:
    """Whether the kernel has a device in a running array, faulty or not."""
    seen = there(device, block)
    return seen is not None and any(one.kname == seen.kname for one in of.members)


def component_now(observation: Observation, array: Array) -> int:
    """Bytes that a running array uses of each device; 0 when the kernel does not say."""
    text = observation.ask(ReadFile(f"/sys/block/{array.kname}/md/component_size"))
    return int(text) * 1024 if text and text.strip().isdigit() else 0


def component_then(
    observation: Observation, array: Array, members: Iterable[Device], block: BlockDevices, chunk: int
) -> int:
    """What it could use of each device with the sizes that these will have; 0 when one cannot be told."""
    sizes = []
    for device in members:
        seen = there(device, block)
        if seen is None or not is_member(device, array, block):
            continue
        text = observation.ask(ReadFile(f"/sys/block/{array.kname}/md/dev-{seen.kname}/offset"))
        if not text or not text.strip().isdigit():
            return 0
        sizes.append(geometry.component(device.size, int(text) * 512, chunk))
    return min(sizes, default=0)
