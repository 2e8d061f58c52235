#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_osds_info
short_description: Reads the OSDs of a cluster
version_added: 0.2.0
author:
  - The barestore founders (@barestore)
description:
  - Reads what M(barestore.storage.ceph_osds) reads, and changes nothing.
options:
  cluster:
    description: Name of the CephCluster, which is also its namespace.
    type: str
    required: true
  device_sets:
    description:
      - "The wanted count of each device set by its name, such as C({hdd: {count: 18}}); other keys are ignored."
      - Sets that are not named are left as they are. V(0) ends a set.
    type: dict
    default: {}
  failure_domain:
    description: What OSDs of a set are kept balanced over.
    type: str
    choices: [osd, host, rack]
    default: host
  pace:
    description:
      - How much of the disks' work may go to moving data, and how many OSDs are added at once.
      - V(gentle) sets the mClock profile C(high_client_ops) and adds one OSD a step; V(normal) leaves the profile and
        adds one in each failure domain a step; V(fast) sets C(high_recovery_ops), adds all at once, and drains all that
        go from one failure domain together. The profile that was set before is put back.
    type: str
    choices: [gentle, normal, fast]
    default: normal
  margin:
    description: The part of each OSD that must stay free below Ceph's near-full ratio after OSDs went.
    type: float
    default: 0.05
  accept_health:
    description: Codes of Ceph's health that are no reason to wait, such as V(RECENT_CRASH).
    type: list
    elements: str
    default: []
  windows:
    description:
      - Maintenance windows such as V(Sa 22:00-06:00) or V(Mo-Fr 20:00-24:00), in the local time of this host.
      - Outside of them nothing is begun; an OSD that is drained already is taken out to its end.
    type: list
    elements: str
    default: []
  replace:
    description: Serials of disks that are taken out of service without lowering any count.
    type: list
    elements: str
    default: []
  patience:
    description: Seconds that nothing may move on before a run stops; how long the whole takes does not matter.
    type: int
    default: 600
  kubeconfig:
    description: Credentials for kubectl on the host that runs this.
    type: path
    default: /etc/kubernetes/admin.conf
  operator_namespace:
    description: Namespace of the Rook operator.
    type: str
    default: rook-ceph
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
requirements:
  - kubectl on the host, and the toolbox of the cluster
seealso:
  - module: barestore.storage.ceph_osds
"""

EXAMPLES = r"""
- name: Look at the OSDs and their disks
  barestore.storage.ceph_osds_info:
    cluster: ceph-hdd
    failure_domain: rack
  register: seen
"""

RETURN = r"""
cluster:
  description:
    - The cluster in short, and in C(osds) each OSD with its place, fullness, claim, volume and disk serial.
    - C(refusals), C(notes) and C(digest) are those of the plan that the counts would need now.
  returned: always
  type: dict
observation:
  description: What Kubernetes and Ceph answered, for plans that are made elsewhere; it holds no keys.
  returned: always
  type: dict
processes:
  description: How many processes the module started.
  returned: always
  type: int
  sample: 3
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.cluster.main import ARGUMENTS, job
from ansible_collections.barestore.storage.plugins.module_utils.cluster.run import facts
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    runner = Runner()
    try:
        observation, cluster = facts(job(module.params, check=True), runner)
    except StorageError as error:
        module.fail_json(msg=error.sentence())
    module.exit_json(changed=False, cluster=cluster, observation=observation, processes=runner.count)


if __name__ == "__main__":
    main()
