# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The toolbox: a pod beside the daemons in which ``ceph`` and ``rados`` work without further words; and others such."""

from __future__ import annotations

from typing import Any

from .common import made

NAME = "rook-ceph-tools"
# The monitors' addresses are written as a=1.2.3.4:6789,b=...; they change when a monitor is replaced.
CONNECT = """\
set -eu
write() {
  hosts=$(sed 's/[A-Za-z0-9_-]*=//g' /etc/rook/mon-endpoints)
  { printf '[global]\\nmon_host = %s\\n[client.admin]\\nkeyring = /etc/ceph/keyring\\n' "$hosts"
    cat /etc/rook-config-override/config 2>/dev/null || true
  } > /etc/ceph/ceph.conf.new
  mv /etc/ceph/ceph.conf.new /etc/ceph/ceph.conf
}
umask 077
printf '[%s]\\nkey = %s\\n' "$ROOK_CEPH_USERNAME" "$(cat /var/lib/rook-ceph-mon/secret.keyring)" > /etc/ceph/keyring
write
"""
_FOLLOW = """\
seen=$(cat /etc/rook/mon-endpoints)
while sleep 10; do
  now=$(cat /etc/rook/mon-endpoints)
  if [ "$now" != "$seen" ]; then write; seen=$now; fi
done
"""


def toolbox(namespace: str, image: str, host_network: bool = False) -> dict[str, Any]:
    """The Deployment; its pod waits until the operator has made the keys."""
    pod = connected(NAME, image, CONNECT + _FOLLOW, host_network)
    pod["serviceAccountName"] = "rook-ceph-default"
    pod["priorityClassName"] = "system-cluster-critical"
    pod["containers"][0]["tty"] = True
    labels = {"app": NAME}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return made("apps/v1", "Deployment", NAME, namespace, labels, spec=spec)


def connected(name: str, image: str, script: str, host_network: bool = False) -> dict[str, Any]:
    """The spec of a pod whose ``script`` begins with CONNECT: from there on its tools know cluster and key."""
    container = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", script],
        "env": [
            {
                "name": "ROOK_CEPH_USERNAME",
                "valueFrom": {"secretKeyRef": {"name": "rook-ceph-mon", "key": "ceph-username"}},
            }
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 2016,
            "runAsGroup": 2016,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "volumeMounts": [
            {"name": "ceph-config", "mountPath": "/etc/ceph"},
            {"name": "mon-endpoints", "mountPath": "/etc/rook", "readOnly": True},
            {"name": "admin-secret", "mountPath": "/var/lib/rook-ceph-mon", "readOnly": True},
            {"name": "config-override", "mountPath": "/etc/rook-config-override", "readOnly": True},
        ],
    }
    volumes = [
        {"name": "ceph-config", "emptyDir": {}},
        {
            "name": "mon-endpoints",
            "configMap": {"name": "rook-ceph-mon-endpoints", "items": [{"key": "data", "path": "mon-endpoints"}]},
        },
        {
            "name": "admin-secret",
            "secret": {"secretName": "rook-ceph-mon", "items": [{"key": "ceph-secret", "path": "secret.keyring"}]},
        },
        {"name": "config-override", "configMap": {"name": "rook-config-override", "optional": True}},
    ]
    return {
        "dnsPolicy": "ClusterFirstWithHostNet",
        "hostNetwork": host_network,
        "containers": [container],
        "volumes": volumes,
        "tolerations": [
            {
                "key": "node.kubernetes.io/unreachable",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 5,
            }
        ],
    }
