#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_osds_info
short_description: Reads the OSDs of a cluster
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Reads what M(barestore.storage.ceph_osds) reads, and changes nothing.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - barestore.storage.cluster
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
  description:
    - What Kubernetes and Ceph answered and when, for plans that are made elsewhere.
    - It holds no keys and no templates of pods.
  returned: always
  type: dict
absent:
  description: Whether it failed since there is no cluster yet.
  returned: when the cluster cannot be read
  type: bool
processes:
  description: How many processes the module started.
  returned: always
  type: int
  sample: 3
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.cluster.main import ARGUMENTS, failed, job
from ansible_collections.barestore.storage.plugins.module_utils.cluster.run import facts
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    runner = Runner()
    try:
        observation, cluster = facts(job(module.params, check=True), runner)
    except StorageError as error:
        failed(module, error)
    module.exit_json(changed=False, cluster=cluster, observation=observation, processes=runner.count)


if __name__ == "__main__":
    main()
