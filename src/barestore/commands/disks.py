# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore disks``: what is there, which group takes each disk, and why no group takes the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.disk_facts import disk_facts
from ansible_collections.barestore.storage.plugins.module_utils.host.kinds import disk
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.selection import Disk, mismatch
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from barestore.commands.common import Fleet, listen, module, ready
from barestore.commands.offline import DAMAGED, damaged, recording, whole
from barestore.disk_table import tables
from barestore.errors import Failed
from barestore.hostplan import Exit
from barestore.hosts import Host
from barestore.options import Options
from barestore.screen import say


@dataclass(frozen=True)
class HostDisks:
    """The disks of one host: ``taken`` says the group of each by identity, ``reasons`` why each group leaves it."""

    host: Host
    disks: tuple[Mapping[str, Any], ...]
    taken: Mapping[str, str]
    reasons: Mapping[str, Mapping[str, str]]
    refusals: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        rows = [
            {**one, "group": self.taken.get(str(one["id"]), ""), "not_in": dict(self.reasons.get(str(one["id"]), {}))}
            for one in self.disks
        ]
        return {"rack": self.host.rack, "disks": rows, "refusals": list(self.refusals)}


def disks(options: Options, observed: Path | None = None) -> Exit:
    """Show the disks of all hosts, whether or not they have a document."""
    fleet = ready(options, all_hosts=True)
    seen, errors = _recorded(fleet, observed) if observed else _live(fleet, options)
    found = []
    for host in fleet.hosts:
        if host.name in seen:
            try:
                found.append(_of(host, seen[host.name]))
            except StorageError as error:
                errors.append(f"{host.name}: {error.sentence()}")
            except DAMAGED as error:
                if observed is None:
                    raise
                errors.append(damaged(observed, host.name, error))
    if options.as_json:
        options.emit({"hosts": {one.host.name: one.as_json() for one in found}, "errors": errors})
    else:
        for part in tables(found, options.screen.width):
            options.screen.show(part)
    for text in errors:
        say(text)
    if errors:
        return Exit.ERROR
    return Exit.REFUSED if any(one.refusals for one in found) else Exit.DONE


def _live(fleet: Fleet, options: Options) -> tuple[dict[str, Observation], list[str]]:
    answers = listen(fleet.call(module("host_storage_info"), check=True), options, "Looking at disks")
    seen = {
        name: Observation(answer.result["observation"]["answers"], host=name)
        for name, answer in answers.items()
        if answer.how == "ok"
    }
    return seen, [answer.complaint() for answer in answers.values() if answer.how != "ok"]


def _recorded(fleet: Fleet, folder: Path) -> tuple[dict[str, Observation], list[str]]:
    seen, errors = {}, []
    for host in fleet.hosts:
        try:
            observation = recording(folder, host.name)
            for probe in disk.probes(host.document or {}):
                observation.ask(probe)
            whole(observation, folder)
            seen[host.name] = observation
        except Failed as error:
            errors.append(str(error))
    return seen, errors


def _of(host: Host, observation: Observation) -> HostDisks:
    document = host.document or {}
    have = planner.observed(observation)
    groups, refused = disk.chosen(document, have)
    taken = {one.id: name for name, members in groups.items() for one in members}
    known: tuple[Disk, ...] = have.of(disk.KIND)
    return HostDisks(
        host,
        tuple(disk_facts(observation)),
        taken,
        {one.id: _reasons(document, one) for one in known if one.id not in taken},
        tuple(refusal.sentence() for refusal in refused),
    )


def _reasons(document: Mapping[str, Any], one: Disk) -> dict[str, str]:
    """Why each group leaves a disk; one that matches is left because the group is refused, or full."""
    if one.reach:
        return {}
    return {
        name: mismatch(one, group["match"]) or "it matches, see below"
        for name, group in document.get("disks", {}).items()
    }
