# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked: two processes a look, one for Kubernetes and one for Ceph. Only argv; nothing runs here."""

from __future__ import annotations

import json
from collections.abc import Iterable

KINDS = (
    "cephclusters.ceph.rook.io",
    "persistentvolumeclaims",
    "persistentvolumes",
    "nodes",
    "deployments.apps",
    "jobs.batch",
    "leases.coordination.k8s.io",
)
ARGUMENTS_OF_KUBECTL = {"kubeconfig": {"type": "path", "default": "/etc/kubernetes/admin.conf"}}
"""The option of a module that calls kubectl; its words are in the documentation fragment of that name."""
PODS = "pods"
TOOLBOX = "deploy/rook-ceph-tools"

LOOK = ("status", "osd df tree", "osd dump", "osd crush rule dump", "config dump")
"""What a look asks of Ceph."""
CHANGE = ("osd metadata", "df detail", "auth ls", "balancer status")
"""What is asked besides, once something is to be changed."""

# One connection for all questions: each ``ceph`` process would cost half a second. Keys and settings that could be
# secret stay in the pod. A question of the manager is one that the monitor does not know.
ASK = r"""
import json, sys, rados
MGR = {"osd df", "balancer status", "osd safe-to-destroy", "osd ok-to-stop", "pg dump"}
link = rados.Rados(conffile="", conf={"client_mount_timeout": "20", "rados_mon_op_timeout": "30"})
link.connect(timeout=20)
def ask(text):
    words, extra = text, {"format": "json"}
    if text == "osd df tree":
        words, extra["output_method"] = "osd df", "tree"
    elif text == "df detail":
        words, extra["detail"] = "df", "detail"
    elif text == "pg dump pgs_brief":
        words, extra["dumpcontents"] = "pg dump", ["pgs_brief"]
    elif text.startswith("osd safe-to-destroy "):
        words, extra["ids"] = "osd safe-to-destroy", text.split()[2:]
    order = json.dumps(dict(extra, prefix=words))
    rc, out, err = (link.mgr_command if words in MGR else link.mon_command)(order, b"", 30)
    try:
        value = json.loads(out) if out else None
    except ValueError:
        value = out.decode(errors="replace")
    if text == "auth ls" and value:
        value = {"auth_dump": [{"entity": one["entity"]} for one in value["auth_dump"]]}
    if text == "config dump" and value:
        value = [one for one in value if one["name"] == "osd_mclock_profile"]
    return {"rc": rc, "out": value, "err": err}
print(json.dumps({text: ask(text) for text in json.loads(sys.argv[1])}))
"""


def kubectl(config: str, *words: str) -> tuple[str, ...]:
    """argv of kubectl: it waits for the API no longer than half a minute a request."""
    return ("kubectl", f"--kubeconfig={config}", "--request-timeout=30s", *words)


def objects(config: str, namespace: str, pods: bool) -> tuple[str, ...]:
    """All objects of a cluster's namespace, and the volumes and nodes, in one answer."""
    kinds = ",".join((*KINDS, PODS) if pods else KINDS)
    return kubectl(config, "get", kinds, f"--namespace={namespace}", "--output=json")


def operator(config: str, namespace: str) -> tuple[str, ...]:
    """The operator's Deployment; nothing where there is none."""
    return kubectl(
        config, "get", "deployments.apps", "rook-ceph-operator", f"--namespace={namespace}", "--output=json",
        "--ignore-not-found",
    )  # fmt: skip


def ceph(config: str, namespace: str, questions: Iterable[str]) -> tuple[str, ...]:
    """Ask Ceph through the toolbox: answers by question, as JSON."""
    return toolbox(config, namespace, "python3", "-c", ASK, json.dumps(list(questions)))


def toolbox(config: str, namespace: str, *argv: str) -> tuple[str, ...]:
    """A command in the toolbox of a cluster."""
    return ("kubectl", f"--kubeconfig={config}", f"--namespace={namespace}", "exec", TOOLBOX, "--", *argv)


def safe_to_destroy(ids: Iterable[int]) -> tuple[str, ...]:
    """One question an OSD: Ceph answers for a list of them all or none."""
    return tuple(f"osd safe-to-destroy {one}" for one in sorted(ids))
