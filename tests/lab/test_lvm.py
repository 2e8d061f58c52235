# SPDX-License-Identifier: GPL-3.0-or-later
"""LVM on real disks: document, apply, apply again: nothing to do. Growth and what others made, too.

The tests of this file follow one another on one host.
"""

from __future__ import annotations

import base64
import copy
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from barestore.lab.machine import parse_disk
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parent.parent.parent
COLLECTION = "ansible_collections/barestore/storage/plugins"

DISKS: list[dict[str, Any]] = [
    *({"serial": f"HDD{number}", "type": "hdd", "size": "4 GiB"} for number in range(4)),
    *({"serial": f"NV{number}", "type": "nvme", "size": "2 GiB"} for number in range(2)),
    {"serial": "K4", "type": "hdd", "size": "4 GiB", "sector_size": 4096},
]

# Reads a document, runs the engine as the module does, prints what the module would answer.
DRIVER = """
import json, sys
sys.path.insert(0, "/root/engine")
from ansible_collections.barestore.storage.plugins.module_utils.host.run import Job, storage
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner
asked = json.load(sys.stdin)
report = storage(Job(asked["document"], Site("lab", "lvm"), check=asked["check"]), Runner())
print(json.dumps({**report.as_json(), "error": report.error}))
"""

DOCUMENT: dict[str, Any] = {
    "disks": {
        "hdd": {"match": {"serial": "HDD*"}, "count": 4},
        "nvme": {"match": {"serial": "NV*"}, "count": 2},
        "large": {"match": {"serial": "K4"}, "count": 1},
    },
    "partitions": {"hdd": [{"name": "lvm", "size": "3 GiB", "use": "lvm"}]},
    "lvm": {
        "mixed": {
            "physical_volumes": ["hdd.lvm", "nvme"],
            "thin_pools": {
                "topolvm": {
                    "size": "20%",
                    "zero": True,
                    "discards": "nopassdown",
                    "autoextend": {"threshold": 80, "percent": 20},
                }
            },
            "volumes": {
                "plain": {"size": "301 MiB", "filesystem": "xfs", "mount": "/srv/plain"},
                "thin": {"size": "5001 MiB", "thin_pool": "topolvm", "filesystem": "ext4"},
                "striped": {"size": "601 MiB", "type": "striped", "stripe_size": "128 KiB"},
                "mirror": {"size": "3%", "type": "raid1", "physical_volumes": ["hdd.lvm"]},
                "five": {"size": "401 MiB", "type": "raid5", "physical_volumes": ["hdd.lvm"]},
                "six": {"size": "301 MiB", "type": "raid6", "stripes": 3},
                "ten": {"size": "201 MiB", "type": "raid10", "physical_volumes": ["hdd.lvm"]},
                "slow": {
                    "size": "701 MiB",
                    "physical_volumes": ["hdd.lvm"],
                    "cache": {"size": "101 MiB", "mode": "writeback", "physical_volumes": ["nvme"]},
                },
                "rest": {"size": "rest"},
            },
        },
        "sectors": {
            "physical_volumes": ["large"],
            "extent_size": "1 MiB",
            "volumes": {"half": {"size": "50%"}},
            "thin_pools": {"pool": {"size": "rest", "chunk_size": "128 KiB"}},
        },
    },
}


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="lvm", say=print) as host:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path in sorted((ROOT / "plugins" / "module_utils").rglob("*.py")):
                tar.add(path, f"{COLLECTION}/{path.relative_to(ROOT / 'plugins')}")
        host.ssh(
            "mkdir -p engine && base64 -d | tar -x -C engine",
            input=base64.b64encode(packed.getvalue()).decode(),
        )
        host.ssh("cat >/root/driver.py", input=DRIVER)
        yield host


def run(vm: VirtualMachine, document: dict[str, Any], check: bool = False) -> dict[str, Any]:
    asked = json.dumps({"document": document, "check": check})
    answer: dict[str, Any] = json.loads(vm.ssh("python3 /root/driver.py", input=asked).stdout)
    return answer


def converge(vm: VirtualMachine, document: dict[str, Any]) -> list[str]:
    """Check, apply, apply again: the check tells the same, the second run has nothing to do."""
    checked = run(vm, document, check=True)
    done = run(vm, document)
    assert (done["refusals"], done["error"]) == ([], "")
    assert checked["plan"] == done["plan"]
    again = run(vm, document)
    assert (again["refusals"], again["error"], again["plan"]) == ([], "", [])
    assert again["processes"] <= 10
    return [action["id"] for action in done["plan"]]


def lvs(vm: VirtualMachine, volume: str, columns: str) -> list[str]:
    """One row: a volume that was made beside others may lie in several pieces, which are alike."""
    text = vm.ssh(f"lvs --noheadings --units b --nosuffix --separator , -o {columns} {volume}").stdout
    (row,) = {line.strip() for line in text.splitlines()}
    return row.split(",")


def test_everything_at_once_then_nothing(vm: VirtualMachine) -> None:
    ids = converge(vm, DOCUMENT)
    assert "logical_volume.create:mixed/six" in ids
    assert vm.ssh("vgs --noheadings -o vg_free_count mixed sectors").stdout.split() == ["0", "0"]


@pytest.mark.parametrize(
    ("volume", "columns", "values"),
    [
        ("plain", "segtype,lv_size", ["linear", str(76 << 22)]),
        ("striped", "segtype,stripes,stripe_size", ["striped", "2", "131072"]),
        ("mirror", "segtype,stripes", ["raid1", "2"]),
        ("five", "segtype,stripes", ["raid5", "3"]),
        ("six", "segtype,stripes", ["raid6", "5"]),
        ("ten", "segtype,stripes", ["raid10", "4"]),
        ("slow", "segtype,cache_mode", ["cache", "writeback"]),
        ("thin", "segtype,pool_lv", ["thin", "topolvm"]),
        ("topolvm", "zero,discards,seg_monitor", ["zero", "nopassdown", "monitored"]),
    ],
)
def test_volumes_are_what_was_asked_for(vm: VirtualMachine, volume: str, columns: str, values: list[str]) -> None:
    assert lvs(vm, f"mixed/{volume}", columns) == values


def test_a_group_with_volumes_of_others_grows(vm: VirtualMachine) -> None:
    """A larger partition, a further disk; what TopoLVM made stays and counts as used."""
    further = parse_disk({"serial": "HDD4", "type": "hdd", "size": "4 GiB"}, slot=20)
    vm.add_disk(further)
    grown = copy.deepcopy(DOCUMENT)
    grown["disks"]["hdd"]["count"] = 5
    grown["partitions"]["hdd"][0]["size"] = "rest"
    group = grown["lvm"]["mixed"]
    del group["volumes"]["rest"]
    # A share that the pool has already: LVM alone says where it grows, maybe on the disk of a RAID image.
    group["thin_pools"]["topolvm"]["size"] = "13%"
    ids = converge(vm, grown)
    assert "volume_group.extend:mixed" in ids
    assert sum(one.startswith("physical_volume.grow:") for one in ids) == 4
    # A person makes room: images of RAID grow only on disks that hold no other image of theirs.
    vm.ssh("lvremove -q -y mixed/rest")
    part = f"/dev/disk/by-id/{further.link}-part1"
    vm.ssh(f"lvcreate -q -y -L 1g -n 0d9a3f5e mixed {part} && lvcreate -q -y -V 1g --thinpool topolvm -n 7c1b2a mixed")
    group["volumes"]["plain"]["size"] = "401 MiB"
    group["volumes"]["thin"]["size"] = "6001 MiB"
    group["volumes"]["striped"]["size"] = "701 MiB"
    group["volumes"]["mirror"]["size"] = "4%"
    group["volumes"]["five"]["size"] = "501 MiB"
    group["volumes"]["ten"]["size"] = "301 MiB"
    group["volumes"]["slow"]["size"] = "801 MiB"
    group["thin_pools"]["topolvm"] |= {"size": "25%", "metadata_size": "32 MiB", "zero": False}
    ids = converge(vm, grown)
    assert {one for one in ids if one.startswith("logical_volume.grow:")} == {
        f"logical_volume.grow:mixed/{one}" for one in ("plain", "thin", "striped", "mirror", "five", "ten", "slow")
    }
    assert lvs(vm, "mixed/0d9a3f5e", "lv_size") == [str(1 << 30)]
    assert lvs(vm, "mixed/topolvm", "lv_metadata_size,zero") == [str(32 << 20), ""]


def test_what_is_inactive_is_activated(vm: VirtualMachine) -> None:
    document = {
        "disks": {"large": DOCUMENT["disks"]["large"]},
        "lvm": {"sectors": DOCUMENT["lvm"]["sectors"]},
    }
    vm.ssh("lvchange -an sectors/half sectors/pool")
    assert sorted(converge(vm, document)) == [
        "logical_volume.activate:sectors/half",
        "thin_pool.activate:sectors/pool",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"physical_volumes": ["nvme"]}, "which the document does not name"),
        ({"extent_size": "8 MiB"}, "its extents have 4 MiB and the document says 8 MiB"),
    ],
)
def test_what_comes_later_is_refused(vm: VirtualMachine, change: dict[str, Any], sentence: str) -> None:
    document = {
        "disks": {"nvme": DOCUMENT["disks"]["nvme"]},
        "lvm": {"mixed": {"physical_volumes": ["nvme"], **change}},
    }
    answer = run(vm, document)
    assert answer["plan"] == []
    assert sentence in answer["refusals"][0]
