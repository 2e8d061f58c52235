# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line and the devices; the same values serve a cold boot and a hot-added disk."""

from __future__ import annotations

import json
from pathlib import Path

from barestore.lab import qemu
from barestore.lab.image import Image
from barestore.lab.machine import parse_machine

IMAGE = Image(Path("/cache/abc"))
MACHINE = parse_machine(
    "ss1",
    {
        "memory": "2 GiB",
        "cpus": 3,
        "disks": [
            {
                "serial": "HDD1",
                "type": "hdd",
                "size": "12 TB",
                "wwn": "0x5000c50000000001",
                "vendor": "ACME",
                "model": "M1",
            },
            {"serial": "SSD1", "type": "ssd", "size": "1 GiB"},
            {"serial": "NVME1", "type": "nvme", "size": "1 GiB", "sector_size": 4096, "bus_slot": 5},
        ],
    },
)
BOOT = qemu.Boot(MACHINE, IMAGE, Path("/vm/root.qcow2"), Path("/run/m.qmp"), Path("/vm/console"), 2222, "tcg")


def values(argv: list[str], option: str) -> list[str]:
    """What follows each occurrence of an option."""
    return [argv[number + 1] for number, word in enumerate(argv) if word == option]


def test_the_machine() -> None:
    argv = qemu.machine_argv(BOOT)
    assert values(argv, "-m") == ["2048"]
    assert values(argv, "-smp") == ["3"]
    assert values(argv, "-accel") == ["tcg,thread=multi"]
    assert values(argv, "-kernel") == ["/cache/abc/vmlinuz"]
    assert values(argv, "-netdev") == ["user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22"]
    assert "vmgenid,guid=auto" in values(argv, "-device")


def test_the_saved_machine_is_the_cold_one_without_its_disks() -> None:
    saved, cold = qemu.machine_argv(BOOT), qemu.cold_argv(BOOT, Path("/vm/disks"))
    assert cold[: len(saved)] == saved
    assert [json.loads(value)["id"] for value in values(cold[len(saved) :], "-device")] == [
        "dev-HDD1",
        "dev-SSD1",
        "dev-NVME1",
    ]


def test_devices() -> None:
    hdd, ssd, nvme = (qemu.device(disk) for disk in MACHINE.disks)
    assert (hdd["driver"], hdd["rotation_rate"], hdd["wwn"], hdd["scsi-id"]) == (
        "scsi-hd",
        7200,
        0x5000C50000000001,
        0,
    )
    assert (hdd["serial"], hdd["vendor"], hdd["product"]) == ("HDD1", "ACME", "M1")
    assert (ssd["driver"], ssd["rotation_rate"], ssd["scsi-id"]) == ("scsi-hd", 1, 1)
    assert (nvme["driver"], nvme["bus"], nvme["logical_block_size"]) == ("nvme", "port5", 4096)


def test_a_disk_of_many_terabytes_is_a_raw_file() -> None:
    node = qemu.block_node(MACHINE.disks[0], qemu.disk_file(Path("/vm/disks"), "HDD1"))
    assert (node["driver"], node["file"]["filename"]) == ("raw", "/vm/disks/HDD1.raw")
    assert len(node["node-name"]) <= 31
