# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual host as an inventory describes it (``lab_machine``): values, or a sentence about each mistake.

``schemas/lab_machine.schema.json`` says the same to editors; a unit test holds the two together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from ipaddress import IPv4Interface
from typing import Any

from barestore.lab.errors import LabError

MIB = 1 << 20
SCSI_SLOTS = 256
NVME_SLOTS = 8  # root ports of the saved machine: hot-added NVMe disks need one each
SECTOR_SIZES = (512, 4096)
TYPES = ("hdd", "ssd", "nvme")
DEFAULT_MEMORY = 1536 * MIB
KINDS = ("vm", "container")
_MACHINE_KEYS = ("kind", "address", "memory", "cpus", "disks")
_DISK_KEYS = (
    "serial", "type", "size", "wwn", "rotation_rate", "vendor", "model",
    "sector_size", "physical_sector_size", "bus_slot",
)  # fmt: skip
_UNITS = {
    "B": 1,
    **{f"{p}B": 1000**n for n, p in enumerate("kMGTP", 1)},
    **{f"{p}iB": 1024**n for n, p in enumerate("KMGTP", 1)},
}
_UNITS["KB"] = 1000
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
_WWN = re.compile(r"0x[0-9a-fA-F]{16}")


@dataclass(frozen=True)
class Disk:
    """One disk; ``wwn`` and ``rotation_rate`` are None for NVMe, whose names QEMU makes from the serial."""

    serial: str
    type: str
    size: int
    slot: int
    wwn: int | None = None
    rotation_rate: int | None = None
    vendor: str = "LAB"
    model: str = "DISK"
    sector_size: int = 512
    physical_sector_size: int = 4096

    @property
    def link(self) -> str:
        """The name under /dev/disk/by-id by which the guest has seen the disk."""
        return f"wwn-{self.wwn:#018x}" if self.wwn is not None else f"nvme-QEMU_NVMe_Ctrl_{self.serial}"


@dataclass(frozen=True)
class Machine:
    """One host of the lab; ``address``, such as 10.77.0.11/24, is a container's, which has all memory and CPUs."""

    name: str
    memory: int = DEFAULT_MEMORY
    cpus: int = 2
    disks: tuple[Disk, ...] = ()
    kind: str = "vm"
    address: str = ""


def parse_size(value: object, where: str) -> int:
    """Exact bytes from text such as ``4 GiB`` or ``12 TB``."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found or found.group(2) not in _UNITS:
        raise LabError(f"{where}: {value!r} is no size; write a number and a unit, such as '4 GiB' or '12 TB'")
    size = Fraction(found.group(1)) * _UNITS[found.group(2)]
    if size.denominator != 1 or size <= 0:
        raise LabError(f"{where}: {value!r} is no whole number of bytes above zero")
    return int(size)


def parse_machine(name: str, raw: object) -> Machine:
    """The machine of host ``name`` from the value of its ``lab_machine``."""
    where = f"host {name}: lab_machine"
    table = _table(raw, where, _MACHINE_KEYS)
    kind = table.get("kind", "vm")
    if kind not in KINDS:
        raise LabError(f"{where}.kind: {kind!r} is none of {', '.join(KINDS)}")
    address = _address(table, where, kind)
    memory = parse_size(table.get("memory", "1.5 GiB"), f"{where}.memory")
    if memory % MIB or memory < 512 * MIB:
        raise LabError(f"{where}.memory: {table['memory']!r} must be whole MiB, and 512 MiB at least")
    cpus = _whole(table.get("cpus", 2), f"{where}.cpus", 1, 64)
    listed = table.get("disks", [])
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise LabError(
            f"{where}.disks: {listed!r} is no list; write one entry with serial, type and size for each disk"
        )
    tables = [_table(entry, f"{where}.disks[{number}]", _DISK_KEYS) for number, entry in enumerate(listed)]
    slots = _slots(tables, where)
    disks = tuple(
        parse_disk(entry, f"{where}.disks[{number}]", slot)
        for number, (entry, slot) in enumerate(zip(tables, slots, strict=True))
    )
    _distinct([disk.serial for disk in disks], f"{where}.disks: serial")
    _distinct([f"{disk.wwn:#018x}" for disk in disks if disk.wwn is not None], f"{where}.disks: wwn")
    for number, disk in enumerate(disks):
        if kind == "container" and disk.type == "nvme":
            raise LabError(f"{where}.disks[{number}].type: a container has no nvme disks; use hdd or ssd, or kind vm")
    return Machine(name, memory, cpus, disks, kind, address)


def _address(table: Mapping[str, Any], where: str, kind: str) -> str:
    """A container's address with the length of its network; a virtual machine has none."""
    found = table.get("address", "")
    if kind == "vm":
        if found:
            raise LabError(
                f"{where}.address: a vm is reached by a port of this machine; remove it, or use kind container"
            )
        return ""
    for key in ("memory", "cpus"):
        if key in table:
            raise LabError(f"{where}.{key}: a container has all {key} of this machine; remove it, or use kind vm")
    try:
        if not isinstance(found, str) or "/" not in found:
            raise ValueError
        parsed = IPv4Interface(found)
        if parsed.network.prefixlen > 29 or parsed.ip in (parsed.network[0], parsed.network[1], parsed.network[-1]):
            raise ValueError
    except ValueError:
        raise LabError(
            f"{where}.address: {found!r} must be an IPv4 address with its network's length, such as '10.77.0.11/24'; "
            "the first address of the network is this machine's"
        ) from None
    return str(parsed)


def parse_disk(raw: object, where: str = "disk", slot: int = 0) -> Disk:
    """One disk; ``slot`` is used when the entry names none."""
    table = _table(raw, where, _DISK_KEYS)
    for key in ("serial", "type", "size"):
        if key not in table:
            raise LabError(f"{where}: {key} is missing; each disk needs serial, type and size")
    serial = table["serial"]
    if not isinstance(serial, str) or not _SERIAL.fullmatch(serial):
        raise LabError(
            f"{where}.serial: {serial!r} must be text of 1 to 20 letters, digits, '.', '_' or '-' (quote a number)"
        )
    kind = table["type"]
    if kind not in TYPES:
        raise LabError(f"{where}.type: {kind!r} is none of {', '.join(TYPES)}")
    sector = _one_of(table.get("sector_size", 512), f"{where}.sector_size", SECTOR_SIZES)
    physical = _one_of(
        table.get("physical_sector_size", max(sector, 4096)), f"{where}.physical_sector_size", SECTOR_SIZES
    )
    if physical < sector:
        raise LabError(f"{where}.physical_sector_size: {physical} is less than the logical sector_size {sector}")
    size = parse_size(table["size"], f"{where}.size")
    if size % sector:
        raise LabError(f"{where}.size: {table['size']!r} is no multiple of the sector size of {sector} bytes")
    slot = _whole(
        table.get("bus_slot", slot),
        f"{where}.bus_slot",
        0,
        (NVME_SLOTS if kind == "nvme" else SCSI_SLOTS) - 1,
    )
    if kind == "nvme":
        for key in ("wwn", "rotation_rate", "vendor", "model"):
            if key in table:
                raise LabError(f"{where}.{key}: QEMU gives an NVMe disk its own {key}; remove it, or use type ssd")
        return Disk(serial, kind, size, slot, sector_size=sector, physical_sector_size=physical)
    if kind == "ssd" and "rotation_rate" in table:
        raise LabError(f"{where}.rotation_rate: an ssd does not rotate; remove it, or use type hdd")
    rate = 1 if kind == "ssd" else _whole(table.get("rotation_rate", 7200), f"{where}.rotation_rate", 1025, 65534)
    vendor = _text(table.get("vendor", "LAB"), f"{where}.vendor", 8)
    model = _text(table.get("model", kind.upper()), f"{where}.model", 16)
    return Disk(serial, kind, size, slot, _wwn(table.get("wwn"), serial, where), rate, vendor, model, sector, physical)


def _wwn(value: object, serial: str, where: str) -> int:
    """The WWN given, or one made from the serial: the same disk has the same on any machine."""
    if value is None:
        return 0x5000C5 << 40 | int(hashlib.sha256(serial.encode()).hexdigest()[:10], 16)
    if not isinstance(value, str) or not _WWN.fullmatch(value):
        raise LabError(
            f"{where}.wwn: {value!r} must be quoted text of 0x and 16 hexadecimal digits, such as '0x5000c50000000001'"
        )
    return int(value, 16)


def _distinct(values: Sequence[str], where: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise LabError(f"{where} {value} is given to {values.count(value)} disks; each needs its own")


def _slots(tables: Sequence[Mapping[str, Any]], where: str) -> list[int]:
    """A slot for each disk: the one it names, else the lowest that is free on its bus."""
    taken: dict[bool, dict[int, int]] = {True: {}, False: {}}
    for number, table in enumerate(tables):
        if isinstance(slot := table.get("bus_slot"), int):
            bus = taken[table.get("type") == "nvme"]
            if slot in bus:
                raise LabError(f"{where}.disks[{number}].bus_slot: {slot} is taken by disks[{bus[slot]}]")
            bus[slot] = number
    slots = []
    for number, table in enumerate(tables):
        nvme = table.get("type") == "nvme"
        if isinstance(slot := table.get("bus_slot"), int):
            slots.append(slot)
            continue
        free = next((s for s in range(NVME_SLOTS if nvme else SCSI_SLOTS) if s not in taken[nvme]), None)
        if free is None:
            raise LabError(
                f"{where}.disks[{number}]: no slot is left; "
                f"a machine takes {SCSI_SLOTS} SCSI and {NVME_SLOTS} NVMe disks"
            )
        taken[nvme][free] = number
        slots.append(free)
    return slots


def _table(raw: object, where: str, allowed: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise LabError(f"{where}: {raw!r} is no mapping; allowed keys are {', '.join(allowed)}")
    for key in raw:
        if key not in allowed:
            raise LabError(f"{where}: {key!r} is not known; allowed keys are {', '.join(allowed)}")
    return raw


def _whole(value: object, where: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise LabError(f"{where}: {value!r} must be a whole number from {low} to {high}")
    return value


def _one_of(value: object, where: str, allowed: Sequence[int]) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        raise LabError(f"{where}: {value!r} must be one of {', '.join(map(str, allowed))}")
    return value


def _text(value: object, where: str, limit: int) -> str:
    if not isinstance(value, str) or not re.fullmatch(rf"[A-Za-z0-9._-]{{1,{limit}}}", value):
        raise LabError(f"{where}: {value!r} must be text of 1 to {limit} letters, digits, '.', '_' or '-'")
    return value
