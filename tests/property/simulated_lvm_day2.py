# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM of a simulated host in its later life: extents move, disks are gone and come back, images are made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from simulated_block import require
from simulated_lvm_values import Group, Logical, Moving, Physical, words_of

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action

if TYPE_CHECKING:
    from simulated_lvm import Lvm


def health(group: Group, volume: Logical) -> str:
    if not volume.type.startswith("raid"):
        return "partial" if group.is_broken(volume) and volume.type != "error" else ""
    if any(group.is_broken(part) for part in group.parts_of(volume)):
        return "refresh needed" if all(part.type == "error" or not group.is_broken(part)
                                       for part in group.parts_of(volume)) else "partial"  # fmt: skip
    return "refresh needed" if volume.stale else ""


def _pvmove(lvm: Lvm, words: Sequence[str], action: Action) -> str:
    given, rest = words_of(words, "interval name")
    require(given.get("interval") == "10", "pvmove tells no progress")
    if rest:
        begin_move(lvm, words, action)
    for group in lvm.groups.values():
        _end_move(group)
    return ""


def begin_move(lvm: Lvm, words: Sequence[str], action: Action) -> None:
    """What a pvmove that is killed leaves: a mirror of each place, and the volumes on it."""
    given, (path, *paths) = words_of(words, "interval name")
    source = lvm.on(path, action)
    group = lvm.groups[source.group]
    lvm.may_write(group.name)
    require(group.moving is None, "pvmove: Detected pvmove in progress")
    among = [lvm.on(one, action) for one in paths] or [one for one in group.members if one is not source]
    require(source not in among, "pvmove onto its source")
    require("name" not in given or given["name"] in group.volumes, f"pvmove: no volume {given.get('name')}")
    parts = [part for part in group.volumes.values() if "name" not in given or _is_below(group, part, given["name"])]
    avoided = {
        id(place[0])
        for part in parts
        for raid in (group.raid_of(part),)
        if raid is not None and any(place[0] is source for one in group.parts_of(raid) for place in one.places)
        for one in group.parts_of(raid)
        for place in one.places
    }
    free = [one for one in among if id(one) not in avoided]
    moved = [(part, place) for part in parts for place in part.places if place[0] is source]
    require(moved, f"pvmove: No data to move for {group.name}")
    group.moving = Moving(source, [(part, place, lvm.allocate(group, place[2], free)) for part, place in moved])


def _is_below(group: Group, part: Logical, name: str) -> bool:
    found: Logical | None = part
    while found is not None and found.name != name:
        found = group.volumes.get(found.parent)
    return found is not None


def _end_move(group: Group) -> None:
    if group.moving is None:
        return
    for part, old, new in group.moving.parts:
        at = part.places.index(old)
        part.places[at : at + 1] = new
        old[0].used -= old[2]
    group.moving = None


def _vgreduce(lvm: Lvm, words: Sequence[str], action: Action) -> str:
    given, (name, *paths) = words_of(words, "", "removemissing mirrorsonly force")
    group = lvm.groups[name]
    if "removemissing" not in given:
        require(not given and paths, f"vgreduce {words}")
        lvm.may_write(name)
        for path in paths:
            one = lvm.on(path, action)
            require(one.used == 0, f'vgreduce: Physical volume "{path}" still in use')
            _take_out(lvm, group, one)
        return ""
    require(not paths, "vgreduce: --removemissing takes a group only")
    gone = [one for one in group.members if one.missing or one.flagged]
    for part in [one for one in group.volumes.values() if any(place[0] in gone for place in one.places)]:
        raid = group.raid_of(part)
        require(
            {"mirrorsonly", "force"} <= set(given) and raid is not None,
            f"vgreduce: Partial LV {part.name} needs repair",
        )
        for place in part.places:
            place[0].used -= place[2]
        part.type, part.places = "error", []
    for one in gone:
        _take_out(lvm, group, one)
        lvm.physical.remove(one)
    return ""


def _take_out(lvm: Lvm, group: Group, one: Physical) -> None:
    require(len(group.members) > 1, "vgreduce: Can't remove final physical volume")
    group.members.remove(one)
    one.group, one.extents = "", 0
    one.node.users.discard("lv")
    for volume in group.volumes.values():
        if volume.node is not None:
            below = tuple(node for node in volume.node.parents if node is not one.node)
            volume.node.parents = below or (group.members[0].node,)


def _pvremove(lvm: Lvm, words: Sequence[str], action: Action) -> str:
    (path,) = words
    one = lvm.on(path, action)
    require(not one.group, f"pvremove: PV {path} is used by VG {one.group}")
    one.node.content = None
    lvm.physical.remove(one)
    return ""


def _lvreduce(lvm: Lvm, words: Sequence[str], action: Action) -> str:
    """The end of a volume, or of each of its images, is free again."""
    given, (title,) = words_of(words, "extents", "yes")
    group, volume = lvm.volume(title)
    wanted = int(given["extents"])
    require("yes" in given and wanted < volume.extents, f"lvreduce {words}: {volume.extents} extents")
    require(volume.node is not None and volume.node.content is not None, f"lvreduce: {title} carries nothing")
    assert volume.node is not None
    assert volume.node.content is not None
    shape = volume.node.content.geometry
    require(shape["blocks"] * shape["block"] <= wanted * group.extent, "lvreduce: the file system needs the space")
    images = [part for part in group.parts_of(volume) if "_rimage_" in part.name]
    for part in images or [volume]:
        left = -(-part.extents * wanted // volume.extents)
        excess = part.extents - left
        if volume.type != "thin":
            while excess:
                where, start, size = part.places.pop()
                cut = min(size, excess)
                where.used -= cut
                excess -= cut
                if size > cut:
                    part.places.append((where, start, size - cut))
        part.extents = left
    volume.extents, volume.node.size = wanted, wanted * group.extent
    return ""


def restore_missing(lvm: Lvm, name: str, paths: Sequence[str], action: Action) -> str:
    for path in paths:
        one = lvm.on(path, action)
        require(one.flagged and one.group == name, f"vgextend: {path} is not missing")
        one.flagged = False
    return ""


def repair(lvm: Lvm, group: Group, raid: Logical, among: Sequence[Physical]) -> str:
    parts = group.parts_of(raid)
    broken = {part.name.rpartition("_")[2] for part in parts if group.is_broken(part)}
    require(broken and len(broken) < raid.images, f"lvconvert: nothing to repair of {raid.name}, or nothing left")
    used = {id(place[0]) for part in parts if not group.is_broken(part) for place in part.places}
    for index, one in zip(sorted(broken), [one for one in among if id(one) not in used], strict=True):
        for part in [one for one in parts if one.name.rpartition("_")[2] == index]:
            for place in part.places:
                place[0].used -= place[2]
            part.type, part.places = "linear", lvm.allocate(group, part.extents, [one])
    raid.stale = False
    return ""


def unplug(lvm: Lvm, serial: str) -> None:
    """A disk is pulled: LVM sees its physical volumes no more."""
    gone = [node for node in lvm.host.nodes if node.disk is not None and node.disk.serial == serial]
    for one in lvm.physical:
        one.missing = one.missing or one.node in gone
    lvm.host.nodes = [node for node in lvm.host.nodes if node not in gone]
    for node in lvm.host.nodes:
        if any(below in gone for below in node.parents):
            node.parents = tuple(below for below in node.parents if below not in gone)


DAY_2: Mapping[str, Callable[[Lvm, Sequence[str], Action], str]] = {
    "pvmove": _pvmove,
    "vgreduce": _vgreduce,
    "pvremove": _pvremove,
    "lvreduce": _lvreduce,
}
