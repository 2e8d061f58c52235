# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a placement allows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.operator.standin import nodes
from tests.cluster.operator.standin.words import name_of


def node(name: str, *, ready: str = "True", taint: str = "", role: str = "", cordoned: bool = False) -> dict[str, Any]:
    spec: dict[str, Any] = {"unschedulable": cordoned}
    if taint:
        spec["taints"] = [{"key": taint, "value": "yes", "effect": "NoSchedule"}]
    conditions = [{"type": "Ready", "status": ready}]
    labels = {"role": role} if role else {}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"conditions": conditions}}


def names(found: list[dict[str, Any]]) -> list[str]:
    return [name_of(one) for one in found]


def test_nodes_that_cannot_run_a_pod_are_left_out() -> None:
    there = [node("good"), node("cordoned", cordoned=True), node("down", ready="Unknown"), node("tainted", taint="x")]
    assert names(nodes.usable(there, {}, "mon")) == ["good"]


@pytest.mark.parametrize(
    "toleration",
    [{"key": "x", "operator": "Exists"}, {"key": "x", "value": "yes"}, {"operator": "Exists"}],
    ids=["key", "value", "all"],
)
def test_a_taint_is_tolerated(toleration: dict[str, str]) -> None:
    spec = {"placement": {"all": {"tolerations": [toleration]}}}
    assert names(nodes.usable([node("tainted", taint="x")], spec, "mon")) == ["tainted"]


def test_another_value_is_not_tolerated() -> None:
    spec = {"placement": {"all": {"tolerations": [{"key": "x", "value": "no"}]}}}
    assert names(nodes.usable([node("tainted", taint="x")], spec, "mon")) == []


def test_the_daemons_placement_goes_over_that_of_all() -> None:
    term = {"matchExpressions": [{"key": "role", "operator": "In", "values": ["storage"]}]}
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    spec = {"placement": {"mon": {"nodeAffinity": affinity}}}
    there = [node("a", role="storage"), node("b", role="compute"), node("c")]
    assert names(nodes.usable(there, spec, "mon")) == ["a"]
    assert names(nodes.usable(there, spec, "mgr")) == ["a", "b", "c"]
