# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin pools: metadata and spare are counted, settings follow the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest

if TYPE_CHECKING:
    from .conftest import Lvm


def test_how_it_is_made(blank: Lvm) -> None:
    assert blank.argv("thin_pool.create:sectors/pool") == [
        # Seen: 4095 extents, of which 2047 are another volume's, 2 the metadata and 2 the spare.
        "lvcreate --type thin-pool --extents 2044 --poolmetadatasize 2097152b --poolmetadataspare y "
        "--chunksize 131072b --zero n --discards passdown --name pool sectors"
    ]


def test_a_profile_lets_it_grow_by_itself(blank: Lvm) -> None:
    action = next(one for one in blank.plan().actions if one.id == "thin_pool.create:mixed/topolvm")
    assert action.steps[0].as_json() == {
        "write": "/etc/lvm/profile/barestore-mixed-topolvm.profile",
        "content": "# Written by barestore.\nactivation {\n\tthin_pool_autoextend_threshold=80\n"
        "\tthin_pool_autoextend_percent=20\n}\n",
        "mode": "0644",
    }


@pytest.mark.parametrize(
    ("change", "argv"),
    [
        ({"zero": False}, ["lvchange --zero n mixed/topolvm"]),
        ({"discards": "passdown"}, ["lvchange --discards passdown mixed/topolvm"]),
        ({"autoextend": None}, ["lvchange --detachprofile mixed/topolvm"]),
        ({"autoextend": {"threshold": 70, "percent": 20}}, []),
    ],
)
def test_settings_follow_the_document(made: Lvm, change: dict[str, Any], argv: list[str]) -> None:
    made.document["lvm"]["mixed"]["thin_pools"]["topolvm"].update(change)
    assert made.ids() == ["thin_pool.change:mixed/topolvm"]
    assert made.argv("thin_pool.change:mixed/topolvm") == argv


def test_a_pool_that_nobody_watches_is_monitored(made: Lvm) -> None:
    def unwatched(sections: list[dict[str, Any]]) -> None:
        for row in (row for section in sections for row in section.get("seg", [])):
            if row["lv_name"] == "topolvm":
                row["seg_monitor"] = "not monitored"

    made.report(unwatched)
    assert made.argv("thin_pool.change:mixed/topolvm") == ["lvchange --monitor y mixed/topolvm"]


def test_metadata_grows_before_data(made: Lvm) -> None:
    made.row("pv", "/dev/nvme0n1", pv_pe_alloc_count="0")
    mixed = made.document["lvm"]["mixed"]
    del mixed["volumes"]["rest"]
    mixed["thin_pools"]["topolvm"].update(size="21%", metadata_size="32 MiB")
    assert made.argv("thin_pool.grow:mixed/topolvm") == [
        "lvextend --poolmetadatasize 33554432b mixed/topolvm",
        "lvextend --extents 1073 mixed/topolvm",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"chunk_size": "128 KiB"},
            "mixed/topolvm: its chunks have 65536 bytes and the document says 131072; "
            "a pool keeps the chunk size that it was made with; restore the value.",
        ),
        (
            {"discards": "ignore"},
            "thin pool mixed/topolvm: its discards are nopassdown and LVM changes that to ignore only while the pool "
            "is inactive; deactivate it and run 'lvchange --discards ignore mixed/topolvm', or restore the value.",
        ),
    ],
)
def test_what_cannot_be_changed(made: Lvm, change: dict[str, Any], sentence: str) -> None:
    made.document["lvm"]["mixed"]["thin_pools"]["topolvm"].update(change)
    assert made.refusal() == sentence


def test_a_pool_at_risk_is_told_of_and_changes_nothing(made: Lvm) -> None:
    before = digest(made.plan())
    made.row("lv", "pool", data_percent="84.21", metadata_percent="79.90")
    made.row("lv", "topolvm", data_percent="79.00", metadata_percent="91.00")
    made.row("lv", "mirror", lv_health_status="mismatches exist")
    plan = made.plan()
    assert plan.notes == (
        "logical volume mixed/mirror: its images differ in places; look at its disks, then "
        "lvchange --syncaction repair makes them equal.",
        "thin pool mixed/topolvm: its metadata is 91 % full, and 80 % is the threshold; raise metadata_size, "
        "since a pool whose metadata is full stops and is repaired offline.",
        "thin pool sectors/pool: its data is 84.21 % full, and 80 % is the threshold; "
        "give it more size before writing fails.",
    )
    assert digest(plan) == before
