# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What on a Kubernetes differs from what a site wants there, by the role that would mend it. Pure."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..plan.errors import ObserveError
from .questions import kubectl

Json = Mapping[str, Any]
Answer = tuple[int, str]  # kubectl's exit code, and what it printed

ROOK = "rook"
_DIFFERS = re.compile(r"^Files \S+/(\S+) and \S+ differ$", re.MULTILINE)
_NO_SUCH_KIND = "the server doesn't have a resource type"


@dataclass(frozen=True)
class Release:
    """A release of helm: ``chart`` is its name and version, as in ``rook-ceph-v1.20.6``."""

    namespace: str
    name: str
    chart: str
    values: Json


@dataclass(frozen=True)
class Part:
    """What one role makes, for the whole site or for one Ceph ``cluster``; ``of_ceph`` says that it needs Rook."""

    role: str
    cluster: str = ""
    releases: tuple[Release, ...] = ()
    objects: tuple[Json, ...] = ()
    of_ceph: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """By which a part is known."""
        return self.role, self.cluster


@dataclass(frozen=True)
class Seen:
    """What is there: nodes and volumes as they are, the rest by namespace and name."""

    nodes: tuple[Json, ...]
    volumes: tuple[Json, ...]
    releases: Mapping[tuple[str, str], Json]
    clusters: Mapping[tuple[str, str], Json]
    stores: Mapping[tuple[str, str], Json]
    toolboxes: Mapping[tuple[str, str], Json]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Seen:
        """From what the module told."""

        def named(items: Sequence[Json]) -> dict[tuple[str, str], Json]:
            return {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in items}

        releases = {(one["namespace"], one["name"]): one for one in told["releases"]}
        by_name = (named(told[name]) for name in ("clusters", "stores", "toolboxes"))
        return cls(tuple(told["nodes"]), tuple(told["volumes"]), releases, *by_name)


def questions(config: str) -> dict[str, tuple[str, ...]]:
    """argv of what is asked of Kubernetes, by a word for it."""
    words = {
        "base": ("nodes,persistentvolumes",),
        # Those that a later one superseded may be ten times as many.
        "releases": ("secrets", "--all-namespaces", "--selector=owner=helm,status!=superseded"),
        "ceph": ("cephclusters.ceph.rook.io,cephobjectstores.ceph.rook.io", "--all-namespaces"),
        "toolboxes": ("deployments.apps", "--all-namespaces", "--selector=app=rook-ceph-tools"),
    }
    return {name: kubectl(config, "get", *each, "--output=json") for name, each in words.items()}


def told(name: str, rc: int, out: str, err: str) -> list[dict[str, Any]]:
    """The objects that kubectl printed; none where the cluster does not know their kind yet.

    :raises ObserveError: it printed none for another reason.
    """
    if rc and _NO_SUCH_KIND in err:
        return []
    try:
        return list(json.loads(out)["items"])
    except (ValueError, KeyError, TypeError) as error:
        said = " ".join(err.split()) or "it said nothing"
        raise ObserveError(f"kubectl does not tell of the {name} of the cluster: {said[:400]}") from error


def seen(answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What the module tells the controller: what it needs of the answers, and no secret."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for one in (one for name, items in answers.items() if name != "releases" for one in items):
        meta = {key: value for key, value in one["metadata"].items() if key != "managedFields"}
        by_kind.setdefault(one["kind"], []).append({**one, "metadata": meta})
    nodes = [{"metadata": {"name": one["metadata"]["name"]}} for one in by_kind.get("Node", ())]
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for release in map(_release, answers["releases"]):
        known = newest.get((release["namespace"], release["name"]))
        if known is None or known["revision"] < release["revision"]:
            newest[release["namespace"], release["name"]] = release
    return {
        "nodes": nodes,
        "volumes": by_kind.get("PersistentVolume", []),
        "releases": list(newest.values()),
        "clusters": by_kind.get("CephCluster", []),
        "stores": by_kind.get("CephObjectStore", []),
        "toolboxes": by_kind.get("Deployment", []),
    }


def _release(secret: Json) -> dict[str, Any]:
    """helm's own record of a release: JSON, packed, in base64, and once more as every secret."""
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    record = json.loads(gzip.decompress(packed))
    chart = record["chart"]["metadata"]
    return {
        "namespace": record.get("namespace", secret["metadata"].get("namespace", "")),
        "name": record["name"],
        "revision": int(record.get("version", 0)),
        "status": record.get("info", {}).get("status", ""),
        "chart": f"{chart['name']}-{chart['version']}",
        "values": record.get("config") or {},
    }


def without_a_look(parts: Iterable[Part], there: Seen) -> dict[tuple[str, str], str]:
    """The parts that differ whatever their objects are like, each with the reason."""
    found: dict[tuple[str, str], str] = {}
    rook = ""
    for part in parts:
        why = next(filter(None, (_release_differs(one, there) for one in part.releases)), "") or _unready(part, there)
        if part.role == ROOK:
            rook = why
        if part.of_ceph and rook and not why:
            # A definition that an older operator brought would hide what is new in the object.
            why = "the operator comes first"
        if why:
            found[part.key] = why
    return found


def _release_differs(wanted: Release, there: Seen) -> str:
    have = there.releases.get((wanted.namespace, wanted.name))
    if have is None:
        return f"release {wanted.name} is not there"
    if have["status"] != "deployed":
        return f"release {wanted.name} is {have['status'] or 'unknown'}"
    if have["chart"] != wanted.chart:
        return f"release {wanted.name} is of {have['chart']}"
    return "" if have["values"] == wanted.values else f"release {wanted.name} has other values"


def _unready(part: Part, there: Seen) -> str:
    if part.role == "rook_cluster":
        return _condition(there.clusters.get((part.cluster, part.cluster)), "Ready")
    if part.role == "toolbox":
        return _condition(there.toolboxes.get((part.cluster, "rook-ceph-tools")), "Available")
    if part.role == "object_storage":
        for one in part.objects:
            if one["kind"] == "CephObjectStore":
                have = there.stores.get((part.cluster, one["metadata"]["name"]), {})
                if have.get("status", {}).get("phase") not in ("Ready", "Connected"):
                    return f"object store {one['metadata']['name']} is not ready"
    return ""


def _condition(one: Json | None, kind: str) -> str:
    if one is None:
        return "it is not there"
    told_of = {each["type"]: each["status"] for each in one.get("status", {}).get("conditions", ())}
    return "" if told_of.get(kind) == "True" else f"{one['kind']} {one['metadata']['name']} is not {kind.lower()}"


def compare(config: str) -> tuple[str, ...]:
    """argv that compares a list of objects with what the server would make of them; exit code 1: some differ."""
    how = ("--server-side", "--force-conflicts", "--field-manager=barestore", "--concurrency=8")
    return ("env", "KUBECTL_EXTERNAL_DIFF=diff -rqN", *kubectl(config, "diff", *how, "--filename=-"))


def differing(objects: Sequence[Json], ask: Callable[[list[dict[str, Any]]], Answer]) -> list[int]:
    """Which of the objects differ, by their place; all of them where nobody can tell.

    What differs is asked for once more: kubectl reads an object and what would become of it one after the other, and a
    status that its owner writes in between looks like a difference.
    """
    places = list(range(len(objects)))
    for _look in range(2):
        some = [dict(objects[place]) for place in places]
        found = different(some, *ask(some)) if some else []
        if found is None:
            return places
        places = [places[place] for place in found]
    return places


def different(objects: Sequence[Json], rc: int, out: str) -> list[int] | None:
    """Which of the objects differ, by their place; None where kubectl could not compare them."""
    if rc not in (0, 1):
        return None
    files = set(_DIFFERS.findall(out))
    found = [place for place, one in enumerate(objects) if _file(one) in files]
    # What is named and not known would be a change that nobody makes.
    return found if len(found) >= len(files) and bool(files) == bool(rc) else None


def _file(one: Json) -> str:
    group, _slash, version = str(one["apiVersion"]).rpartition("/")
    meta = one["metadata"]
    names = (*((group,) if group else ()), version, one["kind"], meta.get("namespace", ""), meta["name"])
    return ".".join(names)
