# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a plan file, and believes nothing of it: every digest is made again from what it speaks of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barestore.errors import Failed
from barestore.hostplan import HostPlan
from barestore.planfile import MARK, VERSION, WITHOUT_CLUSTERS, Digests

_TEXTS = ("status", "rack", "site", "wanted", "observed", "digest", "message")
_LISTS = ("actions", "refusals", "notes", "disks")
_SPREAD = "spread"
"""Only a cluster that was seen has it."""
_ACTION = {"id": str, "kind": str, "verb": str, "target": str, "disks": list, "commands": list, "destroys": list}
_HEAD = {"inventory": str, "wanted": str, "revision": str, "base": str, "recordings": bool, "made": str}
_STATUSES = ("changes", "nothing", "refused")


@dataclass(frozen=True)
class Approved:
    """A plan that was kept: ``hosts`` and ``clusters`` are those that may be changed, or that were as wanted."""

    path: Path
    digest: str
    made: str
    inventory: str
    wanted: str
    hosts: Mapping[str, HostPlan]
    clusters: Mapping[str, HostPlan]

    @property
    def plans(self) -> Mapping[str, HostPlan]:
        """All of them by their keys."""
        return {one.key: one for one in (*self.hosts.values(), *self.clusters.values())}


def read(path: Path, expected: str = "") -> Approved:
    """The plan in a file; with ``expected``, only the one with this digest.

    :raises Failed: the file cannot be read, holds no plan, or is not as it was made.
    """
    again = f"make one with 'barestore plan --out {path}'"
    found = _json(path, again)
    parts = ("hosts",) if isinstance(found, dict) and found.get(MARK) == WITHOUT_CLUSTERS else ("hosts", "clusters")
    if not isinstance(found, dict) or found.get(MARK) not in (WITHOUT_CLUSTERS, VERSION):
        raise Failed(f"{path} is no plan of this release; {again}.")
    if not all(isinstance(found.get(part), dict) for part in parts):
        raise Failed(f"{path} is no plan of this release; {again}.")
    entries = [(part[:-1], name, entry) for part in parts for name, entry in found[part].items()]
    for kind, name, entry in entries:
        if not _whole(entry):
            raise Failed(f"{path} is damaged where it speaks of {kind} {name}; {again}.")
    if not all(isinstance(found.get(key), kind) for key, kind in _HEAD.items()):
        raise Failed(f"{path} is damaged where it speaks of its inventory; {again}.")
    digests = Digests()
    plans: dict[str, dict[str, HostPlan]] = {"host": {}, "cluster": {}}
    for kind, name, entry in entries:
        plan = _plan(kind, name, entry)
        digests.add(plan, entry)
        if plan.status == "refused":
            continue
        if plan.digest != _digest(entry):
            raise Failed(f"{path} was edited: the actions of {kind} {name} are not those of its digest; {again}.")
        plans[kind][name] = plan
    head = {key: found[key] for key in (MARK, *_HEAD)}
    tail = digests.tail(head)
    if {*found} != {*head, *tail, *parts} or any(found.get(key) != value for key, value in tail.items()):
        raise Failed(f"{path} is not as it was made: something in it was edited afterwards; {again}.")
    if expected and found["digest"] != expected:
        raise Failed(
            f"{path} holds the plan {found['digest']} and not {expected}, which was approved; look at it and approve "
            "it, or take the file that belongs to the approval."
        )
    told = (found["digest"], found["made"], found["inventory"], found["wanted"])
    return Approved(path, *told, plans["host"], plans["cluster"])


def _json(path: Path, again: str) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Failed(f"The plan {path} cannot be read: {error.strerror}; {again}.") from error
    except UnicodeDecodeError as error:
        raise Failed(f"{path} is no plan: it is not text; {again}.") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if f'"{MARK}"' in text[:40] and '\n "seal": "' not in text:
            raise Failed(f"{path} is cut off: it ends in the middle of a plan; {again}.") from error
        raise Failed(f"{path} is no plan: it is not JSON ({error}); {again}.") from error


def _whole(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and {*entry} - {_SPREAD} == {*_TEXTS, *_LISTS, "identities"}
        and all(isinstance(entry[key], str) for key in _TEXTS)
        and all(isinstance(entry[key], list) for key in _LISTS)
        and isinstance(entry["identities"], dict)
        and entry["status"] in _STATUSES
        and _is_spread(entry.get(_SPREAD, {}))
        and all(isinstance(one, dict) for one in entry["disks"])
        and all(_action(one) for one in entry["actions"])
    )


def _is_spread(found: Any) -> bool:
    return isinstance(found, dict) and all(
        isinstance(domains, dict) and all(type(number) is int and number >= 0 for number in domains.values())
        for domains in found.values()
    )


def _action(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(key), kind) for key, kind in _ACTION.items())


def _digest(entry: Mapping[str, Any]) -> str:
    from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256

    return sha256({"actions": entry["actions"], "identities": entry["identities"]})


def _plan(kind: str, name: str, entry: Mapping[str, Any]) -> HostPlan:
    return HostPlan(
        name,
        entry["rack"],
        entry["status"],
        entry["digest"],
        entry["actions"],
        disks=entry["disks"],
        notes=entry["notes"],
        identities=entry["identities"],
        site=entry["site"],
        wanted=entry["wanted"],
        observed=entry["observed"],
        kind=kind,
        spread=entry.get(_SPREAD, {}),
    )
