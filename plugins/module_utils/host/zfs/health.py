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
_ERRORS = re.compile(r"with [1-9][0-9]* errors")


def mended(there: Changed, wanted: Sequence[Entry]) -> Iterator[Action | Note]:
    """Devices that are back, and spares that worked for them: ZFS checks their labels and loses nothing."""
    devices = [device for entry in wanted for device in entry.devices if entry.role not in ("cache", "spare")]
    for vdevs in there.pool.vdevs.values():
        for place in (place for vdev in vdevs for place in vdev.places):
            yield from _given_back(there, place)
            for leaf in (leaf for leaf in place.leaves() if leaf.state in _GONE):
                device = next((one for one in devices if layout.is_in(one, (leaf,), there.block)), None)
                if device is None or not _is_labelled(device, there):
                    continue
                name = members.called(leaf, device)
                if place.children:
                    message = f"{device.title} is back while another device works in its place"
                    yield Note(
                        there.target, f"{message}; zpool online {there.pool.name} {last(name)} takes it in again"
                    )
                else:
                    yield _online(there, name, leaf, device)


def notes(there: Changed) -> Iterator[Note]:
    """What is under way and what is not well."""
    busy = there.pool.busy
    if busy:
        yield Note(there.target, f"{busy}; it goes on by itself")
    for leaf in (row for row in there.pool.rows() if not row.children and not row.healthy):
        name, why = last(leaf.path) or leaf.name, f" ({leaf.note})" if leaf.note else ""
        if leaf.state == "INUSE":
            yield Note(there.target, f"the spare {name} works in the place of another device")
        elif leaf.state == "OFFLINE":
            yield Note(there.target, f"{name} was taken offline by a person and stays so")
        else:
            hint = "another disk takes its place by replace in its disk group"
            yield Note(there.target, f"{name} is {leaf.state}{why}; {hint}")
    scan = there.pool.told.get("scan", "")
    if _ERRORS.search(scan):
        yield Note(there.target, f"the last scan found errors: {scan}")


def _given_back(there: Changed, place: Vdev) -> Iterator[Action]:
    if not place.name.startswith("spare-") or not place.healthy or there.pool.busy:
        return
    first, *others = place.children
    for spare in others:
        name = members.called_alone(spare, there.block)
        words = {"device": last(first.name), "spare": last(name)}
        yield take(there, "give_back", name, "", words)


def _is_labelled(device: Device, there: Changed) -> bool:
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
