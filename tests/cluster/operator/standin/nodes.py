# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a placement allows: what the scheduler decides for pods that the operator binds itself."""

from __future__ import annotations

from collections.abc import Sequence

from .pods import merged_placement
from .words import Object, labels_of


def usable(nodes: Sequence[Object], spec: Object, daemon: str) -> list[Object]:
    """The nodes that are ready, schedulable, tolerated, and wanted by the daemon's placement."""
    placement = merged_placement(spec, daemon)
    affinity = placement.get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or []
    tolerations = placement.get("tolerations") or []
    return [
        node
        for node in nodes
        if not node["spec"].get("unschedulable")
        and _ready(node)
        and all(_tolerated(taint, tolerations) for taint in node["spec"].get("taints") or [])
        and (not terms or any(_matches(term, labels_of(node)) for term in terms))
    ]


def _ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _tolerated(taint: Object, tolerations: Sequence[Object]) -> bool:
    if taint.get("effect") == "PreferNoSchedule":
        return True
    for toleration in tolerations:
        if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
            continue
        if toleration.get("operator", "Equal") == "Exists":
            if toleration.get("key") in (None, "", taint["key"]):
                return True
        elif toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", ""):
            return True
    return False


def _matches(term: Object, labels: dict[str, str]) -> bool:
    for expression in term.get("matchExpressions") or []:
        value, values = labels.get(expression["key"]), expression.get("values") or []
        answers = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not answers.get(expression["operator"], False):
            return False
    return True
