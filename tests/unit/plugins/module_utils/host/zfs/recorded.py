# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans from recordings of a virtual host with ZFS 2.3: ``NAME.json`` is what was read, ``NAME.yml`` the document."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.normal_form import long_form
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Command, Plan

RECORDINGS = Path(__file__).parent / "recordings"
STATUS = "run:zpool status"
POOLS = "run:zpool get"
DATASETS = "run:zfs get"
_LINE = re.compile(r'- \{action: "(.+)", digest: "(sha256:[0-9a-f]{64})"\}$')


def plan(
    recording: str, *changes: tuple[str, str], answers: dict[str, Any] | None = None, consent: bool = False
) -> Plan:
    """The plan for the recording's own document with parts of its text changed, and other answers to some questions.

    With ``consent``, of somebody who pasted the lines that its refusals ask for.
    """
    text = (RECORDINGS / f"{recording}.yml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    document = long_form(yaml.safe_load(text))
    # A recording answers what the planner asked then; its words and their order may be others today.
    asked = {" ".join(probe.key.split()[:2]): probe.key for probe in planner.probes(document)}
    old_answers = json.loads((RECORDINGS / f"{recording}.json").read_text())["answers"]
    known = {**old_answers, **(answers or {})}
    short = {key: " ".join(key.split()[:2]) for key in known}
    mean = {key: asked.get(short[key], key) if key in (*old_answers, short[key]) else key for key in known}
    seen = Observation({mean[key]: answer for key, answer in known.items()})
    found = planner.plan(document, seen, Site("lab", "zfs1"))
    if consent:
        lines = [_LINE.search(refusal.hint) for refusal in found.refusals]
        pasted = [{"action": line[1], "digest": line[2]} for line in lines if line]
        found = planner.plan(document, seen, Site("lab", "zfs1", {"irreversible": pasted}))
    assert not seen.missing, seen.missing
    return found


def commands(found: Plan, kind: str) -> list[str]:
    assert not found.refusals, found.refusals
    steps = [step for action in found.actions if action.kind == kind for step in action.steps]
    return [" ".join(step.argv).replace("/dev/disk/by-id/", "") for step in steps if isinstance(step, Command)]


def sentences(found: Plan) -> list[str]:
    return [refusal.sentence() for refusal in found.refusals]


def recorded(name: str) -> str:
    """A recorded text."""
    return (RECORDINGS / f"{name}.txt").read_text()


def made_properties(*changes: tuple[str, str | None]) -> str:
    """What ``zpool get`` said of the pool that was made, with some values changed or, for None, left out."""
    text: str = json.loads((RECORDINGS / "made.json").read_text())["answers"]["run:zpool get -Hp all"]["stdout"]
    wanted = dict(changes)
    rows = [line.split("\t") for line in text.splitlines()]
    kept = [[*row[:2], wanted.get(row[1]) or row[2], *row[3:]] for row in rows if wanted.get(row[1], "") is not None]
    return "".join("\t".join(row) + "\n" for row in kept)
