# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts rebooted rack by rack, and all at once, while clients write: what was acknowledged is there afterwards."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.operator.kube import Kube
from tests.cluster.rados import WRITER, write_and_check
from tests.cluster.test_ceph import NAMESPACE, POOL, is_clean

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not os.environ.get("FULL"), reason="hosts reboot, minutes; run: make cluster FULL=1"),
]

RACKS = {"rack1": ("cp1", "ss1"), "rack2": ("ss2",), "rack3": ("ss3",)}
# Two, in two racks: while the host of one is away the other goes on.
WRITERS = ("ss2", "ss3")
STORAGE = ("ss1", "ss2", "ss3")
ROOK = "/var/lib/rook"
ACKNOWLEDGED = f"{ROOK}/acknowledged"


def writer(k: Kube, host: str) -> Any:
    """A pod that writes one object after the other, and notes what was acknowledged; it reaches Ceph as the toolbox."""
    pod = copy.deepcopy(k.get("deploy", "rook-ceph-tools")["spec"]["template"]["spec"])
    [container] = pod["containers"]
    setup = container["command"][-1]
    run = 'until [ -e /etc/ceph/ceph.conf ]; do sleep 1; done; exec python3 -u -c "$WRITER"'
    container["command"] = ["/bin/sh", "-c", f"( {setup}\n) & {run}"]
    told = {"WRITER": WRITER, "POOL": POOL, "NAME": host}
    container["env"] += [{"name": name, "value": value} for name, value in told.items()]
    container["securityContext"] = {"runAsUser": 0}
    container["volumeMounts"].append({"name": "acknowledged", "mountPath": "/acknowledged"})
    pod["volumes"].append({"name": "acknowledged", "hostPath": {"path": ACKNOWLEDGED, "type": "DirectoryOrCreate"}})
    pod.update(nodeName=host, restartPolicy="Always", terminationGracePeriodSeconds=0)
    pod["tolerations"] = [{"operator": "Exists"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"writer-{host}", "namespace": NAMESPACE},
        "spec": pod,
    }


def acknowledged(cluster: Cluster, host: str) -> list[str]:
    return cluster.ssh(host, f"cat {ACKNOWLEDGED}/{host} 2>/dev/null || true").split()


def wrote_more(cluster: Cluster, host: str, than: int) -> bool:
    return len(acknowledged(cluster, host)) > than


def mounted(cluster: Cluster, host: str) -> str:
    """The file system on which Rook's folder is a mount of its own; empty where it is none."""
    return cluster.ssh(host, f"findmnt -no FSTYPE {ROOK}", check=False).strip()


def is_another(cluster: Cluster, host: str, old: int | None) -> bool:
    """Whether the host's first process is a new one."""
    return cluster.node(host).pid not in (None, old)


def reboot(cluster: Cluster, k: Kube, hosts: Sequence[str]) -> None:
    """Reboot these hosts at one moment, and wait until the cluster is whole again."""
    before = {host: cluster.node(host).pid for host in hosts}
    for host in hosts:
        cluster.ssh(host, "systemctl reboot", check=False)
    for host, old in before.items():
        k.wait(f"{host} started anew", partial(is_another, cluster, host, old))
        cluster.node(host).wait_until_up()
    whole(k)


def whole(k: Kube) -> None:
    """Wait until nodes, OSDs and placement groups are as before."""
    k.wait("all nodes Ready", lambda: all(ready(node) for node in k.list("node")), 600)
    k.wait("all OSDs up", lambda: k.ceph("status")["osdmap"]["num_up_osds"] == 3, 600)
    k.wait("placement groups active and clean", lambda: is_clean(k), 600)


def ready(node: Any) -> bool:
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in node["status"]["conditions"])


@pytest.fixture(scope="module")
def k(cluster: Cluster) -> Kube:
    kube = cluster.kube(NAMESPACE)
    kube.apply(*(writer(kube, host) for host in WRITERS))
    for host in WRITERS:
        kube.wait(f"writes on {host}", partial(acknowledged, cluster, host))
    return kube


def check(cluster: Cluster, k: Kube, before: dict[str, int]) -> None:
    """Everything that was acknowledged is there, the writers went on, and every mount came back."""
    for host in STORAGE:
        assert mounted(cluster, host) == "xfs"
    for host in WRITERS:
        k.wait(f"more writes on {host}", partial(wrote_more, cluster, host, before[host]))
        written = acknowledged(cluster, host)
        for start in range(0, len(written), 200):
            write_and_check(k, POOL, read=written[start : start + 200])


@pytest.mark.parametrize("rack", RACKS)
def test_a_rack_reboots_while_clients_write(cluster: Cluster, k: Kube, rack: str) -> None:
    before = {host: len(acknowledged(cluster, host)) for host in WRITERS}
    reboot(cluster, k, RACKS[rack])
    check(cluster, k, before)


def test_all_hosts_reboot_at_once(cluster: Cluster, k: Kube) -> None:
    before = {host: len(acknowledged(cluster, host)) for host in WRITERS}
    reboot(cluster, k, [host for hosts in RACKS.values() for host in hosts])
    check(cluster, k, before)


def test_a_mount_that_does_not_come_keeps_kubelet_from_starting_until_site_yml_mounts_it(
    cluster: Cluster, k: Kube
) -> None:
    host, dropin = "ss3", "/etc/systemd/system/var-lib-rook.mount.d"
    before = {one: len(acknowledged(cluster, one)) for one in WRITERS}
    old = cluster.node(host).pid
    # As with a damaged file system: the mount is tried, and fails.
    spoil = f"mkdir {dropin} && printf '[Mount]\\nOptions=no-such-option\\n' >{dropin}/fails.conf"
    cluster.ssh(host, f"{spoil} && systemctl reboot", check=False)
    k.wait(f"{host} started anew", partial(is_another, cluster, host, old))
    cluster.node(host).wait_until_up()
    k.wait("the end of the boot", lambda: "No jobs" in cluster.ssh(host, "systemctl list-jobs"))
    assert cluster.ssh(host, "systemctl is-active kubelet", check=False).strip() == "inactive"
    assert cluster.ssh(host, f"ls -A {ROOK}") == "", "nobody wrote into the folder below the mount"
    cluster.ssh(host, f"rm -r {dropin} && systemctl daemon-reload")
    cluster.playbook("site.yml", "--limit", host)
    whole(k)
    check(cluster, k, before)


def test_nothing_is_left_to_do_afterwards(cluster: Cluster, k: Kube) -> None:
    k.call("delete", "pod", *(f"writer-{host}" for host in WRITERS), "--wait")
    said = cluster.playbook().stdout
    assert "changed=0" in said
    assert "changed: [" not in said
