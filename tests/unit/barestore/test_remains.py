# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of an approved plan, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from barestore.hostplan import HostPlan
from barestore.remains import change, is_rest

CHECK, MAKE, OTHER = ({"argv": [word, "/dev/x"]} for word in ("wipefs", "pvcreate", "dd"))
DISKS = {"wwn-0x1": {"serial": "A", "wwn": "0x1"}}


def plan(*actions: dict[str, Any], disks: Any = None) -> HostPlan:
    return HostPlan("h", "", "changes", "", actions, identities=DISKS if disks is None else disks)


def action(name: str, *commands: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "before": None, "after": None, "commands": list(commands), **more}


APPROVED = plan(action("one", CHECK, MAKE), action("two", MAKE), action("three", MAKE))


@pytest.mark.parametrize(
    ("now", "rest"),
    [
        (plan(action("two", MAKE)), True),
        (plan(action("three", MAKE), action("two", MAKE)), True),
        (plan(action("one", MAKE)), True),
        (plan(action("one", MAKE, CHECK)), False),
        (plan(action("one", CHECK, MAKE, MAKE)), False),
        (plan(action("two", OTHER)), False),
        (plan(action("two", MAKE, before={"size": 1})), False),
        (plan(action("two", MAKE, destroys=["x"])), False),
        (plan(action("four", MAKE)), False),
        (plan(action("two", MAKE), disks={"wwn-0x1": {"serial": "B", "wwn": "0x1"}}), False),
        (plan(action("two", MAKE), disks={"wwn-0x2": {"serial": "A", "wwn": "0x1"}}), False),
        (plan(), False),
    ],
)
def test_only_what_was_approved_is_left(now: HostPlan, rest: bool) -> None:
    assert is_rest(APPROVED, now) is rest


def test_what_changed_is_named() -> None:
    found = change(APPROVED, plan(action("one", OTHER, MAKE, before={}), action("two", MAKE), action("four")))
    assert found.as_json() == {"new": ["four"], "gone": ["three"], "different": {"one": ["before", "commands"]}}
    assert found.sentence() == (
        "Its plan is not the approved one any more; new: four; no longer planned: three; "
        "different: one (before, commands). Look at the new plan and approve it."
    )


def test_fewer_commands_are_no_reason() -> None:
    found = change(APPROVED, plan(action("one", MAKE), action("two", MAKE, before={}), action("three", MAKE)))
    assert found.as_json() == {"new": [], "gone": [], "different": {"two": ["before"]}}


def test_other_disks_of_the_same_actions() -> None:
    assert "the same actions, for other disks" in change(APPROVED, APPROVED).sentence()
