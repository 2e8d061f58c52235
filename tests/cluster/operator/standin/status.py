# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a CephCluster: phase, conditions, and what Ceph says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .words import CEPH_VERSION, Object

_KEPT_REASONS = ("ClusterCreated", "ClusterConnected")
_KEPT_TYPES = ("Deleting", "DeletionIsBlocked")
_STATES = {
    "Connecting": "Connecting",
    "Connected": "Connected",
    "Progressing": "Creating",
    "Ready": "Created",
    "Deleting": "Deleting",
}


def with_condition(
    status: Object, kind: str, now: str, *, message: str, ok: bool = True, generation: int | None = None
) -> Object:
    """The status after one condition: a lasting one stays beside it, a passing one gives way.

    ``generation`` is what was reconciled; it counts only once the cluster is Ready.
    """
    reason = "ClusterCreated" if kind == "Ready" else f"Cluster{kind}"
    word = "True" if ok else "False"
    kept: list[Object] = []
    since = now
    for condition in status.get("conditions") or []:
        lasting = condition["reason"] in _KEPT_REASONS or condition["type"] in _KEPT_TYPES
        if lasting and condition["type"] == kind:
            if (condition["status"], condition["message"]) == (word, message):
                since = condition["lastTransitionTime"]
        elif lasting:
            kept.append(condition)
    made = {
        "type": kind,
        "status": word,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": now,
        "lastTransitionTime": since,
    }
    after = {**status, "conditions": [*kept, made], "phase": kind, "message": message}
    after["state"] = _STATES.get(kind, status.get("state", "")) if ok else "Error"
    if generation is not None and kind == "Ready":
        after["observedGeneration"] = generation
    return after


def ceph_part(told: Any, now: str, before: Object) -> Object:
    """What changes in ``status.ceph`` by what ``ceph status`` answers; a None takes a check away that is over."""
    checks = told["health"].get("checks") or {}
    health = told["health"]["status"]
    part: Object = {
        "health": health,
        "lastChecked": now,
        "fsid": told["fsid"],
        "details": dict.fromkeys(before.get("details") or {})
        | {
            name: {"severity": check["severity"], "message": check["summary"]["message"]}
            for name, check in checks.items()
        },
        "capacity": {
            "bytesTotal": told["pgmap"].get("bytes_total", 0),
            "bytesUsed": told["pgmap"].get("bytes_used", 0),
            "bytesAvailable": told["pgmap"].get("bytes_avail", 0),
            "lastUpdated": now,
        },
    }
    old = before.get("health")
    if old and old != health:
        part |= {"previousHealth": old, "lastChanged": now}
    return part


def storage_part(classes: Sequence[str], osds: int) -> Object:
    """``status.storage``: the device classes, and how OSDs store."""
    return {"deviceClasses": [{"name": name} for name in classes], "osd": {"storeType": {"bluestore": osds}}}


def version_part(image: str) -> Object:
    """``status.version``: what runs."""
    return {"image": image, "version": CEPH_VERSION}
