# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ceph clusters of a site: what is wanted of their OSDs, and one task on the first control plane for them all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ansible_collections.barestore.storage.plugins.module_utils.cluster.document import CONTROL_PLANES
from barestore.fleet import Answer, Call
from barestore.site import Site, SiteHost

_CHANGES = ("pace", "windows", "margin", "accept_health", "replace", "patience")
_ALL = "lookup('barestore.storage.cluster_document', 'ceph').clusters | dict2items"


@dataclass(frozen=True)
class Cluster:
    """One Ceph cluster: ``document`` has its defaults filled in, ``control_plane`` is empty where the site has none.

    ``volume_groups`` says which group of the hosts gives the volumes of a StorageClass.
    """

    kind: ClassVar[str] = "cluster"
    rack: ClassVar[str] = ""

    name: str
    site: str
    control_plane: str
    document: Mapping[str, Any]
    volume_groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name among hosts and clusters: no host has a name with a space."""
        return f"cluster {self.name}"

    @property
    def asked(self) -> str:
        return f"Its control plane {self.control_plane}"

    @property
    def options(self) -> dict[str, Any]:
        """What the module ``ceph_osds`` is told, as the task below does it."""
        sets, domain = self.document["device_sets"], self.document["failure_domain"]
        return {"cluster": self.name, "device_sets": sets, "failure_domain": domain, **self.document["osd_changes"]}

    @functools.cached_property
    def wanted(self) -> str:
        """The digest of all that the inventory asks of its OSDs."""
        from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256

        return sha256({"site": self.site, **self.options})


def clusters(site: Site) -> tuple[Cluster, ...]:
    """The clusters of a site, by name. A limit that leaves out their control plane leaves them out."""
    ceph = section(site.everyone)
    if not ceph:
        return ()
    from ansible_collections.barestore.storage.plugins.plugin_utils.cluster_document import with_defaults

    plane = control_plane(site.everyone)
    if plane and plane not in {host.name for host in site.hosts}:
        return ()
    named = next((host.site for host in site.everyone if host.name == plane), "")
    groups = _volume_groups(section(site.everyone, "topolvm"))
    found = with_defaults("ceph", ceph)["clusters"]
    return tuple(Cluster(name, named, plane, found[name], groups) for name in sorted(found))


def section(hosts: Iterable[SiteHost], name: str = "ceph") -> Mapping[str, Any]:
    """A document of the site, which all hosts share; empty where nobody wrote it."""
    found = (host.cluster.sections[name] for host in hosts if host.cluster and name in host.cluster.sections)
    return next(found, {})


def control_plane(hosts: Iterable[SiteHost]) -> str:
    """The host that speaks for the clusters of a site; empty where there is none."""
    return next((host.name for host in hosts if CONTROL_PLANES in host.groups), "")


def _volume_groups(topolvm: Mapping[str, Any]) -> dict[str, str]:
    classes = topolvm.get("device_classes", {})
    told = topolvm.get("storage_classes", {}).items()
    return {name: classes[one["device_class"]]["volume_group"] for name, one in told if one["device_class"] in classes}


@dataclass
class OsdCall(Call):
    """A task of the control plane for some clusters; :meth:`wait` gives the answer of each, by its key."""

    clusters: Sequence[Cluster] = ()

    def wait(self, tick: Callable[[], None] = lambda: None) -> dict[str, Answer]:
        answers = super().wait(tick)
        return {one.host: one for one in _each(self.clusters, answers[self.hosts[0]])}


def call(
    sources: Sequence[str],
    chosen: Sequence[Cluster],
    module: str,
    workers: Sequence[str] = (),
    expected: Mapping[str, str] | None = None,
) -> OsdCall:
    """The task that the role ``ceph_osds`` runs, once for all of these clusters; a check unless digests are expected.

    ``expected`` are the approved digests by the names of the clusters.
    """
    arguments = {
        "cluster": "{{ item.key }}",
        "device_sets": "{{ item.value.device_sets }}",
        "failure_domain": "{{ item.value.failure_domain }}",
        **{name: f"{{{{ item.value.osd_changes.{name} | default(omit) }}}}" for name in _CHANGES},
    }
    if expected is not None:
        arguments["expected_digest"] = "{{ barestore_expected[item.key] }}"
    task = {
        f"barestore.storage.{module}": arguments,
        "loop": f"{{{{ {_ALL} | selectattr('key', 'in', barestore_clusters) | list }}}}",
        "loop_control": {"label": "{{ item.key }}"},
    }
    variables = {"barestore_clusters": [one.name for one in chosen], "barestore_expected": dict(expected or {})}
    planes = [chosen[0].control_plane]
    return OsdCall(sources, planes, task, variables, expected is None, workers, clusters=chosen)


def _each(chosen: Sequence[Cluster], answer: Answer) -> Iterator[Answer]:
    told = {str((one.get("item") or {}).get("key")): one for one in answer.result.get("results", ())}
    for cluster in chosen:
        one = told.get(cluster.name)
        if one is not None:
            yield Answer(cluster.key, "failed" if one.get("failed") else "ok", one)
        elif answer.how == "ok":
            yield Answer(cluster.key, "silent", {"msg": "its task was not run"})
        else:
            yield replace(answer, host=cluster.key)
