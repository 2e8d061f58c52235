# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What LVM of a simulated host is made of, and how its tools read their options."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulated_block import Node, require

PARITY = {"raid5": 1, "raid6": 2}


@dataclass
class Physical:
    """``extents`` are 0 without a group. Where extents begin says only their order: freed ones leave no hole."""

    node: Node
    uuid: str
    group: str = ""
    extents: int = 0
    used: int = 0
    begun: int = 0
    missing: bool = False  # its disk is not there
    flagged: bool = False  # LVM wrote the group without it

    @property
    def free(self) -> int:
        return self.extents - self.used

    @property
    def path(self) -> str:
        return "[unknown]" if self.missing else self.node.path

    def take(self, extents: int) -> tuple[Physical, int, int]:
        place = (self, self.begun, extents)
        self.used += extents
        self.begun += extents
        return place


@dataclass
class Logical:
    """A volume, or a hidden part of one. ``places`` are (physical volume, first extent, extents)."""

    name: str
    type: str
    extents: int
    places: list[tuple[Physical, int, int]] = field(default_factory=list)
    hidden: bool = False
    role: str = "public"
    parent: str = ""
    pool: str = ""
    origin: str = ""
    stripes: int = 1
    stripe_size: int = 0
    chunk: int = 0
    mode: str = ""
    zero: str = "unknown"
    discards: str = ""
    profile: str = ""
    monitor: str = ""
    metadata: int = 0
    images: int = 1
    node: Node | None = None
    active: bool = True
    stale: bool = False  # an image was away and is not refreshed
    tag: str = ""


@dataclass
class Moving:
    """A pvmove that has begun: of each part a place, and those that it becomes."""

    source: Physical
    parts: list[tuple[Logical, tuple[Physical, int, int], list[tuple[Physical, int, int]]]]


@dataclass
class Group:
    name: str
    extent: int
    members: list[Physical]
    volumes: dict[str, Logical] = field(default_factory=dict)
    moving: Moving | None = None
    tags: str = ""

    def raid_of(self, part: Logical) -> Logical | None:
        """The RAID volume that a part belongs to, itself included."""
        found: Logical | None = part
        while found is not None and not found.type.startswith("raid"):
            found = self.volumes.get(found.parent) if found.parent else None
        return found

    def parts_of(self, raid: Logical) -> list[Logical]:
        return [one for one in self.volumes.values() if one.parent == raid.name]

    def is_broken(self, part: Logical) -> bool:
        return part.type == "error" or any(one.missing or one.flagged for one, _start, _size in part.places)

    @property
    def uuid(self) -> str:
        text = hashlib.sha256(self.name.encode()).hexdigest()
        ends = (0, 6, 10, 14, 18, 22, 26, 32)
        return "-".join(text[low:high] for low, high in zip(ends, ends[1:], strict=False))


def words_of(words: Sequence[str], with_value: str, alone: str = "") -> tuple[dict[str, str], list[str]]:
    """Long options of an LVM tool and what is left; an unknown one is a failure."""
    given: dict[str, str] = {}
    rest = []
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            rest.append(word)
        elif word[2:] in alone.split():
            given[word[2:]] = ""
        else:
            require(word[2:] in with_value.split() and left, f"LVM does not know {word}")
            given[word[2:]] = left.pop(0)
    return given, rest


def in_bytes(text: str) -> int:
    require(text.endswith("b") and text[:-1].isdigit(), f"{text} is no size in bytes")
    return int(text[:-1])
