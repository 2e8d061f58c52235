# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Block devices of a simulated host: disks, partitions and what stacks on them, with udev's links."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

MIB = 1024**2
GIB = 1024**3


class ToolFailure(AssertionError):
    """A tool would have answered with an error: an action asked for what cannot be done."""


def require(holds: object, why: str) -> None:
    if not holds:
        raise ToolFailure(why)


@dataclass(frozen=True)
class DiskModel:
    """A disk as its maker built it. ``bus`` is sata, sas, scsi, nvme or virtio; ``port`` is its place on the bus."""

    serial: str
    bus: str
    port: int
    size: int
    sector: int = 512
    rotational: bool = False
    model: str = "DISK"
    vendor: str = ""
    wwn: str = ""
    system: bool = False
    of_qemu: bool = False  # what it says of itself but the serial is QEMU's choice

    def __repr__(self) -> str:
        return f"<{self.serial} {self.bus}{self.port} {self.size} B/{self.sector}>"

    @property
    def links(self) -> tuple[str, ...]:
        """Names below /dev/disk/by-id, as udev's 60-persistent-storage.rules make them."""
        if self.bus == "nvme":
            name = f"nvme-{self.model.replace(' ', '_')}_{self.serial}"
            return (name, f"{name}_1", f"nvme-{self.wwn}")
        if self.bus == "virtio":
            return (f"virtio-{self.serial}",)
        named = f"ata-{self.model}_{self.serial}" if self.bus == "sata" else f"scsi-3{self.wwn[2:]}"
        return (f"wwn-{self.wwn}", named) if self.wwn else (named,)

    @property
    def slot(self) -> str:
        """Its name below /dev/disk/by-path."""
        return {
            "nvme": f"pci-0000:{self.port + 1:02x}:00.0-nvme-1",
            "virtio": f"pci-0000:00:{self.port:02x}.0",
            "sata": f"pci-0000:00:1f.2-ata-{self.port}",
        }.get(self.bus, f"pci-0000:00:0c.0-scsi-0:0:{self.port}:0")


@dataclass
class Content:
    """What a device carries: blkid's words, and for file systems whatever their tools keep.

    ``image`` maps offsets to bytes. ``geometry`` is of the tool that made it.
    """

    type: str
    uuid: str = ""
    label: str = ""
    version: str | None = None
    image: dict[int, bytes] = field(default_factory=dict)
    geometry: dict[str, Any] = field(default_factory=dict)
    offset: str = "0x0"


@dataclass
class Node:
    """A device. ``parents`` are those below; ``users`` say who holds it open (a mount, swap, a volume group)."""

    kind: str  # disk, part, lvm
    size: int
    disk: DiskModel | None = None
    parents: tuple[Node, ...] = ()
    links: tuple[str, ...] = ()
    content: Content | None = None
    table: Table | None = None
    partition: Partition | None = None
    sector: int = 512
    rotational: bool = False
    dm_name: str = ""
    users: set[str] = field(default_factory=set)
    kname: str = ""
    number: str = ""
    shown: bool = True  # whether lsblk prints it

    @property
    def path(self) -> str:
        return f"/dev/mapper/{self.dm_name}" if self.dm_name else f"/dev/{self.kname}"

    @property
    def busy(self) -> bool:
        return bool(self.users) or bool(self.table and any(part.busy for part in self.table.nodes))

    def read(self, offset: int, length: int) -> bytes:
        out = bytearray(length)
        for start, raw in (self.content.image if self.content else {}).items():
            low, high = max(start, offset), min(start + len(raw), offset + length)
            if low < high:
                out[low - offset : high - offset] = raw[low - start : high - start]
        return bytes(out)

    def signatures(self) -> list[dict[str, str]]:
        """As wipefs lists them."""
        found = []
        if self.content:
            one = self.content
            found.append({"type": one.type, "offset": one.offset, "label": one.label, "uuid": one.uuid})
        if self.table:
            found += [
                {"type": kind, "offset": place, "label": "", "uuid": ""}
                for kind, place in (("gpt", "0x200"), ("gpt", hex(self.size - self.sector)), ("PMBR", "0x1fe"))
            ]
        return found


@dataclass
class Folder:
    """Who owns a folder, as numbers, and its mode."""

    owner: str = "0"
    group: str = "0"
    mode: str = "0755"


@dataclass
class Partition:
    """``start`` and ``size`` in sectors of the disk."""

    number: int
    start: int
    size: int
    type: str
    uuid: str
    name: str


@dataclass
class Table:
    """A GPT: what is written on the disk (``parts``), and what the kernel knows of it (``nodes``)."""

    uuid: str
    parts: list[Partition] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)


_SFDISK = {"--quiet", "--append", "--no-reread", "--partno", "--wipe", "--wipe-partitions", "never"}


def sfdisk(disk: Node, options: Sequence[str], script: str) -> None:
    """Write a table with ``options`` (without the device) and a script."""
    words = list(options)
    number = int(words[words.index("--partno") + 1]) if "--partno" in words else 0
    require("--quiet" in words, "sfdisk without --quiet")
    require(set(words) <= _SFDISK | {str(number)}, f"sfdisk does not know {sorted(set(words) - _SFDISK)}")
    require("--no-reread" in words or not disk.busy, f"sfdisk: {disk.path} is in use")
    require(disk.content is None, f"sfdisk: {disk.path} carries {disk.content}")
    lines = [line.strip() for line in script.splitlines() if line.strip()]
    head = dict(line.split(": ", 1) for line in lines if ":" in line and "start=" not in line)
    body = [_fields(line) for line in lines if "start=" in line]
    if not number and "--append" not in words:
        require(disk.table is None, f"sfdisk: {disk.path} has a table already")
        require(head.get("label") == "gpt" and "label-id" in head, "sfdisk: a new table needs label and label-id")
        disk.table = Table(head["label-id"].lower())
    table = disk.table
    if table is None:
        raise ToolFailure(f"sfdisk: {disk.path} has no table")
    for one in body:
        _resize(disk, table, number, one) if number else _add(disk, table, one)


def tell_kernel(disk: Node) -> list[Node]:
    """What partx --update or a re-read does: the kernel's partitions become those of the disk; answers new ones."""
    table = disk.table
    if table is None:
        raise ToolFailure(f"partx: {disk.path}: failed to read partition table")
    known = {node.partition.number: node for node in table.nodes if node.partition}
    new = []
    for part in table.parts:
        node = known.get(part.number)
        if node is None:
            links = tuple(f"{name}-part{part.number}" for name in disk.links)
            node = Node("part", 0, disk=disk.disk, parents=(disk,), links=links)
            node.sector, node.rotational = disk.sector, disk.rotational
            table.nodes.append(node)
            new.append(node)
        node.partition, node.size = replace(part), part.size * disk.sector
    return new


def _fields(line: str) -> dict[str, str]:
    number, colon, rest = line.rpartition(" : ") if " : " in line else ("", "", line)
    out = {"number": number.strip()} if colon else {}
    for word in rest.split(","):
        key, equals, value = word.strip().partition("=")
        require(equals and key in ("start", "size", "type", "uuid", "name"), f"sfdisk: cannot parse {word!r}")
        out[key] = value.strip('"')
    return out


def _resize(disk: Node, table: Table, number: int, one: Mapping[str, str]) -> None:
    """One partition by its number; it is made when it is not there."""
    part = next((part for part in table.parts if part.number == number), None)
    if part is None:
        _add(disk, table, one)
        return
    require(int(one["start"]) == part.start, "sfdisk: a partition that moves loses its data")
    require(int(one["size"]) >= part.size, "sfdisk: a partition shrinks")
    part.size = int(one["size"])
    _place(disk, table, part)


def _add(disk: Node, table: Table, one: Mapping[str, str]) -> None:
    part = Partition(
        int(one["number"]), int(one["start"]), int(one["size"]), one["type"].lower(), one["uuid"].lower(), one["name"]
    )
    taken = {other.number for other in table.parts}
    require(part.number not in taken and 1 <= part.number <= 128, f"sfdisk: partition {part.number} is taken")
    _place(disk, table, part)
    table.parts.append(part)


def _place(disk: Node, table: Table, part: Partition) -> None:
    entries = 128 * 128 // disk.sector
    last = disk.size // disk.sector - 2 - entries
    require(part.start >= 2 + entries, f"sfdisk: start {part.start} lies inside the table")
    require(part.size > 0 and part.start + part.size - 1 <= last, f"sfdisk: {part.name} ends behind sector {last}")
    for other in table.parts:
        if other is not part:
            apart = part.start + part.size <= other.start or other.start + other.size <= part.start
            require(apart, f"sfdisk: {part.name} overlaps {other.name}")


def above(node: Node, nodes: Sequence[Node]) -> Iterator[Node]:
    """The devices that lie directly on one."""
    return (one for one in nodes if node in one.parents)


class Part:
    """LVM, ZFS, MD or LUKS: tools that keep a state of their own."""

    tools: Mapping[str, Callable[[Sequence[str], Any], str]]

    def answer(self, argv: tuple[str, ...]) -> tuple[int, str] | None:
        """Exit code and text of a reading command, or None when it is not one of this part's."""
        return None

    def mountinfo(self) -> Iterable[str]:
        """Lines of what it has mounted."""
        return ()

    def mountpoints(self) -> Iterable[str]:
        """Where it has mounted something."""
        return ()

    def file(self, path: str) -> str | None:
        """The text of a file that it provides."""
        return None

    def forget(self, node: Node) -> None:
        """What a device carried is gone."""
