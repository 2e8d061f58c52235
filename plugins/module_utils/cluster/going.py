# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which OSDs go: those that an earlier run chose, those on disks to be replaced, and what a count is lower by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import placement
from .placement import Goer
from .state import Cluster, DeviceSet, Mark
from .wanted import Leaver, Returner, Wanted


@dataclass
class Going:
    """What leaves, and what was to leave and stays after all; ``lower`` and ``drop`` as in a Decision."""

    leavers: list[Leaver] = field(default_factory=list)
    returners: list[Returner] = field(default_factory=list)
    lower: dict[str, tuple[DeviceSet, int]] = field(default_factory=dict)
    drop: list[DeviceSet] = field(default_factory=list)

    @property
    def claims(self) -> frozenset[str]:
        return frozenset(one.claim for one in self.leavers)


def going(cluster: Cluster, wanted: Wanted) -> Going:
    """All that goes, of all sets."""
    found = Going()
    for device_set in cluster.sets:
        count = wanted.counts.get(device_set.name)
        if count is None:
            continue
        leaving, staying = _marked(cluster, device_set, count, wanted)
        left = cluster.present(device_set.name) - {one.claim for one in leaving}
        if len(left) > count:
            chosen = placement.leaving(cluster, device_set, len(left) - count, wanted.failure_domain)
            leaving.extend(_leaver(cluster, one, "count", wanted) for one in chosen)
        found.leavers.extend(leaving)
        found.returners.extend(staying)
        target = max(1, count)
        if device_set.count > target:
            found.lower[device_set.name] = (device_set, target)
        if count == 0:
            found.drop.append(device_set)
    return found


def waves(leavers: list[Leaver], wanted: Wanted) -> Iterator[tuple[str, ...]]:
    """Never two failure domains at once; with the pace fast, all that go from one domain together."""
    yield from ((one.claim,) for one in leavers if one.osd < 0)
    # What an earlier run began comes first.
    with_osd = sorted(
        (one for one in leavers if one.osd >= 0), key=lambda one: (not one.marked, not one.drained_before)
    )
    if wanted.pace != "fast":
        yield from ((one.claim,) for one in with_osd)
        return
    domains: dict[str, list[str]] = {}
    for one in with_osd:
        domains.setdefault(one.domain, []).append(one.claim)
    yield from (tuple(claims) for claims in domains.values())


def _marked(cluster: Cluster, device_set: DeviceSet, count: int, wanted: Wanted) -> tuple[list[Leaver], list[Returner]]:
    """Claims that an earlier run chose, and those on disks to be replaced; those of them that may stay after all."""
    claims = cluster.claims_of(device_set.name)
    leaving: list[Leaver] = []
    staying: list[Returner] = []
    spare = len(cluster.present(device_set.name)) - count
    for claim in claims:
        mark = Mark.read(claim.leaving)
        volume = cluster.volumes.get(claim.volume)
        replaced = volume is not None and volume.serial != "" and volume.serial in wanted.replace
        if mark is None and replaced:
            leaving.append(_leaver(cluster, Goer(claim, cluster.osd_of(claim.name)), "replace", wanted))
        if mark is None:
            continue
        osd = cluster.osds.get(mark.osd)
        same = osd is not None and osd.uuid == mark.uuid
        if mark.reason == "count" and spare <= 0 and claim.owned and same and osd is not None and osd.up:
            deployment = cluster.deployment_of(claim.name)
            fenced = deployment.name if deployment and deployment.fenced else ""
            staying.append(Returner(claim.name, device_set.name, mark.osd, mark.weight, fenced))
            continue
        if mark.reason == "count" and claim.owned:
            spare -= 1
        leaving.append(_leaver(cluster, Goer(claim, osd if same else None), mark.reason, wanted))
    return leaving, staying


def _leaver(cluster: Cluster, goer: Goer, reason: str, wanted: Wanted) -> Leaver:
    claim, osd = goer.claim, goer.osd
    mark = Mark.read(claim.leaving)
    deployment = cluster.deployment_of(claim.name)
    job = f"rook-ceph-osd-prepare-{claim.name}"
    return Leaver(
        claim.name,
        claim.device_set,
        mark.osd if mark else osd.id if osd else -1,
        mark.uuid if mark else osd.uuid if osd else "",
        mark.weight if mark else osd.weight if osd else 0.0,
        reason,
        mark is not None,
        osd is not None,
        bool(osd and osd.up) or bool(deployment and deployment.replicas > 0),
        claim.owned,
        deployment.name if deployment else "",
        job if job in cluster.jobs else "",
        cluster.volumes.get(claim.volume),
        osd.domain(wanted.failure_domain) if osd else "",
        osd.device_class if osd else "",
        bool(osd and not osd.is_in),
    )
