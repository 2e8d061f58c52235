# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the audit looks at, as values: a host's devices, who holds them, what they carry, and paths of volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Device:
    """A block device: ``number`` is its major:minor, ``above`` those of the devices that it is a part of or lies on.

    ``whole``: it is a disk. What lies on one may say the disk's world-wide name too.
    """

    number: str
    name: str
    serial: str
    wwn: str
    above: frozenset[str]
    whole: bool = False


@dataclass(frozen=True)
class Label:
    """A label of BlueStore on a device."""

    number: str
    uuid: str
    osd: str
    fsid: str


@dataclass(frozen=True)
class HostFacts:
    """``paths`` leads from a volume to its major:minor, ``holders`` from there to processes of ceph-osd."""

    host: str
    devices: Mapping[str, Device]
    paths: Mapping[str, str]
    holders: Mapping[str, tuple[int, ...]]
    labels: tuple[Label, ...]


def host_facts(told: Mapping[str, Any]) -> HostFacts:
    """From what the module found on a host: ``{"host", "lsblk", "paths", "holders", "labels"}``."""
    devices = {one.number: one for one in _devices(told["lsblk"]["blockdevices"], frozenset())}
    return HostFacts(
        told["host"],
        _merged(devices, told["lsblk"]["blockdevices"]),
        dict(told["paths"]),
        {number: tuple(pids) for number, pids in told["holders"].items()},
        tuple(Label(one["number"], one["uuid"], one["osd"], one["fsid"]) for one in told["labels"]),
    )


def _devices(nodes: Any, above: frozenset[str]) -> Iterator[Device]:
    for one in nodes:
        number = one["maj:min"].strip()
        wwn = one.get("wwn") or ""
        yield Device(number, one["name"], one.get("serial") or "", wwn, above, one.get("type") == "disk")
        yield from _devices(one.get("children", ()), above | {number})


def _merged(devices: Mapping[str, Device], nodes: Any) -> dict[str, Device]:
    """A device that lies on several, such as a volume of two disks, is told once below each."""
    above: dict[str, frozenset[str]] = {}
    for one in _devices(nodes, frozenset()):
        above[one.number] = above.get(one.number, frozenset()) | one.above
    return {number: replace(one, above=above[number]) for number, one in devices.items()}
