# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Any valid document converges: on the model, in any order, after any interruption, under any names of the kernel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from disk_sets import Draw
from documents import Case, cases
from hypothesis import given
from hypothesis import strategies as st
from side_by_side import side_by_side
from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Plan
from ansible_collections.barestore.storage.plugins.module_utils.plan.order import predecessors
from ansible_collections.barestore.storage.plugins.plugin_utils.validation import validate
from barestore.hostplan import HostPlan
from barestore.remains import change, is_rest


def planned(host: SimulatedHost, document: dict[str, Any]) -> Plan:
    """A plan without refusals."""
    plan = host.consented(document)
    assert not plan.refusals, [one.sentence() for one in plan.refusals]
    assert not [*side_by_side(plan)]
    return plan


def finish(host: SimulatedHost, document: dict[str, Any]) -> None:
    """Run all that is planned; what lies in something closed is planned once it is open."""
    plan = planned(host, document)
    for action in plan.actions:
        host.run(action)
    if plan.is_first_part:
        finish(host, document)


def converged(host: SimulatedHost, document: dict[str, Any]) -> None:
    assert [action.id for action in planned(host, document).actions] == []


@given(cases())
def test_generated_documents_are_valid(case: Case) -> None:
    for document in (case.document, case.larger):
        assert [finding.sentence() for finding in validate(document)] == []


@given(cases())
def test_apply_then_nothing_is_left_to_do(case: Case) -> None:
    host = SimulatedHost(case.disks)
    plan = planned(host, case.document)
    _is_sound(plan, host)
    for action in plan.actions:
        host.run(action)
    converged(host, case.document)


def _is_sound(plan: Plan, host: SimulatedHost) -> None:
    """Actions are JSON, have names of their own, know no kernel names and need nothing that nobody gives."""
    text = json.dumps([action.as_json() for action in plan.actions])
    for node in host.nodes:
        assert f"/dev/{node.kname}" not in text and f'"{node.kname}' not in text
    ids = [action.id for action in plan.actions]
    assert len(ids) == len(set(ids))
    assert set(predecessors(plan.actions)) == set(ids)


@given(cases(), st.randoms(use_true_random=False))
def test_any_order_that_needs_allow_gives_the_same(case: Case, random: Any) -> None:
    # LVM breaks ties by names of the kernel, which no plan may count on.
    host = SimulatedHost(case.disks, random.sample(range(len(case.disks)), len(case.disks)))
    plan = planned(host, case.document)
    for action in shuffled(plan.actions, random):
        host.run(action)
    converged(host, case.document)


def shuffled(actions: Sequence[Action], random: Any) -> list[Action]:
    before = predecessors(actions)
    waiting = {action.id: action for action in actions}
    out: list[Action] = []
    while waiting:
        done = {action.id for action in out}
        ready = [one for one in waiting.values() if before[one.id] <= done]
        chosen = random.choice(ready)
        out.append(waiting.pop(chosen.id))
    return out


@given(cases(), st.data())
def test_a_run_that_stops_anywhere_is_finished_by_the_next(case: Case, data: st.DataObject) -> None:
    host = SimulatedHost(case.disks)
    approved = kept(planned(host, case.document))
    actions = planned(host, case.document).actions
    stop = data.draw(st.integers(0, len(actions)), label="actions done")
    for action in actions[:stop]:
        host.run(action)
    if stop < len(actions):
        steps = actions[stop].steps
        for step in steps[: data.draw(st.integers(0, len(steps)), label="steps done of the next action")]:
            host.step(step, actions[stop])
    rest = planned(host, case.document)
    # So `apply --plan` goes on with the plan that was approved; what is closed now is opened by a plan of its own.
    assert rest.is_first_part or not rest.actions or is_rest(approved, kept(rest)), [one.id for one in rest.actions]
    finish(host, case.document)
    converged(host, case.document)


def kept(plan: Plan) -> HostPlan:
    """The plan as a plan file has it."""
    actions = json.loads(json.dumps([action.as_json() for action in plan.actions]))
    return HostPlan("host", "", "changes", digest(plan), actions, identities=plan.identities)


@st.composite
def permuted(draw: Draw[Any], value: Any) -> Any:
    """The same document with the keys of each mapping, and lists whose order means nothing, in another order."""
    if isinstance(value, dict):
        keys = draw(st.permutations(sorted(value)))
        return {key: _unordered(draw, key, draw(permuted(value[key]))) for key in keys}
    if isinstance(value, list):
        return [draw(permuted(one)) for one in value]
    return value


def _unordered(draw: Draw[Any], key: str, value: Any) -> Any:
    free = key in ("serial", "wwn", "path", "model", "vendor", "transport") and isinstance(value, list)
    return draw(st.permutations(value)) if free else value


@given(cases(), st.data())
def test_order_of_keys_and_kernel_names_do_not_change_the_digest(case: Case, data: st.DataObject) -> None:
    first = planned(SimulatedHost(case.disks), case.document)
    names = data.draw(st.permutations(range(len(case.disks))), label="kernel names")
    document = data.draw(permuted(case.document), label="document")
    second = planned(SimulatedHost(case.disks, names), document)
    assert digest(first) == digest(second)


@given(cases(), st.data())
def test_growing_converges_and_leaves_the_rest_alone(case: Case, data: st.DataObject) -> None:
    host = SimulatedHost(case.disks)
    for action in planned(host, case.document).actions:
        host.run(action)
    host.plug(case.added)
    plan = planned(host, case.larger)
    _touches_only_what_changed(plan, case)
    stop = data.draw(st.integers(0, len(plan.actions)), label="actions done")
    for action in plan.actions[:stop]:
        host.run(action)
    if stop < len(plan.actions):
        steps = plan.actions[stop].steps
        for step in steps[: data.draw(st.integers(0, len(steps)), label="steps done of the next action")]:
            host.step(step, plan.actions[stop])
    rest = planned(host, case.larger)
    if not rest.is_first_part:
        _is_rest_or_shows_another_before(plan, rest)
    finish(host, case.larger)
    converged(host, case.larger)


def _is_rest_or_shows_another_before(plan: Plan, rest: Plan) -> None:
    """An action may start from what an earlier one left, which nobody was shown: `apply --plan` refuses that."""
    if rest.actions and not is_rest(kept(plan), kept(rest)):
        differs = change(kept(plan), kept(rest))
        assert differs.new == ()
        assert all("before" in keys and {*keys} <= {"before", "commands"} for keys in differs.different.values())


def _touches_only_what_changed(plan: Plan, case: Case) -> None:
    """Disks of a group that has the same entries in both documents, and no new disk, are left alone."""
    if case.document == case.larger and not case.added:
        assert plan.actions == ()
    alone = {name: _about(case.document, name) for name in case.document["disks"]}
    grown = {disk.model for disk in case.added}
    same = [
        disk
        for disk in case.disks
        for name, about in alone.items()
        if disk.serial.startswith(name[0].upper())
        and about is not None
        and about == _about(case.larger, name)
        and disk.model not in grown
    ]
    links = {disk.links[0] for disk in same}
    for action in plan.actions:
        assert not links & set(action.disks), f"{action.id} touches {links & set(action.disks)}, which did not change"


@pytest.mark.parametrize("names", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_a_volume_on_some_disks_leaves_others_the_room_that_they_were_planned_to_find(names: tuple[int, ...]) -> None:
    """LVM takes whichever of two equal disks comes first to it, so that it must come last where it has a choice."""
    disks = [DiskModel(serial, "sata", port, 4 * GIB) for port, serial in enumerate(("A1", "A2", "B1"), 1)]
    host = SimulatedHost(disks, names)
    volumes = {
        "raid": {"type": "raid1", "size": "rest"},
        "linear": {"size": "3 GiB", "physical_volumes": ["a"]},
        "anywhere": {"size": "500 MiB"},
    }
    document = {
        "disks": {"a": {"match": {"serial": "A*"}, "count": 2}, "b": {"match": {"serial": "B*"}, "count": 1}},
        "lvm": {"vg": {"physical_volumes": ["a", "b"], "volumes": volumes}},
    }
    finish(host, document)
    converged(host, document)


def _about(document: dict[str, Any], group: str) -> Any:
    """All that a document says of a disk group; None when other sections speak of it by another name."""
    text = json.dumps([document.get(section) for section in ("lvm", "zfs", "md", "luks")])
    if f'"{group}"' in text or f'"{group}.' in text:
        return None
    sections = ("filesystems", "swap", "local_volumes")
    named = [
        entry
        for section in sections
        for name, entry in document.get(section, {}).items()
        if entry.get("device", entry.get("source", name)).split(".")[0] == group
    ]
    return document["disks"][group], document.get("partitions", {}).get(group), named
