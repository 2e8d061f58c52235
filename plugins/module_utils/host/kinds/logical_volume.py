# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM logical volumes: linear, striped, RAID and thin; made, grown and activated. Volumes of others are left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blockdevices import BlockDevices
from ..lvm import report
from ..lvm.layout import Volume
from ..lvm.report import LogicalVolume
from ..lvm.request import CACHE, POOL, STRIPED, THIN
from ..observation import Observation, Probe
from ..sizes import human, parse_bytes
from ..state import Device, Offer, Site, State
from . import volume_group

KIND = "logical_volume"


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (report.FULLREPORT,) if document.get("lvm") else ()


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
            # What an inactive volume carries cannot be seen: it is activated now and dealt with in the next run.
            dark = volume.have is not None and not volume.have.active
            yield Offer(volume.request.title, () if dark else (_device(group, volume),))


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    groups = {one.name: one for one in want.of(volume_group.KIND)}
    for volume in want.of(KIND):
        group, found = groups[volume.group], volume.have
        if found is None:
            yield _create(group, volume)
            continue
        if not found.active:
            yield activate(group, volume)
        if volume.grows:
            yield _grow(group, volume)


def path(volume: Volume) -> str:
    return f"/dev/{volume.group}/{volume.name}"


def order(volume: Volume) -> tuple[frozenset[str], frozenset[str]]:
    """Needs and provides: what has its place given comes before what LVM may put anywhere."""
    group, placed = f"vg:{volume.group}", f"vg:{volume.group}/placed"
    if volume.pinned:
        return frozenset((group,)), frozenset((f"lv:{volume.request.title}", placed))
    return frozenset((group, placed)), frozenset((f"lv:{volume.request.title}",))


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


def _as_json(volume: Volume) -> dict[str, Any]:
    out: dict[str, Any] = {"type": volume.type, "size": human(volume.size), "extents": volume.extents}
    if volume.on:
        out["on"] = [one.title for one in volume.on]
    return out
