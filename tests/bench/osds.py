# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan costs among many OSDs: a tenth of them removed, from the answers of Kubernetes and Ceph to the digest.

usage: osds.py OSDS        one measurement, as JSON; 100 racks for 2,000 OSDs and more, fewer for fewer
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS, MEBIBYTES = 2.0, 500
SIZES = (100, 1_000, 10_000)
NAME = "ceph-hdd"
TIB = 1024**4


def rows(notes: list[str]) -> Iterator[Any]:
    """Seconds and memory of one plan, at three sizes."""
    from guest import ROOT, Unmeasured, median
    from table import Row, verdict

    for size in SIZES:
        found = []
        for _run in range(3):
            done = subprocess.run(
                [sys.executable, __file__, str(size)],
                env={"PYTHONPATH": str(ROOT / "collections")}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise Unmeasured(f"planning among {size} OSDs ended with {done.returncode}: {done.stderr[-2000:]}")
            found.append(json.loads(done.stdout))
        reading, planning = (median([one[what] for one in found]) for what in ("reading", "seconds"))
        seconds, memory = reading + planning, max(one["mebibytes"] for one in found)
        held = size == SIZES[-1]
        yield Row(
            "osds",
            f"{size} OSDs, {size // 10} of them to go ({found[0]['actions']} actions)",
            f"<= {SECONDS:.0f} s, {MEBIBYTES} MiB" if held else "",
            f"{seconds:.2f} s, {memory:.0f} MiB: reading the answers {reading:.2f} s, planning {planning:.2f} s",
            verdict(seconds <= SECONDS and memory <= MEBIBYTES) if held else "",
        )
    notes.append("OSDs: processor time; 10 OSDs a host, racks of equal size, two pools of three copies over racks")


def answers(size: int) -> dict[str, Any]:
    """A cluster of so many OSDs, as Kubernetes and Ceph would tell it."""
    racks = min(100, max(4, size // 20))
    hosts = [(f"h{number}", f"rack{number % racks}") for number in range(-(-size // 10))]
    claim = {"storageClassName": "local-storage", "resources": {"requests": {"storage": "1Ti"}}}
    sets = [{"name": "hdd", "count": size, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}]}]
    spec = {"storage": {"storageClassDeviceSets": sets}, "cephVersion": {"image": "ceph"}}
    objects: list[dict[str, Any]] = [
        {
            "kind": "CephCluster",
            "metadata": {"name": NAME, "generation": 1},
            "spec": spec,
            "status": {"phase": "Ready"},
        },
        {
            "kind": "Deployment",
            "metadata": {"name": "rook-ceph-operator"},
            "spec": {},
            "status": {"availableReplicas": 1},
        },
    ]
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    for host, rack in hosts:
        labels = {"topology.rook.io/rack": rack}
        objects.append({"kind": "Node", "metadata": {"name": host, "labels": labels}, "spec": {}, "status": ready})
    nodes: list[dict[str, Any]] = []
    for number in range(size):
        objects.extend(_objects(number, hosts[number // 10][0]))
        share = 0.3 + number * 7919 % 100 / 1000
        nodes.append(
            {
                "id": number, "name": f"osd.{number}", "type": "osd", "crush_weight": 10.0, "device_class": "hdd",
                "kb": 10 * TIB // 1024, "kb_used": int(10 * TIB * share) // 1024,
            }
        )  # fmt: skip
    tops: dict[str, list[int]] = {}
    for place, (host, rack) in enumerate(hosts):
        inside = list(range(place * 10, min(size, place * 10 + 10)))
        nodes.append({"id": -2 - place, "name": host, "type": "host", "children": inside})
        tops.setdefault(rack, []).append(-2 - place)
    for place, (rack, inside) in enumerate(tops.items()):
        nodes.append({"id": -100_000 - place, "name": rack, "type": "rack", "children": inside})
    top = [-100_000 - place for place in range(len(tops))]
    nodes.append({"id": -1, "name": "default", "type": "root", "children": top})
    return {
        "kubernetes": objects,
        "ceph": {name: {"rc": 0, "out": out, "err": ""} for name, out in _ceph(size, nodes).items()},
    }


def _objects(number: int, host: str) -> Iterator[dict[str, Any]]:
    claim, volume = f"hdd-data-{number}x", f"local-{host}-{number}"
    labels = {
        "ceph.rook.io/DeviceSet": "hdd", "ceph.rook.io/setIndex": str(number), "ceph.rook.io/DeviceSetPVCId": claim,
    }  # fmt: skip
    yield {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": claim, "namespace": NAME, "labels": labels},
        "spec": {"volumeName": volume},
        "status": {"phase": "Bound"},
    }
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "values": [host]}]}]
    yield {
        "kind": "PersistentVolume",
        "metadata": {"name": volume, "annotations": {"barestore.storage/serial": f"ZL{number:06}"}},
        "spec": {
            "storageClassName": "local-storage",
            "capacity": {"storage": "10Ti"},
            "local": {"path": f"/var/lib/barestore/local-volumes/osd/{number}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
            "claimRef": {"namespace": NAME, "name": claim},
        },
        "status": {"phase": "Bound"},
    }
    own = {"ceph-osd-id": str(number), "ceph.rook.io/pvc": claim}
    meta = {"name": f"rook-ceph-osd-{number}", "namespace": NAME, "labels": own}
    yield {
        "kind": "Deployment",
        "metadata": meta,
        "spec": {"replicas": 1, "strategy": {"type": "Recreate"}},
        "status": {"availableReplicas": 1},
    }
    yield {"kind": "Pod", "metadata": meta, "spec": {"nodeName": host}, "status": {"phase": "Running"}}
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    name = f"rook-ceph-osd-prepare-{claim}"
    yield {"kind": "Job", "metadata": {"name": name, "namespace": NAME}, "status": done}


def _ceph(size: int, nodes: list[dict[str, Any]]) -> dict[str, Any]:
    used = sum(one.get("kb_used", 0) for one in nodes) * 1024
    pools = [
        {"pool": n, "pool_name": f"p{n}", "type": 1, "size": 3, "min_size": 2, "crush_rule": 1, "pg_num": 4096}
        for n in (1, 2)
    ]
    steps = [{"op": "take", "item_name": "default"}, {"op": "chooseleaf_firstn", "num": 0, "type": "rack"}]
    return {
        "status": {
            "fsid": "11111111-2222-4333-8444-555555555555",
            "health": {"status": "HEALTH_OK", "checks": {}},
            "quorum": [0, 1, 2],
            "monmap": {"num_mons": 3},
            "mgrmap": {"available": True},
            "pgmap": {"pgs_by_state": [{"state_name": "active+clean", "count": 8192}]},
        },
        "osd df tree": {"nodes": nodes, "stray": []},
        "osd dump": {
            "osds": [{"osd": number, "uuid": f"u{number}", "up": 1, "in": 1} for number in range(size)],
            "pools": pools,
            "flags_set": [],
            "nearfull_ratio": 0.85,
        },
        "osd crush rule dump": [{"rule_id": 1, "rule_name": "racks", "steps": steps}],
        "config dump": [],
        "osd metadata": [],
        "df detail": {"pools": [{"id": n, "stats": {"bytes_used": used // 2}} for n in (1, 2)]},
        "auth ls": {"auth_dump": [{"entity": f"osd.{number}"} for number in range(size)]},
        "balancer status": {"active": True, "mode": "upmap"},
    }


def main() -> None:
    from ansible_collections.barestore.storage.plugins.module_utils.cluster import planner, reading
    from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
    from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
    from ansible_collections.barestore.storage.plugins.module_utils.plan.memory import uncollected

    size = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        # Made by another process, so that making it counts for nothing here.
        file = Path(folder) / "answers.json"
        if len(sys.argv) > 2:
            Path(sys.argv[2]).write_text(json.dumps(answers(size)))
            return
        subprocess.run([sys.executable, __file__, str(size), str(file)], check=True)
        wanted = Wanted(NAME, {"hdd": size - size // 10}, failure_domain="rack", pace="fast")
        started = time.process_time()
        with uncollected():  # as a run does
            cluster = reading.cluster(json.loads(file.read_text()), NAME)
            read = time.process_time()
            plan = planner.plan(cluster, wanted)
            digest(plan)
            ended = time.process_time()
    if plan.refusals:
        raise SystemExit(plan.refusals[0].sentence())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"seconds": ended - read, "reading": read - started, "mebibytes": memory, "actions": len(plan.actions)}
        )
    )


if __name__ == "__main__":
    main()
