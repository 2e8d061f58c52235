# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the nodes of a site carry: rack, zone, and the labels and taints of their groups."""

from __future__ import annotations

DOCUMENTATION = r"""
name: node_topology
author: The barestore founders (@barestore)
version_added: 0.1.0
short_description: What the nodes of a site carry
description:
  - Collects rack and zone, and the labels and taints of the inventory groups that a host is in.
options:
  _terms:
    description: Labels and taints by the name of an inventory group.
    required: true
  hosts:
    description: The nodes.
    type: list
    elements: str
    required: true
seealso:
  - module: barestore.storage.node_topology
"""

EXAMPLES = r"""
- name: Show what the nodes would carry
  ansible.builtin.debug:
    msg: "{{ lookup('barestore.storage.node_topology', {'fast': {'labels': {'role': 'fast'}}}, hosts=['ss1']) }}"
"""

RETURN = r"""
_raw:
  description: One entry a node, with name, rack, zone, labels and taints.
  type: list
  elements: dict
"""

from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

from ansible.plugins.lookup import LookupBase  # noqa: E402


class LookupModule(LookupBase):  # type: ignore[misc]
    """Collect what each node carries."""

    def run(
        self, terms: list[Mapping[str, Any]], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[list[dict[str, Any]]]:
        """One list of nodes for each term."""
        self.set_options(var_options=variables, direct=kwargs)
        hostvars = (variables or {})["hostvars"]
        return [[_node(name, hostvars[name], groups) for name in self.get_option("hosts")] for groups in terms]


def _node(name: str, host: Mapping[str, Any], groups: Mapping[str, Any]) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    taints: list[Any] = []
    for group in host["group_names"]:
        carried = groups.get(group, {})
        labels.update(carried.get("labels", {}))
        taints += [taint for taint in carried.get("taints", ()) if taint not in taints]
    return {"name": name, "rack": host.get("rack"), "zone": host.get("zone"), "labels": labels, "taints": taints}
