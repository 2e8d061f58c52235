# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all planned objects share: names, sizes in Kubernetes' words, where pods may run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...host.sizes import parse_bytes

OPERATOR_NAMESPACE = "rook-ceph"
RACK_LABEL = "topology.rook.io/rack"
HOST_LABEL = "kubernetes.io/hostname"
MANAGED_BY = {"app.kubernetes.io/managed-by": "barestore"}

_SUFFIXES = (("Pi", 1024**5), ("Ti", 1024**4), ("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024))


def quantity(size: str | int) -> str:
    """``1 TiB`` (or bytes) as Kubernetes writes it: ``1Ti``; a number of bytes where no unit divides it."""
    value = size if isinstance(size, int) else parse_bytes(size)
    for suffix, unit in _SUFFIXES:
        if value and value % unit == 0:
            return f"{value // unit}{suffix}"
    return str(value)


def made(
    api: str, kind: str, name: str, namespace: str | None = None, labels: Mapping[str, str] | None = None, **rest: Any
) -> dict[str, Any]:
    """An object with its metadata; ``rest`` is what stands beside them, such as ``spec``."""
    metadata: dict[str, Any] = {"name": name, "labels": {**MANAGED_BY, **(labels or {})}}
    if namespace is not None:
        metadata["namespace"] = namespace
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def topology_key(failure_domain: str) -> str:
    """The label of nodes that tells the failure domain."""
    return RACK_LABEL if failure_domain == "rack" else HOST_LABEL


def spread(
    key: str, apps: Sequence[str], strict: bool = True, max_skew: int = 1, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Pods of these apps, with these labels, evenly over the values of ``key``; ``strict`` ones wait, not crowd."""
    wanted = {"app": list(apps), **{name: [value] for name, value in (labels or {}).items()}}
    expressions = [{"key": name, "operator": "In", "values": values} for name, values in wanted.items()]
    return {
        "maxSkew": max_skew,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule" if strict else "ScheduleAnyway",
        "labelSelector": {"matchExpressions": expressions},
    }


def on_hosts(names: Iterable[str]) -> dict[str, Any]:
    """Only on these nodes."""
    expression = {"key": HOST_LABEL, "operator": "In", "values": sorted(names)}
    return {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    }


def tolerations(wanted: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tolerations as pods have them."""
    found = []
    for each in wanted:
        entry: dict[str, Any] = {"key": each["key"], "operator": "Equal" if "value" in each else "Exists"}
        entry.update({key: each[key] for key in ("value", "effect") if key in each})
        found.append(entry)
    return found


def claim(name: str, storage_class: str, size: str, mode: str) -> dict[str, Any]:
    """A template of claims; ``mode`` is Block or Filesystem."""
    return {
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": quantity(size)}},
            "storageClassName": storage_class,
            "volumeMode": mode,
        },
    }


def split_image(reference: str) -> dict[str, str]:
    """``repository`` and ``tag`` of an image, as charts want them; a digest is a part of the tag."""
    name, at, digest = reference.partition("@")
    repository, _colon, tag = name.rpartition(":")
    return {"repository": repository, "tag": tag + at + digest}
