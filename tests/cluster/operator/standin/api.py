# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes API over plain HTTPS, from inside a pod: the few calls that the operator makes."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from .words import Object, name_of

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT = 60.0

# kind: (group and version, plural, whether it lives in a namespace)
KINDS = {
    "CephBlockPool": ("apis/ceph.rook.io/v1", "cephblockpools", True),
    "CephCluster": ("apis/ceph.rook.io/v1", "cephclusters", True),
    "CephFilesystem": ("apis/ceph.rook.io/v1", "cephfilesystems", True),
    "CephObjectStore": ("apis/ceph.rook.io/v1", "cephobjectstores", True),
    "CephObjectStoreUser": ("apis/ceph.rook.io/v1", "cephobjectstoreusers", True),
    "ConfigMap": ("api/v1", "configmaps", True),
    "Deployment": ("apis/apps/v1", "deployments", True),
    "Job": ("apis/batch/v1", "jobs", True),
    "Node": ("api/v1", "nodes", False),
    "ObjectBucket": ("apis/objectbucket.io/v1alpha1", "objectbuckets", False),
    "ObjectBucketClaim": ("apis/objectbucket.io/v1alpha1", "objectbucketclaims", True),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims", True),
    "Pod": ("api/v1", "pods", True),
    "PodDisruptionBudget": ("apis/policy/v1", "poddisruptionbudgets", True),
    "Secret": ("api/v1", "secrets", True),
    "Service": ("api/v1", "services", True),
    "StorageClass": ("apis/storage.k8s.io/v1", "storageclasses", False),
}


class ApiError(Exception):
    """The API server refused a call; ``code`` is the HTTP status, 0 when it was not reached."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def api_version(kind: str) -> str:
    """The apiVersion of a kind: apps/v1 for a Deployment."""
    return KINDS[kind][0].removeprefix("apis/").removeprefix("api/")


class Api:
    """Calls to one API server; each thread has a connection of its own."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, token: Path) -> None:
        self._host, self._port, self._context, self._token = host, port, context, token
        self._local = threading.local()

    @classmethod
    def in_cluster(cls) -> Api:
        """The API server of the cluster that this pod runs in, with its service account."""
        context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
        return cls(host, port, context, ACCOUNT / "token")

    def _path(self, kind: str, namespace: str | None, name: str = "", **query: str) -> str:
        group, plural, _ = KINDS[kind]
        parts = [group]
        if namespace:
            parts += ["namespaces", namespace]
        parts.append(plural)
        if name:
            parts.append(quote(name))
        return "/" + "/".join(parts) + (f"?{urlencode(query)}" if query else "")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token.read_text().strip()}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        # A kept connection may have been closed by the server: once more, with a new one.
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=_TIMEOUT, context=self._context
                )
                self._local.connection = connection
            try:
                connection.request(method, path, body=data, headers=headers)
                response = connection.getresponse()
                text = response.read().decode()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._local.connection = None
                if attempt == 2 or method == "POST":
                    raise ApiError(0, f"{method} {path}: the API server did not answer: {error}") from error
                continue
            if response.status >= 400:
                raise ApiError(response.status, f"{method} {path}: {_reason(text)}")
            return json.loads(text) if text else {}
        raise AssertionError("unreachable")

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object, or None when there is none."""
        try:
            found: Object = self._call("GET", self._path(kind, namespace, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        return found

    def list(self, kind: str, namespace: str | None = None, labels: str = "") -> list[Object]:
        """All objects of a kind, in one namespace or in all; empty when the kind is not installed."""
        query = {"labelSelector": labels} if labels else {}
        try:
            answer = self._call("GET", self._path(kind, namespace, **query))
        except ApiError as error:
            if error.code == 404:
                return []
            raise
        # A list names kind and apiVersion once, for all of them.
        return [{**item, "kind": kind, "apiVersion": api_version(kind)} for item in answer.get("items") or []]

    def create(self, kind: str, namespace: str | None, thing: Object) -> Object:
        """Make an object; fails when the name is taken."""
        body = {"apiVersion": api_version(kind), "kind": kind, **thing}
        made: Object = self._call("POST", self._path(kind, namespace), body)
        return made

    def ensure(self, kind: str, namespace: str | None, thing: Object) -> Object:
        """The object with this name, made now if there is none; an existing one is left as it is."""
        found = self.get(kind, namespace, name_of(thing))
        return found if found is not None else self.create(kind, namespace, thing)

    def replace(self, kind: str, namespace: str | None, thing: Object) -> Object:
        """Make the object as given: created, or replaced where one has the name."""
        found = self.get(kind, namespace, name_of(thing))
        if found is None:
            return self.create(kind, namespace, thing)
        body = {"apiVersion": api_version(kind), "kind": kind, **thing}
        # Marks that somebody else set stay: a label that asks to skip reconciles is one.
        marks = {key: {**(found["metadata"].get(key) or {}), **(thing["metadata"].get(key) or {})} for key in _MARKS}
        version = found["metadata"]["resourceVersion"]
        body["metadata"] = {**thing["metadata"], **{k: v for k, v in marks.items() if v}, "resourceVersion": version}
        made: Object = self._call("PUT", self._path(kind, namespace, name_of(thing)), body)
        return made

    def merge(self, kind: str, namespace: str | None, name: str, patch: Object, part: str = "") -> Object:
        """Change some fields; ``part`` is a subresource such as ``status``.

        Rook's roles allow updates and no patches, so the object is read, changed and written.
        """
        path = self._path(kind, namespace, name) + (f"/{part}" if part else "")
        for attempt in range(_ATTEMPTS):
            found = self.get(kind, namespace, name)
            if found is None:
                raise ApiError(404, f"{kind} {namespace}/{name} is gone")
            try:
                made: Object = self._call("PUT", path, merged(found, patch))
            except ApiError as error:
                if error.code != 409 or attempt == _ATTEMPTS - 1:
                    raise
                continue
            return made
        raise AssertionError("unreachable")

    def delete(self, kind: str, namespace: str | None, name: str, propagation: str = "Background") -> bool:
        """Remove an object; False when there was none."""
        try:
            self._call("DELETE", self._path(kind, namespace, name), {"propagationPolicy": propagation})
        except ApiError as error:
            if error.code == 404:
                return False
            raise
        return True


_MARKS = ("labels", "annotations")
_ATTEMPTS = 5


def merged(thing: Any, patch: Any) -> Any:
    """A JSON merge patch applied: None takes a key away, anything but an object replaces what is there."""
    if not isinstance(patch, dict):
        return patch
    result = dict(thing) if isinstance(thing, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _reason(text: str) -> str:
    try:
        return str(json.loads(text).get("message") or text)
    except ValueError:
        return text.strip()
