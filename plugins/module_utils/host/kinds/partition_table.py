# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GPT partition tables: made whole, added to, and grown at the end of the last partition."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blank import unless_blank
from ..blockdevices import BlockDevices
from ..identity import planned_uuid
from ..observation import Observation, Probe, ReadBlock, Signatures
from ..sizes import MIB, human, parse_size
from ..state import Device, Offer, Site, State

KIND = "partition_table"

# https://uapi-group.org/specifications/specs/discoverable_partitions_specification/ and libfdisk's list of types
TYPES = {
    "filesystem": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "local": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "reserved": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "lvm": "e6d6d379-f507-44c2-a23c-238f2a3df928",
    "raid": "a19d880f-05fc-4d3b-a006-743f0f84911e",
    "luks": "ca7d7ccb-63ed-4c53-861c-1742536059cc",
    "zfs": "6a898cc3-1dd2-11b2-99a6-080020736631",
    "swap": "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
    "esp": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "bios_boot": "21686148-6449-6e6f-744e-656564454649",
}
_GUID = slice(56, 72)  # of the disk, in a GPT header
_SECTOR = 512  # what sysfs counts in, whatever the disk's own sectors are


@dataclass(frozen=True)
class Partition:
    """``start`` and ``size`` in bytes."""

    number: int
    name: str
    type: str
    uuid: str
    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size

    def as_json(self) -> dict[str, Any]:
        return {"number": self.number, "name": self.name, "type": self.type, "start": self.start, "size": self.size}


@dataclass(frozen=True)
class PartitionTable:
    """The GPT of one disk, its partitions in the order of their place."""

    device: Device
    uuid: str
    partitions: tuple[Partition, ...]


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return ()


def observe(observation: Observation, block: BlockDevices) -> tuple[tuple[str, str, str, tuple[Partition, ...]], ...]:
    """(kernel name, type of table, its UUID, partitions) of each device that has a partition table."""
    return tuple(
        (one.kname, one.table, one.table_uuid, _partitions(one.children, block))
        for one in block
        if one.table and one.type != "part"
    )


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    tables = {kname: (kind, uuid, parts) for kname, kind, uuid, parts in have.of(KIND)}
    for group, entries in document.get("partitions", {}).items():
        offered: dict[str, list[Device]] = {entry["name"]: [] for entry in entries}
        for device in want.devices[group]:
            there = have.block.at(device.path)
            kind, uuid, old = tables.get(there.kname if there else "", ("", "", ()))
            if kind not in ("", "gpt"):
                yield Refusal(
                    device.title,
                    f"it has a partition table of type {kind}",
                    "match another disk, or clear it by hand",
                    device.wipeable,
                )
                continue
            # Said here, so that all disks that cannot be had are named in one run.
            if not kind:
                begun = _begun(observation, device, planned_uuid(site, KIND, group, device.seed))
                yield from unless_blank(observation, device, "a partition table", begun)
            try:
                parts = _layout(entries, device, old, site)
            except _Unfit as error:
                # A table without a partition of the document is somebody else's.
                names = {entry["name"] for entry in entries}
                foreign = bool(old) and not any(part.name in names for part in old)
                hint = "correct the sizes under partitions"
                yield Refusal(device.title, str(error), hint, device.wipeable if foreign else ())
                continue
            yield PartitionTable(device, uuid or planned_uuid(site, KIND, group, device.seed), parts)
            for part in parts:
                offered[part.name].append(_device(group, device, part, old))
        for name, devices in offered.items():
            yield Offer(f"{group}.{name}", tuple(devices))


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    old = {kname: (kind, parts) for kname, kind, _uuid, parts in have.of(KIND)}
    for table in want.of(KIND):
        there = have.block.at(table.device.path)
        kind, parts = old.get(there.kname if there else "", ("", ()))
        if not kind:
            yield _create(table)
            continue
        known = {part.name: part for part in parts}
        new = [one for one in table.partitions if one.name not in known]
        grown = [one for one in table.partitions if one.name in known and one.size > known[one.name].size]
        if new or grown:
            yield _change(table, parts, new, grown)


def _begun(observation: Observation, device: Device, uuid: str) -> frozenset[str]:
    """The signature of a table that sfdisk began to write for this very plan: its last copy is written first.

    Without the first copy and the protective MBR the kernel sees no table.
    """
    answer = observation.ask(Signatures(device.path))
    if not answer or "gpt" not in (one["type"] for one in answer["found"]):
        return frozenset()
    copies = [
        bytes.fromhex(observation.ask(ReadBlock(device.path, place, 512)) or "")
        for place in (device.sector, device.size - device.sector)
    ]
    owners = {copy[_GUID] for copy in copies if copy.startswith(b"EFI PART")}
    return frozenset(("gpt",)) if owners == {uuids.UUID(uuid).bytes_le} else frozenset()


class _Unfit(Exception):
    """A layout that the disk cannot hold."""


def _layout(
    entries: Sequence[Mapping[str, Any]], device: Device, old: Sequence[Partition], site: Site
) -> tuple[Partition, ...]:
    """The partitions of a document on this disk, keeping those that are there in their places.

    Everything starts and ends on a MiB; the last MiB stays free for the second copy of the table.
    """
    known = {part.name: part for part in old}
    extra = [part for part in old if part.name not in {entry["name"] for entry in entries}]
    if extra:
        raise _Unfit(f"it has the partition {extra[0].number} '{extra[0].name}', which the document does not name")
    first, last = MIB, (device.size - 16 * 1024 - device.sector) // MIB * MIB
    numbers = iter(sorted(set(range(1, 129)) - {part.number for part in old}))
    out: list[Partition] = []
    place = first
    for index, entry in enumerate(entries):
        part = known.get(entry["name"])
        start = part.start if part else place
        if start < place:
            raise _Unfit(f"its partition '{entry['name']}' lies before another one that the document names earlier")
        later = [known[one["name"]].start for one in entries[index + 1 :] if one["name"] in known]
        room = min(later, default=last) - start
        size = parse_size(entry["size"])
        wanted = room if size.rest else -(-size.of(last - first) // MIB) * MIB
        if size.share is not None:
            wanted = size.of(last - first) // MIB * MIB
        if part and (wanted < part.size or (size.rest and wanted < part.size + MIB)):
            if wanted < part.size and not size.rest and part.size - wanted >= MIB:
                raise _Unfit(
                    f"its partition '{part.name}' has {human(part.size)} and the document says {entry['size']}; "
                    "shrinking comes with a later release"
                )
            wanted = part.size
        if wanted > room or wanted <= 0:
            raise _Unfit(
                f"its partition '{entry['name']}' wants {human(wanted) if wanted > 0 else entry['size']} "
                f"and {human(max(room, 0))} of {human(device.size)} are left"
            )
        kind = entry.get("type", TYPES[entry.get("use", "filesystem")]).lower()
        if part and part.type != kind:
            raise _Unfit(f"its partition '{part.name}' has the type {part.type} and not {kind}")
        uuid = part.uuid if part else planned_uuid(site, "partition", entry["name"], device.seed)
        out.append(Partition(part.number if part else next(numbers), entry["name"], kind, uuid, start, wanted))
        place = start + wanted
    return tuple(out)


def _partitions(children: Sequence[str], block: BlockDevices) -> tuple[Partition, ...]:
    found = [one for one in map(block.get, children) if one is not None and one.type == "part"]
    parts = [
        Partition(one.number, one.part_name, one.part_type, one.part_uuid, one.start * _SECTOR, one.size)
        for one in found
    ]
    return tuple(sorted(parts, key=lambda part: part.start))


def _device(group: str, disk: Device, part: Partition, old: Sequence[Partition]) -> Device:
    return Device(
        ref=f"{group}.{part.name}",
        path=_path(disk, part),
        resource=f"partition:{disk.disks[0]}/{part.name}",
        size=part.size,
        sector=disk.sector,
        disks=disk.disks,
        seed=f"{disk.seed}/{part.name}",
        there=part.name in {one.name for one in old},
        title=f"partition '{part.name}' of {disk.title}",
        serial=disk.serial,
        replaces=disk.replaces,
    )


def _path(disk: Device, part: Partition) -> str:
    return f"{disk.path}-part{part.number}"


def _line(part: Partition, sector: int) -> str:
    return (
        f"{part.number} : start={part.start // sector}, size={part.size // sector}, "
        f'type={part.type}, uuid={part.uuid}, name="{part.name}"\n'
    )


def _create(table: PartitionTable) -> Action:
    """The whole table in one write; sfdisk wipes nothing, since the disk was found blank."""
    head = f"label: gpt\nlabel-id: {table.uuid}\nunit: sectors\nfirst-lba: {MIB // table.device.sector}\n\n"
    script = head + "".join(_line(part, table.device.sector) for part in table.partitions)
    return _action(table, "create", [_sfdisk(table, ("--wipe", "never"), script)], table.partitions, None)


def _change(
    table: PartitionTable, old: Sequence[Partition], new: Sequence[Partition], grown: Sequence[Partition]
) -> Action:
    """One command a partition: by its number it may be there already, from a run that ended before the kernel knew."""
    sector = table.device.sector
    steps = [
        _sfdisk(
            table,
            ("--no-reread", "--partno", str(part.number)),
            f"start={part.start // sector}, size={part.size // sector}\n",
        )
        for part in grown
    ]
    steps += [_sfdisk(table, ("--no-reread", "--partno", str(part.number)), _line(part, sector)) for part in new]
    # On a disk in use sfdisk leaves the kernel with the old table, and says so with exit code 0.
    steps.append(Command(("partx", "--update", table.device.path)))
    return _action(table, "change", steps, (*grown, *new), old)


def _sfdisk(table: PartitionTable, options: tuple[str, ...], script: str) -> Command:
    return Command(("sfdisk", "--quiet", "--wipe-partitions", "never", *options, table.device.path), stdin=script)


def _action(
    table: PartitionTable,
    verb: str,
    steps: Sequence[Command],
    parts: Sequence[Partition],
    old: Sequence[Partition] | None,
) -> Action:
    disk = table.device
    return Action(
        KIND,
        verb,
        disk.serial,
        steps=tuple(steps),
        before=None if old is None else {"partitions": [part.as_json() for part in old]},
        after={"partitions": [part.as_json() for part in table.partitions]},
        needs=frozenset((disk.resource,)),
        provides=frozenset(f"partition:{disk.disks[0]}/{part.name}" for part in parts),
        disks=disk.disks,
        expects=tuple(Expect("size", _path(disk, part), str(part.size)) for part in parts),
        holds=(disk.path,),
        settles=True,
    )
