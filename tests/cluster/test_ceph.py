# SPDX-License-Identifier: GPL-3.0-or-later
"""A Ceph cluster made by site.yml: whole, spread, readable without a rack, and mended after a byte rotted."""

from __future__ import annotations

import base64
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.operator.contract import put_and_get
from tests.cluster.operator.kube import Kube
from tests.cluster.rados import content, objects, place_of, write_and_check

pytestmark = pytest.mark.cluster

NAMESPACE, POOL, SET = "ceph-hdd", "block", "hdd"


@pytest.fixture(scope="module")
def k(cluster: Cluster) -> Kube:
    return cluster.kube(NAMESPACE)


def is_clean(k: Kube) -> bool:
    """Whether every placement group has all its copies; scrubbing does not count against it."""
    states = k.ceph("status")["pgmap"].get("pgs_by_state") or []
    return bool(states) and all(state["state_name"].startswith("active+clean") for state in states)


def test_every_osd_is_up_and_in_and_the_monitors_agree(k: Kube) -> None:
    k.wait("placement groups active and clean", lambda: is_clean(k))
    status = k.ceph("status")
    counts = {key: status["osdmap"][key] for key in ("num_osds", "num_up_osds", "num_in_osds")}
    assert set(counts.values()) == {3}, counts
    assert len(status["quorum_names"]) == 3
    assert status["health"]["status"] != "HEALTH_ERR", status["health"]


def test_osds_are_spread_evenly_over_racks_and_hosts(k: Kube) -> None:
    tree = k.ceph("osd", "tree")["nodes"]
    assert {item["device_class"] for item in tree if item["type"] == "osd"} == {"hdd"}
    of_rack = {item["name"]: item["children"] for item in tree if item["type"] == "rack"}
    on_host = {item["id"]: len(item["children"]) for item in tree if item["type"] == "host"}
    assert set(of_rack) == {"rack1", "rack2", "rack3"}
    racks = [sum(on_host[host] for host in hosts) for hosts in of_rack.values()]
    assert max(racks) - min(racks) <= 1
    assert max(on_host.values()) - min(on_host.values()) <= 1


def test_monitors_stand_in_three_racks(cluster: Cluster, k: Kube) -> None:
    labels = {one["metadata"]["name"]: one["metadata"]["labels"] for one in k.list("node")}
    hosts = [pod["spec"]["nodeName"] for pod in k.list("pod", "app=rook-ceph-mon")]
    racks = Counter(labels[host]["topology.rook.io/rack"] for host in hosts)
    assert racks == {"rack1": 1, "rack2": 1, "rack3": 1}


def test_an_object_comes_back_through_a_bucket_claim(k: Kube) -> None:
    claim = {
        "apiVersion": "objectbucket.io/v1alpha1",
        "kind": "ObjectBucketClaim",
        "metadata": {"name": "photos", "namespace": "default"},
        "spec": {"generateBucketName": "photos", "storageClassName": "ceph-hdd-bucket"},
    }
    k.apply(claim)

    def of(kind: str) -> Any:
        return k.get(kind, "photos", namespace="default")

    k.wait("the claim Bound", lambda: of("objectbucketclaim")["status"]["phase"] == "Bound")
    secret = {key: base64.b64decode(value).decode() for key, value in of("secret")["data"].items()}
    program = put_and_get(of("configmap")["data"], secret)
    assert k.toolbox("python3", "-", stdin=program).strip() == "what was written"


def test_data_is_read_and_written_while_a_rack_is_cut_off(cluster: Cluster, k: Kube) -> None:
    before = objects("before", 32)
    write_and_check(k, POOL, write=before, read=before)
    [toolbox] = [pod["spec"]["nodeName"] for pod in k.list("pod", "app=rook-ceph-tools") if "nodeName" in pod["spec"]]
    # The API server is in rack1, and the pod that asks has to stay.
    away = next(host for host in ("ss3", "ss2") if host != toolbox)
    node = cluster.node(away)
    node.network.cut(away)
    try:
        k.wait("one OSD down", lambda: k.ceph("status")["osdmap"]["num_up_osds"] == 2)
        during = objects("during", 32)
        write_and_check(k, POOL, write=during, read=[*before, *during])
    finally:
        node.network.connect(away, node.address)
    k.wait("all OSDs up", lambda: k.ceph("status")["osdmap"]["num_up_osds"] == 3)
    k.wait("placement groups active and clean", lambda: is_clean(k))
    write_and_check(k, POOL, read=[*before, *during])


def deep_scrub(k: Kube, group: str, which: str, done: Callable[[], bool]) -> None:
    """Ask for one until it is done: an OSD that was busy with another may drop what was asked."""
    asked = 0.0

    def ask() -> bool:
        nonlocal asked
        if time.monotonic() > asked + 30:
            k.toolbox("ceph", "pg", "deep-scrub", group)
            asked = time.monotonic()
        return done()

    k.wait(f"a deep scrub of {group} {which}", ask)


def test_a_deep_scrub_finds_and_mends_a_flipped_byte(cluster: Cluster, k: Kube) -> None:
    [rotten] = objects(f"rotten-{uuid.uuid4()}", 1)  # a name of its own: blocks that were freed keep what they had
    write_and_check(k, POOL, write=[rotten])
    where = k.ceph("osd", "map", POOL, rotten)
    group, victim = where["pgid"], where["acting"][-1]
    file = disk_of(cluster, k, victim)
    flip(file, place_of(file, content(rotten)))

    def told() -> Any:
        return k.ceph("pg", group, "query")["info"]["stats"]

    def repaired() -> int:
        return int(told()["stat_sum"]["num_objects_repaired"])

    before = repaired()
    deep_scrub(k, group, "that repairs", lambda: repaired() == before + 1)
    mended = told()
    deep_scrub(k, group, "afterwards", lambda: told()["last_deep_scrub_stamp"] > mended["last_deep_scrub_stamp"])
    assert told()["stat_sum"]["num_scrub_errors"] == 0
    assert repaired() == before + 1
    write_and_check(k, POOL, read=[rotten])
    place_of(file, content(rotten))  # the victim has a whole copy again


def test_the_hourly_audit_finds_no_two_owners_of_a_disk(k: Kube) -> None:
    k.call("delete", "job", "audit-now", "--ignore-not-found", "--wait")
    k.call("create", "job", "audit-now", "--from=cronjob/barestore-audit")
    k.wait("the audit's end", lambda: k.get("job", "audit-now")["status"]["succeeded"] == 1, 120)
    assert k.call("logs", "job/audit-now") == f"0 signs of two owners of one disk in {NAMESPACE}.\n"
    k.call("delete", "job", "audit-now", "--wait")


# Another folder, so that only the disk itself is left to refuse it.
SECOND = """
cp --archive /var/lib/ceph/osd/ceph-0 /tmp/second
ceph-osd --foreground --id 0 --fsid "$(cat /tmp/second/ceph_fsid)" --osd-data /tmp/second --setuser ceph \\
    --setgroup ceph --log-to-stderr=true --err-to-stderr=true 2>&1
echo "ended with $?"
rm -rf /tmp/second
"""


def test_a_second_ceph_osd_on_a_disk_in_use_is_refused(k: Kube) -> None:
    before = k.list("pod", "ceph-osd-id=0")
    said = k.call("exec", "deploy/rook-ceph-osd-0", "--container=osd", "--", "timeout", "120", "bash", "-c", SECOND)
    assert "ended with 0" not in said and "ended with" in said, said
    assert "/tmp/second/block) open open got: (16) Device or resource busy" in said, said
    after = k.list("pod", "ceph-osd-id=0")
    assert [one["metadata"]["uid"] for one in after] == [one["metadata"]["uid"] for one in before]
    assert k.ceph("status")["osdmap"]["num_up_osds"] == 3


def flip(file: Path, offset: int) -> None:
    """Change one bit of a file."""
    with file.open("r+b") as stream:
        stream.seek(offset)
        byte = stream.read(1)[0]
        stream.seek(offset)
        stream.write(bytes([byte ^ 1]))


def disk_of(cluster: Cluster, k: Kube, osd: int) -> Path:
    """The file that is the disk of an OSD."""
    claim = k.get("deploy", f"rook-ceph-osd-{osd}")["metadata"]["labels"]["ceph.rook.io/pvc"]
    volume = k.get("pv", k.get("pvc", claim)["spec"]["volumeName"])
    serial = volume["metadata"]["annotations"]["barestore.storage/serial"]
    for host in ("ss1", "ss2", "ss3"):
        node = cluster.node(host)
        for disk in node.machine.disks:
            if disk.serial == serial:
                return node.disks.file(disk)
    raise AssertionError(f"no host has the disk {serial}")
