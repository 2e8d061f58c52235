# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What roles apply on Kubernetes, by the word that they ask for it with, and all of it by role."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.utils.vars import merge_hash

from ..module_utils.cluster import reading
from ..module_utils.cluster.artifacts import charts, images, wanted
from ..module_utils.cluster.differences import ROOK, Part, Release, Seen
from ..module_utils.cluster.document import SiteFacts
from ..module_utils.cluster.objects.audit import SOURCES
from ..module_utils.cluster.objects.local_volumes import local_classes, local_volumes
from ..module_utils.cluster.objects.rook import csi_values, operator_values
from ..module_utils.cluster.objects.site import audit_objects, cluster_objects, store_objects, toolbox_objects
from ..module_utils.cluster.objects.topolvm import autoresizer_values, topolvm_classes, topolvm_values
from ..module_utils.cluster.sharing import shared
from .checked_action import files_of
from .cluster_document import cluster_document, with_defaults
from .merged_document import Template

_MODULE_UTILS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "module_utils")

_OF_SITE: dict[str, Callable[[SiteFacts], Any]] = {
    "operator_values": operator_values,
    "csi_values": csi_values,
    "topolvm_values": topolvm_values,
    "topolvm_classes": lambda site: list(topolvm_classes(site)),
    "autoresizer_values": autoresizer_values,
}
_OF_CLUSTER: dict[str, Callable[[SiteFacts, str, Any], Any]] = {
    "cluster": cluster_objects,
    "stores": lambda site, name, live: store_objects(site, name),
    "toolbox": lambda site, name, live: toolbox_objects(site, name),
    "audit": lambda site, name, live: audit_objects(site, name, {source: _text(source) for source in SOURCES}),
}
# No host counts for these, so only the documents are read.
OF_DOCUMENTS: dict[str, Callable[[Mapping[str, Any]], Any]] = {"charts": charts, "images": images}
KNOWN = (*_OF_SITE, *_OF_CLUSTER, *OF_DOCUMENTS, "local_volumes")


class SharedDisk(Exception):
    """One disk would have two volumes; the text is a sentence."""


@dataclass(frozen=True)
class Live:
    """Nodes and PersistentVolumes as the cluster has them."""

    nodes: Sequence[Mapping[str, Any]]
    volumes: Sequence[Mapping[str, Any]]


def planned(term: str, site: SiteFacts, name: str = "", live: Mapping[str, Any] | None = None) -> Any:
    """What ``term`` asks for: objects, or the values of a chart.

    :param live: the CephCluster ``name`` as it is there; None where there is none.
    """
    return _OF_SITE[term](site) if term in _OF_SITE else _OF_CLUSTER[term](site, name, live)


def local_objects(site: SiteFacts, live: Live, hostvars: Any) -> list[dict[str, Any]]:
    """The StorageClasses and volumes of what hosts said in this run that they give away.

    :raises SharedDisk: two volumes would be of one disk.
    """
    volumes = list(_volumes(site, live, hostvars))
    known = {one.name: one for one in reading.volumes([*live.volumes, *volumes])}
    twice = [str(one) for one in shared(known.values())]
    if twice:
        raise SharedDisk(
            f"One disk would have two volumes, two owners: {'; '.join(twice)}. Nothing was offered: "
            "delete the volumes that no claim uses, or take the disk out of one of the local_volumes."
        )
    return [*local_classes(site), *volumes]


def site_sections(variables: Mapping[str, Any], template: Template, loader: Any) -> dict[str, Any]:
    """The documents with their defaults; a bundle by its whole path."""
    read = cluster_document(variables, template, files_of(variables, loader))
    sections = {name: with_defaults(name, value) for name, value in read.sections.items()}
    bundle = sections.get("sources", {}).get("bundle")
    if bundle is not None:
        sections["sources"]["bundle"] = os.path.join(str(variables.get("inventory_dir") or ""), bundle)
    return sections


def parts(site: SiteFacts, there: Seen, hostvars: Any, rook_values: Mapping[str, Any]) -> Iterator[Part]:
    """All that roles make on the Kubernetes of the site, in the order in which it is made.

    :param rook_values: the variable of the role ``rook``, which goes over the values of its chart.
    :raises SharedDisk: two volumes would be of one disk.
    """
    if "kubernetes" not in site.sections:
        return
    volumes = local_objects(site, Live(there.nodes, there.volumes), hostvars)
    yield Part("local_volumes", objects=tuple(volumes))
    topolvm, ceph = site.sections.get("topolvm", {}), site.sections.get("ceph", {})
    if topolvm:
        release = _release(site, "topolvm", "topolvm-system", topolvm_values(site))
        yield Part("topolvm", releases=(release,), objects=tuple(topolvm_classes(site)))
    if "autoresizer" in topolvm:
        release = _release(site, "pvc-autoresizer", "pvc-autoresizer", autoresizer_values(site))
        yield Part("pvc_autoresizer", releases=(release,))
    if ceph:
        values = merge_hash(operator_values(site), rook_values)
        releases = [_release(site, "rook-ceph", "rook-ceph", values)]
        if ceph["csi"]:
            releases.append(_release(site, "ceph-csi-drivers", "rook-ceph", csi_values(site)))
        yield Part(ROOK, releases=tuple(releases), of_ceph=True)
    for role, term in (
        ("rook_cluster", "cluster"),
        ("object_storage", "stores"),
        ("toolbox", "toolbox"),
        ("ceph_audit", "audit"),
    ):
        for name in sorted(site.clusters):
            objects = tuple(planned(term, site, name, there.clusters.get((name, name))))
            if objects:
                yield Part(role, name, objects=objects, of_ceph=True)


def _release(site: SiteFacts, name: str, namespace: str, values: Mapping[str, Any]) -> Release:
    chart = next(one for one in wanted(site.sections) if one.kind == "chart" and one.name == name)
    # As helm keeps them.
    return Release(namespace, name, f"{name}-{chart.version}", json.loads(json.dumps(values)))


def _volumes(site: SiteFacts, live: Live, hostvars: Any) -> Iterator[dict[str, Any]]:
    # Nothing shall bind again to a disk that is taken out of service.
    given_up = {
        serial for cluster in site.clusters.values() for serial in cluster.get("osd_changes", {}).get("replace", ())
    }
    for node in live.nodes:
        name = node["metadata"]["name"]
        if name in hostvars:
            told = hostvars.raw_get(name).get("host_storage_report", {})
            devices = [one for one in told.get("local_volumes", []) if one.get("serial") not in given_up]
            yield from local_volumes(name, devices)


def _text(source: str) -> str:
    """One of our own files."""
    with open(os.path.join(_MODULE_UTILS, source), encoding="utf-8") as handle:
        return handle.read()
