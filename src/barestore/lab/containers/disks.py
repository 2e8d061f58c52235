# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of nodes: loop devices over sparse files, with the identities that udev would have read from a real disk."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from barestore.lab.containers.commands import run
from barestore.lab.errors import LabError
from barestore.lab.files import cache_dir, locked, make_sparse
from barestore.lab.machine import Disk

# Below are the loop devices that kubelet may use in nodes for its block volumes.
_FIRST = 200
_LAST = 4000
# LOOP_GET_STATUS64 of linux/loop.h: lo_device, lo_inode and lo_rdevice come first, 8 bytes each.
_STATUS, _STATUS_BYTES = 0x4C05, 232

# A node sees every loop device of this machine; only those whose file is in its own folder become disks.
_RULES = """\
SUBSYSTEM!="block", GOTO="node_end"
ENV{{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}}="1"
ACTION=="remove", KERNEL=="loop*p*", RUN+="/usr/local/sbin/node-partitions %k"
ACTION=="remove", GOTO="node_end"
KERNEL=="loop[0-9]*", ATTRS{{loop/backing_file}}=="*/{mark}-*.img", ENV{{NODE_DISK}}="1"
ENV{{NODE_DISK}}!="1", OPTIONS+="nowatch", GOTO="node_end"
ENV{{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}}="0"
IMPORT{{program}}="/usr/local/sbin/node-device %k %M %m"
ENV{{DEVTYPE}}=="disk", SYMLINK+="disk/by-id/scsi-$env{{ID_SERIAL}} disk/by-id/wwn-$env{{ID_WWN_WITH_EXTENSION}} disk/by-path/$env{{ID_PATH}}"
ENV{{DEVTYPE}}=="partition", SYMLINK+="disk/by-id/scsi-$env{{ID_SERIAL}}-part%n disk/by-id/wwn-$env{{ID_WWN_WITH_EXTENSION}}-part%n disk/by-path/$env{{ID_PATH}}-part%n"
ENV{{DEVTYPE}}=="disk", ACTION=="change", RUN+="/usr/local/sbin/node-partitions %k"
LABEL="node_end"
"""  # noqa: E501


@dataclass(frozen=True)
class Disks:
    """The files of a node's disks, and the loop devices over them."""

    folder: Path

    @property
    def mark(self) -> str:
        """The start of the files' names: a node sees them from another root, where only the name is sure."""
        return hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:8]

    def file(self, disk: Disk) -> Path:
        """The sparse file behind a disk."""
        return self.folder.resolve() / f"{self.mark}-{disk.serial}.img"

    def attach(self, disk: Disk) -> str:
        """The kernel name of the loop device over a disk, made if there is none: loop201."""
        path = self.file(disk)
        make_sparse(path, disk.size)
        with locked(cache_dir() / "loops.lock"):
            if name := next((loop.name for loop in _loops() if loop.file == str(path)), None):
                return name
            name = _free_name()
            argv = ["losetup", "--partscan", "--sector-size", str(disk.sector_size), f"/dev/{name}", str(path)]
            run(argv)
        Path(f"/sys/block/{name}/queue/rotational").write_text("1" if disk.type == "hdd" else "0")
        return name

    def detach(self) -> None:
        """Take away every loop device over a file of this folder, its partitions, and what kubelet put over it.

        Kubelet's loop devices, over block volumes, outlive a node that was killed or rebooted; the name of their file
        is of a mount that is gone then, so that only the kernel knows which disk they are over.
        """
        loops = list(_loops())
        own = [one for one in loops if Path(one.file.removesuffix(" (deleted)")).parent == self.folder.resolve()]
        numbers = {os.stat(f"/dev/{one.name}").st_rdev for one in own}
        above = [one for one in loops if _over(one.name) in numbers]
        for loop in [*above, *own]:
            run(["partx", "--delete", f"/dev/{loop.name}"], check=False)
            run(["losetup", "--detach", f"/dev/{loop.name}"], check=False)

    def rules(self) -> str:
        """The udev rules of the node that has these disks."""
        return _RULES.format(mark=self.mark)


def properties(disk: Disk) -> str:
    """What udev knows of a disk, one KEY=value a line."""
    known = {
        "ID_BUS": "scsi",
        "ID_VENDOR": disk.vendor,
        "ID_MODEL": disk.model,
        "ID_SERIAL": f"{disk.vendor}_{disk.model}_{disk.serial}",
        "ID_SERIAL_SHORT": disk.serial,
        "ID_SCSI_SERIAL": disk.serial,
        "ID_WWN": f"{disk.wwn:#018x}",
        "ID_WWN_WITH_EXTENSION": f"{disk.wwn:#018x}",
        "ID_PATH": f"lab-scsi-0:0:{disk.slot}:0",
    }
    return "".join(f"{key}={value}\n" for key, value in known.items())


@dataclass(frozen=True)
class _Loop:
    name: str
    file: str


def _loops() -> Iterator[_Loop]:
    listed = run(["losetup", "--json", "--list", "--output", "NAME,BACK-FILE"]).strip()
    for entry in json.loads(listed or '{"loopdevices":[]}')["loopdevices"]:
        if entry["back-file"]:
            yield _Loop(os.path.basename(entry["name"]), entry["back-file"])


def _over(name: str) -> int:
    """The number of the block device that a loop device is over; 0 for a file, and for one that is gone."""
    told = bytearray(_STATUS_BYTES)
    with suppress(OSError), open(f"/dev/{name}", "rb") as handle:
        fcntl.ioctl(handle, _STATUS, told)
    found: int = struct.unpack_from("=QQQ", told)[2]
    return found


def _free_name() -> str:
    used = set()
    for folder in Path("/sys/block").glob("loop*"):
        with suppress(OSError):
            if (folder / "loop").exists():
                used.add(folder.name)
    for number in range(_FIRST, _LAST):
        if f"loop{number}" not in used:
            return f"loop{number}"
    raise LabError(f"all loop devices from {_FIRST} to {_LAST} are in use; take a lab down that is not needed")
