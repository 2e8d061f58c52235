# SPDX-License-Identifier: GPL-3.0-or-later
"""kubectl and Rook's own manifests, as the contract test uses them."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.objects.crds import ROOK_MODULE, module

OPERATOR_NAMESPACE = "rook-ceph"
OPERATOR_IMAGE = "docker.io/rook/ceph:v1.20.6"


class Failed(AssertionError):
    """Something did not happen; the message has what was there instead."""


@dataclass(frozen=True)
class Kube:
    """One cluster, by its kubeconfig; all calls are in ``namespace`` unless they say another."""

    kubectl: str
    kubeconfig: Path
    namespace: str

    def call(self, *arguments: str, stdin: str | None = None, namespace: str | None = None) -> str:
        """The standard output of kubectl; a failure is an assertion with what it said. '' is no namespace at all."""
        argv = [self.kubectl, f"--kubeconfig={self.kubeconfig}"]
        if namespace != "":
            argv.append(f"--namespace={namespace or self.namespace}")
        done = subprocess.run([*argv, *arguments], input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def get(self, kind: str, name: str, namespace: str | None = None) -> Any:
        """An object; None when there is none."""
        text = self.call("get", kind, name, "--output=json", "--ignore-not-found", namespace=namespace)
        return json.loads(text) if text.strip() else None

    def list(self, kind: str, labels: str = "", namespace: str | None = None) -> list[Any]:
        """Objects of a kind, by label."""
        chosen = [f"--selector={labels}"] if labels else []
        found: list[Any] = json.loads(self.call("get", kind, "--output=json", *chosen, namespace=namespace))["items"]
        return found

    def apply(self, *things: Any) -> None:
        """Apply objects; those of a real manifest are too large for client-side apply."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(things)})
        self.apply_text(text)

    def apply_text(self, text: str) -> None:
        """Apply a manifest as it is: its objects say their own namespaces."""
        self.call("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=text, namespace="")

    def patch(self, kind: str, name: str, patch: Any, namespace: str | None = None) -> None:
        """Change fields of an object (JSON merge patch)."""
        told = json.dumps(patch)
        self.call("patch", kind, name, "--type=merge", f"--patch={told}", namespace=namespace)

    def toolbox(self, *command: str, stdin: str | None = None) -> str:
        """Run a command in the toolbox."""
        more = ["--stdin"] if stdin is not None else []
        return self.call("exec", *more, "deploy/rook-ceph-tools", "--", *command, stdin=stdin)

    def ceph(self, *command: str) -> Any:
        """What Ceph answers to a command."""
        return json.loads(self.toolbox("ceph", *command, "--format=json"))

    def describe(self) -> str:
        """What there is, for the message of a wait that failed."""
        questions = (
            (self.namespace, "get", "cephcluster,deploy,job,pvc,pod", "--output=wide"),
            (self.namespace, "get", "events", "--sort-by=.lastTimestamp"),
            (OPERATOR_NAMESPACE, "logs", "deploy/rook-ceph-operator", "--tail=40"),
        )
        parts = []
        for namespace, *question in questions:
            try:
                parts.append(self.call(*question, namespace=namespace)[-4000:])
            except Failed as error:
                parts.append(str(error))
        return "\n".join(parts)

    def wait(self, what: str, ready: Callable[[], Any], limit: float = 600) -> Any:
        """Wait until ``ready`` returns something true, and return it. A call that fails counts as not yet."""
        end, last = time.monotonic() + limit, ""
        while time.monotonic() < end:
            try:
                if found := ready():
                    return found
                last = ""
            except (Failed, ValueError, KeyError, IndexError) as error:
                last = f" ({error})"
            time.sleep(1)
        raise Failed(f"did not come within {limit:.0f} s: {what}{last}\n{self.describe()}")


def rook_manifests() -> Path:
    """The examples of Rook's Go module, in the module cache; nothing of them is in this repository."""
    return module(ROOK_MODULE) / "deploy/examples"


def in_namespace(text: str, namespace: str) -> str:
    """A manifest of the examples for a cluster in another namespace: their comments say which lines mean it."""
    # These have a place in the whole cluster or in the operator's namespace: one for each Ceph cluster.
    for name in ("rook-ceph-osd-external", "rook-ceph-mgr-secondary-cluster", "rook-ceph-mgr-system-secondary"):
        text = text.replace(name, f"{name}-{namespace}")
    lines = []
    for line in text.splitlines():
        if "# namespace:cluster" in line:
            line = line.replace("rook-ceph-secondary", namespace).replace(": rook-ceph ", f": {namespace} ")
        lines.append(line)
    return "\n".join(lines) + "\n"
