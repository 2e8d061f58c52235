# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a whole disk carries, on itself and in its partitions, and the digest that a consent names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.digest import sha256
from ...plan.model import Part
from ..blank import Signature
from ..blockdevices import BlockDevice, BlockDevices
from ..observation import IN_USE, Observation, Signatures
from ..selection import Disk
from ..signatures.detect import UNKNOWN

_PLAIN = re.compile(r"^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z][a-z0-9_-]*$", re.IGNORECASE)
_TABLES = ("gpt", "PMBR", "dos")


@dataclass(frozen=True, order=True)
class Thing:
    """One signature: ``place`` is ``disk`` or ``partition 2``, ``offset`` is counted from its start."""

    place: str
    type: str
    offset: str
    label: str
    uuid: str

    def __str__(self) -> str:
        where = "" if self.place == "disk" else f" of {self.place}"
        return f"{Signature(self.type, self.offset, self.label, self.uuid)}{where}"

    @property
    def mark(self) -> tuple[str, str, str]:
        """What stays of it when a wipe that was cut off has damaged it."""
        return (self.place, "table" if self.type in _TABLES else self.type, self.offset)


@dataclass(frozen=True)
class Contents:
    """``parts`` are in the order in which they are zeroed: what lies inside first, the disk itself last.

    ``error`` says why it cannot be told; ``held`` are kernel names of the disk and its partitions that are in use.
    """

    disk: Disk
    things: tuple[Thing, ...]
    table: tuple[Mapping[str, Any], ...]
    parts: tuple[Part, ...]
    error: str
    held: tuple[str, ...]

    def digest(self, wipes: int) -> str:
        """``sha256:...`` of all of it with the disk's identity; ``wipes`` counts those that the disk has seen.

        So a consent that was used never holds again, not even for the same contents.
        """
        return sha256(
            {
                "disk": {"serial": self.disk.serial, "wwn": self.disk.wwn},
                "signatures": [[one.place, one.type, one.offset, one.label, one.uuid] for one in self.things],
                "partitions": list(self.table),
                "wipes": wipes,
            }
        )

    def is_left_of(self, marks: frozenset[tuple[str, str, str]]) -> bool:
        """Whether there is nothing but what a wipe was begun for, or bytes that nobody knows any more."""
        return all(one.mark in marks or one.type == UNKNOWN for one in self.things)


def consent_line(disk: Disk, digest: str) -> str:
    """The entry under ``wipe`` as a person pastes it."""
    if disk.serial:
        serial = disk.serial if _PLAIN.match(disk.serial) else json.dumps(disk.serial)
        return f'- {{serial: {serial}, contents: "{digest}"}}'
    return f'- {{wwn: "{disk.wwn}", contents: "{digest}"}}'


def gather(disk: Disk, block: BlockDevices, observation: Observation) -> Contents | None:
    """All that is on a disk; None while it is not answered."""
    device = block.get(disk.kname)
    if device is None:
        return None
    inner = sorted(_partitions(device, block), key=lambda one: (one.start, one.number))
    answers = [(one, observation.ask(Signatures(_path(one)))) for one in inner]
    own = observation.ask(Signatures(disk.path))
    if own is None or any(answer is None for _one, answer in answers):
        return None
    answers.append((device, own))
    held = tuple(one.kname for one, answer in answers if answer.get("held"))
    error = next((answer["error"] for _one, answer in answers if answer["error"] not in ("", IN_USE)), "")
    if any(not one.number for one in inner):
        error = error or "it has partitions whose place the kernel does not tell, such as those of multipath devices"
    things = [_thing(_place(part), one) for part, answer in answers for one in answer["found"]]
    parts = [_part(part.start * 512, part.size, answer) for part, answer in answers]
    return Contents(
        disk,
        tuple(sorted(things)),
        tuple(_entry(one) for one in inner),
        tuple(parts),
        error,
        held,
    )


def _partitions(device: BlockDevice, block: BlockDevices) -> Iterator[BlockDevice]:
    return (one for one in map(block.get, device.children) if one is not None and one.type == "part")


def _path(partition: BlockDevice) -> str:
    return f"/dev/disk/by-id/{partition.by_id[0]}" if partition.by_id else partition.path


def _place(one: BlockDevice) -> str:
    return f"partition {one.number}" if one.type == "part" else "disk"


def _thing(place: str, one: Mapping[str, str]) -> Thing:
    return Thing(place, one["type"], one["offset"], one["label"], one["uuid"])


def _entry(one: BlockDevice) -> dict[str, Any]:
    return {
        "number": one.number, "start": one.start * 512, "size": one.size,
        "type": one.part_type, "uuid": one.part_uuid, "name": one.part_name,
    }  # fmt: skip


def _part(start: int, size: int, answer: Mapping[str, Any]) -> Part:
    offsets = {int(one["offset"], 16) for one in answer["found"] if one["offset"].startswith("0x")}
    return Part(start, size, answer.get("bytes", ""), tuple(sorted(one for one in offsets if one < size)))
