# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tree of block devices as the kernel and udev see it: the ground that all kinds stand on.

Kernel names (sda, dm-3) live only here and in observed values; nothing planned ever holds one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..plan.errors import ObserveError
from ..plan.printable import printable
from .first_look import LSBLK
from .observation import Observation, ReadLinks, ReadPartitions

BY_ID = ReadLinks("/dev/disk/by-id")
BY_PATH = ReadLinks("/dev/disk/by-path")
PARTITIONS = ReadPartitions()
ZVOLS = "/dev/zvol"  # lsblk knows no names of ZFS volumes: they come from the folders that a document asks about
PROBES = (LSBLK, BY_ID, BY_PATH, PARTITIONS)

# The most stable name first; what is left sorts by text, so that the choice is the same on every run.
_LINK_ORDER = ("wwn-", "nvme-eui.", "nvme-uuid.", "nvme-", "ata-", "scsi-", "virtio-", "usb-")


@dataclass(frozen=True)
class BlockDevice:
    """One device: ``size`` in bytes, ``start`` in 512-byte sectors of its disk, kernel names of its relatives."""

    kname: str
    path: str
    type: str
    size: int
    sector: int
    physical_sector: int
    rotational: bool
    read_only: bool
    transport: str
    serial: str
    wwn: str
    model: str
    vendor: str
    hctl: str
    table: str
    table_uuid: str
    number: int
    start: int
    part_uuid: str
    part_type: str
    part_name: str
    content: str
    content_label: str
    content_uuid: str
    mountpoints: tuple[str, ...]
    parents: tuple[str, ...]
    children: tuple[str, ...]
    by_id: tuple[str, ...]
    by_path: tuple[str, ...]


class BlockDevices:
    """All devices by kernel name, with the links that lead to them."""

    def __init__(self, devices: Mapping[str, BlockDevice], links: Mapping[str, str]) -> None:
        self._devices = devices
        self._links = links

    def __iter__(self) -> Iterator[BlockDevice]:
        return iter(self._devices.values())

    def get(self, kname: str) -> BlockDevice | None:
        return self._devices.get(kname)

    def at(self, path: str) -> BlockDevice | None:
        """The device behind a path: a node, a link below /dev/disk, a /dev/VG/LV or /dev/mapper name; else None."""
        return self._devices.get(self._links.get(path, ""))

    def disks_below(self, kname: str) -> frozenset[str]:
        """Kernel names of the whole disks that a device lies on; itself when it is one."""
        device = self._devices.get(kname)
        if device is None:
            return frozenset()
        if not device.parents:
            return frozenset((kname,))
        return frozenset(disk for parent in device.parents for disk in self.disks_below(parent))


def read(observation: Observation) -> BlockDevices:
    """The tree from lsblk, sysfs and the links below /dev/disk.

    :raises ObserveError: lsblk is missing, failed, or printed what is not its JSON.
    """
    answer = observation.ask(LSBLK)
    by_id = _reverse(observation.ask(BY_ID) or {})
    by_path = _reverse(observation.ask(BY_PATH) or {})
    partitions = observation.ask(PARTITIONS) or {}
    if answer is None:
        return BlockDevices({}, {})
    if answer["rc"] not in (0, 32, 64):
        raise ObserveError(
            f"lsblk failed on this host: {answer['stderr'].strip() or 'no message'}", "install util-linux 2.37 or newer"
        )
    try:
        tree = json.loads(answer["stdout"])["blockdevices"]
    except (ValueError, KeyError, TypeError) as error:
        raise ObserveError(
            "lsblk did not print the JSON that was asked of it", "install util-linux 2.37 or newer"
        ) from error
    rows: dict[str, dict[str, Any]] = {}
    parents: dict[str, set[str]] = {}
    children: dict[str, set[str]] = {}
    _walk(tree, "", rows, parents, children)
    devices = {
        kname: _device(row, sorted(parents[kname]), sorted(children[kname]), by_id, by_path, partitions)
        for kname, row in sorted(rows.items())
    }
    links = {device.path: kname for kname, device in devices.items()}
    links.update({f"/dev/{kname}": kname for kname in devices})
    for kname, device in devices.items():
        if device.path.startswith("/dev/mapper/") and device.type == "lvm":
            links[_lvm_path(device.path)] = kname
        for name in device.by_id:
            links[f"/dev/disk/by-id/{name}"] = kname
        for name in device.by_path:
            links[f"/dev/disk/by-path/{name}"] = kname
    for key, found in observation.answers.items():
        if key.startswith(f"links:{ZVOLS}"):
            folder = key[len("links:") :]
            links.update((f"{folder}/{name}", kname) for name, kname in found.items())
    return BlockDevices(devices, links)


def _walk(
    nodes: list[dict[str, Any]],
    parent: str,
    rows: dict[str, dict[str, Any]],
    parents: dict[str, set[str]],
    children: dict[str, set[str]],
) -> None:
    for node in nodes:
        kname = str(node["kname"])
        rows.setdefault(kname, node)
        parents.setdefault(kname, set())
        children.setdefault(kname, set())
        if parent:
            parents[kname].add(parent)
            children[parent].add(kname)
        _walk(node.get("children") or [], kname, rows, parents, children)


def _device(
    row: Mapping[str, Any],
    parents: list[str],
    children: list[str],
    by_id: Mapping[str, list[str]],
    by_path: Mapping[str, list[str]],
    partitions: Mapping[str, list[int]],
) -> BlockDevice:
    kname = str(row["kname"])
    number, start = partitions.get(kname, (0, 0))

    def text(column: str) -> str:
        return printable(str(row.get(column) or "").strip())

    return BlockDevice(
        kname=kname,
        path=text("path"),
        type=text("type"),
        size=int(row.get("size") or 0),
        sector=int(row.get("log-sec") or 512),
        physical_sector=int(row.get("phy-sec") or 512),
        rotational=bool(row.get("rota")),
        read_only=bool(row.get("ro")),
        transport=text("tran"),
        serial=text("serial"),
        wwn=text("wwn"),
        model=text("model"),
        vendor=text("vendor"),
        hctl=text("hctl"),
        table=text("pttype"),
        table_uuid=text("ptuuid").lower(),
        number=number,
        start=start,
        part_uuid=text("partuuid").lower(),
        part_type=text("parttype").lower(),
        part_name=text("partlabel"),
        content=text("fstype"),
        content_label=text("label"),
        content_uuid=text("uuid"),
        mountpoints=tuple(sorted(one for one in row.get("mountpoints") or () if one)),
        parents=tuple(parents),
        children=tuple(children),
        by_id=tuple(sorted(by_id.get(kname, ()), key=_link_key)),
        by_path=tuple(sorted(by_path.get(kname, ()))),
    )


def _link_key(name: str) -> tuple[int, str]:
    # What the kernel makes up for a namespace without an identifier of its own is the least readable name.
    if name.startswith("nvme-nvme."):
        return len(_LINK_ORDER), name
    for rank, prefix in enumerate(_LINK_ORDER):
        if name.startswith(prefix):
            return rank, name
    return len(_LINK_ORDER), name


def _reverse(links: Mapping[str, str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, kname in links.items():
        out.setdefault(kname, []).append(name)
    return out


def _lvm_path(mapper: str) -> str:
    """/dev/VG/LV of a /dev/mapper name: a single hyphen parts them, a double one is a hyphen of a name."""
    name = mapper[len("/dev/mapper/") :].replace("--", "\0")
    group, _hyphen, volume = name.partition("-")
    return f"/dev/{group}/{volume}".replace("\0", "-")
