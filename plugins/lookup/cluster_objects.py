# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Kubernetes objects and the values of charts that the documents of a site ask for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_objects
author: The barestore founders (@barestore)
version_added: 0.1.0
short_description: Kubernetes objects and values of charts, planned from the documents of the site
description:
  - Reads the documents and the hosts of the whole inventory, checks them, and gives what one role applies.
  - Nothing is read from the cluster. What must agree with the cluster, such as the number of OSDs that it has now, is
    given by O(live) and O(nodes).
options:
  _terms:
    description:
      - What is wanted.
      - V(operator_values), V(csi_values), V(topolvm_values) and V(autoresizer_values), the values of charts.
      - V(topolvm_classes), the StorageClasses of TopoLVM.
      - V(local_volumes), the StorageClasses of local volumes and the PersistentVolumes of O(nodes).
      - V(cluster), the rights, the CephCluster, pools, filesystems and StorageClasses of O(name).
      - V(stores), the object stores and bucket classes of O(name).
      - V(toolbox), the toolbox of O(name).
      - V(audit), the hourly audit of O(name).
      - V(charts), the charts with where they come from and their version, by name.
      - V(images), the images by the names of the manifest, as pods name them.
    required: true
  name:
    description: The Ceph cluster.
    type: str
    default: ""
  live:
    description: The CephCluster as the cluster has it now, if there is one. Its numbers of OSDs are kept.
    type: dict
    default: {}
  nodes:
    description: Nodes as the cluster has them, whose names the local volumes need.
    type: list
    elements: dict
    default: []
  volumes:
    description: PersistentVolumes as the cluster has them. A disk that has another volume already gets none.
    type: list
    elements: dict
    default: []
notes:
  - Local volumes of a host are those that M(barestore.storage.host_storage) or M(barestore.storage.host_storage_info)
    said in this run, registered as C(host_storage_report).
seealso:
  - plugin: barestore.storage.cluster_document
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Apply a Ceph cluster
  kubernetes.core.k8s:
    apply: true
    definition: "{{ lookup('barestore.storage.cluster_objects', 'cluster', name='ceph-hdd') }}"
"""

RETURN = r"""
_raw:
  description:
    - A list of objects, a list of names, or the values of a chart, for each term.
  type: list
  elements: raw
"""

import os  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402
from typing import Any  # noqa: E402

from ansible.errors import AnsibleError, AnsibleLookupError  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402

from ..module_utils.cluster import reading  # noqa: E402
from ..module_utils.cluster.artifacts import charts, images  # noqa: E402
from ..module_utils.cluster.document import SiteFacts  # noqa: E402
from ..module_utils.cluster.objects.audit import SOURCES  # noqa: E402
from ..module_utils.cluster.objects.local_volumes import local_classes, local_volumes  # noqa: E402
from ..module_utils.cluster.objects.rook import csi_values, operator_values  # noqa: E402
from ..module_utils.cluster.objects.site import (  # noqa: E402
    audit_objects,
    cluster_objects,
    store_objects,
    toolbox_objects,
)
from ..module_utils.cluster.objects.topolvm import (  # noqa: E402
    autoresizer_values,
    topolvm_classes,
    topolvm_values,
)
from ..module_utils.cluster.sharing import shared  # noqa: E402
from ..module_utils.host.problems import did_you_mean  # noqa: E402
from ..plugin_utils.checked_action import files_of  # noqa: E402
from ..plugin_utils.cluster_document import cluster_document, with_defaults  # noqa: E402
from ..plugin_utils.cluster_site import site_facts  # noqa: E402

_OF_SITE: dict[str, Callable[[SiteFacts], Any]] = {
    "operator_values": operator_values,
    "csi_values": csi_values,
    "topolvm_values": topolvm_values,
    "topolvm_classes": lambda site: list(topolvm_classes(site)),
    "autoresizer_values": autoresizer_values,
}
_OF_CLUSTER = ("cluster", "stores", "toolbox", "audit")
_MODULE_UTILS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "module_utils")
# No host counts for these, so only the documents are read.
_OF_DOCUMENTS: dict[str, Callable[[Mapping[str, Any]], Any]] = {"charts": charts, "images": images}
_KNOWN = (*_OF_SITE, *_OF_CLUSTER, *_OF_DOCUMENTS, "local_volumes")


class LookupModule(LookupBase):  # type: ignore[misc]
    """Plan the objects of the whole site."""

    def run(self, terms: list[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        return [self._planned(str(term), variables or {}) for term in terms]

    def _planned(self, term: str, variables: Mapping[str, Any]) -> Any:
        if term not in _KNOWN:
            raise AnsibleLookupError(f"'{term}' is nothing that is planned; {did_you_mean(term, _KNOWN)}")
        if term in _OF_DOCUMENTS:
            return _OF_DOCUMENTS[term](self._documents(variables))
        try:
            site = site_facts(variables, self._loader)
        except AnsibleError as error:
            raise AnsibleLookupError(str(error)) from error
        if term == "local_volumes":
            volumes = list(self._volumes(site, variables))
            known = {one.name: one for one in reading.volumes([*self.get_option("volumes"), *volumes])}
            twice = [str(one) for one in shared(known.values())]
            if twice:
                raise AnsibleLookupError(
                    f"One disk would have two volumes, two owners: {'; '.join(twice)}. Nothing was offered: "
                    "delete the volumes that no claim uses, or take the disk out of one of the local_volumes."
                )
            return [*local_classes(site), *volumes]
        return _OF_SITE[term](site) if term in _OF_SITE else self._of_cluster(term, site)

    def _of_cluster(self, term: str, site: SiteFacts) -> Any:
        name = self.get_option("name")
        if name not in site.clusters:
            raise AnsibleLookupError(f"'{name}' is no Ceph cluster of this site; {did_you_mean(name, site.clusters)}")
        if term == "cluster":
            return cluster_objects(site, name, self.get_option("live") or None)
        if term == "audit":
            return audit_objects(site, name, {source: _text(source) for source in SOURCES})
        return store_objects(site, name) if term == "stores" else toolbox_objects(site, name)

    def _documents(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        read = cluster_document(variables, self._templar.template, files_of(variables, self._loader))
        sections = {name: with_defaults(name, value) for name, value in read.sections.items()}
        bundle = sections.get("sources", {}).get("bundle")
        if bundle is not None:
            sections["sources"]["bundle"] = os.path.join(str(variables.get("inventory_dir") or ""), bundle)
        return sections

    def _volumes(self, site: SiteFacts, variables: Mapping[str, Any]) -> Any:
        # Nothing shall bind again to a disk that is taken out of service.
        given_up = {
            serial for cluster in site.clusters.values() for serial in cluster.get("osd_changes", {}).get("replace", ())
        }
        for node in self.get_option("nodes"):
            name = node["metadata"]["name"]
            if name in variables["hostvars"]:
                told = variables["hostvars"].raw_get(name).get("host_storage_report", {})
                devices = [one for one in told.get("local_volumes", []) if one.get("serial") not in given_up]
                yield from local_volumes(name, devices)


def _text(source: str) -> str:
    """One of our own files."""
    with open(os.path.join(_MODULE_UTILS, source), encoding="utf-8") as handle:
        return handle.read()
