# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers in, a Cluster out. Pure; a field that an older Ceph or Rook does not have has its empty value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..plan.errors import Absent, ObserveError
from . import state
from .quantities import quantity
from .state import Answers, Cluster

Json = Mapping[str, Any]


def cluster(answers: Answers, name: str) -> Cluster:
    """The state of the cluster in namespace ``name``.

    :raises ObserveError: Ceph did not answer a question; as Absent where there is no CephCluster.
    """
    objects = _by_kind(answers["kubernetes"])
    custom = objects.get("CephCluster", [])
    if len(custom) != 1:
        raise (ObserveError if custom else Absent)(
            f"in namespace {name} there are {len(custom)} CephClusters and not one",
            "name the namespace of the Ceph cluster, or let the role rook_cluster make it",
        )
    spec, status = custom[0].get("spec", {}), custom[0].get("status", {})
    ceph = _Ceph(answers["ceph"], name)
    told, dump = ceph.of("status"), ceph.of("osd dump")
    osds, strays = _osds(ceph.of("osd df tree"), dump)
    health = told["health"]
    mgrs = told.get("mgrmap", {})
    safe, unsafe = _safe(answers["ceph"])
    return Cluster(
        name=name,
        fsid=told["fsid"],
        phase=status.get("phase", ""),
        generation=custom[0]["metadata"].get("generation", 0),
        seen_generation=status.get("observedGeneration", 0),
        image=spec.get("cephVersion", {}).get("image", ""),
        sets=tuple(_sets(spec.get("storage", {}).get("storageClassDeviceSets") or ())),
        osds=osds,
        pools=tuple(_pools(dump, ceph.get("df detail"))),
        rules={one.id: one for one in _rules(ceph.of("osd crush rule dump"))},
        claims={one.name: one for one in _claims(objects.get("PersistentVolumeClaim", ()), name)},
        volumes={one.name: one for one in volumes(objects.get("PersistentVolume", ()))},
        nodes={one.name: one for one in _nodes(objects.get("Node", ()))},
        deployments=tuple(_deployments(objects.get("Deployment", ()), name)),
        jobs=dict(_jobs(objects.get("Job", ()), name)),
        pods=tuple(_pods(objects.get("Pod", ()), name)),
        lease=_lease(objects.get("Lease", ())),
        health=health["status"],
        checks=tuple(
            state.Check(code, one["severity"], one["summary"]["message"], bool(one.get("muted")))
            for code, one in sorted(health.get("checks", {}).items())
        ),
        mons=told.get("monmap", {}).get("num_mons", 0),
        quorum=len(told.get("quorum", ())),
        mgr=bool(mgrs.get("available")),
        flags=frozenset(dump.get("flags_set", ())) - _ORDINARY,
        nearfull=float(dump.get("nearfull_ratio", 0.85)),
        progress=_progress(told.get("pgmap", {})),
        migrating=_migrating(status),
        operator=sum(
            one.get("status", {}).get("availableReplicas", 0)
            for one in objects.get("Deployment", ())
            if one["metadata"]["name"] == state.OPERATOR
        ),
        profile=next((one["value"] for one in ceph.get("config dump") or () if one.get("section") == "osd"), ""),
        balancer=_balancer(ceph.get("balancer status")),
        keys=frozenset(one["entity"] for one in (ceph.get("auth ls") or {}).get("auth_dump", ())),
        serials={int(one["id"]): one.get("device_ids", "") for one in ceph.get("osd metadata") or ()},
        strays=strays,
        crush=frozenset(one["id"] for one in ceph.of("osd df tree")["nodes"] if one["id"] >= 0),
        safe=safe,
        safe_errors=unsafe,
        whole="osd metadata" in answers["ceph"],
    )


_ORDINARY = frozenset(("sortbitwise", "recovery_deletes", "purged_snapdirs", "pglog_hardlimit"))


class _Ceph:
    def __init__(self, answers: Json, name: str) -> None:
        self._answers = answers
        self._name = name

    def get(self, question: str) -> Any:
        return self.of(question) if question in self._answers else None

    def of(self, question: str) -> Any:
        answer = self._answers.get(question)
        if answer is None or answer["rc"] != 0 or answer["out"] is None:
            said = answer["err"] if answer else "it was not asked"
            raise ObserveError(
                f"the Ceph cluster {self._name} does not answer '{question}': {said or 'nothing'}",
                "look at its monitors and its manager",
            )
        return answer["out"]


def _by_kind(items: Iterable[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for one in items:
        found.setdefault(one["kind"], []).append(one)
    return found


def _safe(answers: Json) -> tuple[frozenset[int], dict[int, str]]:
    safe, unsafe = set(), {}
    for question, answer in answers.items():
        if question.startswith("osd safe-to-destroy "):
            number = int(question.split()[2])
            told = answer["out"] if isinstance(answer["out"], Mapping) else {}
            # Ceph answers with an error for an OSD that is not safe; only its own yes counts.
            if answer["rc"] == 0 and number in told.get("safe_to_destroy", ()):
                safe.add(number)
            else:
                unsafe[number] = " ".join(str(answer["err"] or "Ceph does not say why").split())
    return frozenset(safe), unsafe


def _sets(entries: Iterable[Json]) -> Iterator[state.DeviceSet]:
    for position, one in enumerate(entries):
        templates: Sequence[Json] = one.get("volumeClaimTemplates") or ({},)
        data = next((t for t in templates if t.get("metadata", {}).get("name", "data") in ("", "data")), templates[0])
        spec, notes = data.get("spec", {}), data.get("metadata", {}).get("annotations") or {}
        request = spec.get("resources", {}).get("requests", {}).get("storage", "0")
        yield state.DeviceSet(
            one["name"],
            position,
            int(one["count"]),
            spec.get("storageClassName", ""),
            notes.get("crushDeviceClass", ""),
            quantity(request),
        )


def _osds(tree: Json, dump: Json) -> tuple[dict[int, state.Osd], frozenset[int]]:
    """The OSDs, and the numbers of those that CRUSH has no place for."""
    nodes = {one["id"]: one for one in tree["nodes"]}
    above: dict[int, int] = {}
    for one in nodes.values():
        for child in one.get("children", ()):
            above[child] = one["id"]
    places: dict[int, Mapping[str, str]] = {}

    def inside(number: int | None) -> Mapping[str, str]:
        """A bucket, and those that it lies in; all that lies in it shares the answer."""
        unknown = []
        while number is not None and number not in places:
            unknown.append(number)
            number = above.get(number)
        found = {} if number is None else places[number]
        for one in reversed(unknown):
            found = places[one] = {**found, nodes[one]["type"]: nodes[one]["name"]}
        return found

    stray = {one["id"]: one for one in tree.get("stray", ())}
    osds = {}
    for one in dump["osds"]:
        number = one["osd"]
        seen = nodes.get(number) or stray.get(number) or {}
        osds[number] = state.Osd(
            number,
            one["uuid"],
            bool(one["up"]),
            bool(one["in"]),
            float(seen.get("crush_weight", 0.0)),
            seen.get("device_class", ""),
            int(seen.get("kb", 0)) * 1024,
            int(seen.get("kb_used", 0)) * 1024,
            int(seen.get("pgs", 0)),
            inside(above.get(number)),
        )
    return osds, frozenset(number for number in osds if not osds[number].place)


def _pools(dump: Json, usage: Json | None) -> Iterator[state.Pool]:
    raw = {one["id"]: one["stats"].get("bytes_used", 0) for one in (usage or {}).get("pools", ())}
    profiles = dump.get("erasure_code_profiles", {})
    for one in dump["pools"]:
        profile = profiles.get(one.get("erasure_code_profile", ""), {}) if one["type"] == 3 else {}
        yield state.Pool(
            one["pool_name"],
            one["size"],
            one["min_size"],
            one["crush_rule"],
            int(profile.get("k", 1)),
            one["pg_num"],
            one.get("pg_num_target", one["pg_num"]),
            one.get("pg_autoscale_mode", "off"),
            raw.get(one["pool"], 0),
        )


def _rules(rules: Iterable[Json]) -> Iterator[state.Rule]:
    for rule in rules:
        root, device_class, kinds = "", "", []
        for step in rule["steps"]:
            if step["op"] == "take":
                root, _tilde, device_class = step["item_name"].partition("~")
            elif step["op"].startswith("choose"):
                kinds.append((step["type"], int(step["num"])))
        outer = kinds[0][0] if kinds else "osd"
        inner = kinds[-1][1] if len(kinds) > 1 else 1
        yield state.Rule(rule["rule_id"], rule["rule_name"], root, device_class, outer, max(1, inner))


def _mine(one: Json, namespace: str) -> bool:
    return bool(one["metadata"].get("namespace", namespace) == namespace)


def _claims(items: Iterable[Json], namespace: str) -> Iterator[state.Claim]:
    for one in items:
        meta = one["metadata"]
        labels = meta.get("labels") or {}
        if state.SET_LABEL in labels and _mine(one, namespace):
            yield state.Claim(
                meta["name"],
                labels[state.SET_LABEL],
                int(labels.get(state.INDEX_LABEL, -1)),
                state.OWNED_LABEL in labels,
                one.get("status", {}).get("phase", ""),
                one["spec"].get("volumeName", ""),
                (meta.get("annotations") or {}).get(state.LEAVING, ""),
                "deletionTimestamp" in meta,
            )


def volumes(items: Iterable[Json]) -> Iterator[state.Volume]:
    """PersistentVolumes, as they are or as they are planned."""
    for one in items:
        meta, spec = one["metadata"], one["spec"]
        notes = meta.get("annotations") or {}
        ref = spec.get("claimRef")
        yield state.Volume(
            meta["name"],
            spec.get("storageClassName", ""),
            one.get("status", {}).get("phase", ""),
            quantity(spec.get("capacity", {}).get("storage", "0")),
            _node_of(spec),
            spec.get("local", {}).get("path", ""),
            notes.get("barestore.storage/serial", ""),
            f"{ref['namespace']}/{ref['name']}" if ref else "",
            notes.get(state.FREED, ""),
            spec.get("persistentVolumeReclaimPolicy", "Retain"),
            "deletionTimestamp" in meta,
        )


def _node_of(spec: Json) -> str:
    terms = spec.get("nodeAffinity", {}).get("required", {}).get("nodeSelectorTerms", ())
    for term in terms:
        for one in term.get("matchExpressions", ()):
            if one["key"] in ("kubernetes.io/hostname", "topology.topolvm.io/node") and len(one["values"]) == 1:
                return str(one["values"][0])
    return ""


def _nodes(items: Iterable[Json]) -> Iterator[state.Node]:
    for one in items:
        meta = one["metadata"]
        labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
        conditions = one.get("status", {}).get("conditions", ())
        prefix = "capacity.topolvm.io/"
        yield state.Node(
            meta["name"],
            next((labels[key] for key in state.RACK_LABELS if key in labels), ""),
            any(c["type"] == "Ready" and c["status"] == "True" for c in conditions),
            not one.get("spec", {}).get("unschedulable", False),
            {key[len(prefix) :]: int(value) for key, value in notes.items() if key.startswith(prefix)},
        )


def _deployments(items: Iterable[Json], namespace: str) -> Iterator[state.Deployment]:
    for one in items:
        meta = one["metadata"]
        labels = meta.get("labels") or {}
        if "ceph-osd-id" in labels and _mine(one, namespace):
            yield state.Deployment(
                meta["name"],
                int(labels["ceph-osd-id"]),
                labels.get(state.CLAIM_LABEL, ""),
                int(one["spec"].get("replicas", 1)),
                int(one.get("status", {}).get("availableReplicas", 0)),
                state.FENCE in labels,
                one["spec"].get("strategy", {}).get("type", ""),
                "deletionTimestamp" in meta,
            )


def _jobs(items: Iterable[Json], namespace: str) -> Iterator[tuple[str, str]]:
    """Jobs by name: ``done``, ``failed`` or ``running``."""
    for one in items:
        if _mine(one, namespace):
            true = {c["type"] for c in one.get("status", {}).get("conditions", ()) if c["status"] == "True"}
            told = "done" if "Complete" in true else "failed" if "Failed" in true else "running"
            yield one["metadata"]["name"], told


def _pods(items: Iterable[Json], namespace: str) -> Iterator[state.Pod]:
    for one in items:
        meta = one["metadata"]
        labels, phase = meta.get("labels") or {}, one.get("status", {}).get("phase", "")
        if "ceph-osd-id" in labels and _mine(one, namespace) and phase not in ("Succeeded", "Failed"):
            yield state.Pod(
                meta["name"],
                int(labels["ceph-osd-id"]),
                one["spec"].get("nodeName", ""),
                phase,
                "deletionTimestamp" in meta,
            )


def _lease(items: Iterable[Json]) -> state.Lease:
    for one in items:
        meta, spec = one["metadata"], one.get("spec", {})
        if meta["name"] == state.LEASE:
            notes = meta.get("annotations") or {}
            return state.Lease(
                spec.get("holderIdentity") or "",
                spec.get("renewTime") or "",
                spec.get("leaseDurationSeconds") or 0,
                meta.get("resourceVersion", ""),
                {key: value for key, value in notes.items() if key.startswith("barestore.storage/")},
            )
    return state.Lease()


def _progress(told: Json) -> state.Progress:
    states = {one["state_name"]: one["count"] for one in told.get("pgs_by_state", ())}
    return state.Progress(states, told.get("misplaced_objects", 0), told.get("degraded_objects", 0))


def _migrating(status: Json) -> int:
    pending = status.get("storage", {}).get("osd", {}).get("migrationStatus", {}).get("pending", 0)
    return int(pending or 0)


def _balancer(told: Json | None) -> str:
    if told is None:
        return ""
    return str(told.get("mode", "")) if told.get("active") else "off"
