# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Health of a host's storage: disks by smartctl or nvme, pools, thin pools and arrays. Asked only when wanted.

Keys of smartctl's JSON are those of smartmontools 7 (smartctl.cpp and its ataprint, nvmeprint and scsiprint); those of
nvme are nvme-cli 2's (nvme-print-json.c).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .first_look import POOL_STATUS
from .md import mdstat
from .observation import Observation, Probe, ReadFile, Run
from .selection import Disk
from .zfs import status

_MDSTAT = ReadFile("/proc/mdstat")
_POOLS = Run(("zpool", "list", "-Hp", "-o", "name,size,allocated,free,fragmentation,capacity,health"))
_THIN = Run(
    (
        "lvs", "--reportformat", "json", "--units", "b", "--nosuffix", "--options",
        "vg_name,lv_name,lv_size,data_percent,metadata_percent", "--select", "segtype=thin-pool",
    )
)  # fmt: skip
_COUNTED = {5: "reallocated", 197: "pending", 198: "uncorrectable"}  # sectors, by the numbers of ATA attributes
_LIFE_LEFT = (231, 233, 202, 177)  # attributes whose value begins at 100 and wears down
_KELVIN = 273


def probes(disks: Sequence[Disk], has: Callable[[str], bool]) -> tuple[Probe, ...]:
    """One process a disk, three for pools and thin pools, none for arrays; only tools that the host has."""
    found: list[Probe] = [_MDSTAT]
    found += [probe for disk in disks for probe in (_of(disk, has),) if probe]
    found += [POOL_STATUS, _POOLS] if has("zpool") else []
    found += [_THIN] if has("lvs") else []
    return tuple(found)


def _of(disk: Disk, has: Callable[[str], bool]) -> Run | None:
    if has("smartctl"):
        return Run(("smartctl", "--json=c", "--info", "--health", "--attributes", disk.path))
    if disk.transport == "nvme" and has("nvme"):
        return Run(("nvme", "smart-log", "--output-format=json", disk.path))
    return None


def health(observation: Observation, disks: Sequence[Disk], has: Callable[[str], bool]) -> dict[str, Any]:
    """``{"disks", "pools", "thin_pools", "arrays"}``, each a list in the order in which people count."""
    return {
        "disks": [_disk(disk, observation, has) for disk in disks],
        "pools": list(_pools(observation)),
        "thin_pools": list(_thin_pools(observation)),
        "arrays": [
            {
                "name": one.kname,
                "level": one.level,
                "active": one.active,
                "devices": one.devices,
                "working": one.working,
                "failed": [member.kname for member in one.members if member.faulty],
                "work": one.work,
            }
            for one in mdstat.parse(observation.ask(_MDSTAT) or "")
        ],
    }


def _disk(disk: Disk, observation: Observation, has: Callable[[str], bool]) -> dict[str, Any]:
    probe = _of(disk, has)
    known = {"id": disk.id, "serial": disk.told_serial, "slot": disk.slot}
    if probe is None:
        return {**known, **_unknown("install smartmontools")}
    answer = observation.ask(probe) or {"stdout": "", "stderr": ""}
    try:
        told = json.loads(answer["stdout"])
        found = smartctl(told) if probe.argv[0] == "smartctl" else nvme(told)
    except (ValueError, KeyError, TypeError, AttributeError):
        said = " ".join(answer["stderr"].split()) or "it said nothing that can be read"
        found = _unknown(f"{probe.argv[0]}: {said}")
    return {**known, **found}


def _unknown(error: str) -> dict[str, Any]:
    return {"passed": None, "wear": None, "media_errors": None, "temperature": None, "age": None, "error": error}


def smartctl(told: Mapping[str, Any]) -> dict[str, Any]:
    """``passed``: what the disk says of itself; ``wear`` in percent of its life, ``temperature`` in degrees Celsius,
    ``age`` in hours of operation; None where the disk does not tell. ``error`` says why nothing is known.
    """
    errors = [one["string"] for one in told["smartctl"].get("messages", ()) if one.get("severity") == "error"]
    found = {
        "passed": told.get("smart_status", {}).get("passed"),
        "wear": _wear(told),
        "media_errors": _media_errors(told),
        "temperature": told.get("temperature", {}).get("current"),
        "age": told.get("power_on_time", {}).get("hours"),
        "error": "",
    }
    if all(value is None for key, value in found.items() if key != "error"):
        found["error"] = "; ".join(errors) or "the disk tells nothing of its health"
    return found


def _attributes(told: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    return {one["id"]: one for one in told.get("ata_smart_attributes", {}).get("table", ())}


def _wear(told: Mapping[str, Any]) -> int | None:
    for value in (
        told.get("endurance_used", {}).get("current_percent"),
        told.get("nvme_smart_health_information_log", {}).get("percentage_used"),
        told.get("scsi_percentage_used_endurance_indicator"),
    ):
        if value is not None:
            return int(value)
    if told.get("rotation_rate", 0):
        return None
    attributes = _attributes(told)
    return next((max(0, 100 - int(attributes[key]["value"])) for key in _LIFE_LEFT if key in attributes), None)


def _media_errors(told: Mapping[str, Any]) -> int | None:
    log = told.get("nvme_smart_health_information_log", {})
    if "media_errors" in log:
        return int(log["media_errors"])
    counters = told.get("scsi_error_counter_log", {})
    if counters or "scsi_grown_defect_list" in told:
        uncorrected = sum(int(one.get("total_uncorrected_errors", 0)) for one in counters.values())
        return uncorrected + int(told.get("scsi_grown_defect_list", 0))
    attributes = _attributes(told)
    # The raw text begins with the count; the raw number may hold other things beside it.
    counts = [int(attributes[key]["raw"]["string"].split()[0]) for key in _COUNTED if key in attributes]
    return sum(counts) if counts else None


def nvme(told: Mapping[str, Any]) -> dict[str, Any]:
    """As :func:`smartctl`, from ``nvme smart-log``; it counts degrees from absolute zero."""
    return {
        "passed": int(told["critical_warning"]) == 0,
        "wear": int(told["percent_used"]),
        "media_errors": int(told["media_errors"]),
        "temperature": int(told["temperature"]) - _KELVIN,
        "age": int(told["power_on_hours"]),
        "error": "",
    }


def _pools(observation: Observation) -> Iterator[dict[str, Any]]:
    if _POOLS.key not in observation.answers:
        return
    known = {pool.name: pool for pool in status.parse(observation.ask(POOL_STATUS)["stdout"])}
    for line in observation.ask(_POOLS)["stdout"].splitlines():
        name, size, allocated, free, fragmentation, capacity, state = line.split("\t")
        pool = known.get(name)
        yield {
            "name": name,
            "state": state,
            "size": int(size),
            "allocated": int(allocated),
            "free": int(free),
            "fragmentation": int(fragmentation) if fragmentation.isdigit() else None,
            "capacity": int(capacity) if capacity.isdigit() else None,
            "unhealthy": pool.unhealthy if pool else "",
        }


def _thin_pools(observation: Observation) -> Iterator[dict[str, Any]]:
    answer = observation.ask(_THIN) if _THIN.key in observation.answers else None
    if not answer or answer["rc"] != 0 or not answer["stdout"].strip():
        return
    for row in json.loads(answer["stdout"])["report"][0]["lv"]:
        yield {
            "name": f"{row['vg_name']}/{row['lv_name']}",
            "size": int(row["lv_size"]),
            "data_percent": _percent(row["data_percent"]),
            "metadata_percent": _percent(row["metadata_percent"]),
        }


def _percent(text: str) -> float | None:
    return float(text) if text else None
