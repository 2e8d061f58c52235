# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks with one serial number, as namespaces of an NVMe controller or actuators of a drive: each is its own disk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from simulated_block import GIB, DiskModel
from simulated_host import ModelObserver, SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.host import blockdevices
from ansible_collections.barestore.storage.plugins.module_utils.host.disk_facts import disk_facts
from ansible_collections.barestore.storage.plugins.module_utils.host.kinds import disk
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import PlanError
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Plan

FIRST, SECOND = (DiskModel("D1", "sas", port, 2 * GIB, wwn=f"0x5000c5000000000{port}") for port in (1, 2))
NAMES = ("wwn-0x5000c50000000001", "wwn-0x5000c50000000002")


def _document(match: dict[str, Any], count: int = 2) -> dict[str, Any]:
    return {
        "disks": {"d": {"match": match, "count": count}},
        "partitions": {"d": [{"name": "data", "size": "rest", "use": "filesystem"}]},
        "filesystems": {"f": {"device": "d.data", "type": "ext4", "mount": "/srv/{serial}"}},
    }


def _applied(host: SimulatedHost, document: dict[str, Any]) -> Plan:
    plan = host.plan(document)
    assert not plan.refusals, plan.refusals
    for action in plan.actions:
        host.run(action)
    assert host.plan(document).actions == ()
    return plan


def test_each_of_them_gets_all_that_the_document_says() -> None:
    host = SimulatedHost([FIRST, SECOND])
    ids = {one.id for one in _applied(host, _document({"serial": "D1*"})).actions}
    assert ids >= {f"filesystem.create:d.data@{name}" for name in NAMES}
    assert ids >= {f"partition_table.create:{name}" for name in NAMES}
    assert ids >= {f"mount.mount:/srv/{name}" for name in NAMES}


def test_two_actions_of_one_name_are_never_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_told_apart", iter)
    with pytest.raises(PlanError, match="two actions are called"):
        SimulatedHost([FIRST, SECOND]).plan(_document({"serial": "D1*"}))


def test_a_namespace_goes_by_a_link_that_stays_its_own() -> None:
    worlds = [f"nvme.1b36-4431-5445-0000000{number}" for number in (1, 2)]
    host = SimulatedHost([DiskModel("D1", "nvme", 1, 2 * GIB, wwn=wwn) for wwn in worlds])
    actions = _applied(host, _document({"serial": "D1*"})).actions
    assert {disk for one in actions for disk in one.disks} == {f"nvme-{wwn}" for wwn in worlds}


def test_a_drive_that_is_retired_goes_with_all_that_has_its_number() -> None:
    host = SimulatedHost([FIRST, SECOND, replace(SECOND, serial="D3", port=3, wwn="0x5000c50000000003")])
    group: dict[str, Any] = {"match": {"rotational": False}, "count": 3}
    document = {"disks": {"d": group}, "lvm": {"vg": {"physical_volumes": ["d"]}}}
    _applied(host, document)
    group.update(count=1, retire=["D1"])
    ids = {one.id for one in _applied(host, document).actions}
    assert ids >= {f"physical_volume.remove:leaving@{name}" for name in NAMES}


def test_one_that_was_chosen_is_known_when_another_comes_and_goes() -> None:
    host = SimulatedHost([FIRST])
    document = _document({"wwn": FIRST.wwn}, count=1)
    document["filesystems"]["f"]["mount"] = "/srv/data"
    _applied(host, document)
    host.plug([SECOND])
    plan = host.plan(document)
    assert (plan.actions, plan.refusals) == ((), ())


def test_the_number_is_told_where_people_look_for_the_drive() -> None:
    host = SimulatedHost([FIRST, SECOND])
    seen, _plan = ModelObserver(host).observe(blockdevices.PROBES, lambda _seen: Plan(()))
    assert [one["serial"] for one in disk_facts(seen)] == ["D1", "D1"]
