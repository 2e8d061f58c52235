# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore drift``: what a host has and the inventory does not say, and the other way round; nothing is touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from barestore.commands import offline
from barestore.commands.common import Options, ready
from barestore.commands.plan import live
from barestore.hostplan import Exit, HostPlan, exit_code
from barestore.words import Disks, line

# A plan that would change something is a difference that was found.
_STATUS = {"nothing": "none", "changes": "drift"}


def drift(options: Options, observed: Path | None = None) -> Exit:
    """Plan, and say what the plan is there for."""
    fleet = ready(options)
    plans: Iterable[HostPlan] = offline.plans(fleet, observed) if observed else live(fleet, options)
    statuses = []
    hosts: dict[str, Any] = {}
    for plan in plans:
        statuses.append(plan.status)
        if options.as_json:
            hosts[plan.host] = as_json(plan)
            continue
        for text in sentences(plan):
            options.screen.show(Text(text, no_wrap=True))
    code = exit_code(statuses)
    if options.as_json:
        options.emit({"hosts": hosts, "exit": int(code)})
    return code


def as_json(plan: HostPlan) -> dict[str, Any]:
    """``status`` is none, drift, refused, unreachable or error."""
    return {
        "status": _STATUS.get(plan.status, plan.status),
        "rack": plan.rack,
        "differences": [_difference(action) for action in plan.actions],
        "refusals": list(plan.refusals),
        "notes": list(plan.notes),
        "message": plan.message,
    }


def _difference(action: Mapping[str, Any]) -> dict[str, Any]:
    return {key: action.get(key) for key in ("id", "kind", "target", "disks", "before", "after")}


def sentences(plan: HostPlan) -> Iterator[str]:
    """A line for the host, and one for each difference."""
    count = len(plan.actions)
    said = {
        "nothing": "as the inventory says",
        "changes": f"{count} difference{'s' * (count != 1)} from the inventory",
        "refused": "it cannot be what the inventory says",
    }
    yield f"{plan.host}: {said.get(plan.status, plan.message)}"
    for refusal in plan.refusals:
        yield f"  {refusal}"
    disks = Disks(plan.disks)
    for action in plan.actions:
        found = line(action, disks)
        yield f"  {found.sign} {found.what} {found.target}" + (f": {found.detail}" if found.detail else "")
    for note in plan.notes:
        yield f"  note: {note}"
