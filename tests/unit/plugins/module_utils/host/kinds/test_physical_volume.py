# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical volumes: planned UUIDs, no force, growth, and devices of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Lvm


PART = "/dev/disk/by-id/wwn-0x5000c522caa5ca8f-part1"


def test_it_is_made_with_a_planned_uuid_after_a_look(blank: Lvm) -> None:
    assert blank.argv("physical_volume.create:hdd.lvm@wwn-0x5000c522caa5ca8f") == [
        f"wipefs --no-act --noheadings --output DEVICE,OFFSET,TYPE,UUID,LABEL {PART}",
        "pvcreate --uuid a00a85-629b-cc5b-8da0-1a80-688e-818e3f --norestorefile "
        f"--dataalignment 1048576b --dataalignmentoffset 0 {PART}",
    ]


def test_its_label_is_read_back(blank: Lvm) -> None:
    action = next(
        one for one in blank.plan().actions if one.id == "physical_volume.create:large@wwn-0x5000c54ab811cbef"
    )
    assert [(bytes.fromhex(one.value), one.offset) for one in action.expects] == [
        (b"LABELONE", 512),
        (b"08721483bd0852e78e4cb1ddc08d8269", 544),
    ]


def test_no_action_forces_anything(blank: Lvm) -> None:
    words = {word for action in blank.plan().actions for step in action.steps for word in getattr(step, "argv", ())}
    assert not words & {"-f", "-ff", "--force", "-y"}


def test_no_kernel_name_is_in_an_action(blank: Lvm) -> None:
    text = str([action.as_json() for action in blank.plan().actions])
    assert not [name for name in ("/dev/sd", "/dev/nvme", "/dev/dm-") if name in text]


def test_what_is_made_needs_nothing(made: Lvm) -> None:
    assert made.ids() == []
    assert made.asked == {}


def test_an_orphan_of_a_killed_run_is_taken_as_it_is(made: Lvm) -> None:
    def orphan(sections: list[dict[str, Any]]) -> None:
        group = next(one for one in sections if one.get("vg") and one["vg"][0]["vg_name"] == "sectors")
        for key in ("vg", "lv", "seg"):
            del group[key]
        group["pv"][0].update(pv_pe_count="0", pv_pe_alloc_count="0", pv_in_use="", pv_size="4294967296")

    made.report(orphan)
    made.document["lvm"]["sectors"]["volumes"] = {}
    ids = made.ids()
    assert "volume_group.create:sectors" in ids
    assert not [one for one in ids if one.startswith("physical_volume.")]
    made.row("pv", "/dev/sdd", pv_in_use="used")
    assert "it belongs to a volume group of which LVM sees no description" in made.refusal()


def test_a_device_of_another_group_is_refused_by_name(made: Lvm) -> None:
    made.row("vg", "sectors", vg_name="theirs")
    made.row("pv", "/dev/sdd", pv_uuid="Zs5Ol1-0fNx-hNAE-tXb1-QdoE-3AtL-Vn9mGT")
    assert made.refusal() == (
        "disk K4 (4 GiB in pci-0000:00:0c.0-scsi-0:0:4:0): it belongs to the volume group theirs and not to sectors; "
        "name another device, or take it out of theirs first."
    )


def test_a_device_in_two_groups_is_refused(made: Lvm) -> None:
    made.document["lvm"]["sectors"]["physical_volumes"] = ["large", "nvme"]
    assert "in the volume group mixed as well; name each device once." in made.refusal()


def test_it_grows_when_the_device_has_more_extents(made: Lvm) -> None:
    made.row("pv", "/dev/sdd", pv_pe_count="4000", dev_size="4195352576")
    made.row("vg", "sectors", vg_extent_count="4000", vg_free_count="0")
    assert made.argv("physical_volume.grow:large@wwn-0x5000c54ab811cbef") == [
        "pvresize /dev/disk/by-id/wwn-0x5000c54ab811cbef"
    ]
