# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page shows of a host, as plain values: its disks before and after a plan, and what the plan does to each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from barestore import picture
from barestore.hostplan import HostPlan
from barestore.lines import lines as lines_of
from barestore.words import CHANGES, CREATES, DESTROYS, GROWS, Line, short_slot

Json = Mapping[str, Any]

# The uses that have a colour and a letter of their own, in the order of the legend.
USES = ("zfs", "lvm", "local", "ceph", "fs", "swap", "md", "luks", "system", "other", "free")
SIGNS = (CREATES, CHANGES, GROWS, DESTROYS)

_FILESYSTEMS = ("xfs", "ext2", "ext3", "ext4", "vfat", "btrfs", "filesystem", "esp", "f2fs")
_BY_WORD = {
    "lvm": "lvm",
    "lvm2_member": "lvm",
    "zfs": "zfs",
    "zfs_member": "zfs",
    "local": "local",
    "swap": "swap",
    "md": "md",
    "linux_raid_member": "md",
    "luks": "luks",
    "crypto_luks": "luks",
    "reserved": "free",
    "bios_boot": "system",
    **dict.fromkeys(_FILESYSTEMS, "fs"),
}


@dataclass(frozen=True)
class Part:
    """A partition, or with number 0 the whole disk; ``size`` in bytes, ``use`` is one of ``USES``."""

    number: int
    name: str
    size: int
    carries: str
    use: str
    new: bool = False


@dataclass(frozen=True)
class DiskView:
    """``kind`` is hdd, ssd or nvme; ``mark`` is changes, destroys or empty; ``trouble`` is what is wrong with it."""

    id: str
    serial: str
    wwn: str
    slot: str
    model: str
    size: int
    kind: str
    group: str
    why: str
    now: tuple[Part, ...]
    then: tuple[Part, ...]
    mark: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Trouble:
    """Something that is not healthy: ``level`` is bad or warn; ``disk`` is an identity where it is about one disk."""

    level: str
    text: str
    disk: str = ""


@dataclass(frozen=True)
class Store:
    """A pool or a volume group: bytes in all and in use; ``state`` is empty for one that is healthy."""

    kind: str
    name: str
    size: int
    used: int
    state: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known of a host beside its plan.

    ``carried`` says what lies on a disk or partition, by identity and number; ``groups`` the group that takes a disk,
    and ``reasons`` why none does; ``taken`` is the time of the observation.
    """

    taken: str = ""
    carried: Mapping[tuple[str, int], str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    troubles: Sequence[Trouble] = ()
    stores: Sequence[Store] = ()


@dataclass(frozen=True)
class HostView:
    """One host of the page; ``touches`` are, for each line, the places of its disks in ``disks``."""

    name: str
    rack: str
    status: str
    taken: str
    digest: str
    message: str
    refusals: tuple[str, ...]
    notes: tuple[str, ...]
    disks: tuple[DiskView, ...]
    lines: tuple[Line, ...]
    touches: tuple[tuple[int, ...], ...]
    troubles: tuple[Trouble, ...]
    stores: tuple[Store, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many actions there are of each sign."""
        return counts(self.lines)


def counts(lines: Iterable[Line]) -> tuple[int, ...]:
    """How many lines there are of each sign."""
    found = Counter(each.sign for each in lines)
    return tuple(found[sign] for sign in SIGNS)


def view(plan: HostPlan, facts: Facts | None = None) -> HostView:
    """A host as the page shows it, from its plan and from what else is known."""
    known = facts or Facts()
    lines = tuple(lines_of(plan))
    drawn = {str(one.disk["id"]): one for one in picture.drawings(plan.disks, plan.actions)}
    marks = _marks(plan.actions)
    troubled = {one.disk: one.text for one in known.troubles if one.disk}
    views = tuple(_disk(one, drawn.get(str(one["id"])), known, marks, troubled) for one in plan.disks)
    places = {one.id: number for number, one in enumerate(views)}
    return HostView(
        plan.host,
        plan.rack,
        plan.status,
        known.taken,
        plan.digest if plan.actions else "",
        plan.message,
        tuple(plan.refusals),
        tuple(plan.notes),
        views,
        lines,
        tuple(tuple(places[name] for name in action.get("disks", ()) if name in places) for action in plan.actions),
        tuple(known.troubles),
        tuple(known.stores),
    )


def kind_of(disk: Json) -> str:
    """What people order: hdd, ssd or nvme."""
    if disk.get("transport") == "nvme":
        return "nvme"
    return "hdd" if disk.get("rotational") else "ssd"


def use_of(carries: str) -> str:
    """The use that a text such as ``LVM fast`` or ``xfs /srv`` speaks of."""
    if not carries:
        return "free"
    word = carries.split()[0].lower()
    return "ceph" if word.startswith("ceph") else _BY_WORD.get(word, "other")


def _marks(actions: Sequence[Json]) -> dict[str, str]:
    # Remembering a choice touches no disk.
    marks = {str(name): "changes" for one in actions if one["kind"] != "disk" for name in one.get("disks", ())}
    return {**marks, **{str(each["disk"]): "destroys" for one in actions for each in one.get("destroys", ())}}


def _disk(
    disk: Json, drawn: picture.Drawing | None, known: Facts, marks: Mapping[str, str], troubled: Mapping[str, str]
) -> DiskView:
    name = str(disk["id"])
    # Swap in use makes a disk out of reach, but not one that a group took earlier, or that the plan changes.
    ours = name in known.groups or name in marks
    reach = "" if ours else str(disk.get("out_of_reach") or "")
    here = drawn.now if drawn else picture.now(disk)
    # What carries no signature, such as a disk that was given away, is known only by name.
    here = here or [picture.Part(0, "", int(disk["size"]), said) for said in (known.carried.get((name, 0)),) if said]
    now = tuple(_part(part, known.carried.get((name, part.number)), reach) for part in here)
    then = tuple(
        _part(part, None if part.new else known.carried.get((name, part.number)), reach)
        for part in (drawn.then if drawn else here)
    )
    return DiskView(
        name,
        str(disk.get("serial") or ""),
        str(disk.get("wwn") or ""),
        short_slot(str(disk.get("slot") or "")),
        " ".join(str(disk[key]) for key in ("vendor", "model") if disk.get(key)),
        int(disk["size"]),
        kind_of(disk),
        known.groups.get(name, ""),
        f"out of reach: {reach}" if reach else known.reasons.get(name, ""),
        now,
        then,
        marks.get(name, ""),
        troubled.get(name, ""),
    )


def _part(part: picture.Part, carries: str | None, reach: str) -> Part:
    said = carries or part.carries
    return Part(part.number, part.name, part.size, said, "system" if reach else use_of(said), part.new)
