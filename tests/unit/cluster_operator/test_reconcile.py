# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole passes over a cluster: what they make, what they leave, and that one that is cut off anywhere is finished."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.cluster.operator.standin import ceph, cluster, mgrs
from tests.unit.cluster_operator.world import Killed, QuietCeph, World, node
from tests.unit.cluster_operator.world import cluster as described

SKIP = "ceph.rook.io/do-not-reconcile"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return new_world(monkeypatch)


def new_world(monkeypatch: pytest.MonkeyPatch, count: int = 3) -> World:
    made = World()
    for name, rack in (("a1", "r1"), ("b1", "r2"), ("c1", "r3")):
        made.things["Node", "", name] = node(name, rack)
    made.things["CephCluster", "ns", "ceph"] = described(count)
    monkeypatch.setattr(ceph.Ceph, "connect", lambda *_arguments: QuietCeph(made))
    monkeypatch.setattr(cluster, "run", lambda _argv: "key\n")
    monkeypatch.setattr(cluster.time, "sleep", lambda _seconds: None)
    return made


def reconcile(world: World) -> None:
    thing = copy.deepcopy(world.of("CephCluster")["ceph"])
    cluster.Reconciler(world, thing, "operator", lambda: False).run()


def set_count(world: World, count: int) -> None:
    world.edit(lambda spec: spec["storage"]["storageClassDeviceSets"][0].update(count=count))


def osds(world: World) -> list[str]:
    return sorted(name for name in world.of("Deployment") if name.startswith("rook-ceph-osd-"))


def test_a_new_cluster_gets_everything_once(world: World) -> None:
    reconcile(world)
    assert osds(world) == ["rook-ceph-osd-0", "rook-ceph-osd-1", "rook-ceph-osd-2"]
    assert {name for name in world.of("Deployment") if "mon" in name} == {f"rook-ceph-mon-{x}" for x in "abc"}
    places = [world.of("Deployment")[f"rook-ceph-mon-{x}"]["spec"]["template"]["spec"]["nodeSelector"] for x in "abc"]
    assert {place["kubernetes.io/hostname"] for place in places} == {"a1", "b1", "c1"}
    status = world.of("CephCluster")["ceph"]["status"]
    assert (status["phase"], status["observedGeneration"]) == ("Ready", 1)
    before = copy.deepcopy({key: thing["spec"] for key, thing in world.things.items() if "spec" in thing})
    reconcile(world)
    assert {key: thing["spec"] for key, thing in world.things.items() if "spec" in thing} == before


def test_a_lower_count_leaves_everything_and_is_ready(world: World) -> None:
    reconcile(world)
    set_count(world, 1)
    reconcile(world)
    assert len(osds(world)) == 3
    assert len(world.of("PersistentVolumeClaim")) == 3
    assert world.of("CephCluster")["ceph"]["status"]["observedGeneration"] == 2


def test_a_scaled_down_osd_is_started_again_unless_it_is_marked(world: World) -> None:
    reconcile(world)
    for name in ("rook-ceph-osd-0", "rook-ceph-osd-1"):
        world.of("Deployment")[name]["spec"]["replicas"] = 0
    world.of("Deployment")["rook-ceph-osd-1"]["metadata"]["labels"][SKIP] = "true"
    reconcile(world)
    assert world.of("Deployment")["rook-ceph-osd-0"]["spec"]["replicas"] == 1
    assert world.of("Deployment")["rook-ceph-osd-1"]["spec"]["replicas"] == 0


def test_a_lost_deployment_comes_back_with_the_osd_of_its_device(world: World) -> None:
    reconcile(world)
    claim = world.of("Deployment")["rook-ceph-osd-1"]["metadata"]["labels"]["ceph.rook.io/pvc"]
    del world.things["Deployment", "ns", "rook-ceph-osd-1"]
    reconcile(world)
    assert world.of("Deployment")["rook-ceph-osd-1"]["metadata"]["labels"]["ceph.rook.io/pvc"] == claim
    assert len(osds(world)) == 3


def test_labels_that_rook_refuses_stop_a_new_cluster_and_not_one_that_runs(world: World) -> None:
    world.of("Node")["a1"]["metadata"]["labels"]["topology.kubernetes.io/zone"] = "r1"
    with pytest.raises(cluster.ReconcileError, match='value "r1" appears under both'):
        reconcile(world)
    assert osds(world) == []
    world.things["Pod", "ns", "osd"] = {
        "metadata": {"name": "osd", "labels": {"app": "rook-ceph-osd"}},
        "status": {"phase": "Running"},
    }
    reconcile(world)
    assert len(osds(world)) == 3


def test_a_set_that_is_gone_from_the_document_is_an_error_that_names_its_osds(world: World) -> None:
    reconcile(world)
    world.edit(lambda spec: spec["storage"].update(storageClassDeviceSets=[]))
    with pytest.raises(cluster.ReconcileError, match="(?s)3 failures.*failed to find valid VolumeSource"):
        reconcile(world)
    assert len(osds(world)) == 3


def test_too_few_nodes_for_the_monitors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = new_world(monkeypatch)
    del world.things["Node", "", "c1"]
    with pytest.raises(cluster.ReconcileError, match="3 more monitors are asked for, and 2 of 2 usable nodes"):
        reconcile(world)


def summary(world: World) -> Any:
    """What must be the same, however often the operator was killed."""
    identities = sorted(
        claim["metadata"]["labels"]["ceph.rook.io/DeviceSetPVCId"]
        for claim in world.of("PersistentVolumeClaim").values()
    )
    return identities, osds(world), sorted(world.of("Deployment")), sorted(world.of("Service"))


def test_a_pass_that_is_cut_off_anywhere_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = new_world(monkeypatch)
    reconcile(whole)
    assert whole.calls > 50
    for call in range(1, whole.calls + 1):
        world = new_world(monkeypatch)
        world.kill_at = call
        with pytest.raises(Killed):
            reconcile(world)
        identity = world.things.get(("Secret", "ns", "rook-ceph-mon"), {}).get("data")
        reconcile(world)
        assert summary(world) == summary(whole), f"killed at call {call}"
        if identity:
            assert world.things["Secret", "ns", "rook-ceph-mon"]["data"] == identity, "one cluster has one identity"


def test_managers_are_as_many_as_asked_for(world: World) -> None:
    world.edit(lambda spec: spec.update(mgr={"count": 2}))
    reconcile(world)
    assert {name for name in world.of("Deployment") if name.startswith(mgrs.APP)} == {
        "rook-ceph-mgr-a",
        "rook-ceph-mgr-b",
    }
