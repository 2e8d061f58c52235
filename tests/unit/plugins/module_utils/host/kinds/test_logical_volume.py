# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical volumes: argv of each type, growth, policies, and what comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Lvm


CREATE = "lvcreate --yes --wipesignatures y --zero y --type"
NV = "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_NV"


@pytest.mark.parametrize(
    ("volume", "argv"),
    [
        ("mixed/plain", f"{CREATE} linear --extents 76 --name plain mixed"),
        ("mixed/thin", "lvcreate --type thin --virtualsize 5247074304b --thinpool topolvm --name thin mixed"),
        (
            "mixed/striped",
            f"{CREATE} striped --stripes 2 --stripesize 131072b --extents 152 --name striped mixed {NV}1 {NV}0",
        ),
        ("mixed/rest", f"{CREATE} linear --extents 2953 --name rest mixed"),  # seen: no extent is left
        ("sectors/half", f"{CREATE} linear --extents 2047 --name half sectors"),
    ],
)
def test_how_it_is_made(blank: Lvm, volume: str, argv: str) -> None:
    assert blank.argv(f"logical_volume.create:{volume}") == [argv]


def test_what_has_its_place_comes_before_what_has_none(blank: Lvm) -> None:
    ids = blank.ids()
    assert ids.index("logical_volume.create:mixed/ten") < ids.index("logical_volume.create:mixed/plain")
    assert ids.index("cache.create:mixed/slow") < ids.index("logical_volume.create:mixed/rest")


@pytest.mark.parametrize(
    ("volume", "size", "argv"),
    [
        ("plain", "401 MiB", "lvextend --extents 101 mixed/plain"),
        ("thin", "6001 MiB", "lvextend --extents 1501 mixed/thin"),
        ("plain", "3%", "lvextend --extents 153 mixed/plain"),
    ],
)
def test_it_grows(made: Lvm, volume: str, size: str, argv: str) -> None:
    made.row("pv", "/dev/nvme0n1", pv_pe_alloc_count="0")  # room, as if something had been removed
    del made.document["lvm"]["mixed"]["volumes"]["rest"]
    made.document["lvm"]["mixed"]["volumes"][volume]["size"] = size
    assert made.argv(f"logical_volume.grow:mixed/{volume}") == [argv]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"plain": {"size": "201 MiB", "size_policy": "exact"}},
            "mixed/plain: it has 76 extents and the document says exactly 201 MiB, which are 51, and "
            "the document does not say what it carries; restore the size; to make it smaller, move what it holds to a "
            "new volume.",
        ),
        (
            {"plain": {"size": "201 MiB", "size_policy": "exact", "filesystem": "xfs"}},
            "mixed/plain: it has 76 extents and the document says exactly 201 MiB, which are 51, and xfs cannot be "
            "made smaller; restore the size; to make it smaller, move what it holds to a new volume.",
        ),
        (
            {"plain": {"size": "1 GiB"}},
            "mixed/plain: it needs 720 MiB more of the volume group mixed, where 0 B are free; "
            "make it smaller, or give the group another physical volume.",
        ),
        (
            {"plain": {"size": "1 GiB", "type": "raid1"}},
            "mixed/plain: it exists as a volume of type linear and the document wants raid1; "
            "choose another name, or write what it is; changing a type comes with a later release.",
        ),
        (
            {"striped": {"size": "601 MiB", "type": "striped", "stripes": 3}},
            "mixed/striped: it lies on 2 physical volumes at a time and the document wants 3; "
            "restore stripes and mirrors; changing them comes with a later release.",
        ),
        (
            {"striped": {"size": "601 MiB", "type": "striped", "stripe_size": "64 KiB"}},
            "mixed/striped: its stripes have 131072 bytes and the document says 65536; "
            "restore stripe_size; changing it comes with a later release.",
        ),
        (
            {"slow": {"size": "701 MiB"}},
            "mixed/slow: it has a cache that the document does not name; "
            "write the cache; removing it comes with a later release.",
        ),
        (
            {"new": {"size": "rest"}},
            "mixed/rest: mixed/new asks for the rest of the volume group as well; give one of them a size.",
        ),
        (
            {"new": {"size": "50%", "thin_pool": "topolvm"}},
            "mixed/new: a thin volume has no real size, so 50% says nothing; write a number and a unit.",
        ),
        (
            {"new": {"size": "1 GiB", "type": "thin"}},
            "mixed/new: a thin volume and its thin_pool belong together; write both, or neither.",
        ),
        (
            {"new": {"size": "1 GiB", "thin_pool": "none"}},
            "mixed/new: its thin pool none is not in the document; write none under thin_pools of mixed.",
        ),
        (
            {"new": {"size": "4 MiB", "physical_volumes": ["large"]}},
            "mixed/new: the disk K4 (4 GiB in pci-0000:00:0c.0-scsi-0:0:4:0) is no physical volume of mixed; "
            "name members of the group.",
        ),
        (
            {"new": {"size": "4 MiB", "type": "raid6", "physical_volumes": ["nvme"]}},
            "mixed/new: raid6 needs 5 physical volumes here and 2 are given; "
            "give more, or ask for fewer stripes or mirrors.",
        ),
        (
            {"a_tdata": {"size": "4 MiB"}},
            "mixed/a_tdata: LVM keeps this name for its own volumes; choose another name.",
        ),
        (
            {"topolvm": {"size": "4 MiB"}},
            "mixed/topolvm: two things of the volume group have this name; rename one of them.",
        ),
    ],
)
def test_what_cannot_be_met(made: Lvm, change: dict[str, Any], sentence: str) -> None:
    made.document["lvm"]["mixed"]["volumes"].update(change)
    assert made.refusal() == sentence


@pytest.mark.parametrize("policy", ["at_least", "create_only"])
def test_larger_than_wanted_is_well(made: Lvm, policy: str) -> None:
    made.document["lvm"]["mixed"]["volumes"]["plain"].update(size="201 MiB", size_policy=policy)
    assert made.ids() == []


def test_create_only_does_not_grow(made: Lvm) -> None:
    made.document["lvm"]["mixed"]["volumes"]["plain"].update(size="1 TiB", size_policy="create_only")
    assert made.ids() == []


def test_an_inactive_volume_is_activated_and_nothing_is_said_of_what_it_carries(made: Lvm) -> None:
    made.row("lv", "plain", lv_active="")
    assert made.ids() == ["logical_volume.activate:mixed/plain"]
    plan = made.plan()
    assert plan.is_first_part
    assert plan.notes[-1] == (
        "logical volume mixed/plain is there and inactive: what lies in it is planned once it is active."
    )


def test_volumes_of_others_are_left_alone(made: Lvm) -> None:
    volumes = made.document["lvm"]["mixed"]["volumes"]
    for name in ("rest", "ten", "striped"):
        del volumes[name]
    assert made.ids() == []


def test_ext4_shrinks_with_consent(made: Lvm) -> None:
    made.document["lvm"]["mixed"]["volumes"]["thin"] |= {"size": "4001 MiB", "size_policy": "exact"}
    made.answers["run:resize2fs -P /dev/mixed/thin"] = {
        "rc": 0, "stdout": "Estimated minimum size of the filesystem: 9000\n", "stderr": "resize2fs 1.47.2",
    }  # fmt: skip
    sentence = made.refusal()
    assert sentence.startswith("mixed/thin: it becomes smaller with its ext4, from 5004 MiB to 4004 MiB, and nobody")
    assert '- {action: "logical_volume.shrink:mixed/thin", digest: "sha256:' in sentence
    made.answers["run:resize2fs -P /dev/mixed/thin"]["stdout"] = "Estimated minimum size of the filesystem: 2000000\n"
    assert "what it holds needs" in made.refusal()


def test_a_volume_that_was_renamed_is_recognised(made: Lvm) -> None:
    volumes = made.document["lvm"]["mixed"]["volumes"]
    volumes["simple"] = volumes.pop("plain")
    assert made.refusal() == (
        "mixed/simple: it needs 304 MiB more of the volume group mixed, where 0 B are free; "
        "make it smaller, or give the group another physical volume."
    )
    made.row("pv", "/dev/nvme0n1", pv_pe_alloc_count="0")  # room, as if something had been removed
    del volumes["rest"]
    assert made.refusal() == (
        "logical volume mixed/simple: it is not there, and mixed/plain is mounted on /srv/plain: it was renamed, in "
        "the document or here; write plain in the document, or run 'lvrename mixed plain simple' by hand; barestore "
        "renames no volume, since others go by its name."
    )
