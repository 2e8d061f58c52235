#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_storage_info
short_description: Reads the storage of a host
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Reads what M(barestore.storage.host_storage) reads, and changes nothing.
  - The recording that it returns is what a plan can be made from elsewhere, without reaching the host again.
options:
  document:
    description: What the host's storage shall be; decides which properties are read. May be empty.
    type: dict
    default: {}
  health:
    description:
      - Whether to ask each disk for its health, and pools, thin pools and arrays for theirs.
      - This costs one process a disk, with C(smartctl) or, where that is missing, C(nvme).
    type: bool
    default: false
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - barestore.storage.host
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
seealso:
  - module: barestore.storage.host_storage
"""

EXAMPLES = r"""
- name: Look at the disks of a host and what each selector matches
  barestore.storage.host_storage_info:
    document: "{{ lookup('barestore.storage.host_document') }}"
  register: seen

- name: See which disks wear out
  barestore.storage.host_storage_info:
    health: true
  register: seen
"""

RETURN = r"""
disks:
  description: The disks in bus-path order.
  returned: always
  type: list
  elements: dict
groups:
  description: Identities of the disks that each disk group means.
  returned: always
  type: dict
refusals:
  description: Why a document could not be applied now, one sentence each.
  returned: always
  type: list
  elements: str
notes:
  description: What a person should know, such as a thin pool that is nearly full, one sentence each.
  returned: always
  type: list
  elements: str
digest:
  description: Digest of the plan that the document would need now.
  returned: always
  type: str
health:
  description:
    - Health of the storage; empty when it was not asked for.
    - C(disks) have C(passed), C(wear) in percent of their life, C(media_errors), C(temperature) in degrees Celsius and
      C(age) in hours; what a disk does not tell is null, and C(error) says why nothing is known.
    - C(pools) and C(thin_pools) have how full they are, C(arrays) how many of their devices work.
  returned: always
  type: dict
observation:
  description: The recording, for plans that are made elsewhere.
  returned: always
  type: dict
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
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.host.facts import facts
from ansible_collections.barestore.storage.plugins.module_utils.host.main import ARGUMENTS, job
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner


def main() -> None:
    arguments = {**ARGUMENTS, "document": {"type": "dict", "default": {}}, "health": {"type": "bool", "default": False}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    runner = Runner()
    try:
        observation, found = facts(job(module.params, check=True), runner, module.params["health"])
    except StorageError as error:
        module.fail_json(msg=error.sentence())
    module.exit_json(changed=False, observation=observation.as_json(), processes=runner.count, **found)


if __name__ == "__main__":
    main()
