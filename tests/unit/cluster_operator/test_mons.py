# SPDX-License-Identifier: GPL-3.0-or-later
"""Monitors: names, addresses as others read them, and nodes chosen over racks."""

from __future__ import annotations

from typing import Any

from tests.cluster.operator.standin import mons
from tests.cluster.operator.standin.words import name_of

CLUSTER: dict[str, Any] = {
    "apiVersion": "ceph.rook.io/v1",
    "kind": "CephCluster",
    "metadata": {"name": "ceph-hdd", "namespace": "ceph-hdd", "uid": "u1"},
}


def node(name: str, rack: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"topology.rook.io/rack": rack}}}


def test_names_go_on_after_z() -> None:
    assert [mons.mon_name(number) for number in (0, 2, 25, 26, 27, 52)] == ["a", "c", "z", "aa", "ab", "ba"]


def test_what_is_written_for_others_is_read_back() -> None:
    written = mons.Mons({"a": "10.96.0.5", "b": "10.96.0.6"}, {"a": {"Name": "h1"}}, 1)
    config_map = mons.endpoints(written, CLUSTER, "ceph-hdd")
    assert config_map["data"]["data"] == "a=10.96.0.5:6789,b=10.96.0.6:6789"
    assert mons.read(config_map) == written
    assert mons.read(None) == mons.Mons({}, {}, -1)


def test_mon_host_has_both_protocols() -> None:
    assert mons.Mons({"a": "10.96.0.5"}, {}, 0).host == "[v2:10.96.0.5:3300,v1:10.96.0.5:6789]"


def test_monitors_are_spread_over_racks_first() -> None:
    nodes = [node("a1", "r1"), node("a2", "r1"), node("b1", "r2"), node("c1", "r3")]
    assert [name_of(one) for one in mons.choose_nodes(nodes, {}, 3, False)] == ["a1", "b1", "c1"]


def test_a_monitor_that_is_there_counts() -> None:
    nodes = [node("a1", "r1"), node("a2", "r1"), node("b1", "r2")]
    chosen = mons.choose_nodes(nodes, {"a": {"Name": "a1"}}, 1, False)
    assert [name_of(one) for one in chosen] == ["b1"]


def test_too_few_nodes_give_too_few_unless_they_may_share() -> None:
    nodes = [node("a1", "r1")]
    assert len(mons.choose_nodes(nodes, {}, 3, False)) == 1
    assert len(mons.choose_nodes(nodes, {}, 3, True)) == 3
