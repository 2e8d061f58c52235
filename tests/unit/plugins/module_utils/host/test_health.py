# SPDX-License-Identifier: GPL-3.0-or-later
"""Health in the words of smartctl 7 and nvme-cli 2; the answers have the keys and shapes of real disks' answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.health import health, nvme, probes, smartctl
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.selection import Disk

TOOL: dict[str, Any] = {"smartctl": {"version": [7, 3], "exit_status": 0}}


def attribute(number: int, value: int, raw: str) -> dict[str, Any]:
    return {"id": number, "value": value, "worst": value, "thresh": 0, "raw": {"value": 163210330144, "string": raw}}


NVME = {
    **TOOL,
    "device": {"name": "/dev/nvme0", "type": "nvme", "protocol": "NVMe"},
    "smart_status": {"passed": True, "nvme": {"value": 0}},
    "nvme_smart_health_information_log": {
        "critical_warning": 0, "temperature": 40, "available_spare": 100, "available_spare_threshold": 10,
        "percentage_used": 5, "data_units_read": 790641770, "data_units_written": 2824080560, "power_cycles": 53,
        "power_on_hours": 482, "unsafe_shutdowns": 29, "media_errors": 2, "num_err_log_entries": 34,
    },
    "temperature": {"current": 40},
    "power_on_time": {"hours": 482},
}  # fmt: skip
SCSI = {
    **TOOL,
    "device": {"name": "/dev/sdg", "type": "scsi", "protocol": "SCSI"},
    "rotation_rate": 7200,
    "smart_status": {"passed": True},
    "temperature": {"current": 34, "drive_trip": 68},
    "scsi_grown_defect_list": 56,
    "power_on_time": {"hours": 43549, "minutes": 33},
    "scsi_error_counter_log": {
        "read": {
            "total_errors_corrected": 300357663,
            "gigabytes_processed": "176987.332",
            "total_uncorrected_errors": 1,
        },
        "write": {"total_errors_corrected": 0, "gigabytes_processed": "86472.611", "total_uncorrected_errors": 0},
    },
}
ATA = {
    **TOOL,
    "device": {"name": "/dev/sdb", "type": "sat", "protocol": "ATA"},
    "rotation_rate": 5400,
    "smart_status": {"passed": False},
    "ata_smart_attributes": {
        "revision": 16,
        "table": [attribute(5, 100, "8"), attribute(194, 51, "32 (Min/Max 24/38)"), attribute(197, 100, "3")],
    },
    "power_on_time": {"hours": 1730},
    "temperature": {"current": 32},
}
SSD = {
    **TOOL,
    "rotation_rate": 0,
    "smart_status": {"passed": True},
    "ata_smart_attributes": {"revision": 1, "table": [attribute(233, 97, "0"), attribute(5, 100, "0")]},
}


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (NVME, (True, 5, 2, 40, 482)),
        (SCSI, (True, None, 57, 34, 43549)),
        (ATA, (False, None, 11, 32, 1730)),
        (SSD, (True, 3, 0, None, None)),
        ({**SSD, "endurance_used": {"current_percent": 12}}, (True, 12, 0, None, None)),
    ],
)
def test_smartctl_of_each_kind_of_disk(told: dict[str, Any], found: tuple[Any, ...]) -> None:
    got = smartctl(told)
    assert tuple(got[key] for key in ("passed", "wear", "media_errors", "temperature", "age")) == found
    assert got["error"] == ""


def test_a_disk_that_tells_nothing_says_why() -> None:
    failed = {"string": "Smartctl open device: /dev/sdx failed: No such device", "severity": "error"}
    told = {"smartctl": {"version": [7, 3], "exit_status": 2, "messages": [failed]}}
    assert smartctl(told)["error"] == failed["string"]
    assert smartctl(TOOL)["error"] == "the disk tells nothing of its health"


def test_nvme_counts_from_absolute_zero() -> None:
    told = {
        "critical_warning": 4, "temperature": 309, "avail_spare": 100, "spare_thresh": 10, "percent_used": 7,
        "power_cycles": 12, "power_on_hours": 2401, "unsafe_shutdowns": 3, "media_errors": 0,
    }  # fmt: skip
    assert nvme(told) == {
        "passed": False, "wear": 7, "media_errors": 0, "temperature": 36, "age": 2401, "error": "",
    }  # fmt: skip


def disk(serial: str, transport: str) -> Disk:
    return Disk(f"wwn-{serial}", "sda", serial, "", "", "", "", 10**12, 512, 512, False, transport, ())


def answered(text: str, rc: int = 0) -> dict[str, Any]:
    return {"rc": rc, "stdout": text, "stderr": ""}


def test_the_whole_host() -> None:
    disks = (disk("A", "sas"), disk("B", "nvme"))
    asked = probes(disks, lambda tool: True)
    answers: dict[str, Any] = {
        asked[0].key: "md127 : active raid1 sdb[1] sda[0](F)\n      1046528 blocks super 1.2 [2/1] [_U]\n",
        asked[1].key: answered(json.dumps(SCSI)),
        asked[2].key: answered("", 1),
        asked[3].key: answered("no pools available\n"),
        asked[4].key: answered("tank\t10737418240\t1073741824\t9663676416\t-\t10\tONLINE\n"),
        asked[5].key: answered(
            json.dumps(
                {
                    "report": [
                        {
                            "lv": [
                                {"vg_name": "fast", "lv_name": "tp", "lv_size": "1073741824", "data_percent": "81.25",
                                 "metadata_percent": "10.84"},
                                {"vg_name": "fast", "lv_name": "off", "lv_size": "1073741824", "data_percent": "",
                                 "metadata_percent": ""},
                            ]
                        }
                    ]
                }
            )
        ),
    }  # fmt: skip
    found = health(Observation(answers), disks, lambda tool: True)
    assert [(one["serial"], one["age"]) for one in found["disks"]] == [("A", 43549), ("B", None)]
    assert found["disks"][1]["error"] == "smartctl: it said nothing that can be read"
    assert found["arrays"] == [
        {"name": "md127", "level": "raid1", "active": True, "devices": 2, "working": 1, "failed": ["sda"], "work": ""}
    ]
    (pool,) = found["pools"]
    assert (pool["name"], pool["capacity"], pool["fragmentation"], pool["state"]) == ("tank", 10, None, "ONLINE")
    assert [(one["name"], one["data_percent"]) for one in found["thin_pools"]] == [
        ("fast/tp", 81.25),
        ("fast/off", None),
    ]


def test_a_host_without_tools_is_asked_only_for_its_arrays() -> None:
    disks = (disk("A", "sas"), disk("B", "nvme"))
    assert len(probes(disks, lambda tool: False)) == 1
    assert [probe.key for probe in probes(disks, lambda tool: tool == "nvme")][1:] == [
        "run:nvme smart-log --output-format=json /dev/disk/by-id/wwn-B"
    ]
    found = health(Observation({"file:/proc/mdstat": None}), disks, lambda tool: False)
    assert {one["error"] for one in found["disks"]} == {"install smartmontools"}
    assert (found["pools"], found["thin_pools"], found["arrays"]) == ([], [], [])
