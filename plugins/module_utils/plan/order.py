# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Order from needs and provides; no hand-made phases."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from .errors import PlanError
from .model import Action


def predecessors(actions: Iterable[Action]) -> dict[str, frozenset[str]]:
    """For each action's id the ids of those that provide what it needs.

    A need that no action provides is met already: a kind names needs only of what it planned or saw.

    :raises PlanError: two actions share an id.
    """
    actions = tuple(actions)
    providers: dict[str, set[str]] = {}
    for action in actions:
        for resource in action.provides:
            providers.setdefault(resource, set()).add(action.id)
    out: dict[str, frozenset[str]] = {}
    for action in actions:
        if action.id in out:
            raise PlanError(f"two actions are named {action.id}", "this is a defect of barestore: please report it")
        found = {one for resource in action.needs for one in providers.get(resource, ())}
        out[action.id] = frozenset(found - {action.id})
    return out


def chains(before: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """For each id how long the longest chain of actions is that waits for it.

    ``before`` is what :func:`predecessors` says of actions in an order that respects their needs.
    """
    out = dict.fromkeys(before, 0)
    for name in reversed(list(before)):
        for earlier in before[name]:
            out[earlier] = max(out[earlier], out[name] + 1)
    return out


def ordered(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions in an order that respects their needs; ties are broken by id, so that it is the only one.

    :raises PlanError: actions need each other in a circle.
    """
    by_id = {action.id: action for action in actions}
    before = predecessors(by_id.values())
    waiting = {name: len(found) for name, found in before.items()}
    after = _reversed(before)
    ready = [name for name, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    out: list[Action] = []
    while ready:
        name = heapq.heappop(ready)
        out.append(by_id[name])
        for follower in after.get(name, ()):
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, follower)
    if len(out) != len(by_id):
        stuck = sorted(name for name, count in waiting.items() if count > 0)
        raise PlanError(
            f"these actions need each other: {', '.join(stuck)}", "this is a defect of barestore: please report it"
        )
    return tuple(out)


def _reversed(before: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    after: dict[str, list[str]] = {}
    for name in sorted(before):
        for earlier in sorted(before[name]):
            after.setdefault(earlier, []).append(name)
    return after
