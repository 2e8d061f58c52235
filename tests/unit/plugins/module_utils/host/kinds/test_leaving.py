# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical volumes that leave their group or are gone: emptied, repaired, refused with numbers; and what goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Lvm

HDD0 = "/dev/disk/by-id/wwn-0x5000c522caa5ca8f-part1"  # /dev/sda1 of the recording


@pytest.fixture
def roomy(made: Lvm) -> Lvm:
    """Without the volume that fills the group, and with one disk to leave."""
    del made.document["lvm"]["mixed"]["volumes"]["rest"]

    def change(sections: list[dict[str, Any]]) -> None:
        for row in (row for section in sections for row in section["pvseg"] if row["lv_name"] == "rest"):
            row["lv_name"] = ""
        for section in sections:
            section["lv"] = [row for row in section["lv"] if row["lv_name"] != "rest"]
            section["seg"] = [row for row in section["seg"] if row["lv_name"] != "rest"]
            for pv in section["pv"]:
                rows = [row for row in section["pvseg"] if row["pv_name"] == pv["pv_name"] and row["lv_name"]]
                pv["pv_pe_alloc_count"] = str(sum(int(row["pvseg_size"]) for row in rows))

    made.report(change)
    return made


def serial_of(lvm: Lvm, part: str) -> str:
    pins = lvm.answers["file:/var/lib/barestore/state.json"]
    return next(one["serial"] for one in json.loads(pins)["disks"]["hdd"] if one["id"] in part)


def retire(lvm: Lvm) -> None:
    lvm.document["disks"]["hdd"] |= {"count": 3, "retire": [serial_of(lvm, HDD0)]}


def test_images_go_where_no_other_is_and_the_rest_in_one_move(roomy: Lvm) -> None:
    retire(roomy)
    evacuate = next(one for one in roomy.ids() if one.startswith("physical_volume.evacuate:"))
    lines = roomy.argv(evacuate)
    assert [line.split()[:5] for line in lines] == [
        ["pvmove", "--interval", "10", "--name", "mirror"],
        ["pvmove", "--interval", "10", "--name", "six"],
        ["pvmove", "--interval", "10", "--name", "slow_corig"],
        ["pvmove", "--interval", "10", HDD0, lines[3].split()[4]],
    ]
    assert roomy.argv("volume_group.reduce:mixed") == [f"vgreduce mixed {HDD0}"]


def test_the_order_is_remember_move_reduce_remove(roomy: Lvm) -> None:
    retire(roomy)
    verbs = [one.partition(":")[0] for one in roomy.ids()]
    assert verbs == ["disk.pin", "physical_volume.evacuate", "volume_group.reduce", "physical_volume.remove"]


def test_what_does_not_fit_elsewhere_is_refused_with_numbers(made: Lvm) -> None:
    retire(made)
    sentence = made.refusal()
    assert "leaves, and 1 more with" in sentence
    assert "free and without an image of it is needed; the most on one is 0 B" in sentence


def test_an_interrupted_move_goes_on_first(roomy: Lvm) -> None:
    """As lvm2 shows it: the mirror has extents on both, and the volume lies on the mirror."""
    retire(roomy)

    def change(sections: list[dict[str, Any]]) -> None:
        group = next(one for one in sections if one["vg"][0]["vg_name"] == "mixed")
        for row in group["pvseg"]:
            if row["pv_name"] == "/dev/sda1" and row["lv_name"].startswith("[mirror_"):
                row["lv_name"] = "[pvmove0]"
        group["pvseg"].append(
            {"pv_name": "/dev/sdc1", "pvseg_start": "500", "pvseg_size": "154", "lv_name": "[pvmove0]"}
        )
        for row in group["seg"]:
            if row["lv_name"] in ("[mirror_rimage_0]", "[mirror_rmeta_0]"):
                row["seg_pe_ranges"] = "pvmove0:0-152"
        group["lv"].append({**group["lv"][0], "lv_name": "[pvmove0]", "move_pv": "/dev/sda1", "lv_parent": ""})
        next(one for one in group["pv"] if one["pv_name"] == "/dev/sdc1")["pv_pe_alloc_count"] = "260"

    roomy.report(change)
    ids = roomy.ids()
    assert ids.index("volume_group.resume:mixed") < ids.index("volume_group.reduce:mixed")
    assert roomy.argv("volume_group.resume:mixed") == ["pvmove --interval 10"]
    evacuate = next(one for one in ids if one.startswith("physical_volume.evacuate:"))
    assert not any("mirror" in line for line in roomy.argv(evacuate))


def gone(lvm: Lvm, serial: str) -> None:
    """The disk of /dev/sda1 is not there any more, and the document knows."""
    lvm.document["disks"]["hdd"] |= {"count": 3, "retire": [serial]}
    lvm.row("pv", "/dev/sda1", pv_name="[unknown]", pv_missing="missing")

    def change(sections: list[dict[str, Any]]) -> None:
        for row in (row for section in sections for row in section["pvseg"] if row["pv_name"] == "/dev/sda1"):
            row["pv_name"] = "[unknown]"

    lvm.report(change)
    lvm.row("vg", "mixed", vg_missing_pv_count="1")
    lsblk = next(key for key in lvm.answers if key.startswith("run:lsblk"))
    tree = json.loads(lvm.answers[lsblk]["stdout"])
    tree["blockdevices"] = [one for one in tree["blockdevices"] if one["serial"] != serial]
    lvm.answers[lsblk] = {**lvm.answers[lsblk], "stdout": json.dumps(tree)}
    links = lvm.answers["links:/dev/disk/by-id"]
    lvm.answers["links:/dev/disk/by-id"] = {name: node for name, node in links.items() if not node.startswith("sda")}


def test_what_only_the_lost_disk_had_is_named(roomy: Lvm) -> None:
    gone(roomy, serial_of(roomy, HDD0))
    assert roomy.refusal() == (
        "volume group mixed: a physical volume is gone, and with it the only copy of some of mixed/lvol0_pmspare, "
        "mixed/plain, mixed/slow_corig, mixed/topolvm; bring the disk back; if it is lost for good, remove these with "
        "lvremove, run again, and restore what they held from a backup."
    )


def test_images_that_are_gone_are_made_anew(roomy: Lvm) -> None:
    names = ("plain", "slow", "topolvm", "thin", "lvol0_pmspare")
    for name in ("plain", "slow", "thin"):
        del roomy.document["lvm"]["mixed"]["volumes"][name]
    del roomy.document["lvm"]["mixed"]["thin_pools"]

    def change(sections: list[dict[str, Any]]) -> None:
        for section in sections:
            if section["vg"][0]["vg_name"] == "mixed":
                for kind in ("lv", "seg", "pvseg"):
                    section[kind] = [row for row in section[kind] if not row["lv_name"].strip("[]").startswith(names)]

    roomy.report(change)
    gone(roomy, serial_of(roomy, HDD0))
    assert roomy.argv("volume_group.drop:mixed") == ["vgreduce --removemissing --mirrorsonly --force mixed"]
    ids = roomy.ids()
    repaired = [one for one in ids if one.startswith("logical_volume.repair:")]
    assert repaired == ["logical_volume.repair:mixed/mirror", "logical_volume.repair:mixed/six"]
    assert ids.index("volume_group.drop:mixed") < ids.index(repaired[0])
    assert roomy.argv(repaired[0])[0].startswith("lvconvert --yes --repair mixed/mirror /dev/disk/by-id/")


def test_a_raid_volume_that_was_without_a_disk_for_a_while_is_refreshed(made: Lvm) -> None:
    made.row("lv", "mirror", lv_health_status="refresh needed")
    assert made.ids() == ["logical_volume.refresh:mixed/mirror"]
    assert made.argv("logical_volume.refresh:mixed/mirror") == ["lvchange --refresh mixed/mirror"]


def test_a_disk_that_came_back_is_taken_in_again(made: Lvm) -> None:
    """LVM wrote the group while the disk was away, so that it calls it missing although it is there."""
    made.row("pv", "/dev/sdb1", pv_missing="missing")
    made.row("vg", "mixed", vg_missing_pv_count="1")
    assert made.ids() == ["volume_group.restore:mixed", "logical_volume.refresh:mixed/mirror"]
    assert made.argv("volume_group.restore:mixed")[0].startswith("vgextend --restoremissing mixed /dev/disk/by-id/")


def test_a_physical_volume_that_left_and_was_not_unmade_is(roomy: Lvm) -> None:
    retire(roomy)

    def change(sections: list[dict[str, Any]]) -> None:
        group = next(one for one in sections if one["vg"][0]["vg_name"] == "sectors")
        group["vg"], group["lv"], group["seg"], group["pvseg"] = [], [], [], []
        sections.remove(group)
        mixed = sections[0]
        for row in [row for row in mixed["pv"] if row["pv_name"] == "/dev/sda1"]:
            mixed["pv"].remove(row)
            sections.append({"pv": [{**row, "pv_in_use": "", "pv_pe_alloc_count": "0"}], "pvseg": []})
        mixed["pvseg"] = [row for row in mixed["pvseg"] if row["pv_name"] != "/dev/sda1"]

    del roomy.document["lvm"]["sectors"]
    for name in ("plain", "slow", "thin", "mirror", "six"):
        del roomy.document["lvm"]["mixed"]["volumes"][name]
    del roomy.document["lvm"]["mixed"]["thin_pools"]
    roomy.report(change)
    assert [one.partition(":")[0] for one in roomy.ids()] == ["disk.pin", "physical_volume.remove"]
