#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_topology
short_description: Labels and taints the nodes of a cluster by rack and group
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Reads all nodes with one C(kubectl) and runs it again only for nodes that differ. Run it on a control plane, once.
  - The rack is the label C(topology.rook.io/rack), and a zone is C(topology.kubernetes.io/zone).
  - Labels that an earlier run set and that are no longer wanted are taken away. Taints are only added, since one that
    is taken away moves pods.
options:
  nodes:
    description: The nodes.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the node.
        type: str
        required: true
      rack:
        description: The rack that it stands in.
        type: str
      zone:
        description: The zone that its rack lies in, with another name than any rack.
        type: str
      labels:
        description: Further labels.
        type: dict
        default: {}
      taints:
        description: Taints, each with C(key), C(value) and C(effect).
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
"""

EXAMPLES = r"""
- name: Tell the cluster where its nodes stand
  barestore.storage.node_topology:
    nodes:
      - {name: ss1, rack: rack1}
      - {name: ss2, rack: rack2, taints: [{key: example.net/role, value: storage, effect: NoSchedule}]}
"""

RETURN = r"""
commands:
  description: The commands that were run, or would be in check mode.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.cluster.questions import ARGUMENTS_OF_KUBECTL, kubectl
from ansible_collections.barestore.storage.plugins.module_utils.node import topology
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

ARGUMENTS = {
    "nodes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "rack": {"type": "str"},
            "zone": {"type": "str"},
            "labels": {"type": "dict", "default": {}},
            "taints": {"type": "list", "elements": "dict", "default": []},
        },
    },
    **ARGUMENTS_OF_KUBECTL,
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    runner, config = Runner(), module.params["kubeconfig"]
    try:
        wanted = topology.wanted(module.params["nodes"])
        have = topology.observed(runner.text(kubectl(config, "get", "nodes", "--output=json")))
        commands = list(topology.commands(wanted, have))
        for words in commands if not module.check_mode else ():
            runner.text(kubectl(config, *words))
    except StorageError as error:
        module.fail_json(msg=error.sentence())
    module.exit_json(changed=bool(commands), commands=[" ".join(("kubectl", *words)) for words in commands])


if __name__ == "__main__":
    main()
