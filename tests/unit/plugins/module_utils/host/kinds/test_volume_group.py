# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume groups: made, extended, and refused when they are not ours to work in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Lvm


def test_it_is_made_of_stable_links(blank: Lvm) -> None:
    assert blank.argv("volume_group.create:sectors") == [
        "vgcreate --physicalextentsize 1048576b --addtag barestore:lab/lvm sectors "
        "/dev/disk/by-id/wwn-0x5000c54ab811cbef"
    ]


def test_its_extents_are_read_back(blank: Lvm) -> None:
    action = next(one for one in blank.plan().actions if one.id == "volume_group.create:mixed")
    assert [one.value for one in action.expects] == ["5114"]  # seen: 4 times 767 and 2 times 1023


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"vg_exported": "exported"}, "it is exported; import it with vgimport, if it shall be used here."),
        ({"vg_shared": "shared"}, "it is shared with other hosts; barestore works on groups of one host only."),
        ({"vg_clustered": "clustered"}, "it is shared with other hosts; barestore works on groups of one host only."),
        (
            {"vg_extent_size": "8388608"},
            "its extents have 8 MiB and the document says 1 MiB; write the size that it has; "
            "changing it comes with a later release.",
        ),
    ],
)
def test_a_group_that_is_not_ours(made: Lvm, values: dict[str, Any], sentence: str) -> None:
    made.row("vg", "sectors", **values)
    assert made.refusal() == f"volume group sectors: {sentence}"


def test_a_group_of_another_host(made: Lvm) -> None:
    made.row("vg", "sectors", vg_systemid="other")
    made.plan()
    assert list(made.asked) == ["run:lvm systemid"]
    made.answers["run:lvm systemid"] = {"rc": 0, "stdout": "  system ID: mine\n", "stderr": ""}
    assert made.refusal() == (
        "volume group sectors: it belongs to the host with the system id other; "
        "move it with vgchange --systemid on that host."
    )
    made.answers["run:lvm systemid"]["stdout"] = "  system ID: other\n"
    assert made.ids() == []


def test_a_member_that_the_document_does_not_know(made: Lvm) -> None:
    made.document["disks"]["nvme"] = {"match": {"serial": "NV0"}, "count": 1}
    pins = json.loads(made.answers["file:/var/lib/barestore/state.json"])
    pins["disks"]["nvme"] = [one for one in pins["disks"]["nvme"] if one["serial"] == "NV0"]
    made.answers["file:/var/lib/barestore/state.json"] = json.dumps(pins)
    assert made.refusal() == (
        "volume group mixed: it has the physical volume /dev/nvme1n1, which the document does not name; "
        "name it under physical_volumes; to take it out, name its disk under retire of its disk group."
    )


def test_a_member_that_is_gone_and_of_which_the_document_says_nothing(made: Lvm) -> None:
    made.row("pv", "/dev/sdd", pv_name="[unknown]", pv_missing="missing")
    made.row("vg", "sectors", vg_missing_pv_count="1")
    assert made.refusal() == (
        "disk K4 (4 GiB in pci-0000:00:0c.0-scsi-0:0:4:0): it was a physical volume of sectors, and its label is "
        "gone; restore it with pvcreate --restorefile and vgcfgrestore, or put another disk in its place by replace."
    )


def test_a_name_that_dev_has_already(blank: Lvm) -> None:
    blank.document["lvm"]["disk"] = blank.document["lvm"].pop("sectors")
    blank.plan()
    assert list(blank.asked) == ["stat:/dev/disk"]
    blank.answers["stat:/dev/disk"] = {"type": "directory", "empty": False}
    assert blank.refusal() == (
        "volume group disk: /dev/disk exists and is no volume group, so LVM refuses the name; choose another name."
    )


def test_a_group_that_another_host_made(made: Lvm) -> None:
    made.row("vg", "sectors", vg_tags="x,barestore:rack/ss2")
    assert made.refusal() == (
        "volume group sectors: barestore made it for another host, rack/ss2 (site/host), whose disks these are; bring "
        "the disks back there; when they moved for good, run 'vgchange --addtag barestore:lab/lvm sectors'."
    )
    made.row("vg", "sectors", vg_tags="barestore:rack/ss2,barestore:lab/lvm")
    assert made.ids() == []


def test_a_disk_of_another_host_names_it(made: Lvm) -> None:
    made.row("vg", "sectors", vg_tags="barestore:rack/ss2", vg_name="theirs")
    assert made.refusal() == (
        "disk K4 (4 GiB in pci-0000:00:0c.0-scsi-0:0:4:0): it belongs to the volume group theirs that barestore made "
        "for another host, rack/ss2 (site/host); bring the disk back there, or name another one."
    )


def test_a_group_that_was_renamed_is_recognised(made: Lvm) -> None:
    made.document["lvm"]["other"] = made.document["lvm"].pop("sectors")
    assert made.refusal().startswith(
        "volume group other: its disks carry the volume group sectors, which an earlier run made of them; write sectors"
    )
    made.document["lvm"]["sectors"] = made.document["lvm"].pop("other")
    made.row("vg", "sectors", vg_name="theirs")
    assert made.refusal() == (
        "volume group sectors: an earlier run made it, and somebody renamed it to theirs; "
        "run 'vgrename theirs sectors', or write theirs in the document."
    )
