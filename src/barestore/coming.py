# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plans of hosts will give that the plan of a cluster may lack: volumes for new OSDs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from barestore.clusters import Cluster
from barestore.hostplan import HostPlan

_FEW = 3


@dataclass
class Coming:
    """Takes the plans of hosts one after the other; ``hosts`` are those that give more of a resource, by its name."""

    hosts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, plan: HostPlan) -> None:
        """Count one host."""
        for action in plan.actions:
            if action["kind"] == "local_volume":
                self._gives(f"storage_class:{(action.get('after') or {}).get('storage_class', '')}", plan.host)
            elif action["kind"] == "volume_group" and action["verb"] in ("create", "extend"):
                self._gives(f"volume_group:{action['target']}", plan.host)

    def _gives(self, resource: str, host: str) -> None:
        named = self.hosts.setdefault(resource, [])
        if host not in named:
            named.append(host)

    def settled(self, plan: HostPlan, cluster: Cluster) -> HostPlan:
        """The plan of a cluster; where all that it is refused for is on its way, it is one for later and no refusal."""
        if plan.status != "refused" or not plan.lacks:
            return plan
        said = [self._way(resource, cluster) for resource in plan.lacks]
        if not all(said):
            return plan
        message = f"Its OSDs are planned later: it waits for {'; and for '.join(said)}. Apply that, and plan again."
        return replace(plan, status="later", message=message, notes=(*plan.notes, *plan.refusals), refusals=())

    def _way(self, resource: str, cluster: Cluster) -> str:
        """How a resource comes, as a part of a sentence; empty where it does not."""
        kind, _colon, name = resource.partition(":")
        if kind == "device_set":
            return f"device set {name}, which site.yml makes"
        group = cluster.volume_groups.get(name)
        hosts = self.hosts.get(f"volume_group:{group}" if group else resource, [])
        return f"volumes of {name}, which come with the plans of {_names(hosts)} and site.yml" if hosts else ""


def in_order(hosts: Iterable[HostPlan], clusters: Iterable[tuple[Cluster, HostPlan]]) -> Iterator[HostPlan]:
    """The plans of hosts, and after them those of clusters, which know what the hosts will give."""
    coming = Coming()
    for plan in hosts:
        coming.add(plan)
        yield plan
    for cluster, plan in clusters:
        yield coming.settled(plan, cluster)


def _names(hosts: list[str]) -> str:
    more = f" and {len(hosts) - _FEW} more" if len(hosts) > _FEW else ""
    return ", ".join(hosts[:_FEW]) + more
