# SPDX-License-Identifier: GPL-3.0-or-later
"""OSDs on claims: the Job that prepares a device, and the Deployment that runs what it made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from . import pods
from .devicesets import data_annotations
from .words import (
    CONFIG_SECRET,
    DEVICE_SET,
    HOSTNAME,
    MON_ENDPOINTS,
    MON_SECRET,
    OSD_CLAIM,
    OSD_ID,
    ROOK_VERSION,
    Object,
    daemon_labels,
    labels_of,
    owned,
)

APP = "rook-ceph-osd"
PREPARE = "rook-ceph-osd-prepare"
STATUS_LABELS = f"app={APP},status=provisioning"

# What a slow or fast set changes, as Rook tunes them.
_SLOW = ("--osd-recovery-sleep=0.1", "--osd-snap-trim-sleep=2", "--osd-delete-sleep=2")
_FAST = ("--osd-recovery-sleep=0", "--osd-snap-trim-sleep=0", "--osd-delete-sleep=0")


@dataclass(frozen=True)
class Osd:
    """An OSD as its device says it: what a Deployment needs besides the cluster's description."""

    number: int
    uuid: str
    claim: str
    host: str
    location: str  # root=default host=h1 rack=rack1
    affinity: str  # topology.rook.io/rack=rack1
    device_class: str

    @classmethod
    def from_report(cls, report: Mapping[str, object], claim: str) -> Osd:
        """From what the prepare Job wrote."""
        return cls(
            int(str(report["id"])),
            str(report["uuid"]),
            claim,
            str(report["nodeName"]),
            str(report["location"]),
            str(report.get("topologyAffinity", "")),
            str(report.get("device-class", "")),
        )

    @classmethod
    def from_deployment(cls, found: Object) -> Osd:
        """From the Deployment that runs it."""
        pod = found["spec"]["template"]["spec"]
        container = pod["containers"][0]
        env = {entry["name"]: entry.get("value", "") for entry in container["env"]}
        given = "--crush-location="
        location = next(arg.removeprefix(given) for arg in container["args"] if arg.startswith(given))
        labels = labels_of(found)
        host = (pod.get("nodeSelector") or {}).get(HOSTNAME, "")
        return cls(
            int(labels[OSD_ID]),
            env["ROOK_OSD_UUID"],
            labels[OSD_CLAIM],
            host,
            location,
            env.get("ROOK_TOPOLOGY_AFFINITY", ""),
            env.get("ROOK_OSD_CRUSH_DEVICE_CLASS", ""),
        )


def prepare_name(claim: str) -> str:
    """The name of the Job that prepares a claim's device."""
    return f"{PREPARE}-{claim}"


def status_name(claim: str) -> str:
    """The name of the ConfigMap by which that Job answers."""
    return f"{APP}-{claim}-status"


def status_map(claim: str, status: Object, cluster: Object) -> Object:
    """That ConfigMap."""
    namespace = cluster["metadata"]["namespace"]
    labels = {"app": APP, "status": "provisioning", "node": claim}
    metadata = {"name": status_name(claim), "namespace": namespace, "labels": labels}
    return owned({"metadata": metadata, "data": {"status": json.dumps(status)}}, cluster)


def prepare_job(claim: str, device_set: Object, cluster: Object, operator_image: str) -> Object:
    """The Job that makes an OSD on the claim's device, on the node where the scheduler binds the claim."""
    spec = cluster["spec"]
    namespace = cluster["metadata"]["namespace"]
    labels = {OSD_CLAIM: claim, DEVICE_SET: device_set["name"]}
    told = data_annotations(device_set)
    env = [
        {"name": "CONTAINER_IMAGE", "value": spec["cephVersion"]["image"]},
        {"name": "ROOK_PVC_NAME", "value": claim},
        {"name": "ROOK_PVC_BACKED_OSD", "value": "true"},
        {"name": "ROOK_OSD_PORTABLE", "value": str(bool(device_set.get("portable"))).lower()},
        {"name": "ROOK_OSD_CRUSH_DEVICE_CLASS", "value": told["class"]},
        {"name": "ROOK_OSD_CRUSH_INITIAL_WEIGHT", "value": told["weight"]},
        pods.env_field("POD_NAMESPACE", "metadata.namespace"),
        pods.env_field("ROOK_NODE_NAME", "spec.nodeName"),
        pods.env_secret("ROOK_FSID", MON_SECRET, "fsid"),
        pods.env_secret("ROOK_CEPH_MON_HOST", CONFIG_SECRET, "mon_host"),
        {"name": "ROOK_MON_ENDPOINTS", "valueFrom": {"configMapKeyRef": {"name": MON_ENDPOINTS, "key": "data"}}},
    ]
    # Rook copies its program into the Ceph image; here the operator's image has both.
    container = pods.container(
        "provision",
        operator_image,
        ["rook"],
        args=["ceph", "osd", "provision"],
        env=env,
        volumeDevices=[{"name": claim, "devicePath": f"/mnt/{claim}"}],
        volumeMounts=[{"name": "ceph-admin-secret", "mountPath": "/var/lib/rook-ceph-mon", "readOnly": True}],
        resources=pods.resources(spec, "prepareosd"),
        securityContext=pods.PRIVILEGED,
    )
    items = [{"key": "ceph-secret", "path": "secret.keyring"}]
    pod: Object = {
        "restartPolicy": "OnFailure",
        "serviceAccountName": APP,
        "containers": [container],
        "volumes": [
            {"name": claim, "persistentVolumeClaim": {"claimName": claim}},
            {"name": "ceph-admin-secret", "secret": {"secretName": MON_SECRET, "items": items}},
        ],
        **pods.priority(spec, "osd"),
    }
    if not (spec.get("storage") or {}).get("onlyApplyOSDPlacement"):
        pod = pods.place(pod, pods.merged_placement(spec))
    pod = pods.place(pod, device_set.get("preparePlacement") or device_set.get("placement") or {})
    pod_labels = {"app": PREPARE, "rook_cluster": namespace, "ceph.rook.io/deviceClass": told["class"], **labels}
    job_labels = {"app": PREPARE, "rook_cluster": namespace, "rook-version": ROOK_VERSION, **labels}
    made = {
        "metadata": {"name": prepare_name(claim), "namespace": namespace, "labels": job_labels},
        "spec": {"template": {"metadata": {"labels": pod_labels}, "spec": pod}},
    }
    return owned(made, cluster)


# The device's node is copied to a folder of the host, so that the file locks of two pods with one OSD meet. A node
# that was copied before a restart may name another device by now.
_MAP = r"""
set -o errexit -o nounset
to=/var/lib/ceph/osd/ceph-$ROOK_OSD_ID/block
if [ -b "$to" ] && [ "$(stat -c %t:%T "$DEVICE")" = "$(stat -c %t:%T "$to")" ]; then exit 0; fi
cp --archive --dereference --remove-destination "$DEVICE" "$to"
"""

_ACTIVATE = r"""
set -o errexit -o nounset -o pipefail
data=/var/lib/ceph/osd/ceph-$ROOK_OSD_ID
ceph-bluestore-tool prime-osd-dir --dev "$data/block" --path "$data" --no-mon-config
ceph-bluestore-tool bluefs-bdev-expand --path "$data"
if ceph --name client.admin --keyring /etc/ceph/admin-keyring-store/keyring --connect-timeout 60 auth get-or-create \
    "osd.$ROOK_OSD_ID" mon 'allow profile osd' mgr 'allow profile osd' osd 'allow *' >/tmp/keyring; then
    mv /tmp/keyring "$data/keyring"
else
    echo "the cluster gave no key for osd.$ROOK_OSD_ID: it starts with the one on its disk" >&2
fi
chown -R ceph:ceph "$data"
"""


def deployment(osd: Osd, device_set: Object, cluster: Object, fsid: str) -> Object:
    """The Deployment of an OSD, with all labels that Rook gives it."""
    spec = cluster["spec"]
    namespace = cluster["metadata"]["namespace"]
    image = spec["cephVersion"]["image"]
    number = str(osd.number)
    data = f"/var/lib/ceph/osd/ceph-{number}"
    portable = bool(device_set.get("portable"))
    conf, conf_mount = pods.config_volume()
    bridge = {"name": f"{osd.claim}-bridge", "mountPath": data}
    env = [
        *pods.daemon_env(image),
        {"name": "ROOK_OSD_ID", "value": number},
        {"name": "ROOK_OSD_UUID", "value": osd.uuid},
        {"name": "ROOK_PVC_BACKED_OSD", "value": "true"},
        {"name": "ROOK_CV_MODE", "value": "raw"},
        {"name": "ROOK_BLOCK_PATH", "value": f"/mnt/{osd.claim}"},
        {"name": "ROOK_OSD_CRUSH_DEVICE_CLASS", "value": osd.device_class},
        {"name": "ROOK_OSD_PVC_SIZE", "value": _size(device_set)},
        {"name": "CEPH_ARGS", "value": "-m $(ROOK_CEPH_MON_HOST)"},
        pods.env_field("ROOK_POD_IP", "status.podIP"),
    ]
    if portable:
        env.append({"name": "ROOK_TOPOLOGY_AFFINITY", "value": osd.affinity})
    few = [entry for entry in env if entry["name"] in ("ROOK_OSD_ID", "ROOK_CEPH_MON_HOST", "CEPH_ARGS")]
    weight = data_annotations(device_set)["weight"]
    args = [
        "--foreground",
        "--id",
        number,
        "--fsid",
        fsid,
        "--setuser",
        "ceph",
        "--setgroup",
        "ceph",
        f"--crush-location={osd.location}",
        *([f"--osd-crush-initial-weight={weight}"] if weight else []),
        *(_SLOW if device_set.get("tuneDeviceClass") else _FAST if device_set.get("tuneFastDeviceClass") else ()),
        pods.CLASS_DIR,
        *pods.log_flags(),
    ]
    resources = device_set.get("resources") or pods.resources(spec, f"osd-{osd.device_class}", "osd")
    keys = {"name": "admin-keyring", "mountPath": "/etc/ceph/admin-keyring-store", "readOnly": True}
    inits = [
        pods.container(
            "blkdevmapper",
            image,
            ["/bin/bash", "-c", _MAP],
            env=[*few, {"name": "DEVICE", "value": f"/{osd.claim}"}],
            volumeDevices=[{"name": osd.claim, "devicePath": f"/{osd.claim}"}],
            volumeMounts=[bridge],
            securityContext=pods.PRIVILEGED,
        ),
        pods.container(
            "activate",
            image,
            ["/bin/bash", "-c", _ACTIVATE],
            env=few,
            volumeMounts=[bridge, conf_mount, keys],
            securityContext=pods.PRIVILEGED,
        ),
    ]
    daemon = pods.container(
        "osd",
        image,
        ["ceph-osd"],
        args=args,
        env=env,
        volumeMounts=[bridge, conf_mount],
        resources=resources,
        securityContext=pods.PRIVILEGED,
    )
    path = f"{spec.get('dataDirHostPath') or '/var/lib/rook'}/{namespace}/{osd.claim}"
    pod: Object = {
        "serviceAccountName": APP,
        "initContainers": inits,
        "containers": [daemon],
        "volumes": [
            conf,
            {"name": osd.claim, "persistentVolumeClaim": {"claimName": osd.claim}},
            {"name": f"{osd.claim}-bridge", "hostPath": {"path": path, "type": "DirectoryOrCreate"}},
            {"name": "admin-keyring", "secret": {"secretName": "rook-ceph-admin-keyring"}},
        ],
        **pods.priority(spec, "osd"),
    }
    if not (spec.get("storage") or {}).get("onlyApplyOSDPlacement"):
        pod = pods.place(pod, pods.merged_placement(spec))
    pod = pods.place(pod, device_set.get("placement") or {})
    pod = _near(pod, osd.affinity) if portable else pods.on_host(pod, osd.host)
    labels = {
        **daemon_labels(APP, namespace, "osd", number),
        OSD_ID: number,
        "failure-domain": osd.claim if portable else osd.host,
        "portable": str(portable).lower(),
        "device-class": osd.device_class,
        "osd-store": "bluestore",
        "encrypted": "false",
        OSD_CLAIM: osd.claim,
        DEVICE_SET: device_set["name"],
        **{f"topology-location-{part.split('=')[0]}": part.split("=")[1] for part in osd.location.split(" ")},
    }
    selector = {"app": APP, "rook_cluster": namespace, OSD_ID: number}
    return pods.deployment(cluster, f"{APP}-{number}", labels, selector, pod, namespace)


def _size(device_set: Object) -> str:
    template = device_set["volumeClaimTemplates"][0]["spec"]
    return str(((template.get("resources") or {}).get("requests") or {}).get("storage", ""))


def _near(pod: Object, affinity: str) -> Object:
    """A portable OSD stays where its device can follow."""
    if "=" not in affinity:
        return pod
    key, value = affinity.split("=", 1)
    term = {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return pods.place(pod, {"nodeAffinity": required})
