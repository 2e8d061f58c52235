#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_node_info
short_description: Reads how far a host is on its way into a Kubernetes cluster
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Tells from the host's own files whether it is no node yet, half a node or a node, and when its certificates end.
  - On a host that is a node, it waits until the API server answers, and fails in one sentence when it does not.
  - Changes nothing and starts no process.
options:
  api_host:
    description: Where the API server is reached.
    type: str
    required: true
  api_port:
    description: Its port.
    type: int
    default: 6443
  wait:
    description: How many seconds a node waits for the API server.
    type: int
    default: 60
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: See how far this host is
  barestore.storage.kubernetes_node_info:
    api_host: api.example.net
  register: node
"""

RETURN = r"""
stage:
  description: V(absent), V(half) when kubeadm began and did not end well, or V(joined).
  returned: always
  type: str
control_plane:
  description: Whether an API server runs on this host.
  returned: always
  type: bool
certificate_days:
  description: Days until the first of kubeadm's certificates on this host ends; null without any.
  returned: always
  type: int
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.node import api, certificates, stage


def main() -> None:
    arguments = {
        "api_host": {"type": "str", "required": True},
        "api_port": {"type": "int", "default": 6443},
        "wait": {"type": "int", "default": 60},
    }
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    host, port = module.params["api_host"], module.params["api_port"]
    looked_at = (stage.BEGUN, stage.KUBELET, stage.API_MANIFEST)
    found = stage.node(frozenset(path for path in looked_at if os.path.exists(path)))
    if found.stage == stage.JOINED:
        why = api.why_silent(host, port, module.params["wait"])
        if why:
            wait = module.params["wait"]
            module.fail_json(
                msg=f"The API server at {host}:{port} does not answer within {wait} s ({why}); this host is a node "
                "already, so nothing was changed: see 'journalctl -u kubelet' on the control planes, and run again."
            )
    module.exit_json(
        changed=False,
        stage=found.stage,
        control_plane=found.control_plane,
        certificate_days=certificates.days_left(certificates.FOLDER),
    )


if __name__ == "__main__":
    main()
