# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Ceph cluster on Kubernetes as frozen values, read from what Kubernetes and Ceph answered in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

OPERATOR = "rook-ceph-operator"
LEASE = "barestore-osds"
LEAVING = "barestore.storage/leaving"
"""Annotation of a claim whose OSD goes: ``ID UUID WEIGHT REASON``; a run that was killed is continued with it."""
FREED = "barestore.storage/freed"
"""Annotation of a volume whose OSD went: ``FSID ID UUID``; its disk may be wiped of exactly that OSD."""
FENCE = "ceph.rook.io/do-not-reconcile"
CLAIM_LABEL = "ceph.rook.io/pvc"
SET_LABEL = "ceph.rook.io/DeviceSet"
INDEX_LABEL = "ceph.rook.io/setIndex"
OWNED_LABEL = "ceph.rook.io/DeviceSetPVCId"
RACK_LABELS = ("topology.rook.io/rack", "topology.kubernetes.io/zone")


@dataclass(frozen=True)
class Osd:
    """``size`` and ``used`` are bytes; ``place`` names its CRUSH buckets by type, ``{"host": ..., "rack": ...}``."""

    id: int
    uuid: str
    up: bool
    is_in: bool
    weight: float
    device_class: str
    size: int
    used: int
    pgs: int
    place: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"osd.{self.id}"

    def domain(self, kind: str) -> str:
        """The CRUSH bucket of this type that it lies in; its own name for ``osd``."""
        return self.name if kind == "osd" else self.place.get(kind, "")


@dataclass(frozen=True)
class Pool:
    """``stored`` are the raw bytes of all copies; ``size`` is k + m with erasure coding, and ``k`` is 1 without."""

    name: str
    size: int
    min_size: int
    rule: int
    k: int
    pg_num: int
    pg_num_target: int
    autoscale: str
    stored: int

    @property
    def copies(self) -> str:
        return f"size {self.size}" if self.k == 1 else f"k+m {self.k}+{self.size - self.k}"


@dataclass(frozen=True)
class Rule:
    """Where copies go: below ``root``, on ``device_class`` (empty: any), in different buckets of ``domain``.

    ``inner`` is how many copies one such bucket may get.
    """

    id: int
    name: str
    root: str
    device_class: str
    domain: str
    inner: int = 1


@dataclass(frozen=True)
class DeviceSet:
    """As the CephCluster has it; ``position`` is its place in the list, ``request`` the bytes that a claim asks for."""

    name: str
    position: int
    count: int
    storage_class: str
    device_class: str
    request: int


@dataclass(frozen=True)
class Claim:
    """A claim of a device set. ``owned``: the operator still counts it; ``leaving``: see LEAVING."""

    name: str
    device_set: str
    index: int
    owned: bool
    phase: str
    volume: str
    leaving: str
    deleting: bool


@dataclass(frozen=True)
class Volume:
    """A PersistentVolume. ``claim`` is ``NAMESPACE/NAME``; ``path`` and ``serial`` are empty where it is not local.

    ``deleting``: it was deleted, and goes with its claim.
    """

    name: str
    storage_class: str
    phase: str
    size: int
    node: str
    path: str
    serial: str
    claim: str
    freed: str
    reclaim: str
    deleting: bool = False


@dataclass(frozen=True)
class Node:
    """``free`` are the bytes that TopoLVM has left, by its device class."""

    name: str
    rack: str
    ready: bool
    schedulable: bool
    free: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Deployment:
    """An OSD's Deployment."""

    name: str
    osd: int
    claim: str
    replicas: int
    available: int
    fenced: bool
    strategy: str
    deleting: bool


@dataclass(frozen=True)
class Pod:
    """A pod of an OSD that has not ended; ``deleting``: it was asked to end."""

    name: str
    osd: int
    node: str
    phase: str
    deleting: bool


@dataclass(frozen=True)
class Lease:
    """Who changes OSDs of this cluster; empty ``holder``: nobody. ``notes`` are our annotations: the state of a run."""

    holder: str = ""
    renewed: str = ""
    seconds: int = 0
    version: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One entry of Ceph's health."""

    code: str
    severity: str
    message: str
    muted: bool = False


@dataclass(frozen=True)
class Progress:
    """Of placement groups: how many are in each state, and objects that are not where or as often as they shall be."""

    states: Mapping[str, int]
    misplaced: int
    degraded: int

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True)
class Cluster:
    """All that is known. ``whole`` says that the questions of a change were asked too, not only those of a look.

    ``strays`` are OSDs without a place in CRUSH, ``crush`` all that have one. ``safe`` are those that were asked for
    and that Ceph calls safe to destroy. ``generation`` and ``seen_generation`` are those of the CephCluster and of what
    its operator has reconciled (0: it does not say).
    """

    name: str
    fsid: str
    phase: str
    generation: int
    seen_generation: int
    image: str
    sets: tuple[DeviceSet, ...]
    osds: Mapping[int, Osd]
    pools: tuple[Pool, ...]
    rules: Mapping[int, Rule]
    claims: Mapping[str, Claim]
    volumes: Mapping[str, Volume]
    nodes: Mapping[str, Node]
    deployments: tuple[Deployment, ...]
    jobs: Mapping[str, str]
    pods: tuple[Pod, ...]
    lease: Lease
    health: str
    checks: tuple[Check, ...]
    mons: int
    quorum: int
    mgr: bool
    flags: frozenset[str]
    nearfull: float
    progress: Progress
    migrating: int
    operator: int
    profile: str
    balancer: str
    keys: frozenset[str]
    serials: Mapping[int, str]
    strays: frozenset[int]
    crush: frozenset[int]
    safe: frozenset[int] = frozenset()
    safe_errors: Mapping[int, str] = field(default_factory=dict)
    whole: bool = False

    def device_set(self, name: str) -> DeviceSet | None:
        return next((one for one in self.sets if one.name == name), None)

    def claims_of(self, name: str) -> tuple[Claim, ...]:
        """Claims of a set, by index."""
        return self._by_set.get(name, ())

    def present(self, name: str) -> frozenset[str]:
        """Claims of a set that count for Rook: its own, and not being deleted."""
        return frozenset(one.name for one in self.claims_of(name) if one.owned and not one.deleting)

    def deployment_of(self, claim: str) -> Deployment | None:
        return self._by_claim.get(claim)

    def osd_of(self, claim: str) -> Osd | None:
        """The OSD that runs on a claim, by the label of its Deployment."""
        found = self._by_claim.get(claim)
        return self.osds.get(found.osd) if found else None

    @cached_property
    def _by_claim(self) -> Mapping[str, Deployment]:
        return {one.claim: one for one in self.deployments}

    @cached_property
    def _by_set(self) -> Mapping[str, tuple[Claim, ...]]:
        found: dict[str, list[Claim]] = {}
        for one in sorted(self.claims.values(), key=lambda one: (one.index, one.name)):
            found.setdefault(one.device_set, []).append(one)
        return {name: tuple(claims) for name, claims in found.items()}


@dataclass(frozen=True)
class Mark:
    """What LEAVING says."""

    osd: int
    uuid: str
    weight: float
    reason: str

    @property
    def text(self) -> str:
        return f"{self.osd} {self.uuid} {self.weight:.5f} {self.reason}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """None where the annotation is empty or not ours."""
        parts = text.split()
        try:
            return cls(int(parts[0]), parts[1], float(parts[2]), parts[3])
        except (IndexError, ValueError):
            return None


Answers = Mapping[str, Any]
"""``{"kubernetes": [objects], "ceph": {question: {"rc", "out", "err"}}}``."""
