# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pools, filesystems, object stores and the StorageClasses that are made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .common import OPERATOR_NAMESPACE, made, quantity, spread, topology_key

API = "ceph.rook.io/v1"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
# Rook's least is 4 GiB for a metadata server; its cache takes half of what it has.
MDS = {"requests": {"cpu": "500m", "memory": "4Gi"}, "limits": {"memory": "4Gi"}}
# What Rook asks of each pool of a store before it goes on.
_ROOT_GROUPS = 8
GATEWAY = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}


def pool_spec(pool: Mapping[str, Any], failure_domain: str) -> dict[str, Any]:
    """A pool inside a CephBlockPool, CephFilesystem or CephObjectStore."""
    spec: dict[str, Any] = {"failureDomain": pool.get("failure_domain", failure_domain)}
    if "device_class" in pool:
        spec["deviceClass"] = pool["device_class"]
    parameters = {}
    if pool.get("compression", "none") != "none":
        parameters["compression_mode"] = pool["compression"]
    if "erasure_code" in pool:
        code = pool["erasure_code"]
        spec["erasureCoded"] = {"dataChunks": code["data"], "codingChunks": code["coding"]}
        if "target_share" in pool:
            parameters["target_size_ratio"] = str(pool["target_share"])
    else:
        spec["replicated"] = {"size": pool["replicas"], "requireSafeReplicaSize": True}
        if "target_share" in pool:
            spec["replicated"]["targetSizeRatio"] = pool["target_share"]
    if parameters:
        spec["parameters"] = parameters
    if "quota" in pool:
        spec["quotas"] = {"maxSize": quantity(pool["quota"])}
    return spec


def pools(cluster: str, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Pools of blocks, and those that Ceph makes for itself, which have to be as safe as the others.

    They are in one device class with the others too: where one rule asks for a class and another for none, the roots
    overlap, and the autoscaler leaves every pool as it is (docs.ceph.com, placement groups). Ceph makes ``.rgw.root``
    with one placement group, and Rook makes no object store until it has eight (rook#16162).
    """
    domain = document.get("failure_domain", "rack")
    for name, pool in document.get("pools", {}).items():
        yield made(API, "CephBlockPool", name, cluster, spec=pool_spec(pool, domain))
    stores = [one["metadata_pool"] for one in document.get("object_stores", {}).values()]
    metadata = [one["metadata_pool"] for one in document.get("filesystems", {}).values()]
    copied = [one for one in (*document.get("pools", {}).values(), *stores, *metadata) if "erasure_code" not in one]
    if copied:
        safest = max(copied, key=lambda one: int(one["replicas"]))
        yield _own(cluster, "builtin-mgr", pool_spec(_place(safest), domain), name=".mgr")
    if stores:
        count = {"parameters": {"pg_num": str(_ROOT_GROUPS)}} if _begins_small(document) else {}
        spec = {**pool_spec(_place(stores[0]), domain), **count}
        yield _own(cluster, "builtin-rgw-root", spec, name=".rgw.root", application="rgw")


def _begins_small(document: Mapping[str, Any]) -> bool:
    """Whether Ceph makes pools with one placement group: the autoscaler is to add to them later."""
    config: dict[str, Any] = {}
    for section in ("global", "mon"):
        config.update(document.get("config", {}).get(section, {}))
    if str(config.get("osd_pool_default_pg_autoscale_mode", "on")) == "on":
        return True
    number = str(config.get("osd_pool_default_pg_num", 32))
    return not number.isdecimal() or int(number) < _ROOT_GROUPS


def _place(pool: Mapping[str, Any]) -> dict[str, Any]:
    """What says where copies lie; shares, quotas and compression are of the pool itself."""
    return {key: pool[key] for key in ("failure_domain", "device_class", "replicas") if key in pool}


def _own(cluster: str, title: str, spec: Mapping[str, Any], **more: str) -> dict[str, Any]:
    """A pool of Ceph's own: it is there already, so that its rule may have to change."""
    return made(API, "CephBlockPool", title, cluster, spec={**more, **spec, "enableCrushUpdates": True})


def filesystems(cluster: str, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """CephFS filesystems; their data stay when the object is deleted."""
    domain = document.get("failure_domain", "rack")
    for name, entry in document.get("filesystems", {}).items():
        data = [{"name": each, **pool_spec(pool, domain)} for each, pool in entry["data_pools"].items()]
        spec = {
            "metadataPool": pool_spec(entry["metadata_pool"], domain),
            "dataPools": data,
            "preserveFilesystemOnDelete": True,
            "metadataServer": {
                "activeCount": entry.get("active", 1),
                "activeStandby": True,
                "priorityClassName": "system-cluster-critical",
                "resources": MDS,
                "placement": {"topologySpreadConstraints": [spread(topology_key(domain), ("rook-ceph-mds",), False)]},
            },
        }
        yield made(API, "CephFilesystem", name, cluster, spec=spec)


def object_stores(cluster: str, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Object stores. Gateways have no liveness probe: a busy one that reshards would be killed by it."""
    domain = document.get("failure_domain", "rack")
    for name, entry in document.get("object_stores", {}).items():
        spec = {
            "metadataPool": pool_spec(entry["metadata_pool"], domain),
            "dataPool": pool_spec(entry["data_pool"], domain),
            "preservePoolsOnDelete": True,
            "gateway": {
                "port": entry.get("port", 80),
                "instances": entry.get("gateways", 2),
                "priorityClassName": "system-cluster-critical",
                "resources": GATEWAY,
                "placement": {"topologySpreadConstraints": [spread(topology_key(domain), ("rook-ceph-rgw",), False)]},
            },
        }
        yield made(API, "CephObjectStore", name, cluster, spec=spec)


def block_classes(cluster: str, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """StorageClasses of block volumes."""
    for name, entry in document.get("storage_classes", {}).items():
        pool = {"pool": entry["pool"]}
        if "metadata_pool" in entry:  # names and sizes lie in the replicated pool, contents in the coded one
            pool = {"pool": entry["metadata_pool"], "dataPool": entry["pool"]}
        parameters = {
            "clusterID": cluster,
            **pool,
            "imageFormat": "2",
            "imageFeatures": "layering",
            "csi.storage.k8s.io/fstype": entry.get("filesystem", "ext4"),
        }
        for use, secret in _SECRETS:
            parameters[f"csi.storage.k8s.io/{use}-secret-name"] = secret
            parameters[f"csi.storage.k8s.io/{use}-secret-namespace"] = cluster
        yield storage_class(
            name,
            f"{OPERATOR_NAMESPACE}.rbd.csi.ceph.com",
            entry,
            parameters=parameters,
            volumeBindingMode="Immediate",
        )


_SECRETS = (
    ("provisioner", "rook-csi-rbd-provisioner"),
    ("controller-expand", "rook-csi-rbd-provisioner"),
    ("controller-publish", "rook-csi-rbd-provisioner"),
    ("node-stage", "rook-csi-rbd-node"),
)


def bucket_classes(cluster: str, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """StorageClasses of buckets; Rook has a provisioner for each cluster, by the name of its namespace."""
    for name, entry in document.get("bucket_classes", {}).items():
        yield made(
            "storage.k8s.io/v1",
            "StorageClass",
            name,
            provisioner=f"{cluster}.ceph.rook.io/bucket",
            reclaimPolicy=entry.get("reclaim", "Delete"),
            parameters={"objectStoreName": entry["object_store"], "objectStoreNamespace": cluster},
        )


def storage_class(name: str, provisioner: str, entry: Mapping[str, Any], **rest: Any) -> dict[str, Any]:
    """A StorageClass with what each of the document's has: reclaim, expand, default."""
    found = made(
        "storage.k8s.io/v1",
        "StorageClass",
        name,
        provisioner=provisioner,
        reclaimPolicy=entry.get("reclaim", "Delete"),
        allowVolumeExpansion=entry.get("expand", True),
        **rest,
    )
    if entry.get("default"):
        found["metadata"]["annotations"] = {DEFAULT_CLASS: "true"}
    return found
