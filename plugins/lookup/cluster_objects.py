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

from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

from ansible.errors import AnsibleError, AnsibleLookupError  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402

from ..module_utils.host.problems import did_you_mean  # noqa: E402
from ..plugin_utils.cluster_site import site_facts  # noqa: E402
from ..plugin_utils.planned_objects import (  # noqa: E402
    KNOWN,
    OF_DOCUMENTS,
    Live,
    SharedDisk,
    local_objects,
    planned,
    site_sections,
)


class LookupModule(LookupBase):  # type: ignore[misc]
    """Plan the objects of the whole site."""

    def run(self, terms: list[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        return [self._planned(str(term), variables or {}) for term in terms]

    def _planned(self, term: str, variables: Mapping[str, Any]) -> Any:
        if term not in KNOWN:
            raise AnsibleLookupError(f"'{term}' is nothing that is planned; {did_you_mean(term, KNOWN)}")
        if term in OF_DOCUMENTS:
            return OF_DOCUMENTS[term](site_sections(variables, self._templar.template, self._loader))
        try:
            site = site_facts(variables, self._loader)
            if term == "local_volumes":
                live = Live(self.get_option("nodes"), self.get_option("volumes"))
                return local_objects(site, live, variables["hostvars"])
        except (AnsibleError, SharedDisk) as error:
            raise AnsibleLookupError(str(error)) from error
        name = self.get_option("name")
        if name and name not in site.clusters:
            raise AnsibleLookupError(f"'{name}' is no Ceph cluster of this site; {did_you_mean(name, site.clusters)}")
        return planned(term, site, name, self.get_option("live") or None)
