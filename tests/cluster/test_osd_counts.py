# SPDX-License-Identifier: GPL-3.0-or-later
"""The number in the inventory, edited up and down while clients have data on the cluster: site.yml does the rest."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import Cluster
from tests.cluster.operator.kube import Kube
from tests.cluster.rados import objects, write_and_check
from tests.cluster.test_ceph import NAMESPACE, POOL, SET, is_clean

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not os.environ.get("FULL"), reason="OSDs come and go, minutes; run: make cluster FULL=1"),
]

DATA = objects("stays", 64)


@pytest.fixture(scope="module")
def k(cluster: Cluster) -> Kube:
    kube = cluster.kube(NAMESPACE)
    write_and_check(kube, POOL, write=DATA)
    return kube


def edited(cluster: Cluster, count: int) -> str:
    """The document of the inventory with another number, as a variable of the command line."""
    document = yaml.safe_load((cluster.bed.inventory / "group_vars/all/cluster.yml").read_text())["ceph"]
    document["clusters"][NAMESPACE]["device_sets"][SET]["count"] = count
    return json.dumps({"ceph": document})


def on_hosts(k: Kube) -> dict[str, int]:
    tree: list[Any] = k.ceph("osd", "tree")["nodes"]
    return {item["name"]: len(item["children"]) for item in tree if item["type"] == "host"}


@pytest.mark.parametrize("count", [6, 4, 3])
def test_the_number_in_the_inventory_becomes_the_number_of_osds(cluster: Cluster, k: Kube, count: int) -> None:
    cluster.playbook("site.yml", "-e", edited(cluster, count))
    numbers = k.ceph("status")["osdmap"]
    assert (numbers["num_osds"], numbers["num_up_osds"], numbers["num_in_osds"]) == (count, count, count)
    spread = on_hosts(k)
    assert max(spread.values()) - min(spread.values()) <= 1, spread
    assert is_clean(k)
    assert len(k.list("pvc", f"ceph.rook.io/DeviceSet={SET}")) == count
    free = [volume for volume in k.list("pv") if volume["status"]["phase"] == "Available"]
    assert len(free) == len(k.list("pv")) - count, "the disks of OSDs that went can be used again"
    write_and_check(k, POOL, read=DATA)


def test_a_run_with_the_same_number_changes_nothing(cluster: Cluster, k: Kube) -> None:
    said = cluster.playbook("site.yml", "-e", edited(cluster, 3)).stdout
    assert "changed: [" not in said
