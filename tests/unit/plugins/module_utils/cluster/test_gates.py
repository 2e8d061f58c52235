# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each gate, closed by what was recorded or by one changed fact, with its sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster.gates import gates
from ansible_collections.barestore.storage.plugins.module_utils.cluster.gates.situation import Situation, is_clean
from ansible_collections.barestore.storage.plugins.module_utils.cluster.state import (
    Check,
    Deployment,
    Node,
    Pod,
    Progress,
    Volume,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.windows import is_open
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import SpecError
from tests.unit.plugins.module_utils.cluster import recorded


def healthy(**changes: Any) -> Situation:
    seen = recorded.cluster("drained")
    osds = {number: replace(one, is_in=True, weight=0.002) for number, one in seen.osds.items()}
    checks = tuple(one for one in seen.checks if "NEARFULL" not in one.code)
    changed = {"osds": osds, "checks": checks, "operator": 1, **changes}
    return Situation(replace(seen, **changed))


def volume(name: str, path: str, node: str = "n") -> Volume:
    return Volume(name, "s", "Available", 1, node, path, "S", "", "", "Retain")


def told(now: Situation, asked: tuple[gates.Gate, ...] = gates.BEFORE_REMOVING) -> list[str]:
    return [one.sentence() for one in gates.closed(asked, now)]


def test_all_gates_are_open_on_a_clean_cluster() -> None:
    assert told(healthy()) == []


def test_recorded_losses_close_the_gate_of_osds_with_their_rack() -> None:
    lost = Situation(replace(recorded.cluster("lost"), operator=1), leaving=frozenset((8,)))
    sentences = told(lost)
    assert any(one.startswith("gate osds: 1 OSDs are down: osd.7 in rack2") for one in sentences)
    assert any(one.startswith("gate placement: 47 of 145 placement groups are not active+clean") for one in sentences)
    assert any(one.startswith("gate health") and "PG_DEGRADED" in one for one in sentences)
    assert any(one.startswith("gate room") and "nearfull" in one for one in sentences)


def test_recorded_flags_close_their_gate() -> None:
    now = Situation(replace(recorded.cluster("flags"), operator=1))
    assert any(one.startswith("gate flags: somebody set noout, norebalance on ceph-hdd") for one in told(now))


def test_an_osd_without_a_place_closes_the_gate_of_osds() -> None:
    now = Situation(replace(recorded.cluster("new_without_place"), operator=1))
    assert any("CRUSH has no place for osd.7" in one for one in told(now))


CLOSED: list[tuple[dict[str, Any], str]] = [
    ({"quorum": 2, "mons": 3}, "gate quorum: 2 of 3 monitors are in quorum"),
    ({"mgr": False}, "gate quorum: no manager is active"),
    (
        {"checks": (Check("OSD_SCRUB_ERRORS", "HEALTH_ERR", "1 scrub errors"),)},
        "gate health: ceph-hdd is in HEALTH_WARN",
    ),
    (
        {"progress": Progress({"active+clean+inconsistent": 1}, 0, 0)},
        "gate scrub: placement groups are active+clean+incons",
    ),
    ({"operator": 0}, "gate operator: the Rook operator is not available"),
    (
        {"seen_generation": 1},
        "gate operator: the operator has reconciled generation 1 of CephCluster ceph-hdd and not 2",
    ),
    ({"phase": "Progressing"}, "gate operator: CephCluster ceph-hdd is Progressing and not Ready"),
    ({"migrating": 2}, "gate operator: Rook migrates 2 OSDs"),
    (
        {"deployments": (Deployment("rook-ceph-osd-3", 3, "c", 0, 0, True, "Recreate", False),)},
        "gate fences: rook-ceph-osd-3 carry ceph.rook.io/do-not-reconcile",
    ),
    (
        {"pods": (Pod("a", 3, "n", "Running", False), Pod("b", 3, "n", "Pending", False))},
        "gate pods: osd.3 have more than one pod",
    ),
    ({"pods": (Pod("a", 3, "n", "Running", True),)}, "gate pods: a do not end"),
    (
        {"deployments": (Deployment("rook-ceph-osd-3", 3, "c", 2, 2, False, "Recreate", False),)},
        "gate starts: rook-ceph-osd-3 want more than one pod of an OSD; scale them to 1",
    ),
    (
        {"deployments": (Deployment("rook-ceph-osd-3", 3, "c", 1, 1, False, "RollingUpdate", False),)},
        "gate starts: rook-ceph-osd-3 start a new pod before the old one ended",
    ),
    (
        {"volumes": {"a": volume("a", "/v/osd/wwn-0x5"), "b": volume("b", "/v/other/wwn-0x5")}},
        "gate volumes: 1 disks have more than one volume: a, b all lead to disk S on n;",
    ),
    (
        {"volumes": {"a": volume("a", "/v/osd/wwn-0x5"), "b": volume("b", "/v/other/wwn-0x5-part2")}},
        "gate volumes: 1 disks have more than one volume: a is all of disk S on n, and b a part of it;",
    ),
    ({"jobs": {"rook-ceph-purge-osd": "running"}}, "gate fences: Job rook-ceph-purge-osd removes OSDs"),
    (
        {
            "nodes": {"n": Node("n", "rack1", False, True)},
            "volumes": {"v": Volume("v", "s", "Bound", 1, "n", "/p", "S", "ceph-hdd/c", "", "Retain")},
        },
        "gate nodes: nodes n are not Ready",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), CLOSED, ids=[one[1][:40] for one in CLOSED])
def test_one_fact_closes_one_gate(changes: dict[str, Any], sentence: str) -> None:
    sentences = told(healthy(**changes))
    assert any(one.startswith(sentence) for one in sentences), sentences


def test_volumes_of_two_disks_two_partitions_or_two_hosts_close_nothing() -> None:
    paths = {"a": "/v/osd/wwn-0x5-part1", "b": "/v/osd/wwn-0x5-part2", "c": "/v/osd/wwn-0x6"}
    found = {name: volume(name, path) for name, path in paths.items()}
    found["d"] = volume("d", "/v/osd/wwn-0x6", "other")
    assert told(healthy(volumes=found)) == []


def test_a_purge_that_ended_closes_nothing() -> None:
    assert told(healthy(jobs={"rook-ceph-purge-osd": "done"})) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"is_in": False}, "gate osds: 1 OSDs are out: osd.3 in rack1; somebody else removes them: let that end, or "),
        ({"weight": 0.0}, "gate osds: 1 OSDs have CRUSH weight 0: osd.3 in rack1; somebody else empties them: "),
    ],
)
def test_somebody_elses_removal_closes_the_gate_of_osds_and_ours_does_not(
    change: dict[str, Any], sentence: str
) -> None:
    now = healthy()
    osds = {**now.cluster.osds, 3: replace(now.cluster.osds[3], **change)}
    now = replace(now, cluster=replace(now.cluster, osds=osds))
    assert [one[: len(sentence)] for one in told(now)] == [sentence]
    assert told(replace(now, leaving=frozenset((3,)))) == []


def test_what_each_cluster_of_rook_says_of_old_keys_closes_nothing() -> None:
    text = "Monitors are configured to allow creation of insecure key types"
    for code in ("AUTH_INSECURE_KEYS_ALLOWED", "AUTH_INSECURE_KEYS_CREATABLE"):
        assert told(healthy(checks=(Check(code, "HEALTH_WARN", text),))) == []


def test_a_code_that_somebody_accepts_or_mutes_closes_nothing() -> None:
    crash = Check("RECENT_CRASH", "HEALTH_WARN", "1 daemons have recently crashed")
    assert told(healthy(checks=(crash,)))
    assert told(replace(healthy(checks=(crash,)), accepted=frozenset(("RECENT_CRASH",)))) == []
    assert told(healthy(checks=(replace(crash, muted=True),))) == []


def test_a_pool_that_splits_closes_its_gate() -> None:
    now = healthy()
    pools = tuple(replace(one, pg_num_target=64) if one.name == "data" else one for one in now.cluster.pools)
    assert told(replace(now, cluster=replace(now.cluster, pools=pools)))[0].startswith(
        "gate splitting: pools change their number of placement groups: data (128 to 64, autoscaler on)"
    )


def test_what_we_move_ourselves_closes_nothing_meanwhile() -> None:
    moving = Progress({"active+undersized+degraded": 9, "active+clean": 136}, 40, 90)
    checks = (Check("PG_DEGRADED", "HEALTH_WARN", "9 pgs degraded"),)
    now = replace(healthy(progress=moving, checks=checks), moving=True)
    assert told(now, gates.MEANWHILE) == []
    assert told(replace(now, moving=False))


@pytest.mark.parametrize(
    ("state", "clean"),
    [
        ("active+clean", True),
        ("active+clean+scrubbing+deep", True),
        ("active+clean+remapped", False),
        ("active+clean+wait", False),
        ("active+clean+inconsistent", False),
        ("active", False),
        ("unknown", False),
    ],
)
def test_which_states_are_clean(state: str, clean: bool) -> None:
    assert is_clean(state) is clean


@pytest.mark.parametrize(
    ("window", "day", "clock", "opened"),
    [
        ("Sa 22:00-06:00", 5, "22:00", True),
        ("Sa 22:00-06:00", 6, "05:59", True),
        ("Sa 22:00-06:00", 6, "06:00", False),
        ("Su 22:00-06:00", 0, "01:00", True),
        ("Mo-Fr 20:00-24:00", 4, "23:59", True),
        ("Mo-Fr 20:00-24:00", 5, "20:00", False),
        ("Fr-Mo 08:00-09:00", 6, "08:30", True),
        ("01:00-02:00", 3, "01:30", True),
    ],
)
def test_windows(window: str, day: int, clock: str, opened: bool) -> None:
    hours, minutes = clock.split(":")
    assert is_open([window], day, int(hours) * 60 + int(minutes)) is opened


def test_without_windows_it_is_always_open() -> None:
    assert is_open([], 0, 0)


@pytest.mark.parametrize("text", ["tonight", "Sa 22:00", "Xx 01:00-02:00", "25:00-26:00", "01:70-02:00", "01:00-01:00"])
def test_a_window_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        is_open([text], 0, 0)


def test_a_closed_window_is_a_gate() -> None:
    now = replace(healthy(), windows=("Sa 22:00-06:00",), open=False)
    assert told(now) == ["gate window: no maintenance window is open now: Sa 22:00-06:00; run again when one is."]
