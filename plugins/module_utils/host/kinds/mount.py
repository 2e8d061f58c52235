# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mounts: a line of fstab by UUID, mounted now, with the owner and mode of the mounted folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Note, Refusal, Step
from .. import fstab
from ..blockdevices import BlockDevices
from ..carriers import carriers
from ..observation import Observation, Probe, ReadFile, Run, StatPath
from ..state import Device, Site, State
from . import filesystem
from .filesystem import Filesystem

KIND = "mount"

_MOUNTS = ReadFile("/proc/self/mountinfo")
# What a mount point may be written in, of one folder.
_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.,:+@-]+$")
_FRESH = {"owner": "root", "uid": "0", "group": "root", "gid": "0", "mode": "0755"}


@dataclass(frozen=True)
class Mount:
    """``options`` are those of fstab; owner, group and mode are empty where the document leaves them."""

    filesystem: Filesystem
    path: str
    options: str
    owner: str
    group: str
    mode: str


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (_MOUNTS, fstab.PROBE, fstab.SYSTEMD)


def observe(observation: Observation, block: BlockDevices) -> tuple[tuple[str, str], ...]:
    """(mount point, kernel name or source) of all that is mounted."""
    out = []
    for row in (observation.ask(_MOUNTS) or "").splitlines():
        left, _dash, right = row.partition(" - ")
        path = left.split()[4].replace("\\011", "\t").replace("\\040", " ").replace("\\134", "\\")
        source = right.split()[1] if len(right.split()) > 1 else ""
        device = block.at(source)
        out.append((path, device.kname if device else source))
    return tuple(out)


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    made = {one.device.resource: one for one in want.of(filesystem.KIND)}
    for carrier in carriers(document):
        if not (carrier.mount and carrier.filesystem):
            continue
        for device in want.devices[carrier.ref]:
            yield from _no_part_of_a_path(device, str(carrier.mount["path"]))
            options = list(carrier.mount.get("options") or ["defaults"])
            if carrier.mount.get("nofail", True):
                options.append("nofail")
            yield Mount(
                made[device.resource],
                carrier.mount_path(device),
                ",".join(options),
                str(carrier.mount.get("owner", "")),
                str(carrier.mount.get("group", "")),
                str(carrier.mount.get("mode", "")),
            )


def _no_part_of_a_path(device: Device, path: str) -> Iterator[Refusal]:
    if "{serial}" in path and not _PART.match(device.serial):
        yield Refusal(
            device.title,
            f"its serial number '{device.serial}' cannot be a part of the mount point '{path}'",
            "give the disk a group of its own, and a path without {serial}",
        )


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal | Note]:
    mounted = dict(have.of(KIND))
    shrinking = {one.request.title for one in want.of("logical_volume") if one.shrinks}
    for wanted in want.of(KIND):
        there = have.block.at(wanted.filesystem.device.path)
        holder = mounted.get(wanted.path)
        if holder is not None and (there is None or holder != there.kname):
            yield Refusal(wanted.path, f"{holder} is mounted there already", "unmount it, or choose another path")
            continue
        if holder is not None:
            yield from _given_up(wanted, holder, observation)
        entry = fstab.edit(observation, lambda one, path=wanted.path: one.path == path, _line(wanted))  # type: ignore[misc]
        if entry:
            yield from fstab.doubled(observation, wanted.path)
        if holder is None:
            yield from _not_hiding(wanted, observation)
            yield _mount(wanted, entry)
        elif wanted.filesystem.device.ref in shrinking:
            below = [path for path in mounted if path.startswith(f"{wanted.path}/")]
            if below:
                yield Refusal(
                    wanted.path, f"it must be unmounted to shrink, and {below[0]} lies in it", "unmount that first"
                )
                continue
            yield _unmount(wanted)
            yield _mount(wanted, entry)
        elif entry:
            yield _change(wanted, (*entry, Command(("mount", "--options", "remount", wanted.path))))
        yield from fstab.reload(observation, entry)
        yield from _owned(wanted, observation, fresh=holder is None)


def _given_up(wanted: Mount, holder: str, observation: Observation) -> Iterator[Note]:
    """What the kernel stopped after an error of its disk still looks mounted, and read-write.

    ext4 counts errors until e2fsck was there (the kernel's sysfs-fs-ext4); an XFS that was shut down tells nobody
    about its files (xfs_vn_getattr).
    """
    device = wanted.filesystem.device.path
    if wanted.filesystem.type == "ext4":
        errors = observation.ask(ReadFile(f"/sys/fs/ext4/{holder}/errors_count")) or "0"
        if errors.strip() != "0":
            told = f"the kernel met errors in its ext4 ({errors.strip()}) and may have stopped writing to it"
            yield Note(wanted.path, f"{told}; unmount it, run 'e2fsck -f {device}', and run again")
    elif wanted.filesystem.type == "xfs" and observation.ask(StatPath(wanted.path)) is None:
        told = "the kernel shut its xfs down after an error, and nothing in it can be read"
        yield Note(
            wanted.path, f"{told}; unmount it and run again; where its mount fails, 'xfs_repair {device}' says why"
        )


def _line(wanted: Mount) -> str:
    check = 2 if wanted.filesystem.type == "ext4" else 0
    return fstab.line(f"UUID={wanted.filesystem.uuid}", wanted.path, wanted.filesystem.type, wanted.options, check)


def _not_hiding(wanted: Mount, observation: Observation) -> Iterator[Refusal]:
    found = observation.ask(StatPath(wanted.path))
    if found and found["type"] != "directory":
        yield Refusal(wanted.path, f"it is a {found['type']} and no folder", "choose another path, or remove it")
    elif found and not found["empty"]:
        told = "cannot be read" if found["empty"] is None else "is not empty"
        why = f"the folder {told}, and a mount would hide what is in it"
        yield Refusal(wanted.path, why, "move its files away first")


def _mount(wanted: Mount, entry: tuple[Step, ...]) -> Action:
    made = wanted.filesystem
    return Action(
        KIND,
        "mount",
        wanted.path,
        steps=(Command(("mkdir", "--parents", wanted.path)), *entry, Command(("mount", wanted.path))),
        after={"uuid": made.uuid, "type": made.type, "options": wanted.options},
        needs=frozenset((made.resource, *_folders_above(wanted.path))),
        provides=frozenset((f"mount:{wanted.path}", fstab.RESOURCE)),
        disks=made.device.disks,
        expects=(Expect("mounted", wanted.path),),
        waits=(f"/dev/disk/by-uuid/{made.uuid}",),
    )


def _unmount(wanted: Mount) -> Action:
    """For what cannot be done while it is mounted. A file that is open stops it, and nothing has happened yet."""
    return Action(
        KIND,
        "unmount",
        wanted.path,
        steps=(Command(("umount", wanted.path)),),
        before={"uuid": wanted.filesystem.uuid},
        provides=frozenset((f"unmounted:{wanted.filesystem.device.ref}",)),
        disks=wanted.filesystem.device.disks,
    )


def _folders_above(path: str) -> Iterator[str]:
    """Mounts above it come first."""
    parts = path.strip("/").split("/")
    return (f"mount:/{'/'.join(parts[:end])}" for end in range(1, len(parts)))


def _change(wanted: Mount, steps: tuple[Step, ...]) -> Action:
    return Action(
        KIND,
        "change",
        wanted.path,
        steps=steps,
        after={"options": wanted.options},
        provides=frozenset((fstab.RESOURCE,)),
        expects=(Expect("mounted", wanted.path),),
    )


def _owned(wanted: Mount, observation: Observation, fresh: bool) -> Iterator[Action | Refusal]:
    """A new file system belongs to root with mode 0755; the folder below a mount says nothing about it."""
    found = _FRESH if fresh else observation.ask(StatPath(wanted.path))
    asked = {"owner": wanted.owner, "group": wanted.group, "mode": wanted.mode}
    change = {key: value for key, value in asked.items() if value and found and not _is(found, key, value)}
    if not change:
        return
    for key, database in (("owner", "passwd"), ("group", "group")):
        # A number needs no account.
        named = key in change and not change[key].isdigit()
        answer = observation.ask(Run(("getent", database, change[key]))) if named else None
        if answer and answer["rc"] != 0:
            yield Refusal(
                wanted.path,
                f"its {key} '{change[key]}' is not known on this host",
                "create it before, or correct the name",
            )
    steps = []
    if "owner" in change or "group" in change:
        names = f"{change.get('owner', '')}:{change['group']}" if "group" in change else change["owner"]
        steps.append(Command(("chown", names, wanted.path)))
    if "mode" in change:
        steps.append(Command(("chmod", change["mode"], wanted.path)))
    yield Action(
        KIND,
        "own",
        wanted.path,
        steps=tuple(steps),
        before={key: found[key] for key in change},
        after=change,
        needs=frozenset((f"mount:{wanted.path}",)),
        disks=wanted.filesystem.device.disks,
    )


def _is(found: Mapping[str, str], key: str, value: str) -> bool:
    """Whether an owner, group or mode is as asked: accounts by name or number, modes with or without the zero."""
    if key == "mode":
        return int(found["mode"], 8) == int(value, 8)
    return found["uid" if key == "owner" else "gid"] == str(int(value)) if value.isdigit() else found[key] == value
