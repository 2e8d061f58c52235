# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pools that are not well: what can be brought back without loss, and what a person should know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...plan.model import Action, Command, Note
from ..blockdevices import BlockDevice
from ..state import Device
from . import layout, members
from .changes import Changed, stage, take
from .layout import Entry, last
from .status import Vdev

_GONE = ("REMOVED", "UNAVAIL")
# A disk without a serial number of its own goes by its link; replace takes the world-wide name in that.
_NAMED_BY_LINK = re.compile(r"^(?:wwn-|nvme-(?=(?:eui|uuid|nvme)\.))")
_ERRORS = re.compile(r"with [1-9][0-9]* errors")


def mended(there: Changed, wanted: Sequence[Entry]) -> Iterator[Action]:
    """Devices that are back, and spares that worked for them: ZFS checks their labels and loses nothing."""
    for place in _places(there):
        yield from _given_back(there, place)
        for leaf in place.leaves():
            device = _device(leaf, there, wanted)
            if device and not place.children and leaf.state in _GONE and is_labelled(device, there):
                yield _online(there, members.called(leaf, device), leaf, device)


def notes(there: Changed, wanted: Sequence[Entry]) -> Iterator[Note]:
    """What is under way and what is not well."""
    busy = there.pool.busy
    if busy:
        yield Note(there.target, f"{busy}; it goes on by itself")
    for place in _places(there):
        for leaf in place.leaves():
            # What a new device takes the place of already needs no word.
            if not leaf.healthy and not any(row.replacing for row in place.rows()):
                yield from _note(there, place, leaf, _device(leaf, there, wanted))
    scan = there.pool.told.get("scan", "")
    if _ERRORS.search(scan):
        yield Note(there.target, f"the last scan found errors: {scan}")


def _note(there: Changed, place: Vdev, leaf: Vdev, device: Device | None) -> Iterator[Note]:
    name, why = last(leaf.path) or leaf.name, f" ({leaf.note})" if leaf.note else ""
    if leaf.state == "INUSE":
        yield Note(there.target, f"the spare {name} works in the place of another device")
    elif leaf.state == "OFFLINE":
        yield Note(there.target, f"{name} was taken offline by a person and stays so")
    elif device and leaf.state in _GONE and is_labelled(device, there):
        if place.children:
            hint = f"take it in by zpool online {there.pool.name} {last(members.called(leaf, device))}"
            yield Note(there.target, f"{device.title} is back while another device works in its place; {hint}")
    elif device and leaf.state in _GONE and there.block.at(device.path):
        own = _NAMED_BY_LINK.sub("", device.serial)
        hint = f"to take it in anew, write replace: {{{own}: {own}}} in its disk group"
        yield Note(there.target, f"{device.title} is there and has no label of this pool any more; {hint}")
    else:
        hint = "another disk takes its place by replace in its disk group"
        yield Note(there.target, f"{name} is {leaf.state}{why}; {hint}")


def _places(there: Changed) -> Iterator[Vdev]:
    for vdevs in there.pool.vdevs.values():
        for vdev in vdevs:
            yield from vdev.places


def _device(leaf: Vdev, there: Changed, wanted: Sequence[Entry]) -> Device | None:
    """The device of the document that a leaf is, or was when it was seen last."""
    devices = (device for entry in wanted if entry.role not in ("cache", "spare") for device in entry.devices)
    return next((one for one in devices if layout.is_in(one, (leaf,), there.block)), None)


def _given_back(there: Changed, place: Vdev) -> Iterator[Action]:
    if not place.name.startswith("spare-") or not place.healthy or there.pool.busy:
        return
    first, *others = place.children
    for spare in others:
        name = members.called_alone(spare, there.block)
        words = {"device": last(first.name), "spare": last(name)}
        yield take(there, "give_back", name, "", words)


def is_labelled(device: Device, there: Changed) -> bool:
    """Whether the device is there with a label of this very pool."""
    disk = there.block.at(device.path)
    if disk is None:
        return False
    parts = [part for part in map(there.block.get, disk.children) if part is not None and part.number == 1]
    return any(_is_of(one, there) for one in (disk, *(parts if members.is_whole(device) else ())))


def _is_of(one: BlockDevice, there: Changed) -> bool:
    guid = there.properties.get("guid", one.content_uuid)
    return one.content == "zfs_member" and one.content_label == there.pool.name and one.content_uuid == guid


def _online(there: Changed, name: str, leaf: Vdev, device: Device) -> Action:
    needs, provides = stage(there.pool.name, "online")
    return Action(
        "zfs_pool",
        "online",
        f"{there.pool.name}/{device.serial or last(device.path)}",
        steps=(Command(("zpool", "online", there.pool.name, name)),),
        before={"state": leaf.state},
        after={"state": "ONLINE"},
        needs=needs | {device.resource},
        provides=provides,
        disks=device.disks,
        settles=True,
    )
