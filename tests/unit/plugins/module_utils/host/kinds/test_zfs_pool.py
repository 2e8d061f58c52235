# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools: a recording of a virtual host and a document in, commands or sentences out."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.zfs import imports
from tests.unit.plugins.module_utils.host.zfs.recorded import (
    DATASETS,
    POOLS,
    STATUS,
    commands,
    plan,
    recorded,
    sentences,
)

LINKS = {
    "H01": "wwn-0x5000c51462acfd3f",
    "H02": "wwn-0x5000c57a16e8cdbd",
    "H03": "wwn-0x5000c59926b4b686",
    "H04": "wwn-0x5000c597cecd61de",
    "H09": "wwn-0x5000c5303db44b0f",
    "N1": "nvme-QEMU_NVMe_Ctrl_N1",
    "N2": "nvme-QEMU_NVMe_Ctrl_N2",
}
CREATE = (
    "zpool create -o ashift=12 -o autoexpand=on -o autotrim=on -o comment=rack 2, databases "
    "-O compression=lz4 -O mountpoint=none tank mirror {H01} {H02} mirror {H03} {H04} "
    "log mirror {N1}-part1 {N2}-part1 cache {N1}-part2 {N2}-part2 spare {H09}"
).format(**LINKS)


def test_a_pool_is_made_by_one_command() -> None:
    check, create = commands(plan("blank"), "zfs_pool")
    assert create == CREATE
    # The partitions are made by this plan, and may uncover old contents.
    parts = [f"{LINKS[disk]}-part{number}" for number in (1, 2) for disk in ("N1", "N2")]
    assert check == f"wipefs --no-act --noheadings --output DEVICE,OFFSET,TYPE,UUID,LABEL {' '.join(parts)}"


def test_what_is_made_is_left_alone() -> None:
    assert plan("made").actions == ()


def test_without_a_hostid_the_host_gets_the_same_one_each_time() -> None:
    hostid, *_rest = commands(plan("blank", answers={"stat:/etc/hostid": None}), "zfs_pool")
    assert hostid.startswith("zgenhostid ") and len(hostid.split()[1]) == 8
    assert hostid == commands(plan("blank", answers={"stat:/etc/hostid": None}), "zfs_pool")[0]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            {"rc": 127, "stdout": "", "stderr": "zpool: not installed"},
            "zfs: pools are wanted and the tool zpool is not installed; install the package zfsutils-linux.",
        ),
        (
            {
                "rc": 1,
                "stdout": "",
                "stderr": "The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root.\n",
            },
            "zfs: zpool cannot read the pools of this host: The ZFS modules cannot be auto-loaded. "
            "Try running 'modprobe zfs' as root.; load the kernel module zfs and run again.",
        ),
    ],
)
def test_no_zfs(answer: dict[str, Any], sentence: str) -> None:
    assert sentences(plan("blank", answers={STATUS: answer})) == [sentence]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "  tank:",
            "  mirror1:",
            "pool mirror1: ZFS keeps names that begin like this for itself; choose another name.",
        ),
        (
            "data: {mirror: [pool], width: 2}",
            "data: {raidz2: [pool], width: 3}",
            "pool tank: 4 devices are left for data vdevs of 3 ({H01}, {H02}, {H03}, {H04}); correct the document.",
        ),
        (
            "log: {mirror: [fast.slog]}",
            "special: {stripe: [fast.slog]}",
            "pool tank: vdevs of different redundancy are wanted (mirror of 2 and single disks); "
            "make the vdevs alike; barestore never forces zpool.",
        ),
    ],
)
def test_pools_that_cannot_be_made(old: str, new: str, sentence: str) -> None:
    assert sentences(plan("blank", (old, new))) == [sentence.format(**LINKS)]


@pytest.mark.parametrize(
    ("old", "new", "argv"),
    [
        ("autotrim: on", "autotrim: off", ["zpool set autotrim=off tank"]),
        (
            "autotrim: on",
            '"feature@async_destroy": enabled, failmode: continue, autotrim: on, autoreplace: yes',
            ["zpool set autoreplace=on tank", "zpool set failmode=continue tank"],
        ),
    ],
)
def test_pool_properties(old: str, new: str, argv: list[str]) -> None:
    assert commands(plan("made", (old, new)), "zfs_pool") == argv


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("ashift: 12", "ashift: 13", "pool tank: its ashift is 12 for ever; write ashift: 12."),
        (
            "autotrim: on",
            "autotrin: on",
            "pool tank: ZFS of this host knows no pool property 'autotrin'; correct its name, or remove it.",
        ),
        (
            "autotrim: on",
            '"feature@async_destroy": disabled',
            "pool tank: its feature@async_destroy is enabled for ever; write feature@async_destroy: enabled.",
        ),
        (
            "data: {mirror: [pool], width: 2}",
            "data: {mirror: [pool], width: 4}",
            "pool tank: its data vdev mirror-0 ({H01}-part1, {H02}-part1) is 2 wide, 4 is wanted, and no disk is "
            "free; write it as it is; another disk takes a place by replace in its disk group.",
        ),
    ],
)
def test_what_cannot_be_changed(old: str, new: str, sentence: str) -> None:
    assert sentences(plan("made", (old, new))) == [sentence.format(**LINKS)]


def said(text: str) -> dict[str, Any]:
    return {"rc": 0, "stdout": text, "stderr": ""}


def recorded_import(*changes: tuple[str, str]) -> dict[str, Any]:
    """No pool is imported, and the scan finds the one of the recording."""
    # The recording was made after H12 had taken the place of H02.
    text = recorded("import").replace("wwn-0x5000c54b172e80e1", LINKS["H02"])
    for old, new in changes:
        text = text.replace(old, new)
    return {
        STATUS: said("no pools available\n"),
        POOLS: said(""),
        DATASETS: said(""),
        imports.SCAN.key: said(text),
        "stat:/etc/hostid": {"type": "file"},
    }


def test_a_pool_on_the_disks_is_imported_without_force() -> None:
    found = plan("made", answers=recorded_import())
    assert commands(found, "zfs_pool") == ["zpool import -d /dev/disk/by-id tank"]
    assert commands(found, "zfs_dataset") == []


def test_a_pool_with_other_members_is_not_imported() -> None:
    (refusal,) = sentences(plan("made", answers=recorded_import((LINKS["H02"], "wwn-0x5000c54b172e80e1"))))
    assert refusal == (
        f"pool tank: it lies on the disks, not imported, and its data vdev mirror-0 ({LINKS['H01']}, "
        "wwn-0x5000c54b172e80e1) is not what the document asks for; correct the document."
    )


def test_nothing_is_added_while_a_spare_is_at_work() -> None:
    answers = {STATUS: said(recorded("status_spare"))}
    assert plan("made", answers=answers).actions == ()
    second_cache = next(row for row in recorded("status_spare").splitlines(keepends=True) if "N2-part2" in row)
    less = recorded("status_spare").replace(second_cache, "")
    (refusal,) = sentences(plan("made", answers={STATUS: said(less)}))
    assert refusal == (
        f"pool tank: it is DEGRADED, so nothing is added to it (cache stripe {LINKS['N2']}-part2); "
        "mend it first, see zpool status."
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("state: ONLINE", "state: SUSPENDED", "pool tank: it is SUSPENDED; mend it first, see zpool status."),
    ],
)
def test_pools_that_cannot_be_used(old: str, new: str, sentence: str) -> None:
    assert sentences(plan("made", answers={STATUS: said(recorded("status_online").replace(old, new))})) == [sentence]


def test_a_pool_of_another_host_is_not_imported() -> None:
    # The words of show_import in zpool_main.c for ZPOOL_STATUS_HOSTID_MISMATCH.
    answers = recorded_import(
        (" action: ", " status: The pool was last accessed by another system.\n action: "),
        ("identifier.\n", "identifier and\n\t the '-f' flag.\n"),
    )
    label = f"run:zdb -l /dev/disk/by-id/{LINKS['N1']}-part1"
    (refusal,) = sentences(plan("made", answers={**answers, label: said(recorded("foreign_zdb"))}))
    assert refusal == (
        "pool tank: it was last used by host 'ss9' (hostid 00c0ffee) and never exported there, "
        "so it is not imported here; export it there; if that host is gone for good, import it by hand once."
    )
