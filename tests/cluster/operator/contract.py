# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract test asks and does: its cluster, counts, the purge Job, a look at a disk, an object in a bucket."""

from __future__ import annotations

import json
import os
import textwrap
from typing import Any

import yaml

from tests.cluster.operator.kube import OPERATOR_IMAGE, Kube, rook_manifests

SET = "hdd"
# Rook's own image, where it can be had; the stand-in otherwise.
REAL = os.environ.get("ROOK_IMAGE", "")
CEPH_IMAGE = "quay.io/ceph/ceph:v20.2.4"
# Rook's own ends no pass while a stopped OSD keeps another from being ok-to-stop: Ceph takes it out after 600 s.
PASS_SECONDS = 1200


def ceph_cluster(namespace: str, storage_class: str, mons: int, count: int) -> Any:
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.rook.io/rack",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {
            "matchExpressions": [{"key": "app", "operator": "In", "values": ["rook-ceph-osd", "rook-ceph-osd-prepare"]}]
        },
    }
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "volumeMode": "Block",
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    device_set = {
        "name": SET,
        "count": count,
        "portable": False,
        "preparePlacement": {"topologySpreadConstraints": [spread]},
        "volumeClaimTemplates": [
            {"metadata": {"name": "data", "annotations": {"crushDeviceClass": "hdd"}}, "spec": claim}
        ],
    }
    return {
        "apiVersion": "ceph.rook.io/v1",
        "kind": "CephCluster",
        "metadata": {"name": namespace, "namespace": namespace},
        "spec": {
            "cephVersion": {"image": CEPH_IMAGE},
            "dataDirHostPath": f"/var/lib/rook/{namespace}",
            "mon": {"count": mons, "allowMultiplePerNode": False},
            "mgr": {"count": 1},
            "dashboard": {"enabled": False},
            "crashCollector": {"disable": True},
            "monitoring": {"metricsDisabled": True},
            "storage": {"useAllNodes": False, "storageClassDeviceSets": [device_set]},
        },
    }


def storage_class(k: Kube) -> str:
    return str(
        next(
            volume["spec"]["storageClassName"] for volume in k.list("pv") if volume["spec"].get("volumeMode") == "Block"
        )
    )


def the_cluster(k: Kube) -> Any:
    return k.get("cephcluster", k.namespace)


def is_current(k: Kube) -> bool:
    found = the_cluster(k)
    told = found.get("status") or {}
    return told.get("phase") == "Ready" and told.get("observedGeneration") == found["metadata"]["generation"]


def wait_current(k: Kube) -> None:
    k.wait("phase Ready for the current generation", lambda: is_current(k), PASS_SECONDS)


def set_count(k: Kube, count: int) -> None:
    sets = the_cluster(k)["spec"]["storage"]["storageClassDeviceSets"]
    sets[0]["count"] = count
    k.patch("cephcluster", k.namespace, {"spec": {"storage": {"storageClassDeviceSets": sets}}})


def claims(k: Kube) -> dict[int, Any]:
    """The set's claims by index."""
    found = k.list("pvc", f"ceph.rook.io/DeviceSet={SET}")
    return {int(claim["metadata"]["labels"]["ceph.rook.io/setIndex"]): claim for claim in found}


def deployments(k: Kube) -> dict[int, Any]:
    """The OSDs' Deployments by number."""
    found = k.list("deploy", "app=rook-ceph-osd")
    return {int(one["metadata"]["labels"]["ceph-osd-id"]): one for one in found}


def up(k: Kube) -> set[int]:
    return {int(osd["osd"]) for osd in k.ceph("osd", "dump")["osds"] if osd["up"] and osd["in"]}


def wait_up(k: Kube, count: int) -> None:
    k.wait(f"{count} OSDs up and in", lambda: len(up(k)) == count)


def purge(k: Kube, numbers: str, *extra: Any, force: bool = False) -> Any:
    """Rook's own purge Job for these OSDs, run to its end: its status.

    Without ``force`` it waits for ever where Ceph does not call an OSD safe to destroy.
    """
    job = _purge_job(k, numbers)
    container = job["spec"]["template"]["spec"]["containers"][0]
    container["env"] += extra
    if force:
        container["args"][container["args"].index("--force-osd-removal") + 1] = "true"
    k.call("delete", "job", "rook-ceph-purge-osd", "--ignore-not-found", "--wait")
    k.apply(job)
    done = k.wait("the purge Job's end", lambda: _ended(k.get("job", "rook-ceph-purge-osd")))
    return done["status"]


def _ended(job: Any) -> Any:
    conditions = (job or {}).get("status", {}).get("conditions") or []
    return job if any(entry["type"] in ("Complete", "Failed") for entry in conditions) else None


def _purge_job(k: Kube, numbers: str) -> Any:
    text = (rook_manifests() / "osd-purge.yaml").read_text().replace("<OSD-IDs>", numbers)
    job = yaml.safe_load(text)
    job["metadata"]["namespace"] = k.namespace
    job["spec"]["backoffLimit"] = 0
    job["spec"]["template"]["spec"]["containers"][0]["image"] = REAL or OPERATOR_IMAGE
    return job


def stop(k: Kube, number: int) -> None:
    """Stop an OSD so that the operator leaves it stopped, and wait until Ceph sees it down."""
    k.call("label", "deploy", f"rook-ceph-osd-{number}", "ceph.rook.io/do-not-reconcile=true", "--overwrite")
    k.call("scale", "deploy", f"rook-ceph-osd-{number}", "--replicas=0")
    k.wait(f"no pod of osd.{number}", lambda: not k.list("pod", f"ceph-osd-id={number}"))
    k.toolbox("ceph", "osd", "down", f"osd.{number}")
    k.wait(f"osd.{number} down", lambda: number not in up(k))


def first_bytes(k: Kube, volume: str) -> str:
    """What a volume's disk starts with, read by a pod on its node."""
    spec = k.get("pv", volume)["spec"]
    node = spec["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]["values"][0]
    path = spec["local"]["path"]
    container = {
        "name": "read",
        "image": CEPH_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["chroot", "/host", "head", "--bytes=22", path],
        "securityContext": {"privileged": True, "runAsUser": 0},
        "volumeMounts": [{"name": "host", "mountPath": "/host"}],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "read-disk", "namespace": k.namespace},
        "spec": {
            "restartPolicy": "Never",
            "nodeSelector": {"kubernetes.io/hostname": node},
            "tolerations": [{"operator": "Exists"}],
            "containers": [container],
            "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
        },
    }
    k.apply(pod)
    k.wait("the disk's first bytes", lambda: k.get("pod", "read-disk")["status"]["phase"] == "Succeeded", 120)
    text = k.call("logs", "read-disk")
    k.call("delete", "pod", "read-disk", "--wait")
    return text


def put_and_get(told: dict[str, str], secret: dict[str, str]) -> str:
    """A program that writes an object by the S3 protocol and prints what it reads back."""
    settings = json.dumps({**told, **secret})
    return f"settings = {settings}\n" + textwrap.dedent(
        """
        import datetime, hashlib, hmac, http.client
        host, bucket = settings["BUCKET_HOST"], settings["BUCKET_NAME"]
        def call(method, body=None):
            path, now = f"/{bucket}/a", datetime.datetime.now(datetime.timezone.utc)
            payload = hashlib.sha256(body or b"").hexdigest()
            stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
            names, scope = "host;x-amz-content-sha256;x-amz-date", f"{day}/us-east-1/s3/aws4_request"
            text = f"{method}\\n{path}\\n\\nhost:{host}\\nx-amz-content-sha256:{payload}\\n"
            text += f"x-amz-date:{stamp}\\n\\n{names}\\n{payload}"
            text = f"AWS4-HMAC-SHA256\\n{stamp}\\n{scope}\\n{hashlib.sha256(text.encode()).hexdigest()}"
            key = ("AWS4" + settings["AWS_SECRET_ACCESS_KEY"]).encode()
            for part in (day, "us-east-1", "s3", "aws4_request"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
            credential = f"{settings['AWS_ACCESS_KEY_ID']}/{scope}"
            headers = {
                "Host": host, "x-amz-date": stamp, "x-amz-content-sha256": payload,
                "Authorization":
                    f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}",
            }
            # urllib would add a type of the content, and a header that is not signed makes the request invalid.
            connection = http.client.HTTPConnection(host, int(settings["BUCKET_PORT"]), timeout=60)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise SystemExit(f"{method} {path}: {answer.status}: {text.decode()}")
            return text
        call("PUT", b"what was written")
        print(call("GET").decode())
        """
    )
