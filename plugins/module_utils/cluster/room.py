# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where new OSDs find volumes, counted once: what one device set takes is not free for the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .state import Claim, Cluster, DeviceSet, Volume


@dataclass
class Room:
    """What is free for new OSDs in each failure domain of type ``kind``, less what was taken of it.

    ``emptied`` are volumes of OSDs that went, which the plan makes free before anything is added. Local volumes are
    taken one by one, TopoLVM's room by bytes of a node and StorageClass.
    """

    cluster: Cluster
    kind: str
    emptied: tuple[Volume, ...] = ()
    _taken: set[str] = field(default_factory=set, init=False)
    _bytes: dict[tuple[str, str], int] = field(default_factory=dict, init=False)

    def places(self, device_set: DeviceSet) -> dict[str, int]:
        """How many more OSDs of a set each failure domain has room for; domains without any are left out."""
        found: dict[str, int] = {}
        for volume in self._volumes(device_set):
            _add(found, domain_of_node(self.cluster, volume.node, self.kind))
        for node, free in self._free_bytes(device_set).items():
            _add(found, domain_of_node(self.cluster, node, self.kind), free // device_set.request)
        return found

    def spread(self, device_set: DeviceSet, counts: Mapping[str, int], number: int) -> tuple[str, ...]:
        """Take room for up to ``number`` OSDs where the set has the fewest: the failure domain of each, in order.

        In a domain it is the smallest volume that does, else the node of TopoLVM with the most room.
        """
        volumes: dict[str, list[Volume]] = {}
        for volume in sorted(self._volumes(device_set), key=lambda one: (one.size, one.name), reverse=True):
            volumes.setdefault(domain_of_node(self.cluster, volume.node, self.kind), []).append(volume)
        nodes: dict[str, dict[str, int]] = {}
        for node, free in self._free_bytes(device_set).items():
            nodes.setdefault(domain_of_node(self.cluster, node, self.kind), {})[node] = free
        have, domains = dict(counts), []
        for _one in range(number):
            free_ones = {
                *(name for name, held in volumes.items() if held),
                *(name for name, held in nodes.items() if held),
            }
            if not free_ones:
                break
            name = min(free_ones, key=lambda each: (have.get(each, 0), each))
            if volumes.get(name):
                self._taken.add(volumes[name].pop().name)
            else:
                self._take_bytes(device_set, nodes[name])
            have[name] = have.get(name, 0) + 1
            domains.append(name)
        return tuple(domains)

    def _take_bytes(self, device_set: DeviceSet, free: dict[str, int]) -> None:
        node = min(free, key=lambda name: (-free[name], name))
        key = (node, device_set.storage_class)
        self._bytes[key] = self._bytes.get(key, 0) + device_set.request
        free[node] -= device_set.request
        if free[node] < device_set.request:
            del free[node]

    def _volumes(self, device_set: DeviceSet) -> list[Volume]:
        free = (one for one in self.cluster.volumes.values() if one.path and _is_free(one))
        there = {one.name: one for one in (*free, *self.emptied)}
        return [one for one in there.values() if self._fits(one, device_set)]

    def _fits(self, volume: Volume, device_set: DeviceSet) -> bool:
        return (
            volume.storage_class == device_set.storage_class
            and volume.size >= device_set.request
            and volume.name not in self._taken
            and self._is_usable(volume.node)
        )

    def _free_bytes(self, device_set: DeviceSet) -> dict[str, int]:
        """TopoLVM's room by node where an OSD of a set still fits; a StorageClass with local volumes has none."""
        local = any(one.path and one.storage_class == device_set.storage_class for one in self.cluster.volumes.values())
        if local or not device_set.request:
            return {}
        found = {}
        for node in self.cluster.nodes.values():
            if node.free and self._is_usable(node.name):
                free = node.free.get("00default", max(node.free.values()))
                found[node.name] = free - self._bytes.get((node.name, device_set.storage_class), 0)
        return {name: free for name, free in found.items() if free >= device_set.request}

    def _is_usable(self, node: str) -> bool:
        """Whether a pod could come to a node."""
        there = self.cluster.nodes.get(node)
        return there is not None and there.ready and there.schedulable


def waiting(cluster: Cluster, device_set: DeviceSet, count: int, without: Iterable[str]) -> int:
    """Claims of a set that still look for a volume, made or about to be made; ``without`` are those that go."""
    present = cluster.present(device_set.name)
    looking = sum(1 for one in present.difference(without) if _looks(cluster.claims[one]))
    return looking + max(0, min(count, device_set.count) - len(present))


def domain_of_node(cluster: Cluster, node: str, kind: str) -> str:
    """The failure domain that an OSD on a node is in."""
    if kind == "rack":
        return cluster.nodes[node].rack
    # Rook makes the CRUSH host of a node's name, without dots.
    return node.replace(".", "-") if kind == "host" else f"new OSD on {node}"


def _looks(claim: Claim) -> bool:
    return not claim.volume and not claim.leaving


def _is_free(volume: Volume) -> bool:
    return volume.phase == "Available" and not volume.claim and not volume.deleting


def _add(found: dict[str, int], name: str, number: int = 1) -> None:
    found[name] = found.get(name, 0) + number
