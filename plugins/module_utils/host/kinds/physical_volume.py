# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM physical volumes: made with a planned UUID, grown with their device, and unmade when they left their group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blank import still_blank, unless_blank
from ..blockdevices import BlockDevices
from ..first_look import FULLREPORT
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


@dataclass(frozen=True)
class Left:
    """A physical volume that an earlier run took out of its group and could not unmake any more."""

    device: Device
    group: str = ""


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (FULLREPORT,) if document.get("lvm") else ()


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
            yield from _foreign(device, group, volume, have, site)
            count = extents.physical_volume(device.size, size, volume.start if volume else extents.DATA_START)
            if volume and volume.group:
                count = max(count, volume.extents)
            if count < 1:
                yield Refusal(
                    device.title, f"its {human(device.size)} hold no extent of {human(size)}", "use a larger device"
                )
            uuid = volume.uuid if volume else lvm_uuid(site, KIND, group, device.seed)
            yield Wanted(device, group, uuid, volume, count)
    yield from _orphans(document, have, want, site, owner)


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    for wanted in want.of(KIND):
        if isinstance(wanted, Left):
            yield _remove(wanted.device, "")
        elif wanted.have is None:
            if wanted.device.there:
                yield from unless_blank(observation, wanted.device, "a physical volume")
            yield _create(wanted)
        elif wanted.grows:
            yield _grow(wanted, wanted.have)
    for group in want.of("volume_group"):
        yield from (_remove(one.device, group.name) for one in group.change.departures)


def departed(document: Mapping[str, Any]) -> frozenset[str]:
    """Serial numbers and world-wide names of all disks that leave their group."""
    groups = document.get("disks", {}).values()
    replaced = {old for group in groups for old, new in group.get("replace", {}).items() if old != new}
    return frozenset(replaced | {one for group in groups for one in group.get("retire", ())})


def leaving_device(path: str, document: Mapping[str, Any], have: State, want: State) -> Iterator[Device]:
    """The device of a physical volume that no group of the document has, if the document knows its disk.

    Its disk leaves its group, or is of a disk group still and no longer under ``physical_volumes``.
    """
    there = have.block.at(path)
    if there is None:
        return
    for device in (one for devices in want.devices.values() for one in devices):
        if have.block.at(device.path) == there:
            yield device
            return
    for disk in have.of("disk"):
        if disk.kname in have.block.disks_below(there.kname) and {disk.told_serial, disk.wwn} & departed(document):
            part = f" of disk {disk.title}" if there.kname != disk.kname else ""
            yield Device(
                ref=f"leaving.{there.part_name}" if part else "leaving",
                path=f"/dev/disk/by-id/{there.by_id[0]}" if there.by_id else there.path,
                resource=f"disk:{disk.id}/{there.part_uuid}" if part else f"disk:{disk.id}",
                size=there.size,
                sector=there.sector,
                disks=(disk.id,),
                seed=disk.seed,
                there=True,
                title=f"partition '{there.part_name}'{part}" if part else f"disk {disk.title}",
                serial=disk.serial or disk.id,
            )
            return


def _orphans(
    document: Mapping[str, Any], have: State, want: State, site: Site, owner: Mapping[str, str]
) -> Iterator[Left]:
    """Of no group, on a disk that leaves or with a UUID that was planned for a group: not what anybody else made."""
    names = {*document.get("lvm", {}), *(one.name for one in have.of("volume_group"))}
    for volume in have.of(KIND):
        if volume.group or volume.in_use or volume.duplicate:
            continue
        for device in leaving_device(volume.path, document, have, want):
            planned = {lvm_uuid(site, KIND, name, device.seed) for name in names}
            if device.resource not in owner and (device.ref.startswith("leaving") or volume.uuid in planned):
                yield Left(device)


def _foreign(device: Device, group: str, found: PhysicalVolume | None, have: State, site: Site) -> Iterator[Refusal]:
    if found is None or found.group == group:
        return
    if found.group:
        other = next((one for one in have.of("volume_group") if one.name == found.group), None)
        tags = sorted(one.partition(":")[2] for one in other.tags if one.startswith("barestore:")) if other else []
        ours = f"{site.name}/{site.host}" in tags
        if tags and not ours:
            yield Refusal(
                device.title,
                f"it belongs to the volume group {found.group} that barestore made for another host, {tags[0]} "
                "(site/host)",
                "bring the disk back there, or name another one",
                device.wipeable,
            )
        elif found.uuid == lvm_uuid(site, KIND, found.group, device.seed):
            yield Refusal(
                f"volume group {group}",
                f"its disks carry the volume group {found.group}, which an earlier run made of them",
                f"write {found.group}, since mounts and others go by that name and barestore renames no group; or run "
                f"'vgrename {found.group} {group}' by hand while its volumes are not in use",
            )
        elif found.uuid == lvm_uuid(site, KIND, group, device.seed):
            yield Refusal(
                f"volume group {group}",
                f"an earlier run made it, and somebody renamed it to {found.group}",
                f"run 'vgrename {found.group} {group}', or write {found.group} in the document",
            )
        else:
            yield Refusal(
                device.title,
                f"it belongs to the volume group {found.group} and not to {group}",
                f"name another device, or take it out of {found.group} first",
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
        settles=True,
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
        needs=frozenset((device.resource, f"vg:{wanted.group}/complete")),
        # A member that grows is room for the volumes of its group.
        provides=frozenset(
            (wanted.resource, f"vg:{wanted.group}", f"vg:{wanted.group}/room") if found.group else (wanted.resource,)
        ),
        disks=device.disks,
        waits=(device.path,),
    )


def _remove(device: Device, group: str) -> Action:
    """No force: pvremove itself refuses a physical volume that is in a group."""
    return Action(
        KIND,
        "remove",
        _target(device),
        steps=(Command(("pvremove", device.path)),),
        before={"group": group or None, "size": human(device.size)},
        needs=frozenset((f"vg:{group}/left",)) if group else frozenset(),
        provides=frozenset((f"pv:{device.resource}",)),
        disks=device.disks,
        expects=(Expect("bytes", device.path, "00" * (len(_LABEL) // 2), offset=_LABEL_AT),),
    )


def _target(device: Device) -> str:
    return f"{device.ref}@{device.disks[0]}"
