# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a simulated host is what a document says, read from the model and not from a plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulated_block import Node
from simulated_host import SimulatedHost
from simulated_zfs_reports import row_of, value_of

from ansible_collections.barestore.storage.plugins.module_utils.host.normal_form import long_form
from ansible_collections.barestore.storage.plugins.module_utils.host.sizes import parse_size

_STATE = "/var/lib/barestore/state.json"


def differences(host: SimulatedHost, document: Mapping[str, Any]) -> list[str]:
    """What the document asks for and the host has not."""
    long = long_form(document)
    return [f"{what}: {why}" for check in _CHECKS for what, why in check(host, long)]


Found = Iterator[tuple[str, str]]


def nodes(host: SimulatedHost, document: Mapping[str, Any], ref: str) -> list[Node]:
    """The devices that a reference of the document means."""
    group, slash, name = ref.partition("/")
    if slash and group in document.get("zfs", {}):
        dataset = host.zfs.pools[group].datasets[ref]
        return [dataset.node] if dataset.node else []
    if slash:
        volume = host.lvm.groups[group].volumes[name]
        return [volume.node] if volume.node else []
    if ref in document.get("md", {}):
        return [one.node for one in host.md.arrays if one.name == ref and one.node]
    if ref in document.get("luks", {}):
        below = nodes(host, document, document["luks"][ref]["device"])
        return [one for one in host.nodes if one.kind == "crypt" and any(one.parents[0] is each for each in below)]
    group, dot, name = ref.partition(".")
    serials = {one["serial"] for one in json.loads(host.files[_STATE])["disks"][group]}
    disks = [one for one in host.nodes if one.kind == "disk" and one.disk and one.disk.serial in serials]
    if not dot:
        return disks
    parts = [one for disk in disks for one in (disk.table.nodes if disk.table else ())]
    return [one for one in parts if one.partition and one.partition.name == name]


def _disks(host: SimulatedHost, document: Mapping[str, Any]) -> Found:
    for name, group in document.get("disks", {}).items():
        count = group.get("take", group.get("count"))
        found = len(nodes(host, document, name)) if any(name in str(one) for one in host.files.values()) else 0
        if isinstance(count, int) and found != count and _is_used(name, document):
            yield name, f"{found} disks"


def _is_used(name: str, document: Mapping[str, Any]) -> bool:
    return f'"{name}"' in json.dumps({key: value for key, value in document.items() if key != "disks"})


def _partitions(host: SimulatedHost, document: Mapping[str, Any]) -> Found:
    for group, table in document.get("partitions", {}).items():
        disks = nodes(host, document, group)
        for entry in table:
            found = nodes(host, document, f"{group}.{entry['name']}")
            if len(found) != len(disks):
                yield f"{group}.{entry['name']}", f"on {len(found)} of {len(disks)} disks"
            wanted = parse_size(entry["size"]).bytes
            for one in found:
                if wanted is not None and one.size < wanted:
                    yield f"{group}.{entry['name']}", f"has {one.size} bytes"


def _arrays(host: SimulatedHost, document: Mapping[str, Any]) -> Found:
    for name, entry in document.get("md", {}).items():
        members = [one for ref in entry["devices"] for one in nodes(host, document, ref)]
        (array,) = [one for one in host.md.arrays if one.name == name]
        if array.level != entry["level"] or array.node is None:
            yield name, f"is {array.level}"
        if {id(one) for one in array.members} != {id(one) for one in members}:
            yield name, f"has {len(array.members)} members"


def _encrypted(host: SimulatedHost, document: Mapping[str, Any]) -> Found:
    for name, entry in document.get("luks", {}).items():
        below, opened = nodes(host, document, entry["device"]), nodes(host, document, name)
        if len(below) != len(opened) or not below:
            yield name, f"{len(opened)} of {len(below)} are open"
        for one in below:
            if one.content is None or one.content.geometry["cipher"] != entry["cipher"]:
                yield name, f"carries {one.content}"


def _volume_groups(host: SimulatedHost, document: Mapping[str, Any]) -> Found:
    for name, entry in document.get("lvm", {}).items():
        group = host.lvm.groups[name]
        members = [one for ref in entry["physical_volumes"] for one in nodes(host, document, ref)]
        if {id(one.node) for one in group.members} != {id(one) for one in members}:
            yield name, f"has {len(group.members)} physical volumes and not {len(members)}"
        for key in ("volumes", "thin_pools"):
            for volume, body in entry.get(key, {}).items():
                found = group.volumes.get(volume)
                wanted = parse_size(body["size"]).bytes
                kind = (
                    "thin-pool"
                    if key == "thin_pools"
                    else body.get("type", "thin" if "thin_pool" in body else "linear")
                )
                if found is None:
                    yield f"{name}/{volume}", "is not there"
                elif found.type != ("cache" if body.get("cache") else kind):
                    yield f"{name}/{volume}", f"is {found.type}"
                elif wanted and found.extents * group.extent < wanted and body.get("size_policy") != "create_only":
                    yield f"{name}/{volume}", f"has {found.extents} extents"


def _pools(host: SimulatedHost, document: Mapping[str, Any]) -> Found:
    for name, entry in document.get("zfs", {}).items():
        pool = host.zfs.pools[name]
        for role in ("data", "log", "cache", "spare"):
            refs = [
                ref for line in entry.get(role, ()) for refs in line.values() if isinstance(refs, list) for ref in refs
            ]
            devices = sum(len(nodes(host, document, ref)) for ref in refs)
            found = sum(len(vdev.names) for vdev in pool.vdevs if vdev.role == role)
            if devices != found:
                yield name, f"{role} has {found} devices and not {devices}"
        for key in ("datasets", "volumes"):
            for path, body in entry.get(key, {}).items():
                dataset = pool.datasets.get(f"{name}/{path}")
                if dataset is None:
                    yield f"{name}/{path}", "is not there"
                    continue
                properties = {k: v for k, v in body.items() if k not in ("mount", "size", "sparse")}
                for word, value in properties.items():
                    has, _source = row_of(pool, dataset, word) or ("", "")
                    if has != value_of(word, str(value)):
                        yield f"{name}/{path}", f"{word} is {has} and not {value}"
                mount = str(body.get("mount", {}).get("path", "")) if isinstance(body.get("mount"), dict) else ""
                if mount.startswith("/") and dataset.mounted != mount:
                    yield f"{name}/{path}", f"is mounted on {dataset.mounted!r}"


def _carried(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What may have a file system or swap, with its reference."""
    for entry in document.get("filesystems", {}).values():
        body = {key: entry[key] for key in ("type", "label", "options") if key in entry}
        yield entry["device"], {"filesystem": body, "mount": entry.get("mount")}
    for entry in document.get("swap", {}).values():
        yield entry["device"], {"swap": entry}
    for group, table in document.get("partitions", {}).items():
        yield from ((f"{group}.{one['name']}", one) for one in table)
    for group, entry in document.get("lvm", {}).items():
        yield from ((f"{group}/{name}", one) for name, one in entry.get("volumes", {}).items())


def _contents(host: SimulatedHost, document: Mapping[str, Any]) -> Found:
    for ref, body in _carried(document):
        for node in nodes(host, document, ref):
            kind = (body.get("filesystem") or {}).get("type", "")
            if kind and (node.content is None or node.content.type != kind):
                yield ref, f"carries {node.content} and not {kind}"
            elif kind and "label" in body["filesystem"] and node.content.label != body["filesystem"]["label"]:
                yield ref, f"has the label {node.content.label!r}"
            if kind and body.get("mount"):
                yield from _mounted(host, ref, node, body["mount"])
            if body.get("swap") is not None and node not in host.swaps:
                yield ref, "is not used as swap"
            priority = (body.get("swap") or {}).get("priority")
            if priority is not None and f"pri={priority}" not in _fstab(host, node):
                yield ref, f"fstab says {_fstab(host, node)}"


def _mounted(host: SimulatedHost, ref: str, node: Node, mount: Mapping[str, Any]) -> Found:
    disk = node
    while disk.parents:
        disk = disk.parents[0]
    path = mount["path"].replace("{serial}", disk.disk.serial if disk.disk else "")
    if host.mounts.get(path) is not node:
        yield ref, f"is not mounted on {path}"
        return
    options = _fstab(host, node)
    absent = [one for one in mount.get("options", ()) if one != "defaults" and one not in options]
    if absent or ("nofail" in options) != mount.get("nofail", True):
        yield ref, f"fstab says {options}"
    folder = host.folders[node.kname, path]
    for key, now in (("owner", folder.owner), ("mode", folder.mode)):
        wanted = str(mount[key]) if key in mount else ""
        wanted = host.accounts.get(wanted, wanted) if key == "owner" else wanted.rjust(4, "0")
        if key in mount and now != wanted:
            yield path, f"its {key} is {now}"


def _fstab(host: SimulatedHost, node: Node) -> list[str]:
    """The options of a device's line."""
    uuid = node.content.uuid if node.content else ""
    rows = [line.split() for line in host.files["/etc/fstab"].splitlines()]
    return next((row[3].split(",") for row in rows if row[0] == f"UUID={uuid}"), [])


def _given_away(host: SimulatedHost, document: Mapping[str, Any]) -> Found:
    for name, entry in document.get("local_volumes", {}).items():
        count = sum(path.startswith(f"/var/lib/barestore/local-volumes/{name}/") for path in host.links)
        wanted = len(nodes(host, document, entry.get("source", name)))
        if count != wanted:
            yield f"local volume {name}", f"{count} links and not {wanted}"


_CHECKS: tuple[Callable[[SimulatedHost, Mapping[str, Any]], Found], ...] = (
    _disks, _partitions, _arrays, _encrypted, _volume_groups, _pools, _contents, _given_away,
)  # fmt: skip
