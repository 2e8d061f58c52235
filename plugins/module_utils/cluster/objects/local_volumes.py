# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Local PersistentVolumes: one for each device that a host gives away, known by the disk and not by its name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..document import SiteFacts, storage_classes
from .common import HOST_LABEL, made

_ODD = re.compile(r"[^a-z0-9]+")
_LONGEST = 63


def local_classes(site: SiteFacts) -> Iterator[dict[str, Any]]:
    """The StorageClasses of local volumes: nobody makes them, and a claim is bound where its pod goes."""
    for each in storage_classes(site):
        if each.provider == "local":
            yield made(
                "storage.k8s.io/v1",
                "StorageClass",
                each.name,
                provisioner="kubernetes.io/no-provisioner",
                volumeBindingMode="WaitForFirstConsumer",
                reclaimPolicy="Retain",
            )


def volume_name(host: str, identity: str) -> str:
    """``local-<host>-<disk>``; what would be too long ends with a part of its digest."""
    plain = _ODD.sub("-", f"local-{host}-{identity}".lower()).strip("-")
    if len(plain) <= _LONGEST:
        return plain
    return f"{plain[: _LONGEST - 9].rstrip('-')}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"


def local_volumes(host: str, devices: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The volumes of one host. No Node owns them: one that is deleted would take those along that OSDs run on.

    :param devices: each with ``link``, ``identity``, ``bytes``, ``storage_class``, ``mode``, ``serial``, ``wwn``.
    """
    for device in devices:
        annotations = {f"barestore.storage/{key}": str(device[key]) for key in ("serial", "wwn") if device.get(key)}
        found = made(
            "v1",
            "PersistentVolume",
            volume_name(host, device["identity"]),
            spec={
                "capacity": {"storage": str(device["bytes"])},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": device["storage_class"],
                "volumeMode": "Block" if device["mode"] == "block" else "Filesystem",
                "local": {"path": device["link"]},
                "nodeAffinity": {
                    "required": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": HOST_LABEL, "operator": "In", "values": [host]}]}
                        ]
                    }
                },
            },
        )
        found["metadata"]["annotations"] = annotations
        yield found
