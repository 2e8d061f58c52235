# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems: their pools and metadata servers."""

from __future__ import annotations

from . import pods, pools
from .api import Api
from .ceph import Ceph
from .words import Object, daemon_labels, name_of, owned

APP = "rook-ceph-mds"


def filesystem(api: Api, thing: Object, cluster: Object, ceph: Ceph) -> Object:
    """Pools, the file system, and two metadata servers for each active one; Ready when all run."""
    name, spec = name_of(thing), thing["spec"]
    metadata = f"{name}-metadata"
    data = [(entry.get("name") or f"data{number}", entry) for number, entry in enumerate(spec["dataPools"])]
    there = {entry["name"]: entry for entry in ceph.json("fs", "ls")}
    pools.make(ceph, metadata, spec["metadataPool"], "cephfs")
    for suffix, entry in data:
        pools.make(ceph, f"{name}-{suffix}", entry, "cephfs")
    if name not in there:
        ceph.text("fs", "new", name, metadata, f"{name}-{data[0][0]}", "--force")
    attached = there.get(name, {}).get("data_pools") or [f"{name}-{data[0][0]}"]
    for suffix, _ in data:
        if f"{name}-{suffix}" not in attached:
            ceph.text("fs", "add_data_pool", name, f"{name}-{suffix}")
    active = int((spec.get("metadataServer") or {}).get("activeCount") or 1)
    ceph.text("fs", "set", name, "max_mds", str(active))
    return _servers(api, thing, cluster, ceph, active)


def _servers(api: Api, thing: Object, cluster: Object, ceph: Ceph, active: int) -> Object:
    namespace = thing["metadata"]["namespace"]
    fsid = ceph.text("fsid")
    running = 0
    letters = "abcdefghijklmnop"[: 2 * active]
    for letter in letters:
        identity = f"{name_of(thing)}-{letter}"
        caps = ("mon", "allow profile mds", "osd", "allow *", "mds", "allow")
        key = ceph.text("auth", "get-or-create-key", f"mds.{identity}", *caps)
        metadata = {"name": f"{APP}-{identity}-keyring", "namespace": namespace}
        keyring = {"keyring": f"[mds.{identity}]\n\tkey = {key}\n"}
        secret = {"metadata": metadata, "type": "kubernetes.io/rook", "stringData": keyring}
        api.ensure("Secret", namespace, owned(secret, thing))
        ceph.text("config", "set", f"mds.{identity}", "mds_join_fs", name_of(thing))
        found = api.replace("Deployment", namespace, deployment(thing, cluster, fsid, identity))
        running += int((found.get("status") or {}).get("availableReplicas") or 0)
    return {"phase": "Ready" if running == len(letters) else "Progressing"}


def deployment(thing: Object, cluster: Object, fsid: str, identity: str) -> Object:
    """A metadata server's Deployment."""
    name, namespace = name_of(thing), thing["metadata"]["namespace"]
    server = thing["spec"].get("metadataServer") or {}
    image = cluster["spec"]["cephVersion"]["image"]
    conf, conf_mount = pods.config_volume()
    keys, keys_mount = pods.keyring_volume(f"{APP}-{identity}-keyring")
    daemon = pods.container(
        "mds",
        image,
        ["ceph-mds"],
        args=pods.daemon_flags(fsid, identity),
        env=pods.daemon_env(image),
        volumeMounts=[conf_mount, keys_mount, {"name": "data", "mountPath": f"/var/lib/ceph/mds/ceph-{identity}"}],
        resources=server.get("resources") or {},
        securityContext={"runAsUser": 0},
    )
    pod: Object = {
        "serviceAccountName": "rook-ceph-default",
        "containers": [daemon],
        "volumes": [conf, keys, {"name": "data", "emptyDir": {}}],
    }
    if server.get("priorityClassName"):
        pod["priorityClassName"] = server["priorityClassName"]
    pod = pods.place(pod, pods.lay_over(pods.merged_placement(cluster["spec"]), server.get("placement") or {}))
    more = {"rook_file_system": name}
    labels = {**daemon_labels(APP, namespace, "mds", identity), **more}
    selector = {**daemon_labels(APP, namespace, "mds", identity, selector=True), **more}
    return pods.deployment(thing, f"{APP}-{identity}", labels, selector, pod, namespace)
