# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values that a plan is made from: what a host has and what its document wants, in one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .blockdevices import BlockDevices


@dataclass(frozen=True)
class Former:
    """A disk whose place another one takes, as it was pinned; ``id`` is its link, and it may be gone."""

    id: str
    serial: str
    wwn: str

    @property
    def seed(self) -> str:
        """What its planned UUIDs were made of."""
        return self.wwn or self.serial

    def as_json(self) -> dict[str, str]:
        return {"id": self.id, "serial": self.serial, "wwn": self.wwn}


@dataclass(frozen=True)
class Device:
    """A place that can carry something: a disk, a partition or a logical volume, there already or planned.

    ``path`` is what commands use and never a kernel name; ``resource`` is its name in needs and provides; ``disks``
    are the identities of the disks below and ``serial`` is what people call the disk, where it is one; ``there`` says
    whether it exists now; ``seed`` makes planned UUIDs; ``size`` is in bytes. ``replaces`` are the disks whose place
    its disk takes.
    """

    ref: str
    path: str
    resource: str
    size: int
    sector: int
    disks: tuple[str, ...]
    seed: str
    there: bool
    title: str
    serial: str = ""
    replaces: tuple[Former, ...] = ()

    @property
    def place(self) -> str:
        """The reference with its disk, short enough for a target: ``log.fast@S6CKNX0T1``."""
        return f"{self.ref}@{self.serial}" if self.serial else self.ref

    @property
    def wipeable(self) -> tuple[str, ...]:
        """The identity of a whole disk, which a wipe can make blank; nothing for what lies on disks with others."""
        return self.disks if self.resource.startswith("disk:") else ()


@dataclass(frozen=True)
class Site:
    """What a plan depends on beside document and observation."""

    name: str
    host: str
    consent: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """Observed or wanted values by kind (``kinds[KIND]`` is a tuple of that kind's value), and the block devices.

    ``pins`` are the disks chosen for each group in earlier runs. Of a wanted state, ``devices`` maps each reference
    of the document (``log``, ``log.fast``, ``fast/containerd``) to the devices it means.
    """

    kinds: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    block: BlockDevices = field(default_factory=lambda: BlockDevices({}, {}))
    pins: Mapping[str, Any] = field(default_factory=dict)
    devices: dict[str, tuple[Device, ...]] = field(default_factory=dict)

    def of(self, kind: str) -> tuple[Any, ...]:
        return self.kinds.get(kind, ())


@dataclass(frozen=True)
class Offer:
    """What a reference of the document means: a kind's ``declare`` yields it for those that come after."""

    ref: str
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Veiled:
    """Something is there and closed, such as an encrypted device: what lies in it is seen once it is open.

    A kind's ``declare`` yields it; kinds that come after are then not asked, since all would look blank to them.
    ``now`` and ``then`` are the words for that: an inactive volume becomes active.
    """

    title: str
    now: str = "closed"
    then: str = "open"
