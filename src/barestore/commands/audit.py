# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore audit``: whether a disk has two owners, from all nodes and all Ceph clusters of the inventory."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.cluster.document import CONTROL_PLANES, NODES
from barestore import inventory, prometheus
from barestore.clusters import control_plane, section
from barestore.commands.common import listen
from barestore.errors import Failed
from barestore.fleet import Call
from barestore.hostplan import Exit
from barestore.hosts import without_mistakes
from barestore.options import Options
from barestore.screen import say

_MODULE = "barestore.storage.ceph_audit"


@dataclass(frozen=True)
class Scope:
    """Whom to ask: ``nodes`` about their disks, and ``control_plane`` about the Ceph ``clusters``."""

    source: Path
    nodes: tuple[str, ...]
    control_plane: str
    clusters: tuple[str, ...]


def audit(options: Options, metrics: Path | None = None) -> Exit:
    """Show each sign of two owners, one sentence a line; nothing is written anywhere but in ``metrics``."""
    scope = _scope(options)
    facts, errors = _hosts(scope, options)
    told = _compared(scope, facts, options)
    if isinstance(told, str):
        errors.append(told)
    findings: Sequence[Mapping[str, str]] = [] if isinstance(told, str) else told["findings"]
    if metrics is not None and not isinstance(told, str):
        prometheus.write_audit(metrics, told["metrics"], len(scope.nodes) - len(facts), scope.source.name)
    code = Exit.ERROR if errors else Exit.CHANGES if findings else Exit.DONE
    if options.as_json:
        asked = {"clusters": list(scope.clusters), "hosts": [one["host"] for one in facts]}
        options.emit({"exit": int(code), **asked, "findings": list(findings), "errors": errors})
    else:
        for one in findings:
            options.screen.show(f"{one['target']}: {one['message']}; {one['hint']}.")
        if not isinstance(told, str):
            options.screen.show(_summary(scope, len(facts), len(findings)))
    for text in errors:
        say(text)
    return code


def _scope(options: Options) -> Scope:
    source = inventory.chosen(options.inventory)
    # Control planes and clusters are those of the whole site, whichever nodes are looked at.
    everyone = without_mistakes(source).hosts
    chosen = {host.name for host in without_mistakes(source, options.limit).hosts} if options.limit else None
    ceph = section(everyone)
    if not ceph:
        raise Failed(f"No host of {source} has the variable ceph; write the Ceph clusters into group_vars/all.")
    plane = control_plane(everyone)
    if not plane:
        raise Failed(f"No host of {source} is in the group {CONTROL_PLANES}; put the control planes into it.")
    members = [host.name for host in everyone if NODES in host.groups] or [host.name for host in everyone]
    nodes = tuple(name for name in members if chosen is None or name in chosen)
    return Scope(source, nodes, plane, tuple(sorted(ceph["clusters"])))


def _hosts(scope: Scope, options: Options) -> tuple[list[Mapping[str, Any]], list[str]]:
    if not scope.nodes:
        return [], []
    task = {_MODULE: {"scope": "host", "host": "{{ inventory_hostname }}"}}
    answers = listen(Call([str(scope.source)], scope.nodes, task, check=True), options, "Looking at disks")
    facts = [answer.result["facts"] for answer in answers.values() if answer.how == "ok"]
    return facts, [answer.complaint() for answer in answers.values() if answer.how != "ok"]


def _compared(scope: Scope, facts: Sequence[Mapping[str, Any]], options: Options) -> Mapping[str, Any] | str:
    """What the module answered; or why it did not, as a sentence."""
    # What hosts said is data: as text of a playbook it could be a template.
    packed = base64.b64encode(json.dumps(list(facts)).encode()).decode()
    arguments = {"scope": "clusters", "clusters": list(scope.clusters), "hosts": "{{ told | b64decode | from_json }}"}
    task = {_MODULE: arguments, "vars": {"told": packed}}
    call = Call([str(scope.source)], [scope.control_plane], task, check=True)
    answer = listen(call, options, "Asking the clusters")[scope.control_plane]
    return answer.result if answer.how == "ok" else answer.complaint()


def _summary(scope: Scope, hosts: int, findings: int) -> str:
    seen = f"{_number(len(scope.clusters), 'cluster')} and {_number(hosts, 'host')} looked at"
    return (
        f"{_number(findings, 'sign')} of two owners of one disk; {seen}"
        if findings
        else f"no disk has two owners; {seen}"
    )


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
