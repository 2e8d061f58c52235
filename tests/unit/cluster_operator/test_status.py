# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a CephCluster as Rook writes it."""

from __future__ import annotations

from tests.cluster.operator.standin import status
from tests.cluster.operator.standin.api import merged

FIRST, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


def test_progress_gives_way_and_ready_stays() -> None:
    ready = status.with_condition({}, "Ready", FIRST, message="Cluster created successfully", generation=4)
    assert (ready["phase"], ready["state"], ready["observedGeneration"]) == ("Ready", "Created", 4)
    again = status.with_condition(ready, "Progressing", LATER, message="Configuring Ceph OSDs")
    assert again["phase"] == "Progressing"
    assert again["observedGeneration"] == 4
    assert [condition["type"] for condition in again["conditions"]] == ["Ready", "Progressing"]
    last = status.with_condition(again, "Ready", LATER, message="Cluster created successfully", generation=5)
    assert [condition["type"] for condition in last["conditions"]] == ["Ready"]
    assert last["observedGeneration"] == 5


def test_an_unchanged_condition_keeps_the_time_of_its_change() -> None:
    once = status.with_condition({}, "Ready", FIRST, message="Cluster created successfully", generation=1)
    twice = status.with_condition(once, "Ready", LATER, message="Cluster created successfully", generation=1)
    assert twice["conditions"][0]["lastTransitionTime"] == FIRST
    assert twice["conditions"][0]["lastHeartbeatTime"] == LATER


def test_a_failure_is_an_error_that_says_why() -> None:
    failed = status.with_condition({}, "Progressing", FIRST, message="failed to start ceph osds", ok=False)
    assert (failed["state"], failed["message"]) == ("Error", "failed to start ceph osds")
    assert failed["conditions"][0]["status"] == "False"


def test_a_check_that_is_over_is_taken_away() -> None:
    check = {"severity": "HEALTH_WARN", "summary": {"message": "1 osds down"}}
    told = {"health": {"status": "HEALTH_WARN", "checks": {"OSD_DOWN": check}}, "fsid": "f", "pgmap": {}}
    before = {"health": "HEALTH_OK", "details": {"PG_DEGRADED": {}}}
    part = status.ceph_part(told, LATER, before)
    assert part["details"] == {
        "PG_DEGRADED": None,
        "OSD_DOWN": {"severity": "HEALTH_WARN", "message": "1 osds down"},
    }
    assert (part["previousHealth"], part["lastChanged"]) == ("HEALTH_OK", LATER)
    assert merged({"ceph": before}, {"ceph": part})["ceph"]["details"].keys() == {"OSD_DOWN"}
