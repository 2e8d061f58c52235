# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""File systems: ext4, xfs and vfat; made with a planned UUID, labelled, grown to their device."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blank import still_blank, unless_blank
from ..blockdevices import BlockDevice, BlockDevices
from ..carriers import carriers
from ..identity import planned_uuid, vfat_id
from ..observation import Observation, Probe
from ..sizes import MIB, human
from ..state import Device, Site, State
from ..superblock import extent, half_made

KIND = "filesystem"

_LEAST = {"xfs": 300 * MIB, "ext4": 2 * MIB, "vfat": 1 * MIB}  # mkfs.xfs refuses less since 5.19


@dataclass(frozen=True)
class Filesystem:
    """``uuid`` is as blkid prints it; ``mountpoint`` is where the document wants it, or empty.

    ``ours`` says whether ``uuid`` is the planned one, so that what carries it was made, or begun, by a run of ours.
    """

    device: Device
    type: str
    label: str
    uuid: str
    options: tuple[str, ...] = ()
    mountpoint: str = ""
    ours: bool = True

    @property
    def resource(self) -> str:
        return f"filesystem:{self.device.ref}@{self.device.resource}"

    def as_json(self) -> dict[str, Any]:
        return {"type": self.type, "label": self.label, "uuid": self.uuid, "size": human(self.device.size)}


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return ()


def observe(observation: Observation, block: BlockDevices) -> tuple[BlockDevice, ...]:
    """Devices that carry a file system of ours to make, as udev sees them."""
    return tuple(one for one in block if one.content in _LEAST)


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    for carrier in carriers(document):
        if not carrier.filesystem:
            continue
        for device in want.devices[carrier.ref]:
            kind = carrier.filesystem["type"]
            there = have.block.at(device.path)
            ours = vfat_id(site, carrier.ref, device.seed) if kind == "vfat" else ""
            planned = f"{ours[:4]}-{ours[4:]}" if ours else planned_uuid(site, KIND, carrier.ref, device.seed)
            if device.size < _LEAST[kind]:
                yield Refusal(
                    device.title,
                    f"{human(device.size)} are too small for {kind}, which needs {human(_LEAST[kind])}",
                    "make it larger",
                )
            uuid = there.content_uuid if there and there.content == kind else planned
            yield Filesystem(
                device,
                kind,
                carrier.filesystem.get("label", ""),
                uuid,
                tuple(map(str, carrier.filesystem.get("options", ()))),
                carrier.mount_path(device) if carrier.mount else "",
                uuid == planned,
            )


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    for wanted in want.of(KIND):
        there = have.block.at(wanted.device.path)
        if there is None or there.content != wanted.type:
            if wanted.device.there:
                yield from unless_blank(observation, wanted.device, wanted.type, unseen=wanted.type)
            yield _create(wanted)
            continue
        if half_made(observation, wanted.type, wanted.device.path):
            if not wanted.ours:
                yield from unless_blank(observation, wanted.device, wanted.type)
            yield _create(wanted, begun=True)
            continue
        if wanted.label and wanted.label != there.content_label:
            yield _relabel(wanted, there)
        yield from _grown(wanted, there, observation)


def _create(wanted: Filesystem, begun: bool = False) -> Action:
    device, label = wanted.device, wanted.label
    argv = {
        "ext4": ("mkfs.ext4", "-q", "-U", wanted.uuid, *(("-L", label) if label else ())),
        "xfs": ("mkfs.xfs", "-q", "-m", f"uuid={wanted.uuid}", *(("-L", label) if label else ())),
        "vfat": ("mkfs.vfat", "-i", wanted.uuid.replace("-", ""), *(("-n", label) if label else ())),
    }[wanted.type]
    # lvcreate has wiped what its extents carried; a new partition can uncover anything.
    check = () if device.resource.startswith("lv:") else (still_blank(device.path),)
    # What a killed mkfs left is taken for a file system by all who look, mkfs among them.
    undo = (Command(("wipefs", "--all", "--types", wanted.type, device.path)),) if begun else ()
    return Action(
        KIND,
        "create",
        device.place,
        steps=(*undo, *check, Command((*argv, *wanted.options, device.path))),
        after=wanted.as_json(),
        needs=frozenset((device.resource,)),
        provides=frozenset((wanted.resource,)),
        disks=device.disks,
        expects=(_identity(wanted),),
        waits=(device.path,),
        settles=True,
    )


def _identity(wanted: Filesystem) -> Expect:
    """The UUID read back from the superblock: s_uuid of ext4, sb_uuid of xfs, the volume id of vfat."""
    if wanted.type == "vfat":
        number = bytes.fromhex(wanted.uuid.replace("-", ""))[::-1].hex()
        return Expect("bytes", wanted.device.path, number, offset=67 if _is_fat32(wanted) else 39)
    offset = 1024 + 104 if wanted.type == "ext4" else 32
    return Expect("bytes", wanted.device.path, uuids.UUID(wanted.uuid).hex, offset=offset)


def _is_fat32(wanted: Filesystem) -> bool:
    """mkfs.vfat takes FAT32 above 512 MiB where no option says otherwise (mkfs.fat.c, establish_params)."""
    if "-F" in wanted.options:
        return wanted.options[wanted.options.index("-F") + 1] == "32"
    return wanted.device.size >= 512 * MIB


def _relabel(wanted: Filesystem, there: BlockDevice) -> Action:
    mounted = next((one for one in there.mountpoints if one.startswith("/")), "")
    argv = {
        "ext4": ("tune2fs", "-L", wanted.label, wanted.device.path),
        "xfs": ("xfs_io", "-c", f"label -s {wanted.label}", mounted)
        if mounted
        else ("xfs_admin", "-L", wanted.label, wanted.device.path),
        "vfat": ("fatlabel", wanted.device.path, wanted.label),
    }[wanted.type]
    return Action(
        KIND,
        "label",
        wanted.device.place,
        steps=(Command(argv),),
        before={"label": there.content_label},
        after={"label": wanted.label},
        needs=frozenset((wanted.device.resource,)),
        # Two tools that write one superblock would undo each other's work, and so would a mount.
        provides=frozenset((wanted.resource, f"{wanted.resource}/label")),
        disks=wanted.device.disks,
        waits=(wanted.device.path,),
        settles=True,
    )


def _grown(wanted: Filesystem, there: BlockDevice, observation: Observation) -> Iterator[Action | Refusal]:
    if wanted.type == "vfat":
        if wanted.device.size > there.size:
            yield Refusal(wanted.device.title, "vfat cannot be grown with what it holds", "leave its size as it is")
        return
    mounted = next((one for one in there.mountpoints if one.startswith("/")), "")
    found = extent(observation, wanted.type, wanted.device.path, wanted.device.size, mounted)
    if found is None or found.size >= found.reachable:
        return
    if wanted.type == "xfs" and not (mounted or wanted.mountpoint):
        yield Refusal(
            wanted.device.title, "xfs grows only where it is mounted", "give it a mount, or mount it by hand first"
        )
        return
    where = mounted or wanted.mountpoint
    device = wanted.device
    # resize2fs wants a check before it grows what is not mounted.
    check = () if mounted else (Command(("e2fsck", "-f", "-p", device.path)),)
    steps = (Command(("xfs_growfs", where)),) if wanted.type == "xfs" else (*check, Command(("resize2fs", device.path)))
    needs = {device.resource, f"{wanted.resource}/label"} | ({f"mount:{where}"} if wanted.type == "xfs" else set())
    yield Action(
        KIND,
        "grow",
        device.place,
        steps=steps,
        before={"size": human(found.size)},
        after={"size": human(found.reachable)},
        needs=frozenset(needs),
        provides=frozenset((wanted.resource,)) if wanted.type == "ext4" else frozenset(),
        disks=device.disks,
        waits=(device.path,),
    )
