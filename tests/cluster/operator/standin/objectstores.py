# SPDX-License-Identifier: GPL-3.0-or-later
"""Object stores: their pools, realm and gateways; and users of a store."""

from __future__ import annotations

from . import pods, pools
from .api import Api
from .ceph import Ceph, CephError
from .words import Object, daemon_labels, labels_of, name_of, owned

APP = "rook-ceph-rgw"
_PORT = 8080
_GENERATION = "barestore.storage/store-generation"
_METADATA = ("rgw.control", "rgw.meta", "rgw.log", "rgw.buckets.index", "rgw.buckets.non-ec", "rgw.otp")


def endpoint(store: Object) -> str:
    """Where the store answers inside the cluster."""
    port = int(store["spec"]["gateway"].get("port") or 80)
    return f"http://{host(name_of(store), store['metadata']['namespace'])}:{port}"


def host(store: str, namespace: str) -> str:
    """The name of a store's Service."""
    return f"{APP}-{store}.{namespace}.svc"


def store(api: Api, thing: Object, cluster: Object, ceph: Ceph) -> Object:
    """The pools, the realm, and gateways behind one Service; Ready when a gateway is available."""
    name, namespace = name_of(thing), thing["metadata"]["namespace"]
    spec = thing["spec"]
    if spec.get("sharedPools") or (spec.get("zone") or {}).get("name"):
        message = "the stand-in operator knows stores with pools of their own only: no sharedPools, no zone"
        return {"phase": "Failure", "info": {"message": message}}
    found = api.get("Deployment", namespace, f"{APP}-{name}-a") or {}
    made_for = (found.get("metadata", {}).get("annotations") or {}).get(_GENERATION)
    if made_for != str(thing["metadata"]["generation"]):
        _make(api, thing, cluster, ceph)
    phase = "Ready" if (found.get("status") or {}).get("availableReplicas") else "Progressing"
    return {"phase": phase, "info": {"endpoint": endpoint(thing)}}


def _make(api: Api, thing: Object, cluster: Object, ceph: Ceph) -> None:
    """Everything in Ceph first; the Deployment comes last and says up to which description it was made."""
    name, namespace = name_of(thing), thing["metadata"]["namespace"]
    _pools(ceph, name, thing["spec"])
    _realm(ceph, name)
    key = ceph.text("auth", "get-or-create-key", _user(name), "osd", "allow rwx", "mon", "allow rw")
    keyring = f"[{_user(name)}]\n\tkey = {key}\n"
    metadata = {"name": f"{APP}-{name}-a-keyring", "namespace": namespace}
    secret = {"metadata": metadata, "type": "kubernetes.io/rook", "stringData": {"keyring": keyring}}
    api.ensure("Secret", namespace, owned(secret, thing))
    api.ensure("Service", namespace, service(thing))
    made = deployment(thing, cluster, ceph.text("fsid"))
    made["metadata"]["annotations"] = {_GENERATION: str(thing["metadata"]["generation"])}
    api.replace("Deployment", namespace, made)


def _user(store_name: str) -> str:
    return f"client.{store_name.replace('-', '.')}.a"


def _pools(ceph: Ceph, name: str, spec: Object) -> None:
    metadata, data = spec.get("metadataPool") or {}, spec.get("dataPool") or {}
    there = {pool["poolname"] for pool in ceph.json("osd", "lspools")}
    for pool in (".rgw.root", *(f"{name}.{part}" for part in _METADATA)):
        if pool not in there:
            pools.make(ceph, pool, metadata, "rook-ceph-rgw", 8)
    if f"{name}.rgw.buckets.data" not in there:
        pools.make(ceph, f"{name}.rgw.buckets.data", data, "rook-ceph-rgw")


def _realm(ceph: Ceph, name: str) -> None:
    """Realm, zone group and zone have the store's name."""
    where = [f"--rgw-realm={name}", f"--rgw-zonegroup={name}", f"--rgw-zone={name}"]
    made = False
    for what, number in (("realm", 1), ("zonegroup", 2), ("zone", 3)):
        try:
            ceph.rgw(what, "get", *where[:number])
        except CephError:
            ceph.rgw(what, "create", *where[:number], *(["--master"] if number > 1 else []))
            made = True
    if made:
        ceph.rgw("period", "update", "--commit", *where)


def service(thing: Object) -> Object:
    """The store's address."""
    name, namespace = name_of(thing), thing["metadata"]["namespace"]
    labels = {"app": APP, "rgw": name, "rook_cluster": namespace, "rook_object_store": name}
    port = int(thing["spec"]["gateway"].get("port") or 80)
    spec = {"selector": labels, "ports": [{"name": "http", "port": port, "targetPort": _PORT, "protocol": "TCP"}]}
    return owned({"metadata": {"name": f"{APP}-{name}", "namespace": namespace, "labels": labels}, "spec": spec}, thing)


def deployment(thing: Object, cluster: Object, fsid: str) -> Object:
    """The gateways. Like Rook's, they have no liveness probe: a busy gateway must not be killed."""
    name, namespace = name_of(thing), thing["metadata"]["namespace"]
    gateway = thing["spec"]["gateway"]
    image = cluster["spec"]["cephVersion"]["image"]
    conf, conf_mount = pods.config_volume()
    keys, keys_mount = pods.keyring_volume(f"{APP}-{name}-a-keyring")
    user = _user(name)
    flags = [flag for flag in pods.daemon_flags(fsid, user) if not flag.startswith("--id=")]
    settings = {key.replace("_", "-"): value for key, value in (gateway.get("rgwConfig") or {}).items()}
    daemon = pods.container(
        "rgw",
        image,
        ["radosgw"],
        args=[
            *flags,
            f"--name={user}",
            f"--rgw-frontends=beast port={_PORT}",
            f"--rgw-realm={name}",
            f"--rgw-zonegroup={name}",
            f"--rgw-zone={name}",
            *(f"--{key}={value}" for key, value in settings.items()),
        ],
        env=pods.daemon_env(image),
        volumeMounts=[conf_mount, keys_mount, {"name": "data", "mountPath": f"/var/lib/ceph/rgw/ceph-{name}"}],
        resources=gateway.get("resources") or {},
        readinessProbe={"tcpSocket": {"port": _PORT}, "periodSeconds": 2, "failureThreshold": 3},
        securityContext={"runAsUser": 0},
    )
    pod: Object = {
        "serviceAccountName": APP,
        "containers": [daemon],
        "volumes": [conf, keys, {"name": "data", "emptyDir": {}}],
    }
    if gateway.get("priorityClassName"):
        pod["priorityClassName"] = gateway["priorityClassName"]
    pod = pods.place(pod, pods.lay_over(pods.merged_placement(cluster["spec"]), gateway.get("placement") or {}))
    selector = {"app": APP, "rgw": name, "rook_cluster": namespace, "rook_object_store": name}
    labels = {**daemon_labels(APP, namespace, "rgw", name), **selector, "ceph_daemon_id": name}
    made = pods.deployment(thing, f"{APP}-{name}-a", labels, selector, pod, namespace)
    made["spec"]["replicas"] = int(gateway.get("instances") or 1)
    made["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    return made


def user(api: Api, thing: Object, cluster: Object, ceph: Ceph) -> Object:
    """A user of a store, with keys in a Secret."""
    name, namespace, spec = name_of(thing), thing["metadata"]["namespace"], thing["spec"]
    found = api.get("CephObjectStore", namespace, spec["store"])
    if found is None or (found.get("status") or {}).get("phase") != "Ready":
        return {"phase": "Progressing"}
    keys = ensure_user(ceph, spec["store"], name, spec.get("displayName") or name)
    secret_name = f"rook-ceph-object-user-{spec['store']}-{name}"
    told = {"AccessKey": keys["access_key"], "SecretKey": keys["secret_key"], "Endpoint": endpoint(found)}
    labels = {"app": APP, "user": name, "rook_cluster": namespace, "rook_object_store": spec["store"]}
    metadata = {"name": secret_name, "namespace": namespace, "labels": {**labels, **labels_of(thing)}}
    secret = {"metadata": metadata, "type": "kubernetes.io/rook", "stringData": told}
    api.replace("Secret", namespace, owned(secret, thing))
    return {"phase": "Ready", "info": {"secretName": secret_name}}


def ensure_user(ceph: Ceph, store_name: str, name: str, display: str) -> dict[str, str]:
    """The user's first key; the user is made if there is none."""
    where = [f"--rgw-realm={store_name}", f"--rgw-zonegroup={store_name}", f"--rgw-zone={store_name}", f"--uid={name}"]
    try:
        told = ceph.rgw("user", "info", *where)
    except CephError:
        told = ceph.rgw("user", "create", *where, f"--display-name={display}")
    found: dict[str, str] = told["keys"][0]
    return found
