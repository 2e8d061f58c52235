# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong while OSDs change: a rack is cut off, a purge lies. The run says so, and the next one goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.operator.kube import Kube
from tests.cluster.osd_runs import Osds, left_over, serial_of
from tests.cluster.rados import objects, write_and_check
from tests.cluster.test_ceph import NAMESPACE, POOL, is_clean
from tests.cluster.test_reboots import ready
from tests.cluster.watching import watch

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not os.environ.get("FULL"), reason="racks are cut off, minutes; run: make cluster FULL=1"),
]
DATA = objects("faults", 64)


@pytest.fixture(scope="module")
def osds(cluster: Cluster) -> Iterator[Osds]:
    made = Osds(cluster, cluster.kube(NAMESPACE))
    write_and_check(made.k, POOL, write=DATA)
    yield made
    made.ensure(3)


@contextmanager
def cut_off(cluster: Cluster, k: Kube, host: str) -> Iterator[None]:
    """A rack of one host without its cable; afterwards all of it is there again."""
    node = cluster.node(host)
    node.network.cut(host)
    try:
        yield
    finally:
        node.network.connect(host, node.address)
        k.wait("all of the rack there again", lambda: is_back(k))


def rack(osds: Osds) -> str:
    """A rack that may be cut off: neither the API server is in it nor the toolbox."""
    pods = osds.k.list("pod", "app=rook-ceph-tools")
    [toolbox] = [pod["spec"]["nodeName"] for pod in pods if "nodeName" in pod["spec"]]
    return next(host for host in ("ss3", "ss2") if host != toolbox)


def is_back(k: Kube) -> bool:
    """Whether every OSD, monitor and node is there."""
    status, osds = k.ceph("status"), k.ceph("osd", "dump")["osds"]
    there = len(status["quorum"]) == status["monmap"]["num_mons"] and all(one["up"] for one in osds)
    return there and all(map(ready, k.list("node")))


def lowered(osds: Osds) -> tuple[int, dict[str, Any], str]:
    osds.ensure(4)
    return 3, {}, "osd.drain"


def raised(osds: Osds) -> tuple[int, dict[str, Any], str]:
    osds.ensure(3)
    return 4, {}, "device_set.raise"


def replaced(osds: Osds) -> tuple[int, dict[str, Any], str]:
    osds.ensure(4)
    number = max(osds.on_hosts().values(), key=len)[-1]
    return 4, {"replace": [serial_of(osds.volume_of(number))]}, "osd.drain"


@pytest.mark.parametrize("change", [lowered, raised, replaced], ids=["removal", "addition", "replacement"])
def test_a_rack_that_is_cut_off_stops_the_run_and_the_next_goes_on(
    cluster: Cluster, osds: Osds, change: Callable[[Osds], tuple[int, dict[str, Any], str]]
) -> None:
    k = osds.k
    count, more, action = change(osds)
    volumes = [osds.volume_of(one) for ones in osds.on_hosts().values() for one in ones]
    away, running = rack(osds), {one["osd"] for one in k.ceph("osd", "dump")["osds"]}
    with watch(k, POOL) as watched:
        watched.lost = 1  # one rack, of three with a copy each
        run = osds.launch(count, fault={"point": "within", "way": "wait", "only": f"{action}:"}, **more)
        assert (stop := run.stop()), run.answer()
        started = time.monotonic()
        with cut_off(cluster, k, away):
            osds.go_on()
            answer = run.answer()
            print(f"{stop}: after {time.monotonic() - started:.0f} s: {answer['msg']}", flush=True)
            assert answer["failed"] and "Traceback" not in answer["msg"]
            assert f"{action}:" in answer["msg"] and "was stopped by gate " in answer["msg"]
            assert not k.list("deploy", "ceph.rook.io/do-not-reconcile"), "no OSD was stopped"
            assert running <= {one["osd"] for one in k.ceph("osd", "dump")["osds"]}
            refused = osds.launch(count, **more).answer()
            print(refused.get("msg", "nothing to do"), flush=True)
            # The OSD of an addition may be there by now, though not up: nothing is left to do then.
            assert (refused.get("failed") or change is raised) and not refused.get("executed")
            write_and_check(k, POOL, read=DATA)
        osds.run(count, **more)
        print(watched.end(), watched.figures(), flush=True)
    assert left_over(k, count) == []
    assert is_clean(k)
    write_and_check(k, POOL, read=DATA)
    for volume in volumes:
        if serial_of(volume) in more.get("replace", ()):
            osds.put_in(volume)


# Before the real one in the toolbox, whose user may not write there; the node may.
LIAR = """
process=$(ctr --namespace k8s.io tasks ls | grep "^CONTAINER" | tr -s ' ' | cut -d ' ' -f 2)
nsenter --target "$process" --mount sh -c 'cat >/usr/local/bin/ceph && chmod 755 /usr/local/bin/ceph' <<'END'
#!/bin/sh
if [ "$1 $2" = "osd purge" ]; then echo "purged $3"; exit 0; fi
exec /usr/bin/ceph "$@"
END
"""


@contextmanager
def lying(cluster: Cluster, k: Kube) -> Iterator[None]:
    """A toolbox whose ``ceph osd purge`` says success and does nothing; a new one afterwards."""
    [pod] = k.list("pod", "app=rook-ceph-tools")
    container = pod["status"]["containerStatuses"][0]["containerID"].partition("//")[2]
    cluster.ssh(pod["spec"]["nodeName"], LIAR.replace("CONTAINER", container))
    try:
        yield
    finally:
        k.call("delete", "pod", pod["metadata"]["name"], "--wait")
        k.wait("another toolbox", lambda: k.ceph("status"))


def test_a_purge_that_says_success_and_did_nothing_fails_the_run(cluster: Cluster, osds: Osds) -> None:
    k = osds.k
    osds.ensure(4)
    with lying(cluster, k):
        answer = osds.launch(3, patience=180).answer()
    print(answer["msg"], flush=True)
    assert answer["failed"]
    [purge] = [one for one in answer["executed"] if one["action"].startswith("osd.purge:") and "purge" in one["argv"]]
    assert purge["rc"] == 0
    assert f"{purge['action'][10:]} is still in the osdmap, and nothing moved on for 180 s" in answer["msg"]
    assert len(k.ceph("osd", "dump")["osds"]) == 4
    osds.ensure(3)
    write_and_check(k, POOL, read=DATA)
