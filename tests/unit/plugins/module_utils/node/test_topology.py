# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and taints: only what differs is run, and what two levels of a topology share is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.node.topology import (
    OURS,
    RACK,
    ZONE,
    commands,
    observed,
    wanted,
)
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import ObserveError, SpecError


def node(
    name: str, labels: dict[str, str], ours: str = "", taints: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels, "annotations": {OURS: ours} if ours else {}}
    return {"metadata": metadata, "spec": {"taints": taints} if taints else {}}


def test_a_new_node_gets_its_rack_and_what_was_set_is_remembered() -> None:
    (one,) = wanted([{"name": "ss1", "rack": "rack1", "zone": "hall", "labels": {"role": "storage"}}])
    assert list(commands([one], {"ss1": node("ss1", {})})) == [
        ("label", "node", "ss1", "--overwrite", "role=storage", f"{ZONE}=hall", f"{RACK}=rack1"),
        ("annotate", "node", "ss1", "--overwrite", f"{OURS}=role,{ZONE},{RACK}"),
    ]


def test_a_node_that_is_as_it_shall_be_costs_nothing() -> None:
    nodes = wanted([{"name": "ss1", "rack": "rack1", "taints": [{"key": "role", "value": "storage"}]}])
    have = {
        "ss1": node(
            "ss1", {RACK: "rack1", "other": "x"}, RACK, [{"key": "role", "value": "storage", "effect": "NoSchedule"}]
        )
    }
    assert list(commands(nodes, have)) == []


def test_a_label_that_left_the_document_leaves_the_node_and_others_stay() -> None:
    nodes = wanted([{"name": "ss1", "rack": "rack2"}])
    have = {"ss1": node("ss1", {RACK: "rack1", "role": "storage", "other": "x"}, f"role,{RACK}")}
    assert list(commands(nodes, have)) == [
        ("label", "node", "ss1", "--overwrite", f"{RACK}=rack2", "role-"),
        ("annotate", "node", "ss1", "--overwrite", f"{OURS}={RACK}"),
    ]


def test_a_missing_taint_is_set_and_one_of_others_stays() -> None:
    nodes = wanted([{"name": "ss1", "taints": [{"key": "role", "value": "storage", "effect": "NoExecute"}]}])
    have = {"ss1": node("ss1", {}, "", [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}])}
    assert list(commands(nodes, have)) == [("taint", "node", "ss1", "--overwrite", "role=storage:NoExecute")]


REFUSED: list[tuple[list[dict[str, Any]], str]] = [
    ([{"name": "a", "rack": "r1", "zone": "r1"}], "zone 'r1' is the name of a rack as well"),
    ([{"name": "a", "rack": "r1"}, {"name": "b", "rack": "r2", "zone": "r1"}], "host b: zone 'r1'"),
    (
        [{"name": "a", "rack": "r1", "zone": "z1"}, {"name": "b", "rack": "r1", "zone": "z2"}],
        "rack 'r1' is in zone 'z2' here and in 'z1'",
    ),
]


@pytest.mark.parametrize(("entries", "why"), REFUSED)
def test_what_rook_would_refuse_is_refused_first(entries: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(SpecError, match=why):
        wanted(entries)


def test_hosts_that_are_no_nodes_are_all_named() -> None:
    with pytest.raises(ObserveError, match="no node of the cluster is ss1, ss2"):
        list(commands(wanted([{"name": "ss2"}, {"name": "ss1"}]), {}))


def test_what_kubectl_should_not_say_is_an_error() -> None:
    with pytest.raises(ObserveError):
        observed("error: no nodes")
    assert list(observed('{"items": [{"metadata": {"name": "ss1"}}]}')) == ["ss1"]
