# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hypothesis strategies for valid documents, made by construction: nothing drawn is thrown away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import disk_sets
import layer_documents
import lvm_documents
import zfs_documents
from builder import Builder, Document, Place
from disk_sets import Draw, Group, Scale
from hypothesis import strategies as st
from simulated_block import MIB, DiskModel


@dataclass(frozen=True)
class Case:
    """Disks with a document for them; ``larger`` is a later document, with the disks ``added`` by then."""

    disks: tuple[DiskModel, ...]
    document: Document
    larger: Document
    added: tuple[DiskModel, ...] = ()

    def __repr__(self) -> str:
        """What a person needs to try it again."""
        parts = {"document": self.document}
        if self.larger != self.document:
            parts["larger"] = self.larger
        texts = [f"{name}: {json.dumps(value)}" for name, value in parts.items()]
        return "\n".join(["", f"disks: {self.disks}", f"added: {self.added}", *texts])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


ANY = Scale()


@st.composite
def cases(draw: Draw[Any], scale: Scale = ANY) -> Case:
    """Disks, a valid document for them, and a larger valid document."""
    builder = Builder(draw)
    found: list[Group] = draw(disk_sets.groups(scale))
    places: list[tuple[Place, str]] = []
    for group in found:
        builder.put("disks", group.name, group.entry, group.larger)
        if builder.maybe():
            places.extend(_table(builder, group))
        else:
            whole = Place(group.name, group.size, group.sector, group.chosen, group.more, many=group.many)
            use = builder.one_of("filesystem", "swap", "local", "nothing", *USES)
            builder.put_on(whole, use, whole=True)
            places.append((whole, use))
    for build in SECTIONS:
        build(builder, places)
    strays = tuple(disk_sets.stray(one) for one in range(builder.up_to(0, 2)))
    disks = (disk_sets.system_disk(), *(disk for group in found for disk in group.disks), *strays)
    added = tuple(disk for group in found for disk in group.more)
    return Case(disks, builder.document, builder.larger, added)


# Volume managers that take disks and partitions: uses, and what builds their section from the places with that use.
USES: tuple[str, ...] = ("lvm", "zfs", "raid", "luks")
SECTIONS = (layer_documents.build, lvm_documents.build, zfs_documents.build, layer_documents.encrypt_volumes)

_LEAST = {
    "filesystem": 64, "swap": 16, "local": 8, "reserved": 1, "esp": 64, "bios_boot": 1, "lvm": 300, "zfs": 600,
    "raid": 400, "luks": 400,
}  # fmt: skip


def _table(builder: Builder, group: Group) -> list[tuple[Place, str]]:
    """The partitions of a group; what is left behind the last one may be used by the larger document."""
    room = (group.size - 16 * 1024 - group.sector) // MIB - 1
    entries: list[dict[str, Any]] = []
    larger: list[dict[str, Any]] = []
    places = []
    left = room
    count = builder.up_to(1, 4)
    for index in range(count):
        last = index == count - 1
        use = builder.one_of("filesystem", "swap", "local", "reserved", "esp", "bios_boot", *USES)
        least = _LEAST[use]
        if left < least:
            break
        most = max(least, left if last else left * 2 // 3)
        size = builder.one_of(least, min(most, 600), most, most // 2) if most > 2 * least else least
        size = max(size, least)
        name = builder.name("p")
        text, longer = _sizes(builder, size, left, room, last, least)
        left -= size
        grows = longer != text
        place = Place(f"{group.name}.{name}", size * MIB, group.sector, group.chosen, group.more, grows, group.many)
        entry: dict[str, Any] = {"name": name, "size": text, "use": use}
        inline = use == "esp" or (use == "filesystem" and builder.maybe())
        if inline:
            entry.update(_inline(builder, place, use))
        elif use in ("filesystem", "local") or (use == "swap" and builder.maybe()):
            builder.put_on(place, use)
        if use == "reserved" and builder.maybe():
            entry["type"] = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
        entries.append(entry)
        larger.append({**entry, "size": longer})
        places.append((place, use))
    if entries[-1]["size"] != "rest" and left > 700 and not places[-1][0].grows and builder.maybe():
        # A partition that comes with the larger document.
        name = builder.name("p")
        larger.append({"name": name, "size": "rest", "use": "filesystem", "filesystem": "xfs"})
    builder.put("partitions", group.name, entries, larger)
    return places


def _sizes(builder: Builder, size: int, left: int, room: int, last: bool, least: int) -> tuple[str, str]:
    """How ``size`` MiB are written, and what the larger document says."""
    if last and size == left:
        return "rest", "rest"
    text = builder.text(size * MIB)
    share = size * 100 // room
    if share and share * room // 100 >= least and builder.maybe():
        text = f"{share}{builder.one_of('', ' ')}%"
    if last and left > size + 64 and builder.maybe():
        return text, builder.one_of(f"{size + 40} MiB", "rest")
    return text, text


def _inline(builder: Builder, place: Place, use: str) -> dict[str, Any]:
    if use == "esp":
        kind = {"filesystem": builder.one_of("vfat", {"type": "vfat", "label": "EFI"})}
        return kind if place.sector == 512 and not place.grows and builder.maybe() else {}
    entry, extra = builder.filesystem(place, whole=False)
    return {"filesystem": entry["type"] if len(entry) == 1 else entry, **extra}
