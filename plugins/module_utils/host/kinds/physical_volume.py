# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM physical volumes: made with a planned UUID, and grown with their device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blank import still_blank, unless_blank
from ..blockdevices import BlockDevices
from ..identity import lvm_uuid
from ..lvm import extents, report
from ..lvm.report import PhysicalVolume
from ..observation import Observation, Probe
from ..sizes import human, parse_bytes
from ..state import Device, Site, State

KIND = "physical_volume"

EXTENT = "4 MiB"
_LABEL = b"LABELONE".hex()  # lib/label/label.h of LVM2: the second sector of 512 bytes, the UUID 32 bytes into it
_LABEL_AT, _UUID_AT = 512, 512 + 32


@dataclass(frozen=True)
class Wanted:
    """A device that shall be a member of ``group``. ``have`` is what LVM sees there now; ``grows`` adds extents."""

    device: Device
    group: str
    uuid: str
    have: PhysicalVolume | None
    extents: int

    @property
    def resource(self) -> str:
        return f"pv:{self.device.resource}"

    @property
    def grows(self) -> bool:
        """Whether the device has room for extents that LVM does not know of; one without a group counts bytes."""
        if self.have is None:
            return False
        return self.extents > self.have.extents if self.have.group else self.device.size > self.have.device_size


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (report.FULLREPORT,) if document.get("lvm") else ()


def observe(observation: Observation, block: BlockDevices) -> tuple[PhysicalVolume, ...]:
    return observation.once(report.read).physical_volumes


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    found = {there.kname: pv for pv in have.of(KIND) for there in (have.block.at(pv.path),) if there is not None}
    owner: dict[str, str] = {}
    for group, entry in document.get("lvm", {}).items():
        size = parse_bytes(entry.get("extent_size", EXTENT))
        for device in (one for ref in entry["physical_volumes"] for one in want.devices[ref]):
            if device.resource in owner:
                other = (
                    "twice in this one"
                    if owner[device.resource] == group
                    else f"in the volume group {owner[device.resource]} as well"
                )
                yield Refusal(f"volume group {group}", f"its {device.title} is {other}", "name each device once")
                continue
            owner[device.resource] = group
            there = have.block.at(device.path)
            volume = found.get(there.kname) if there else None
            yield from _foreign(device, group, volume)
            count = extents.physical_volume(device.size, size, volume.start if volume else extents.DATA_START)
            if volume and volume.group:
                count = max(count, volume.extents)
            if count < 1:
                yield Refusal(
                    device.title, f"its {human(device.size)} hold no extent of {human(size)}", "use a larger device"
                )
            uuid = volume.uuid if volume else lvm_uuid(site, KIND, group, device.seed)
            yield Wanted(device, group, uuid, volume, count)


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    for wanted in want.of(KIND):
        if wanted.have is None:
            if wanted.device.there:
                yield from unless_blank(observation, wanted.device, "a physical volume")
            yield _create(wanted)
        elif wanted.grows:
            yield _grow(wanted, wanted.have)


def _foreign(device: Device, group: str, found: PhysicalVolume | None) -> Iterator[Refusal]:
    if found is None or found.group == group:
        return
    if found.group:
        yield Refusal(
            device.title,
            f"it belongs to the volume group {found.group} and not to {group}",
            "name another device; moving it comes with a later release",
            device.wipeable,
        )
    elif found.duplicate:
        yield Refusal(device.title, "LVM sees its physical volume twice", "use multipath, or detach the copy")
    elif found.in_use:
        yield Refusal(
            device.title,
            "it belongs to a volume group of which LVM sees no description",
            "attach that group's other disks, and look with vgs",
            device.wipeable,
        )


def _create(wanted: Wanted) -> Action:
    """No force and no yes: pvcreate itself stops at a signature that was not there when it was looked for."""
    device = wanted.device
    argv = (
        "pvcreate", "--uuid", wanted.uuid, "--norestorefile",
        "--dataalignment", f"{extents.DATA_START}b", "--dataalignmentoffset", "0", device.path,
    )  # fmt: skip
    return Action(
        KIND,
        "create",
        _target(device),
        steps=(*(() if device.there else (still_blank(device.path),)), Command(argv)),
        after={"uuid": wanted.uuid, "group": wanted.group, "size": human(device.size)},
        needs=frozenset((device.resource,)),
        provides=frozenset((wanted.resource,)),
        disks=device.disks,
        expects=(
            Expect("bytes", device.path, _LABEL, offset=_LABEL_AT),
            Expect("bytes", device.path, wanted.uuid.replace("-", "").encode().hex(), offset=_UUID_AT),
        ),
        waits=(device.path,),
    )


def _grow(wanted: Wanted, found: PhysicalVolume) -> Action:
    device = wanted.device
    return Action(
        KIND,
        "grow",
        _target(device),
        steps=(Command(("pvresize", device.path)),),
        before={"size": human(found.device_size)},
        after={"size": human(device.size)},
        needs=frozenset((device.resource,)),
        # A member that grows is room for the volumes of its group.
        provides=frozenset((wanted.resource, f"vg:{wanted.group}") if found.group else (wanted.resource,)),
        disks=device.disks,
    )


def _target(device: Device) -> str:
    return f"{device.ref}@{device.disks[0]}"
