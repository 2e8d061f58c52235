# SPDX-License-Identifier: GPL-3.0-or-later
"""The planned objects: what must hold of them whatever the document; their fields are tried by the real definitions."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).resolve()
UNIT = HERE.parents[3]
sys.path.insert(0, str(UNIT))

from site_cases import facts_of  # noqa: E402

from ansible_collections.barestore.storage.plugins.module_utils.cluster.document import SiteFacts  # noqa: E402
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.cluster import (  # noqa: E402
    ceph_cluster,
    config_file,
    device_sets,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.common import quantity  # noqa: E402
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.local_volumes import (  # noqa: E402
    local_classes,
    local_volumes,
    volume_name,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.pools import (  # noqa: E402
    block_classes,
    pool_spec,
    pools,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.site import (  # noqa: E402
    cluster_objects,
    store_objects,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.topolvm import (  # noqa: E402
    lvmd_of_hosts,
    topolvm_classes,
)

Object = dict[str, Any]


@pytest.fixture
def document() -> Object:
    found: Object = yaml.safe_load((UNIT / "cases/sites/whole.yml").read_text())
    return found


@pytest.fixture
def site(document: Object) -> SiteFacts:
    return facts_of(document)


def test_sizes_are_exact_in_the_words_of_kubernetes() -> None:
    sizes = {"1 TiB": "1Ti", "10 GiB": "10Gi", "1.5 GiB": "1536Mi", "1 GB": "1000000000", "10 TB": "9765625000Ki"}
    assert {size: quantity(size) for size in sizes} == sizes


def test_osds_are_spread_strictly_over_the_racks_that_have_disks(document: Object) -> None:
    document["hosts"]["others"] = {"cs1": {"rack": "rack9"}}  # a node without disks would count as an empty rack
    [found] = device_sets(facts_of(document), "ceph-hdd")
    rack, host = found["preparePlacement"]["topologySpreadConstraints"]
    assert (rack["topologyKey"], rack["whenUnsatisfiable"], rack["maxSkew"]) == (
        "topology.rook.io/rack",
        "DoNotSchedule",
        1,
    )
    assert host["whenUnsatisfiable"] == "ScheduleAnyway"
    mine = {"key": "ceph.rook.io/DeviceSet", "operator": "In", "values": ["hdd"]}
    assert all(mine in one["labelSelector"]["matchExpressions"] for one in (rack, host))
    [term] = found["preparePlacement"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert "cs1" not in term["matchExpressions"][0]["values"] and "rack1-1" in term["matchExpressions"][0]["values"]
    assert found["portable"] is False
    assert {each["spec"]["volumeMode"] for each in found["volumeClaimTemplates"]} == {"Block"}


def test_with_hosts_as_failure_domain_the_hosts_are_strict(document: Object) -> None:
    document["ceph"]["clusters"]["ceph-hdd"]["failure_domain"] = "host"
    [found] = device_sets(facts_of(document), "ceph-hdd")
    [only] = found["preparePlacement"]["topologySpreadConstraints"]
    assert (only["topologyKey"], only["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")


def test_a_running_cluster_keeps_its_counts_and_its_order(document: Object) -> None:
    fresh = ceph_cluster(facts_of(document), "ceph-hdd", "image")
    live = copy.deepcopy(fresh)
    [hdd] = live["spec"]["storage"]["storageClassDeviceSets"]
    hdd["count"] = 17
    gone = {"name": "gone", "count": 2, "resources": {"requests": {"cpu": "3"}}}
    live["spec"]["storage"]["storageClassDeviceSets"] = [gone, hdd]
    document["ceph"]["clusters"]["ceph-hdd"]["device_sets"]["new"] = {
        "count": 5,
        "storage_class": "vendor-block",
        "device_class": "ssd",
    }
    document["ceph"]["clusters"]["ceph-hdd"]["device_sets"]["hdd"]["memory"] = "6 GiB"
    found = device_sets(facts_of(document), "ceph-hdd", live)
    assert [(each["name"], each["count"]) for each in found] == [("gone", 2), ("hdd", 17), ("new", 1)]
    assert found[0] == gone
    assert found[1]["resources"]["limits"]["memory"] == "6Gi"
    assert [each["count"] for each in device_sets(facts_of(document), "ceph-hdd")] == [18, 5]


def test_a_set_that_ends_is_kept_until_its_osds_are_gone_and_never_made(document: Object) -> None:
    sets = document["ceph"]["clusters"]["ceph-hdd"]["device_sets"]
    sets["new"] = {"count": 5, "storage_class": "vendor-block", "device_class": "ssd"}
    live = ceph_cluster(facts_of(document), "ceph-hdd", "image")
    sets["hdd"]["count"] = 0
    site = facts_of(document)
    kept = device_sets(site, "ceph-hdd", live)
    assert [(each["name"], each["count"]) for each in kept] == [("hdd", 18), ("new", 5)]
    live["spec"]["storage"]["storageClassDeviceSets"].pop(0)
    assert [each["name"] for each in device_sets(site, "ceph-hdd", live)] == ["new"]
    assert [each["name"] for each in device_sets(site, "ceph-hdd")] == ["new"]


def test_clusters_share_nothing_on_the_hosts(site: SiteFacts) -> None:
    clusters = [ceph_cluster(site, name, "image") for name in site.clusters]
    assert len({each["spec"]["dataDirHostPath"] for each in clusters}) == 2
    assert len({each["metadata"]["namespace"] for each in clusters}) == 2


def test_tools_that_open_a_stopped_osd_read_past_the_page_cache(site: SiteFacts) -> None:
    assert config_file("ceph-hdd")["data"]["config"] == "[osd]\nbluefs_buffered_io = false\n"
    kinds = [each["kind"] for each in cluster_objects(site, "ceph-hdd")]
    assert kinds.index("ConfigMap") < kinds.index("CephCluster")  # OSDs that start first would not have it


def test_nothing_kills_a_busy_gateway(site: SiteFacts) -> None:
    [store] = [each for each in store_objects(site, "ceph-hdd") if each["kind"] == "CephObjectStore"]
    assert "livenessProbe" not in str(store) and "type" not in store["spec"]["gateway"]
    assert store["spec"]["preservePoolsOnDelete"] is True


def test_small_osds_get_the_least(document: Object) -> None:
    document["ceph"]["clusters"]["ceph-ssd"]["device_sets"]["ssd"]["size"] = "20 GiB"
    [small] = device_sets(facts_of(document), "ceph-ssd")
    assert small["resources"]["limits"]["memory"] == "2Gi"
    assert (small["tuneDeviceClass"], small["tuneFastDeviceClass"]) == (False, True)


def test_a_pool_says_its_failure_domain_and_refuses_a_single_copy() -> None:
    spec = pool_spec({"replicas": 3, "compression": "aggressive", "quota": "1 TiB"}, "rack")
    assert spec == {
        "failureDomain": "rack",
        "replicated": {"size": 3, "requireSafeReplicaSize": True},
        "parameters": {"compression_mode": "aggressive"},
        "quotas": {"maxSize": "1Ti"},
    }


def test_the_pools_that_ceph_makes_lie_where_the_others_do() -> None:
    """Else their rules overlap and the autoscaler stops, and Rook makes no store on one placement group."""
    safest = {"replicas": 3, "device_class": "hdd", "quota": "1 TiB", "target_share": 0.4}
    document: Object = {
        "pools": {"two": {"replicas": 2}, "block": safest},
        "object_stores": {"objects": {"metadata_pool": {"replicas": 3, "device_class": "hdd"}, "data_pool": safest}},
    }
    specs = {each["metadata"]["name"]: each["spec"] for each in pools("ceph-hdd", document)}
    place = {"failureDomain": "rack", "deviceClass": "hdd", "replicated": {"size": 3, "requireSafeReplicaSize": True}}
    assert specs["builtin-mgr"] == {"name": ".mgr", **place, "enableCrushUpdates": True}
    root = {"name": ".rgw.root", "application": "rgw", **place, "parameters": {"pg_num": "8"}}
    assert specs["builtin-rgw-root"] == {**root, "enableCrushUpdates": True}


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        ({}, True),
        ({"mon": {"osd_pool_default_pg_autoscale_mode": "off"}}, False),
        ({"global": {"osd_pool_default_pg_autoscale_mode": "off", "osd_pool_default_pg_num": "4"}}, True),
        ({"global": {"osd_pool_default_pg_num": "16"}}, True),
        ({"global": {"osd_pool_default_pg_autoscale_mode": "off", "osd_pool_default_pg_num": "many"}}, True),
    ],
    ids=["autoscaler", "without it", "without it and small", "autoscaler and a number that it ignores", "no number"],
)
def test_a_root_that_has_enough_placement_groups_is_not_made_smaller(config: Object, asked: bool) -> None:
    """Merging them takes minutes, in which no OSD may come or go."""
    replicas = {"replicas": 3}
    document: Object = {"config": config, "object_stores": {"o": {"metadata_pool": replicas, "data_pool": replicas}}}
    specs = {each["metadata"]["name"]: each["spec"] for each in pools("ceph-hdd", document)}
    assert ("parameters" in specs["builtin-rgw-root"]) is asked


def test_a_cluster_without_copies_keeps_the_pools_of_ceph_as_they_are() -> None:
    coded = {"pools": {"coded": {"erasure_code": {"data": 2, "coding": 1}}}}
    assert [each["metadata"]["name"] for each in pools("ceph-hdd", coded)] == ["coded"]
    blocks = {"pools": {"block": {"replicas": 3}}}
    assert [each["metadata"]["name"] for each in pools("ceph-hdd", blocks)] == ["block", "builtin-mgr"]


def test_volumes_of_a_coded_pool_have_their_metadata_in_the_replicated_one(site: SiteFacts) -> None:
    found = {each["metadata"]["name"]: each for each in block_classes("ceph-ssd", site.clusters["ceph-ssd"])}
    coded = found["ceph-ssd-coded"]["parameters"]
    assert (coded["pool"], coded["dataPool"], coded["clusterID"]) == ("block", "coded", "ceph-ssd")


def test_a_local_volume_leads_to_its_disk_and_outlives_its_node() -> None:
    device = {
        "link": "/var/lib/barestore/local-volumes/osd/wwn-0x5000",
        "identity": "wwn-0x5000",
        "bytes": 10**13,
        "storage_class": "local-storage",
        "mode": "block",
        "serial": "ZL1",
        "wwn": "0x5000",
    }
    [volume] = local_volumes("ss1", [device])
    assert volume["metadata"]["name"] == "local-ss1-wwn-0x5000"
    assert volume["metadata"]["annotations"] == {"barestore.storage/serial": "ZL1", "barestore.storage/wwn": "0x5000"}
    assert "ownerReferences" not in volume["metadata"]
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert volume["spec"]["local"]["path"] == device["link"]


def test_names_of_volumes_are_short_and_distinct() -> None:
    names = [volume_name("h" * 40, f"ata-Some_Long_Model_{number}") for number in range(20)]
    assert len(set(names)) == 20 and max(map(len, names)) <= 63


def test_only_local_classes_are_made_for_local_volumes(site: SiteFacts) -> None:
    assert [each["metadata"]["name"] for each in local_classes(site)] == ["local-storage"]


def test_a_host_is_told_only_of_the_groups_that_it_has(document: Object) -> None:
    bare = {
        "disks": {"flash": {"match": {"transport": "nvme"}, "count": 1}},
        "lvm": {"flash": {"physical_volumes": ["flash"]}},
    }
    document["hosts"]["others"] = {"cs1": {"rack": "rack1", "document": bare}}
    found = dict(lvmd_of_hosts(facts_of(document)))
    assert [each["name"] for each in found[("cs1",)]] == ["flash"]
    [both] = [classes for hosts, classes in found.items() if "rack1-1" in hosts]
    assert [each["name"] for each in both] == ["flash", "thin"]
    assert sum(each["default"] for each in both) == 1


def test_classes_are_resized_where_somebody_resizes(document: Object) -> None:
    found = list(topolvm_classes(facts_of(document)))
    assert all(each["metadata"]["annotations"]["resize.topolvm.io/enabled"] == "true" for each in found)
    del document["topolvm"]["autoresizer"]
    assert "annotations" not in next(iter(topolvm_classes(facts_of(document))))["metadata"]


def test_making_an_osd_has_no_limit_of_memory(site: SiteFacts) -> None:
    resources = ceph_cluster(site, "ceph-hdd", "image")["spec"]["resources"]
    assert "limits" not in resources.pop("prepareosd")
    assert all(each["limits"]["memory"] == each["requests"]["memory"] for each in resources.values())


def test_snapshots_of_etcd_are_there_only_when_somebody_wrote_them(document: Object) -> None:
    del document["kubernetes"]["control_plane"]
    found = facts_of(document).sections["kubernetes"]["control_plane"]
    assert found == {"schedulable": False, "etcd": {"data_dir": "/var/lib/etcd"}}
    document["kubernetes"]["control_plane"] = {"etcd": {"snapshots": {"keep": 3}}}
    snapshots = facts_of(document).sections["kubernetes"]["control_plane"]["etcd"]["snapshots"]
    assert snapshots == {"folder": "/var/backups/etcd", "every": 6, "keep": 3}
