# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is known of a site before any host is contacted: its documents, its hosts, and what these can give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ..host.layout import Layout
from ..host.sizes import SizeError, parse_bytes, parse_size

NODES = "kube_node"
CONTROL_PLANES = "kube_control_plane"


@dataclass(frozen=True)
class HostFacts:
    """One host: ``document`` is its merged ``host_storage``; ``rack`` is empty where the inventory has none."""

    name: str
    rack: str = ""
    groups: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SiteFacts:
    """The documents by variable, and every host of the inventory."""

    sections: Mapping[str, Mapping[str, Any]]
    hosts: tuple[HostFacts, ...]

    @property
    def nodes(self) -> tuple[HostFacts, ...]:
        """The hosts that run pods: those of kube_node, or all where no host is in that group."""
        named = tuple(host for host in self.hosts if NODES in host.groups)
        return named or self.hosts

    @property
    def control_planes(self) -> tuple[HostFacts, ...]:
        """The hosts of kube_control_plane."""
        return tuple(host for host in self.hosts if CONTROL_PLANES in host.groups)

    @property
    def clusters(self) -> Mapping[str, Mapping[str, Any]]:
        """The Ceph clusters by name."""
        found: Mapping[str, Mapping[str, Any]] = self.sections.get("ceph", {}).get("clusters", {})
        return found


@dataclass(frozen=True)
class Supply:
    """What a host gives of a StorageClass: ``devices`` whole ones (None: any number), or ``bytes`` (None: unknown)."""

    host: HostFacts
    devices: int | None = None
    bytes: int | None = None
    mode: str = "block"
    rotational: bool | None = None


@dataclass(frozen=True)
class StorageClass:
    """A StorageClass and who provides it: ``local``, ``topolvm``, ``ceph``, ``bucket`` or ``external``."""

    name: str
    provider: str
    supplies: tuple[Supply, ...] = ()
    path: tuple[str, ...] = ()


def storage_classes(site: SiteFacts) -> Iterator[StorageClass]:
    """Every StorageClass of the site; one name twice when two provide it."""
    local: dict[str, list[Supply]] = {}
    for host in site.nodes:
        for name, supply in _local(host):
            local.setdefault(name, []).append(supply)
    for name, supplies in local.items():
        yield StorageClass(name, "local", tuple(supplies))
    topolvm = site.sections.get("topolvm", {})
    for name, entry in topolvm.get("storage_classes", {}).items():
        device_class = topolvm.get("device_classes", {}).get(entry["device_class"])
        found = tuple(_topolvm(site, device_class)) if device_class else ()
        yield StorageClass(name, "topolvm", found, ("topolvm", "storage_classes", name))
    for cluster, entry in site.clusters.items():
        for section, provider in (("storage_classes", "ceph"), ("bucket_classes", "bucket")):
            for name in entry.get(section, {}):
                yield StorageClass(name, provider, (), ("ceph", "clusters", cluster, section, name))
    for name in site.sections.get("kubernetes", {}).get("external_storage_classes", ()):
        yield StorageClass(name, "external", (), ("kubernetes", "external_storage_classes"))


def _local(host: HostFacts) -> Iterator[tuple[str, Supply]]:
    layout = Layout(host.document)
    for name, entry in host.document.get("local_volumes", {}).items():
        source = entry.get("source", name)
        mode = entry.get("mode", "block")
        rotates = rotational(layout, (source,))
        yield entry["storage_class"], Supply(host, layout.count(source), None, mode, rotates)


def _topolvm(site: SiteFacts, device_class: Mapping[str, Any]) -> Iterator[Supply]:
    for host in hosts_of_device_class(site, device_class):
        layout = Layout(host.document)
        members = host.document["lvm"][device_class["volume_group"]]["physical_volumes"]
        most = most_for_topolvm(layout, device_class)
        yield Supply(host, None, most, "block", rotational(layout, members))


def hosts_of_device_class(site: SiteFacts, device_class: Mapping[str, Any]) -> tuple[HostFacts, ...]:
    """The nodes whose document has the volume group, and the thin pool where the class names one."""
    pool = device_class.get("thin_pool")
    found = []
    for host in site.nodes:
        group = host.document.get("lvm", {}).get(device_class["volume_group"])
        if group is not None and (pool is None or pool in group.get("thin_pools", {})):
            found.append(host)
    return tuple(found)


def rotational(layout: Layout, references: Any) -> bool | None:
    """Whether the disks below rotate, as far as their selectors say; None when they do not, or differ."""
    said = set()
    for reference in references:
        group = layout.groups.get(layout.below(reference).partition(".")[0], {})
        match = group.get("match", {})
        if match.get("transport") == "nvme":
            said.add(False)
        else:
            said.add(match.get("rotational"))
    return said.pop() if len(said) == 1 else None


def most_for_topolvm(layout: Layout, device_class: Mapping[str, Any]) -> int | None:
    """The most bytes that a device class can have on a host; None when the document does not bound its disks."""
    group = layout.volume_groups[device_class["volume_group"]]
    whole = layout.most_bytes_of_all(group["physical_volumes"])
    if whole is None:
        return None
    try:
        if "thin_pool" in device_class:
            pool = parse_size(group["thin_pools"][device_class["thin_pool"]]["size"])
            size = whole - _others(group, whole, device_class["thin_pool"]) if pool.rest else pool.of(whole)
            return int(size * Fraction(str(device_class.get("overprovision", 1))))
        spare = parse_bytes(device_class.get("spare", "10 GiB"))
        return max(0, whole - _others(group, whole, None) - spare)
    except SizeError:
        return None


def _others(group: Mapping[str, Any], whole: int, without: str | None) -> int:
    """What the other thick volumes and thin pools of a group take of ``whole`` bytes."""
    taken = 0
    for name, entry in group.get("thin_pools", {}).items():
        if name != without:
            taken += parse_size(entry["size"]).of(whole)
    for entry in group.get("volumes", {}).values():
        if "thin_pool" not in entry and entry.get("type") != "thin":
            taken += parse_size(entry["size"]).of(whole)
    return min(taken, whole)


def mon_storage(site: SiteFacts, cluster: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Where monitors keep their data: ``storage_class`` and ``size``; None for a folder of their host."""
    if "mon_storage" in cluster:
        chosen = cluster["mon_storage"]
        return {"storage_class": chosen["storage_class"], "size": chosen.get("size", "10 GiB")}
    classes = site.sections.get("topolvm", {}).get("storage_classes", {})
    default = [name for name, entry in classes.items() if entry.get("default")] or sorted(classes)[:1]
    return {"storage_class": default[0], "size": "10 GiB"} if default else None


def data_dir(name: str, cluster: Mapping[str, Any]) -> str:
    """The folder on the hosts for the daemons of a cluster."""
    return str(cluster.get("data_dir", f"/var/lib/rook/{name}"))
