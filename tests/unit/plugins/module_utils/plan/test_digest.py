# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal plans have equal digests; any change of a command or an identity gives another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Command, Plan

BASE = Action(
    "volume_group",
    "create",
    "fast",
    steps=(Command(("vgcreate", "fast", "/dev/disk/by-id/a")),),
    after={"members": ["a"]},
    needs=frozenset({"x", "y", "z"}),
    disks=("a",),
)


def plan(action: Action = BASE, serial: str = "S1") -> Plan:
    return Plan((action,), identities={"a": {"serial": serial, "wwn": ""}})


def test_equal_values_give_equal_digests() -> None:
    same = replace(BASE, needs=frozenset(["z", "y", "x"]), after={"members": ["a"]})
    assert digest(plan()) == digest(plan(same))


def test_notes_are_no_part_of_it() -> None:
    assert digest(plan()) == digest(replace(plan(), notes=("a remark",)))


@pytest.mark.parametrize(
    "other",
    [
        plan(replace(BASE, steps=(Command(("vgcreate", "fast", "/dev/disk/by-id/b")),))),
        plan(replace(BASE, steps=(Command(("vgcreate", "fast", "/dev/disk/by-id/a"), stdin="y\n"),))),
        plan(replace(BASE, after={"members": ["b"]})),
        plan(replace(BASE, disks=("b",))),
        plan(serial="S2"),
        Plan(()),
    ],
)
def test_a_change_gives_another_digest(other: Plan) -> None:
    assert digest(plan()) != digest(other)
