# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Labels and taints of nodes: what they carry, what they shall carry, and the commands in between. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..plan.errors import ObserveError, SpecError

RACK = "topology.rook.io/rack"
ZONE = "topology.kubernetes.io/zone"
# What was set is remembered on the node, so that what leaves the document leaves the node as well.
OURS = "barestore.storage/labels"

Taint = tuple[str, str, str]  # key, value, effect


class Wanted(NamedTuple):
    """What one node shall carry."""

    name: str
    labels: Mapping[str, str]
    taints: frozenset[Taint]


def wanted(entries: Sequence[Mapping[str, Any]]) -> list[Wanted]:
    """The nodes of a document.

    :param entries: name, rack, zone, labels and taints of each node.
    :raises SpecError: a rack and a zone of one name, which Rook takes for a mistake, or a rack in two zones.
    """
    racks = {one["rack"]: one["name"] for one in entries if one.get("rack")}
    zones: dict[str, str] = {}
    nodes = []
    for one in entries:
        rack, zone = one.get("rack") or "", one.get("zone") or ""
        if zone in racks:
            raise SpecError(
                f"host {one['name']}: zone {zone!r} is the name of a rack as well (host {racks[zone]})",
                "Rook refuses a value that two levels of its topology share: rename one, or leave zone out",
            )
        if rack and zone and zones.setdefault(rack, zone) != zone:
            raise SpecError(
                f"host {one['name']}: rack {rack!r} is in zone {zone!r} here and in {zones[rack]!r} on another host",
                "a rack lies in one zone",
            )
        labels = {str(key): str(value) for key, value in (one.get("labels") or {}).items()}
        labels.update({key: value for key, value in ((RACK, rack), (ZONE, zone)) if value})
        taints = frozenset(
            (taint["key"], taint.get("value") or "", taint.get("effect") or "NoSchedule")
            for taint in one.get("taints") or ()
        )
        nodes.append(Wanted(one["name"], labels, taints))
    return nodes


def observed(text: str) -> dict[str, Mapping[str, Any]]:
    """The nodes of ``kubectl get nodes --output json`` by name.

    :raises ObserveError: it is no such text.
    """
    try:
        return {item["metadata"]["name"]: item for item in json.loads(text)["items"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ObserveError("kubectl did not print the nodes that were asked of it") from error


def commands(nodes: Sequence[Wanted], have: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The words of kubectl that lead there, none for a node that is as it shall be.

    :raises ObserveError: a host is no node of this cluster; all such hosts are named.
    """
    absent = sorted(one.name for one in nodes if one.name not in have)
    if absent:
        raise ObserveError(f"no node of the cluster is {', '.join(absent)}", "run the role kubernetes for it first")
    for one in nodes:
        yield from _commands(one, have[one.name])


def _commands(one: Wanted, node: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    metadata = node["metadata"]
    labels = metadata.get("labels") or {}
    remembered = frozenset(filter(None, (metadata.get("annotations") or {}).get(OURS, "").split(",")))
    words = [f"{key}={value}" for key, value in sorted(one.labels.items()) if labels.get(key) != value]
    words += [f"{key}-" for key in sorted(remembered - set(one.labels)) if key in labels]
    if words:
        yield ("label", "node", one.name, "--overwrite", *words)
    taints = {_taint(entry) for entry in node.get("spec", {}).get("taints") or ()}
    if missing := sorted(one.taints - taints):
        yield ("taint", "node", one.name, "--overwrite", *(f"{key}={value}:{effect}" for key, value, effect in missing))
    if remembered != set(one.labels):
        yield ("annotate", "node", one.name, "--overwrite", f"{OURS}={','.join(sorted(one.labels))}")


def _taint(entry: Mapping[str, Any]) -> Taint:
    return entry["key"], entry.get("value") or "", entry["effect"]
