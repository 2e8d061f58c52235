# SPDX-License-Identifier: GPL-3.0-or-later
"""Which roles have something to do, from what kubectl answers."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster import differences
from ansible_collections.barestore.storage.plugins.module_utils.cluster.differences import Part, Release, Seen
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import ObserveError

CHART = Release("rook-ceph", "rook-ceph", "rook-ceph-v1.20.6", {"crds": {"enabled": True}})
ROOK = Part("rook", releases=(CHART,), of_ceph=True)
CLUSTER = Part("rook_cluster", "ceph-hdd", of_ceph=True)
STORE = Part(
    "object_storage",
    "ceph-hdd",
    objects=({"kind": "CephObjectStore", "metadata": {"name": "objects", "namespace": "ceph-hdd"}},),
    of_ceph=True,
)
TOOLBOX = Part("toolbox", "ceph-hdd", of_ceph=True)
VOLUMES = Part("local_volumes")
PARTS = (VOLUMES, ROOK, CLUSTER, STORE, TOOLBOX)


def secret(revision: int = 1, status: str = "deployed", version: str = "v1.20.6", **values: Any) -> dict[str, Any]:
    """helm's record of Rook's release, as kubectl prints it."""
    record = {
        "name": "rook-ceph",
        "namespace": "rook-ceph",
        "version": revision,
        "info": {"status": status},
        "chart": {"metadata": {"name": "rook-ceph", "version": version}},
        "config": values or {"crds": {"enabled": True}},
    }
    packed = base64.b64encode(gzip.compress(json.dumps(record).encode()))
    return {"metadata": {"namespace": "rook-ceph"}, "data": {"release": base64.b64encode(packed).decode()}}


def one(kind: str, name: str, condition: str = "", phase: str = "") -> dict[str, Any]:
    conditions = [{"type": condition, "status": "True"}] if condition else []
    return {
        "kind": kind,
        "metadata": {"namespace": "ceph-hdd", "name": name, "managedFields": ["long"]},
        "status": {"conditions": conditions, "phase": phase},
    }


def answers(**others: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Those of a site on which all is there and ready."""
    ready = {
        "base": [
            {"kind": "Node", "metadata": {"name": "ss1"}, "status": {"images": ["many"]}},
            {"kind": "PersistentVolume", "metadata": {"name": "local-ss1", "managedFields": []}, "spec": {}},
        ],
        "releases": [secret()],
        "ceph": [one("CephCluster", "ceph-hdd", "Ready"), one("CephObjectStore", "objects", phase="Ready")],
        "toolboxes": [one("Deployment", "rook-ceph-tools", "Available")],
    }
    return {**ready, **others}


def reasons(**others: list[dict[str, Any]]) -> dict[str, str]:
    there = Seen.of(json.loads(json.dumps(differences.seen(answers(**others)))))
    return {role: why for (role, _cluster), why in differences.without_a_look(PARTS, there).items()}


def test_where_all_is_there_and_ready_nothing_differs() -> None:
    assert reasons() == {}


def test_what_is_told_is_what_is_needed() -> None:
    told = differences.seen(answers())
    assert told["nodes"] == [{"metadata": {"name": "ss1"}}]
    assert told["volumes"] == [{"kind": "PersistentVolume", "metadata": {"name": "local-ss1"}, "spec": {}}]


@pytest.mark.parametrize(
    ("secrets", "why"),
    [
        ([], "release rook-ceph is not there"),
        ([secret(version="v1.19.0")], "release rook-ceph is of rook-ceph-v1.19.0"),
        ([secret(other=1)], "release rook-ceph has other values"),
        ([secret(2, "failed"), secret(1)], "release rook-ceph is failed"),
        ([secret(9), secret(10, "pending-upgrade")], "release rook-ceph is pending-upgrade"),
    ],
)
def test_a_release_that_differs_brings_all_that_needs_it(secrets: list[dict[str, Any]], why: str) -> None:
    later = "the operator comes first"
    assert reasons(releases=secrets) == {"rook": why, "rook_cluster": later, "object_storage": later, "toolbox": later}


def test_what_is_not_ready_is_waited_for() -> None:
    assert reasons(ceph=[one("CephCluster", "ceph-hdd"), one("CephObjectStore", "objects", phase="Progressing")]) == {
        "rook_cluster": "CephCluster ceph-hdd is not ready",
        "object_storage": "object store objects is not ready",
    }
    assert reasons(toolboxes=[]) == {"toolbox": "it is not there"}


def test_a_kind_that_the_cluster_does_not_know_yet_has_no_objects() -> None:
    missing = 'error: the server doesn\'t have a resource type "cephclusters"'
    assert differences.told("ceph", 1, "", missing) == []
    with pytest.raises(ObserveError, match="connection refused"):
        differences.told("ceph", 1, "", "The connection to the server was refused: connection refused")


OBJECTS = [
    {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "local-ss1"}},
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "rook-ceph-tools", "namespace": "ceph-hdd"}},
]


def test_what_kubectl_names_is_found() -> None:
    line = "Files /tmp/LIVE-1/{0} and /tmp/MERGED-2/{0} differ\n".format
    volume, deployment = "v1.PersistentVolume..local-ss1", "apps.v1.Deployment.ceph-hdd.rook-ceph-tools"
    assert differences.different(OBJECTS, 0, "") == []
    assert differences.different(OBJECTS, 1, line(deployment)) == [1]
    assert differences.different(OBJECTS, 1, line(volume) + line(deployment)) == [0, 1]


@pytest.mark.parametrize(
    ("rc", "out"), [(2, ""), (1, ""), (1, "Files /tmp/LIVE-1/v1.X and /tmp/MERGED-2/v1.X differ\n")]
)
def test_what_is_not_understood_counts_as_different(rc: int, out: str) -> None:
    assert differences.different(OBJECTS, rc, out) is None


def test_a_status_that_was_written_meanwhile_is_no_difference() -> None:
    line = "Files /tmp/LIVE-1/{0} and /tmp/MERGED-2/{0} differ\n".format
    volume, deployment = "v1.PersistentVolume..local-ss1", "apps.v1.Deployment.ceph-hdd.rook-ceph-tools"
    asked: list[list[str]] = []

    def ask(answers: list[differences.Answer]) -> list[int]:
        asked.clear()
        left = iter(answers)

        def answer(some: list[dict[str, Any]]) -> differences.Answer:
            asked.append([one["kind"] for one in some])
            return next(left)

        return differences.differing(OBJECTS, answer)

    assert ask([(1, line(volume) + line(deployment)), (1, line(deployment))]) == [1]
    assert ask([(1, line(deployment)), (0, "")]) == []
    assert asked == [["PersistentVolume", "Deployment"], ["Deployment"]]
    assert ask([(0, "")]) == []
    assert len(asked) == 1
    assert ask([(1, line(deployment)), (2, "")]) == [1]
    assert ask([(2, "")]) == [0, 1]
