# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes the operator look at a cluster again, and what does not."""

from __future__ import annotations

from typing import Any

from tests.cluster.operator.standin.operator import Seen, why
from tests.cluster.operator.standin.words import SKIP_RECONCILE


def cluster(generation: int = 1, uid: str = "u1", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "c", "uid": uid, "generation": generation, "labels": labels}}


def seen() -> Seen:
    return Seen(cluster(), owned={"Deployment/rook-ceph-osd-0"}, nodes={"h1"})


def test_nothing_new_is_no_reason() -> None:
    more = {"Deployment/rook-ceph-osd-0", "Deployment/rook-ceph-osd-1"}
    assert why(seen(), cluster(), more, {"h1"}) == ""


def test_a_new_description_a_lost_object_and_a_new_node_are_reasons() -> None:
    owned, nodes = {"Deployment/rook-ceph-osd-0"}, {"h1"}
    assert why(seen(), cluster(2), owned, nodes) == "its description changed"
    assert why(seen(), cluster(uid="u2"), owned, nodes) == "it was made anew"
    assert why(seen(), cluster(), set(), nodes) == "Deployment/rook-ceph-osd-0 is gone"
    assert why(seen(), cluster(), owned, {"h1", "h2"}) == "new node h2"


def test_taking_the_label_away_that_asked_to_wait_is_a_reason() -> None:
    waiting = Seen(cluster(**{SKIP_RECONCILE: "true"}), {"a"}, {"h1"})
    assert "is gone" in why(waiting, cluster(), {"a"}, {"h1"})
