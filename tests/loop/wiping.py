# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans and runs wipes of a loop device as a host does: observer, planner's wipes, executor, journal."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.barestore.storage.plugins.module_utils.host import blockdevices
from ansible_collections.barestore.storage.plugins.module_utils.host.blank import UNFINISHED, unless_blank
from ansible_collections.barestore.storage.plugins.module_utils.host.executor import Executor
from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.report import FULLREPORT
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation, Probe
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.host.selection import Disk
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device, Site, State
from ansible_collections.barestore.storage.plugins.module_utils.host.wiping import records
from ansible_collections.barestore.storage.plugins.module_utils.host.wiping.wipes import Wipes
from ansible_collections.barestore.storage.plugins.module_utils.plan.journal import Journal
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Plan
from ansible_collections.barestore.storage.plugins.module_utils.plan.order import ordered
from ansible_collections.barestore.storage.plugins.module_utils.plan.policy import refusals
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

BLOCK = 4096
_LINE = re.compile(r"below wipe: (- \{.*\})$")


class NoGroups(Observer):
    """LVM as it answers where no group is: the labels of these images belong to none, and the tool may not be here."""

    def answers(self, probes: Iterable[Probe]) -> dict[str, Any]:
        none = {FULLREPORT.key: {"rc": 0, "stdout": '{"report": []}', "stderr": ""}}
        asked = list(probes)
        found = super().answers(one for one in asked if one != FULLREPORT)
        return {**found, **(none if FULLREPORT in asked else {})}


def plan(disk: Disk, *consents: dict[str, str], observer: Observer | None = None) -> Plan:
    """What a plan that would make an xfs on this disk does about what is on it."""
    device = Device(
        "disk", disk.path, f"disk:{disk.id}", disk.size, disk.sector, (disk.id,), disk.seed, True, f"disk {disk.title}"
    )

    def planned(seen: Observation) -> Plan:
        have = State({"disk": (disk,)}, blockdevices.read(seen))
        wipes = Wipes(have, seen, Site("loop", "here", {"wipe": list(consents)}))
        in_the_way = tuple(unless_blank(seen, device, "xfs"))
        wipes.add(in_the_way, [disk])
        actions = tuple(wipes.actions())
        refused = tuple(wipes.refusals()) or (() if wipes.disks else in_the_way)
        return Plan(() if refused else ordered(actions), refused or tuple(refusals(actions, wipes.consents)))

    probes = (*blockdevices.PROBES, records.PROBE, UNFINISHED)
    return (observer or NoGroups(Runner())).observe(probes, planned)[1]


def consent(plan: Plan) -> dict[str, str]:
    """The line that a refusal asks for."""
    (refusal,) = plan.refusals
    line = _LINE.search(refusal.hint)
    assert line, refusal.sentence()
    (entry,) = yaml.safe_load(line[1])
    return dict(entry)


def execute(plan: Plan, folder: Path) -> None:
    assert not plan.refusals, [one.sentence() for one in plan.refusals]
    runner = Runner()
    # Two runs of one process within a second would have one name.
    journal = Journal.create(tempfile.mkdtemp(dir=folder), 64)
    try:
        Executor(runner, journal, Observer(runner).shortfall).execute(plan)
    finally:
        journal.close()


def digest(path: Path, node: str) -> str:
    """Of a sparse file behind a loop device: what is in it, and where."""
    found = hashlib.sha256()
    handle = os.open(node, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    with path.open("rb") as image:
        size, end = path.stat().st_size, 0
        while end < size:
            try:
                start = os.lseek(image.fileno(), end, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(image.fileno(), start, os.SEEK_HOLE)
            # Extents come and go as the file system likes; blocks with something in them do not.
            for at in range(start // BLOCK * BLOCK, end, BLOCK):
                raw = os.pread(image.fileno(), BLOCK, at)
                if any(raw):
                    found.update(f"{at} ".encode() + raw)
    return found.hexdigest()
