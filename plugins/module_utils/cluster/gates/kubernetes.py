# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gates of Kubernetes: the operator, its CephCluster, pods that do not end, disks that could get two owners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...plan.model import Refusal
from ..sharing import shared
from .situation import Situation, closed, some

_PURGE = "purge-osd"
"""A part of the name of Rook's Jobs that remove OSDs."""


def operator(now: Situation) -> Iterator[Refusal]:
    """The operator runs, has read the CephCluster as it is, and is in the middle of nothing."""
    one = now.cluster
    if one.operator < 1:
        yield closed("operator", "the Rook operator is not available", "bring its Deployment back")
    if one.seen_generation and one.seen_generation < one.generation and not now.moving:
        yield closed(
            "operator",
            f"the operator has reconciled generation {one.seen_generation} of CephCluster {one.name} and not "
            f"{one.generation}",
            "wait until it has, or read its log",
        )
    if one.phase not in ("Ready", "") and not now.moving:
        yield closed(
            "operator", f"CephCluster {one.name} is {one.phase} and not Ready", "wait, or read the operator's log"
        )
    if one.migrating:
        yield closed("operator", f"Rook migrates {one.migrating} OSDs", "let that end first")


def fences(now: Situation) -> Iterator[Refusal]:
    """Nobody else keeps the operator from an OSD, or has it removed."""
    purging = sorted(name for name, told in now.cluster.jobs.items() if _PURGE in name and told == "running")
    if purging:
        yield closed("fences", f"Job {some(purging)} removes OSDs", "somebody else started it: let it end")
    others = [one.name for one in now.cluster.deployments if one.fenced and one.osd not in now.leaving]
    if others:
        yield closed(
            "fences", f"{some(others)} carry ceph.rook.io/do-not-reconcile", "somebody else works on them: let that end"
        )


def pods(now: Situation) -> Iterator[Refusal]:
    """No OSD has two pods, and none hangs at its end: a second start could damage its disk."""
    counts = Counter(one.osd for one in now.cluster.pods)
    twice = [f"osd.{number}" for number, count in sorted(counts.items()) if count > 1]
    if twice:
        yield closed(
            "pods", f"{some(twice)} have more than one pod", "find out which one runs before anything is started"
        )
    hanging = [one.name for one in now.cluster.pods if one.deleting and one.osd not in now.leaving]
    if hanging:
        yield closed(
            "pods", f"{some(hanging)} do not end", "look at their nodes; never delete them by force while those may run"
        )


def starts(now: Situation) -> Iterator[Refusal]:
    """No Deployment may start a second pod of an OSD while the first one runs."""
    twice = [one.name for one in now.cluster.deployments if one.replicas > 1]
    if twice:
        yield closed("starts", f"{some(twice)} want more than one pod of an OSD", "scale them to 1")
    rolling = [one.name for one in now.cluster.deployments if one.strategy != "Recreate"]
    if rolling:
        yield closed(
            "starts", f"{some(rolling)} start a new pod before the old one ended", "set their strategy to Recreate"
        )


def volumes(now: Situation) -> Iterator[Refusal]:
    """No disk can be claimed twice."""
    found = [str(one) for one in shared(now.cluster.volumes.values())]
    if found:
        yield closed(
            "volumes",
            f"{len(found)} disks have more than one volume: {some(found)}",
            "delete those that no claim uses, and 'barestore audit' tells what hosts know of the rest",
        )


def nodes(now: Situation) -> Iterator[Refusal]:
    """Every node that has OSDs is there."""
    used = {one.node for one in now.cluster.volumes.values() if one.claim.startswith(f"{now.cluster.name}/")}
    gone = [name for name, node in sorted(now.cluster.nodes.items()) if name in used and not node.ready]
    if gone:
        yield closed("nodes", f"nodes {some(gone)} are not Ready", "bring them back")


def window(now: Situation) -> Iterator[Refusal]:
    """A maintenance window is open."""
    if now.windows and not now.open:
        yield closed("window", f"no maintenance window is open now: {some(list(now.windows))}", "run again when one is")
