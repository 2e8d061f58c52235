# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documents of a site ask of its hosts, and no host or rack can give. Nothing is contacted."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..host.problems import Path, Problem, did_you_mean
from ..host.sizes import human, parse_bytes
from .checks_spread import check_domains
from .document import (
    CONTROL_PLANES,
    SiteFacts,
    StorageClass,
    Supply,
    hosts_of_device_class,
    mon_storage,
    storage_classes,
)

Found = Iterator["tuple[str, Problem]"]


def check_site(site: SiteFacts) -> Found:
    """Problems by the document that they are in; only for documents that are right by themselves."""
    for name in ("ceph", "topolvm"):
        if name in site.sections and "kubernetes" not in site.sections:
            hint = "add kubernetes: with version and api"
            yield name, Problem((), f"{name} runs on Kubernetes, and the site has no kubernetes", hint)
    yield from _of("kubernetes", _kubernetes(site)) if "kubernetes" in site.sections else ()
    yield from _of("topolvm", _topolvm(site)) if "topolvm" in site.sections else ()
    classes: dict[str, StorageClass] = {}
    for each in storage_classes(site):
        other = classes.get(each.name)
        if other is not None:
            yield from _twice(each, other)
        classes.setdefault(each.name, each)
    yield from _default_classes(site)
    if site.clusters:
        yield from _of("ceph", _ceph(site, classes))
        yield from _of("ceph", check_domains(site, classes))


def _of(name: str, problems: Iterable[Problem]) -> Found:
    for problem in problems:
        yield name, problem


def _kubernetes(site: SiteFacts) -> Iterator[Problem]:
    document = site.sections["kubernetes"]
    number = len(site.control_planes)
    if number == 0:
        hint = "put one, three or five hosts into it"
        yield Problem((), f"no host is in the group {CONTROL_PLANES}", hint)
    elif number % 2 == 0:
        hint = f"put {number - 1} or {number + 1} hosts into it"
        message = f"the group {CONTROL_PLANES} has {number} hosts, which survive no more losses than {number - 1}"
        yield Problem((), message, hint)
    if number > 1 and document["api"]["host"] in [host.name for host in site.control_planes]:
        message = f"'{document['api']['host']}' is one of {number} control planes, and goes with it"
        yield Problem(("api", "host"), message, "write the name of a balancer or of a virtual IP")
    known = {group for host in site.hosts for group in host.groups}
    for group in document.get("groups", {}):
        if group not in known:
            yield Problem(("groups", group), f"no host is in a group '{group}'", did_you_mean(group, known))


def _topolvm(site: SiteFacts) -> Iterator[Problem]:
    for name, entry in site.sections["topolvm"]["device_classes"].items():
        if hosts_of_device_class(site, entry):
            continue
        here: Path = ("device_classes", name)
        groups = {group: host for host in site.nodes for group in host.document.get("lvm", {})}
        if entry["volume_group"] not in groups:
            message = f"no node has a volume group '{entry['volume_group']}' in its host_storage"
            yield Problem((*here, "volume_group"), message, did_you_mean(entry["volume_group"], groups))
        else:
            pools = groups[entry["volume_group"]].document["lvm"][entry["volume_group"]].get("thin_pools", {})
            message = f"volume group '{entry['volume_group']}' has no thin pool '{entry['thin_pool']}' on any node"
            yield Problem((*here, "thin_pool"), message, did_you_mean(entry["thin_pool"], pools))


def _twice(each: StorageClass, other: StorageClass) -> Found:
    where = each if each.path else other
    who = other if each.path else each
    by = ".".join(who.path[:-1]) if who.path else "local_volumes of the hosts"
    yield (
        where.path[0],
        Problem(where.path[1:], f"{by} provides the StorageClass '{each.name}' already", "rename one of the two"),
    )


def _default_classes(site: SiteFacts) -> Found:
    found: list[tuple[str, Path]] = []
    for name, entry in site.sections.get("topolvm", {}).get("storage_classes", {}).items():
        if entry.get("default"):
            found.append(("topolvm", ("storage_classes", name, "default")))
    for cluster, document in site.clusters.items():
        for name, entry in document.get("storage_classes", {}).items():
            if entry.get("default"):
                found.append(("ceph", ("clusters", cluster, "storage_classes", name, "default")))
    for section, path in found[1:]:
        first = found[0][1][-2]
        yield section, Problem(path, f"'{first}' is the default StorageClass already", "let one be the default")


def _ceph(site: SiteFacts, classes: Mapping[str, StorageClass]) -> Iterator[Problem]:
    asked: dict[str, list[tuple[Path, int, int]]] = {}  # by class: path, claims, bytes of each
    owners: dict[str, tuple[str, str]] = {}
    for cluster, document in site.clusters.items():
        for name, entry in document["device_sets"].items():
            here: Path = ("clusters", cluster, "device_sets", name)
            if not (yield from _source(classes, entry["storage_class"], (*here, "storage_class"))):
                continue
            found = classes[entry["storage_class"]]
            yield from _one_owner(found, owners, cluster, entry, here)
            yield from _fits_kind(found, entry, here)
            size = parse_bytes(entry["size"]) if "size" in entry else 0
            asked.setdefault(found.name, []).append(((*here, "count"), entry["count"], size))
            if "metadata" in entry:
                below = (*here, "metadata", "storage_class")
                if (yield from _source(classes, entry["metadata"]["storage_class"], below)):
                    size = parse_bytes(entry["metadata"]["size"])
                    asked.setdefault(entry["metadata"]["storage_class"], []).append((below, entry["count"], size))
        yield from _mon_storage(site, classes, cluster, document, asked)
    for name, wishes in asked.items():
        yield from _enough(classes[name], wishes)


def _source(classes: Mapping[str, StorageClass], name: str, path: Path) -> Any:
    """Whether somebody provides claims of this StorageClass for OSDs; else the problem."""
    found = classes.get(name)
    usable = [each for each, entry in classes.items() if entry.provider in ("local", "topolvm", "external")]
    if found is None:
        yield Problem(path, f"nobody provides the StorageClass '{name}'", did_you_mean(name, usable))
        return False
    if found.provider in ("ceph", "bucket"):
        message = f"the StorageClass '{name}' is made of Ceph itself"
        yield Problem(path, message, did_you_mean(name, usable))
        return False
    return True


def _one_owner(
    found: StorageClass, owners: dict[str, tuple[str, str]], cluster: str, entry: Mapping[str, Any], here: Path
) -> Iterator[Problem]:
    """Disks of one StorageClass go to whoever asks first, so that only one may ask."""
    if found.provider != "local":
        return
    first, device_class = owners.setdefault(found.name, (cluster, entry["device_class"]))
    where = (*here, "storage_class")
    hint = "give the disks of each a storage_class of its own in host_storage.local_volumes"
    if first != cluster:
        message = f"cluster '{first}' claims the disks of StorageClass '{found.name}' too"
        yield Problem(where, message, hint)
    elif device_class != entry["device_class"]:
        message = f"a set with device class '{device_class}' claims the disks of StorageClass '{found.name}' too"
        yield Problem(where, message, hint)


def _fits_kind(found: StorageClass, entry: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    for supply in found.supplies:
        if supply.mode != "block":
            message = f"host '{supply.host.name}' offers the volumes of '{found.name}' with a filesystem"
            yield Problem((*here, "storage_class"), message, "write mode: block in its host_storage.local_volumes")
            return
    if found.provider == "topolvm" and "size" not in entry:
        hint = "add size: with a number and a unit, such as size: 1 TiB"
        yield Problem(here, f"a volume of StorageClass '{found.name}' is made as large as is asked for", hint)
    rotates = entry["device_class"] == "hdd"
    odd = [supply for supply in found.supplies if supply.rotational not in (None, rotates)]
    if odd:
        what = "rotate" if odd[0].rotational else "do not rotate"
        message = f"the disks of host '{odd[0].host.name}' in StorageClass '{found.name}' {what}"
        hint = "write hdd" if odd[0].rotational else "write ssd or nvme"
        yield Problem((*here, "device_class"), message, f"{hint}, or name another storage class")


def _mon_storage(
    site: SiteFacts,
    classes: Mapping[str, StorageClass],
    cluster: str,
    document: Mapping[str, Any],
    asked: dict[str, list[tuple[Path, int, int]]],
) -> Iterator[Problem]:
    chosen = mon_storage(site, document)
    if chosen is None:
        return
    here: Path = ("clusters", cluster)
    path = (*here, "mon_storage", "storage_class") if "mon_storage" in document else (*here, "mons")
    if not (yield from _source(classes, chosen["storage_class"], path)):
        return
    found = classes[chosen["storage_class"]]
    if found.provider == "local" and any(supply.mode == "block" for supply in found.supplies):
        message = f"monitors need volumes with a filesystem, and those of '{found.name}' are raw disks"
        yield Problem(path, message, "name a storage class of topolvm, or one with mode: filesystem")
        return
    asked.setdefault(found.name, []).append((path, document.get("mons", 3), parse_bytes(chosen["size"])))


def _enough(found: StorageClass, wishes: list[tuple[Path, int, int]]) -> Iterator[Problem]:
    """Whether the hosts give as many volumes, of the sizes, as are asked for; said where most is asked."""
    if not found.supplies:
        return  # somebody else's, or no host has its volume group, which is said there
    path, _most, _size = max(wishes, key=lambda wish: wish[1] * max(wish[2], 1))
    total = sum(wish[1] for wish in wishes)
    if found.provider == "local":
        devices = [supply.devices for supply in found.supplies]
        known = [number for number in devices if number is not None]
        if len(known) < len(devices) or sum(known) >= total:
            return
        hosts = len({supply.host.name for supply in found.supplies})
        message = f"{total} volumes of StorageClass '{found.name}' are asked for"
        have = f"the documents of {hosts} host{'s' * (hosts != 1)} give {sum(known)}"
        yield Problem(path, f"{message}, and {have}", f"write {_lower(wishes, path, sum(known))}or add disks")
        return
    if any(supply.bytes is None for supply in found.supplies):
        return
    left = _packed(found.supplies, wishes)
    if left:
        room = sum(supply.bytes or 0 for supply in found.supplies)
        hosts = len(found.supplies)
        claims = sum(wish[1] * wish[2] for wish in wishes)
        message = (
            f"volumes of {human(claims)} in StorageClass '{found.name}' are asked for, and {hosts} "
            f"host{'s' * (hosts != 1)} with at most {human(room)} together have no room for {left} of them"
        )
        yield Problem(path, message, "ask for fewer or smaller ones, or give the volume groups more disks")


def _lower(wishes: list[tuple[Path, int, int]], path: Path, have: int) -> str:
    """The number that would do, where one number alone is to be changed."""
    others = sum(wish[1] for wish in wishes if wish[0] != path)
    return f"{have - others}, " if have > others else "less, "


def _packed(supplies: tuple[Supply, ...], wishes: list[tuple[Path, int, int]]) -> int:
    """How many volumes find no room, when the largest are placed first where most is free."""
    free = [-(supply.bytes or 0) for supply in supplies]  # negative, so that the heap gives the most first
    heapq.heapify(free)
    left = 0
    for size in sorted((size for _path, number, size in wishes for _each in range(number)), reverse=True):
        if -free[0] < size:
            left += 1
        else:
            heapq.heapreplace(free, free[0] + size)
    return left
