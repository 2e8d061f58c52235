# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual hosts of an Ansible inventory, read as Ansible itself reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from barestore.lab.errors import LabError
from barestore.lab.machine import Machine, parse_machine


def state_dir(inventory: Path) -> Path:
    """Where the hosts of this inventory live: BARESTORE_LAB, else ``.lab`` beside the inventory."""
    if chosen := os.environ.get("BARESTORE_LAB"):
        return Path(chosen).absolute()
    return (inventory if inventory.is_dir() else inventory.parent).absolute() / ".lab"


def machines(inventory: Path, names: Sequence[str] = ()) -> tuple[Machine, ...]:
    """The machines of the hosts that have ``lab_machine``; all of them, or those that are named."""
    found = {name: raw for name, raw in _host_variables(inventory, "lab_machine").items() if raw is not None}
    if not found:
        raise LabError(f"no host of inventory {inventory} has the variable lab_machine; docs/lab.md shows one")
    for name in names:
        if name not in found:
            raise LabError(
                f"host {name} has no lab_machine in inventory {inventory}; those that have one: {', '.join(found)}"
            )
    return tuple(parse_machine(name, raw) for name, raw in found.items() if not names or name in names)


def in_group(inventory: Path, group: str) -> tuple[str, ...]:
    """The hosts of a group, in the inventory's order."""
    found = tuple(name for name, groups in _host_variables(inventory, "group_names").items() if group in groups)
    if not found:
        raise LabError(f"no host of inventory {inventory} is in the group {group}")
    return found


def _host_variables(inventory: Path, variable: str) -> dict[str, Any]:
    """One variable of every host, templated."""
    if not inventory.exists():
        raise LabError(f"there is no inventory {inventory}; name one with -i")
    try:
        from ansible.errors import AnsibleError
        from ansible.inventory.manager import InventoryManager
        from ansible.parsing.dataloader import DataLoader
        from ansible.plugins.loader import init_plugin_loader
        from ansible.template import Templar
        from ansible.utils.collection_loader import AnsibleCollectionConfig
        from ansible.vars.manager import VariableManager
    except ImportError as error:
        raise LabError(f"the inventory is read with ansible-core, which is not installed here: {error}") from error
    try:
        if AnsibleCollectionConfig.collection_finder is None:  # a second one would be a warning
            init_plugin_loader([])
        loader = DataLoader()
        # An inventory that cannot be parsed is a mistake here, where Ansible would only warn.
        manager = InventoryManager(loader=loader, sources=[str(inventory)])
        variables = VariableManager(loader=loader, inventory=manager)
        values = {}
        for host in manager.get_hosts():
            known = variables.get_vars(host=host)
            raw = Templar(loader=loader, variables=known).template(known.get(variable))
            values[str(host.name)] = json.loads(json.dumps(raw))  # plain values, without Ansible's tags
        return values
    except AnsibleError as error:
        raise LabError(f"inventory {inventory} cannot be read: {error}") from error
