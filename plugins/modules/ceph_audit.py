#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_audit
short_description: Looks for two owners of one disk
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Finds what could make two OSDs write to one disk, from four sides. It reads only, and opens no device exclusively.
  - Volumes that lead to one device, or to a device and a part of it; OSDs that name the same device or UUID, and labels
    on disks that do not agree with the osdmap; OSDs with two pods, with a pod that does not end, or with a Deployment
    that could start two; disks that two C(ceph-osd) processes have open, or none.
options:
  scope:
    description:
      - V(host) reads the host that the module runs on, and returns it in RV(facts).
      - V(clusters) asks the clusters, on a control plane, and compares them with the O(hosts).
    type: str
    choices: [host, clusters]
    required: true
  host:
    description: Name of this host as Kubernetes has it; its own name when left out.
    type: str
    default: ''
  clusters:
    description: Names of the CephClusters, which are also their namespaces.
    type: list
    elements: str
    default: []
  hosts:
    description: The RV(facts) of all hosts that have OSDs.
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - barestore.storage.kubectl
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
seealso:
  - module: barestore.storage.ceph_osds
"""

EXAMPLES = r"""
- name: Read each host
  barestore.storage.ceph_audit:
    scope: host
    host: "{{ inventory_hostname }}"
  register: audited

- name: Compare
  barestore.storage.ceph_audit:
    scope: clusters
    clusters: [ceph-hdd, ceph-ssd]
    hosts: "{{ groups.storage_servers | map('extract', hostvars, ['audited', 'facts']) | list }}"
  delegate_to: "{{ groups.kube_control_plane[0] }}"
  run_once: true
  register: audit
  failed_when: audit.findings | length > 0
"""

RETURN = r"""
facts:
  description: What the host has, for the comparison.
  returned: when O(scope=host)
  type: dict
findings:
  description: What is wrong, with C(code), C(target), C(message) and C(hint); empty on a clean site.
  returned: when O(scope=clusters)
  type: list
  elements: dict
metrics:
  description: The findings by code as text for Prometheus.
  returned: when O(scope=clusters)
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.probe import probe
from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.run import audit, metrics
from ansible_collections.barestore.storage.plugins.module_utils.cluster.questions import ARGUMENTS_OF_KUBECTL
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "scope": {"type": "str", "choices": ["host", "clusters"], "required": True},
            "host": {"type": "str", "default": ""},
            "clusters": {"type": "list", "elements": "str", "default": []},
            "hosts": {"type": "list", "elements": "dict", "default": []},
            **ARGUMENTS_OF_KUBECTL,
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        if given["scope"] == "host":
            module.exit_json(changed=False, facts=probe(Runner(), given["host"]))
        found = audit(given["clusters"], given["hosts"], given["kubeconfig"], Runner())
    except StorageError as error:
        module.fail_json(msg=error.sentence())
    module.exit_json(changed=False, findings=[one.as_json() for one in found], metrics=metrics(found))


if __name__ == "__main__":
    main()
