# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Local volumes: a stable link for each disk, partition or volume that becomes a PersistentVolume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Expect, Link, Refusal
from ..blank import unless_blank
from ..blockdevices import BlockDevices
from ..observation import Observation, Probe, StatPath
from ..state import Device, Site, State

KIND = "local_volume"

FOLDER = "/var/lib/barestore/local-volumes"


@dataclass(frozen=True)
class LocalVolume:
    """``link`` leads to the device and never changes its name while the device is the same one."""

    device: Device
    name: str
    link: str
    storage_class: str
    mode: str


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return ()


def observe(observation: Observation, block: BlockDevices) -> tuple[object, ...]:
    """Nothing: links are asked for one by one, since only the document knows their names."""
    return ()


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    for name, entry in document.get("local_volumes", {}).items():
        for device in want.devices[entry.get("source", name)]:
            yield LocalVolume(
                device,
                name,
                f"{FOLDER}/{name}/{_leaf(device)}",
                entry["storage_class"],
                entry.get("mode", "block"),
            )


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    for wanted in want.of(KIND):
        found = observation.ask(StatPath(wanted.link))
        if found and found["link"] == wanted.device.path:
            continue
        if found:
            yield Refusal(
                wanted.link,
                f"it leads to {found['link'] or 'something that is no link'} and not to {wanted.device.path}",
                "remove it if nothing uses it",
            )
            continue
        # What is given away must be empty; once given, its owner (an OSD, say) writes what it likes.
        if wanted.device.there:
            yield from unless_blank(observation, wanted.device, "a local volume")
        yield Action(
            KIND,
            "create",
            f"{wanted.name}/{_leaf(wanted.device)}",
            steps=(Link(wanted.link, wanted.device.path),),
            after={
                "link": wanted.link,
                "device": wanted.device.path,
                "storage_class": wanted.storage_class,
                "mode": wanted.mode,
            },
            needs=frozenset((wanted.device.resource,)),
            provides=frozenset((f"local_volume:{wanted.link}",)),
            disks=wanted.device.disks,
            expects=(Expect("exists", wanted.link),),
            waits=(wanted.device.path,),
        )


def _leaf(device: Device) -> str:
    """The identity as one path component: the by-id name of a disk, partition or array, a mapping's, else VG-LV."""
    folder, _slash, name = device.path.rpartition("/")
    return name if folder in ("/dev/disk/by-id", "/dev/mapper") else device.ref.replace("/", "-")
