# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Kubernetes with the Rook operator and a Ceph, as a model behind argv: what kubectl and the toolbox would answer.

It agrees with what was recorded from Ceph 20.2.4: ``safe-to-destroy`` says yes as soon as no placement group maps to an
OSD, whatever still recovers; ``purge`` refuses only OSDs that are up, needed or not; a stopped OSD has no statistics.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.cluster import state
from ansible_collections.barestore.storage.plugins.module_utils.cluster.executor import Clock
from ansible_collections.barestore.storage.plugins.module_utils.cluster.simulator.model import (
    CephModel,
    ModelOsd,
    ModelPool,
)
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result, Runner

GIB = 1024**3
NAME = "ceph-hdd"
FSID = "11111111-2222-4333-8444-555555555555"


class Killed(BaseException):
    """The run ends here, as by SIGKILL: nothing of it is cleaned up."""


@dataclass
class ModelVolume:
    """A local volume on a node; ``carries`` is the UUID of the OSD that its disk has a label of."""

    name: str
    node: str
    serial: str
    size: int = 10 * GIB
    claim: str = ""
    phase: str = "Available"
    carries: str = ""
    notes: dict[str, str] = field(default_factory=dict)


@dataclass
class ModelClaim:
    """A claim of a set; ``osd`` is what the operator made on it."""

    name: str
    device_set: str
    index: int
    volume: str = ""
    labelled: bool = True
    notes: dict[str, str] = field(default_factory=dict)


@dataclass
class ModelDeployment:
    osd: int
    claim: str
    replicas: int = 1
    fenced: bool = False


class SimulatedRook(Runner):
    """Answers argv. ``log`` has what changed anything; ``before`` is called ahead of each call, to kill a run there."""

    def __init__(self, racks: int, hosts: int, disks: int, counts: dict[str, int], pools: list[ModelPool]) -> None:
        super().__init__()
        self.nodes = {f"ss{r}{h}": f"rack{r}" for r in range(1, racks + 1) for h in range(1, hosts + 1)}
        self.volumes = {
            f"local-{node}-d{number}": ModelVolume(f"local-{node}-d{number}", node, f"{node.upper()}D{number}")
            for node in self.nodes
            for number in range(disks)
        }
        self.sets = dict(counts)
        self.claims: dict[str, ModelClaim] = {}
        self.deployments: dict[str, ModelDeployment] = {}
        self.jobs: dict[str, str] = {}
        self.lease: dict[str, Any] | None = None
        self.version = 1
        self.generation = 1
        self.profile = ""
        self.keys: set[str] = set()
        self.ceph = CephModel(pools, {})
        self.log: list[str] = []
        self.broken: set[str] = set()
        self.cut_off: set[str] = set()
        self.flapping: set[int] = set()
        self.dead: set[str] = set()
        self.ticks = 0
        self.late = 0
        self.slow_start = 0
        self._prepared: dict[int, int] = {}
        self._told: list[tuple[dict[str, int], int]] = []
        self.copies_a_tick = 2
        self.before: Callable[[tuple[str, ...]], None] = lambda argv: None
        self.watch: Callable[[SimulatedRook], None] = lambda rook: None
        for _ in range(sum(counts.values()) + 1):
            self.reconcile()
        self.ceph.held.clear()
        self.ceph.__post_init__()

    # -- what the operator does

    def reconcile(self) -> None:
        """One round of the operator: missing claims, their OSDs, and Deployments that nobody fenced."""
        if "operator" in self.broken:
            return
        for name, count in self.sets.items():
            owned = [one for one in self.claims.values() if one.device_set == name and one.labelled]
            highest = max((one.index for one in owned), default=-1)
            for extra in range(count - len({one.index for one in owned})):
                index = highest + 1 + extra
                claim = ModelClaim(f"{name}-data-{index}{self._letters()}", name, index)
                self.claims[claim.name] = claim
        for claim in self.claims.values():
            if not claim.volume:
                self._bind(claim)
            # A labelled claim without a Deployment gets its OSD prepared, also one that was just purged.
            if claim.volume and claim.labelled and claim.name not in {one.claim for one in self.deployments.values()}:
                self._prepare(claim)
        for deployment in self.deployments.values():
            if not deployment.fenced:
                deployment.replicas = 1
        self._daemons()

    def _bind(self, claim: ModelClaim) -> None:
        free = [
            one
            for one in self.volumes.values()
            if one.phase == "Available" and self.nodes[one.node] not in self.cut_off
        ]
        if free:
            load = self._load(claim.device_set)
            chosen = min(free, key=lambda one: (load[self.nodes[one.node]], load[one.node], one.name))
            chosen.phase, chosen.claim, claim.volume = "Bound", claim.name, chosen.name

    def _load(self, device_set: str) -> dict[str, int]:
        load = dict.fromkeys([*self.nodes, *self.nodes.values()], 0)
        for claim in self.claims.values():
            if claim.volume and claim.device_set == device_set:
                node = self.volumes[claim.volume].node
                load[node] += 1
                load[self.nodes[node]] += 1
        return load

    def _prepare(self, claim: ModelClaim) -> None:
        volume = self.volumes[claim.volume]
        if volume.carries:
            return  # ceph-volume refuses a disk that has a label
        number = next(n for n in range(10_000) if n not in self.ceph.osds)
        made = str(uuid.UUID(int=self.version * 1000 + number + 1))
        self.version += 1
        volume.carries = made
        rack = self.nodes[volume.node]
        place = {"root": "default", "rack": rack, "host": volume.node}
        self.ceph.osds[number] = ModelOsd(number, made, volume.size, volume.size / 1024**4, place)
        self._prepared[number] = self.ticks
        self.keys.add(f"osd.{number}")
        self.deployments[f"rook-ceph-osd-{number}"] = ModelDeployment(number, claim.name)
        self.jobs[f"rook-ceph-osd-prepare-{claim.name}"] = "Complete"

    def _daemons(self) -> None:
        wanted = {one.osd: one for one in self.deployments.values()}
        for number, osd in self.ceph.osds.items():
            if number in self._prepared:
                osd.is_in = not self._asleep(number)
                if osd.is_in:
                    del self._prepared[number]
            deployment = wanted.get(number)
            osd.up = bool(deployment and deployment.replicas) and osd.place["rack"] not in self.cut_off
            osd.up = osd.up and osd.uuid not in self.dead and number not in self._prepared
            osd.up = osd.up and not (number in self.flapping and self.ticks % 4 < 2)

    def _asleep(self, number: int) -> bool:
        """Whether an OSD is prepared and did not start yet: CRUSH has no place for it then."""
        return number in self._prepared and self.ticks < self._prepared[number] + self.slow_start

    def tick(self) -> None:
        """A moment: the operator and the recovery go on; an OSD that flaps is away two moments of four."""
        self.ticks += 1
        self._told.append((self.ceph.states(), self.ceph.missing()))
        self.reconcile()
        self.ceph.tick(self.copies_a_tick)
        self.watch(self)

    def _letters(self) -> str:
        self.version += 1
        return f"x{self.version}"

    # -- kubectl

    @contextmanager
    def ahead(self, argvs: Iterable[Sequence[str]]) -> Iterator[None]:
        yield

    def run(self, argv: Sequence[str], stdin: str = "") -> Result:
        argv = tuple(argv)
        self.before(argv)
        self.count += 1
        if "api" in self.broken:
            return Result(argv, 1, "", "The connection to the server 10.0.0.1:6443 was refused", 0.0)
        if "absent" in self.broken:
            return Result(argv, 1, "", 'error: the server doesn\'t have a resource type "cephclusters"', 0.0)
        words = [word for word in argv[1:] if not word.startswith(("--kubeconfig", "--namespace", "--request-timeout"))]
        try:
            out = getattr(self, f"_{words[0]}")(words[1:], stdin)
        except Failure as failure:
            return Result(argv, 1, "", str(failure), 0.0)
        if words[0] not in ("get", "logs") and "rados" not in str(words):
            self.log.append(" ".join(words))
        self.watch(self)
        return Result(argv, 0, out or "", "", 0.0)

    def _get(self, words: list[str], stdin: str) -> str:
        if words[1:2] == ["rook-ceph-operator"]:
            available = 0 if "operator" in self.broken else 1
            return json.dumps(
                {
                    "kind": "Deployment",
                    "metadata": {"name": state.OPERATOR},
                    "spec": {},
                    "status": {"availableReplicas": available},
                }
            )
        return json.dumps({"kind": "List", "items": list(self._objects("pods" in words[0]))})

    def _exec(self, words: list[str], stdin: str) -> str:
        argv = words[words.index("--") + 1 :]
        if argv[0] == "python3":
            return json.dumps({question: self._answer(question) for question in json.loads(argv[-1])})
        return self._ceph(argv[1:])

    def _ceph(self, words: list[str]) -> str:
        if words[:3] == ["osd", "crush", "reweight"]:
            self.ceph.osds[int(words[3][4:])].weight = float(words[4])
        elif words[:2] in (["osd", "out"], ["osd", "in"]):
            for name in words[2:]:
                self.ceph.osds[int(name[4:])].is_in = words[1] == "in"
        elif words[:2] == ["osd", "purge"]:
            number = int(words[2][4:])
            if number in self.ceph.osds and self.ceph.osds[number].up:
                raise Failure(f"Error EBUSY: osd.{number} is not `down`.")
            if "purge" not in self.broken:
                self.ceph.purge(number)
                self.keys.discard(f"osd.{number}")
        elif words[:2] == ["config", "set"]:
            self.profile = words[4]
        elif words[:2] == ["config", "rm"]:
            self.profile = ""
        else:
            raise AssertionError(words)
        return ""

    def _patch(self, words: list[str], stdin: str) -> None:
        patch = json.loads(next(word for word in words if word.startswith("--patch="))[8:])
        if words[0] == "cephcluster":
            names = list(self.sets)
            for one in patch:
                parts = one["path"].split("/")
                name = names[int(parts[4])] if int(parts[4]) < len(names) else ""
                have = name if parts[-1] == "name" else self.sets.get(name)
                if one["op"] == "test" and have != one["value"]:
                    raise Failure("the server rejected our request due to an error in our request")
                if one["op"] == "replace":
                    self.sets[name] = one["value"]
                if one["op"] == "remove":
                    del self.sets[name]
            self.generation += 1
        elif words[0] == "persistentvolume":
            volume = self.volumes[words[1]]
            volume.claim, volume.phase = "", "Available"
            volume.notes.clear()
        elif words[0] == "lease":
            self._patch_lease(patch)
        else:
            raise AssertionError(words)

    def _patch_lease(self, patch: Any) -> None:
        lease = self.lease
        if lease is None:
            raise Failure('leases "barestore-osds" not found')
        if isinstance(patch, dict):
            if patch["metadata"]["resourceVersion"] != str(lease["version"]):
                raise Failure("the object has been modified")
            lease["spec"] = patch["spec"]
        for one in patch if isinstance(patch, list) else []:
            key = one["path"].split("/")[-1]
            if one["op"] == "test" and lease["spec"][key] != one["value"]:
                raise Failure("test failed")
            if one["op"] == "replace":
                lease["spec"][key] = one["value"]
        lease["version"] += 1

    def _create(self, words: list[str], stdin: str) -> None:
        if self.lease is not None:
            raise Failure('leases "barestore-osds" already exists')
        self.lease = {"spec": json.loads(stdin)["spec"], "notes": {}, "version": 1}

    def _annotate(self, words: list[str], stdin: str) -> None:
        key, _equals, value = words[-1].partition("=")
        holder: dict[str, str]
        if words[0] == "lease":
            if self.lease is None:
                raise Failure("not found")
            holder = self.lease["notes"]
            self.lease["version"] += 1
        else:
            things: dict[str, Any] = {**self.claims, **self.volumes}
            holder = things[words[1]].notes
        if _equals:
            holder[key] = value
        else:
            holder.pop(key.rstrip("-"), None)

    def _label(self, words: list[str], stdin: str) -> None:
        if words[0] == "deployment":
            self.deployments[words[1]].fenced = not words[-1].endswith("-")
        elif words[1] in self.claims:
            self.claims[words[1]].labelled = False

    def _scale(self, words: list[str], stdin: str) -> None:
        self.deployments[words[1]].replicas = 0
        self._daemons()

    def _delete(self, words: list[str], stdin: str) -> None:
        kind, name = words[:2]
        if kind == "lease":
            self.lease = None
        elif kind == "deployment":
            self.deployments.pop(name, None)
            self._daemons()
        elif kind == "job":
            self.jobs.pop(name, None)
        elif kind == "persistentvolume":
            self.volumes.pop(name, None)
        elif kind == "persistentvolumeclaim":
            claim = self.claims.pop(name, None)
            if claim and claim.volume in self.volumes:
                self.volumes[claim.volume].phase = "Released"
        else:
            raise AssertionError(words)

    def _apply(self, words: list[str], stdin: str) -> None:
        manifest = json.loads(stdin)
        want = json.loads(manifest["spec"]["template"]["spec"]["containers"][0]["command"][-1])
        name = manifest["metadata"]["name"]
        volume = self.volumes[manifest["metadata"]["annotations"]["barestore.storage/volume"]]
        right = want["serial"] == volume.serial and volume.carries in ("", want["uuid"])
        self.jobs[name] = "Complete" if right else "Failed"
        if right:
            volume.carries = ""

    def _logs(self, words: list[str], stdin: str) -> str:
        return "the disk carries something else"

    # -- objects and answers

    def _objects(self, pods: bool) -> Iterator[dict[str, Any]]:
        sets = [
            {
                "name": name,
                "count": count,
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "data"},
                        "spec": {"storageClassName": "local-storage", "resources": {"requests": {"storage": "5Gi"}}},
                    }
                ],
            }
            for name, count in self.sets.items()
        ]
        yield {
            "kind": "CephCluster",
            "metadata": {"name": NAME, "generation": self.generation},
            "spec": {"storage": {"storageClassDeviceSets": sets}, "cephVersion": {"image": "ceph"}},
            "status": {"phase": "Ready", "observedGeneration": self.generation},
        }
        for claim in self.claims.values():
            labels = {state.SET_LABEL: claim.device_set, state.INDEX_LABEL: str(claim.index)}
            if claim.labelled:
                labels[state.OWNED_LABEL] = claim.name
            yield {
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": claim.name, "namespace": NAME, "labels": labels, "annotations": claim.notes},
                "spec": {"volumeName": claim.volume},
                "status": {"phase": "Bound" if claim.volume else "Pending"},
            }
        for volume in self.volumes.values():
            terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "values": [volume.node]}]}]
            spec: dict[str, Any] = {
                "storageClassName": "local-storage",
                "capacity": {"storage": str(volume.size)},
                "local": {"path": f"/var/lib/barestore/local-volumes/osd/{volume.serial}"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
                "persistentVolumeReclaimPolicy": "Retain",
            }
            if volume.claim:
                spec["claimRef"] = {"namespace": NAME, "name": volume.claim}
            notes = {"barestore.storage/serial": volume.serial, **volume.notes}
            yield {
                "kind": "PersistentVolume",
                "metadata": {"name": volume.name, "annotations": notes},
                "spec": spec,
                "status": {"phase": volume.phase},
            }
        for node, rack in self.nodes.items():
            ready = "False" if rack in self.cut_off else "True"
            yield {
                "kind": "Node",
                "metadata": {"name": node, "labels": {"topology.rook.io/rack": rack}},
                "spec": {},
                "status": {"conditions": [{"type": "Ready", "status": ready}]},
            }
        for name, deployment in self.deployments.items():
            labels = {"ceph-osd-id": str(deployment.osd), state.CLAIM_LABEL: deployment.claim}
            if deployment.fenced:
                labels[state.FENCE] = "true"
            yield {
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": NAME, "labels": labels},
                "spec": {"replicas": deployment.replicas, "strategy": {"type": "Recreate"}},
                "status": {"availableReplicas": deployment.replicas},
            }
            if pods and deployment.replicas:
                yield {
                    "kind": "Pod",
                    "metadata": {"name": f"{name}-0", "namespace": NAME, "labels": labels},
                    "spec": {"nodeName": ""},
                    "status": {"phase": "Running"},
                }
        for name, condition in self.jobs.items():
            yield {
                "kind": "Job",
                "metadata": {"name": name, "namespace": NAME},
                "status": {"conditions": [{"type": condition, "status": "True"}]},
            }
        if self.lease is not None:
            yield {
                "kind": "Lease",
                "metadata": {
                    "name": state.LEASE,
                    "resourceVersion": str(self.lease["version"]),
                    "annotations": self.lease["notes"],
                },
                "spec": self.lease["spec"],
            }

    def _answer(self, question: str) -> dict[str, Any]:
        if question.startswith("osd safe-to-destroy "):
            return {"rc": 0, "out": self._safe(int(question.split()[2])), "err": ""}
        return {"rc": 0, "out": getattr(self, "_q_" + question.replace(" ", "_"))(), "err": ""}

    def _safe(self, number: int) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {"safe_to_destroy": [], "active": [], "missing_stats": [], "stored_pgs": []}
        clean = set(self.ceph.states()) <= {"active+clean"}
        if self.ceph.mapped(number):
            found["active"] = [number]
        elif number in self.ceph.osds and not self.ceph.osds[number].up and not clean:
            found["missing_stats"] = [number]
        else:
            found["safe_to_destroy"] = [number]
        return found

    def _q_status(self) -> dict[str, Any]:
        states, missing = self.ceph.states(), self.ceph.missing()
        if 0 < self.late <= len(self._told):
            states, missing = self._told[-self.late]
        checks = {}
        if any("degraded" in one for one in states):
            checks["PG_DEGRADED"] = {"severity": "HEALTH_WARN", "summary": {"message": "degraded"}}
        if "health" in self.broken:
            checks["MON_CLOCK_SKEW"] = {"severity": "HEALTH_ERR", "summary": {"message": "clock skew"}}
        return {
            "fsid": FSID,
            "health": {"status": "HEALTH_WARN" if checks else "HEALTH_OK", "checks": checks},
            "quorum": [0, 1, 2],
            "monmap": {"num_mons": 3},
            "mgrmap": {"available": True},
            "pgmap": {
                "pgs_by_state": [{"state_name": name, "count": count} for name, count in sorted(states.items())],
                "misplaced_objects": missing,
            },
        }

    def _q_osd_df_tree(self) -> dict[str, Any]:
        nodes: list[dict[str, Any]] = []
        racks: dict[str, dict[str, list[int]]] = {}
        stray = []
        for one in self.ceph.osds.values():
            if self._asleep(one.id):
                stray.append({"id": one.id, "name": f"osd.{one.id}", "type": "osd", "crush_weight": 0})
                continue
            racks.setdefault(one.place["rack"], {}).setdefault(one.place["host"], []).append(one.id)
            nodes.append(
                {
                    "id": one.id,
                    "name": f"osd.{one.id}",
                    "type": "osd",
                    "crush_weight": one.weight,
                    "device_class": one.device_class,
                    "kb": one.size // 1024,
                    "kb_used": self.ceph.used(one.id) // 1024,
                }
            )
        number, tops = -2, []
        for rack, hosts in racks.items():
            inside = []
            for host, osds in hosts.items():
                nodes.append({"id": number, "name": host, "type": "host", "children": osds})
                inside.append(number)
                number -= 1
            nodes.append({"id": number, "name": rack, "type": "rack", "children": inside})
            tops.append(number)
            number -= 1
        nodes.append({"id": -1, "name": "default", "type": "root", "children": tops})
        return {"nodes": nodes, "stray": stray}

    def _q_osd_dump(self) -> dict[str, Any]:
        return {
            "osds": [
                {"osd": one.id, "uuid": one.uuid, "up": int(one.up), "in": int(one.is_in)}
                for one in self.ceph.osds.values()
            ],
            "pools": [
                {
                    "pool": number,
                    "pool_name": pool.name,
                    "type": 1,
                    "size": pool.size,
                    "min_size": pool.size - 1,
                    "crush_rule": number,
                    "pg_num": pool.groups,
                }
                for number, pool in enumerate(self.ceph.pools)
            ],
            "flags_set": ["sortbitwise", *sorted(one[5:] for one in self.broken if one.startswith("flag:"))],
            "nearfull_ratio": 0.85,
        }

    def _q_osd_crush_rule_dump(self) -> list[dict[str, Any]]:
        return [
            {
                "rule_id": number,
                "rule_name": pool.name,
                "steps": [
                    {"op": "take", "item_name": "default"},
                    {"op": "chooseleaf_firstn", "num": 0, "type": pool.domain},
                    {"op": "emit"},
                ],
            }
            for number, pool in enumerate(self.ceph.pools)
        ]

    def _q_config_dump(self) -> list[dict[str, str]]:
        return [{"section": "osd", "name": "osd_mclock_profile", "value": self.profile}] if self.profile else []

    def _q_osd_metadata(self) -> list[dict[str, Any]]:
        return []

    def _q_df_detail(self) -> dict[str, Any]:
        return {
            "pools": [
                {"id": number, "stats": {"bytes_used": pool.size * pool.groups * pool.group_bytes}}
                for number, pool in enumerate(self.ceph.pools)
            ]
        }

    def _q_auth_ls(self) -> dict[str, Any]:
        return {"auth_dump": [{"entity": key} for key in sorted(self.keys)]}

    def _q_balancer_status(self) -> dict[str, Any]:
        return {"active": True, "mode": "upmap"}


class Failure(Exception):
    """What kubectl ends with."""


class SimulatedClock(Clock):
    """Time that passes only while somebody waits; each wait is a tick of the cluster, of two seconds at least."""

    def __init__(self, rook: SimulatedRook) -> None:
        self._rook = rook
        self._now = time.monotonic()

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += max(seconds, 2.0)
        self._rook.tick()


def small(
    count: int = 6, racks: int = 3, hosts: int = 1, disks: int = 3, group_bytes: int = GIB // 2, groups: int = 8
) -> SimulatedRook:
    """Three racks of a host with three disks, and a pool of three copies, one in each rack."""
    pools = [ModelPool("data", 3, "rack", groups, group_bytes)]
    return SimulatedRook(racks, hosts, disks, {"hdd": count}, pools)
