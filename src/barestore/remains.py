# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that was approved, and the plan that a host has now: is that what is left of it, and else what differs?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from barestore.hostplan import HostPlan

_FEW = 4


@dataclass(frozen=True)
class Change:
    """Actions by id: those that nobody approved, those no longer planned, and those that differ, with where."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    different: Mapping[str, tuple[str, ...]]

    def sentence(self) -> str:
        """What changed since the approval, in few words."""
        said = [
            f"{word}: {_list(names)}"
            for word, names in (
                ("new", self.new),
                ("no longer planned", self.gone),
                ("different", [f"{name} ({', '.join(keys)})" for name, keys in self.different.items()]),
            )
            if names
        ]
        if not said:
            said = ["the same actions, for other disks or in another order"]
        return f"Its plan is not the approved one any more; {'; '.join(said)}. Look at the new plan and approve it."

    def as_json(self) -> dict[str, Any]:
        different = {name: list(keys) for name, keys in self.different.items()}
        return {"new": list(self.new), "gone": list(self.gone), "different": different}


def is_rest(approved: HostPlan, now: HostPlan) -> bool:
    """Whether all that is planned now was approved, word for word and for the same disks.

    So it is after a run that was killed: what was done is planned no more, and nothing else changed. An action may
    have fewer commands than were approved, such as one that was stopped between two, and none that was not. The order
    of actions needs no look: it comes from what they need and provide, which is a part of them.
    """
    allowed = {str(action["id"]): action for action in approved.actions}
    same_disks = all(approved.identities.get(name) == disk for name, disk in now.identities.items())
    return bool(now.actions) and same_disks and all(_within(allowed.get(str(one["id"])), one) for one in now.actions)


def _within(approved: Mapping[str, Any] | None, now: Mapping[str, Any]) -> bool:
    if approved is None or _text({**approved, "commands": []}) != _text({**now, "commands": []}):
        return False
    left = iter(approved["commands"])
    return all(any(command == each for each in left) for command in now["commands"])


def change(approved: HostPlan, now: HostPlan) -> Change:
    """Why the plan of now is not the rest of the approved one: fewer commands of an action are no reason."""
    old = {str(action["id"]): action for action in approved.actions}
    new = {str(action["id"]): action for action in now.actions}
    both = (name for name in new if name in old and not _within(old[name], new[name]))
    return Change(
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        {name: tuple(_keys(old[name], new[name])) for name in both},
    )


def _keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key))


def _text(action: Mapping[str, Any]) -> str:
    return json.dumps(action, sort_keys=True)


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
