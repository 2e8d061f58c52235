# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM logical volumes: linear, striped, RAID and thin; made, grown and activated. Volumes of others are left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blockdevices import BlockDevices
from ..first_look import FULLREPORT
from ..identity import planned_uuid
from ..lvm import report
from ..lvm.layout import Volume
from ..lvm.report import LogicalVolume
from ..lvm.request import CACHE, POOL, STRIPED, THIN
from ..observation import Observation, Probe
from ..sizes import human, parse_bytes
from ..state import Device, Offer, Site, State, Veiled
from ..superblock import least
from . import volume_group

KIND = "logical_volume"


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (FULLREPORT,) if document.get("lvm") else ()


def observe(observation: Observation, block: BlockDevices) -> tuple[LogicalVolume, ...]:
    """All volumes that a person sees, also those of groups that no document names."""
    groups = observation.once(report.read).groups
    return tuple(one for group in groups for one in group.logical_volumes if not one.hidden and one.type != "thin-pool")


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    for group in want.of(volume_group.KIND):
        for volume in group.volumes:
            if volume.type in (POOL, CACHE):
                continue
            yield volume
            device = _device(group, volume)
            yield Offer(volume.request.title, (device,))
            if _is_dark(volume, have):
                yield Veiled(device.title, "inactive", "active")


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    groups = {one.name: one for one in want.of(volume_group.KIND)}
    for volume in want.of(KIND):
        group, found = groups[volume.group], volume.have
        if found is None:
            yield from _renamed(group, volume, have, site)
            yield _create(group, volume)
            continue
        if _is_dark(volume, have):
            yield activate(group, volume)
        if volume.grows:
            yield _grow(group, volume)
        if volume.shrinks:
            yield from _shrunk(group, volume, have, observation)


def _is_dark(volume: Volume, have: State) -> bool:
    """Whether nobody could see what it carries: it is inactive, or was until LVM was asked, which udev changes."""
    found = volume.have
    return found is not None and (not found.active or have.block.at(path(volume)) is None)


def _renamed(group: volume_group.Wanted, volume: Volume, have: State, site: Site) -> Iterator[Refusal]:
    """Where another volume has its file system, or is mounted where it shall be: a new one would be empty."""
    title = volume.request.title
    planned = planned_uuid(site, "filesystem", title, _device(group, volume).seed)
    wanted = str(volume.request.entry.get("mount", {}).get("path", ""))
    known = {one.name for one in group.volumes}
    for other in group.have.logical_volumes if group.have else ():
        there = have.block.at(f"/dev/{group.name}/{other.name}")
        if other.hidden or other.name in known or there is None:
            continue
        if there.content_uuid == planned or (wanted and wanted in there.mountpoints):
            what = "has its file system" if there.content_uuid == planned else f"is mounted on {wanted}"
            yield Refusal(
                f"logical volume {title}",
                f"it is not there, and {group.name}/{other.name} {what}: it was renamed, in the document or here",
                f"write {other.name} in the document, or run 'lvrename {group.name} {other.name} {volume.name}' by "
                "hand; barestore renames no volume, since others go by its name",
            )


def path(volume: Volume) -> str:
    return f"/dev/{volume.group}/{volume.name}"


def order(volume: Volume) -> tuple[frozenset[str], frozenset[str]]:
    """Needs and provides: the fewer places a volume may take, the earlier it comes.

    First what lies on certain physical volumes, then what LVM may put on some of them, then what it may put anywhere:
    so nobody takes room that another one was planned to find.
    """
    group, placed = f"vg:{volume.group}", f"vg:{volume.group}/placed"
    own = f"lv:{volume.request.title}"
    if volume.is_exact:
        return frozenset((group,)), frozenset((own, placed))
    if volume.pinned:
        return frozenset((group, placed)), frozenset((own, f"{placed}/among"))
    return frozenset((group, placed, f"{placed}/among")), frozenset((own,))


def activate(group: volume_group.Wanted, volume: Volume) -> Action:
    return Action(
        "thin_pool" if volume.type == POOL else KIND,
        "activate",
        volume.request.title,
        steps=(Command(("lvchange", "--activate", "y", volume.request.title)),),
        before={"active": False},
        after={"active": True},
        needs=frozenset((f"vg:{volume.group}",)),
        provides=frozenset((f"lv:{volume.request.title}/active",)),
        disks=group.disks,
        expects=() if volume.type == POOL else (Expect("exists", path(volume)),),
        settles=True,
    )


def _device(group: volume_group.Wanted, volume: Volume) -> Device:
    first = group.members[0].device
    return Device(
        ref=volume.request.title,
        path=path(volume),
        resource=f"lv:{volume.request.title}",
        size=volume.size,
        sector=max(one.device.sector for one in group.members),
        disks=group.disks,
        seed=f"{first.seed}/{volume.request.title}",
        there=volume.have is not None,
        title=f"logical volume {volume.request.title}",
    )


def _create(group: volume_group.Wanted, volume: Volume) -> Action:
    needs, provides = order(volume)
    if volume.type == THIN:
        pool = volume.request.entry["thin_pool"]
        needs = frozenset((f"lv:{volume.group}/{pool}",))
        argv: tuple[str, ...] = (
            "lvcreate", "--type", "thin", "--virtualsize", f"{volume.size}b",
            "--thinpool", pool, "--name", volume.name, volume.group,
        )  # fmt: skip
    else:
        # Its extents were free a moment ago: whatever they carry is nobody's, so that yes is the right answer.
        argv = (
            "lvcreate", "--yes", "--wipesignatures", "y", "--zero", "y", "--type", volume.type, *_shape(volume),
            "--extents", str(volume.extents), "--name", volume.name, volume.group, *(one.path for one in volume.on),
        )  # fmt: skip
    return Action(
        KIND,
        "create",
        volume.request.title,
        steps=(Command(argv),),
        after=_as_json(volume),
        needs=needs,
        provides=provides,
        disks=group.disks,
        expects=(Expect("size", path(volume), str(volume.size)),),
        # Wiping makes an event of udev that lvcreate does not wait for.
        settles=True,
    )


def _shape(volume: Volume) -> tuple[str, ...]:
    geometry, entry = volume.request.geometry, volume.request.entry
    out: list[str] = []
    if volume.type in STRIPED:
        out += ["--stripes", str(geometry.data)]
        if "stripe_size" in entry:
            out += ["--stripesize", f"{parse_bytes(entry['stripe_size'])}b"]
    if volume.type in ("raid1", "raid10"):
        out += ["--mirrors", str(geometry.images // geometry.data - 1)]
    return tuple(out)


def _grow(group: volume_group.Wanted, volume: Volume) -> Action:
    needs, provides = order(volume)
    if volume.type == THIN:
        needs = frozenset((f"lv:{volume.group}/{volume.request.entry['thin_pool']}",))
    return Action(
        KIND,
        "grow",
        volume.request.title,
        steps=(
            Command(
                ("lvextend", "--extents", str(volume.extents), volume.request.title, *(one.path for one in volume.on))
            ),
        ),
        before={"size": human(volume.request.have_extents * volume.extent_bytes)},
        after=_as_json(volume),
        needs=needs | {f"lv:{volume.request.title}/active"},
        provides=provides,
        disks=group.disks,
        expects=(Expect("size", path(volume), str(volume.size)),),
    )


def _shrunk(
    group: volume_group.Wanted, volume: Volume, have: State, observation: Observation
) -> Iterator[Action | Refusal]:
    """The file system first, then the volume, in one action that starts over wherever it was killed."""
    title, there = f"logical volume {volume.request.title}", have.block.at(path(volume))
    if there is None:
        return  # not active: it is activated now
    if there.content != "ext4":
        yield Refusal(title, f"it carries {there.content or 'nothing known'} and no ext4", "restore the size")
        return
    wanted = str(volume.request.entry.get("mount", {}).get("path", ""))
    elsewhere = [one for one in there.mountpoints if one and one != wanted]
    if elsewhere:
        yield Refusal(title, f"it is mounted on {elsewhere[0]} and cannot shrink so", "unmount it first")
        return
    needed = least(observation, path(volume))
    if needed is not None and needed > volume.size:
        yield Refusal(
            title,
            f"what it holds needs {human(needed)} and the document says {human(volume.size)}",
            "write a larger size, or remove files first",
        )
        return
    now = human(volume.request.have_extents * volume.extent_bytes)
    yield Action(
        KIND,
        "shrink",
        volume.request.title,
        steps=(
            Command(("e2fsck", "-f", "-p", path(volume))),
            Command(("resize2fs", path(volume), f"{volume.size // 1024}K")),
            # Yes answers that the end of the volume is given up: the file system has left it.
            Command(("lvreduce", "--yes", "--extents", str(volume.extents), volume.request.title)),
        ),
        before={"size": now},
        after=_as_json(volume),
        needs=frozenset((f"vg:{volume.group}", f"unmounted:{volume.request.title}")),
        provides=frozenset(
            (
                f"lv:{volume.request.title}",
                f"vg:{volume.group}/placed",
                f"filesystem:{volume.request.title}@lv:{volume.request.title}",
            )
        ),
        irreversible=f"it becomes smaller with its ext4, from {now} to {human(volume.size)}",
        disks=group.disks,
        expects=(Expect("size", path(volume), str(volume.size)),),
    )


def _as_json(volume: Volume) -> dict[str, Any]:
    out: dict[str, Any] = {"type": volume.type, "size": human(volume.size), "extents": volume.extents}
    if volume.on:
        out["on"] = [one.title for one in volume.on]
    return out
