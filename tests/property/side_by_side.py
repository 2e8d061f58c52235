# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that may run at the same time and name one device: two tools would undo each other's work."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Command, Plan
from ansible_collections.barestore.storage.plugins.module_utils.plan.order import predecessors


def side_by_side(plan: Plan) -> Iterator[str]:
    """Pairs of actions without an order, with the device that both name."""
    before = predecessors(plan.actions)
    earlier: dict[str, set[str]] = {}
    for one in plan.actions:  # in an order that respects their needs
        earlier[one.id] = set(before[one.id]).union(*(earlier[name] for name in before[one.id]))
    users: dict[str, list[Action]] = {}
    for one in plan.actions:
        for device in _devices(one):
            users.setdefault(device, []).append(one)
    for device, actions in users.items():
        for first, second in combinations(actions, 2):
            if first.id not in earlier[second.id]:
                yield f"{first.id} and {second.id} work on {device} at once"


def _devices(action: Action) -> set[str]:
    return {
        word
        for step in action.steps
        # LVM locks the group whose physical volumes it is told.
        if isinstance(step, Command) and step.argv[0] != "lvcreate"
        for word in step.argv[1:]
        if word.startswith("/dev/")
    }
