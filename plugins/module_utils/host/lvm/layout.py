# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The room in a volume group: every volume's final extents and place, before the first of them is written.

``rest`` is what all others leave: volumes of others, metadata of pools and RAID, the spare and the caches counted.
A share is one of all extents of the group. What must lie on certain physical volumes is placed first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..sizes import human, parse_bytes
from ..state import Device
from .extents import pool_metadata_bytes, up
from .report import LogicalVolume, VolumeGroup
from .request import CACHE, POOL, THIN, Request, Unfit

_LEAST_CACHE = 16 * 1024**2  # 8 MiB of metadata, and as much to be worth it
_SPARE = "pmspare"


@dataclass(frozen=True)
class Member:
    """A physical volume as it will be: ``extents`` in all, ``free`` of them; ``path`` is LVM's name for it now.

    One that is not in the group yet has the path by which commands name it.
    """

    device: Device
    extents: int
    free: int
    path: str = ""


@dataclass(frozen=True)
class Volume:
    """A wanted volume with its final size. ``on`` are physical volumes to name in the command; empty leaves it to LVM.

    ``metadata`` (of a pool) and ``extents`` count extents; only an exact size is below what is there.
    """

    request: Request
    extents: int
    extent_bytes: int
    metadata: int = 0
    on: tuple[Device, ...] = ()

    @property
    def group(self) -> str:
        return self.request.group

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def type(self) -> str:
        return self.request.type

    @property
    def have(self) -> LogicalVolume | None:
        return self.request.have

    @property
    def size(self) -> int:
        return self.extents * self.extent_bytes

    @property
    def grows(self) -> bool:
        return self.have is not None and self.extents > self.request.have_extents

    @property
    def shrinks(self) -> bool:
        return self.have is not None and self.extents < self.request.have_extents

    @property
    def pinned(self) -> bool:
        """Whether it goes to certain physical volumes, before the others take what they find."""
        return bool(self.on) or _is_pinned(self.request)

    @property
    def is_exact(self) -> bool:
        """Whether LVM has no choice: as many physical volumes are given as it uses."""
        return self.pinned and (self.request.geometry.images > 1 or len(self.on) == 1)


def lay_out(
    requests: Sequence[Request],
    members: Sequence[Member],
    extent_bytes: int,
    group: VolumeGroup | None,
    anywhere: int = 0,
) -> tuple[Volume, ...]:
    """The final volumes, in the order of the requests; ``anywhere`` extents are taken on members that nobody knows.

    :raises Unfit: something does not fit, two ask for the rest, or an exact size is below what is there.
    """
    room = _Room(members, extent_bytes, group, anywhere)
    greedy = [one for one in requests if one.size.rest and not (one.have and one.policy == "create_only")]
    if len(greedy) > 1:
        raise Unfit(
            greedy[1].title,
            f"{greedy[0].title} asks for the rest of the volume group as well",
            "give one of them a size",
        )
    done: dict[str, Volume] = {}
    sizes = {one.name: one.first_wanted(room.whole, extent_bytes) for one in requests if one not in greedy}
    # What gives room back comes first, then what must lie on certain physical volumes.
    for request in sorted(
        (one for one in requests if one not in greedy),
        key=lambda one: (sizes[one.name] >= one.have_extents, not _is_pinned(one)),
    ):
        done[request.name] = room.take(request, sizes[request.name])
    for request in greedy:
        done[request.name] = room.take_rest(request)
    return tuple(done[request.name] for request in requests)


def _is_pinned(request: Request) -> bool:
    return bool(request.allowed) or request.geometry.images > 1


class _Room:
    """What is free while volumes are placed one after the other."""

    def __init__(self, members: Sequence[Member], extent_bytes: int, group: VolumeGroup | None, anywhere: int) -> None:
        self._extent = extent_bytes
        self._group = group
        self._members = list(members)
        self._free = {one.device.resource: one.free for one in members}
        # Extents of those that LVM may put anywhere: taken from the sum and from no member.
        self._anywhere = anywhere
        self.whole = sum(one.extents for one in members)
        volumes = group.logical_volumes if group else ()
        self._spare = max((one.extents for one in volumes if _SPARE in one.name and one.hidden), default=0)
        # LVM keeps the spare as large as the largest metadata of any pool in the group, also of others.
        self._largest = max(
            (up(one.metadata_size, extent_bytes) for one in volumes if one.type == "thin-pool"), default=0
        )

    @property
    def left(self) -> int:
        return sum(self._free.values()) - self._anywhere

    def take(self, request: Request, extents: int) -> Volume:
        self._check(request, extents)
        found = self._fit(request, extents)
        if found is None and request.geometry.images > 1:
            count = request.geometry.images
            each = self._need(request, extents) // count * self._extent
            raise Unfit(
                request.title,
                f"it needs {human(each)} more on each of {count} physical volumes, and too few of {request.group} "
                "have that room for it",
                "make it smaller, or give the group further physical volumes",
            )
        if found is None:
            raise Unfit(
                request.title,
                f"it needs {human(self._need(request, extents) * self._extent)} more of the volume group "
                f"{request.group}{_place(request)}, where {human(self._reachable(request) * self._extent)} are free",
                "make it smaller, or give the group another physical volume",
            )
        return self._book(request, extents, found)

    def take_rest(self, request: Request) -> Volume:
        """The most that fits, found by halving: metadata grows with the size, so there is no formula."""
        unit = request.geometry.data
        least = max(request.have_extents, request.first_wanted(self.whole, self._extent)) // unit
        low, high = least, least + self.left
        if self._fit(request, least * unit) is None:
            return self.take(request, least * unit)
        while low < high:
            middle = (low + high + 1) // 2
            if self._fit(request, middle * unit) is None:
                high = middle - 1
            else:
                low = middle
        # A last segment that is no whole number of stripes stays as it is.
        extents = max(low * unit, request.have_extents)
        return self.take(request, extents)

    def _check(self, request: Request, extents: int) -> None:
        names = {one.device.resource for one in self._members}
        strange = [one for one in request.allowed if one.resource not in names]
        if strange:
            raise Unfit(
                request.title,
                f"the {strange[0].title} is no physical volume of {request.group}",
                "name members of the group",
            )
        usable = len(request.allowed) or len(self._members)
        if usable < request.geometry.images:
            raise Unfit(
                request.title,
                f"{request.type} needs {request.geometry.images} physical volumes here and {usable} "
                f"{'is' if usable == 1 else 'are'} given",
                "give more, or ask for fewer stripes or mirrors",
            )
        if request.type == CACHE and not request.have and extents * self._extent < _LEAST_CACHE:
            raise Unfit(
                request.title,
                f"{human(extents * self._extent)} are too small for a cache",
                f"make it {human(_LEAST_CACHE)} at least",
            )

    def _metadata(self, request: Request, extents: int) -> int:
        """Of a pool of this size, in extents; kept where only its creation counts."""
        have = up(request.have.metadata_size, self._extent) if request.have else 0
        if have and request.policy == "create_only":
            return have
        said = request.entry.get("metadata_size", "auto")
        wanted = pool_metadata_bytes(extents * self._extent, request.chunk) if said == "auto" else parse_bytes(said)
        return max(have, up(wanted, self._extent))

    def _need(self, request: Request, extents: int) -> int:
        """Extents to be taken from the group, on all its physical volumes together."""
        if request.type == THIN:
            return 0
        geometry, have = request.geometry, request.have_extents
        need = geometry.images * (geometry.cost(extents, self._extent) - geometry.cost(have, self._extent))
        if request.type == POOL:
            metadata = self._metadata(request, extents)
            old = up(request.have.metadata_size, self._extent) if request.have else 0
            need += metadata - old
            if metadata > old:
                need += max(0, max(metadata, self._largest) - self._spare)
        return need

    def _fit(self, request: Request, extents: int) -> tuple[Device, ...] | None:
        """The physical volumes to name, or None when there is no room."""
        need = self._need(request, extents)
        if need <= 0:
            return ()
        if need > self.left:
            return None
        if request.geometry.images > 1:
            return self._images(request, need // request.geometry.images)
        if request.allowed and sum(self._free[one.resource] for one in request.allowed) < need:
            return None
        return request.allowed

    def _images(self, request: Request, each: int) -> tuple[Device, ...] | None:
        """One physical volume for each image: its own when it grows, else those with the most room.

        LVM puts no image on a disk of another one of the same RAID, and does not search for a way around: either all
        images grow where they are, or all on physical volumes that are new to the volume.
        """
        count, places = request.geometry.images, self._places(request)
        own: list[Device] = []
        for place in places:
            free = [one for one in sorted(place, key=_by_room(self._free)) if one not in own]
            own += [one for one in free if self._free[one.resource] >= each][:1]
        if places and len(own) == count:
            return tuple(own)
        if places and request.size.rest:
            return None
        used = {one for place in places for one in place} if request.geometry.raid else set()
        candidates = request.allowed or tuple(one.device for one in self._members)
        best = sorted((one for one in candidates if one not in used), key=_by_room(self._free))[:count]
        if len(best) < count or self._free[best[-1].resource] < each:
            return None
        return tuple(best)

    def _places(self, request: Request) -> list[tuple[Device, ...]]:
        """Where each image of a volume lies now; stripes without redundancy may lie on any of theirs."""
        if not (self._group and request.have):
            return []
        below = tuple(self._group.below(request.name))
        if request.geometry.raid:
            return [self._devices(one.on) for one in below if "image" in one.role]
        return [self._devices(path for one in below for path in one.on)] * request.geometry.images

    def _devices(self, paths: Iterable[str]) -> tuple[Device, ...]:
        wanted = set(paths)
        return tuple(one.device for one in self._members if one.path in wanted)

    def _reachable(self, request: Request) -> int:
        if request.allowed:
            return min(self.left, sum(self._free[one.resource] for one in request.allowed))
        return self.left

    def _book(self, request: Request, extents: int, on: tuple[Device, ...]) -> Volume:
        need = self._need(request, extents)
        metadata = 0
        if request.type == POOL:
            metadata = self._metadata(request, extents)
            if metadata > (up(request.have.metadata_size, self._extent) if request.have else 0):
                self._largest = max(self._largest, metadata)
                self._spare = max(self._spare, self._largest)
        self._subtract(need, on, request.geometry.images)
        return Volume(request, extents, self._extent, metadata, on)

    def _subtract(self, need: int, on: Iterable[Device], images: int) -> None:
        places = list(on)
        if not places:
            # What a volume gives back is free for those that may lie anywhere.
            self._anywhere += need
            return
        if images > 1:
            for one in places:
                self._free[one.resource] -= need // images
            return
        # LVM fills the physical volume with the most room first.
        for one in sorted(places, key=_by_room(self._free)):
            part = min(need, self._free[one.resource])
            self._free[one.resource] -= part
            need -= part


def _by_room(free: dict[str, int]) -> Callable[[Device], int]:
    return lambda one: -free[one.resource]


def _place(request: Request) -> str:
    return " on the physical volumes given" if request.allowed else ""
