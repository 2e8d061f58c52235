# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whole disks: what is there, which of them each group means, and the pins that keep the choice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...plan.errors import ObserveError
from ...plan.model import Action, Refusal, WriteFile
from .. import blockdevices
from ..blockdevices import BlockDevice, BlockDevices
from ..observation import Observation, Probe, ReadFile
from ..selection import MULTIPATH, Disk, bus_order, select
from ..state import Device, Offer, Site, State
from ..wiping import records

KIND = "disk"

STATE_FILE = "/var/lib/barestore/state.json"
_PINS = ReadFile(STATE_FILE)
_MOUNTS = ReadFile("/proc/self/mountinfo")
_SWAP = "swap in use lies on it"
_TWIN = "another disk has its identity"
_SYSTEM = ("/", "/boot", "/usr", "/var", "/etc", "/opt", "/home")


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (*blockdevices.PROBES, _PINS, _MOUNTS, records.PROBE)


def observe(observation: Observation, block: BlockDevices) -> tuple[Disk, ...]:
    """Disks with a link below /dev/disk/by-id; one without cannot be named twice and is never chosen.

    Of two that share an identity, udev gives the link to one: the other is here too, so that this is seen.
    """
    pools = _system_pools(observation.ask(_MOUNTS) or "")
    devices = [device for device in block if device.type in ("disk", "loop", "mpath") and device.size > 0]
    disks = [_disk(device, block, pools) for device in devices if device.by_id]
    seeds = {disk.seed for disk in disks if disk.seed}
    twins = [_disk(device, block, pools) for device in devices if not device.by_id]
    seen_twice = [
        replace(twin, reach=twin.reach or _TWIN)
        for twin in twins
        if twin.seed in seeds and not twin.reach.startswith(MULTIPATH)
    ]
    return tuple(sorted(_told_apart([*disks, *seen_twice]), key=bus_order))


def _told_apart(disks: Sequence[Disk]) -> Iterator[Disk]:
    """A serial number that is no disk's own names none of them."""
    seeds: dict[str, set[str]] = {}
    for disk in disks:
        seeds.setdefault(disk.serial, set()).add(disk.seed)
    for disk in disks:
        shared = disk.serial and len(seeds[disk.serial]) > 1
        yield replace(disk, id=_own_link(disk), serial="", shared_serial=disk.serial) if shared else disk


def _own_link(disk: Disk) -> str:
    """udev lets the link of model and serial number wander among namespaces (systemd/systemd#31448)."""
    own = f"nvme-{disk.wwn}"
    return own if own in disk.links else disk.id


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    groups, refusals = chosen(document, have)
    yield from refusals
    for name, disks in groups.items():
        yield Offer(name, tuple(_device(name, disk) for disk in disks))
        yield from disks
    # What leaves a group is written to as well: its identity belongs to the plan.
    leaving = {name for group in document.get("disks", {}).values() for name in _leaving(group)}
    kept = {one.id for disks in groups.values() for one in disks}
    yield from (one for one in have.of(KIND) if {one.told_serial, one.wwn} & leaving and one.id not in kept)


def _leaving(group: Mapping[str, Any]) -> Iterator[str]:
    yield from group.get("replace", ())
    yield from group.get("retire", ())


def chosen(document: Mapping[str, Any], have: State) -> tuple[dict[str, tuple[Disk, ...]], list[Refusal]]:
    """The disks of each group, and why a group has none."""
    ours = [pin for pins in have.pins.values() for pin in pins]
    # Swap that lies on a disk chosen earlier is swap that an earlier run made.
    candidates = [
        replace(disk, reach="") if disk.reach == _SWAP and any(map(disk.is_pinned_as, ours)) else disk
        for disk in have.of(KIND)
    ]
    return select(document.get("disks", {}), candidates, have.pins)


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    """Remember the choice before anything is written to a disk."""
    groups = {
        ref: [disk.pin() for device in devices for disk in want.of(KIND) if disk.path == device.path]
        for ref, devices in want.devices.items()
        if any(device.resource.startswith(f"{KIND}:") for device in devices)
    }
    old = have.pins
    merged = {**old, **groups}
    if all(_same(old.get(name, ()), pins) for name, pins in groups.items()):
        return
    content = json.dumps({"barestore": 1, "disks": merged}, indent=2, sort_keys=True) + "\n"
    yield Action(
        KIND,
        "pin",
        "chosen disks",
        steps=(WriteFile(STATE_FILE, content, 0o600),),
        before={name: [pin["serial"] for pin in pins] for name, pins in old.items()} or None,
        after={name: [pin["serial"] for pin in pins] for name, pins in merged.items()},
        provides=frozenset(("pins",)),
    )


def pins(observation: Observation) -> Mapping[str, Any]:
    """The pinned disks by group; a state file that cannot be read is an error and never an empty one."""
    text = observation.ask(_PINS)
    if not text:
        return {}
    try:
        return dict(json.loads(text)["disks"])
    except (ValueError, KeyError, TypeError) as error:
        raise ObserveError(
            f"{STATE_FILE} is damaged, so nobody knows which disks were chosen before",
            "restore it from a backup, or remove it to choose anew",
        ) from error


def _same(old: Any, new: Any) -> bool:
    """The same disks; what they replaced is kept for ever, and a line that left the document forgets nothing."""

    def key(pins: Any) -> list[tuple[str, str]]:
        return sorted((pin["serial"], pin["wwn"]) for pin in pins)

    def formers(pins: Any) -> set[tuple[str, str]]:
        return {(pin["serial"], one["serial"]) for pin in pins for one in pin.get("replaces", ())}

    return key(old) == key(new) and formers(new) <= formers(old)


def _disk(device: BlockDevice, block: BlockDevices, pools: frozenset[str]) -> Disk:
    first = block.get(device.parents[0]) if device.type == "mpath" and device.parents else None
    source = first or device
    return Disk(
        id=[*device.by_id, *device.by_path, device.kname][0],
        kname=device.kname,
        serial=source.serial,
        wwn=source.wwn,
        model=source.model,
        vendor=source.vendor,
        slot=device.by_path[0] if device.by_path else device.hctl,
        size=device.size,
        sector=device.sector,
        physical_sector=device.physical_sector,
        rotational=device.rotational,
        # lsblk names no transport for SCSI disks whose adapter says none, such as virtual ones.
        transport=source.transport or ("scsi" if source.hctl else ""),
        links=(*device.by_path, *device.by_id),
        reach=_reach(device, block, pools),
        content=device.table or device.content,
    )


def _reach(device: BlockDevice, block: BlockDevices, pools: frozenset[str]) -> str:
    if device.read_only:
        return "it is read-only"
    swap = ""
    for above in _above(device, block):
        if above.type == "mpath" and device.type != "mpath":
            return f"{MULTIPATH} {above.path}"
        if above.content == "zfs_member" and above.content_label in pools:
            return f"the system's pool {above.content_label} lies on it"
        for mountpoint in above.mountpoints:
            if _is_system(mountpoint):
                return f"the system's {mountpoint} lies on it"
            if mountpoint == "[SWAP]":
                swap = _SWAP
    return swap


def _is_system(mountpoint: str) -> bool:
    return mountpoint in _SYSTEM or mountpoint.startswith(("/boot/", "/usr/"))


def _system_pools(mountinfo: str) -> frozenset[str]:
    """Pools that the system lives on, by the source of its ZFS mounts (field 5 is the path)."""
    pools = set()
    for line in mountinfo.splitlines():
        left, _dash, right = line.partition(" - ")
        kind, _space, source = right.partition(" ")
        if kind == "zfs" and len(left.split()) > 4 and _is_system(left.split()[4]):
            pools.add(source.split()[0].split("/")[0])
    return frozenset(pools)


def _above(device: BlockDevice, block: BlockDevices) -> Iterator[BlockDevice]:
    yield device
    for child in device.children:
        found = block.get(child)
        if found is not None:
            yield from _above(found, block)


def _device(group: str, disk: Disk) -> Device:
    return Device(
        ref=group,
        path=disk.path,
        resource=f"disk:{disk.id}",
        size=disk.size,
        sector=disk.sector,
        disks=(disk.id,),
        seed=disk.seed,
        there=True,
        title=f"disk {disk.title}",
        serial=disk.serial or disk.id,
        replaces=disk.replaces,
    )
