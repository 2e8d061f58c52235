# SPDX-License-Identifier: GPL-3.0-or-later
"""A selector means exactly the disks that it says, or nothing is written and the sentence shows what was seen."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.selection import Disk, select

GIB = 1024**3


def disk(number: int, size: int = 8 * GIB, rotational: bool = True, **fields: Any) -> Disk:
    values: dict[str, Any] = {
        "id": f"wwn-0x5000c50000000{number:03d}",
        "kname": f"sd{chr(97 + number % 26)}{number}",
        "serial": f"HDD{number:04d}",
        "wwn": f"0x5000c50000000{number:03d}",
        "model": "LAB HDD",
        "vendor": "LAB",
        "slot": f"pci-0000:00:04.0-scsi-0:0:{number}:0",
        "size": size,
        "sector": 512,
        "physical_sector": 512,
        "rotational": rotational,
        "transport": "sas" if rotational else "nvme",
        "links": (f"pci-0000:00:04.0-scsi-0:0:{number}:0", f"wwn-0x5000c50000000{number:03d}"),
    }
    return Disk(**{**values, **fields})


HOST = (
    disk(0, 4 * GIB),
    disk(1, 4 * GIB),
    *(disk(number) for number in (2, 3, 10, 11)),
    disk(20, 2 * GIB, rotational=False),
    disk(21, 40 * GIB, rotational=False, reach="the system's / lies on it"),
)


def serials(match: dict[str, Any], disks: tuple[Disk, ...] = HOST, **wanted: Any) -> list[str]:
    chosen, refused = select({"g": {"match": match, **wanted}}, disks, {})
    assert not refused, [one.sentence() for one in refused]
    return [one.serial for one in chosen["g"]]


@pytest.mark.parametrize(
    "match, count, found",
    [
        ({"serial": "HDD0001"}, 1, ["HDD0001"]),
        ({"serial": ["HDD0010", "HDD0002"]}, 2, ["HDD0002", "HDD0010"]),
        ({"wwn": "0x5000c500000000*", "rotational": False}, 1, ["HDD0020"]),
        ({"rotational": True, "size": ">= 8 GiB"}, 4, ["HDD0002", "HDD0003", "HDD0010", "HDD0011"]),
        ({"rotational": True, "size": "1 GB..5 GB"}, "all", ["HDD0000", "HDD0001"]),
        ({"transport": ["nvme", "sata"]}, 1, ["HDD0020"]),
        ({"path": "/dev/disk/by-path/pci-0000:00:04.0-scsi-0:0:3:0"}, 1, ["HDD0003"]),
        ({"model": "LAB *", "size": "4 GiB"}, 2, ["HDD0000", "HDD0001"]),
    ],
)
def test_each_way_to_match(match: dict[str, Any], count: Any, found: list[str]) -> None:
    assert serials(match, count=count) == found


def test_take_chooses_in_bus_order_where_port_2_comes_before_port_10() -> None:
    assert serials({"size": "8 GiB"}, take=3) == ["HDD0002", "HDD0003", "HDD0010"]


def test_a_thousand_shuffles_of_kernel_names_change_nothing() -> None:
    chance = random.Random(4)
    for _turn in range(1000):
        names = [one.kname for one in HOST]
        chance.shuffle(names)
        disks = [Disk(**{**one.__dict__, "kname": name}) for one, name in zip(HOST, names, strict=True)]
        chance.shuffle(disks)
        assert serials({"size": "8 GiB"}, tuple(disks), take=2) == ["HDD0002", "HDD0003"]


PINS = {"g": [disk(3).pin(), disk(2).pin()]}


@pytest.mark.parametrize(
    "group, disks, pins, sentence",
    [
        (
            {"match": {"serial": "HDD0404"}, "count": 1},
            HOST[:2],
            {},
            "disk group 'g': wants 1 disk and no disk matches; not matching: "
            "HDD0000 (4 GiB in pci-0000:00:04.0-scsi-0:0:0:0): serial is HDD0000, "
            "HDD0001 (4 GiB in pci-0000:00:04.0-scsi-0:0:1:0): serial is HDD0001; correct the selector or the count.",
        ),
        (
            {"match": {"size": "4 GiB"}, "count": 1},
            HOST[:2],
            {},
            "disk group 'g': wants 1 disk and 2 match: HDD0000 (4 GiB in pci-0000:00:04.0-scsi-0:0:0:0), "
            "HDD0001 (4 GiB in pci-0000:00:04.0-scsi-0:0:1:0); correct the selector or the count.",
        ),
        (
            {"match": {"rotational": False}, "count": "all"},
            HOST[7:],
            {},
            "disk group 'g': wants 1 disk and no disk matches; not matching: HDD0021 (40 GiB in "
            "pci-0000:00:04.0-scsi-0:0:21:0): the system's / lies on it; correct the selector or the count.",
        ),
        (
            {"match": {"size": "8 GiB"}, "take": 2},
            (disk(4), disk(2)),
            PINS,
            "disk group 'g': the disk HDD0003 was chosen for it in an earlier run and is not there now; "
            "bring the disk back, or put another one in its place by replace: {HDD0003: its serial number}.",
        ),
        (
            {"match": {"size": "8 GiB"}, "take": 1},
            HOST,
            PINS,
            "disk group 'g': it holds 2 disks since an earlier run and now wants 1; "
            "restore the count, or name the disks that leave under retire.",
        ),
        (
            {"match": {"size": "4 GiB"}, "count": 2},
            HOST,
            PINS,
            "disk group 'g': its disk HDD0003 (8 GiB in pci-0000:00:04.0-scsi-0:0:3:0), chosen in an earlier run, "
            "no longer matches: size is 8 GiB; "
            "restore the selector; a disk leaves its group by retire or replace.",
        ),
        (
            {"match": {"model": "LAB HDD"}, "count": 2},
            (disk(1), disk(2, wwn=disk(1).wwn)),
            {},
            "disk group 'g': HDD0001 (8 GiB in pci-0000:00:04.0-scsi-0:0:1:0) and HDD0002 (8 GiB in "
            "pci-0000:00:04.0-scsi-0:0:2:0) are one disk seen twice, or share the identity 0x5000c50000000001; "
            "show each disk once: use multipath, or mend the cabling.",
        ),
        (
            {"match": {"path": "*:1:0"}, "count": 1},
            (disk(1), disk(2, wwn=disk(1).wwn, reach="another disk has its identity")),
            {},
            "disk group 'g': HDD0001 (8 GiB in pci-0000:00:04.0-scsi-0:0:1:0) and HDD0002 (8 GiB in "
            "pci-0000:00:04.0-scsi-0:0:2:0) are one disk seen twice, or share the identity 0x5000c50000000001; "
            "show each disk once: use multipath, or mend the cabling.",
        ),
        (
            {"match": {"model": "LAB HDD"}, "count": 1},
            (disk(1, wwn="", serial=""),),
            {},
            "disk group 'g': it matches /dev/disk/by-id/wwn-0x5000c50000000001, which has neither a serial nor a "
            "world-wide name; show each disk once: use multipath, or mend the cabling.",
        ),
    ],
)
def test_refusals(group: dict[str, Any], disks: tuple[Disk, ...], pins: dict[str, Any], sentence: str) -> None:
    _chosen, refused = select({"g": group}, disks, pins)
    assert [one.sentence() for one in refused] == [sentence]


def test_a_disk_in_two_groups_is_refused() -> None:
    groups = {"a": {"match": {"size": "4 GiB"}, "count": 2}, "b": {"match": {"serial": "HDD0001"}, "count": 1}}
    _chosen, refused = select(groups, HOST, {})
    assert [one.sentence() for one in refused] == [
        "disk group 'b': the disk HDD0001 (4 GiB in pci-0000:00:04.0-scsi-0:0:1:0) matches the group 'a' as well; "
        "make the selectors disjoint."
    ]


def test_pinned_disks_stay_when_one_is_added() -> None:
    chosen, refused = select({"g": {"match": {"size": "8 GiB"}, "take": 3}}, HOST, {"g": [disk(11).pin()]})
    assert not refused
    assert [one.serial for one in chosen["g"]] == ["HDD0002", "HDD0003", "HDD0011"]


def pinned(pins: list[dict[str, Any]]) -> list[str]:
    return sorted(pin["serial"] for pin in pins)


def test_a_named_disk_takes_the_place_of_one_that_is_gone_whatever_the_selector_says() -> None:
    group = {"match": {"size": "8 GiB"}, "take": 2, "replace": {"HDD0003": "HDD0000"}}
    gone = tuple(one for one in HOST if one.serial != "HDD0003")
    chosen, refused = select({"g": group}, gone, PINS)
    assert not refused
    pins = [one.pin() for one in chosen["g"]]
    assert pinned(pins) == ["HDD0000", "HDD0002"]
    assert [pin["replaces"] for pin in pins if "replaces" in pin] == [[disk(3).pin()]]
    # The next run knows the old disk from the pins alone.
    again, refused = select({"g": group}, gone, {"g": pins})
    assert not refused and [one.pin() for one in again["g"]] == pins


def test_a_chain_of_replacements_ends_with_the_last() -> None:
    group = {"match": {"size": "8 GiB"}, "take": 2, "replace": {"HDD0003": "HDD0000", "HDD0000": "HDD0001"}}
    chosen, refused = select({"g": group}, HOST, PINS)
    assert not refused
    (new,) = (one for one in chosen["g"] if one.replaces)
    assert (new.serial, [one.serial for one in new.replaces]) == ("HDD0001", ["HDD0000", "HDD0003"])


def test_a_retired_disk_leaves() -> None:
    group = {"match": {"serial": ["HDD0002", "HDD0003"]}, "count": 1, "retire": ["HDD0003"]}
    chosen, refused = select({"g": group}, HOST, PINS)
    assert not refused and [one.serial for one in chosen["g"]] == ["HDD0002"]


def test_a_newcomer_must_be_there() -> None:
    group = {"match": {"size": "8 GiB"}, "take": 2, "replace": {"HDD0003": "HDD0404"}}
    _chosen, refused = select({"g": group}, HOST, PINS)
    assert [one.sentence() for one in refused] == [
        "disk group 'g': the disk HDD0404 shall take the place of HDD0003, and it is not there; "
        "correct replace, or plug it in."
    ]
