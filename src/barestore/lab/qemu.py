# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's command line and devices as values; nothing here starts anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barestore.lab.image import Image
from barestore.lab.machine import MIB, NVME_SLOTS, Disk, Machine

BINARY = "qemu-system-x86_64"
ACCELERATORS = {"tcg": "tcg,thread=multi", "kvm": "kvm"}
KERNEL_LINE = (
    "console=ttyS0 loglevel=4 root=/dev/vda rw mitigations=off nokaslr net.ifnames=0 "
    "no_timer_check tsc=reliable random.trust_cpu=on "
    # zpool create gives up on a new partition after 1 s, which is too soon for an emulated machine on a busy one.
    "zfs.zfs_vdev_open_timeout_ms=30000"
)


@dataclass(frozen=True)
class Boot:
    """Where one run of a machine has its files, its port and its speed."""

    machine: Machine
    image: Image
    root: Path  # the overlay that takes the writes to the root file system
    monitor: Path
    console: Path
    port: int
    accelerator: str


def kernel_argv(boot_image: Image, accelerator: str, memory: int, cpus: int, append: str) -> list[str]:
    """What any start of the guest's kernel has in common."""
    return [
        BINARY, "-nodefaults", "-no-user-config", "-display", "none", "-M", "q35",
        "-accel", ACCELERATORS[accelerator], "-cpu", "max", "-smp", str(cpus), "-m", str(memory // MIB),
        "-kernel", str(boot_image.kernel), "-initrd", str(boot_image.initrd), "-append", append,
    ]  # fmt: skip


def machine_argv(boot: Boot) -> list[str]:
    """The machine without its disks: equal for the saved and the restored one, or the state would not fit."""
    root = {
        "driver": "qcow2",
        "node-name": "root",
        "discard": "unmap",
        # The overlay's tables still reach the file when the guest flushes; only the fsync here is left out.
        "file": {
            "driver": "file",
            "filename": str(boot.root),
            "cache": {"no-flush": True},
            "discard": "unmap",
        },
    }
    argv = kernel_argv(boot.image, boot.accelerator, boot.machine.memory, boot.machine.cpus, KERNEL_LINE)
    argv += ["-name", f"barestore-lab-{boot.machine.name}", "-rtc", "base=utc,clock=host"]
    argv += ["-serial", f"file:{boot.console}", "-qmp", f"unix:{boot.monitor},server=on,wait=off"]
    argv += ["-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{boot.port}-:22"]
    argv += ["-device", "virtio-net-pci,netdev=net0,romfile=", "-device", "virtio-rng-pci"]
    # A new generation number at each restore makes the guest's kernel draw fresh random numbers: without it,
    # all machines of one saved state would make the same "random" UUIDs.
    argv += ["-device", "vmgenid,guid=auto"]
    argv += ["-blockdev", json.dumps(root), "-device", "virtio-blk-pci,drive=root,serial=lab-root"]
    for slot in range(NVME_SLOTS):
        argv += ["-device", f"pcie-root-port,id=port{slot},chassis={slot + 1},slot={slot + 1}"]
    return [*argv, "-device", "virtio-scsi-pci,id=scsi0,num_queues=1"]


def cold_argv(boot: Boot, disks: Path) -> list[str]:
    """The machine with its disks, for a boot from power-on."""
    argv = machine_argv(boot)
    for disk in boot.machine.disks:
        cache = cache_file(disks, disk.serial)
        path = cache if cache.exists() else disk_file(disks, disk.serial)
        argv += ["-blockdev", json.dumps(block_node(disk, path))]
        argv += ["-device", json.dumps(device(disk))]
    return argv


def disk_file(folder: Path, serial: str) -> Path:
    """The file behind a disk."""
    return folder / f"{serial}.raw"


def cache_file(folder: Path, serial: str) -> Path:
    """What takes a disk's writes until they are flushed, if it has a cache that forgets."""
    return folder / f"{serial}.qcow2"


def file_node(serial: str) -> str:
    """What QEMU calls the file behind a disk; a fault is put between it and the disk."""
    return f"file-{serial}"


def node_name(serial: str) -> str:
    """What QEMU calls the disk's contents."""
    return f"disk-{serial}"


def device_name(serial: str) -> str:
    """What QEMU calls the disk's device."""
    return f"dev-{serial}"


def block_node(disk: Disk, path: Path) -> dict[str, Any]:
    """The disk's contents, for ``blockdev-add`` and ``-blockdev`` alike.

    Completed writes are in this machine's page cache and outlive QEMU, so a flush has nothing to add; but in a
    ``qcow2`` file they are found again only when its tables were written, which a flush does.
    """
    return {
        "driver": path.suffix.removeprefix("."),
        "node-name": node_name(disk.serial),
        "discard": "unmap",
        "detect-zeroes": "off",
        "file": {
            "driver": "file",
            "node-name": file_node(disk.serial),
            "filename": str(path),
            "discard": "unmap",
            "cache": {"no-flush": True},
        },
    }


def device(disk: Disk) -> dict[str, Any]:
    """The disk's device, for ``device_add`` and ``-device`` alike."""
    common: dict[str, Any] = {
        "id": device_name(disk.serial),
        "drive": node_name(disk.serial),
        "serial": disk.serial,
        "logical_block_size": disk.sector_size,
        "physical_block_size": disk.physical_sector_size,
    }
    if disk.type == "nvme":
        return {"driver": "nvme", "bus": f"port{disk.slot}", **common}
    return {
        "driver": "scsi-hd",
        "bus": "scsi0.0",
        "channel": 0,
        "scsi-id": disk.slot,
        "lun": 0,
        "device_id": disk.serial,
        "wwn": disk.wwn,
        "rotation_rate": disk.rotation_rate,
        "vendor": disk.vendor,
        "product": disk.model,
        **common,
    }
