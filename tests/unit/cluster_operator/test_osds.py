# SPDX-License-Identifier: GPL-3.0-or-later
"""The Job and the Deployment of an OSD: labels and settings that other programs read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.cluster.operator.standin import osds, prepare
from tests.cluster.operator.standin.ceph import CephError
from tests.cluster.operator.standin.words import labels_of

CLUSTER: dict[str, Any] = {
    "apiVersion": "ceph.rook.io/v1",
    "kind": "CephCluster",
    "metadata": {"name": "c", "namespace": "ceph-hdd", "uid": "u1"},
    "spec": {"cephVersion": {"image": "quay.io/ceph/ceph:v20.2.4"}, "dataDirHostPath": "/var/lib/rook-hdd"},
}
SPREAD = [{"maxSkew": 1, "topologyKey": "topology.rook.io/rack", "whenUnsatisfiable": "DoNotSchedule"}]


def device_set(**more: Any) -> dict[str, Any]:
    template = {
        "metadata": {"name": "data", "annotations": {"crushDeviceClass": "hdd"}},
        "spec": {"volumeMode": "Block", "resources": {"requests": {"storage": "5Gi"}}},
    }
    return {"name": "hdd", "count": 1, "volumeClaimTemplates": [template], **more}


OSD = osds.Osd(3, "uuid-3", "hdd-data-0abcde", "h1", "root=default host=h1 rack=r1", "topology.rook.io/rack=r1", "hdd")


def test_a_deployment_has_the_labels_that_lead_from_an_osd_to_its_claim() -> None:
    made = osds.deployment(OSD, device_set(), CLUSTER, "fsid")
    labels = labels_of(made)
    assert made["metadata"]["name"] == "rook-ceph-osd-3"
    assert labels["ceph-osd-id"] == "3"
    assert labels["ceph.rook.io/pvc"] == "hdd-data-0abcde"
    assert labels["ceph.rook.io/DeviceSet"] == "hdd"
    assert labels["topology-location-rack"] == "r1"
    assert made["spec"]["strategy"] == {"type": "Recreate"}
    assert made["spec"]["replicas"] == 1
    pod = made["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/hostname": "h1"}
    bridge = next(volume for volume in pod["volumes"] if volume["name"].endswith("-bridge"))
    assert bridge["hostPath"]["path"] == "/var/lib/rook-hdd/ceph-hdd/hdd-data-0abcde"


def test_a_deployment_tells_all_that_is_needed_to_write_it_again() -> None:
    bound = osds.Osd.from_deployment(osds.deployment(OSD, device_set(), CLUSTER, "fsid"))
    assert bound == replace(OSD, affinity="")  # only one that can move needs to know where to
    portable = osds.Osd.from_deployment(osds.deployment(OSD, device_set(portable=True), CLUSTER, "fsid"))
    assert portable == replace(OSD, host="")


def test_a_portable_osd_is_bound_to_its_rack_and_not_to_its_host() -> None:
    pod = osds.deployment(OSD, device_set(portable=True), CLUSTER, "fsid")["spec"]["template"]["spec"]
    assert "nodeSelector" not in pod
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == ["r1"]


@pytest.mark.parametrize("key", ["preparePlacement", "placement"])
def test_a_job_is_spread_by_its_own_placement_or_by_the_osds(key: str) -> None:
    job = osds.prepare_job("hdd-data-0abcde", device_set(**{key: {"topologySpreadConstraints": SPREAD}}), CLUSTER, "op")
    assert job["metadata"]["name"] == "rook-ceph-osd-prepare-hdd-data-0abcde"
    assert job["spec"]["template"]["spec"]["topologySpreadConstraints"] == SPREAD
    assert labels_of(job["spec"]["template"])["app"] == "rook-ceph-osd-prepare"


def test_a_slow_set_is_tuned() -> None:
    args = osds.deployment(OSD, device_set(tuneDeviceClass=True), CLUSTER, "fsid")["spec"]["template"]["spec"]
    assert "--osd-recovery-sleep=0.1" in args["containers"][0]["args"]


def test_a_label_of_the_same_cluster_is_taken_back_and_another_refused() -> None:
    label = {"osd_uuid": "u", "ceph_fsid": "f1", "whoami": "7"}
    assert prepare.adopt(label, "f1", "hdd")["id"] == 7
    with pytest.raises(CephError, match='belonging to a different ceph cluster "f1"'):
        prepare.adopt(label, "f2", "hdd")
    with pytest.raises(CephError, match="incomplete prepare"):
        prepare.adopt({"osd_uuid": "u", "ceph_fsid": "f1"}, "f1", "hdd")
