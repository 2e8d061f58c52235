# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit of one cluster by a pod inside it, which sees volumes, Ceph's records and pods, and no host.

``objects/audit.py`` brings this file and those that it imports into the pod; they run with the Python of Ceph's image.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

from ...plan.errors import ObserveError, StorageError
from .. import questions, reading
from .findings import Finding, findings

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_ASKED = ("status", "osd df tree", "osd dump", "osd crush rule dump", "osd metadata")
_HINT = "look at the rights of the account barestore-audit, and at the monitors"


def main(namespace: str) -> int:
    """0: nothing was found, 2: something, 1: nobody can tell. The log has the sentences."""
    try:
        found = look(namespace, _get, _ceph)
    except StorageError as error:
        sys.stdout.write(f"{error.sentence()}\n")
        return 1
    for one in found:
        sys.stdout.write(f"{one.sentence()}\n")
    sys.stdout.write(f"{len(found)} signs of two owners of one disk in {namespace}.\n")
    return 2 if found else 0


def look(namespace: str, get: Callable[[str], Any], ask: Callable[[Iterable[str]], Any]) -> list[Finding]:
    """What is wrong, from lists of the API by path and from Ceph's answers by question.

    :raises StorageError: one of them does not answer.
    """
    objects = [
        {**item, "kind": kind}
        for kind, path in (
            ("CephCluster", f"/apis/ceph.rook.io/v1/namespaces/{namespace}/cephclusters"),
            ("PersistentVolumeClaim", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"),
            ("PersistentVolume", "/api/v1/persistentvolumes"),
            ("Deployment", f"/apis/apps/v1/namespaces/{namespace}/deployments"),
            ("Pod", f"/api/v1/namespaces/{namespace}/pods"),
        )
        for item in get(path)["items"]
    ]
    cluster = reading.cluster({"kubernetes": objects, "ceph": ask(_ASKED)}, namespace)
    return findings([cluster], [one for one in objects if one["kind"] == "Deployment"], [])


def _get(path: str) -> Any:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
    try:
        with open(f"{_ACCOUNT}/token", encoding="ascii") as handle:
            token = handle.read().strip()
        context = ssl.create_default_context(cafile=f"{_ACCOUNT}/ca.crt")
        link = http.client.HTTPSConnection(host, port, timeout=30, context=context)
        link.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
        answer = link.getresponse()
        text = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise ObserveError(f"Kubernetes does not answer {path}: {error}", _HINT) from error
    if answer.status != 200:
        raise ObserveError(f"Kubernetes answers {path} with {answer.status}: {text[:300]}", _HINT)
    return json.loads(text)


def _ceph(asked: Iterable[str]) -> Any:
    argv = [sys.executable, "-c", questions.ASK, json.dumps(list(asked))]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ObserveError(f"Ceph does not answer: {' '.join(done.stderr.split())[-300:]}", _HINT)
    return json.loads(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
