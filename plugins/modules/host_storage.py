#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_storage
short_description: Makes the storage of a host what its document says
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Reads the host once, plans every action from what it saw to what the document wants, and runs exactly that plan.
  - Partitions, arrays, encryption, LVM, ZFS, file systems, swap, mounts and local volumes are one plan, ordered by
    what each action needs.
  - Nothing is written before everything was checked; a disk that carries anything is refused.
  - Each action is journalled below C(/var/lib/barestore/journal); an interrupted run is finished by running again.
  - What lies in something closed, such as an encrypted device after a boot, is planned and run once that is open;
    with O(expected_digest), only after its own approval.
options:
  document:
    description:
      - What the host's storage shall be, as described in the reference of C(host_storage).
      - Usually P(barestore.storage.host_document#lookup), which merges the fragments of the inventory.
    type: dict
    required: true
  expected_digest:
    description: The digest of the approved plan; when the plan is another one now, nothing is written.
    type: str
    default: ''
  missing_tools:
    description:
      - What to do when the host lacks a tool that the document asks for. Nothing is planned or written either way.
      - V(refuse) fails and says which packages bring the tools.
      - V(report) ends well with these packages in RV(missing_packages), for those who install them and run again.
    type: str
    choices: [refuse, report]
    default: refuse
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - barestore.storage.host
attributes:
  check_mode:
    support: full
    details: Check mode makes the same plan by the same code, and stops before the first action.
  diff_mode:
    support: full
  platform:
    platforms: posix
requirements:
  - util-linux 2.37 or newer on the host, and the tools of what the document asks for
  - the Python library jsonschema on the controller
seealso:
  - module: barestore.storage.host_storage_info
"""

EXAMPLES = r"""
- name: Make this host's storage what the inventory says
  barestore.storage.host_storage:
    document: "{{ lookup('barestore.storage.host_document') }}"
    site: lab
    host: "{{ inventory_hostname }}"

- name: Two disks by serial, one volume group, one mounted volume
  barestore.storage.host_storage:
    document:
      disks:
        fast:
          match: {serial: [S6CKNX0T1, S6CKNX0T2]}
          count: 2
      lvm:
        fast:
          physical_volumes: [fast]
          volumes:
            containerd: {size: 50 GiB, filesystem: xfs, mount: /var/lib/containerd}

- name: Apply the plan that was approved on the pull request, or nothing
  barestore.storage.host_storage:
    document: "{{ lookup('barestore.storage.host_document') }}"
    host: "{{ inventory_hostname }}"
    expected_digest: sha256:4be1d9f3c0a7e1f2a6d4b9c8e7f6a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4
"""

RETURN = r"""
plan:
  description: The actions in the order in which they run; the same in check mode.
  returned: always
  type: list
  elements: dict
  sample:
    - id: volume_group.create:fast
      kind: volume_group
      verb: create
      target: fast
      disks: [nvme-LAB_NVME0001]
      before: null
      after: {physical_volumes: [log.fast]}
      needs: ['physical_volume:nvme-LAB_NVME0001/fast']
      provides: ['volume_group:fast']
      destroys: []
      commands: [{argv: [vgcreate, fast, /dev/disk/by-id/nvme-LAB_NVME0001-part2]}]
identities:
  description: Serial and world-wide name of each disk that the plan writes to, by the name that its actions use.
  returned: always
  type: dict
digest:
  description: SHA-256 of the canonical JSON of the plan; equal observations and documents give equal digests.
  returned: always
  type: str
  sample: sha256:4be1d9f3c0a7e1f2a6d4b9c8e7f6a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4
refusals:
  description: Why nothing was written, one sentence each.
  returned: always
  type: list
  elements: str
notes:
  description: Remarks that keep nothing from running.
  returned: always
  type: list
  elements: str
missing_packages:
  description: Packages that bring the tools that the host lacks, as its distribution names them.
  returned: always
  type: list
  elements: str
  sample: [lvm2, thin-provisioning-tools]
executed:
  description: What ran, with its exit code and seconds.
  returned: always
  type: list
  elements: dict
  sample: [{action: 'volume_group.create:fast', argv: [vgcreate, fast], rc: 0, seconds: 0.21}]
before:
  description: What each action found, by the action's id.
  returned: always
  type: dict
after:
  description: What each action leaves, by the action's id.
  returned: always
  type: dict
journal:
  description: Path of the journal on the host; empty when nothing was to do.
  returned: always
  type: str
  sample: /var/lib/barestore/journal/20260102T030405Z-812.jsonl
report:
  description: Path of the report on the host, with what was, what was planned, what ran and what is; as the journal.
  returned: always
  type: str
  sample: /var/lib/barestore/reports/20260102T030405Z-812.json
disks:
  description:
    - The disks of the host as people know them, in bus-path order; no part of the digest.
    - Each has C(id), C(serial), C(slot), C(size), C(model), C(content), and in C(holds) its partitions.
  returned: always
  type: list
  elements: dict
local_volumes:
  description:
    - The devices that the document gives away as local volumes, each with C(link), C(identity), C(bytes),
      C(storage_class), C(mode), and C(serial) and C(wwn) of its disk.
  returned: always
  type: list
  elements: dict
processes:
  description: How many processes the module started.
  returned: always
  type: int
  sample: 5
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.host.main import ARGUMENTS, finish, job
from ansible_collections.barestore.storage.plugins.module_utils.host.run import storage
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "expected_digest": {"type": "str", "default": ""},
            "missing_tools": {"type": "str", "choices": ["refuse", "report"], "default": "refuse"},
        },
        supports_check_mode=True,
    )
    try:
        finish(module, storage(job(module.params, module.check_mode), Runner()))
    except StorageError as error:
        module.fail_json(msg=error.sentence())
    except KeyboardInterrupt:
        # Asked to stop before the first action, or while the last one was verified: nothing runs now.
        module.fail_json(msg="The run was interrupted and nothing runs any more; run again.")


if __name__ == "__main__":
    main()
