# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts from nothing to a Ready Kubernetes by site.yml alone; what a second run does; what a cut-off run leaves."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.operator.kube import Failed, Kube

pytestmark = pytest.mark.cluster

RACKS = {"cp1": "rack1", "ss1": "rack1", "ss2": "rack2", "ss3": "rack3"}


def nodes(cluster: Cluster) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in json.loads(cluster.kubectl("get nodes -o json"))["items"]}


def test_all_hosts_are_ready_nodes_of_their_racks(cluster: Cluster) -> None:
    cluster.kubectl("wait --for=condition=Ready node --all --timeout=180s")
    found = nodes(cluster)
    assert {name: item["metadata"]["labels"]["topology.rook.io/rack"] for name, item in found.items()} == RACKS
    assert {item["status"]["nodeInfo"]["kubeletVersion"] for item in found.values()} == {"v1.34.4"}
    assert all(
        item["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://2.") for item in found.values()
    )


def test_kubelet_keeps_back_what_the_document_says(cluster: Cluster) -> None:
    status = nodes(cluster)["ss1"]["status"]
    assert status["capacity"]["pods"] == "60"
    kept = int(status["capacity"]["memory"].removesuffix("Ki")) - int(
        status["allocatable"]["memory"].removesuffix("Ki")
    )
    assert kept == (256 + 100) * 1024, "reserved for the system, and the eviction threshold"


def test_the_hosts_storage_is_there_for_kubernetes(cluster: Cluster) -> None:
    for host in ("ss1", "ss2", "ss3"):
        links = cluster.ssh(host, "ls /var/lib/barestore/local-volumes/osd").split()
        assert len(links) == 4
        assert "/dev/disk/by-id/" in cluster.ssh(host, f"readlink /var/lib/barestore/local-volumes/osd/{links[0]}")
        assert cluster.ssh(host, "findmnt -no FSTYPE /var/lib/rook").strip() == "xfs"


PODS = """
apiVersion: v1
kind: Pod
metadata: {name: server, labels: {app: server}}
spec:
  nodeName: ss2
  terminationGracePeriodSeconds: 0
  containers:
    - name: c
      image: docker.io/library/busybox:stable
      command: [sh, -c, "busybox mkdir /w; echo from-rack2 > /w/index.html; exec busybox httpd -f -p 80 -h /w"]
---
apiVersion: v1
kind: Service
metadata: {name: server}
spec: {selector: {app: server}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: ss1
  terminationGracePeriodSeconds: 0
  containers:
    # A static busybox resolves no names.
    - {name: c, image: "quay.io/ceph/ceph:v20.2.4", command: [sleep, "100000"]}
"""


def test_pods_of_two_racks_reach_each_other_by_name(cluster: Cluster) -> None:
    try:
        cluster.kubectl("apply -f -", input=PODS)
        cluster.kubectl("wait --for=condition=Ready pod/server pod/client --timeout=120s")
        cluster.kubectl("-n kube-system wait --for=condition=Available deployment/coredns --timeout=120s")
        url = "http://server.default.svc.cluster.local/"
        program = f"import urllib.request as r; print(r.urlopen('{url}', timeout=5).read().decode(), end='')"
        for _ in range(20):
            if (said := cluster.kubectl(f'exec client -- python3 -c "{program}"', check=False)) == "from-rack2\n":
                break
        assert said == "from-rack2\n"
    finally:
        cluster.kubectl("delete --ignore-not-found -f -", input=PODS)


def test_a_second_run_changes_nothing(cluster: Cluster) -> None:
    said = cluster.playbook().stdout
    assert set(re.findall(r"changed=(\d+)", said)) == {"0"}, said
    assert re.findall(r"^changed: ", said, re.MULTILINE) == []
    assert set(re.findall(r"(?:failed|unreachable)=(\d+)", said)) == {"0"}


def answers(k: Kube) -> bool:
    try:
        return k.call("get", "--raw=/readyz", "--request-timeout=5s", namespace="") == "ok"
    except Failed:
        return False


def test_an_api_server_that_is_down_is_one_sentence_and_the_next_run_goes_on(cluster: Cluster) -> None:
    k = cluster.kube("kube-system")
    cluster.ssh("cp1", "mv /etc/kubernetes/manifests/kube-apiserver.yaml /var/tmp/")
    try:
        k.wait("the API server down", lambda: not answers(k))
        failed = cluster.playbook("site.yml", "--limit", "cp1", "-e", "kubernetes_api_wait=3", check=False)
        assert failed.returncode != 0
        assert f"The API server at {cluster.node('cp1').address.ip}:6443 does not answer within 3 s" in failed.stdout
        assert "Traceback" not in failed.stdout
    finally:
        cluster.ssh("cp1", "mv /var/tmp/kube-apiserver.yaml /etc/kubernetes/manifests/")
    # What needs it ended meanwhile, and starts again when it is there.
    k.wait("the API server up", lambda: answers(k))
    cluster.playbook("site.yml", "--limit", "cp1")
