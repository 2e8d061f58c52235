# SPDX-License-Identifier: GPL-3.0-or-later
"""How objects are written: foreign marks stay, and a write that came too late is made again."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.cluster.operator.standin.api import Api, ApiError, merged


class Server(Api):
    """An API server with one Deployment; ``late`` writes are refused because somebody was faster."""

    def __init__(self, thing: Any, late: int = 0) -> None:
        self.thing, self.late = thing, late
        self.calls: list[str] = []

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        self.calls.append(f"{method} {path}")
        if method == "GET":
            return copy.deepcopy(self.thing)
        if self.late:
            self.late -= 1
            raise ApiError(409, "the object has been modified")
        self.thing = body
        return body


def deployment() -> dict[str, Any]:
    labels = {"app": "rook-ceph-osd", "ceph.rook.io/do-not-reconcile": "true"}
    metadata = {"name": "rook-ceph-osd-0", "resourceVersion": "7", "labels": labels}
    return {"metadata": metadata, "spec": {"replicas": 0}}


def test_a_replaced_object_keeps_what_others_marked_it_with() -> None:
    server = Server(deployment())
    wanted = {"metadata": {"name": "rook-ceph-osd-0", "labels": {"app": "rook-ceph-osd"}}, "spec": {"replicas": 1}}
    server.replace("Deployment", "ceph-hdd", wanted)
    assert server.thing["spec"]["replicas"] == 1
    assert server.thing["metadata"]["labels"]["ceph.rook.io/do-not-reconcile"] == "true"
    assert server.thing["metadata"]["resourceVersion"] == "7"
    assert server.calls[-1] == "PUT /apis/apps/v1/namespaces/ceph-hdd/deployments/rook-ceph-osd-0"


def test_a_change_is_made_again_when_somebody_was_faster() -> None:
    server = Server(deployment(), late=2)
    server.merge("Deployment", "ceph-hdd", "rook-ceph-osd-0", {"spec": {"replicas": 3}}, "status")
    assert server.thing["spec"]["replicas"] == 3
    assert server.calls[-1].endswith("/rook-ceph-osd-0/status")
    with pytest.raises(ApiError, match="modified"):
        Server(deployment(), late=9).merge("Deployment", "ceph-hdd", "rook-ceph-osd-0", {"spec": {}})


def test_a_merge_patch_takes_away_what_is_none() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None}, "d": [2]}) == {"a": {"c": 2}, "d": [2]}
