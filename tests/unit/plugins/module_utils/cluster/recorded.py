# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Ceph 20.2.4 answered (nine OSDs of 2 GiB in three racks, see recordings/), with Kubernetes objects around it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.cluster import reading, state

FOLDER = Path(__file__).parent / "recordings"
NAME = "ceph-hdd"


def answers(name: str) -> dict[str, Any]:
    """The answers by question; draining.json has fewer: it was sampled each half second."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def cluster(name: str, count: int = 9, **more: Any) -> state.Cluster:
    """A recorded Ceph whose OSDs 0 to 8 run on claims of one device set."""
    told = {**answers("drained"), **answers(name)}
    objects = [custom(count), *(one for number in range(9) for one in of_osd(number))]
    return reading.cluster({"kubernetes": [*objects, *more.get("objects", ())], "ceph": told}, NAME)


def custom(count: int) -> dict[str, Any]:
    claim = {"storageClassName": "local-storage", "resources": {"requests": {"storage": "1Gi"}}}
    sets = [{"name": "hdd", "count": count, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}]}]
    return {
        "kind": "CephCluster",
        "metadata": {"name": NAME, "generation": 2},
        "spec": {"storage": {"storageClassDeviceSets": sets}},
        "status": {"phase": "Ready", "observedGeneration": 2},
    }


def of_osd(number: int) -> list[dict[str, Any]]:
    claim = f"hdd-data-{number}abcde"
    labels = {state.SET_LABEL: "hdd", state.INDEX_LABEL: str(number), state.OWNED_LABEL: claim}
    return [
        {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim, "namespace": NAME, "labels": labels},
            "spec": {"volumeName": f"local-{number}"},
            "status": {"phase": "Bound"},
        },
        {
            "kind": "Deployment",
            "metadata": {
                "name": f"rook-ceph-osd-{number}",
                "namespace": NAME,
                "labels": {"ceph-osd-id": str(number), state.CLAIM_LABEL: claim},
            },
            "spec": {"replicas": 1, "strategy": {"type": "Recreate"}},
            "status": {"availableReplicas": 1},
        },
    ]
