# SPDX-License-Identifier: GPL-3.0-or-later
"""Monitors: names, addresses, places, and the objects that run them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import pods
from .topology import rack_of
from .words import CONFIG_SECRET, HOSTNAME, MON_ENDPOINTS, Object, daemon_labels, labels_of, name_of, owned

APP = "rook-ceph-mon"
V1, V2 = 6789, 3300


@dataclass(frozen=True)
class Mons:
    """The monitors of one cluster: address by name, node by name (where one was chosen), the highest number given."""

    addresses: Mapping[str, str]
    nodes: Mapping[str, Object]
    highest: int

    @property
    def names(self) -> list[str]:
        """The names, in the order that they were given."""
        return sorted(self.addresses, key=lambda name: (len(name), name))

    @property
    def host(self) -> str:
        """``mon_host`` of ceph.conf."""
        return ",".join(f"[v2:{ip}:{V2},v1:{ip}:{V1}]" for ip in (self.addresses[name] for name in self.names))


def mon_name(number: int) -> str:
    """The name of a number: a to z, then aa."""
    letters = ""
    while number >= 0:
        letters = chr(ord("a") + number % 26) + letters
        number = number // 26 - 1
    return letters


def read(config_map: Object | None) -> Mons:
    """The monitors as the ConfigMap has them; none when there is no ConfigMap yet."""
    data = (config_map or {}).get("data") or {}
    pairs = [entry.split("=", 1) for entry in data.get("data", "").split(",") if "=" in entry]
    mapping = json.loads(data.get("mapping") or '{"node":{}}')["node"]
    return Mons({name: end.rsplit(":", 1)[0] for name, end in pairs}, mapping, int(data.get("maxMonId") or -1))


def endpoints(mons: Mons, cluster: Object, namespace: str) -> Object:
    """The ConfigMap that toolboxes and Jobs find the monitors by."""
    listed = [f"{name}={mons.addresses[name]}:{V1}" for name in mons.names]
    csi = [{"clusterID": namespace, "monitors": [f"{mons.addresses[name]}:{V1}" for name in mons.names]}]
    data = {
        "data": ",".join(listed),
        "mapping": json.dumps({"node": dict(mons.nodes)}, sort_keys=True),
        "maxMonId": str(mons.highest),
        "csi-cluster-config-json": json.dumps(csi),
        "externalMons": "",
        "outOfQuorum": "",
    }
    return owned({"metadata": {"name": MON_ENDPOINTS, "namespace": namespace}, "data": data}, cluster)


def config_secret(mons: Mons, cluster: Object, namespace: str) -> Object:
    """The Secret that daemons read the monitors from."""
    data = {"mon_host": mons.host, "mon_initial_members": ",".join(mons.names)}
    return owned({"metadata": {"name": CONFIG_SECRET, "namespace": namespace}, "stringData": data}, cluster)


def selector(name: str, namespace: str) -> dict[str, str]:
    """What a monitor's pods are found by."""
    return {**daemon_labels(APP, namespace, "mon", name, selector=True), "mon_cluster": namespace}


def service(name: str, cluster: Object, namespace: str) -> Object:
    """A monitor's fixed address."""
    labels = {**daemon_labels(APP, namespace, "mon", name), "mon_cluster": namespace}
    ports = [
        {"name": "tcp-msgr1", "port": V1, "targetPort": V1, "protocol": "TCP"},
        {"name": "tcp-msgr2", "port": V2, "targetPort": V2, "protocol": "TCP"},
    ]
    spec = {"selector": selector(name, namespace), "ports": ports}
    return owned(
        {"metadata": {"name": f"{APP}-{name}", "namespace": namespace, "labels": labels}, "spec": spec}, cluster
    )


def choose_nodes(nodes: Sequence[Object], taken: Mapping[str, Object], wanted: int, multiple: bool) -> list[Object]:
    """Nodes for this many more monitors: the rack with the fewest first, then the node with the fewest.

    Shorter than asked for when ``multiple`` is false and the nodes do not suffice.
    """
    load = {name_of(node): 0 for node in nodes}
    racks = {name_of(node): rack_of(node) for node in nodes}
    for place in taken.values():
        if place.get("Name") in load:
            load[place["Name"]] += 1
    chosen: list[Object] = []
    by_name = {name_of(node): node for node in nodes}
    for _ in range(wanted):
        free = [name for name in load if multiple or not load[name]]
        if not free:
            break
        in_rack = {rack: sum(load[n] for n in load if racks[n] == rack) for rack in set(racks.values())}
        best = min(free, key=lambda name: (in_rack[racks[name]], load[name], name))
        load[best] += 1
        chosen.append(by_name[best])
    return chosen


def schedule(node: Object) -> Object:
    """A monitor's place as the ConfigMap has it."""
    addresses = {entry["type"]: entry["address"] for entry in node.get("status", {}).get("addresses", [])}
    host = labels_of(node).get(HOSTNAME, name_of(node))
    return {"Name": name_of(node), "Hostname": host, "Address": addresses.get("InternalIP", "")}


# The mark says that a process was killed while it made the store; ceph-mon makes none in a folder with anything in it.
_MKFS = r"""
set -o errexit -o nounset -o pipefail
data=/mon/data
if [ -e "$data/store.db" ] && [ ! -e /mon/making ]; then exit 0; fi
touch /mon/making
sync -f /mon
rm -rf "$data"
install -d -o ceph -g ceph "$data"
map=$(mktemp)
monmaptool --create --clobber --fsid "$FSID" --enable-all-features "$map"
for entry in ${MONS//,/ }; do
    address=${entry#*=}
    monmaptool --addv "${entry%%=*}" "[v2:$address:3300,v1:$address:6789]" "$map"
done
chown ceph "$map"
ceph-mon --mkfs --id "$MON" --fsid "$FSID" --keyring "$KEYRING" --mon-data "$data" --monmap "$map" \
    --setuser ceph --setgroup ceph
sync -f /mon
rm /mon/making
"""


def claim(name: str, cluster: Object, namespace: str) -> Object:
    """The claim that a monitor keeps its store on."""
    template = cluster["spec"]["mon"]["volumeClaimTemplate"]["spec"]
    requests = (template.get("resources") or {}).get("requests") or {"storage": "10Gi"}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "volumeMode": "Filesystem",
        "resources": {"requests": requests},
        **({"storageClassName": template["storageClassName"]} if "storageClassName" in template else {}),
    }
    labels = {**daemon_labels(APP, namespace, "mon", name), "mon_cluster": namespace, "pvc_name": f"{APP}-{name}"}
    return owned(
        {"metadata": {"name": f"{APP}-{name}", "namespace": namespace, "labels": labels}, "spec": spec}, cluster
    )


def deployment(name: str, mons: Mons, cluster: Object, namespace: str, fsid: str) -> Object:
    """A monitor's Deployment, on its claim or on the node that was chosen for it."""
    spec = cluster["spec"]
    image = spec["cephVersion"]["image"]
    labels = {**daemon_labels(APP, namespace, "mon", name), "mon_cluster": namespace, "mon_daemon": "true"}
    on_claim = bool(spec["mon"].get("volumeClaimTemplate"))
    data = {"name": "ceph-daemon-data", "mountPath": f"/var/lib/ceph/mon/ceph-{name}", "subPath": "data"}
    conf, conf_mount = pods.config_volume()
    keys, keys_mount = pods.keyring_volume("rook-ceph-mons-keyring")
    volume: Object = {"name": "ceph-daemon-data"}
    if on_claim:
        volume["persistentVolumeClaim"] = {"claimName": f"{APP}-{name}"}
    else:
        # One folder per monitor and not per cluster, as Rook has it: two clusters must not share dataDirHostPath.
        path = f"{spec.get('dataDirHostPath') or '/var/lib/rook'}/mon-{name}"
        volume["hostPath"] = {"path": path, "type": "DirectoryOrCreate"}
    env = pods.daemon_env(image)
    peers = ",".join(f"{peer}={mons.addresses[peer]}" for peer in mons.names)
    settings = {"MON": name, "FSID": fsid, "MONS": peers, "KEYRING": pods.KEYRING}
    mounts = [data, conf_mount, keys_mount]
    mkfs = pods.container(
        "init-mon-fs",
        image,
        ["/bin/bash", "-c", _MKFS],
        env=[{"name": key, "value": value} for key, value in settings.items()],
        volumeMounts=[{"name": "ceph-daemon-data", "mountPath": "/mon"}, conf_mount, keys_mount],
        securityContext={"runAsUser": 0},
    )
    daemon = pods.container(
        "mon",
        image,
        ["ceph-mon"],
        args=[
            *pods.daemon_flags(fsid, name),
            f"--public-addr={mons.addresses[name]}",
            "--public-bind-addr=$(ROOK_POD_IP)",
        ],
        env=[*env, pods.env_field("ROOK_POD_IP", "status.podIP")],
        ports=[{"name": "tcp-msgr2", "containerPort": V2}, {"name": "tcp-msgr1", "containerPort": V1}],
        volumeMounts=mounts,
        resources=pods.resources(spec, "mon"),
        securityContext={"runAsUser": 0},
    )
    pod: Object = {
        "serviceAccountName": "rook-ceph-default",
        "initContainers": [mkfs],
        "containers": [daemon],
        "volumes": [conf, keys, volume],
        **pods.priority(spec, "mon"),
    }
    pod = pods.place(pod, pods.merged_placement(spec, "mon"))
    if on_claim:
        pod = _apart(pod, namespace, spec["mon"].get("allowMultiplePerNode", False))
    else:
        pod = pods.on_host(pod, mons.nodes[name]["Hostname"])
    return pods.deployment(cluster, f"{APP}-{name}", labels, selector(name, namespace), pod, namespace)


def _apart(pod: Object, namespace: str, multiple: bool) -> Object:
    """Two monitors never share a node unless the cluster allows it."""
    if multiple:
        return pod
    term = {"labelSelector": {"matchLabels": {"app": APP, "rook_cluster": namespace}}, "topologyKey": HOSTNAME}
    affinity = dict(pod.get("affinity") or {})
    anti = dict(affinity.get("podAntiAffinity") or {})
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    anti[required] = [*(anti.get(required) or []), term]
    return {**pod, "affinity": {**affinity, "podAntiAffinity": anti}}
