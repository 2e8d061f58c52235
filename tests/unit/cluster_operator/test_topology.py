# SPDX-License-Identifier: GPL-3.0-or-later
"""CRUSH locations from node labels, and the labels that Rook refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.operator.standin import topology

RACK, ZONE = "topology.rook.io/rack", "topology.kubernetes.io/zone"


def node(name: str, **labels: str) -> dict[str, Any]:
    names = {"rack": RACK, "zone": ZONE}
    return {"metadata": {"name": name, "labels": {names[key]: value for key, value in labels.items()}}}


def test_the_location_names_host_and_levels_from_low_to_high() -> None:
    labels = {RACK: "rack1", ZONE: "room.a"}
    assert topology.location(labels, "h1.example") == "root=default host=h1-example rack=rack1 zone=room-a"


def test_a_value_of_two_levels_counts_for_the_lower_one() -> None:
    assert topology.location({RACK: "r1", ZONE: "r1"}, "h1") == "root=default host=h1 rack=r1"


def test_the_affinity_is_the_lowest_level_above_the_host() -> None:
    assert topology.affinity({RACK: "r1", ZONE: "z1"}) == f"{RACK}=r1"
    assert topology.affinity({}) == ""


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([node("a", rack="r1", zone="r1")], 'value "r1" appears under both'),
        ([node("a", rack="r1"), node("b", zone="r1")], 'value "r1" appears under both'),
        ([node("a", rack="")], "has an empty value"),
        ([node("a", rack="r1", zone="z1"), node("b", rack="r1", zone="z2")], 'value "r1" appears under both "z1"'),
    ],
    ids=["one node", "two nodes", "empty", "two zones"],
)
def test_labels_that_rook_refuses(nodes: list[dict[str, Any]], said: str) -> None:
    assert said in topology.conflict(nodes)


def test_labels_that_are_fine() -> None:
    nodes = [node("a", rack="r1", zone="z1"), node("b", rack="r2", zone="z1"), node("c", rack="r3"), node("d")]
    assert topology.conflict(nodes) == ""
