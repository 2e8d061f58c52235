# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts edited on real Ceph under client writes: 6 to 5, to 7, to 6, sampled each second.

``BARESTORE_CEPH_ROOT`` names a folder with Ceph 20 installed (a Debian root, as the image of the cluster tests has it).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulated_rook import NAME

from ansible_collections.barestore.storage.plugins.module_utils.cluster.run import Job, Report, osds
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
from tests.cluster.osds.real_ceph import RealClock, RealRook
from tests.cluster.watching import Client, Sampler, judge, most

pytestmark = pytest.mark.cluster


@pytest.fixture
def rook() -> Iterator[RealRook]:
    root = os.environ.get("BARESTORE_CEPH_ROOT", "")
    if not root:
        pytest.skip("BARESTORE_CEPH_ROOT names no folder with Ceph")
    made = RealRook(Path(root), 6)
    yield made
    made.close()


def apply(rook: RealRook, count: int, folder: Path) -> Report:
    wanted = Wanted(NAME, {"hdd": count}, "rack", pace="fast", accept_health=frozenset(("MON_DISK_LOW",)))
    return osds(Job(wanted, False, "", str(folder)), rook, RealClock(rook))


def test_counts_are_edited_under_writes(rook: RealRook, tmp_path: Path) -> None:
    client = Client(rook.start, "data")
    time.sleep(10)
    sampler = Sampler(rook.start)
    told = []
    for count in (5, 7, 6):
        started, before = time.monotonic(), len(sampler.samples)
        done = apply(rook, count, tmp_path)
        assert done.error == "" and not done.plan.refusals, (done.error, done.as_json()["refusals"])
        seconds = round(time.monotonic() - started, 1)
        taken = most(sampler.samples[before:])
        told.append({"count": count, "seconds": seconds, "processes": done.processes, **taken})
    sampler.end()
    read = client.end()
    print(json.dumps({"runs": told, "client": read, "missed": sampler.missed}))
    assert judge(sampler.samples) == []
    assert len(sampler.samples) > 20
    assert read["objects"] > 100 and read["different"] == []
    assert rook.told("osd", "stat")["num_up_osds"] == 6 == len(rook.deployments)
    assert rook.lease is None
