# SPDX-License-Identifier: GPL-3.0-or-later
"""The number in the inventory, edited up and down while clients write: site.yml does the rest, and no copy is missed.

What was seen meanwhile is in ``build/osd-counts.json`` afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.bed.site import ROOT
from tests.cluster.conftest import Cluster
from tests.cluster.operator.kube import Kube
from tests.cluster.osd_runs import LEASE, edited, free_volumes, left_over
from tests.cluster.rados import objects, write_and_check
from tests.cluster.test_ceph import NAMESPACE, POOL, SET, is_clean
from tests.cluster.watching import Client, Sampler, in_toolbox, judge, most

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not os.environ.get("FULL"), reason="OSDs come and go, minutes; run: make cluster FULL=1"),
]

DATA = objects("stays", 64)


@dataclass
class Watched:
    """The cluster with a client that writes and a look each second; ``figures`` are of each edit of the number.

    ``spare`` are volumes that no OSD ever had.
    """

    k: Kube
    client: Client
    sampler: Sampler
    figures: list[dict[str, Any]] = field(default_factory=list)
    spare: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def watched(cluster: Cluster) -> Iterator[Watched]:
    k = cluster.kube(NAMESPACE)
    k.wait("placement groups active and clean", lambda: is_clean(k))
    write_and_check(k, POOL, write=DATA)
    made = Watched(k, Client(in_toolbox(k), POOL), Sampler(in_toolbox(k)))
    yield made
    made.client.kill()
    made.sampler.kill()


def edit(cluster: Cluster, watched: Watched, count: int) -> None:
    """The number in the inventory becomes the number of OSDs; nothing of those that went is left anywhere."""
    started, before = time.monotonic(), len(watched.sampler.samples)
    cluster.playbook("site.yml", "--limit", "cp1", "-e", edited(cluster, count))
    taken = watched.sampler.samples[before:]
    watched.figures.append({"count": count, "seconds": round(time.monotonic() - started), **most(taken)})
    # From the first sample on: where an edit begins in the middle of a drain, the copies are where it was clean before.
    assert judge(watched.sampler.samples) == []
    k = watched.k
    assert left_over(k, count) == []
    assert is_clean(k)
    spread = on_hosts(k)
    assert max(spread.values()) - min(spread.values()) <= 1, spread
    write_and_check(k, POOL, read=DATA)


def on_hosts(k: Kube) -> dict[str, int]:
    tree: list[Any] = k.ceph("osd", "tree")["nodes"]
    return {item["name"]: len(item["children"]) for item in tree if item["type"] == "host"}


def test_more_osds(cluster: Cluster, watched: Watched) -> None:
    edit(cluster, watched, 6)
    watched.spare = free_volumes(watched.k)


def test_fewer_osds(cluster: Cluster, watched: Watched) -> None:
    edit(cluster, watched, 4)


def test_as_few_osds_as_there_are_racks(cluster: Cluster, watched: Watched) -> None:
    edit(cluster, watched, 3)


def test_a_disk_that_was_freed_gets_the_next_osd(cluster: Cluster, watched: Watched) -> None:
    k, spare = watched.k, watched.spare
    freed = free_volumes(k) - spare
    assert len(freed) == 3
    for name in spare:  # claimed for nobody, so that a freed disk is all that there is
        k.patch("pv", name, {"spec": {"claimRef": {"namespace": "default", "name": "nobody"}}})
    try:
        cluster.playbook("site.yml", "--limit", "cp1", "-e", edited(cluster, 4))
        used = {one["spec"]["volumeName"] for one in k.list("pvc", f"ceph.rook.io/DeviceSet={SET}")}
        assert len(used & freed) == 1
    finally:
        for name in spare:
            k.patch("pv", name, {"spec": {"claimRef": None}})
    k.wait("all others free again", lambda: spare <= free_volumes(k))


def test_a_run_that_is_killed_while_an_osd_empties_is_finished_by_the_next(cluster: Cluster, watched: Watched) -> None:
    k = watched.k
    argv = cluster.argv("site.yml", "--limit", "cp1", "-e", edited(cluster, 3))
    run = subprocess.Popen(argv, cwd=ROOT, env=cluster.environment, stdout=subprocess.PIPE, text=True)
    try:
        k.wait("an OSD that is out", lambda: any(not one["in"] for one in k.ceph("osd", "dump")["osds"]))
        holder = k.get("lease", LEASE)["spec"]["holderIdentity"]
        cluster.ssh("cp1", f"kill -KILL {holder.split('/')[2]}")
        said, _nothing = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode != 0, said
    assert len(k.ceph("osd", "dump")["osds"]) == 4, "killed before the purge"
    assert left_over(k, 4) != []
    edit(cluster, watched, 3)


def test_no_copy_was_missed_and_all_that_was_written_is_there(watched: Watched) -> None:
    watched.sampler.end()
    told = watched.client.end()
    samples = watched.sampler.samples
    figures = {"edits": watched.figures, "client": told, "all": most(samples), "missed": watched.sampler.missed}
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/osd-counts.json").write_text(json.dumps(figures, indent=1) + "\n")
    assert judge(samples) == []
    assert len(samples) > 100, "samples of minutes"
    assert told["different"] == [] and told["writes"] > 100


def test_a_run_with_the_same_number_changes_nothing(cluster: Cluster) -> None:
    said = cluster.playbook("site.yml", "-e", edited(cluster, 3)).stdout
    assert "changed: [" not in said
