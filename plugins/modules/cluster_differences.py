#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_differences
short_description: Tells which roles have something to do on a Kubernetes
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Plans all objects and releases of the site on the controller, and compares them with what the API server would make
    of them. Run it on a control plane; it runs once.
  - A release differs by its chart, its values or its state; an object by what applying it on the server would change.
  - A CephCluster, an object store or a toolbox that is not ready differs as well, so that its role waits for it.
  - Where objects cannot be compared, such as before their definitions are there, they count as different.
  - Changes nothing.
options:
  objects:
    description: Filled in by the action.
    type: list
    elements: dict
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.conn
  - ansible.builtin.action_common_attributes.flow
  - barestore.storage.kubectl
attributes:
  action:
    support: full
  async:
    support: none
  become:
    support: full
  bypass_host_loop:
    support: full
  check_mode:
    support: full
  connection:
    support: full
  delegation:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
seealso:
  - plugin: barestore.storage.cluster_objects
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: See what of the cluster differs from the inventory
  barestore.storage.cluster_differences:
  register: cluster_differences
  run_once: true
"""

RETURN = r"""
parts:
  description: What differs, in the order in which it is made.
  returned: always
  type: list
  elements: dict
  contains:
    role:
      description: The role that makes it.
      type: str
    cluster:
      description: The Ceph cluster that it is for; empty where it is for the whole site.
      type: str
    why:
      description: What differs.
      type: str
  sample: [{role: toolbox, cluster: ceph-hdd, why: Deployment rook-ceph-tools differs}]
"""

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.cluster import differences
from ansible_collections.barestore.storage.plugins.module_utils.cluster.questions import ARGUMENTS_OF_KUBECTL
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

ARGUMENTS = {
    "objects": {"type": "list", "elements": "dict"},
    **ARGUMENTS_OF_KUBECTL,
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    objects, config, runner = module.params["objects"], module.params["kubeconfig"], Runner()
    if objects:

        def compare(some: list[dict[str, Any]]) -> differences.Answer:
            listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": some})
            done = runner.run(differences.compare(config), listed)
            return done.rc, done.stdout

        module.exit_json(changed=False, different=differences.differing(objects, compare))
    asked = differences.questions(config)
    try:
        with runner.ahead(asked.values()):
            answers = {name: runner.run(argv) for name, argv in asked.items()}
        told = {name: differences.told(name, one.rc, one.stdout, one.stderr) for name, one in answers.items()}
    except StorageError as error:
        module.fail_json(msg=error.sentence())
    module.exit_json(changed=False, **differences.seen(told))


if __name__ == "__main__":
    main()
