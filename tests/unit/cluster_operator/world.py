# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server and a Ceph in memory: enough of both for whole passes of the operator, cut off at any call."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from tests.cluster.operator.standin.api import KINDS, Api, ApiError, api_version


class Killed(BaseException):
    """The operator's process ended here."""


class World(Api):
    """Objects by kind, namespace and name. Prepare Jobs end at once: each makes the next OSD."""

    def __init__(self) -> None:
        self.things: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.calls = 0
        self.kill_at = 0  # the call that the operator does not survive; it has happened
        self.number = 0
        self.prepared: dict[str, int] = {}

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        self.calls += 1
        try:
            return copy.deepcopy(self._answer(method, path, copy.deepcopy(body)))
        finally:
            if self.calls == self.kill_at:
                raise Killed

    def _answer(self, method: str, path: str, body: Any) -> Any:
        path, _, query = path.partition("?")
        kind, namespace, name = self._place(path)
        if method == "GET" and not name:
            return {"items": self._listed(kind, namespace, query)}
        if method == "POST":
            return self._create(kind, namespace, body)
        key = (kind, namespace, name)
        if key not in self.things:
            raise ApiError(404, f"{kind} {name} not found")
        if method == "DELETE":
            return self.things.pop(key)
        if method == "PUT":
            keep = {field: self.things[key]["metadata"][field] for field in ("uid", "generation", "resourceVersion")}
            self.things[key] = {**body, "metadata": {**body["metadata"], **keep}}
        return self.things[key]

    def _place(self, path: str) -> tuple[str, str, str]:
        parts = path.strip("/").split("/")
        namespace = ""
        if "namespaces" in parts:
            at = parts.index("namespaces")
            namespace = parts[at + 1]
            del parts[at : at + 2]
        for kind, (group, plural, _) in KINDS.items():
            head = [*group.split("/"), plural]
            if parts[: len(head)] == head:
                return kind, namespace, "".join(parts[len(head) : len(head) + 1])
        raise AssertionError(path)

    def _listed(self, kind: str, namespace: str, query: str) -> list[Any]:
        wanted = parse_qs(query).get("labelSelector", [""])[0]
        found = []
        for (its_kind, its_namespace, _), thing in self.things.items():
            labels = thing["metadata"].get("labels") or {}
            terms = [term.partition("=") for term in wanted.split(",") if term]
            fits = all(name in labels and (not sign or labels[name] == value) for name, sign, value in terms)
            if its_kind == kind and namespace in ("", its_namespace) and fits:
                found.append(thing)
        return found

    def _create(self, kind: str, namespace: str, body: Any) -> Any:
        metadata = body["metadata"]
        self.number += 1
        name = metadata.get("name") or f"{metadata['generateName']}{self.number:05}"
        if (kind, namespace, name) in self.things:
            raise ApiError(409, f"{kind} {name} already exists")
        metadata |= {"name": name, "uid": f"uid-{self.number}", "generation": 1, "resourceVersion": "1"}
        for key, value in body.pop("stringData", {}).items():
            body.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()
        if kind == "Service":
            body["spec"]["clusterIP"] = f"10.96.0.{self.number}"
        self.things[kind, namespace, name] = body
        if kind == "Job":
            self._prepare(namespace, body)
        return body

    def _prepare(self, namespace: str, job: Any) -> None:
        """A device remembers its OSD: a second Job on the same claim finds it."""
        claim = job["metadata"]["labels"]["ceph.rook.io/pvc"]
        osd = self.prepared.setdefault(claim, len(self.prepared))
        place = {"location": "root=default host=h1", "topologyAffinity": "", "nodeName": "h1", "device-class": "hdd"}
        told = {"status": "completed", "osds": [{"id": osd, "uuid": f"u{osd}", **place}], "message": ""}
        status = self.things["ConfigMap", namespace, f"rook-ceph-osd-{claim}-status"]
        status["data"]["status"] = json.dumps(told)
        job["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """All objects of a kind by name."""
        return {name: thing for (its_kind, _, name), thing in self.things.items() if its_kind == kind}

    def edit(self, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Somebody edits the CephCluster."""
        thing = self.of("CephCluster")["ceph"]
        change(thing["spec"])
        thing["metadata"]["generation"] += 1
        return copy.deepcopy(thing)


class QuietCeph:
    """A Ceph that is healthy and says yes."""

    def __init__(self, world: World) -> None:
        self.world = world

    def json(self, *command: str, stdin: str | None = None) -> Any:
        mons = [name for name in self.world.of("Deployment") if name.startswith("rook-ceph-mon-")]
        answers = {"quorum_status": {"quorum_names": mons}, "mgr": {"modules": [], "always_on_modules": {}}}
        return answers.get(command[0], {})

    def text(self, *command: str, stdin: str | None = None) -> str:
        return "key"


def cluster(count: int, mons: int = 3) -> dict[str, Any]:
    """A CephCluster as the API server has it."""
    template = {"metadata": {"name": "data"}, "spec": {"volumeMode": "Block"}}
    return {
        "apiVersion": api_version("CephCluster"),
        "kind": "CephCluster",
        "metadata": {"name": "ceph", "namespace": "ns", "uid": "u", "generation": 1, "resourceVersion": "1"},
        "spec": {
            "cephVersion": {"image": "quay.io/ceph/ceph:v20.2.4"},
            "mon": {"count": mons},
            "storage": {
                "storageClassDeviceSets": [{"name": "hdd", "count": count, "volumeClaimTemplates": [template]}]
            },
        },
    }


def node(name: str, rack: str) -> dict[str, Any]:
    """A ready node."""
    labels = {"kubernetes.io/hostname": name, "topology.rook.io/rack": rack}
    status = {"conditions": [{"type": "Ready", "status": "True"}], "addresses": []}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status}
