# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of a Debian 13 guest (lvm2 2.03.31): blank disks, and the same after the document was applied."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.report import FULLREPORT
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.planner import plan
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Command, Plan

_RECORDINGS = Path(__file__).resolve().parents[4] / "observations"


def _load(name: str) -> Any:
    return json.loads((_RECORDINGS / f"lvm_{name}.json").read_text())


@dataclass
class Lvm:
    """A host to plan for: change ``document`` and ``answers``, then look at the plan."""

    document: dict[str, Any]
    answers: dict[str, Any]
    asked: dict[str, Any] = field(default_factory=dict)

    def report(self, change: Callable[[list[dict[str, Any]]], None]) -> None:
        """Change what LVM reports: a list with ``vg``, ``pv``, ``lv``, ``seg`` and ``pvseg`` of each group."""
        found = json.loads(self.answers[FULLREPORT.key]["stdout"])
        change(found["report"])
        self.answers[FULLREPORT.key] = {"rc": 0, "stdout": json.dumps(found), "stderr": ""}

    def row(self, kind: str, name: str, **values: str) -> None:
        """Change one row of the report, found by its name."""

        def change(sections: list[dict[str, Any]]) -> None:
            rows = [row for section in sections for row in section.get(kind, []) if row[f"{kind}_name"] == name]
            assert rows, name
            for row in rows:
                row.update(values)

        self.report(change)

    def plan(self) -> Plan:
        observation = Observation(self.answers)
        found = plan(self.document, observation, Site("lab", "lvm"))
        self.asked = dict(observation.missing)
        return found

    def ids(self) -> list[str]:
        found = self.plan()
        assert found.refusals == ()
        return [action.id for action in found.actions]

    def argv(self, action: str) -> list[str]:
        """The command lines of one action."""
        found = self.plan()
        assert found.refusals == ()
        steps = next(one.steps for one in found.actions if one.id == action)
        return [" ".join(step.argv) for step in steps if isinstance(step, Command)]

    def refusal(self) -> str:
        return self.plan().refusals[0].sentence()


@pytest.fixture
def blank() -> Lvm:
    return Lvm(copy.deepcopy(_load("document")), _load("blank")["answers"])


@pytest.fixture
def made() -> Lvm:
    return Lvm(copy.deepcopy(_load("document")), _load("made")["answers"])
