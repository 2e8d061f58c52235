# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and labels that Rook gives to what it makes: other programs look for them."""

from __future__ import annotations

from typing import Any

# A Kubernetes object, as JSON has it.
Object = dict[str, Any]

ROOK_VERSION = "v1.20.6"
CEPH_VERSION = "20.2.4-0"
GROUP = "ceph.rook.io/v1"

DEVICE_SET = "ceph.rook.io/DeviceSet"
SET_INDEX = "ceph.rook.io/setIndex"
CLAIM_ID = "ceph.rook.io/DeviceSetPVCId"
OSD_CLAIM = "ceph.rook.io/pvc"
SKIP_RECONCILE = "ceph.rook.io/do-not-reconcile"
OSD_ID = "ceph-osd-id"

MON_SECRET = "rook-ceph-mon"
MON_ENDPOINTS = "rook-ceph-mon-endpoints"
CONFIG_SECRET = "rook-ceph-config"
CONFIG_OVERRIDE = "rook-config-override"
ADMIN_USER = "client.admin"

HOSTNAME = "kubernetes.io/hostname"


def name_of(thing: Object) -> str:
    """The name of an object."""
    return str(thing["metadata"]["name"])


def labels_of(thing: Object) -> dict[str, str]:
    """The labels of an object; empty when it has none."""
    return dict(thing["metadata"].get("labels") or {})


def daemon_labels(app: str, namespace: str, kind: str, identity: str, *, selector: bool = False) -> dict[str, str]:
    """The labels of a daemon's pods; with ``selector`` those that never change between versions."""
    labels = {"app": app, "rook_cluster": namespace}
    if not selector:
        labels["ceph_daemon_type"] = kind
        labels["app.kubernetes.io/name"] = f"ceph-{kind}"
        labels["app.kubernetes.io/instance"] = identity
        labels["app.kubernetes.io/component"] = "cephclusters.ceph.rook.io"
        labels["app.kubernetes.io/part-of"] = namespace
        labels["app.kubernetes.io/managed-by"] = "rook-ceph-operator"
        labels["app.kubernetes.io/created-by"] = "rook-ceph-operator"
        labels["rook.io/operator-namespace"] = "rook-ceph"
    labels["ceph_daemon_id"] = identity
    labels[kind] = identity
    return labels


def owner(thing: Object) -> Object:
    """The owner reference that lets Kubernetes remove what belongs to a removed object."""
    return {
        "apiVersion": thing["apiVersion"],
        "kind": thing["kind"],
        "name": name_of(thing),
        "uid": thing["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owned(thing: Object, by: Object) -> Object:
    """The object with its owner written into it."""
    return {**thing, "metadata": {**thing["metadata"], "ownerReferences": [owner(by)]}}
