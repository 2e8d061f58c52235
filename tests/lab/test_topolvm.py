# SPDX-License-Identifier: GPL-3.0-or-later
"""LVM on NVMe that a host's document makes, and the lvmd.yaml that TopoLVM gets of it: by TopoLVM's own rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from barestore import collection
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import converge, converged
from tests.lab.lvmd_rules import broken

collection.prepare()

from ansible_collections.barestore.storage.plugins.module_utils.cluster.document import (  # noqa: E402
    HostFacts,
    SiteFacts,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.topolvm import (  # noqa: E402
    lvmd_of_hosts,
)

pytestmark = pytest.mark.lab

DISKS: list[dict[str, Any]] = [
    {"serial": "NV1", "type": "nvme", "size": "4 GiB"},
    {"serial": "NV2", "type": "nvme", "size": "4 GiB"},
]
DOCUMENT: dict[str, Any] = {
    "disks": {"nvme": {"match": {"transport": "nvme"}, "count": 2}},
    "partitions": {
        "nvme": [{"name": "thick", "size": "2 GiB", "use": "lvm"}, {"name": "thin", "size": "rest", "use": "lvm"}]
    },
    "lvm": {
        "quick": {"physical_volumes": ["nvme.thick"]},
        "flash": {
            "physical_volumes": ["nvme.thin"],
            "thin_pools": {"topolvm": {"size": "30%", "chunk_size": "64 KiB"}},
        },
    },
}
CLASSES: dict[str, Any] = {
    "nvme": {"volume_group": "quick", "default": True, "spare": "1 GiB"},
    "nvme-striped": {"volume_group": "flash", "stripes": 2, "spare": "1 GiB"},
    "flash-thin": {"volume_group": "flash", "thin_pool": "topolvm", "overprovision": 2.5, "spare": "0 B"},
    "elsewhere": {"volume_group": "hdd", "spare": "1 GiB"},
}


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="topolvm", say=print) as host:
        yield host


def lvmd_yaml(host: str) -> str:
    """What lvmd on this host is told, as the chart writes it: the device classes of the values."""
    site = SiteFacts({"topolvm": {"device_classes": CLASSES}}, (HostFacts(host, "rack1", ("kube_node",), DOCUMENT),))
    [(owners, classes)] = lvmd_of_hosts(site)
    assert owners == (host,)
    return yaml.safe_dump({"socket-name": "/run/topolvm/lvmd.sock", "device-classes": classes})


def groups(vm: VirtualMachine) -> dict[str, list[str]]:
    """The volume groups of the host with their thin pools, by lvm itself."""
    found: dict[str, list[str]] = {}
    told = json.loads(vm.ssh("lvm fullreport --reportformat json").stdout)["report"]
    for report in (each for each in told if each["vg"] and each["vg"][0]["vg_name"]):
        pools = [one["lv_name"] for one in report["lv"] if one["lv_attr"].startswith("t")]
        found[report["vg"][0]["vg_name"]] = pools
    return found


def test_lvmd_is_told_what_it_takes_and_what_the_host_has(vm: VirtualMachine) -> None:
    converged(vm, DOCUMENT)
    text = lvmd_yaml(vm.name)
    have = groups(vm)
    assert have == {"quick": [], "flash": ["topolvm"]}
    assert list(broken(text, have)) == []
    classes = {each["name"]: each for each in yaml.safe_load(text)["device-classes"]}
    assert set(classes) == {"nvme", "nvme-striped", "flash-thin"}
    assert classes["flash-thin"]["thin-pool"] == {"name": "topolvm", "overprovision-ratio": 2.5}


def test_volumes_can_be_made_as_lvmd_makes_them(vm: VirtualMachine) -> None:
    size = 512 << 20
    vm.ssh(f"lvcreate --quiet -W y -y -n thick -L {size}b quick")
    vm.ssh(f"lvcreate --quiet -W y -y -n striped -L {size}b -i 2 flash")
    # More than the pool has: that is what the class promises.
    vm.ssh(f"lvcreate --quiet -W y -y -n thin -V {8 * size}b -T flash/topolvm")
    found = vm.ssh("lvs --noheadings --separator , -o vg_name,lv_name,segtype").stdout.split()
    assert {"quick,thick,linear", "flash,striped,striped", "flash,thin,thin"} <= set(found)
    assert vm.ssh("lvs --noheadings -o stripes flash/striped").stdout.split() == ["2"]


def test_what_topolvm_made_is_left_alone(vm: VirtualMachine) -> None:
    result = converge(vm, DOCUMENT)
    assert (result["failed"], result["changed"]) == (False, False), result.get("msg", result["plan"])


GOOD: dict[str, Any] = {"name": "flash", "volume-group": "flash", "type": "thin", "spare-gb": 1}
POOL: dict[str, Any] = {"name": "topolvm", "overprovision-ratio": 1.0}


@pytest.mark.parametrize(
    ("classes", "rule"),
    [
        ([], "no device class"),
        ([{**GOOD, "type": "thick", "name": "-flash"}], "name"),
        ([{**GOOD, "type": "thick", "name": "f" * 64}], "name"),
        ([{**GOOD, "type": "thick", "volume-group": "absent"}], "no volume group"),
        ([{**GOOD, "type": "fat"}], "type"),
        ([GOOD], "no thin pool"),
        ([{**GOOD, "thin-pool": {**POOL, "overprovision-ratio": 0.5}}], "overprovision-ratio"),
        ([{**GOOD, "type": "thick", "spare-gb": 1.5}], "spare-gb"),
        ([{**GOOD, "thin-pool": POOL}, {**GOOD, "name": "other", "thin-pool": POOL}], "place twice"),
        ([{**GOOD, "type": "", "default": True}, {**GOOD, "thin-pool": POOL, "default": True}], "two defaults"),
        ([{**GOOD, "type": ""}, {**GOOD, "thin-pool": POOL}], "name twice"),
    ],
)
def test_the_rules_find_what_is_wrong(classes: list[dict[str, Any]], rule: str) -> None:
    found = list(broken(yaml.safe_dump({"device-classes": classes}), {"flash": ["topolvm"]}))
    assert any(one.startswith(rule) or f": {rule}" in one for one in found), found
