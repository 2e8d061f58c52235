# SPDX-License-Identifier: GPL-3.0-or-later
"""``ceph_osds`` launched on the control plane without all of Ansible, and what a cluster's OSDs leave behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.conftest import Cluster
from tests.cluster.operator.kube import Kube
from tests.cluster.test_ceph import NAMESPACE, SET, is_clean
from tests.launch import UNPACK, Launch, archive

LEASE = "barestore-osds"
LEFT = ("barestore.storage/leaving", "barestore.storage/freed")
FLAGS = ("noout", "noin", "noup", "nodown", "norebalance", "nobackfill", "norecover", "pause")
HOOK = Path(__file__).with_name("kill_hook.py")
_CONTROL_PLANE = "cp1"
# One connection for all questions: each ``ceph`` would cost a second.
_ASK = """
import json, rados, sys
with rados.Rados(conffile="/etc/ceph/ceph.conf") as link:
    orders = [json.dumps({"prefix": words, "format": "json"}) for words in sys.argv[1:]]
    print(json.dumps([json.loads(link.mon_command(order, b"", 30)[1]) for order in orders]))
"""


@dataclass(frozen=True)
class Osds:
    """The OSDs of the bed, and runs that change them."""

    cluster: Cluster
    k: Kube

    @cached_property
    def _arguments(self) -> dict[str, Any]:
        """What the role gives to the module."""
        self.cluster.ssh(_CONTROL_PLANE, UNPACK, input=archive(HOOK))
        told = document(self.cluster)["clusters"][NAMESPACE]
        same = {key: told[key] for key in ("failure_domain", "device_sets")}
        return {**same, **told["osd_changes"], "cluster": NAMESPACE}

    def launch(self, count: int, *, fault: dict[str, Any] | None = None, check: bool = False, **more: Any) -> Launch:
        """Start the module for so many OSDs; ``more`` are its options."""
        sets = {SET: {**self._arguments["device_sets"][SET], "count": count}}
        arguments = {**self._arguments, "device_sets": sets, **more}
        return Launch(self.cluster.bed.site.ssh_config, _CONTROL_PLANE, "ceph_osds", arguments, fault, check)

    def run(self, count: int, *, check: bool = False, **more: Any) -> dict[str, Any]:
        """What the module answers; a failure is one of the test."""
        answer = self.launch(count, check=check, **more).answer()
        assert not answer.get("failed"), answer["msg"]
        return answer

    def ensure(self, count: int) -> None:
        """So many OSDs, and all data where it belongs."""
        self.k.wait("placement groups active and clean", lambda: is_clean(self.k))
        self.run(count, pace="fast")
        self.k.wait("placement groups active and clean", lambda: is_clean(self.k))
        assert left_over(self.k, count) == []

    def go_on(self) -> None:
        """Let a run go on that waits at its stop."""
        self.cluster.ssh(_CONTROL_PLANE, "touch /run/fault/go")

    def others(self, goers: set[int]) -> dict[int, Any]:
        """What nobody may touch: of each other OSD its UUID, whether it is in, its weight, and its pod."""
        tree, dump = asked(self.k, "osd tree", "osd dump")
        weights = {one["id"]: one.get("crush_weight") for one in tree["nodes"]}
        pods = {
            int(one["metadata"]["labels"]["ceph-osd-id"]): one["metadata"]["uid"]
            for one in self.k.list("pod", "app=rook-ceph-osd")
        }
        return {
            one["osd"]: [one["uuid"], one["in"], weights[one["osd"]], pods.get(one["osd"])]
            for one in dump["osds"]
            if one["osd"] not in goers
        }

    def on_hosts(self) -> dict[str, list[int]]:
        """The OSDs of each host, as CRUSH has them."""
        return {
            item["name"]: item["children"] for item in self.k.ceph("osd", "tree")["nodes"] if item["type"] == "host"
        }

    def volume_of(self, osd: int) -> dict[str, Any]:
        """The PersistentVolume of an OSD."""
        claim = self.k.get("deploy", f"rook-ceph-osd-{osd}")["metadata"]["labels"]["ceph.rook.io/pvc"]
        volume: dict[str, Any] = self.k.get("pv", self.k.get("pvc", claim)["spec"]["volumeName"])
        return volume

    def hold(self) -> str:
        """Who holds the lease; empty when nobody does."""
        lease = self.k.get("lease", LEASE)
        return str(lease["spec"].get("holderIdentity", "")) if lease else ""

    def put_in(self, volume: dict[str, Any]) -> None:
        """The disk of a volume that is gone is emptied and given to Kubernetes again, as a new one would be."""
        host = host_of(volume)
        self.cluster.ssh(host, f"blkdiscard --force $(readlink -f {volume['spec']['local']['path']})")
        spec = {key: value for key, value in volume["spec"].items() if key != "claimRef"}
        kept = {key: volume["metadata"].get(key, {}) for key in ("name", "labels", "annotations")}
        notes = {key: value for key, value in kept["annotations"].items() if not key.startswith("pv.kubernetes.io")}
        made = {"apiVersion": "v1", "kind": "PersistentVolume", "spec": spec}
        self.k.apply({**made, "metadata": {**kept, "annotations": notes}})


def document(cluster: Cluster) -> Any:
    """``ceph`` of the bed's inventory."""
    return yaml.safe_load((cluster.bed.inventory / "group_vars/all/cluster.yml").read_text())["ceph"]


def edited(cluster: Cluster, count: int, **changes: Any) -> str:
    """The document of the inventory with another number and ``osd_changes``, as a variable of the command line."""
    told = document(cluster)
    told["clusters"][NAMESPACE]["device_sets"][SET]["count"] = count
    told["clusters"][NAMESPACE]["osd_changes"] |= changes
    return json.dumps({"ceph": told})


def host_of(volume: dict[str, Any]) -> str:
    """The node that has a local volume."""
    [term] = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    return str(term["matchExpressions"][0]["values"][0])


def serial_of(volume: dict[str, Any]) -> str:
    """The serial of its disk."""
    return str(volume["metadata"]["annotations"]["barestore.storage/serial"])


def free_volumes(k: Kube) -> set[str]:
    """The volumes that a new OSD may get."""
    return {one["metadata"]["name"] for one in k.list("pv") if one["status"]["phase"] == "Available"}


def asked(k: Kube, *questions: str) -> list[Any]:
    """What the monitors answer to each question."""
    answers: list[Any] = json.loads(k.toolbox("python3", "-c", _ASK, *questions))
    return answers


def left_over(k: Kube, count: int) -> list[str]:
    """Where there is not exactly one of each OSD: osdmap, CRUSH, keys, Deployments, claims, Jobs, volumes, notes."""
    tree, dump, keys, settings = asked(k, "osd tree", "osd dump", "auth ls", "config dump")
    things: dict[str, dict[str, Any]] = {}
    for one in k.list("deployments,persistentvolumeclaims,jobs,persistentvolumes,leases"):
        things.setdefault(one["kind"], {})[one["metadata"]["name"]] = one
    claims, volumes, jobs = (things.get(kind, {}) for kind in ("PersistentVolumeClaim", "PersistentVolume", "Job"))
    deployments = {name: one["metadata"]["labels"] for name, one in things["Deployment"].items()}
    found = {
        "osdmap": [f"osd.{one['osd']}" for one in dump["osds"] if one["up"] and one["in"]],
        "known to the osdmap": [f"osd.{one['osd']}" for one in dump["osds"]],
        "CRUSH": [one["name"] for one in [*tree["nodes"], *tree["stray"]] if one["type"] == "osd"],
        "keys": [one["entity"] for one in keys["auth_dump"] if one["entity"].startswith("osd.")],
        "Deployments": [f"osd.{one['ceph-osd-id']}" for one in deployments.values() if "ceph-osd-id" in one],
    }
    names = set(found["known to the osdmap"])
    wrong = [f"{where}: {sorted(each)}" for where, each in found.items() if len(each) != count or set(each) != names]
    if len(claims) != count:
        wrong.append(f"claims: {sorted(claims)}")
    wrong += [
        f"Job {name}"
        for name in jobs
        if (name.startswith("rook-ceph-osd-prepare-") and name[22:] not in claims) or "wipe" in name
    ]
    for name, volume in volumes.items():
        held, phase = (volume["spec"].get("claimRef") or {}).get("name"), volume["status"]["phase"]
        if phase != ("Bound" if held in claims else "Available"):
            wrong.append(f"volume {name} is {phase}, of claim {held}")
    for name, thing in [*claims.items(), *volumes.items()]:
        wrong += [f"{name}: {key}" for key in thing["metadata"].get("annotations") or {} if key in LEFT]
    wrong += [f"fence on {name}" for name, labels in deployments.items() if "ceph.rook.io/do-not-reconcile" in labels]
    wrong += [one for one in dump["flags_set"] if one in FLAGS]
    wrong += [f"profile {one['value']}" for one in settings if one["name"] == "osd_mclock_profile"]
    return wrong + (["lease"] if LEASE in things.get("Lease", {}) else [])
