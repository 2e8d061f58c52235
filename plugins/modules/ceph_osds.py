#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_osds
short_description: Makes the number of OSDs what the inventory says
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Looks at a Ceph cluster that Rook runs, plans every action from the OSDs that are there to the wanted counts,
    proves capacity, balance and health, and runs exactly that plan.
  - An OSD that goes is drained while it runs; it is stopped only when all placement groups are active+clean and Ceph
    calls it safe to destroy. Then it is purged, its claim is deleted, its disk wiped and its volume made free again.
  - What is done is read back from Ceph and Kubernetes after each action; no exit code and no Job is believed.
  - An interrupted run is finished by running again, with the same OSDs. One run a cluster at a time, by a lease.
options:
  expected_digest:
    description:
      - The digest of the approved plan; when the plan is another one now, nothing is changed.
      - What is left of an approved plan that was interrupted is approved.
    type: str
    default: ''
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - barestore.storage.cluster
  - barestore.storage.kubectl
attributes:
  check_mode:
    support: full
    details: Check mode makes the same plan by the same code, and stops before the first action.
  diff_mode:
    support: full
  platform:
    platforms: posix
seealso:
  - module: barestore.storage.ceph_osds_info
"""

EXAMPLES = r"""
- name: Make the OSDs what the inventory says
  barestore.storage.ceph_osds:
    cluster: ceph-hdd
    failure_domain: rack
    device_sets: "{{ ceph.clusters['ceph-hdd'].device_sets }}"

- name: Three OSDs less, at night, and only as it was approved
  barestore.storage.ceph_osds:
    cluster: ceph-hdd
    failure_domain: rack
    device_sets: {hdd: {count: 15}}
    pace: gentle
    windows: ['Mo-Fr 20:00-06:00']
    expected_digest: sha256:4be1d9f3c0a7e1f2a6d4b9c8e7f6a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4
"""

RETURN = r"""
plan:
  description: The actions in the order in which they run; the same in check mode.
  returned: always
  type: list
  elements: dict
  sample:
    - id: osd.drain:osd.7
      kind: osd
      verb: drain
      target: osd.7
      before: {osd.7: {claim: hdd-data-7x2k, domain: rack2, serial: ZL2A0B1C}}
      needs: ['count:hdd', 'marked:hdd-data-7x2k']
      commands: [{argv: [kubectl, exec, deploy/rook-ceph-tools, --, ceph, osd, out, osd.7]}]
identities:
  description: The cluster's fsid, and UUID and disk serial of each OSD that goes.
  returned: always
  type: dict
digest:
  description: SHA-256 of the canonical JSON of the plan.
  returned: always
  type: str
  sample: sha256:4be1d9f3c0a7e1f2a6d4b9c8e7f6a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4
refusals:
  description: Why nothing was changed, one sentence each, with the numbers.
  returned: always
  type: list
  elements: str
notes:
  description: Remarks that keep nothing from running, such as how full the fullest OSD will be.
  returned: always
  type: list
  elements: str
executed:
  description: What ran, with its exit code and seconds.
  returned: always
  type: list
  elements: dict
before:
  description: What each action found, by the action's id.
  returned: always
  type: dict
after:
  description: What each action leaves, by the action's id.
  returned: always
  type: dict
cluster:
  description: The cluster in short, with the OSDs of each device set by failure domain.
  returned: always
  type: dict
disks:
  description:
    - The disks of the OSDs, claims and volumes that the plan names. OSDs that come are not among them, since the
      scheduler chooses their volumes.
  returned: always
  type: list
  elements: dict
  sample:
    - {id: local-ss3-wwn-0x5, osd: osd.7, device_set: hdd, claim: hdd-data-7x2k, volume: local-ss3-wwn-0x5,
       serial: ZL2A0B1C, size: 16000900661248, host: ss3, rack: rack2}
observed:
  description: When the plan was made, in UTC.
  returned: always
  type: str
  sample: '2026-01-02T03:04:05Z'
lacks:
  description:
    - The resources for want of which alone the plan is refused, so that they may be on their way; empty where anything
      else forbids it.
  returned: always
  type: list
  elements: str
  sample: ['storage_class:local-storage']
absent:
  description: Whether it failed since there is no cluster yet, so that nothing can be planned.
  returned: when the cluster cannot be read
  type: bool
journal:
  description: Path of the journal on the host; empty when nothing was to do.
  returned: always
  type: str
report:
  description: Path of the report on the host, with what was, what was planned, what ran and what is.
  returned: always
  type: str
processes:
  description: How many processes the module started.
  returned: always
  type: int
  sample: 2
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.cluster.main import ARGUMENTS, failed, finish, job
from ansible_collections.barestore.storage.plugins.module_utils.cluster.run import osds
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={**ARGUMENTS, "expected_digest": {"type": "str", "default": ""}},
        supports_check_mode=True,
    )
    try:
        finish(module, osds(job(module.params, module.check_mode), Runner()))
    except StorageError as error:
        failed(module, error)
    except KeyboardInterrupt:
        # Asked to stop before the first action, or while the last one was verified: nothing runs now.
        module.fail_json(msg="The run was interrupted and nothing runs any more; run again.")


if __name__ == "__main__":
    main()
