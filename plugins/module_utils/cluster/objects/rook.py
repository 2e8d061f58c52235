# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of the charts of Rook and of its CSI drivers: one operator for all clusters of the site."""

from __future__ import annotations

from typing import Any

from ..artifacts import image
from ..document import SiteFacts
from .common import OPERATOR_NAMESPACE, split_image

_SIDECARS = {
    "cephcsi": "cephcsi",
    "registrar": "csi-node-driver-registrar",
    "provisioner": "csi-provisioner",
    "snapshotter": "csi-snapshotter",
    "attacher": "csi-attacher",
    "resizer": "csi-resizer",
    "csiAddons": "csi-addons-sidecar",
}


def operator_values(site: SiteFacts) -> dict[str, Any]:
    """Values of the chart rook-ceph."""
    csi = bool(site.sections["ceph"].get("csi", True))
    monitored = any(cluster.get("monitoring") for cluster in site.clusters.values())
    values: dict[str, Any] = {
        "image": split_image(image(site.sections, "rook")),
        "crds": {"enabled": True},
        # Two clusters are looked after at once, so that one that waits does not keep the other waiting.
        "reconcileConcurrentClusters": max(1, len(site.clusters)),
        "currentNamespaceOnly": False,
        "priorityClassName": "system-cluster-critical",
        "enableDiscoveryDaemon": False,  # disks are chosen by host_storage, never by what is found
        "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "csi": {"installCsiOperator": True},
        "monitoring": {"enabled": monitored},
    }
    if csi:
        values["csi"].update({key: split_image(image(site.sections, name)) for key, name in _SIDECARS.items()})
        manager = {"image": split_image(image(site.sections, "ceph-csi-operator"))}
        values["ceph-csi-operator"] = {"controllerManager": {"manager": manager}}
    else:
        # Its definitions all the same: Rook makes no monitor where it cannot write a CephConnection.
        values["ceph-csi-operator"] = {"controllerManager": {"replicas": 0}}
    return values


def csi_values(site: SiteFacts) -> dict[str, Any]:
    """Values of the chart ceph-csi-drivers; a driver's name begins with the operator's namespace."""
    filesystems = any(cluster.get("filesystems") for cluster in site.clusters.values())
    drivers: dict[str, Any] = {
        kind: {"enabled": enabled, "name": f"{OPERATOR_NAMESPACE}.{kind}.csi.ceph.com"}
        for kind, enabled in (("rbd", True), ("cephfs", filesystems), ("nfs", False), ("nvmeof", False))
    }
    return {
        "operatorConfig": {
            "namespace": OPERATOR_NAMESPACE,
            "driverSpecDefaults": {
                "imageSet": {"name": "rook-csi-operator-image-set-configmap"},
                "nodePlugin": {"priorityClassName": "system-node-critical"},
                "controllerPlugin": {
                    "priorityClassName": "system-cluster-critical",
                    "replicas": min(2, len(site.nodes)),
                },
            },
        },
        "drivers": drivers,
    }
