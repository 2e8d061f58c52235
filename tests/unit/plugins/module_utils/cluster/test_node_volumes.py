# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the volumes of a host that leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster.node_volumes import leaving
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import ObserveError, Surprise


def volume(name: str, host: str, phase: str, *, claim: str = "", topolvm: bool = False) -> dict[str, Any]:
    key = "topology.topolvm.io/node" if topolvm else "kubernetes.io/hostname"
    spec: dict[str, Any] = {
        "storageClassName": "local-storage",
        "capacity": {"storage": "8Gi"},
        "nodeAffinity": {
            "required": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": key, "operator": "In", "values": [host]}]}]
            }
        },
    }
    if not topolvm:
        spec["local"] = {"path": f"/var/lib/barestore/local-volumes/osd/{name}"}
    if claim:
        spec["claimRef"] = {"namespace": "ceph-hdd", "name": claim}
    return {"metadata": {"name": name}, "spec": spec, "status": {"phase": phase}}


def told(*volumes: dict[str, Any]) -> str:
    return json.dumps({"items": list(volumes)})


def test_what_nothing_uses_goes_and_other_hosts_keep_theirs() -> None:
    text = told(
        volume("b", "ss3", "Released", claim="hdd-data-3"),
        volume("a", "ss3", "Available"),
        volume("c", "ss2", "Bound", claim="hdd-data-1"),
        volume("pvc-1", "ss3", "Released", claim="mon-a", topolvm=True),
    )
    assert leaving(text, "ss3") == ["a", "b"]
    assert leaving(text, "ss1") == []


def test_one_that_is_used_keeps_the_host_whoever_made_it() -> None:
    text = told(
        volume("a", "ss3", "Available"),
        volume("b", "ss3", "Bound", claim="hdd-data-3"),
        volume("pvc-1", "ss3", "Bound", claim="mon-a", topolvm=True),
    )
    with pytest.raises(Surprise) as raised:
        leaving(text, "ss3")
    assert raised.value.message == (
        "host ss3 has volumes that are in use: b (ceph-hdd/hdd-data-3), pvc-1 (ceph-hdd/mon-a)"
    )
    assert "nothing was done" in raised.value.hint


def test_no_answer_is_no_permission() -> None:
    with pytest.raises(ObserveError, match="did not print"):
        leaving("", "ss3")
