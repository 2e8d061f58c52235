# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an OSD stands in the CRUSH map, from the labels of its node; and labels that Rook refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .words import HOSTNAME, Object, labels_of, name_of

# From the highest level to the lowest; the host is below all of them.
LEVELS = (
    ("topology.kubernetes.io/region", "region"),
    ("topology.kubernetes.io/zone", "zone"),
    *((f"topology.rook.io/{level}", level) for level in ("datacenter", "room", "pod", "pdu", "row", "rack", "chassis")),
)


def crush_name(value: str) -> str:
    """A name as CRUSH takes it: it refuses dots."""
    return value.replace(".", "-")


def location(labels: Mapping[str, str], host: str) -> str:
    """The CRUSH location: ``root=default host=h1 rack=rack1``. A value of two levels counts for the lower one."""
    found: dict[str, str] = {"host": crush_name(host)}
    seen = {host}
    for label, level in reversed(LEVELS):
        value = labels.get(label, "")
        if value and value not in seen:
            found[level] = crush_name(value)
            seen.add(value)
    levels = ["host", *(level for _, level in reversed(LEVELS))]
    return " ".join(["root=default", *(f"{level}={found[level]}" for level in levels if level in found)])


def affinity(labels: Mapping[str, str]) -> str:
    """The lowest label above the host, as ``label=value``; empty when there is none."""
    for label, _ in reversed(LEVELS):
        if labels.get(label):
            return f"{label}={labels[label]}"
    return ""


def conflict(nodes: Sequence[Object]) -> str:
    """Why Rook would make no OSD with these node labels; empty when nothing is wrong with them."""
    values: dict[str, list[str]] = {label: [] for label, _ in LEVELS}
    for node in nodes:
        labels = labels_of(node)
        for label, _ in LEVELS:
            if label in labels and not labels[label]:
                return f'invalid topology: label "{label}" has an empty value on node "{name_of(node)}"'
            if labels.get(label):
                values[label].append(crush_name(labels[label]))
    return _two_parents(nodes) or _two_levels(values)


def _two_parents(nodes: Iterable[Object]) -> str:
    parents: dict[tuple[str, str], str] = {}
    for node in nodes:
        labels = labels_of(node)
        parent = ""
        for label, _ in LEVELS:
            value = crush_name(labels.get(label, ""))
            if not value:
                continue
            known = parents.setdefault((label, value), parent)
            if parent and known and known != parent:
                first, second = sorted((known, parent))
                return f'invalid topology: "{label}" value "{value}" appears under both "{first}" and "{second}"'
            if not known:
                parents[label, value] = parent
            parent = value
    return ""


def _two_levels(values: Mapping[str, Sequence[str]]) -> str:
    seen: dict[str, str] = {}
    for label, _ in LEVELS:
        for value in sorted(set(values[label])):
            if value in seen:
                return f'invalid topology: value "{value}" appears under both "{seen[value]}" and "{label}"'
            seen[value] = label
    return ""


def rack_of(node: Object) -> str:
    """What mons are spread over: the lowest label above the host, else the host itself."""
    labels = labels_of(node)
    return affinity(labels) or labels.get(HOSTNAME, name_of(node))
