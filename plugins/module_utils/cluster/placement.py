# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which OSDs go, and which failure domains get new ones: racks and hosts stay balanced."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..plan.model import Refusal
from .quantities import human
from .room import Room, domain_of_node
from .state import Claim, Cluster, DeviceSet, Osd

_STEP = 0.05
"""Fullness is compared in steps of 5 %, so that a plan stays the same while clients write."""


@dataclass(frozen=True)
class Goer:
    """A claim that goes, with its OSD; None where no OSD ever came of it."""

    claim: Claim
    osd: Osd | None


def leaving(cluster: Cluster, device_set: DeviceSet, number: int, kind: str) -> tuple[Goer, ...]:
    """The ``number`` claims that go next, in order: those without an OSD, then from the fullest-manned domain.

    Claims that are marked as leaving already are not among them.
    """
    present = [
        Goer(claim, cluster.osd_of(claim.name))
        for claim in cluster.claims_of(device_set.name)
        if claim.owned and not claim.leaving and not claim.deleting
    ]
    empty = [one for one in present if one.osd is None][:number]
    domains: dict[str, dict[str, list[tuple[int, int, Goer]]]] = {}
    for one in present:
        if one.osd is not None:
            fullness = int(one.osd.used / one.osd.size / _STEP) if one.osd.size else 0
            hosts = domains.setdefault(one.osd.domain(kind), {})
            # The emptiest is taken from the end: least used, then the highest number.
            hosts.setdefault(one.osd.domain("host"), []).append((fullness, -one.osd.id, one))
    for hosts in domains.values():
        for held in hosts.values():
            held.sort(key=lambda one: one[:2], reverse=True)
    chosen = list(empty)
    # What a domain would give is looked at again only after it gave.
    offers = [_offer(name, hosts) for name, hosts in domains.items()]
    heapq.heapify(offers)
    while len(chosen) < number and offers:
        _count, _first, host, name = heapq.heappop(offers)
        hosts = domains[name]
        chosen.append(hosts[host].pop()[2])
        if any(hosts.values()):
            heapq.heappush(offers, _offer(name, hosts))
    return tuple(chosen)


def spread(cluster: Cluster, device_set: str, kind: str, without: Iterable[int] = ()) -> dict[str, int]:
    """OSDs of a set in each failure domain; domains of which a node is there count too, with 0."""
    gone = frozenset(without)
    found = Counter(dict.fromkeys(_known_domains(cluster, kind), 0))
    for claim in cluster.claims_of(device_set):
        osd = cluster.osd_of(claim.name)
        if osd is not None and osd.id not in gone and not claim.leaving:
            found[osd.domain(kind)] += 1
    return dict(sorted(found.items()))


def arriving(
    cluster: Cluster,
    device_set: DeviceSet,
    number: int,
    kind: str,
    room: Room,
    back: Iterable[str] = (),
    awaited: Iterable[str] = (),
) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    """The failure domain of each new OSD in order, taken from ``room``, or why there is no room for them.

    ``back`` are the failure domains of OSDs that were to leave and stay after all, ``awaited`` those where claims that
    have no volume yet are taken to find one.
    """
    counts = spread(cluster, device_set.name, kind)
    for name in (*back, *awaited):
        counts[name] = counts.get(name, 0) + 1
    free = room.places(device_set)
    waiting = [one for one in cluster.claims_of(device_set.name) if one.owned and cluster.osd_of(one.name) is None]
    have = sum(free.values())
    if have < number:
        there = ", ".join(f"{kind} {name} {free.get(name, 0)}" for name in sorted({*counts, *free})) or "none"
        return (), (
            Refusal(
                f"device set {device_set.name}",
                f"{number} new OSDs need {number} free volumes of at least {human(device_set.request)} in "
                f"{device_set.storage_class}, and there are {have}: {there}",
                "give hosts more disks, or wipe those that are free",
                lacks=volumes_of(device_set.storage_class),
            ),
        )
    domains = room.spread(device_set, counts, number)
    usable = {name: counts.get(name, 0) + domains.count(name) for name in free}
    before, after = gap(counts), gap({**counts, **usable})
    if after > max(1, before) and not waiting:
        least = min(counts, key=lambda name: (usable.get(name, counts[name]), name))
        return (), (
            Refusal(
                f"device set {device_set.name}",
                f"its OSDs would be {_said({**counts, **usable}, kind)}, since {kind} {least} has no free volume of "
                f"{device_set.storage_class}",
                f"give {kind} {least} more disks, or ask for fewer OSDs",
                lacks=volumes_of(device_set.storage_class),
            ),
        )
    return domains, ()


def volumes_of(storage_class: str) -> str:
    """The resource that a refusal lacks where there are too few volumes."""
    return f"storage_class:{storage_class}"


def unbalanced(counts: dict[str, int]) -> bool:
    """Whether a failure domain has at least two OSDs more than another."""
    return gap(counts) > 1


def told(counts: dict[str, int], kind: str) -> str:
    """``6 in rack r1, 5 in rack r2``."""
    return _said(counts, kind)


def _offer(name: str, hosts: dict[str, list[tuple[int, int, Goer]]]) -> tuple[int, tuple[int, int, int], str, str]:
    """How soon a domain gives, those with the most OSDs first; then by the host that it would give from."""
    first, host = min((_rank(held), host) for host, held in hosts.items() if held)
    return (-sum(map(len, hosts.values())), first, host, name)


def _rank(held: list[tuple[int, int, Goer]]) -> tuple[int, int, int]:
    fullness, number, _goer = held[-1]
    return (-len(held), fullness, number)


def _known_domains(cluster: Cluster, kind: str) -> Iterable[str]:
    storage = {volume.node for volume in cluster.volumes.values() if volume.path}
    return {domain_of_node(cluster, name, kind) for name in cluster.nodes if name in storage} if kind != "osd" else ()


def gap(counts: dict[str, int]) -> int:
    """How many OSDs more the fullest-manned domain has than the one with the fewest."""
    return max(counts.values()) - min(counts.values()) if counts else 0


def _said(counts: dict[str, int], kind: str) -> str:
    return ", ".join(f"{count} in {kind} {name}" for name, count in sorted(counts.items()))
