# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Swap: made with a planned UUID, a line of fstab, in use."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from .. import fstab
from ..blank import still_blank, unless_blank
from ..blockdevices import BlockDevice, BlockDevices
from ..carriers import carriers
from ..identity import planned_uuid
from ..observation import Observation, Probe
from ..sizes import human
from ..state import Device, Site, State

KIND = "swap"


@dataclass(frozen=True)
class Swap:
    """``options`` are those of fstab."""

    device: Device
    uuid: str
    options: str


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (fstab.PROBE, fstab.SYSTEMD)


def observe(observation: Observation, block: BlockDevices) -> tuple[BlockDevice, ...]:
    """Devices that carry swap."""
    return tuple(one for one in block if one.content == KIND)


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    for carrier in carriers(document):
        if carrier.swap is None:
            continue
        options = ["defaults", "nofail"]
        if "priority" in carrier.swap:
            options.append(f"pri={carrier.swap['priority']}")
        if carrier.swap.get("discard"):
            options.append("discard")
        for device in want.devices[carrier.ref]:
            there = have.block.at(device.path)
            made = there is not None and there.content == KIND
            uuid = there.content_uuid if there and made else planned_uuid(site, KIND, carrier.ref, device.seed)
            yield Swap(device, uuid, ",".join(options))


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    for wanted in want.of(KIND):
        there = have.block.at(wanted.device.path)
        made = there is not None and there.content == KIND
        if not made:
            if wanted.device.there:
                yield from unless_blank(observation, wanted.device, KIND, unseen=KIND)
            yield _create(wanted)
        source = f"UUID={wanted.uuid}"
        line = fstab.line(source, "none", "swap", wanted.options, 0)
        entry = fstab.edit(observation, lambda one, source=source: one.source == source, line)  # type: ignore[misc]
        on = bool(there and "[SWAP]" in there.mountpoints)
        if on and not entry:
            continue
        start = () if on else (Command(("swapon", *_flags(wanted), source)),)
        yield Action(
            KIND,
            "use",
            wanted.device.place,
            steps=(*entry, *start),
            after={"uuid": wanted.uuid, "options": wanted.options},
            needs=frozenset((f"swap:{wanted.device.place}",)),
            provides=frozenset((fstab.RESOURCE,)),
            disks=wanted.device.disks,
            expects=(Expect("swap", wanted.device.path),),
            waits=(f"/dev/disk/by-uuid/{wanted.uuid}",),
        )
        yield from fstab.reload(observation, entry)


def _flags(wanted: Swap) -> tuple[str, ...]:
    """What fstab says, in swapon's own words: it reads fstab only where it is given no device."""
    words = wanted.options.split(",")
    priority = [word.partition("=")[2] for word in words if word.startswith("pri=")]
    return (*(("--priority", *priority) if priority else ()), *(("--discard",) if "discard" in words else ()))


def _create(wanted: Swap) -> Action:
    device = wanted.device
    check = () if device.resource.startswith("lv:") else (still_blank(device.path),)
    return Action(
        KIND,
        "create",
        wanted.device.place,
        steps=(*check, Command(("mkswap", "--uuid", wanted.uuid, device.path))),
        after={"uuid": wanted.uuid, "size": human(device.size)},
        needs=frozenset((device.resource,)),
        provides=frozenset((f"swap:{wanted.device.place}",)),
        disks=device.disks,
        expects=(Expect("bytes", device.path, uuids.UUID(wanted.uuid).hex, offset=1024 + 12),),
        waits=(device.path,),
        settles=True,
    )
