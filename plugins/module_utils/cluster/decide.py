# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a cluster and wanted counts to a decision: which OSDs go, where new ones come, what a run left over."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..plan.model import Refusal
from . import capacity, placement
from .commands import NOTE_ACTIONS
from .placement import Goer
from .room import Room, waiting
from .state import Claim, Cluster, DeviceSet, Mark, Volume
from .wanted import Decision, Leaver, Returner, Step, Wanted

_AT_ONCE = {"gentle": 1, "normal": 0, "fast": -1}
"""New OSDs a step: one, one in each failure domain (0), or all (-1)."""


def decide(cluster: Cluster, wanted: Wanted) -> Decision:
    """All decisions of a plan; capacity is proven for what goes, room for what comes."""
    refusals = list(_unknown(cluster, wanted))
    leavers: list[Leaver] = []
    returners: list[Returner] = []
    lower: dict[str, tuple[DeviceSet, int]] = {}
    drop: list[DeviceSet] = []
    steps: list[Step] = []
    settle: list[tuple[str, int]] = []
    notes: list[str] = []
    wipes = [
        one
        for one in cluster.volumes.values()
        if one.freed and one.path and one.phase == "Released" and one.freed.split()[0] == cluster.fsid
    ]
    for device_set in cluster.sets:
        count = wanted.counts.get(device_set.name)
        if count is None:
            continue
        going, staying = _marked(cluster, device_set, count, wanted)
        leavers.extend(going)
        returners.extend(staying)
        present = [one for one in cluster.claims_of(device_set.name) if one.owned and not one.deleting]
        gone = {one.claim for one in going}
        left = sum(1 for one in present if one.name not in gone)
        more = left - count
        if more > 0:
            chosen = placement.leaving(cluster, device_set, more, wanted.failure_domain)
            leavers.extend(_leaver(cluster, one, "count", wanted) for one in chosen)
            left -= len(chosen)
        target = max(1, count)
        if device_set.count > target:
            lower[device_set.name] = (device_set, target)
        if count == 0:
            drop.append(device_set)
    # All that goes is known before anything comes: sets share volumes, and what one takes is not free for the next.
    room, awaited = _room(cluster, wanted, leavers, wipes)
    for device_set in cluster.sets:
        count = wanted.counts.get(device_set.name)
        if not count:
            continue
        if device_set.count < count:
            mine = [one for one in leavers if one.device_set == device_set.name and one.owned]
            back = [
                cluster.osds[one.osd].domain(wanted.failure_domain)
                for one in returners
                if one.device_set == device_set.name
            ]
            found, refused = _steps(
                cluster, device_set, count, len(mine), back, awaited.get(device_set.name, ()), room, wanted
            )
            steps.extend(found)
            refusals.extend(refused)
            if found and found[-1].osds < count:
                settle.append((device_set.name, count))
        elif _unverified(cluster, device_set) or _unsettled(cluster, device_set, count, {one.claim for one in leavers}):
            settle.append((device_set.name, count))
    refusals.extend(_proof(cluster, wanted, leavers, notes))
    notes.extend(_replaced(cluster, wanted))
    notes.extend(_down(cluster, leavers))
    notes.extend(_balance(cluster, wanted, leavers))
    return Decision(
        leavers=tuple(leavers),
        waves=tuple(_waves(leavers, wanted)),
        lower=lower,
        drop=tuple(drop),
        steps=tuple(steps),
        settle=tuple(settle),
        returners=tuple(returners),
        wipes=tuple(sorted(wipes, key=lambda one: one.name)),
        refusals=tuple(refusals),
        notes=tuple(notes),
    )


def _unknown(cluster: Cluster, wanted: Wanted) -> Iterator[Refusal]:
    known = {one.name for one in cluster.sets}
    leftover = {one.device_set for one in cluster.claims.values()}
    for name, count in sorted(wanted.counts.items()):
        if count < 0:
            yield Refusal(f"device set {name}", f"its count is {count}", "write 0 or more")
        elif name not in known and (count > 0 or name in leftover):
            yield Refusal(
                f"device set {name}",
                f"CephCluster {cluster.name} has no such set; it has {', '.join(sorted(known)) or 'none'}",
                "apply the cluster's document first, or correct the name",
                lacks=f"device_set:{name}",
            )


def _marked(cluster: Cluster, device_set: DeviceSet, count: int, wanted: Wanted) -> tuple[list[Leaver], list[Returner]]:
    """Claims that an earlier run chose, and those on disks to be replaced; those of them that may stay after all."""
    claims = cluster.claims_of(device_set.name)
    going: list[Leaver] = []
    staying: list[Returner] = []
    spare = sum(1 for one in claims if one.owned and not one.deleting) - count
    for claim in claims:
        mark = Mark.read(claim.leaving)
        volume = cluster.volumes.get(claim.volume)
        replaced = volume is not None and volume.serial != "" and volume.serial in wanted.replace
        if mark is None and replaced:
            going.append(_leaver(cluster, Goer(claim, cluster.osd_of(claim.name)), "replace", wanted))
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
        going.append(_leaver(cluster, Goer(claim, osd if same else None), mark.reason, wanted))
    return going, staying


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


def _steps(
    cluster: Cluster,
    device_set: DeviceSet,
    count: int,
    going: int,
    back: list[str],
    awaited: tuple[str, ...],
    room: Room,
    wanted: Wanted,
) -> tuple[list[Step], tuple[Refusal, ...]]:
    owned = sum(1 for one in cluster.claims_of(device_set.name) if one.owned and not one.deleting)
    # The operator makes a claim only where it has fewer than the count, those that leave or come back among them.
    first = min(count, max(owned, device_set.count))
    number = count - first
    domains, refused = placement.arriving(cluster, device_set, number, wanted.failure_domain, room, back, awaited)
    if refused:
        return [], refused
    counts = placement.spread(cluster, device_set.name, wanted.failure_domain)
    for name in back:
        counts[name] = counts.get(name, 0) + 1
    size = _AT_ONCE[wanted.pace] or len(set(domains))
    size = number if size < 0 else size
    parts = [domains[start : start + size] for start in range(0, number, max(1, size))]
    steps = []
    before = device_set.count
    if first > before:
        steps.append(Step(device_set, before, first, (), max(first, owned) - going, max(1, placement.gap(counts))))
        before = first
    for part in parts:
        to = before + len(part)
        for name in part:
            counts[name] = counts.get(name, 0) + 1
        steps.append(Step(device_set, before, to, part, max(to, owned) - going, max(1, placement.gap(counts))))
        before = to
    return steps, ()


def _room(
    cluster: Cluster, wanted: Wanted, leavers: list[Leaver], wipes: list[Volume]
) -> tuple[Room, dict[str, tuple[str, ...]]]:
    """The room for new OSDs, less what claims without a volume are to find: in which failure domains, by set."""
    emptied = [one.volume for one in leavers if one.volume is not None and _is_emptied(one)]
    emptied += [one for one in wipes if one.serial not in wanted.replace]
    room = Room(cluster, wanted.failure_domain, tuple(emptied))
    gone = frozenset(one.claim for one in leavers)
    awaited = {}
    for device_set in cluster.sets:
        count = wanted.counts.get(device_set.name, device_set.count)
        number = waiting(cluster, device_set, count, gone)
        if number:
            counts = placement.spread(cluster, device_set.name, wanted.failure_domain)
            awaited[device_set.name] = room.spread(device_set, counts, number)
    return room, awaited


def _is_emptied(one: Leaver) -> bool:
    """Whether the place of an OSD that an earlier run purged, or was about to, becomes free in this plan."""
    known = one.volume is not None and bool(not one.volume.path or one.in_map or one.volume.freed)
    return one.detached and one.reason == "count" and known


def _unsettled(cluster: Cluster, device_set: DeviceSet, count: int, gone: set[str]) -> bool:
    """Whether an earlier raise, or a replacement, has not brought all its OSDs yet."""
    claims = cluster.claims_of(device_set.name)
    staying = [one for one in claims if one.owned and one.name not in gone and not one.deleting]
    return len(staying) < count or any(_is_missing(cluster, one) for one in staying)


def _unverified(cluster: Cluster, device_set: DeviceSet) -> bool:
    """Whether a run that raised this set did not come to its end: nobody has looked yet at what came."""
    begun = json.loads(cluster.lease.notes.get(NOTE_ACTIONS, "[]"))
    name = device_set.name
    return any(one == f"device_set.settle:{name}" or one.startswith(f"device_set.raise:{name}/") for one in begun)


def _is_missing(cluster: Cluster, claim: Claim) -> bool:
    return not claim.leaving and cluster.osd_of(claim.name) is None


def _waves(leavers: list[Leaver], wanted: Wanted) -> Iterator[tuple[str, ...]]:
    """Never two failure domains at once; with the pace fast, all that go from one domain together."""
    with_osd = [one for one in leavers if one.osd >= 0]
    for one in leavers:
        if one.osd < 0:
            yield (one.claim,)
    if wanted.pace != "fast":
        # What an earlier run began comes first.
        for one in sorted(with_osd, key=lambda one: (not one.marked, not one.drained_before)):
            yield (one.claim,)
        return
    domains: dict[str, list[str]] = {}
    for one in sorted(with_osd, key=lambda one: (not one.marked, not one.drained_before)):
        domains.setdefault(one.domain, []).append(one.claim)
    yield from (tuple(claims) for claims in domains.values())


def _proof(cluster: Cluster, wanted: Wanted, leavers: list[Leaver], notes: list[str]) -> Iterator[Refusal]:
    going = [one.osd for one in leavers if one.in_map]
    if not going or not cluster.whole:
        return
    yield from capacity.single_copies(cluster)
    proof = capacity.prove(cluster, going, wanted.margin)
    yield from proof.refusals
    if proof.fullest is not None and not proof.refusals:
        notes.append(
            f"Fullest afterwards: {proof.fullest}; allowed is {100 * (cluster.nearfull - wanted.margin):.1f} %."
        )
    if cluster.balancer == "off":
        notes.append("The balancer is off: how uneven OSDs are filled now is taken to stay so.")
    elif cluster.balancer:
        notes.append(
            f"The balancer ({cluster.balancer}) goes on meanwhile: waits for clean placement groups can be longer."
        )


def _replaced(cluster: Cluster, wanted: Wanted) -> Iterator[str]:
    """What is named for replacement and not there: an entry may stay in the inventory once its disk is gone."""
    serials = {one.serial for one in cluster.volumes.values() if one.serial}
    for serial in wanted.replace:
        if serial not in serials:
            yield f"No volume of {cluster.name} lies on disk {serial}: it is replaced, or its serial is another."


def _down(cluster: Cluster, leavers: list[Leaver]) -> Iterator[str]:
    """OSDs that do not run and stay: a count is no less there for that, so that nothing else would tell."""
    going = {one.claim for one in leavers}
    for claim in sorted(cluster.claims):
        osd, volume = cluster.osd_of(claim), cluster.volumes.get(cluster.claims[claim].volume)
        if osd is not None and not osd.up and claim not in going:
            disk = f", or name its disk {volume.serial} in replace" if volume and volume.serial else ""
            state = "has never started" if osd.id in cluster.strays else "is down"
            yield f"{osd.name} {state}{'' if osd.is_in else ' and out'}: find out why{disk}."


def _balance(cluster: Cluster, wanted: Wanted, leavers: list[Leaver]) -> Iterator[str]:
    for name in sorted({one.device_set for one in leavers}):
        gone = [one.osd for one in leavers if one.device_set == name and one.in_map]
        counts = placement.spread(cluster, name, wanted.failure_domain, gone)
        if placement.unbalanced(counts):
            yield f"Device set {name} stays uneven: {placement.told(counts, wanted.failure_domain)}."
