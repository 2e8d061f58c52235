# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mounts: owners and modes in any spelling, and options that leave no hole in fstab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Plan

DISK = DiskModel("D1", "sas", 1, 2 * GIB, wwn="0x5000c50000000001")


def _document(mount: dict[str, Any], kind: str = "ext4") -> dict[str, Any]:
    return {
        "disks": {"d": {"match": {"serial": "D1"}, "count": 1}},
        "filesystems": {"f": {"device": "d", "type": kind, "mount": {"path": "/srv/d", **mount}}},
    }


def _applied(document: dict[str, Any]) -> tuple[SimulatedHost, Plan]:
    host = SimulatedHost([DISK])
    plan = host.plan(document)
    assert not plan.refusals, plan.refusals
    for action in plan.actions:
        host.run(action)
    return host, plan


@pytest.mark.parametrize(
    "asked",
    [
        {"owner": "0"},
        {"owner": "8", "group": "mail"},
        {"owner": "4242", "group": "4243"},
        {"mode": "750"},
        {"mode": "0755"},
        {"owner": "daemon", "mode": "1777"},
    ],
)
def test_an_owner_by_number_or_a_short_mode_is_met_after_one_run(asked: dict[str, Any]) -> None:
    host, _plan = _applied(_document(asked))
    assert host.plan(_document(asked)).actions == ()


def test_an_account_that_is_not_there_is_refused_by_name() -> None:
    plan = SimulatedHost([DISK]).plan(_document({"owner": "nosuch"}))
    assert [one.sentence() for one in plan.refusals] == [
        "/srv/d: its owner 'nosuch' is not known on this host; create it before, or correct the name."
    ]


def test_no_options_and_no_nofail_are_the_defaults_and_not_an_empty_field() -> None:
    host, _plan = _applied(_document({"options": [], "nofail": False}))
    (line,) = [line for line in host.files["/etc/fstab"].splitlines() if "/srv/d" in line]
    assert line.split()[1:] == ["/srv/d", "ext4", "defaults", "0", "2"]


def test_errors_that_the_kernel_met_in_an_ext4_are_told() -> None:
    host, _plan = _applied(_document({}))
    counter = "/sys/fs/ext4/sda/errors_count"
    host.files[counter] = "0\n"
    assert host.plan(_document({})).notes == ()
    host.files[counter] = "2\n"
    plan = host.plan(_document({}))
    assert (plan.actions, plan.refusals) == ((), ())
    assert plan.notes == (
        "/srv/d: the kernel met errors in its ext4 (2) and may have stopped writing to it; unmount it, run "
        "'e2fsck -f /dev/disk/by-id/wwn-0x5000c50000000001', and run again.",
    )


def test_an_xfs_that_was_shut_down_is_told() -> None:
    document = _document({}, kind="xfs")
    host, _plan = _applied(document)
    assert host.plan(document).notes == ()
    host.unreadable.add("/srv/d")
    plan = host.plan(document)
    assert (plan.actions, plan.refusals) == ((), ())
    assert plan.notes == (
        "/srv/d: the kernel shut its xfs down after an error, and nothing in it can be read; unmount it and run "
        "again; where its mount fails, 'xfs_repair /dev/disk/by-id/wwn-0x5000c50000000001' says why.",
    )


@pytest.mark.parametrize(("empty", "told"), [(False, "is not empty"), (None, "cannot be read")])
def test_a_folder_is_not_hidden_unless_nothing_is_known_to_be_in_it(
    monkeypatch: pytest.MonkeyPatch, empty: bool | None, told: str
) -> None:
    host = SimulatedHost([DISK])
    seen = host.stat("/srv")
    assert seen
    monkeypatch.setattr(host, "stat", lambda _path: {**seen, "empty": empty})
    assert [one.sentence() for one in host.plan(_document({})).refusals] == [
        f"/srv/d: the folder {told}, and a mount would hide what is in it; move its files away first."
    ]


@pytest.mark.parametrize(
    "line", ["UUID=old /srv/d ext4", "UUID=old /srv/d/ ext4 defaults", "UUID=old //srv//d ext4 ro"]
)
def test_a_line_in_any_spelling_is_a_line(line: str) -> None:
    host, _plan = _applied(_document({}))
    host.files["/etc/fstab"] = f"{line}\n"
    (change,) = (one for one in host.plan(_document({})).actions if one.verb == "change")
    host.run(change)
    assert host.files["/etc/fstab"].count("ext4") == 1
    assert " /srv/d ext4 defaults,nofail " in host.files["/etc/fstab"]


def test_of_several_lines_of_fstab_none_is_chosen() -> None:
    host, _plan = _applied(_document({}))
    ours = host.files["/etc/fstab"]
    host.files["/etc/fstab"] = f"UUID=old /srv/d ext4 defaults 0 2\n{ours}"
    assert [one.sentence() for one in host.plan(_document({})).refusals] == [
        "/srv/d: /etc/fstab has 2 different lines for it; leave the one that holds, or none."
    ]
    host.files["/etc/fstab"] = ours
    assert host.plan(_document({})).actions == ()


@pytest.mark.parametrize("serial", ["A/B", "..", "A B", "A\\B"])
def test_a_serial_number_that_is_no_name_of_a_folder_makes_no_path(serial: str) -> None:
    document = _document({"path": "/srv/{serial}"})
    document["disks"]["d"]["match"] = {"rotational": False}
    refusals = SimulatedHost([replace(DISK, serial=serial)]).plan(document).refusals
    assert [one.message for one in refusals] == [
        f"its serial number '{serial}' cannot be a part of the mount point '/srv/{{serial}}'"
    ]
