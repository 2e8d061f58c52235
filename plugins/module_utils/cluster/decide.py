# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a cluster and wanted counts to a decision: which OSDs go, where new ones come, what a run left over."""

from __future__ import annotations

from collections.abc import Iterator

from ..plan.model import Refusal
from . import capacity, placement
from .coming import coming
from .going import going, waves
from .state import Cluster
from .wanted import Decision, Leaver, Wanted


def decide(cluster: Cluster, wanted: Wanted) -> Decision:
    """All decisions of a plan; capacity is proven for what goes, room for what comes."""
    wipes = [
        one
        for one in cluster.volumes.values()
        if one.freed and one.path and one.phase == "Released" and one.freed.split()[0] == cluster.fsid
    ]
    less = going(cluster, wanted)
    more = coming(cluster, wanted, less, wipes)
    notes: list[str] = []
    refusals = [*_unknown(cluster, wanted), *more.refusals, *_proof(cluster, wanted, less.leavers, notes)]
    notes.extend(_replaced(cluster, wanted))
    notes.extend(_down(cluster, less.claims))
    notes.extend(_balance(cluster, wanted, less.leavers))
    return Decision(
        leavers=tuple(less.leavers),
        waves=tuple(waves(less.leavers, wanted)),
        lower=less.lower,
        drop=tuple(less.drop),
        steps=tuple(more.steps),
        settle=tuple(more.settle),
        returners=tuple(less.returners),
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


def _proof(cluster: Cluster, wanted: Wanted, leavers: list[Leaver], notes: list[str]) -> Iterator[Refusal]:
    gone = [one.osd for one in leavers if one.in_map]
    if not gone or not cluster.whole:
        return
    yield from capacity.single_copies(cluster)
    proof = capacity.prove(cluster, gone, wanted.margin)
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


def _down(cluster: Cluster, leaving: frozenset[str]) -> Iterator[str]:
    """OSDs that do not run and stay: a count is no less there for that, so that nothing else would tell."""
    for claim in sorted(cluster.claims):
        osd, volume = cluster.osd_of(claim), cluster.volumes.get(cluster.claims[claim].volume)
        if osd is not None and not osd.up and claim not in leaving:
            disk = f", or name its disk {volume.serial} in replace" if volume and volume.serial else ""
            state = "has never started" if osd.id in cluster.strays else "is down"
            yield f"{osd.name} {state}{'' if osd.is_in else ' and out'}: find out why{disk}."


def _balance(cluster: Cluster, wanted: Wanted, leavers: list[Leaver]) -> Iterator[str]:
    for name in sorted({one.device_set for one in leavers}):
        gone = [one.osd for one in leavers if one.device_set == name and one.in_map]
        counts = placement.spread(cluster, name, wanted.failure_domain, gone)
        if placement.unbalanced(counts):
            yield f"Device set {name} stays uneven: {placement.told(counts, wanted.failure_domain)}."
