# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Encrypted devices of the document, held against the headers and mappings that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Refusal
from ..blockdevices import BlockDevice, BlockDevices
from ..identity import planned_uuid
from ..observation import Observation, ReadLuks
from ..sizes import MIB, human, parse_bytes
from ..state import Device, Offer, Site, State, Veiled
from . import crypttab

CONTENT = "crypto_LUKS"  # blkid's word
OFFSET = 16 * MIB  # where cryptsetup 2.1 and newer let the data begin; told, so that no disk's geometry moves it
_TOKENS = {"clevis": "clevis", "tpm2": "systemd-tpm2"}


@dataclass(frozen=True)
class Wanted:
    """One encrypted device: ``below`` is what carries it, ``device`` what it is when open, ``name`` its mapping.

    ``header`` is what is there (see :func:`header.public`), ``now`` the size of the open mapping, -1 when it is
    closed; ``unbound`` are the helpers of the document (clevis, tpm2) that cannot open it yet.
    """

    below: Device
    device: Device
    name: str
    uuid: str
    sector: int
    entry: Mapping[str, Any]
    header: Mapping[str, Any] | None
    now: int
    unbound: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        return self.now >= 0

    @property
    def grows(self) -> bool:
        return 0 <= self.now < self.device.size


def declared(
    on_volumes: bool,
    document: Mapping[str, Any],
    have: State,
    want: State,
    site: Site,
    observation: Observation,
) -> Iterator[object]:
    """What ``declare`` of both kinds yields; those on volumes come after the volumes."""
    for name, entry in document.get("luks", {}).items():
        if ("/" in entry["device"]) != on_volumes:
            continue
        offered = []
        for below in want.devices[entry["device"]]:
            found = _wanted(name, entry, below, _is_many(document, entry["device"]), have.block, site, observation)
            yield from _unfit(found, have.block)
            yield found
            offered.append(found.device)
            if found.header is not None and not found.is_open:
                yield Veiled(found.device.title)
        yield Offer(name, tuple(offered))


def _wanted(
    name: str,
    entry: Mapping[str, Any],
    below: Device,
    many: bool,
    block: BlockDevices,
    site: Site,
    observation: Observation,
) -> Wanted:
    node = block.at(below.path) if below.there else None
    header = observation.ask(ReadLuks(below.path)) if node and node.content == CONTENT else None
    uuid = str(header["uuid"]) if header else planned_uuid(site, "luks", name, below.seed)
    opened = _mapping(node, block)
    own = f"{name}-{re.sub(r'[^A-Za-z0-9_.-]', '_', below.serial)}" if many else name
    # A group that got a second disk, or a person, gave it this name: layers above know it by that.
    mapped = opened.path.rpartition("/")[2] if opened else crypttab.name_of(observation, uuid) or own
    sector = int(header["sector"]) if header and header["sector"] else _sector(entry, below)
    offset = int(header["offset"]) if header and header["offset"] else OFFSET
    device = Device(
        ref=name,
        path=f"/dev/mapper/{mapped}",
        resource=f"luks:{mapped}",
        size=max(0, below.size - offset) // sector * sector,
        sector=max(sector, below.sector),
        disks=below.disks,
        seed=uuid,
        there=opened is not None,
        title=f"encrypted device {mapped}",
        serial=below.serial,
    )
    tokens = header["tokens"] if header else ()
    unbound = tuple(word for word, token in _TOKENS.items() if word in entry and token not in tokens)
    return Wanted(below, device, mapped, uuid, sector, entry, header, opened.size if opened else -1, unbound)


def _sector(entry: Mapping[str, Any], below: Device) -> int:
    return parse_bytes(entry["sector_size"]) if "sector_size" in entry else below.sector


def _mapping(node: BlockDevice | None, block: BlockDevices) -> BlockDevice | None:
    children = [block.get(kname) for kname in node.children] if node else []
    return next((one for one in children if one and one.type == "crypt"), None)


def _is_many(document: Mapping[str, Any], ref: str) -> bool:
    """Whether the document allows the reference more than one disk, now or later."""
    group = document.get("disks", {}).get(ref.partition(".")[0])
    return group is not None and group.get("take", group.get("count")) != 1


def _unfit(wanted: Wanted, block: BlockDevices) -> Iterator[Refusal]:
    title, header = wanted.below.title, wanted.header
    if wanted.device.size <= 0:
        yield Refusal(
            title, f"its {human(wanted.below.size)} hold nothing beside a LUKS2 header", "use a larger device"
        )
    if wanted.sector % wanted.below.sector:
        yield Refusal(
            title, f"its own sectors have {wanted.below.sector} bytes", "leave sector_size out, or write '4 KiB'"
        )
    if not wanted.is_open and block.at(wanted.device.path):
        yield Refusal(
            title,
            f"it cannot be opened as {wanted.device.path}, which another device is called already",
            "close that one if nobody needs it, or choose another name",
        )
    if header is None:
        return
    if header["version"] != 2:
        yield Refusal(
            title,
            f"it carries LUKS{header['version']}",
            "convert it with 'cryptsetup convert --type luks2' while it is closed; barestore never encrypts anew",
        )
    elif header["cipher"] != wanted.entry["cipher"]:
        found = header["cipher"]
        hint = "look at it with 'cryptsetup luksDump', and repair it by hand"
        if found != "unreadable":
            hint = f"write cipher: {found}, or encrypt it anew by hand with cryptsetup reencrypt; barestore never does"
        yield Refusal(title, f"its cipher is {found} and not {wanted.entry['cipher']}", hint)
