# SPDX-License-Identifier: GPL-3.0-or-later
"""Which claims a device set wants: the counting that decides when an OSD is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .words import CLAIM_ID, DEVICE_SET, ROOK_VERSION, SET_INDEX, Object, labels_of, name_of


@dataclass(frozen=True)
class Claims:
    """What there is and what is missing: existing data claims by name, with their set; claims to create."""

    existing: dict[str, Object]
    missing: tuple[Object, ...]
    errors: tuple[str, ...] = ()


def template_name(template: Object, templates: Sequence[Object]) -> str:
    """The kind of claim that a template is for: data, metadata or wal; a single one is data."""
    return str((template.get("metadata") or {}).get("name") or "data") if len(templates) > 1 else "data"


def claim_id(set_name: str, template: str, index: int) -> str:
    """The identity of a claim, which starts its generated name."""
    return f"{set_name.replace('.', '-')}-{template.replace(' ', '-')}-{index}"


def indices(claims: Iterable[Object], set_name: str) -> set[int]:
    """The indices that a set's claims have; only claims that still carry the identity count."""
    return {
        int(labels[SET_INDEX])
        for labels in map(labels_of, claims)
        if CLAIM_ID in labels and labels.get(DEVICE_SET) == set_name and labels.get(SET_INDEX, "").isdigit()
    }


def plan(sets: Sequence[Object], claims: Sequence[Object], ceph_image: str) -> Claims:
    """The claims that the sets ask for; too many claims are left alone, and gaps in the indices stay gaps.

    A claim that is being removed is gone: Rook, which takes longer to come here, does not find it any more.
    """
    claims = [claim for claim in claims if "deletionTimestamp" not in claim["metadata"]]
    by_id = {labels_of(claim)[CLAIM_ID]: claim for claim in claims if CLAIM_ID in labels_of(claim)}
    existing: dict[str, Object] = {}
    missing: list[Object] = []
    errors: list[str] = []
    for device_set in sets:
        name = str(device_set["name"])
        templates = device_set.get("volumeClaimTemplates") or []
        if not templates:
            errors.append(
                f'failed to provision OSDs on PVC for storageClassDeviceSet "{name}". no volumeClaimTemplate is '
                "specified. user must specify a volumeClaimTemplate"
            )
            continue
        present = indices(claims, name)
        first = max(present, default=-1) + 1
        wanted = [*sorted(present), *range(first, first + max(0, int(device_set["count"]) - len(present)))]
        for index in wanted:
            for template in templates:
                kind = template_name(template, templates)
                identity = claim_id(name, str((template.get("metadata") or {}).get("name") or "data"), index)
                if identity not in by_id:
                    missing.append(_claim(name, identity, index, template, ceph_image))
                elif kind == "data":
                    existing[name_of(by_id[identity])] = device_set
    return Claims(existing, tuple(missing), tuple(errors))


def _claim(set_name: str, identity: str, index: int, template: Object, ceph_image: str) -> Object:
    metadata: dict[str, Any] = template.get("metadata") or {}
    labels = {
        DEVICE_SET: set_name,
        SET_INDEX: str(index),
        CLAIM_ID: identity,
        "ceph.rook.io/cephImageAtCreation": image_label(ceph_image),
        "ceph.rook.io/rookImageAtCreation": image_label(f"rook/ceph:{ROOK_VERSION}"),
        **(metadata.get("labels") or {}),
    }
    made: Object = {
        "metadata": {"generateName": identity, "labels": labels, "annotations": metadata.get("annotations") or {}},
        "spec": template["spec"],
    }
    return made


def image_label(image: str) -> str:
    """An image's name as a label value; empty when it cannot be one."""
    value = image.replace("/", "_").replace(":", "_")
    return value if len(value) <= 63 else ""


def data_annotations(device_set: Object) -> dict[str, str]:
    """The annotations that Rook reads: the class from the data template, weights from the last one of all."""
    templates = device_set.get("volumeClaimTemplates") or []
    found: dict[str, str] = {}
    for template in templates:
        annotations = (template.get("metadata") or {}).get("annotations") or {}
        if template_name(template, templates) == "data":
            found["class"] = annotations.get("crushDeviceClass", "")
        found["weight"] = annotations.get("crushInitialWeight", "")
    return found
