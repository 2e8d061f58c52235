# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Disks are chosen by what they are: names of the kernel never matter, a chosen disk is never replaced by another."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import disk_sets
from disk_sets import Group, Scale
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulated_block import DiskModel
from simulated_host import SimulatedHost

_SHUFFLES = 5  # of each example, so that 200 examples are 1000 shuffles
_PINS = "/var/lib/barestore/state.json"


def _document(groups: list[Group]) -> dict[str, Any]:
    return {"disks": {group.name: group.entry for group in groups}}


def _disks(groups: list[Group]) -> list[DiskModel]:
    return [disk_sets.system_disk(), disk_sets.stray(1), *(disk for group in groups for disk in group.disks)]


def _chosen(host: SimulatedHost, document: dict[str, Any]) -> str:
    """The pins that a run writes."""
    plan = host.plan(document)
    assert not plan.refusals, [one.sentence() for one in plan.refusals]
    for action in plan.actions:
        host.run(action)
    return host.files[_PINS]


@given(disk_sets.groups(Scale()), st.randoms(use_true_random=False))
def test_shuffled_kernel_names_choose_the_same_disks(groups: list[Group], shuffle: random.Random) -> None:
    disks, document = _disks(groups), _document(groups)
    first = _chosen(SimulatedHost(disks), document)
    for _ in range(_SHUFFLES):
        names = list(range(len(disks)))
        shuffle.shuffle(names)
        order = sorted(disks, key=lambda _disk: shuffle.random())
        assert _chosen(SimulatedHost(order, names), document) == first


@given(disk_sets.groups(Scale()))
def test_groups_are_disjoint_and_have_their_count(groups: list[Group]) -> None:
    host = SimulatedHost(_disks(groups))
    plan = host.plan(_document(groups))
    (pin,) = plan.actions
    assert pin.after is not None
    chosen = [serial for serials in pin.after.values() for serial in serials]
    assert len(chosen) == len(set(chosen))
    for group in groups:
        wanted = group.entry.get("take", len(group.disks))
        assert len(pin.after[group.name]) == wanted
        assert set(pin.after[group.name]) <= {disk.serial for disk in group.disks}


@given(disk_sets.groups(Scale()), st.data())
def test_a_chosen_disk_that_is_gone_is_never_replaced(groups: list[Group], data: st.DataObject) -> None:
    document = _document(groups)
    host = SimulatedHost(_disks(groups))
    pins = _chosen(host, document)
    gone = data.draw(st.sampled_from([disk for group in groups for disk in group.disks]), label="gone")
    assume(f'"{gone.serial}"' in pins)
    group = next(one for one in groups if gone in one.disks)
    # Another disk of the same make comes in its place.
    stands_in = replace(gone, serial=f"{gone.serial[:-1]}9", wwn=gone.wwn and f"{gone.wwn[:-1]}f", port=39)
    left = [disk for disk in _disks(groups) if disk != gone]
    later = SimulatedHost([*left, *data.draw(st.sampled_from(([], [stands_in])), label="instead")])
    later.files[_PINS] = pins
    plan = later.plan(document)
    assert plan.actions == ()
    (refusal,) = plan.refusals
    assert group.name in refusal.target and gone.serial in refusal.message


@settings(max_examples=50)
@given(disk_sets.groups(Scale(groups=2)))
def test_a_disk_in_two_groups_is_refused(groups: list[Group]) -> None:
    document = _document(groups)
    document["disks"]["again"] = {"match": {"serial": groups[0].disks[0].serial}, "count": 1}
    plan = SimulatedHost(_disks(groups)).plan(document)
    if "take" not in groups[0].entry:
        assert plan.actions == () and "matches the group" in plan.refusals[0].message
