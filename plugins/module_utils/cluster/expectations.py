# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must hold once an action of a cluster is done, asked of the state as it is then: no exit code is believed."""

from __future__ import annotations

from collections.abc import Callable

from ..plan.model import Action, Expect
from . import placement
from .gates.situation import unclean
from .state import Cluster, Node, Osd


def shortfall(expect: Expect, cluster: Cluster, kind: str = "host") -> str:
    """What is not yet as expected, as the end of a sentence; empty when it holds. ``kind`` is the failure domain."""
    return _CHECKS[expect.check](expect, cluster, kind)


def required(action: Action, cluster_name: str) -> tuple[Expect, ...]:
    """What must hold before an action's first step, looked at at that moment, whatever was seen before."""
    name = f"{action.kind}.{action.verb}"
    if name == "osd.stop":
        return (Expect("clean", cluster_name), Expect("out", action.target), Expect("safe", action.target))
    if name == "osd.purge" and action.before:
        uuid = str(action.before[action.target]["uuid"])
        # A stopped OSD has no statistics, so that Ceph cannot call it safe; with it down, clean says the same.
        return (Expect("not_running", action.target, uuid), Expect("clean", cluster_name))
    if name in ("osd.drain", "device_set.raise"):
        return (Expect("begun_or_clean", action.target),)
    return ()


def asked(expects: tuple[Expect, ...]) -> frozenset[int]:
    """The OSDs of which Ceph must be asked whether they are safe to destroy."""
    return frozenset(_number(one.target) for one in expects if one.check == "safe")


def _number(target: str) -> int:
    return int(target.rpartition(".")[2])


def _osd(expect: Expect, cluster: Cluster) -> Osd | None:
    return cluster.osds.get(_number(expect.target))


def _clean(expect: Expect, cluster: Cluster, kind: str) -> str:
    count = unclean(cluster)
    moving = cluster.progress.misplaced + cluster.progress.degraded
    if not cluster.progress.total:
        return "no placement group is known" if cluster.pools else ""
    return (
        f"{count} of {cluster.progress.total} placement groups are not active+clean ({moving} objects to go)"
        if count
        else ""
    )


def _begun_or_clean(expect: Expect, cluster: Cluster, kind: str) -> str:
    """A drain that an earlier run began is gone on with; another begins only when everything is clean."""
    numbers = [int(one[4:]) for one in expect.target.split("+") if one.startswith("osd.")]
    found = [cluster.osds[number] for number in numbers if number in cluster.osds]
    if found and all(not one.is_in for one in found):
        return ""
    return _clean(expect, cluster, kind)


def _safe(expect: Expect, cluster: Cluster, kind: str) -> str:
    number = _number(expect.target)
    if number in cluster.safe:
        return ""
    return f"Ceph does not call osd.{number} safe to destroy ({cluster.safe_errors.get(number, 'it was not asked')})"


def _out(expect: Expect, cluster: Cluster, kind: str) -> str:
    osd = _osd(expect, cluster)
    return f"{expect.target} is still in" if osd is not None and (osd.is_in or osd.weight > 0) else ""


def _in(expect: Expect, cluster: Cluster, kind: str) -> str:
    osd = _osd(expect, cluster)
    return "" if osd is not None and osd.is_in and osd.up and osd.weight > 0 else f"{expect.target} is not up and in"


def _down(expect: Expect, cluster: Cluster, kind: str) -> str:
    number = _number(expect.target)
    osd = cluster.osds.get(number)
    if osd is not None and osd.up:
        return f"{expect.target} is still up"
    if any(one.osd == number and (one.replicas > 0 or not one.fenced) for one in cluster.deployments):
        return f"the Deployment of {expect.target} is not fenced and at 0"
    return f"a pod of {expect.target} still runs" if any(one.osd == number for one in cluster.pods) else ""


def _unfenced(expect: Expect, cluster: Cluster, kind: str) -> str:
    fenced = any(one.name == expect.target and one.fenced for one in cluster.deployments)
    return f"Deployment {expect.target} still carries ceph.rook.io/do-not-reconcile" if fenced else ""


def _not_running(expect: Expect, cluster: Cluster, kind: str) -> str:
    number, osd = _number(expect.target), _osd(expect, cluster)
    if osd is not None and osd.uuid == expect.value and osd.up:
        return f"{expect.target} is up again"
    mine = osd is None or osd.uuid == expect.value
    return f"a pod of {expect.target} still runs" if mine and any(one.osd == number for one in cluster.pods) else ""


def _purged(expect: Expect, cluster: Cluster, kind: str) -> str:
    number, osd = _number(expect.target), _osd(expect, cluster)
    if osd is not None and (osd.uuid == expect.value or not expect.value):
        return f"{expect.target} is still in the osdmap"
    if osd is None and number in cluster.crush:
        return f"{expect.target} is still in CRUSH"
    # A number that another OSD has by now has a key again.
    return f"{expect.target} still has a key" if osd is None and expect.target in cluster.keys else ""


def _deployment_gone(expect: Expect, cluster: Cluster, kind: str) -> str:
    there = expect.target and any(one.name == expect.target for one in cluster.deployments)
    return f"Deployment {expect.target} is still there" if there else ""


def _claim_gone(expect: Expect, cluster: Cluster, kind: str) -> str:
    if f"rook-ceph-osd-prepare-{expect.target}" in cluster.jobs:
        return f"the prepare Job of claim {expect.target} is still there"
    return f"claim {expect.target} is still there" if expect.target in cluster.claims else ""


def _marked(expect: Expect, cluster: Cluster, kind: str) -> str:
    claim = cluster.claims.get(expect.target)
    return (
        "" if claim is not None and claim.leaving == expect.value else f"claim {expect.target} does not carry its mark"
    )


def _count(expect: Expect, cluster: Cluster, kind: str) -> str:
    found = cluster.device_set(expect.target)
    have = found.count if found else "none"
    return (
        "" if str(have) == expect.value else f"the count of device set {expect.target} is {have} and not {expect.value}"
    )


def _set_gone(expect: Expect, cluster: Cluster, kind: str) -> str:
    return (
        f"device set {expect.target} is still in CephCluster {cluster.name}"
        if cluster.device_set(expect.target)
        else ""
    )


def _osds(expect: Expect, cluster: Cluster, kind: str) -> str:
    """The operator has brought what the count asks for, each in its place and of its class."""
    claims = [one for one in cluster.claims_of(expect.target) if one.owned and not one.leaving and not one.deleting]
    wanted, device_set = int(expect.value), cluster.device_set(expect.target)
    pending = [one.name for one in claims if one.phase != "Bound"]
    running = []
    for claim in claims:
        osd = cluster.osd_of(claim.name)
        if osd is None or not osd.up or not osd.is_in or osd.weight <= 0:
            continue
        node = _node_of(cluster, claim.volume)
        rack = osd.place.get("rack", "")
        if kind == "rack" and node is not None and node.rack and rack != node.rack:
            return f"{osd.name} lies in rack {rack or 'none'} of CRUSH, and its node {node.name} is in {node.rack}"
        if device_set is not None and device_set.device_class not in ("", osd.device_class):
            return f"{osd.name} has class {osd.device_class} and not {device_set.device_class}"
        running.append(osd)
    if len(running) < wanted:
        waits = f"; claims {', '.join(pending[:3])} are not bound" if pending else ""
        return f"{len(running)} of {wanted} OSDs of device set {expect.target} are up and in{waits}"
    return ""


def _spread(expect: Expect, cluster: Cluster, kind: str) -> str:
    counts = placement.spread(cluster, expect.target, kind)
    if placement.gap(counts) <= int(expect.value):
        return ""
    return f"the OSDs of device set {expect.target} are uneven: {placement.told(counts, kind)}"


def _node_of(cluster: Cluster, volume: str) -> Node | None:
    found = cluster.volumes.get(volume)
    return cluster.nodes.get(found.node) if found else None


def _job_done(expect: Expect, cluster: Cluster, kind: str) -> str:
    told = cluster.jobs.get(expect.target, "not there")
    return "" if told == "done" else f"Job {expect.target} is {told}"


def _volume_available(expect: Expect, cluster: Cluster, kind: str) -> str:
    found = cluster.volumes.get(expect.target)
    if found is None:
        return f"volume {expect.target} is gone"
    # Somebody may have claimed it by now, which only a free volume allows.
    return f"volume {expect.target} is {found.phase}" if found.phase == "Released" or found.freed else ""


def _volume_gone(expect: Expect, cluster: Cluster, kind: str) -> str:
    return f"volume {expect.target} is still there" if expect.target in cluster.volumes else ""


def _profile(expect: Expect, cluster: Cluster, kind: str) -> str:
    return "" if cluster.profile == expect.value else f"osd_mclock_profile is {cluster.profile or 'not set'}"


_CHECKS: dict[str, Callable[[Expect, Cluster, str], str]] = {
    "begun_or_clean": _begun_or_clean,
    "claim_gone": _claim_gone,
    "clean": _clean,
    "count": _count,
    "deployment_gone": _deployment_gone,
    "down": _down,
    "in": _in,
    "job_done": _job_done,
    "marked": _marked,
    "not_running": _not_running,
    "osds": _osds,
    "out": _out,
    "profile": _profile,
    "purged": _purged,
    "safe": _safe,
    "set_gone": _set_gone,
    "spread": _spread,
    "unfenced": _unfenced,
    "volume_available": _volume_available,
    "volume_gone": _volume_gone,
}
