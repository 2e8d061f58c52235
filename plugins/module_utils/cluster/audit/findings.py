# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two owners of one disk, found from four sides: volumes, Ceph's own records, pods, processes. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..sharing import shared
from ..state import Cluster
from .facts import Device, HostFacts


@dataclass(frozen=True, order=True)
class Finding:
    """``code`` is one word for metrics; the rest is a sentence: where, what, what to do."""

    code: str
    target: str
    message: str
    hint: str

    def sentence(self) -> str:
        return f"{self.target}: {self.message}; {self.hint}."

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "target": self.target, "message": self.message, "hint": self.hint}


CODES = (
    "volume_shared",
    "volume_nested",
    "volume_deleted",
    "volume_without_node",
    "osd_device_shared",
    "osd_uuid_shared",
    "label_other_cluster",
    "label_other_osd",
    "pods_two",
    "pod_stuck",
    "replicas",
    "strategy",
    "data_not_on_host",
    "process_two",
    "process_none",
)


def findings(
    clusters: Iterable[Cluster], objects: Iterable[Mapping[str, Any]], hosts: Iterable[HostFacts]
) -> list[Finding]:
    """All that is wrong, sorted; empty is what a clean site has. ``objects`` are Deployments as Kubernetes has them."""
    known, by_name = list(clusters), {one.host: one for one in hosts}
    found = [
        *_volumes(known, by_name),
        *_lost(known),
        *_records(known, by_name),
        *_pods(known),
        *_templates(objects),
        *_processes(known, by_name),
    ]
    return sorted(set(found))


def _volumes(clusters: list[Cluster], hosts: Mapping[str, HostFacts]) -> Iterator[Finding]:
    """1: each local volume leads to a device of its own, and to none that another one contains."""
    volumes = {volume.name: volume for cluster in clusters for volume in cluster.volumes.values() if volume.path}
    for one in shared(volumes.values()):
        if one.inside:
            yield _nested(one.node, one.disk, one.inside, one.names, one.disk)
        else:
            yield _shared(one.node, one.disk, one.names)
    for host in hosts.values():
        by_number: dict[str, list[str]] = defaultdict(list)
        for volume in volumes.values():
            number = host.paths.get(volume.path) if volume.node == host.host else None
            if number:
                by_number[number].append(volume.name)
        by_wwn: dict[str, list[str]] = defaultdict(list)
        for number in by_number:
            known = host.devices.get(number)
            if known is not None and known.whole and known.wwn:
                by_wwn[known.wwn].append(number)
        for numbers in by_wwn.values():
            if len(numbers) > 1:  # one disk by two paths
                first = min(numbers)
                yield _shared(host.host, _title(host, first), [name for one in numbers for name in by_number[one]])
        for number, names in sorted(by_number.items()):
            what = _title(host, number)
            if len(names) > 1:
                yield _shared(host.host, what, names)
            device = host.devices.get(number)
            for above in sorted(device.above & set(by_number)) if device else ():
                yield _nested(host.host, what, names, by_number[above], _title(host, above))


def _lost(clusters: list[Cluster]) -> Iterator[Finding]:
    """1: no volume goes while its disk is used, and none is of a host that is gone."""
    for cluster in clusters:
        for volume in cluster.volumes.values():
            used = f"claim {volume.claim} uses it" if volume.claim else "no claim uses it"
            if volume.path and volume.deleting:
                yield Finding(
                    "volume_deleted",
                    f"{volume.node} volume {volume.name}",
                    f"it was deleted while {used}: it goes with the claim, and leaves a disk that nobody wiped",
                    "take its OSD out by 'replace' or a lower count; the role local_volumes offers the disk again",
                )
            # Inside the cluster nodes are not asked for.
            if volume.path and cluster.nodes and volume.node not in cluster.nodes:
                yield Finding(
                    "volume_without_node",
                    f"{volume.node} volume {volume.name}",
                    f"Kubernetes has no such node, and {used}",
                    "bring the host back as a node of that name, or take out its OSDs and delete the volume",
                )


def _shared(host: str, what: str, names: Iterable[str]) -> Finding:
    return Finding(
        "volume_shared",
        f"{host} {what}",
        f"volumes {', '.join(sorted(names))} all lead to it",
        "delete all but the one whose claim uses it",
    )


def _nested(host: str, what: str, inner: Iterable[str], outer: Iterable[str], disk: str) -> Finding:
    return Finding(
        "volume_nested",
        f"{host} {what}",
        f"volume {', '.join(sorted(inner))} lies on {disk}, which is all of volume {', '.join(sorted(outer))}",
        "delete the volume that nobody uses before anybody claims it",
    )


def _records(clusters: list[Cluster], hosts: Mapping[str, HostFacts]) -> Iterator[Finding]:
    """2: no two OSDs say that they have the same device or UUID, and the labels on disks agree with the osdmap."""
    uuids: dict[str, list[str]] = defaultdict(list)
    for cluster in clusters:
        for osd in cluster.osds.values():
            uuids[osd.uuid].append(f"{osd.name} of {cluster.name}")
        devices: dict[str, list[str]] = defaultdict(list)
        for number, where in cluster.serials.items():
            if where and number in cluster.osds and cluster.osds[number].up:
                devices[where].append(f"osd.{number}")
        for where, names in sorted(devices.items()):
            if len(names) > 1:
                yield Finding(
                    "osd_device_shared",
                    f"{cluster.name} {where}",
                    f"{', '.join(names)} all say that it is their device",
                    "stop all but one at once, and look which of them is damaged",
                )
    for uuid, names in sorted(uuids.items()):
        if len(names) > 1:
            yield Finding(
                "osd_uuid_shared", uuid, f"{', '.join(names)} have this UUID", "find out whose disk was copied"
            )
    by_fsid = {cluster.fsid: cluster for cluster in clusters}
    for host in hosts.values():
        for label in host.labels:
            target = f"{host.host} {_title(host, label.number)}"
            owner = by_fsid.get(label.fsid)
            if owner is None and label.fsid:
                yield Finding(
                    "label_other_cluster",
                    target,
                    f"it carries osd.{label.osd} of cluster {label.fsid}, which is none here",
                    "wipe it with a consent if that cluster is gone",
                )
            elif owner is not None and label.osd.isdigit():
                known = owner.osds.get(int(label.osd))
                if known is not None and known.uuid != label.uuid:
                    yield Finding(
                        "label_other_osd",
                        target,
                        f"it carries UUID {label.uuid} as osd.{label.osd}, and the osdmap has {known.uuid}",
                        "it is an old disk of that number: wipe it before anything starts on it",
                    )


def _pods(clusters: list[Cluster]) -> Iterator[Finding]:
    """3: no OSD has two pods that may run, and none hangs at its end."""
    for cluster in clusters:
        pods: dict[int, list[str]] = defaultdict(list)
        for pod in cluster.pods:
            pods[pod.osd].append(f"{pod.name} on {pod.node or 'no node'}{' (Terminating)' if pod.deleting else ''}")
            if pod.deleting:
                yield Finding(
                    "pod_stuck",
                    f"{cluster.name} {pod.name}",
                    "it was asked to end and is still there",
                    "never delete it by force while its node may run it",
                )
        for number, names in sorted(pods.items()):
            if len(names) > 1:
                yield Finding(
                    "pods_two",
                    f"{cluster.name} osd.{number}",
                    f"it has {len(names)} pods: {', '.join(sorted(names))}",
                    "find out which one holds the disk before anything else is started",
                )


def _templates(objects: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """3: a Deployment starts one pod at most, the old one ends first, and locks outlive pods."""
    for one in objects:
        meta, spec = one["metadata"], one["spec"]
        if "ceph-osd-id" not in (meta.get("labels") or {}):
            continue
        target = f"{meta.get('namespace', '')} {meta['name']}"
        if spec.get("replicas", 1) > 1:
            yield Finding("replicas", target, f"it wants {spec['replicas']} pods of one OSD", "scale it to 1")
        if spec.get("strategy", {}).get("type") != "Recreate":
            yield Finding(
                "strategy", target, "a new pod may start before the old one ended", "set its strategy to Recreate"
            )
        for volume in spec.get("template", {}).get("spec", {}).get("volumes", ()):
            if volume["name"].endswith("-bridge") and "emptyDir" in volume:
                yield Finding(
                    "data_not_on_host",
                    target,
                    "the locks of its OSD are in an emptyDir, so that a second pod sees none",
                    "upgrade Rook to 1.6 or newer, and restart it",
                )


def _processes(clusters: list[Cluster], hosts: Mapping[str, HostFacts]) -> Iterator[Finding]:
    """4: exactly one ceph-osd has the disk of an OSD open."""
    for host in hosts.values():
        for number, pids in sorted(host.holders.items()):
            if len(pids) > 1:
                yield Finding(
                    "process_two",
                    f"{host.host} {_title(host, number)}",
                    f"ceph-osd processes {', '.join(map(str, sorted(pids)))} all have it open",
                    "stop all but the one whose pod is known",
                )
    for cluster in clusters:
        for deployment in cluster.deployments:
            osd, claim = cluster.osds.get(deployment.osd), cluster.claims.get(deployment.claim)
            volume = cluster.volumes.get(claim.volume) if claim else None
            where = hosts.get(volume.node) if volume else None
            device = where.paths.get(volume.path) if where and volume else None
            if osd is not None and osd.up and where is not None and device and not _held(where, device):
                yield Finding(
                    "process_none",
                    f"{cluster.name} {osd.name}",
                    f"it is up, and no ceph-osd of {where.host} has {_title(where, device)} open, where its volume is",
                    "find out which device it writes to",
                )


def _held(host: HostFacts, number: str) -> bool:
    """Whether the device, or one that lies on it such as an encrypted one, is open."""
    return bool(host.holders.get(number)) or any(
        number in host.devices[held].above for held, pids in host.holders.items() if pids and held in host.devices
    )


def _title(host: HostFacts, number: str) -> str:
    device: Device | None = host.devices.get(number)
    if device is None:
        return f"device {number}"
    return f"disk {device.serial}" if device.serial else f"device {device.name}"
