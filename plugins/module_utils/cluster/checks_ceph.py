# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ceph clusters that Rook or Ceph would refuse, or that would not keep what they are meant to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..host.problems import Path, Problem, did_you_mean
from ..host.sizes import SizeError, parse_bytes
from ..plan.errors import SpecError
from .document import data_dir
from .versions import ceph_problem, rook_problem
from .windows import is_open

# Rook refuses OSDs with less (pkg/operator/ceph/cluster/osd/osd.go, cephOsdPodMinimumMemory).
OSD_MEMORY_LEAST = 2 * 1024**3
_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease", "rook-ceph", "topolvm-system")


def check_ceph(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of ``ceph``."""
    said = ceph_problem(document["version"])
    if said is not None:
        yield Problem(("version",), *said)
    said = rook_problem(document.get("rook", "v1.20.6"))
    if said is not None:
        yield Problem(("rook",), *said)
    if document.get("csi", True) is False:
        for name, cluster in document["clusters"].items():
            for key in ("storage_classes", "filesystems"):
                if cluster.get(key):
                    hint = "remove csi: false, or this"
                    yield Problem(("clusters", name, key), "nothing can mount these with csi: false", hint)
    folders: dict[str, str] = {}
    for name, cluster in document["clusters"].items():
        here: Path = ("clusters", name)
        if name in _NAMESPACES:
            yield Problem(here, f"the namespace '{name}' belongs to others", "rename the cluster, such as 'ceph-hdd'")
        folder = data_dir(name, cluster)
        for other, theirs in folders.items():
            if folder == theirs or folder.startswith(theirs + "/") or theirs.startswith(folder + "/"):
                message = f"'{folder}' and the folder of cluster '{other}' lie in each other"
                where = (*here, "data_dir") if "data_dir" in cluster else here
                yield Problem(where, message, "give each cluster a folder of its own")
        folders[name] = folder
        yield from _device_sets(cluster, here)
        yield from _osd_changes(cluster, here)
        yield from _sizes(cluster, here)
        yield from _pools(cluster, here)
        yield from _references(cluster, here)


def _device_sets(cluster: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    if not any(entry["count"] for entry in cluster["device_sets"].values()):
        hint = "write a count for one set, or remove the cluster"
        yield Problem((*here, "device_sets"), "no device set has an OSD", hint)
    for name, entry in cluster["device_sets"].items():
        where = (*here, "device_sets", name)
        memory = _bytes(entry.get("memory"))
        if memory is not None and memory < OSD_MEMORY_LEAST:
            hint = "write '2 GiB' or more, or leave it out"
            yield Problem((*where, "memory"), f"Rook starts no OSD with only {entry['memory']}", hint)


def _osd_changes(cluster: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    for index, window in enumerate(cluster.get("osd_changes", {}).get("windows", ())):
        try:
            is_open((window,), 0, 0)
        except SpecError as error:
            yield Problem((*here, "osd_changes", "windows", index), error.message, error.hint)


def _sizes(cluster: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    """Sizes that the schema takes and that are no whole number of bytes, or nothing."""
    found: list[tuple[Path, str]] = []
    for name, entry in cluster["device_sets"].items():
        where = (*here, "device_sets", name)
        found += [((*where, key), entry[key]) for key in ("size", "memory") if key in entry]
        if "metadata" in entry:
            found.append(((*where, "metadata", "size"), entry["metadata"]["size"]))
    found += [(path, pool["quota"]) for path, pool in pools_of(cluster, here) if "quota" in pool]
    if "size" in cluster.get("mon_storage", {}):
        found.append(((*here, "mon_storage", "size"), cluster["mon_storage"]["size"]))
    for path, text in found:
        try:
            if not parse_bytes(text):
                yield Problem(path, f"'{text}' is nothing", "write a size, such as '10 GiB'")
        except SizeError as error:
            yield Problem(path, str(error), "write a number and a unit, such as '10 GiB'")


def _bytes(text: object) -> int | None:
    try:
        return parse_bytes(text) if text is not None else None
    except SizeError:
        return None


def pools_of(cluster: Mapping[str, Any], here: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every pool of a cluster with its path, those of filesystems and object stores too."""
    for name, pool in cluster.get("pools", {}).items():
        yield (*here, "pools", name), pool
    for name, entry in cluster.get("filesystems", {}).items():
        where = (*here, "filesystems", name)
        yield (*where, "metadata_pool"), entry["metadata_pool"]
        for data, pool in entry["data_pools"].items():
            yield (*where, "data_pools", data), pool
    for name, entry in cluster.get("object_stores", {}).items():
        where = (*here, "object_stores", name)
        yield (*where, "metadata_pool"), entry["metadata_pool"]
        yield (*where, "data_pool"), entry["data_pool"]


def _pools(cluster: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    classes = sorted({entry["device_class"] for entry in cluster["device_sets"].values()})
    shares = 0.0
    for path, pool in pools_of(cluster, here):
        wanted = pool.get("device_class")
        if wanted is not None and wanted not in classes:
            message = f"no device set of this cluster has device class '{wanted}'"
            yield Problem((*path, "device_class"), message, f"write {' or '.join(classes)}, or leave it out")
        shares += pool.get("target_share", 0)
        if shares > 1.0001 and "target_share" in pool:
            message = f"the target shares of this cluster are {shares:g} by now"
            yield Problem((*path, "target_share"), message, "let them be 1 together at most")
        code = pool.get("erasure_code")
        if code is not None and path[-1] == "metadata_pool":
            hint = "write replicas: 3 here; the pool of data can be erasure-coded"
            yield Problem((*path, "erasure_code"), "a pool of metadata cannot be erasure-coded", hint)
        if code is not None and code["coding"] > code["data"]:
            message = f"{code['coding']} coding parts beside {code['data']} take more room than copies would"
            yield Problem((*path, "erasure_code"), message, f"write replicas: {code['coding'] + 1}, or fewer parts")
    for name, entry in cluster.get("filesystems", {}).items():
        first, *_others = entry["data_pools"]
        if "erasure_code" in entry["data_pools"][first]:
            where = (*here, "filesystems", name, "data_pools", first)
            hint = "write a replicated pool before it, such as default: {replicas: 3}"
            yield Problem(where, "the first pool of data cannot be erasure-coded", hint)


def _references(cluster: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    pools = cluster.get("pools", {})
    for name, entry in cluster.get("storage_classes", {}).items():
        where = (*here, "storage_classes", name)
        for key in ("pool", "metadata_pool"):
            if key in entry and entry[key] not in pools:
                message = f"'{entry[key]}' is no pool of this cluster"
                yield Problem((*where, key), message, did_you_mean(entry[key], pools))
        coded = "erasure_code" in pools.get(entry["pool"], {})
        if coded and "metadata_pool" not in entry:
            hint = "add metadata_pool with a replicated pool"
            yield Problem(where, f"volumes in the erasure-coded pool '{entry['pool']}' need a second pool", hint)
        if not coded and "metadata_pool" in entry and entry["pool"] in pools:
            hint = "remove it: a replicated pool has its own metadata"
            yield Problem((*where, "metadata_pool"), f"pool '{entry['pool']}' is replicated", hint)
        if "erasure_code" in pools.get(entry.get("metadata_pool"), {}):
            message = f"pool '{entry['metadata_pool']}' is erasure-coded"
            yield Problem((*where, "metadata_pool"), message, "name a replicated pool")
    stores = cluster.get("object_stores", {})
    for name, entry in cluster.get("bucket_classes", {}).items():
        if entry["object_store"] not in stores:
            where = (*here, "bucket_classes", name, "object_store")
            message = f"'{entry['object_store']}' is no object store of this cluster"
            yield Problem(where, message, did_you_mean(entry["object_store"], stores))
    both = set(stores) & set(cluster.get("filesystems", {}))
    for name in sorted(both):
        message = f"a filesystem is named '{name}' too, and their pools would be told apart badly"
        yield Problem((*here, "object_stores", name), message, "rename one of them")
