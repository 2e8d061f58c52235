# SPDX-License-Identifier: GPL-3.0-or-later
"""The racks of a cluster before and after a plan."""

from __future__ import annotations

from barestore import spread
from barestore.osds import REMOVED, REPLACED, OsdChange
from barestore.words import CHANGES, CREATES, DESTROYS


def change(sign: str, what: str, rack: str = "", host: str = "", device_set: str = "hdd") -> OsdChange:
    return OsdChange(sign, what, "osd.1", device_set, rack, host, "", "")


def test_osds_stay_come_go_and_get_other_disks() -> None:
    found = spread.rows(
        {"hdd": {"rack1": 2, "rack2": 3}, "ssd": {"rack1": 1}},
        [
            change(CREATES, "new", "rack1"),
            change(DESTROYS, REMOVED, "rack2", "h2"),
            change(DESTROYS, REPLACED, "rack2", "h3"),
            change(CHANGES, "stays after all", "rack1"),
        ],
    )
    assert [(one.device_set, one.domain, one.before, one.after) for one in found] == [
        ("hdd", "rack1", 2, 3),
        ("hdd", "rack2", 3, 2),
        ("ssd", "rack1", 1, 1),
    ]
    assert dict(found[1].signs) == {spread.STAYS: 1, DESTROYS: 1, CHANGES: 1}


def test_hosts_are_domains_too_and_what_an_earlier_run_left_does_not_count() -> None:
    [found] = spread.rows(
        {"hdd": {"h1": 2}},
        [
            change(DESTROYS, REMOVED, "rack1", "h1"),
            change(DESTROYS, "what is left of it is wiped", "rack1", "h1"),
            change(CREATES, "new", "rack9"),
        ],
    )
    assert (found.before, found.after) == (2, 1)


def test_a_host_with_the_name_of_its_rack_counts_once() -> None:
    [found] = spread.rows({"hdd": {"r1": 2}}, [change(DESTROYS, REMOVED, "r1", "r1")])
    assert (found.before, found.after) == (2, 1)


def test_nothing_is_drawn_of_a_cluster_that_nobody_saw() -> None:
    assert spread.table(spread.rows({})) is None
