# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of Molecule, as machines and documents: each is an inventory with one host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.barestore.storage.plugins.plugin_utils.host_document import merged_document
from barestore.lab.machine import Machine, parse_machine

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "extensions" / "molecule"
HOST = "lab1"
NAMES = ("default", "lvm", "zfs", "mixed", "grow", "large-sectors")
# Documents for hosts in use: test_kill_matrix.py applies them.
DAY2 = ("lvm-day2", "zfs-day2")


@dataclass(frozen=True)
class Scenario:
    """A host and the documents that it gets one after the other; all but ``grow`` have one."""

    name: str
    machine: Machine
    documents: tuple[dict[str, Any], ...]
    consent: dict[str, Any]


def scenario(name: str) -> Scenario:
    """A scenario by its name."""
    inventory = ROOT / "inventories" / "lab" if name == "default" else FOLDER / name / "inventory"
    files = [*inventory.glob("group_vars/**/*.yml"), *inventory.glob(f"host_vars/{HOST}/*.yml")]
    variables: dict[str, Any] = {}
    for file in sorted(files):
        variables |= yaml.safe_load(file.read_text())
    before = FOLDER / name / "vars" / "before.yml"
    stages = [yaml.safe_load(before.read_text())] if before.exists() else []
    documents = tuple(_document(stage) for stage in [*stages, variables])
    return Scenario(
        name, parse_machine(HOST, variables["lab_machine"]), documents, variables.get("host_storage_consent", {})
    )


def _document(variables: Mapping[str, Any]) -> dict[str, Any]:
    merged, _fragments = merged_document(variables, lambda value: value)
    assert not merged.conflicts, [conflict.sentence() for conflict in merged.conflicts]
    document: dict[str, Any] = json.loads(json.dumps(merged.document))
    return document


def turned(value: Any) -> Any:
    """The same document with the keys of all mappings in the opposite order, and lists of names that mean sets."""
    if isinstance(value, Mapping):
        return {
            key: turned(list(reversed(entry)) if key == "serial" and isinstance(entry, list) else entry)
            for key, entry in reversed(value.items())
        }
    return [turned(entry) for entry in value] if isinstance(value, list) else value


def rewired(machine: Machine) -> Machine:
    """The same disks in the same slots, put in in the opposite order, so that the kernel names them otherwise."""
    return replace(machine, disks=tuple(reversed(machine.disks)))
