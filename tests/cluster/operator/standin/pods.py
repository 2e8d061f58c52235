# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pods of all daemons share: configuration, keys, placement, and the Deployment around them."""

from __future__ import annotations

from typing import Any

from .words import CEPH_VERSION, CONFIG_OVERRIDE, CONFIG_SECRET, HOSTNAME, ROOK_VERSION, Object, owned

KEYRING = "/etc/ceph/keyring-store/keyring"
# The build that the image carries has a relative path here, which is nowhere in a container.
CLASS_DIR = "--osd-class-dir=/usr/lib/x86_64-linux-gnu/rados-classes"


def log_flags() -> list[str]:
    """Logs go where kubectl reads them."""
    return [
        "--default-log-to-stderr=true",
        "--default-err-to-stderr=true",
        "--default-mon-cluster-log-to-stderr=true",
        "--default-log-stderr-prefix=debug ",
        "--default-log-to-file=false",
        "--default-mon-cluster-log-to-file=false",
    ]


def daemon_flags(fsid: str, identity: str) -> list[str]:
    """Flags of mon, mgr and radosgw."""
    return [
        f"--fsid={fsid}",
        f"--keyring={KEYRING}",
        *log_flags(),
        "--mon-host=$(ROOK_CEPH_MON_HOST)",
        "--mon-initial-members=$(ROOK_CEPH_MON_INITIAL_MEMBERS)",
        f"--id={identity}",
        "--setuser=ceph",
        "--setgroup=ceph",
        "--foreground",
    ]


def env_secret(name: str, secret: str, key: str) -> Object:
    """An environment variable from a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def env_field(name: str, path: str) -> Object:
    """An environment variable from the pod's own description."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def daemon_env(image: str) -> list[Object]:
    """The environment that every daemon gets."""
    resources = [
        {"name": f"POD_MEMORY_{kind.upper()}", "valueFrom": {"resourceFieldRef": {"resource": f"{kind}s.memory"}}}
        for kind in ("limit", "request")
    ]
    return [
        {"name": "CONTAINER_IMAGE", "value": image},
        env_field("POD_NAME", "metadata.name"),
        env_field("POD_NAMESPACE", "metadata.namespace"),
        env_field("NODE_NAME", "spec.nodeName"),
        *resources,
        env_secret("ROOK_CEPH_MON_HOST", CONFIG_SECRET, "mon_host"),
        env_secret("ROOK_CEPH_MON_INITIAL_MEMBERS", CONFIG_SECRET, "mon_initial_members"),
    ]


def config_volume() -> tuple[Object, Object]:
    """The site's overrides as /etc/ceph/ceph.conf: volume and mount."""
    items = [{"key": "config", "path": "ceph.conf", "mode": 0o444}]
    sources = [{"configMap": {"name": CONFIG_OVERRIDE, "items": items}}]
    return (
        {"name": CONFIG_OVERRIDE, "projected": {"sources": sources}},
        {"name": CONFIG_OVERRIDE, "mountPath": "/etc/ceph", "readOnly": True},
    )


def keyring_volume(secret: str) -> tuple[Object, Object]:
    """A daemon's key: volume and mount."""
    return (
        {"name": "keyring-store", "secret": {"secretName": secret}},
        {"name": "keyring-store", "mountPath": "/etc/ceph/keyring-store", "readOnly": True},
    )


def merged_placement(spec: Object, *names: str) -> Object:
    """``placement.all`` with the more special ones laid over it: tolerations add up, the rest is replaced."""
    placements = spec.get("placement") or {}
    return lay_over(*((placements.get(name) or {}) for name in ("all", *names)))


def lay_over(*placements: Object) -> Object:
    """Placements from the most general to the most special."""
    merged: Object = {}
    for placement in placements:
        tolerations = [*merged.get("tolerations", []), *(placement.get("tolerations") or [])]
        merged = {**merged, **placement}
        if tolerations:
            merged["tolerations"] = tolerations
    return merged


def place(pod: Object, placement: Object) -> Object:
    """The pod with a placement applied."""
    names = ("nodeAffinity", "podAffinity", "podAntiAffinity")
    affinity = {**(pod.get("affinity") or {}), **{key: placement[key] for key in names if placement.get(key)}}
    placed = dict(pod)
    if affinity:
        placed["affinity"] = affinity
    if placement.get("tolerations"):
        placed["tolerations"] = [*pod.get("tolerations", []), *placement["tolerations"]]
    if placement.get("topologySpreadConstraints"):
        placed["topologySpreadConstraints"] = placement["topologySpreadConstraints"]
    return placed


def on_host(pod: Object, host: str) -> Object:
    """The pod bound to one node."""
    return {**pod, "nodeSelector": {HOSTNAME: host}}


def resources(spec: Object, *names: str) -> Object:
    """The resources of the first of these names that the cluster describes."""
    described = spec.get("resources") or {}
    return next((described[name] for name in names if described.get(name)), {})


def priority(spec: Object, name: str) -> Object:
    """The pod's priority class, if the cluster names one."""
    classes = spec.get("priorityClassNames") or {}
    found = classes.get(name) or classes.get("all")
    return {"priorityClassName": found} if found else {}


def container(name: str, image: str, command: list[str], **more: Any) -> Object:
    """A container; its image is never asked for where it is there already."""
    made = {"name": name, "image": image, "imagePullPolicy": "IfNotPresent", "command": command, **more}
    return {key: value for key, value in made.items() if value not in ({}, [], None)}


PRIVILEGED = {"privileged": True, "runAsUser": 0, "readOnlyRootFilesystem": False}


def deployment(
    cluster: Object, name: str, labels: dict[str, str], selector: dict[str, str], pod: Object, namespace: str
) -> Object:
    """One daemon: one replica, the old pod gone before a new one starts."""
    versions = {"rook-version": ROOK_VERSION, "ceph-version": CEPH_VERSION}
    made = {
        "metadata": {"name": name, "namespace": namespace, "labels": {**labels, **versions}},
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Always", **pod}},
        },
    }
    return owned(made, cluster)
