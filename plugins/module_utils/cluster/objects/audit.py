# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hourly audit of a cluster: a CronJob that runs our own sources with Ceph's image, and alerts of its Jobs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from .common import made
from .rbac import API, rule
from .toolbox import CONNECT, connected

NAME = "barestore-audit"
SOURCES = (
    "cluster/audit/facts.py",
    "cluster/audit/findings.py",
    "cluster/audit/inside.py",
    "cluster/quantities.py",
    "cluster/questions.py",
    "cluster/reading.py",
    "cluster/sharing.py",
    "cluster/state.py",
    "plan/errors.py",
    "plan/printable.py",
)
"""What the pod runs, below ``plugins/module_utils``: ``inside.py`` and all that it imports."""
_FOLDER = "/opt/barestore"
_SCRIPT = f"{CONNECT}exec python3 -B -m module_utils.cluster.audit.inside "
# A Job that found something stays until the next one has found it again, and goes once nothing is found any more.
_KEPT_SECONDS = 5400


def audit(
    namespace: str, image: str, sources: Mapping[str, str], host_network: bool = False, monitoring: bool = False
) -> Iterator[dict[str, Any]]:
    """The objects; ``sources`` are the texts of SOURCES by their names."""
    yield made("v1", "ServiceAccount", NAME, namespace)
    yield from _rights(namespace)
    data = {_key(name): sources[name] for name in SOURCES}
    yield made("v1", "ConfigMap", NAME, namespace, data=data)
    yield _cron_job(namespace, image, host_network)
    if monitoring:
        yield _alerts(namespace)


def _rights(namespace: str) -> Iterator[dict[str, Any]]:
    """Reading only: nothing that this account asks for can change anything."""
    inside = [
        rule("", ["pods", "persistentvolumeclaims"], ["list"]),
        rule("apps", ["deployments"], ["list"]),
        rule("ceph.rook.io", ["cephclusters"], ["list"]),
    ]
    subjects = [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}]
    group = "rbac.authorization.k8s.io"
    yield made(API, "Role", NAME, namespace, rules=inside)
    reference = {"apiGroup": group, "kind": "Role", "name": NAME}
    yield made(API, "RoleBinding", NAME, namespace, roleRef=reference, subjects=subjects)
    whole = f"{NAME}-{namespace}"
    yield made(API, "ClusterRole", whole, rules=[rule("", ["persistentvolumes"], ["list"])])
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": whole}
    yield made(API, "ClusterRoleBinding", whole, roleRef=reference, subjects=subjects)


def _cron_job(namespace: str, image: str, host_network: bool) -> dict[str, Any]:
    pod = connected(NAME, image, _SCRIPT + namespace, host_network)
    pod["serviceAccountName"] = NAME
    pod["restartPolicy"] = "Never"
    container = pod["containers"][0]
    container["env"].append({"name": "PYTHONPATH", "value": _FOLDER})
    container["terminationMessagePolicy"] = "FallbackToLogsOnError"
    container["volumeMounts"].append({"name": "sources", "mountPath": f"{_FOLDER}/module_utils", "readOnly": True})
    items = [{"key": _key(name), "path": name} for name in SOURCES]
    pod["volumes"].append({"name": "sources", "configMap": {"name": NAME, "items": items}})
    job = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": 600,
        "ttlSecondsAfterFinished": _KEPT_SECONDS,
        "template": {"metadata": {"labels": {"app": NAME}}, "spec": pod},
    }
    spec = {
        # Clusters take turns in the hour.
        "schedule": f"{zlib.crc32(namespace.encode()) % 60} * * * *",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 600,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {"spec": job},
    }
    return made("batch/v1", "CronJob", NAME, namespace, {"app": NAME}, spec=spec)


def _alerts(namespace: str) -> dict[str, Any]:
    """By the metrics that kube-state-metrics has of Jobs: a pod that ends leaves none of its own."""
    where = f'namespace="{namespace}"'
    rules = [
        {
            "alert": "BarestoreAuditFailed",
            "expr": f'kube_job_status_failed{{{where},job_name=~"{NAME}-.+"}} > 0',
            "labels": {"severity": "critical"},
            "annotations": {
                "summary": f"The audit of {namespace} found that a disk may have two owners, or could not look.",
                "description": f"kubectl --namespace={namespace} logs job/{{{{ $labels.job_name }}}} says which.",
            },
        },
        {
            "alert": "BarestoreAuditSilent",
            "expr": f'time() - kube_cronjob_status_last_successful_time{{{where},cronjob="{NAME}"}} > 10800',
            "for": "15m",
            "labels": {"severity": "warning"},
            "annotations": {
                "summary": f"The audit of {namespace} has found no clean cluster for three hours.",
                "description": f"Look at kubectl --namespace={namespace} get cronjob,job,pod -l app={NAME}.",
            },
        },
    ]
    groups = [{"name": NAME, "rules": rules}]
    return made("monitoring.coreos.com/v1", "PrometheusRule", NAME, namespace, spec={"groups": groups})


def _key(name: str) -> str:
    return name.replace("/", ".")
