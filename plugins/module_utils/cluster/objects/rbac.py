# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the daemons of a cluster in a namespace of its own may do: the rights that Rook's charts give them.

A test compares these rules with those of the chart of the pinned version.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .common import OPERATOR_NAMESPACE, made

API = "rbac.authorization.k8s.io/v1"
_ALL = ["get", "list", "watch", "create", "update", "delete"]
_CEPH = [
    "cephclients",
    "cephclusters",
    "cephclusters/finalizers",
    "cephblockpools",
    "cephfilesystems",
    "cephnfses",
    "cephnvmeofgateways",
    "cephobjectstores",
    "cephobjectstoreusers",
    "cephobjectrealms",
    "cephobjectzonegroups",
    "cephobjectzones",
    "cephbuckettopics",
    "cephbucketnotifications",
    "cephrbdmirrors",
    "cephfilesystemmirrors",
    "cephfilesystemsubvolumegroups",
    "cephblockpoolradosnamespaces",
    "cephcosidrivers",
]
ACCOUNTS = ("osd", "mgr", "cmd-reporter", "purge-osd", "rgw", "default", "nvmeof")


def rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    """One rule of a Role."""
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


ROLES: dict[str, list[dict[str, Any]]] = {
    "osd": [
        rule("", ["secrets"], ["get", "update"]),
        rule("", ["configmaps"], _ALL),
        rule(
            "ceph.rook.io", ["cephclusters", "cephclusters/finalizers"], ["get", "list", "create", "update", "delete"]
        ),
    ],
    "mgr": [
        rule("", ["pods", "services", "pods/log"], _ALL),
        rule("batch", ["jobs"], _ALL),
        rule("ceph.rook.io", _CEPH, [*_ALL, "patch"]),
        rule("apps", ["deployments/scale", "deployments"], ["patch", "delete"]),
        rule("", ["persistentvolumeclaims"], ["delete"]),
    ],
    "cmd-reporter": [rule("", ["pods", "configmaps"], _ALL)],
    "purge-osd": [
        rule("", ["configmaps"], ["get"]),
        rule("apps", ["deployments"], ["get", "delete"]),
        rule("batch", ["jobs"], ["get", "list", "delete"]),
        rule("", ["persistentvolumeclaims"], ["get", "update", "delete", "list"]),
    ],
}


def rights(namespace: str) -> Iterator[dict[str, Any]]:
    """Accounts, roles and bindings of a cluster in ``namespace``, which is not the operator's."""
    for account in ACCOUNTS:
        yield made("v1", "ServiceAccount", f"rook-ceph-{account}", namespace)
    for role, rules in ROLES.items():
        yield made(API, "Role", f"rook-ceph-{role}", namespace, rules=rules)
        yield _binding(f"rook-ceph-{role}", namespace, "Role", f"rook-ceph-{role}", f"rook-ceph-{role}", namespace)
    management = "rook-ceph-cluster-mgmt"
    yield _binding(management, namespace, "ClusterRole", management, "rook-ceph-system", OPERATOR_NAMESPACE)
    system = f"rook-ceph-mgr-system-{namespace}"
    yield _binding(system, OPERATOR_NAMESPACE, "ClusterRole", "rook-ceph-mgr-system", "rook-ceph-mgr", namespace)
    for name, account in (("rook-ceph-mgr-cluster", "rook-ceph-mgr"), ("rook-ceph-osd", "rook-ceph-osd")):
        yield _binding(f"{name}-{namespace}", None, "ClusterRole", name, account, namespace)


def _binding(
    name: str, namespace: str | None, kind: str, role: str, account: str, account_namespace: str
) -> dict[str, Any]:
    return made(
        API,
        "RoleBinding" if namespace else "ClusterRoleBinding",
        name,
        namespace,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": account_namespace}],
    )
