# SPDX-License-Identifier: GPL-3.0-or-later
"""Three control planes with a virtual address: joined in one run, equal in etcd, and one of them lost without harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.bed.site import Bed
from tests.cluster.conftest import Cluster

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not os.environ.get("FULL"), reason="a second bed, minutes; run: make cluster FULL=1"),
]

INVENTORY = Path(__file__).parent / "three_control_planes"
HOSTS = ("c1", "c2", "c3")
ADDRESS = "10.81.0.100"


@pytest.fixture(scope="module")
def three() -> Iterator[Cluster]:
    bed = Bed(INVENTORY)
    say = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    kept = os.environ.get("BED", "")
    if kept != "there":
        bed.down(say, wipe=True)
    try:
        if kept != "there":
            bed.up(say)
        made = Cluster(bed)
        made.playbook()
        yield made
    finally:
        if not kept:
            bed.down(say, wipe=True)


def kubectl(cluster: Cluster, host: str, words: str, *, check: bool = True) -> str:
    """kubectl on one of the hosts; admin.conf names the virtual address."""
    return cluster.ssh(host, f"kubectl --kubeconfig /etc/kubernetes/admin.conf {words}", check=check)


def members(cluster: Cluster, host: str, *, check: bool = True) -> list[dict[str, Any]]:
    """The members of etcd, as the one on this host knows them; none while it does not answer, where that is allowed."""
    keys = "/etc/kubernetes/pki/etcd"
    etcdctl = (
        f"etcdctl --endpoints https://127.0.0.1:2379 --cacert {keys}/ca.crt --cert {keys}/server.crt "
        f"--key {keys}/server.key member list --write-out json"
    )
    told = kubectl(cluster, host, f"-n kube-system exec etcd-{host} -- {etcdctl}", check=check)
    found: list[dict[str, Any]] = json.loads(told)["members"] if told else []
    return found


def holders(cluster: Cluster, hosts: tuple[str, ...]) -> list[str]:
    """The hosts that hold the virtual address."""
    return [host for host in hosts if f"{ADDRESS}/32" in cluster.ssh(host, "ip -o addr show dev eth0")]


def test_all_three_are_control_planes_and_members_of_etcd(three: Cluster) -> None:
    # site.yml ends when all have joined; the taint of a node that is not Ready goes once its pods can talk.
    wait_for(three, HOSTS)
    nodes = json.loads(kubectl(three, "c1", "get nodes -o json"))["items"]
    assert {node["metadata"]["name"] for node in nodes} == set(HOSTS)
    assert all("node-role.kubernetes.io/control-plane" in node["metadata"]["labels"] for node in nodes)
    # They are in kube_node as well, so pods may run on each.
    assert [node["spec"].get("taints") for node in nodes if node["spec"].get("taints")] == []
    found = members(three, "c1")
    assert {one["name"] for one in found} == set(HOSTS)
    assert not any(one.get("isLearner") for one in found)


def test_one_of_them_holds_the_address_and_admin_conf_names_it(three: Cluster) -> None:
    assert holders(three, HOSTS) == ["c1"]
    assert f"https://{ADDRESS}:6443" in three.ssh("c2", "cat /etc/kubernetes/admin.conf")


def test_a_second_run_changes_nothing(three: Cluster) -> None:
    done = three.playbook("site.yml")
    assert "changed=0" in done.stdout
    assert not [line for line in done.stdout.splitlines() if "changed=" in line and "changed=0 " not in line]


def test_a_snapshot_of_etcd_is_taken(three: Cluster) -> None:
    three.ssh("c2", "systemctl start barestore-etcd-snapshot.service")
    assert three.ssh("c2", "ls /var/backups/etcd").strip().startswith("etcd-")
    assert "barestore-etcd-snapshot.timer" in three.ssh("c2", "systemctl list-timers")


def test_the_api_answers_without_the_one_that_held_the_address(three: Cluster) -> None:
    left = ("c2", "c3")
    three.node("c1").power_cut()
    end = time.monotonic() + 120
    while (found := holders(three, left)) == [] and time.monotonic() < end:
        time.sleep(1)
    assert len(found) == 1
    while time.monotonic() < end and kubectl(three, "c3", "get --raw /livez", check=False) != "ok":
        time.sleep(1)
    # Written, and read on the other one: two of three members are a majority.
    kubectl(three, "c2", "create configmap written --from-literal=without=c1")
    assert kubectl(three, "c3", "get configmap written -o jsonpath={.data.without}") == "c1"


def test_one_that_was_lost_comes_back(three: Cluster) -> None:
    three.node("c1").boot()
    wait_for(three, HOSTS)


def test_one_that_leaves_is_forgotten(three: Cluster) -> None:
    three.playbook("playbooks/remove_node.yml", "-e", "node=c3")
    wait_for(three, ("c1", "c2"))
    assert three.ssh("c3", "systemctl is-active kubelet", check=False).strip() == "inactive"
    assert not three.ssh("c3", "ls -A /etc/kubernetes/manifests", check=False)


def test_a_join_that_is_cut_off_is_one_sentence_and_the_next_run_joins(three: Cluster) -> None:
    kill = "until test -e /etc/kubernetes/kubelet.conf; do sleep 0.1; done; pkill -KILL -x kubeadm"
    with subprocess.Popen(["ssh", "-F", str(three.bed.site.ssh_config), "c3", kill]) as killer:
        cut = three.playbook("site.yml", check=False)
        killer.kill()
    assert killer.returncode == 0, "the run ended before kubeadm was killed"
    assert cut.returncode != 0
    assert "kubeadm join failed on c3" in cut.stdout and "Traceback" not in cut.stdout
    assert kubectl(three, "c2", "get --raw /livez") == "ok"
    three.playbook("site.yml")
    wait_for(three, HOSTS)
    assert kubectl(three, "c3", "get configmap written -o jsonpath={.data.without}") == "c1"


def wait_for(cluster: Cluster, hosts: tuple[str, ...]) -> None:
    """Until exactly these are Ready nodes, and members of etcd that have started."""
    end = time.monotonic() + 300
    while (found := standing(cluster)) != ({*hosts}, {*hosts}):
        assert time.monotonic() < end, found
        time.sleep(2)


def standing(cluster: Cluster) -> tuple[set[str], set[str]]:
    """The Ready nodes, and the members of etcd; nothing while the API or etcd does not answer."""
    told = kubectl(cluster, "c2", "get nodes -o json", check=False)
    nodes = json.loads(told)["items"] if told else []
    ready = {
        node["metadata"]["name"]
        for node in nodes
        if any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])
    }
    return ready, {one["name"] for one in members(cluster, "c2", check=False)}
