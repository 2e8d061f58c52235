# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk is replaced by its serial in the inventory: one that works, and one whose OSD is dead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.osd_runs import Osds, edited, free_volumes, host_of, left_over, serial_of
from tests.cluster.rados import objects, write_and_check
from tests.cluster.test_ceph import NAMESPACE, POOL, is_clean
from tests.cluster.watching import watch

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not os.environ.get("FULL"), reason="disks are replaced, minutes; run: make cluster FULL=1"),
]
DATA = objects("replaced", 64)


@pytest.fixture(scope="module")
def osds(cluster: Cluster) -> Iterator[Osds]:
    """Four OSDs, since three racks with one each can spare none of them; three afterwards."""
    made = Osds(cluster, cluster.kube(NAMESPACE))
    made.ensure(4)
    write_and_check(made.k, POOL, write=DATA)
    yield made
    made.ensure(3)


def victim(osds: Osds) -> int:
    """One of the two OSDs of a rack."""
    return max(osds.on_hosts().values(), key=len)[-1]


def replaced(cluster: Cluster, osds: Osds, serial: str, volume: dict[str, Any], before: set[str]) -> None:
    """The new OSD has another disk of the same rack, and nothing of the old one is left; all data is there."""
    k = osds.k
    assert left_over(k, 4) == []
    assert is_clean(k)
    assert k.get("pv", volume["metadata"]["name"]) is None
    used = {one["metadata"]["name"] for one in k.list("pv") if one["status"]["phase"] == "Bound"}
    [new] = used & before
    assert host_of(k.get("pv", new)) == host_of(volume)
    assert sorted(map(len, osds.on_hosts().values())) == [1, 1, 2]
    write_and_check(k, POOL, read=DATA)
    # Its entry may stay in the inventory: nobody makes a volume of that disk again, and nothing is to do.
    said = cluster.playbook("site.yml", "--limit", "cp1", "-e", edited(cluster, 4, replace=[serial])).stdout
    assert "changed: [" not in said
    assert k.get("pv", volume["metadata"]["name"]) is None


def test_a_disk_that_works_is_replaced_while_clients_write(cluster: Cluster, osds: Osds) -> None:
    volume = osds.volume_of(victim(osds))
    serial, before = serial_of(volume), free_volumes(osds.k)
    with watch(osds.k, POOL) as watched:
        cluster.playbook("site.yml", "--limit", "cp1", "-e", edited(cluster, 4, replace=[serial]))
        print(watched.end(), watched.figures())
    replaced(cluster, osds, serial, volume, before)
    osds.put_in(volume)


def test_a_disk_that_failed_is_replaced(cluster: Cluster, osds: Osds) -> None:
    """Its OSD cannot start any more. Ceph takes it out after its time, and moves what is left to other disks."""
    k, number = osds.k, victim(osds)
    volume = osds.volume_of(number)
    serial, before = serial_of(volume), free_volumes(k)
    break_disk(cluster, osds, number, volume)
    k.toolbox("ceph", "config", "set", "mon", "mon_osd_down_out_interval", "15")
    try:
        k.wait("an OSD that Ceph took out", lambda: any(not one["in"] for one in k.ceph("osd", "dump")["osds"]))
        k.wait("placement groups active and clean", lambda: is_clean(k))
    finally:
        k.toolbox("ceph", "config", "rm", "mon", "mon_osd_down_out_interval")
    refused = cluster.playbook("site.yml", "--limit", "cp1", "-e", edited(cluster, 4), check=False).stdout
    print(refused[-1500:])
    cluster.playbook("site.yml", "--limit", "cp1", "-e", edited(cluster, 4, replace=[serial]))
    replaced(cluster, osds, serial, volume, before)
    osds.put_in(volume)


def break_disk(cluster: Cluster, osds: Osds, number: int, volume: dict[str, Any]) -> None:
    """Nothing of the disk can be read as an OSD's any more, and its daemon ends."""
    host = host_of(volume)
    cluster.ssh(
        host, f"dd if=/dev/urandom of=$(readlink -f {volume['spec']['local']['path']}) bs=1M count=64 conv=fsync"
    )
    osds.k.call("delete", "pod", "--selector", f"ceph-osd-id={number}", "--wait")
    osds.k.wait("an OSD that is down", lambda: not all(one["up"] for one in osds.k.ceph("osd", "dump")["osds"]))
