# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Ceph cluster as a model: placement groups with the OSDs that hold whole copies, fullness, recovery in ticks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .crush import place


@dataclass
class ModelOsd:
    """``up``: its daemon runs. ``place``: its CRUSH buckets by type."""

    id: int
    uuid: str
    size: int
    weight: float
    place: Mapping[str, str]
    device_class: str = "hdd"
    up: bool = True
    is_in: bool = True


@dataclass
class ModelPool:
    """``group_bytes`` is what one copy of one placement group takes."""

    name: str
    size: int
    domain: str
    groups: int
    group_bytes: int
    device_class: str = ""


@dataclass
class CephModel:
    """The cluster. ``held`` are the OSDs with a whole copy, by pool and group; what is on a purged OSD is lost."""

    pools: list[ModelPool]
    osds: dict[int, ModelOsd]
    held: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    _drawn: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict, init=False)
    _drawn_for: tuple[object, ...] = field(default=("nothing",), init=False)

    def __post_init__(self) -> None:
        for key, targets in self.targets().items():
            self.held.setdefault(key, set(targets))

    def targets(self) -> dict[tuple[str, int], tuple[int, ...]]:
        """Where each placement group belongs now."""
        osds = tuple((one.id, one.weight, one.is_in) for one in self.osds.values())
        drawn_for = (osds, tuple((pool.name, pool.size, pool.groups) for pool in self.pools))
        if drawn_for != self._drawn_for:
            self._drawn, self._drawn_for = self._draw(), drawn_for
        return self._drawn

    def _draw(self) -> dict[tuple[str, int], tuple[int, ...]]:
        found: dict[tuple[str, int], tuple[int, ...]] = {}
        out = tuple(sorted(one.id for one in self.osds.values() if not one.is_in))
        for pool in self.pools:
            tree: dict[str, dict[int, float]] = {}
            for one in self.osds.values():
                if one.weight > 0 and pool.device_class in ("", one.device_class):
                    name = one.place.get(pool.domain, f"osd.{one.id}")
                    tree.setdefault(name, {})[one.id] = one.weight
            for number in range(pool.groups):
                found[(pool.name, number)] = place(f"{pool.name}.{number}", tree, pool.size, out)
        return found

    def tick(self, copies: int) -> None:
        """Recover up to so many copies; what lies elsewhere is dropped once a group is whole where it belongs."""
        for key, targets in self.targets().items():
            held = self.held[key]
            running = {one for one in held if self._runs(one)}
            for one in targets:
                if one not in held and self._runs(one) and running and copies > 0:
                    held.add(one)
                    copies -= 1
            if set(targets) <= held and all(map(self._runs, targets)) and len(targets) == self._size(key):
                self.held[key] = set(targets)

    def states(self) -> dict[str, int]:
        """Placement groups by Ceph's word for their state."""
        found: dict[str, int] = {}
        for key, targets in self.targets().items():
            name = self._state(key, targets)
            found[name] = found.get(name, 0) + 1
        return found

    def whole_copies(self) -> Iterator[tuple[tuple[str, int], int, int]]:
        """Each group with its whole copies on running OSDs, and the size of its pool."""
        for key, held in self.held.items():
            yield key, sum(1 for one in held if self._runs(one)), self._size(key)

    def used(self, osd: int) -> int:
        """Bytes on an OSD."""
        size = {pool.name: pool.group_bytes for pool in self.pools}
        return sum(size[key[0]] for key, held in self.held.items() if osd in held)

    def mapped(self, osd: int) -> bool:
        """Whether a placement group belongs on an OSD, which is what safe-to-destroy asks."""
        return any(osd in targets for targets in self.targets().values())

    def purge(self, osd: int) -> None:
        """Forget an OSD, as 'ceph osd purge' does: it does not ask whether anybody needs it."""
        self.osds.pop(osd, None)
        for held in self.held.values():
            held.discard(osd)

    def missing(self) -> int:
        """Copies that are still to be made."""
        return sum(len(set(targets) - self.held[key]) for key, targets in self.targets().items())

    def _state(self, key: tuple[str, int], targets: tuple[int, ...]) -> str:
        held, size = self.held[key], self._size(key)
        if held == set(targets) and len(targets) == size and all(map(self._runs, targets)):
            return "active+clean"
        whole = sum(1 for one in held if self._runs(one))
        if not whole:
            return "down"
        return "active+remapped+backfilling" if whole >= size else "active+undersized+degraded"

    def _runs(self, osd: int) -> bool:
        return osd in self.osds and self.osds[osd].up

    def _size(self, key: tuple[str, int]) -> int:
        return next(pool.size for pool in self.pools if pool.name == key[0])
