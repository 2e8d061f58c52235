# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two owners of one disk: each sign found on a site that is otherwise clean, and nothing found on the clean one."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.facts import host_facts
from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.findings import CODES, findings
from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.run import metrics
from ansible_collections.barestore.storage.plugins.module_utils.cluster.state import Cluster, Node, Pod, Volume
from tests.unit.plugins.module_utils.cluster import recorded

FOLDER = "/var/lib/barestore/local-volumes/osd"


def volume(name: str, path: str, claim: str = "") -> Volume:
    return Volume(name, "local-storage", "Bound", 1, "ss1", f"{FOLDER}/{path}", path, claim, "", "Retain")


class Site:
    """A clean site: the recorded cluster, its nine OSDs on the disks of one host."""

    def __init__(self) -> None:
        seen = recorded.cluster("busy")
        self.cluster: Cluster = replace(
            seen,
            volumes={f"local-{n}": volume(f"local-{n}", f"d{n}", f"ceph-hdd/hdd-data-{n}abcde") for n in range(9)},
            nodes={"ss1": Node("ss1", "rack1", True, True)},
            pods=tuple(Pod(f"rook-ceph-osd-{n}-x", n, "ss1", "Running", False) for n in range(9)),
            serials={n: f"sd{n}=HDD_S{n}" for n in range(9)},
        )
        self.deployments = [one for number in range(9) for one in recorded.of_osd(number)[1:]]
        for one in self.deployments:
            one["spec"]["template"] = {
                "spec": {"volumes": [{"name": "data-bridge", "hostPath": {"path": "/var/lib/rook"}}]}
            }
        self.host: dict[str, Any] = {
            "host": "ss1",
            "lsblk": {
                "blockdevices": [
                    {
                        "name": f"/dev/sd{n}", "maj:min": f"8:{16 * n}", "type": "disk", "serial": f"S{n}", "wwn": None,
                        "children": [{"name": f"/dev/sd{n}1", "maj:min": f"8:{16 * n + 1}", "type": "part"}],
                    }
                    for n in range(9)
                ]
            },
            "paths": {f"{FOLDER}/d{n}": f"8:{16 * n}" for n in range(9)},
            "holders": {f"8:{16 * n}": [1000 + n] for n in range(9)},
            "labels": [
                {"number": f"8:{16 * n}", "uuid": osd.uuid, "osd": str(n), "fsid": seen.fsid}
                for n, osd in seen.osds.items()
            ],
        }  # fmt: skip

    def found(self) -> list[tuple[str, str]]:
        told = findings([self.cluster], self.deployments, [host_facts(self.host)])
        return [(one.code, one.sentence()) for one in told]


def test_nothing_is_found_on_a_clean_site() -> None:
    assert Site().found() == []


def two_volumes_on_one_disk(site: Site) -> None:
    alias = volume("alias", "by-path")
    site.cluster = replace(site.cluster, volumes={**site.cluster.volumes, "alias": alias})
    site.host["paths"][alias.path] = "8:0"


def one_disk_by_two_paths(site: Site) -> None:
    disks = site.host["lsblk"]["blockdevices"]
    for one in (disks[2], disks[2]["children"][0], disks[7]):
        one["wwn"] = "0x5000c500a1b2c3d4"


def a_disk_and_its_partition(site: Site) -> None:
    part = volume("part", "part1")
    site.cluster = replace(site.cluster, volumes={**site.cluster.volumes, "part": part})
    site.host["paths"][part.path] = "8:33"


def two_osds_name_one_device(site: Site) -> None:
    site.cluster = replace(site.cluster, serials={**site.cluster.serials, 3: site.cluster.serials[4]})


def two_osds_with_one_uuid(site: Site) -> None:
    osds = dict(site.cluster.osds)
    osds[3] = replace(osds[3], uuid=osds[4].uuid)
    site.cluster = replace(site.cluster, osds=osds)
    site.host["labels"] = []


def a_disk_of_another_cluster(site: Site) -> None:
    site.host["labels"][5]["fsid"] = "0" * 36


def an_old_disk_of_the_same_number(site: Site) -> None:
    site.host["labels"][5]["uuid"] = "0" * 36


def two_pods_of_one_osd(site: Site) -> None:
    site.cluster = replace(
        site.cluster, pods=(*site.cluster.pods, Pod("rook-ceph-osd-3-y", 3, "ss1", "Pending", False))
    )


def a_pod_that_does_not_end(site: Site) -> None:
    pods = (replace(site.cluster.pods[0], deleting=True), *site.cluster.pods[1:])
    site.cluster = replace(site.cluster, pods=pods)


def two_replicas(site: Site) -> None:
    site.deployments[3]["spec"]["replicas"] = 2


def a_rolling_strategy(site: Site) -> None:
    site.deployments[3]["spec"]["strategy"] = {"type": "RollingUpdate"}


def locks_in_the_pod(site: Site) -> None:
    site.deployments[3]["spec"]["template"] = {"spec": {"volumes": [{"name": "data-bridge", "emptyDir": {}}]}}


def two_processes_on_one_disk(site: Site) -> None:
    site.host["holders"]["8:48"] = [1003, 77]


def an_osd_that_writes_elsewhere(site: Site) -> None:
    del site.host["holders"]["8:48"]


def a_volume_that_was_deleted(site: Site) -> None:
    volumes = site.cluster.volumes
    site.cluster = replace(site.cluster, volumes={**volumes, "local-3": replace(volumes["local-3"], deleting=True)})


def a_volume_of_a_node_that_is_gone(site: Site) -> None:
    gone = replace(volume("local-gone", "gone"), node="ss9")
    site.cluster = replace(site.cluster, volumes={**site.cluster.volumes, gone.name: gone})


WRONG = [
    (two_volumes_on_one_disk, "volume_shared", "ss1 disk S0: volumes alias, local-0 all lead to it"),
    (one_disk_by_two_paths, "volume_shared", "ss1 disk S7: volumes local-2, local-7 all lead to it"),
    (
        a_disk_and_its_partition,
        "volume_nested",
        "ss1 device /dev/sd21: volume part lies on disk S2, which is all of volume",
    ),
    (
        a_volume_that_was_deleted,
        "volume_deleted",
        "ss1 volume local-3: it was deleted while claim ceph-hdd/hdd-data-3abcde uses it: it goes with the claim",
    ),
    (
        a_volume_of_a_node_that_is_gone,
        "volume_without_node",
        "ss9 volume local-gone: Kubernetes has no such node, and no claim uses it",
    ),
    (two_osds_name_one_device, "osd_device_shared", "ceph-hdd sd4=HDD_S4: osd.3, osd.4 all say"),
    (two_osds_with_one_uuid, "osd_uuid_shared", "have this UUID"),
    (a_disk_of_another_cluster, "label_other_cluster", "ss1 disk S5: it carries osd.5 of cluster 0000"),
    (an_old_disk_of_the_same_number, "label_other_osd", "ss1 disk S5: it carries UUID 0000"),
    (
        two_pods_of_one_osd,
        "pods_two",
        "ceph-hdd osd.3: it has 2 pods: rook-ceph-osd-3-x on ss1, rook-ceph-osd-3-y on ss1",
    ),
    (a_pod_that_does_not_end, "pod_stuck", "ceph-hdd rook-ceph-osd-0-x: it was asked to end and is still there"),
    (two_replicas, "replicas", "ceph-hdd rook-ceph-osd-3: it wants 2 pods of one OSD"),
    (a_rolling_strategy, "strategy", "a new pod may start before the old one ended"),
    (locks_in_the_pod, "data_not_on_host", "the locks of its OSD are in an emptyDir"),
    (two_processes_on_one_disk, "process_two", "ss1 disk S3: ceph-osd processes 77, 1003 all have it open"),
    (an_osd_that_writes_elsewhere, "process_none", "ceph-hdd osd.3: it is up, and no ceph-osd of ss1 has disk S3 open"),
]


@pytest.mark.parametrize(("change", "code", "words"), WRONG, ids=[one[0].__name__ for one in WRONG])
def test_each_sign_is_found_and_nothing_else(change: Any, code: str, words: str) -> None:
    site = Site()
    change(site)
    found = site.found()
    assert [one[0] for one in found] == [code], found
    assert words in found[0][1]


def test_each_code_has_a_test() -> None:
    assert {one[1] for one in WRONG} == set(CODES)


def test_an_encrypted_disk_is_held_by_what_lies_on_it() -> None:
    site = Site()
    host = copy.deepcopy(site.host)
    host["lsblk"]["blockdevices"][3]["children"].append({"name": "/dev/mapper/c", "maj:min": "253:7", "type": "crypt"})
    host["holders"] = {**{k: v for k, v in host["holders"].items() if k != "8:48"}, "253:7": [1003]}
    site.host = host
    assert site.found() == []


def test_metrics_have_each_code_also_with_nothing_found() -> None:
    text = metrics([])
    assert text.count("barestore_audit_findings{") == len(CODES) and "} 1" not in text
