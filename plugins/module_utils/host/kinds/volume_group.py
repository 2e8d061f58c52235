# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM volume groups: made, extended, and laid out as a whole, so that every volume's size is known beforehand.

A physical volume leaves a group when the document knows its disk and does not name it for the group: its disk was
replaced or retired, or its reference is gone from ``physical_volumes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blockdevices import BlockDevices
from ..first_look import FULLREPORT
from ..lvm import departing, report
from ..lvm.layout import Member, Volume, lay_out
from ..lvm.leaving import GONE, Change, leave
from ..lvm.report import VolumeGroup
from ..lvm.request import Request, Unfit, requests
from ..observation import Observation, Probe, Run, StatPath
from ..sizes import human, parse_bytes
from ..state import Device, Site, State
from . import physical_volume
from .physical_volume import leaving_device

KIND = "volume_group"

_SYSTEM_ID = Run(("lvm", "systemid"))
_NO_TAG = re.compile(r"[^A-Za-z0-9_+./=!:#&-]")


@dataclass(frozen=True)
class Wanted:
    """A group with its members in the order of the document, and all that the document wants inside it.

    ``change`` is what happens to the group before its volumes are made.
    """

    name: str
    extent_bytes: int
    members: tuple[physical_volume.Wanted, ...]
    volumes: tuple[Volume, ...]
    have: VolumeGroup | None
    change: Change

    @property
    def extents(self) -> int:
        return sum(one.extents for one in self.members)

    @property
    def disks(self) -> tuple[str, ...]:
        return tuple(sorted({disk for one in self.members for disk in one.device.disks}))


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (FULLREPORT,) if document.get("lvm") else ()


def observe(observation: Observation, block: BlockDevices) -> tuple[VolumeGroup, ...]:
    return observation.once(report.read).groups


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    for name, entry in document.get("lvm", {}).items():
        same = [one for one in have.of(KIND) if one.name == name]
        group = same[0] if same else None
        members = tuple(one for one in want.of(physical_volume.KIND) if one.group == name)
        extent = parse_bytes(entry.get("extent_size", physical_volume.EXTENT))
        leaving = {
            one.path: device
            for one in (group.physical_volumes if group else ())
            if one.path not in {each.have.path for each in members if each.have}
            for device in leaving_device(one.path, document, have, want)
        }
        refused = tuple(_refusals(name, extent, same, members, observation, site))
        refused = refused or tuple(_strange(group, members, leaving, _gone(document, have)) if group else ())
        yield from refused
        if refused:
            continue
        try:
            wanted = tuple(requests(name, entry, group, want.devices))
            change = _change(wanted, group, members, leaving)
            volumes = lay_out(wanted, change.members, extent, change.group, change.anywhere)
        except Unfit as error:
            yield Refusal(error.target, error.message, error.hint)
            continue
        yield Wanted(name, extent, members, volumes, group, change)


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    for wanted in want.of(KIND):
        if wanted.have is None:
            yield _create(wanted, site)
            continue
        new = [one for one in wanted.members if one.have is None or not one.have.group]
        if new:
            yield _extend(wanted, wanted.have, new)
        yield from departing.actions(wanted.name, wanted.change, wanted.extent_bytes, wanted.extents, wanted.disks)


def _refusals(
    name: str,
    extent: int,
    same: list[VolumeGroup],
    members: tuple[physical_volume.Wanted, ...],
    observation: Observation,
    site: Site,
) -> Iterator[Refusal]:
    """Why this group is not ours to work in; the first reason is enough."""
    target = f"volume group {name}"
    if not same:
        taken = observation.ask(StatPath(f"/dev/{name}"))
        if taken is not None and not (taken["type"] == "directory" and taken["empty"]):
            yield Refusal(
                target, f"/dev/{name} exists and is no volume group, so LVM refuses the name", "choose another name"
            )
        return
    group = same[0]
    if len(same) > 1:
        yield Refusal(target, "two volume groups have this name", "rename one of them with vgrename and its UUID")
    elif group.exported:
        yield Refusal(target, "it is exported", "import it with vgimport, if it shall be used here")
    elif group.shared or group.clustered:
        yield Refusal(target, "it is shared with other hosts", "barestore works on groups of one host only")
    elif group.system_id and _is_foreign(group, observation):
        yield Refusal(
            target,
            f"it belongs to the host with the system id {group.system_id}",
            "move it with vgchange --systemid on that host",
        )
    elif owner_of(group, site):
        yield Refusal(
            target,
            f"barestore made it for another host, {owner_of(group, site)} (site/host), whose disks these are",
            f"bring the disks back there; when they moved for good, run 'vgchange --addtag {owner_tag(site)} {name}'",
        )
    elif group.extent_size != extent:
        yield Refusal(
            target,
            f"its extents have {human(group.extent_size)} and the document says {human(extent)}",
            "write the size that it has; changing it comes with a later release",
        )
    elif not members:
        yield Refusal(target, "the document names no disk for it", "name its disks under physical_volumes")


def _strange(
    group: VolumeGroup,
    members: tuple[physical_volume.Wanted, ...],
    leaving: Mapping[str, Device],
    gone: frozenset[str],
) -> Iterator[Refusal]:
    """Physical volumes of which the document says nothing, there or not."""
    target = f"volume group {group.name}"
    known = {one.have.path for one in members if one.have} | set(leaving) | {GONE}
    strange = [one.path for one in group.physical_volumes if one.path not in known]
    missing = [one.uuid for one in group.physical_volumes if one.path == GONE]
    bare = [one for one in members if one.have is None and one.uuid in missing]
    if strange:
        yield Refusal(
            target,
            f"it has the physical volume {strange[0]}, which the document does not name",
            "name it under physical_volumes; to take it out, name its disk under retire of its disk group",
        )
    elif bare:
        yield Refusal(
            bare[0].device.title,
            f"it was a physical volume of {group.name}, and its label is gone",
            "restore it with pvcreate --restorefile and vgcfgrestore, or put another disk in its place by replace",
        )
    elif len(missing) > len(gone):
        yield Refusal(
            target,
            f"{len(missing)} of its physical volumes are missing, and the document tells of {len(gone)} disks that "
            "are gone",
            "bring the disks back; one that is gone for good is named under replace or retire of its disk group",
        )


def _gone(document: Mapping[str, Any], have: State) -> frozenset[str]:
    """The disks that the document lets go, and that are not there any more."""
    there = {name for one in have.of("disk") for name in (one.told_serial, one.wwn)}
    return physical_volume.departed(document) - there


def _change(
    wanted: tuple[Request, ...],
    group: VolumeGroup | None,
    members: tuple[physical_volume.Wanted, ...],
    leaving: Mapping[str, Device],
) -> Change:
    """:raises Unfit: what leaves fits nowhere else, or something is lost."""
    places = tuple(_member(one, group) for one in members)
    if group is None:
        return Change(None, places)
    missing = {one.path for one in group.physical_volumes if one.missing}
    back = [one.device for one in members if one.have and one.have.path in missing]
    back += [device for path, device in leaving.items() if path in missing]
    return leave(group, places, leaving, back, wanted)


def _is_foreign(group: VolumeGroup, observation: Observation) -> bool:
    """The host's own id costs a process, so that it is asked only where a group has one."""
    answer = observation.ask(_SYSTEM_ID)
    return answer is not None and answer["stdout"].partition(":")[2].strip() != group.system_id


def _member(wanted: physical_volume.Wanted, group: VolumeGroup | None) -> Member:
    found = wanted.have if group and wanted.have and wanted.have.group else None
    if found is None:
        return Member(wanted.device, wanted.extents, wanted.extents, wanted.device.path)
    free = wanted.extents - found.used if found.allocatable else 0
    return Member(wanted.device, wanted.extents, free, found.path)


def owner_tag(site: Site) -> str:
    """Tells whose group it is when its disks move to another host."""
    return "barestore:" + _NO_TAG.sub("_", f"{site.name}/{site.host}")


def owner_of(group: VolumeGroup, site: Site) -> str:
    """The other host that a group was made for, with its site; empty for one of this host or of nobody."""
    tags = sorted(one for one in group.tags if one.startswith("barestore:"))
    return "" if owner_tag(site) in tags or not tags else tags[0].partition(":")[2]


def _create(wanted: Wanted, site: Site) -> Action:
    paths = [one.device.path for one in wanted.members]
    return _action(
        wanted,
        "create",
        (
            "vgcreate",
            "--physicalextentsize",
            f"{wanted.extent_bytes}b",
            "--addtag",
            owner_tag(site),
            wanted.name,
            *paths,
        ),  # fmt: skip
        wanted.members,
    )


def _extend(wanted: Wanted, group: VolumeGroup, new: list[physical_volume.Wanted]) -> Action:
    return _action(wanted, "extend", ("vgextend", wanted.name, *(one.device.path for one in new)), tuple(new), group)


def _action(
    wanted: Wanted,
    verb: str,
    argv: tuple[str, ...],
    new: tuple[physical_volume.Wanted, ...],
    group: VolumeGroup | None = None,
) -> Action:
    before = (
        {"members": len(group.physical_volumes), "size": human(group.extents * group.extent_size)} if group else None
    )
    # What leaves does so afterwards, what is gone was dropped before.
    leaves = wanted.change.departures
    extents = wanted.extents + sum(one.extents for one in leaves)
    after = {"members": len(wanted.members) + len(leaves), "size": human(extents * wanted.extent_bytes)}
    return Action(
        KIND,
        verb,
        wanted.name,
        steps=(Command(argv),),
        before=before,
        after={**after, "new": [one.device.title for one in new]},
        needs=frozenset((*(one.resource for one in wanted.members), f"vg:{wanted.name}/complete")),
        provides=frozenset((f"vg:{wanted.name}", f"vg:{wanted.name}/room")),
        disks=wanted.disks,
        # The sizes of all volumes were planned from this number.
        expects=(
            Expect(
                "prints",
                wanted.name,
                str(extents),
                argv=("vgs", "--noheadings", "--options", "vg_extent_count", wanted.name),
            ),
        ),
    )
