# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Disks leave volume groups, are gone and get replaced: refused as a whole, or done, wherever the run is killed."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, replace
from typing import Any

from disk_sets import Draw
from hypothesis import given
from hypothesis import strategies as st
from simulated_block import GIB, DiskModel
from simulated_host import SITE, SimulatedHost
from simulated_lvm import Lvm
from simulated_lvm_day2 import begin_move, unplug
from simulated_lvm_values import Group

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Command


@dataclass(frozen=True)
class Case:
    disks: tuple[DiskModel, ...]
    document: dict[str, Any]
    later: dict[str, Any]
    victims: tuple[str, ...]
    pulled: bool
    new: tuple[DiskModel, ...]


def _disk(serial: str, port: int, size: int) -> DiskModel:
    return DiskModel(serial, "sata", port, size, wwn=f"0x5000c500{port:08x}")


_KINDS = {"linear": 1, "striped": 2, "raid1": 2, "raid5": 3, "raid6": 5, "raid10": 4}


@st.composite
def cases(draw: Draw[Any]) -> Case:
    counts = {"a": draw(st.integers(1, 5)), "b": draw(st.integers(1, 2))}
    port = iter(range(1, 20))
    disks = tuple(
        _disk(f"{group.upper()}{index}", next(port), draw(st.sampled_from((2, 2, 3))) * GIB)
        for group, count in counts.items()
        for index in range(count)
    )
    document: dict[str, Any] = {
        "disks": {group: {"match": {"serial": f"{group.upper()}*"}, "count": count} for group, count in counts.items()},
        "lvm": {"vg": {"physical_volumes": ["a", "b"], "volumes": {}}},
    }
    for group in counts:
        if draw(st.booleans()):
            document.setdefault("partitions", {})[group] = [{"name": "lvm", "size": "90%", "use": "lvm"}]
    refs = [f"{group}.lvm" if group in document.get("partitions", {}) else group for group in counts]
    vg = document["lvm"]["vg"]
    vg["physical_volumes"] = refs
    if draw(st.booleans()):
        vg["thin_pools"] = {"tp": {"size": "300 MiB"}}
    for index in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([one for one, least in _KINDS.items() if least <= sum(counts.values())]))
        entry: dict[str, Any] = {"type": kind, "size": draw(st.sampled_from(("200 MiB", "700 MiB", "1500 MiB")))}
        if kind == "linear" and draw(st.booleans()):
            entry["physical_volumes"] = [draw(st.sampled_from(refs))]
        vg["volumes"][f"v{index}"] = entry
    later = copy.deepcopy(document)
    how = draw(st.sampled_from(("retire", "replace", "drop")))
    if how == "drop":
        later["lvm"]["vg"]["physical_volumes"] = refs[:1]
        victims = tuple(one.serial for one in disks if one.serial.startswith("B"))
        return Case(disks, document, later, victims, False, ())
    victim = draw(st.sampled_from(disks)).serial
    group = later["disks"][victim[0].lower()]
    new: tuple[DiskModel, ...] = ()
    if how == "replace" or group["count"] == 1:
        new = (_disk(f"{victim[0]}9", next(port), draw(st.sampled_from((2, 3))) * GIB),)
        group["replace"] = {victim: new[0].serial}
    else:
        group["retire"], group["count"] = [victim], group["count"] - 1
    if draw(st.booleans()):
        entry = later["lvm"]["vg"]["volumes"]["v0"]
        entry["size"] = f"{int(entry['size'].split()[0]) + 100} MiB"
    return Case(disks, document, later, (victim,), draw(st.booleans()), new)


def lvm_of(host: SimulatedHost) -> Lvm:
    return host.lvm


def _run(host: SimulatedHost, actions: tuple[Action, ...]) -> None:
    for action in actions:
        host.run(action)


def _made(case: Case) -> SimulatedHost | None:
    host = SimulatedHost(case.disks)
    plan = host.plan(case.document)
    if plan.refusals:
        return None  # they do not fit
    _run(host, plan.actions)
    assert host.plan(case.document).actions == ()
    if case.pulled:
        unplug(lvm_of(host), case.victims[0])
    host.plug(case.new)
    return host


@given(cases(), st.data())
def test_what_leaves_is_emptied_or_refused_wherever_the_run_is_killed(case: Case, data: st.DataObject) -> None:
    host = _made(case)
    if host is None:
        return
    plan = host.plan(case.later)
    if plan.refusals:
        words = ("leaves", "needed", "gone", "more", "images", "no physical volume", "group vg and not")
        assert all(any(word in one.sentence() for word in words) for one in plan.refusals), plan.refusals
        return
    for _kill in range(data.draw(st.integers(0, 3), label="kills")):
        _stop_somewhere(host, plan.actions, data)
        plan = host.plan(case.later)
        assert not plan.refusals, [one.sentence() for one in plan.refusals]
    _run(host, plan.actions)
    again = host.plan(case.later)
    assert not again.refusals, [one.sentence() for one in again.refusals]
    assert [one.id for one in again.actions] == []
    _is_whole(host, case)


def _stop_somewhere(host: SimulatedHost, actions: tuple[Action, ...], data: st.DataObject) -> None:
    stop = data.draw(st.integers(0, len(actions)), label="actions done")
    _run(host, actions[:stop])
    if stop == len(actions):
        return
    steps = actions[stop].steps
    done = data.draw(st.integers(0, len(steps)), label="steps done of the next action")
    for step in steps[:done]:
        host.step(step, actions[stop])
    if done < len(steps) and data.draw(st.booleans(), label="within"):
        step = steps[done]
        if isinstance(step, Command) and step.argv[0] == "pvmove" and len(step.argv) > 3:
            begin_move(lvm_of(host), step.argv[1:], actions[stop])


def _is_whole(host: SimulatedHost, case: Case) -> None:
    group: Group = lvm_of(host).groups["vg"]
    disks = {one.node.disk.serial for one in group.members if one.node.disk}
    assert not disks & set(case.victims)
    assert all(one.node.disk and one.node.disk.serial not in case.victims for one in lvm_of(host).physical)
    for one in group.members:
        held = sum(size for part in group.volumes.values() for where, _start, size in part.places if where is one)
        assert held == one.used <= one.extents
    for volume in group.volumes.values():
        assert not group.is_broken(volume)
        if volume.places:
            assert sum(size for _where, _start, size in volume.places) == volume.extents
        images = [part for part in group.parts_of(volume) if "_rimage_" in part.name]
        places = [frozenset(id(where) for where, _start, _size in part.places) for part in images]
        for index, place in enumerate(places):
            assert not any(place & other for other in places[:index]), f"images of {volume.name} share a disk"


@st.composite
def shrinking(draw: Draw[Any]) -> tuple[SimulatedHost, dict[str, Any], dict[str, Any]]:
    """A made host, its document, and one in which ext4 is smaller and others use what that gives back."""
    count = draw(st.integers(2, 4))
    kind = draw(st.sampled_from(("linear", "raid1", "thin")))
    small: dict[str, Any] = {"size": "900 MiB", "size_policy": "exact", "filesystem": "ext4", "type": kind}
    if kind == "thin":
        small["thin_pool"] = "tp"
    if draw(st.booleans()):
        small["mount"] = draw(st.sampled_from(("/srv/small", {"path": "/srv/small", "owner": "daemon"})))
    document: dict[str, Any] = {
        "disks": {"a": {"match": {"serial": "A*"}, "count": count}},
        "lvm": {"vg": {"physical_volumes": ["a"], "thin_pools": {"tp": {"size": "300 MiB"}}, "volumes": {"v0": small}}},
    }
    if draw(st.booleans()):
        document["lvm"]["vg"]["volumes"]["all"] = {"size": "rest"}
    later = copy.deepcopy(document)
    later["lvm"]["vg"]["volumes"]["v0"]["size"] = draw(st.sampled_from(("100 MiB", "512 MiB", "890 MiB")))
    host = SimulatedHost([_disk(f"A{index}", index + 1, 2 * GIB) for index in range(count)])
    plan = host.plan(document)
    assert not plan.refusals, plan.refusals
    _run(host, plan.actions)
    return host, document, later


@given(shrinking(), st.data())
def test_ext4_shrinks_with_one_consent_wherever_the_run_is_killed(
    made: tuple[SimulatedHost, dict[str, Any], dict[str, Any]], data: st.DataObject
) -> None:
    host, _document, later = made
    (refusal,) = host.plan(later).refusals
    found = re.search(r'- \{action: "(.*)", digest: "(.*)"\}', refusal.hint)
    assert found and found[1] == "logical_volume.shrink:vg/v0"
    site = replace(SITE, consent={"irreversible": [{"action": found[1], "digest": found[2]}]})
    for _kill in range(data.draw(st.integers(0, 3), label="kills")):
        plan = host.plan(later, site)
        assert not plan.refusals, [one.sentence() for one in plan.refusals]
        _stop_somewhere(host, plan.actions, data)
    _run(host, host.plan(later, site).actions)
    again = host.plan(later, site)
    assert (again.refusals, [one.id for one in again.actions]) == ((), [])
    assert ("/srv/small" in host.mounts) == ("mount" in later["lvm"]["vg"]["volumes"]["v0"])
