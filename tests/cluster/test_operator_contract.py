# SPDX-License-Identifier: GPL-3.0-or-later
"""What barestore relies on in the operator, each behaviour by itself.

The same tests run against the stand-in and against Rook's own image: ``ROOK_IMAGE=docker.io/rook/ceph:v1.20.6``.
They are one story in this order: each test finds the cluster as the one before left it.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from barestore import collection
from tests.cluster.operator.contract import (
    CEPH_IMAGE,
    PASS_SECONDS,
    REAL,
    SET,
    ceph_cluster,
    claims,
    deployments,
    first_bytes,
    is_current,
    purge,
    put_and_get,
    set_count,
    stop,
    storage_class,
    the_cluster,
    up,
    wait_current,
    wait_up,
)
from tests.cluster.operator.kube import OPERATOR_IMAGE, Kube, in_namespace, rook_manifests

collection.prepare()

from ansible_collections.barestore.storage.plugins.module_utils.cluster.gates.ceph import HARMLESS  # noqa: E402

pytestmark = pytest.mark.cluster

NAMESPACE = "ceph-contract"
SECOND = "ceph-contract-two"
IDENTITY = "ceph.rook.io/DeviceSetPVCId"
# Four of the first cluster, two that take the places of purged ones, one of the second cluster.
DISKS = 7
# A pass begins this soon after what starts it.
REST_SECONDS = 10


@pytest.fixture(scope="module")
def kubernetes(request: pytest.FixtureRequest) -> Kube:
    """The bed with its disks as volumes, or the cluster of BARESTORE_KUBECONFIG, which has images and volumes."""
    if named := os.environ.get("BARESTORE_KUBECONFIG", ""):
        return Kube(os.environ.get("BARESTORE_KUBECTL", "kubectl"), Path(named), NAMESPACE)
    cluster = request.getfixturevalue("cluster")
    made: Kube = cluster.kube(NAMESPACE)
    return made


@pytest.fixture(scope="module")
def k(kubernetes: Kube) -> Iterator[Kube]:
    """A cluster with the operator, and with enough blank disks."""
    block = [volume for volume in kubernetes.list("pv") if volume["spec"].get("volumeMode") == "Block"]
    if len(block) < DISKS:
        pytest.fail(f"the contract needs {DISKS} block volumes and the test bed has {len(block)}")
    kubernetes.wait(f"{DISKS} available volumes", lambda: len([v for v in kubernetes.list("pv") if _free(v)]) >= DISKS)
    manifests = rook_manifests()
    # On the bed site.yml has installed the operator, of ROOK_IMAGE where that is given.
    if kubernetes.get("deploy", "rook-ceph-operator", namespace="rook-ceph") is None:
        for name in ("crds.yaml", "common.yaml", "csi-operator.yaml"):
            kubernetes.apply_text((manifests / name).read_text())
        operator = (manifests / "operator.yaml").read_text()
        kubernetes.apply_text(operator.replace(OPERATOR_IMAGE, REAL or OPERATOR_IMAGE))
    # The example names a branch of Ceph; the clusters run one version of it.
    toolbox = re.sub(r"image: quay.io/ceph/ceph:\S+", f"image: {CEPH_IMAGE}", (manifests / "toolbox.yaml").read_text())
    for namespace in (NAMESPACE, SECOND):
        kubernetes.apply_text(in_namespace((manifests / "common-second-cluster.yaml").read_text(), namespace))
        kubernetes.apply_text(in_namespace(toolbox, namespace))
    yield kubernetes


def _free(volume: Any) -> bool:
    return bool(volume["status"]["phase"] == "Available" and volume["spec"].get("volumeMode") == "Block")


def test_three_osds_come_up_and_the_cluster_is_ready(k: Kube) -> None:
    nodes = k.list("node")
    mons = 3 if len(nodes) >= 3 else 1
    k.apply(ceph_cluster(NAMESPACE, storage_class(k), mons, 3))
    wait_current(k)
    k.wait("an answer from the toolbox", lambda: k.ceph("status"))
    wait_up(k, 3)
    assert len(k.ceph("quorum_status")["quorum_names"]) == mons
    k.wait("health in the status", lambda: the_cluster(k)["status"]["ceph"]["health"])
    assert the_cluster(k)["status"]["state"] == "Created"


def test_what_others_read_is_there(k: Kube) -> None:
    for index, claim in claims(k).items():
        labels, name = claim["metadata"]["labels"], claim["metadata"]["name"]
        assert labels[IDENTITY] == f"{SET}-data-{index}"
        assert name.startswith(f"{SET}-data-{index}")
        assert k.get("job", f"rook-ceph-osd-prepare-{name}")["metadata"]["labels"]["ceph.rook.io/pvc"] == name
    by_name = {claim["metadata"]["name"] for claim in claims(k).values()}
    for number, found in deployments(k).items():
        labels = found["metadata"]["labels"]
        assert found["metadata"]["name"] == f"rook-ceph-osd-{number}"
        assert labels["ceph.rook.io/pvc"] in by_name
        assert labels["ceph.rook.io/DeviceSet"] == SET
        assert found["spec"]["strategy"]["type"] == "Recreate"
        assert found["spec"]["replicas"] == 1
        volumes = found["spec"]["template"]["spec"]["volumes"]
        bridge = next(volume for volume in volumes if volume["name"].endswith("-bridge"))
        assert bridge["hostPath"]["path"].endswith(f"/{NAMESPACE}/{labels['ceph.rook.io/pvc']}")
    secret = k.get("secret", "rook-ceph-mon")["data"]
    assert base64.b64decode(secret["fsid"]).decode() == k.ceph("status")["fsid"]
    assert base64.b64decode(secret["ceph-username"]) == b"client.admin"
    for end in k.get("configmap", "rook-ceph-mon-endpoints")["data"]["data"].split(","):
        assert end.partition("=")[2].count(":") == 1


def test_what_ceph_says_of_a_new_cluster_stops_no_change(k: Kube) -> None:
    k.wait("no check of health but harmless ones", lambda: set(k.ceph("health")["checks"]) <= HARMLESS)


def test_osds_stand_in_crush_where_their_nodes_labels_say(k: Kube) -> None:
    labels = {
        node["metadata"]["labels"]["kubernetes.io/hostname"]: node["metadata"]["labels"] for node in k.list("node")
    }
    tree = {item["id"]: item for item in k.ceph("osd", "tree")["nodes"]}
    parent = {child: item for item in tree.values() for child in item.get("children") or []}
    for number, found in deployments(k).items():
        host = found["spec"]["template"]["spec"]["nodeSelector"]["kubernetes.io/hostname"]
        assert parent[number]["name"] == host.replace(".", "-")
        assert tree[number]["device_class"] == "hdd"
        if rack := labels[host].get("topology.rook.io/rack"):
            above = parent[parent[number]["id"]]
            assert (above["type"], above["name"]) == ("rack", rack)


def test_the_prepare_jobs_spread_osds_over_racks(k: Kube) -> None:
    racks = {node["metadata"]["labels"].get("topology.rook.io/rack") for node in k.list("node")} - {None}
    if len(racks) < 3:
        pytest.skip(f"the test bed has {len(racks)} racks; three OSDs spread over three")
    used = [item for item in k.ceph("osd", "tree")["nodes"] if item["type"] == "rack" and item.get("children")]
    assert len(used) == 3


def test_a_higher_count_adds_the_next_index(k: Kube) -> None:
    before = claims(k)
    set_count(k, 4)
    wait_up(k, 4)
    assert sorted(claims(k)) == [*sorted(before), max(before) + 1]
    wait_current(k)


def test_a_lower_count_removes_nothing(k: Kube) -> None:
    before = {claim["metadata"]["uid"] for claim in claims(k).values()}
    running = {one["metadata"]["uid"] for one in deployments(k).values()}
    set_count(k, 3)
    wait_current(k)
    assert {claim["metadata"]["uid"] for claim in claims(k).values()} == before
    assert {one["metadata"]["uid"] for one in deployments(k).values()} == running
    assert len(up(k)) == 4


def test_the_purge_job_says_success_and_removes_nothing_while_the_osd_is_up(k: Kube) -> None:
    number = max(deployments(k))
    before = deployments(k)[number]["metadata"]["uid"]
    assert purge(k, str(number)).get("succeeded") == 1
    assert number in up(k)
    assert deployments(k)[number]["metadata"]["uid"] == before


def test_a_stopped_osd_stays_stopped_only_with_the_label(k: Kube) -> None:
    number = max(deployments(k))
    stop(k, number)
    k.patch("cephcluster", k.namespace, {"spec": {"priorityClassNames": {"mgr": "system-cluster-critical"}}})
    wait_current(k)
    assert deployments(k)[number]["spec"]["replicas"] == 0
    k.call("label", "deploy", f"rook-ceph-osd-{number}", "ceph.rook.io/do-not-reconcile-")
    k.patch("cephcluster", k.namespace, {"spec": {"priorityClassNames": None}})
    wait_up(k, 4)
    assert deployments(k)[number]["spec"]["replicas"] == 1


def test_a_purge_that_does_nothing_can_be_had(k: Kube) -> None:
    if REAL:
        pytest.skip("only the stand-in has a switch that makes its purge Job do nothing")
    number = max(deployments(k))
    stop(k, number)
    assert purge(k, str(number), {"name": "ROOK_STANDIN_PURGE_DOES_NOTHING", "value": "true"}).get("succeeded") == 1
    assert number in deployments(k)
    assert number in {int(osd["osd"]) for osd in k.ceph("osd", "dump")["osds"]}


def rest(k: Kube) -> None:
    """Until no pass is under way nor begins: Rook's own waits ten minutes for a Deployment that goes while it runs."""
    since = time.monotonic()

    def quiet() -> bool:
        nonlocal since
        since = since if is_current(k) else time.monotonic()
        return time.monotonic() - since > REST_SECONDS

    k.wait("an operator at rest", quiet, PASS_SECONDS)


def test_a_purge_removes_the_osd_and_leaves_volume_and_label(k: Kube) -> None:
    rest(k)
    number = max(deployments(k))
    stop(k, number)
    claim = deployments(k)[number]["metadata"]["labels"]["ceph.rook.io/pvc"]
    volume = k.get("pvc", claim)["spec"]["volumeName"]
    assert purge(k, str(number)).get("succeeded") == 1
    assert number not in {int(osd["osd"]) for osd in k.ceph("osd", "dump")["osds"]}
    assert f"osd.{number}" not in {entry["entity"] for entry in k.ceph("auth", "ls")["auth_dump"]}
    k.wait("the Deployment gone", lambda: number not in deployments(k))
    k.wait("the claim gone", lambda: k.get("pvc", claim) is None)
    k.wait("the prepare Job gone", lambda: k.get("job", f"rook-ceph-osd-prepare-{claim}") is None)
    k.wait("the volume Released", lambda: k.get("pv", volume)["status"]["phase"] == "Released")
    assert first_bytes(k, volume).startswith("bluestore block device")
    wait_current(k)
    assert len(claims(k)) == 3


def test_a_purged_osd_that_still_counts_comes_back_as_the_next_index(k: Kube) -> None:
    rest(k)
    before = claims(k)
    gone = before[min(before)]["metadata"]["name"]
    number = next(n for n, one in deployments(k).items() if one["metadata"]["labels"]["ceph.rook.io/pvc"] == gone)
    stop(k, number)
    # Two OSDs are left, and the manager's pool of three copies never becomes clean on them.
    assert purge(k, str(number), force=True).get("succeeded") == 1
    new = k.wait("a claim behind the highest", lambda: [index for index in claims(k) if index > max(before)])
    assert new == [max(before) + 1]
    k.wait("the claim gone", lambda: gone not in {claim["metadata"]["name"] for claim in claims(k).values()})
    assert len(claims(k)) == 3


def test_an_unknown_osd_makes_the_purge_job_fail(k: Kube) -> None:
    assert not purge(k, "4711").get("succeeded")


def test_an_operator_that_is_killed_goes_on_where_it_was(k: Kube) -> None:
    wait_up(k, 3)
    before = claims(k)
    set_count(k, 4)
    k.wait("a claim behind the highest", lambda: [index for index in claims(k) if index > max(before)])
    k.call("delete", "pod", "--selector=app=rook-ceph-operator", "--grace-period=0", "--force", namespace="rook-ceph")
    wait_up(k, 4)
    assert len(claims(k)) == 4
    wait_current(k)


def test_one_operator_serves_two_clusters(k: Kube) -> None:
    other = Kube(k.kubectl, k.kubeconfig, SECOND)
    other.apply(ceph_cluster(SECOND, storage_class(k), 1, 1))
    wait_current(other)
    wait_up(other, 1)
    assert other.ceph("status")["fsid"] != k.ceph("status")["fsid"]
    assert len(up(k)) == 4


def test_a_bucket_claim_gives_a_bucket_that_keeps_an_object(k: Kube) -> None:
    size = {"failureDomain": "osd", "replicated": {"size": 3}}
    store = {
        "apiVersion": "ceph.rook.io/v1",
        "kind": "CephObjectStore",
        "metadata": {"name": "store", "namespace": NAMESPACE},
        "spec": {"metadataPool": size, "dataPool": size, "gateway": {"port": 80, "instances": 1}},
    }
    pool = {
        "apiVersion": "ceph.rook.io/v1",
        "kind": "CephBlockPool",
        "metadata": {"name": "volumes", "namespace": NAMESPACE},
        "spec": {**size, "deviceClass": "hdd"},
    }
    bucket_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "contract-bucket"},
        "provisioner": f"{NAMESPACE}.ceph.rook.io/bucket",
        "reclaimPolicy": "Delete",
        "parameters": {"objectStoreName": "store", "objectStoreNamespace": NAMESPACE},
    }
    claim = {
        "apiVersion": "objectbucket.io/v1alpha1",
        "kind": "ObjectBucketClaim",
        "metadata": {"name": "photos", "namespace": NAMESPACE},
        "spec": {"generateBucketName": "photos", "storageClassName": "contract-bucket"},
    }
    # Ceph makes it with one placement group, and Rook makes no store until it has eight.
    root = {**pool, "metadata": {"name": "builtin-rgw-root", "namespace": NAMESPACE}}
    root["spec"] = {**size, "name": ".rgw.root", "application": "rgw", "parameters": {"pg_num": "8"}}
    k.apply(pool, root)
    for name in ("volumes", "builtin-rgw-root"):
        k.wait(f"pool {name} Ready", lambda: k.get("cephblockpool", name)["status"]["phase"] == "Ready")  # noqa: B023
    assert {"volumes", ".rgw.root"} <= {one["poolname"] for one in k.ceph("osd", "lspools")}
    k.apply(store, bucket_class, claim)
    k.wait("the store Ready", lambda: k.get("cephobjectstore", "store")["status"]["phase"] == "Ready")
    k.wait("the claim Bound", lambda: k.get("objectbucketclaim", "photos")["status"]["phase"] == "Bound")
    told = k.get("configmap", "photos")["data"]
    secret = {key: base64.b64decode(value).decode() for key, value in k.get("secret", "photos")["data"].items()}
    assert told["BUCKET_NAME"].startswith("photos-")
    assert k.get("service", "rook-ceph-rgw-store")["spec"]["ports"][0]["port"] == int(told["BUCKET_PORT"])
    assert k.toolbox("python3", "-", stdin=put_and_get(told, secret)).strip() == "what was written"
