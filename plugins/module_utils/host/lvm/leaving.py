# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where everything goes when physical volumes leave a group or are gone: decided, and proved to fit, beforehand.

RAID images are placed one volume at a time, since no physical volume may hold two of them. What has its places given
goes to those. All else of a physical volume goes in one move, as LVM places it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..sizes import human
from ..state import Device
from .layout import Member
from .report import Held, LogicalVolume, VolumeGroup
from .request import CACHE, Request, Unfit

GONE = "[unknown]"  # what LVM calls a physical volume that it does not see
# Images that each can lose; raid1 all but one.
_LOST = {"raid1": 0, "raid4": 1, "raid5": 1, "raid6": 2, "raid10": 1}
_NEEDS_REFRESH = "refresh needed"


@dataclass(frozen=True)
class Move:
    """``volume`` is empty for all that no other move of the same physical volume takes; ``on`` is where it goes."""

    volume: str
    extents: int
    on: tuple[Device, ...]


@dataclass(frozen=True)
class Departure:
    """A physical volume that leaves: ``device`` as commands name it, ``extents`` of it, and the moves that empty it."""

    device: Device
    extents: int
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class Repair:
    """Images of a RAID volume that are made anew, one on each of these."""

    volume: str
    on: tuple[Device, ...]


@dataclass(frozen=True)
class Change:
    """What happens to a group before its volumes do; ``group`` and ``members`` are what it leaves.

    ``anywhere`` counts extents that come to lie on some of the members, nobody knows which.
    """

    group: VolumeGroup | None
    members: tuple[Member, ...]
    departures: tuple[Departure, ...] = ()
    repairs: tuple[Repair, ...] = ()
    refreshed: tuple[str, ...] = ()
    restored: tuple[Device, ...] = ()
    gone: int = 0
    images_gone: bool = False
    anywhere: int = 0


def leave(
    group: VolumeGroup,
    members: Sequence[Member],
    leaving: Mapping[str, Device],
    restored: Sequence[Device],
    requests: Sequence[Request],
) -> Change:
    """How ``leaving`` (by LVM's path) are emptied, and what was on those that are gone is made good.

    :raises Unfit: something does not fit elsewhere, or is lost.
    """
    work = _Work(group, members, requests)
    repairs = tuple(work.repairs())
    departures = tuple(work.departure(path, device) for path, device in sorted(leaving.items()))
    missing = sum(1 for one in group.physical_volumes if one.path == GONE)
    back = {one.path for one in group.physical_volumes if one.missing and one.path != GONE}
    refreshed = {
        one.name
        for one in group.logical_volumes
        if one.type in _LOST and (one.health == _NEEDS_REFRESH or work.lies_on(one.name) & back)
    }
    return Change(
        work.group_after(),
        work.members_after(),
        departures,
        repairs,
        tuple(sorted(refreshed - {one.volume for one in repairs})),
        tuple(restored),
        missing,
        any(one.path == GONE for one in group.held),
        work.anywhere,
    )


class _Work:
    """Free room and places while one thing after the other is moved."""

    def __init__(self, group: VolumeGroup, members: Sequence[Member], requests: Sequence[Request]) -> None:
        self._group = group
        self._members = list(members)
        self._free = {one.path: one.free for one in members}
        self._held = list(group.held)
        self._by_name = {one.name: one for one in group.logical_volumes}
        self._owner = {part.name: one for one in requests for part in _parts(group, one)}
        self.anywhere = 0

    def lies_on(self, volume: str) -> frozenset[str]:
        """The physical volumes that hold some part of a volume."""
        below = {one.name for one in self._group.below(volume)}
        return frozenset(one.path for one in self._held if one.volume in below)

    def group_after(self) -> VolumeGroup:
        places = {one.name: tuple(dict.fromkeys(h.path for h in self._held if h.volume == one.name))
                  for one in self._group.logical_volumes}  # fmt: skip
        volumes = tuple(replace(one, on=places[one.name]) for one in self._group.logical_volumes)
        return replace(self._group, logical_volumes=volumes, held=tuple(self._held))

    def members_after(self) -> tuple[Member, ...]:
        return tuple(replace(one, free=self._free[one.path]) for one in self._members)

    # -- what is gone

    def repairs(self) -> Iterable[Repair]:
        """:raises Unfit: something lay there that no other copy of exists, or no room is left for a new one."""
        failed: dict[str, set[str]] = {}
        lost = set()
        for one in self._held:
            if one.path == GONE:
                raid = self._raid(one.volume)
                if raid is None:
                    lost.add(self._seen(one.volume))
                else:
                    failed.setdefault(raid.name, set()).add(_index(one.volume))
        for volume in self._group.logical_volumes:
            raid = self._raid(volume.name)
            # What vgreduce left of an image that was gone.
            if volume.type == "error" and raid is not None:
                failed.setdefault(raid.name, set()).add(_index(volume.name))
        if lost:
            names = ", ".join(f"{self._group.name}/{one}" for one in sorted(lost))
            raise Unfit(
                f"volume group {self._group.name}",
                f"a physical volume is gone, and with it the only copy of some of {names}",
                "bring the disk back; if it is lost for good, remove these with lvremove, run again, and restore "
                "what they held from a backup",
            )
        for name in sorted(failed):
            yield self._repair(self._by_name[name], failed[name])

    def _repair(self, raid: LogicalVolume, failed: set[str]) -> Repair:
        title = f"{self._group.name}/{raid.name}"
        most = raid.stripes - 1 if raid.type == "raid1" else _LOST[raid.type]
        if len(failed) > most:
            raise Unfit(
                title,
                f"{len(failed)} of its {raid.stripes} images are gone, and {raid.type} survives {most}",
                "bring a disk back; if they are lost for good, remove it with lvremove and restore it from a backup",
            )
        if not raid.active or raid.hidden:
            how = "part of another volume" if raid.hidden else "not active"
            raise Unfit(
                title,
                f"{len(failed)} of its images are gone, and it is {how}",
                f"repair it by hand with lvconvert --repair {title}",
            )
        parts = [one for one in self._group.below(raid.name) if one.name != raid.name and _index(one.name) in failed]
        each = sum(one.extents for one in parts) // len(failed)
        names = {one.name for one in parts}
        self._held = [one for one in self._held if one.volume not in names]
        on = self._apart(raid.name, each, len(failed), "its images that are gone are made anew")
        for member, index in zip(on, sorted(failed)):
            self._put(member, [(one.name, one.extents) for one in parts if _index(one.name) == index])
        return Repair(raid.name, tuple(one.device for one in on))

    # -- what leaves

    def departure(self, path: str, device: Device) -> Departure:
        """:raises Unfit: what lies there fits nowhere else."""
        extents = next(one.extents for one in self._group.physical_volumes if one.path == path)
        alone: dict[str, dict[str, int]] = {}
        rest: dict[str, int] = {}
        for one in [one for one in self._held if one.path == path]:
            raid, owner = self._raid(one.volume), self._owner.get(one.volume)
            if raid is not None:
                parts = alone.setdefault(raid.name, {})
            elif owner is not None and owner.allowed:
                parts = alone.setdefault(one.volume, {})
            else:
                parts = rest
            parts[one.volume] = parts.get(one.volume, 0) + one.extents
        self._held = [one for one in self._held if one.path != path]
        moves = [self._alone(name, parts, device) for name, parts in sorted(alone.items())]
        if sum(rest.values()):
            moves.append(self._rest(rest, device))
        return Departure(device, extents, tuple(one for one in moves if one.extents))

    def _alone(self, name: str, parts: Mapping[str, int], device: Device) -> Move:
        count = sum(parts.values())
        if self._raid(name) is not None:
            on = self._apart(name, count, 1, f"the {device.title}, which holds an image of it, leaves", device)
            self._put(on[0], list(parts.items()))
            return Move(name, count, (on[0].device,))
        allowed = self._owner[name].allowed
        places = self._sorted((one for one in self._members if one.device in allowed), device)
        taken: list[Device] = []
        left = count
        for one in places:
            part = min(left, self._free[one.path])
            if part:
                self._put(one, [(name, part)])
                taken.append(one.device)
                left -= part
        if left:
            raise Unfit(
                f"{self._group.name}/{name}",
                f"{self._human(count)} of it lie on the {device.title}, which leaves, and {self._human(count - left)} "
                "are free on the other physical volumes given",
                "name further ones for it, or give the group another disk first",
            )
        return Move(name, count, tuple(taken))

    def _rest(self, parts: Mapping[str, int], device: Device) -> Move:
        count = sum(parts.values())
        left = sum(self._free.values()) - self.anywhere
        if count > left:
            raise Unfit(
                f"volume group {self._group.name}",
                f"{self._human(count)} lie on the {device.title}, which leaves, and {self._human(max(0, left))} are "
                "free on those that stay",
                "give the group another disk first, or make room in it",
            )
        places: list[Member] = []
        for one in self._sorted(self._members, device):
            if self._free[one.path] and sum(self._free[each.path] for each in places) < count:
                places.append(one)
        if len(places) == 1 and self._free[places[0].path] >= count:
            self._free[places[0].path] -= count
        else:
            # How LVM divides it is not known: what has its place given finds none here.
            if sum(self._free[one.path] for one in places) < count:
                places = self._sorted(self._members, device)
            for one in places:
                self._free[one.path] = 0
            self.anywhere = sum(self._free.values()) - (left - count)
        for one in places:
            self._held += [Held(one.path, name, 0) for name in sorted(parts)]
        return Move("", count, tuple(one.device for one in places))

    # -- places

    def _apart(self, raid: str, each: int, count: int, why: str, leaving: Device | None = None) -> list[Member]:
        """So many physical volumes with room that hold nothing of this volume."""
        title, used = f"{self._group.name}/{raid}", self.lies_on(raid)
        owner = self._owner.get(raid)
        allowed = owner.allowed if owner else ()
        found = [
            one
            for one in self._sorted(self._members, leaving)
            if one.path not in used and (not allowed or one.device in allowed)
        ]
        fit = [one for one in found if self._free[one.path] >= each]
        if len(fit) < count:
            most = max((self._free[one.path] for one in found), default=0)
            other = f"the most on one is {self._human(most)}" if found else "there is no such physical volume"
            raise Unfit(
                title,
                f"{why}, and {count} more with {self._human(each)} free and without an image of it "
                f"{'is' if count == 1 else 'are'} needed; {other}",
                "give the group another disk first",
            )
        return fit[:count]

    def _sorted(self, members: Iterable[Member], leaving: Device | None) -> list[Member]:
        """Whoever takes the place first, then those with the most room."""

        def key(one: Member) -> tuple[bool, int, str]:
            comes = any(leaving is None or former.serial == leaving.serial for former in one.device.replaces)
            return not comes, -self._free[one.path], one.device.resource

        return sorted(members, key=key)

    def _put(self, member: Member, parts: Iterable[tuple[str, int]]) -> None:
        for name, count in parts:
            self._held.append(Held(member.path, name, count))
            self._free[member.path] -= count

    def _raid(self, name: str) -> LogicalVolume | None:
        """The RAID volume with redundancy that a part belongs to, itself included."""
        found = self._by_name.get(name)
        while found is not None and found.type not in _LOST:
            found = self._by_name.get(found.parent) if found.hidden and found.parent else None
        return found

    def _seen(self, name: str) -> str:
        """The volume that a person knows a hidden part by."""
        found = self._by_name.get(name)
        while found is not None and found.hidden and found.parent in self._by_name:
            found = self._by_name[found.parent]
        return found.name if found else name

    def _human(self, count: int) -> str:
        return human(count * self._group.extent_size)


def _parts(group: VolumeGroup, request: Request) -> Iterable[LogicalVolume]:
    """What a request speaks of: a cache by itself, a volume with all below it but its cache."""
    if request.have is None:
        return ()
    if request.type == CACHE:
        return (request.have,)
    return tuple(one for one in group.below(request.name) if one.name != request.have.pool)


def _index(part: str) -> str:
    return part.rpartition("_")[2]
