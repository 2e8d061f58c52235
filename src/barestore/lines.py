# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions of a plan as lines, whether it is that of a host or of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from barestore.hostplan import HostPlan
from barestore.osds import OsdChange, Osds, changes
from barestore.words import Disks, Line, line


def lines(plan: HostPlan) -> list[Line]:
    """One line an action, in their order."""
    if plan.kind == "cluster":
        osds = Osds(plan.disks, plan.actions)
        return [osds.line(action) for action in plan.actions]
    disks = Disks(plan.disks)
    return [line(action, disks) for action in plan.actions]


@dataclass(frozen=True)
class ClusterView:
    """A cluster with the lines of its plan, and what they come to for its OSDs."""

    plan: HostPlan
    lines: tuple[Line, ...]
    changes: tuple[OsdChange, ...]


def cluster_view(plan: HostPlan) -> ClusterView:
    """The plan of a cluster, ready to be shown."""
    return ClusterView(plan, tuple(lines(plan)), tuple(changes(plan.disks, plan.actions)))
