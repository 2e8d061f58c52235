# SPDX-License-Identifier: GPL-3.0-or-later
"""The second day of a pool: what a changed document plans on the recorded host, and which consents it needs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Signatures
from tests.unit.plugins.module_utils.host.kinds.test_zfs_pool import LINKS, said
from tests.unit.plugins.module_utils.host.zfs.recorded import POOLS, STATUS, commands, made_properties, plan, recorded

H05, H06, H12 = "wwn-0x5000c591f5dfe0c3", "wwn-0x5000c53004d54bb4", "wwn-0x5000c54b172e80e1"
BLANK = {Signatures(f"/dev/disk/by-id/{link}").key: {"found": [], "error": ""} for link in (H05, H06, H12)}
POOL = "  pool: {match: {serial: [H01, H02, H03, H04]}, count: 4}"
LARGER = "  pool: {match: {serial: [H01, H02, H03, H04, H05, H06]}, count: 6}"
LOG, DATA = "    log: {mirror: [fast.slog]}\n", "data: {mirror: [pool], width: 2}"
SPARE = "spare: {match: {serial: [H09]}, count: 1}"
DRY = f"run:zpool add -n -o ashift=12 tank mirror /dev/disk/by-id/{H05} /dev/disk/by-id/{H06}"


def planned(*changes: tuple[str, str], status: str = "", consent: bool = False, **answers: Any) -> Any:
    told = {STATUS: said(status)} if status else {}
    return plan("made", *changes, answers={**BLANK, **told, **answers}, consent=consent)


@pytest.mark.parametrize(
    ("changes", "argv"),
    [
        ([(POOL, f"{POOL[:-1]}, replace: {{H02: H12}}}}")], ["zpool replace -o ashift=12 tank {H02} {H12}"]),
        (
            [(SPARE, f"{SPARE[:-1]}, replace: {{H09: H12}}}}")],
            ["zpool remove tank {H09}", "zpool add tank spare {H12}"],
        ),
        (
            [(POOL, LARGER), (DATA, "data: {mirror: [pool], width: 3}")],
            ["zpool attach -o ashift=12 tank {H01} {H05}", "zpool attach -o ashift=12 tank {H03} {H06}"],
        ),
    ],
)
def test_what_brings_redundancy_needs_no_consent(changes: list[tuple[str, str]], argv: list[str]) -> None:
    found = planned(*changes)
    assert not any(action.irreversible for action in found.actions)
    assert commands(found, "zfs_pool") == [line.format(**LINKS, H05=H05, H06=H06, H12=H12) for line in argv]


@pytest.mark.parametrize(
    ("changes", "status", "why", "argv"),
    [
        (
            [(LOG, "")],
            "",
            "tank/mirror-2: the log vdev mirror-2 leaves the pool, and synchronous writes wait for the data vdevs",
            ["zpool remove tank mirror-2"],
        ),
        (
            [("    spare: {disks: [spare]}\n", "")],
            "",
            "tank/{H09}: the spare device {H09} leaves the pool",
            ["zpool remove tank {H09}"],
        ),
        (
            [(POOL, "  pool: {match: {serial: [H01, H02]}, count: 2, retire: [H03, H04]}")],
            "",
            "tank/mirror-1: the data vdev mirror-1 leaves the pool with its data moved to the others, "
            "which cannot be taken back",
            ["zpool remove tank mirror-1"],
        ),
        (
            [("autotrim: on,", "autotrim: on,"), ("    spare:", "    upgrade: true\n    spare:")],
            recorded("status_online").replace(
                "config:",
                # ZPOOL_STATUS_FEAT_DISABLED of zpool_main.c
                "status: Some supported and requested features are not enabled on the pool.\n\tThe pool can\n"
                "\tstill be used, but some features are unavailable.\nconfig:",
            ),
            "tank: features once enabled stay, and an older ZFS may not import it any more",
            ["zpool upgrade tank"],
        ),
    ],
)
def test_what_takes_or_stays_needs_a_consent(
    changes: list[tuple[str, str]], status: str, why: str, argv: list[str]
) -> None:
    (refusal,) = planned(*changes, status=status).refusals
    assert refusal.sentence().startswith(f"{why.format(**LINKS)}, and nobody consented to zfs_pool.")
    found = planned(*changes, status=status, consent=True)
    assert commands(found, "zfs_pool") == [line.format(**LINKS) for line in argv]


def test_a_vdev_is_added_with_a_consent_and_shown_by_the_tool_itself() -> None:
    dry = {DRY: said("would update 'tank' to the following configuration:\n\n\ttank\n\t  mirror-0\n")}
    refused = planned((POOL, LARGER), **dry)
    assert "what is added stays in it for ever (data mirror" in refused.refusals[0].message
    note = (
        "pool tank: zpool add -n says: would update 'tank' to the following configuration:\n    tank\n      mirror-0."
    )
    assert refused.notes == (note,)
    found = planned((POOL, LARGER), consent=True, **dry)
    assert commands(found, "zfs_pool") == [f"zpool add -o ashift=12 tank mirror {H05} {H06}"]
    (refusal,) = planned(
        (POOL, LARGER), **{DRY: {"rc": 1, "stdout": "", "stderr": "invalid vdev"}}, consent=True
    ).refusals
    assert refusal.message == "zpool would not add this: invalid vdev"


ASHIFTS = "run:zpool get -Hp -o name,value ashift tank all-vdevs"


@pytest.mark.parametrize(
    ("told", "option"),
    [
        (said("root-0\t0\nmirror-0\t9\nmirror-1\t9\nmirror-2\t12\n"), "-o ashift=9 "),
        (said("mirror-0\t9\nmirror-1\t12\n"), ""),
        ({"rc": 1, "stdout": "", "stderr": "invalid option"}, ""),
    ],
)
def test_a_log_is_added_with_the_ashift_of_the_data(told: dict[str, Any], option: str) -> None:
    """Its own may be another one, and ZFS 2.3 would refuse it."""
    more = (POOL, f"{POOL}\n  more: {{match: {{serial: [H05, H06]}}, count: 2}}")
    wanted = (LOG, "    log: {mirror: [fast.slog, more], width: 2}\n")
    free = {POOLS: said(made_properties(("ashift", "0"))), ASHIFTS: told}
    found = planned(more, wanted, ("ashift: 12, ", ""), **free)
    assert commands(found, "zfs_pool") == [f"zpool add {option}tank log mirror {H05} {H06}"]


WIDE = recorded("status_online").replace(
    f"\t    /dev/disk/by-id/{LINKS['H02']}-part1  ONLINE       0     0     0\n",
    f"\t    /dev/disk/by-id/{LINKS['H02']}-part1  ONLINE       0     0     0\n"
    f"\t    /dev/disk/by-id/{H12}-part1  ONLINE       0     0     0\n",
)


def test_a_mirror_becomes_narrower_with_a_consent_and_only_while_it_is_well() -> None:
    (refusal,) = planned(status=WIDE).refusals
    assert refusal.message.startswith(f"mirror-0, a mirror of 3, loses the copy on {H12}, and nobody consented")
    assert commands(planned(status=WIDE, consent=True), "zfs_pool") == [f"zpool detach tank {H12}"]
    bad = WIDE.replace(f"{LINKS['H02']}-part1  ONLINE", f"{LINKS['H02']}-part1  FAULTED")
    (refusal,) = planned(status=bad, consent=True).refusals
    assert "is FAULTED, and this must wait until it is well" in refusal.message


def test_a_wiped_disk_is_taken_in_anew_when_it_replaces_itself() -> None:
    lost = recorded("status_lost").replace(H12, LINKS["H02"])
    renewed = (POOL, f"{POOL[:-1]}, replace: {{H03: H03}}}}")
    free = {Signatures(f"/dev/disk/by-id/{LINKS['H03']}").key: {"found": [], "error": ""}}
    argv = f"zpool replace -o ashift=12 tank 16181796860351716375 {LINKS['H03']}"
    labelled = planned(renewed, status=lost, **free)
    assert commands(labelled, "zfs_pool") == ["zpool online tank 16181796860351716375"]
    others = made_properties(("guid", "1"))  # the label on the disk is then of another pool of this name
    found = planned(renewed, status=lost, **free, **{POOLS: said(others)})
    assert commands(found, "zfs_pool") == [argv]
    # Once it is in, the same line asks for nothing.
    assert commands(planned(renewed), "zfs_pool") == []


def test_an_evacuated_vdev_is_not_asked_to_leave_again() -> None:
    leaving = recorded("status_online").replace(
        "config:",
        "remove: Evacuation of mirror-1 in progress since Sat Nov 21 10:56:11 2026\n"
        "\t12.0M copied out of 40.0M at 3.00M/s, 30.00% done, 0h0m to go\nconfig:",
    )
    found = planned((POOL, "  pool: {match: {serial: [H01, H02]}, count: 2, retire: [H03, H04]}"), status=leaving)
    assert commands(found, "zfs_pool") == []
    assert found.notes == ("pool tank: an evacuation is under way, 30.00% done, 0h0m to go; it goes on by itself.",)


@pytest.mark.parametrize(
    ("value", "hint"),
    [("disabled", "its feature raidz_expansion is not enabled"), (None, "ZFS of this host cannot make a raidz wider")],
)
def test_a_raidz_is_made_wider_only_by_a_zfs_that_can(value: str | None, hint: str) -> None:
    status = recorded("status_online")
    rows = status[status.index("\t  mirror-0") : status.index("\tlogs")]
    leaves = [line for line in rows.splitlines() if "mirror" not in line]
    raidz = "\t  raidz1-0  ONLINE       0     0     0\n" + "".join(f"{leaf}\n" for leaf in leaves)
    larger = (POOL, "  pool: {match: {serial: [H01, H02, H03, H04, H05]}, count: 5}")
    properties = made_properties(("feature@raidz_expansion", value))
    changed = planned(
        larger, (DATA, "data: {raidz1: [pool]}"), status=status.replace(rows, raidz), **{POOLS: said(properties)}
    )
    assert [refusal.message for refusal in changed.refusals] == [hint]
