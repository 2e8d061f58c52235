#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_volumes
short_description: Deletes the local volumes of a node that leaves its cluster
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Deletes the PersistentVolumes of a node's own devices that no claim uses. What is on the devices stays.
  - A volume of the node that a claim uses is a refusal, in one sentence that names all of them, and nothing is deleted.
    That counts for volumes of a driver too, such as those of TopoLVM.
  - In check mode it refuses the same and deletes nothing, so that it can be asked before a node is drained.
options:
  node:
    description: Name of the node.
    type: str
    required: true
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
"""

EXAMPLES = r"""
- name: Delete the volumes of a host that is no node any more
  barestore.storage.node_volumes:
    node: ss3
"""

RETURN = r"""
volumes:
  description: The volumes that were deleted, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: [local-ss3-wwn-0x5000c500a1b2c3d4]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.cluster.node_volumes import leaving
from ansible_collections.barestore.storage.plugins.module_utils.cluster.questions import ARGUMENTS_OF_KUBECTL, kubectl
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

ARGUMENTS = {
    "node": {"type": "str", "required": True},
    **ARGUMENTS_OF_KUBECTL,
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    runner, config = Runner(), module.params["kubeconfig"]
    try:
        listed = runner.text(kubectl(config, "get", "persistentvolumes", "--output=json"))
        names = leaving(listed, module.params["node"])
        if names and not module.check_mode:
            runner.text(kubectl(config, "delete", "persistentvolumes", "--ignore-not-found", *names))
    except StorageError as error:
        module.fail_json(msg=error.sentence())
    module.exit_json(changed=bool(names), volumes=names)


if __name__ == "__main__":
    main()
