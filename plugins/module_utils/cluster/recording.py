# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster answered, as it is kept in a file: small, without what pods are made of, where secrets could be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..plan.errors import Absent, SpecError
from .state import Answers

VERSION = 1

_META = ("name", "namespace", "labels", "annotations", "generation", "resourceVersion", "deletionTimestamp")
_POD = ("nodeName",)
# Templates of pods are long, say nothing that is planned from, and may have passwords in their environment.
_LEFT_OUT = ("template",)
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def recording(answers: Answers, cluster: str, taken: str) -> dict[str, Any]:
    """A recording as JSON; ``taken`` is the time in UTC."""
    kept = {"kubernetes": [_kept(one) for one in answers["kubernetes"]], "ceph": dict(answers["ceph"])}
    return {"observation": VERSION, "cluster": cluster, "taken": taken, "answers": kept}


def missing(cluster: str, taken: str, why: str) -> dict[str, Any]:
    """The recording of a cluster that is not there yet; ``why`` is a sentence."""
    return {"observation": VERSION, "cluster": cluster, "taken": taken, "absent": why}


def answers(found: Mapping[str, Any], cluster: str) -> Answers:
    """What a recording holds.

    :raises SpecError: it is no recording of this cluster.
    :raises Absent: there was no cluster when it was made.
    """
    if found.get("observation") != VERSION or "cluster" not in found:
        raise SpecError("it is no recording of a cluster of this release")
    if found["cluster"] != cluster:
        raise SpecError(f"it is a recording of cluster {found['cluster']} and not of {cluster}")
    if found.get("absent"):
        raise Absent(str(found["absent"]).rstrip("."))
    held = found.get("answers")
    parts = held if isinstance(held, dict) else {}
    if not isinstance(parts.get("kubernetes"), list) or not isinstance(parts.get("ceph"), dict):
        raise SpecError("it is no recording of a cluster of this release")
    return parts


def _kept(one: Mapping[str, Any]) -> dict[str, Any]:
    meta = _only(one.get("metadata", {}), _META)
    if "annotations" in meta:
        meta["annotations"] = {key: value for key, value in (meta["annotations"] or {}).items() if key != _APPLIED}
    spec = one.get("spec", {})
    spec = _only(spec, _POD) if one["kind"] == "Pod" else {key: spec[key] for key in spec if key not in _LEFT_OUT}
    status = {key: value for key, value in one.get("status", {}).items() if key not in ("images", "containerStatuses")}
    return {"kind": one["kind"], "metadata": meta, "spec": spec, "status": status}


def _only(values: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: values[key] for key in keys if key in values}
