# SPDX-License-Identifier: GPL-3.0-or-later
"""Order comes from needs and provides, and is the only one for equal actions."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import PlanError
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action
from ansible_collections.barestore.storage.plugins.module_utils.plan.order import chains, ordered, predecessors


def action(name: str, needs: str = "", provides: str = "") -> Action:
    return Action("kind", "make", name, steps=(), needs=frozenset(needs.split()), provides=frozenset(provides.split()))


TABLE = (
    action("mount", needs="filesystem"),
    action("mkfs", needs="volume", provides="filesystem"),
    action("volume", needs="group", provides="volume"),
    action("group", needs="disk-a disk-b", provides="group"),
    action("b", provides="disk-b"),
    action("a", provides="disk-a"),
)


def test_every_order_of_the_same_actions_gives_one_order() -> None:
    wanted = ["a", "b", "group", "volume", "mkfs", "mount"]
    for shuffled in itertools.permutations(TABLE):
        assert [one.target for one in ordered(shuffled)] == wanted


def test_a_chain_is_as_long_as_what_waits_for_it() -> None:
    found = chains(predecessors(ordered(TABLE)))
    assert {name.partition(":")[2]: length for name, length in found.items()} == {
        "a": 4, "b": 4, "group": 3, "volume": 2, "mkfs": 1, "mount": 0,
    }  # fmt: skip


def test_a_need_that_nobody_provides_is_met() -> None:
    assert predecessors((action("x", needs="there already"),)) == {"kind.make:x": frozenset()}


def test_all_providers_of_one_resource_come_first() -> None:
    actions = (action("reload", needs="fstab"), action("one", provides="fstab"), action("two", provides="fstab"))
    assert [one.target for one in ordered(actions)] == ["one", "two", "reload"]


def test_an_action_that_needs_what_it_provides_does_not_wait_for_itself() -> None:
    assert len(ordered((action("grow", needs="pv", provides="pv"),))) == 1


def test_a_circle_names_its_actions() -> None:
    with pytest.raises(PlanError, match="these actions need each other: kind.make:a, kind.make:b"):
        ordered((action("a", needs="y", provides="x"), action("b", needs="x", provides="y")))


def test_two_actions_of_one_name_are_a_defect() -> None:
    with pytest.raises(PlanError, match="two actions are named kind.make:a"):
        predecessors((action("a"), action("a")))
