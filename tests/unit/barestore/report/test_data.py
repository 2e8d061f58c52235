# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as the page shows them."""

from __future__ import annotations

from typing import Any

import pytest

from barestore.hostplan import HostPlan
from barestore.report.data import USES, Facts, Trouble, kind_of, use_of, view


def disk(name: str = "wwn-0x50", **fields: Any) -> dict[str, Any]:
    known = {"id": name, "serial": "HDD1", "wwn": "0x50", "vendor": "V", "model": "M", "size": 1000}
    where = {"slot": "pci-0000:00:0c.0-scsi-0:0:0:0", "transport": "sas", "rotational": True}
    return {**known, **where, "content": "", "holds": [], "out_of_reach": "", **fields}


def action(**fields: Any) -> dict[str, Any]:
    return {"id": "x", "kind": "thing", "verb": "create", "target": "t", "before": None, "after": None, **fields}


@pytest.mark.parametrize(
    ("carries", "use"),
    [
        ("", "free"), ("ZFS tank log", "zfs"), ("zfs", "zfs"), ("LVM fast", "lvm"), ("local volume osd", "local"),
        ("xfs /srv", "fs"), ("filesystem", "fs"), ("swap", "swap"), ("md", "md"), ("LUKS", "luks"),
        ("ceph_bluestore", "ceph"), ("bcache", "other"),
    ],
)  # fmt: skip
def test_uses(carries: str, use: str) -> None:
    assert use_of(carries) == use
    assert use in USES


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({}, "hdd"), ({"rotational": False}, "ssd"), ({"rotational": False, "transport": "nvme"}, "nvme")],
)
def test_classes(fields: dict[str, Any], kind: str) -> None:
    assert kind_of(disk(**fields)) == kind


def test_names_of_the_observation_stand_for_signatures() -> None:
    part = {"name": "fast", "number": 2, "size": 900, "content": "LVM2_member", "label": "", "mounted": []}
    plan = HostPlan("h", "r", "nothing", disks=[disk(holds=[part])])
    shown = view(plan, Facts(carried={("wwn-0x50", 2): "LVM fast"}, groups={"wwn-0x50": "log"})).disks[0]
    assert [(one.carries, one.use) for one in shown.now] == [("LVM fast", "lvm")]
    assert (shown.then, shown.group, shown.slot, shown.model) == (shown.now, "log", "00:0c.0-scsi-0:0:0:0", "V M")


def test_a_disk_given_away_carries_what_the_link_says() -> None:
    plan = HostPlan("h", "r", "nothing", disks=[disk()])
    shown = view(plan, Facts(carried={("wwn-0x50", 0): "local volume osd"})).disks[0]
    assert [(one.number, one.size, one.use) for one in shown.now] == [(0, 1000, "local")]


def test_out_of_reach_is_not_ours() -> None:
    swap = disk(out_of_reach="swap in use lies on it", content="swap")
    plan = HostPlan("h", "r", "nothing", disks=[swap])
    assert view(plan).disks[0].now[0].use == "system"
    assert view(plan).disks[0].why == "out of reach: swap in use lies on it"
    assert view(plan, Facts(groups={"wwn-0x50": "log"})).disks[0].now[0].use == "swap"


def test_before_and_after() -> None:
    steps = [
        action(kind="disk", target="chosen disks", disks=["wwn-0x50"]),
        action(kind="swap", target="log@HDD1", disks=["wwn-0x50"]),
    ]
    shown = view(HostPlan("h", "r", "changes", actions=steps, disks=[disk(), disk("wwn-0x51", serial="HDD2")]))
    first, second = shown.disks
    assert (first.now, [one.use for one in first.then], first.mark) == ((), ["swap"], "changes")
    assert (second.then, second.mark) == ((), "")
    assert (shown.counts, shown.touches) == ((2, 0, 0, 0), ((0,), (0,)))


def test_what_is_destroyed_and_what_is_not_healthy() -> None:
    lost = [{"disk": "wwn-0x50", "contents": "sha256:1", "what": "ext4 'old'"}]
    plan = HostPlan("h", "r", "changes", actions=[action(disks=["wwn-0x50"], destroys=lost)], disks=[disk()])
    shown = view(plan, Facts(troubles=[Trouble("bad", "FAULTED", "wwn-0x50"), Trouble("warn", "pool")]))
    assert (shown.disks[0].mark, shown.disks[0].trouble) == ("destroys", "FAULTED")
    assert shown.counts == (0, 0, 0, 1)


def test_choosing_disks_marks_none() -> None:
    plan = HostPlan("h", "r", "changes", actions=[action(kind="disk", verb="pin", disks=["wwn-0x50"])], disks=[disk()])
    assert view(plan).disks[0].mark == ""
