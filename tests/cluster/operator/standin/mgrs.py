# SPDX-License-Identifier: GPL-3.0-or-later
"""Managers: their keys, Deployments and Service."""

from __future__ import annotations

from . import pods
from .api import Api
from .ceph import Ceph
from .words import Object, daemon_labels, owned

APP = "rook-ceph-mgr"


def start(api: Api, cluster: Object, ceph: Ceph, fsid: str) -> None:
    """One manager, or as many as the cluster asks for."""
    namespace = cluster["metadata"]["namespace"]
    told = cluster["spec"].get("mgr") or {}
    for name in "abcde"[: int(told.get("count") or 1)]:
        if api.get("Secret", namespace, f"{APP}-{name}-keyring") is None:
            caps = ("mon", "allow profile mgr", "mds", "allow *", "osd", "allow *")
            key = ceph.text("auth", "get-or-create-key", f"mgr.{name}", *caps)
            keyring = f"[mgr.{name}]\n\tkey = {key}\n"
            metadata = {"name": f"{APP}-{name}-keyring", "namespace": namespace}
            secret = {"metadata": metadata, "type": "kubernetes.io/rook", "stringData": {"keyring": keyring}}
            api.create("Secret", namespace, owned(secret, cluster))
        api.replace("Deployment", namespace, deployment(name, cluster, fsid))
    api.ensure("Service", namespace, service(cluster))
    wanted = {module["name"]: bool(module.get("enabled")) for module in told.get("modules") or []}
    if not (cluster["spec"].get("monitoring") or {}).get("metricsDisabled"):
        wanted["prometheus"] = True
    if not wanted:
        return
    there = ceph.json("mgr", "dump")
    running = {*there["modules"], *there["always_on_modules"].get("tentacle", [])}
    for module, enabled in wanted.items():
        if enabled != (module in running):
            ceph.text("mgr", "module", "enable" if enabled else "disable", module, "--force")


def service(cluster: Object) -> Object:
    """Where the active manager's metrics are."""
    namespace = cluster["metadata"]["namespace"]
    labels = {"app": APP, "rook_cluster": namespace}
    spec = {"selector": labels, "ports": [{"name": "http-metrics", "port": 9283, "targetPort": 9283}]}
    return owned({"metadata": {"name": APP, "namespace": namespace, "labels": labels}, "spec": spec}, cluster)


def deployment(name: str, cluster: Object, fsid: str) -> Object:
    """A manager's Deployment."""
    spec, namespace = cluster["spec"], cluster["metadata"]["namespace"]
    image = spec["cephVersion"]["image"]
    conf, conf_mount = pods.config_volume()
    keys, keys_mount = pods.keyring_volume(f"{APP}-{name}-keyring")
    daemon = pods.container(
        "mgr",
        image,
        ["ceph-mgr"],
        args=[*pods.daemon_flags(fsid, name)],
        env=[*pods.daemon_env(image), pods.env_field("ROOK_POD_IP", "status.podIP")],
        ports=[{"name": "mgr", "containerPort": 6800}, {"name": "http-metrics", "containerPort": 9283}],
        volumeMounts=[conf_mount, keys_mount, {"name": "data", "mountPath": f"/var/lib/ceph/mgr/ceph-{name}"}],
        resources=pods.resources(spec, "mgr"),
        securityContext={"runAsUser": 0},
    )
    pod = {
        "serviceAccountName": APP,
        "containers": [daemon],
        "volumes": [conf, keys, {"name": "data", "emptyDir": {}}],
        **pods.priority(spec, "mgr"),
    }
    pod = pods.place(pod, pods.merged_placement(spec, "mgr"))
    labels = daemon_labels(APP, namespace, "mgr", name)
    selector = daemon_labels(APP, namespace, "mgr", name, selector=True)
    return pods.deployment(cluster, f"{APP}-{name}", labels, selector, pod, namespace)
