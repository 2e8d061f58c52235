# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MD arrays: made with a planned UUID and a planned size, assembled, completed, widened, grown; never made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...plan.model import Action, Note, Refusal
from ..blank import unless_blank
from ..blockdevices import BlockDevices
from ..identity import planned_uuid
from ..md import actions, conf, geometry, mdstat, replacing, superblock
from ..md.mdstat import Array
from ..md.request import (
    NODES,
    Found,
    Wanted,
    component_now,
    component_then,
    found,
    is_carrier,
    is_member,
    link,
    node_now,
    node_of,
)
from ..observation import Observation, Probe, ReadFile
from ..sizes import human, parse_bytes
from ..state import Device, Offer, Site, State, Veiled

KIND = actions.KIND

_MDSTAT = ReadFile("/proc/mdstat")


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (_MDSTAT, NODES) if document.get("md") else ()


def observe(observation: Observation, block: BlockDevices) -> tuple[Found, ...]:
    """The arrays, running or not; none where the document asks for none."""
    if _MDSTAT.key not in observation.answers:
        return ()
    return tuple(found(block, mdstat.parse(observation.ask(_MDSTAT) or "")))


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    for name, entry in document.get("md", {}).items():
        data, spares = (
            tuple(device for ref in entry.get(key, ()) for device in want.devices[ref]) for key in ("devices", "spares")
        )
        members = (*data, *spares)
        seen = [one for one in have.of(KIND) if any(is_carrier(device, one, have.block) for device in members)]
        refusal = _unfit(name, entry, data, seen)
        if refusal is not None:
            yield refusal
            continue
        wanted = _new(name, entry, data, spares, site)
        if seen:
            wanted = _known(wanted, seen[0], have, observation)
        yield from _hindrances(wanted, have, observation)
        yield Offer(name, (wanted.device,))
        yield wanted
        if wanted.have is not None and not wanted.device.there:
            yield Veiled(wanted.device.title)


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal | Note]:
    for wanted in want.of(KIND):
        array = wanted.running
        if wanted.have is None:
            for device in wanted.members:
                if device.there and device not in wanted.half_made:
                    yield from unless_blank(observation, device, f"array {wanted.name}")
            yield actions.create(wanted)
        elif array is None:
            yield actions.assemble(wanted, [one for one in wanted.members if is_carrier(one, wanted.have, have.block)])
        else:
            changes = tuple(_change(wanted, array, have, observation))
            if not wanted.node and any(isinstance(one, Action) for one in changes):
                yield Refusal(
                    wanted.device.title,
                    f"it runs as {array.kname} and has no name below {NODES.path} that mdadm could be told",
                    f"stop it, and assemble it as {node_of(wanted.name)}",
                )
            yield from changes
        uuid = superblock.spelled(wanted.uuid)
        edits = conf.edit(observation, wanted.name, uuid)
        if edits:
            others = [superblock.spelled(one.uuid) for one in have.of(KIND) if one.uuid != wanted.uuid]
            yield from conf.foreign(observation, wanted.name, uuid, others)
            yield actions.register(wanted, edits)


def _new(name: str, entry: Mapping[str, Any], data: Sequence[Device], spares: Sequence[Device], site: Site) -> Wanted:
    """The array as it is made when nothing of it is there."""
    level = entry["level"]
    chunk = 0 if level == "raid1" else parse_bytes(entry["chunk_size"])
    members = (*data, *spares)
    offset = geometry.data_offset((device.size for device in members), chunk)
    used = min(geometry.component(device.size, offset, chunk) for device in members)
    uuid = planned_uuid(site, KIND, name, data[0].seed).replace("-", "")
    device = Device(
        ref=name,
        path=link(uuid),
        resource=f"md:{name}",
        size=geometry.array_size(level, used, len(data), chunk),
        sector=max(device.sector for device in members),
        disks=tuple(sorted({disk for device in members for disk in device.disks})),
        seed=uuid,
        there=False,
        title=f"array {name}",
    )
    places = (tuple(data), tuple(spares))
    return Wanted(device, name, level, uuid, *places, chunk, entry["bitmap"], offset, used, node_of(name), None)


def _known(new: Wanted, seen: Found, have: State, observation: Observation) -> Wanted:
    """The array as it shall be, of one that is there."""
    if seen.array is None:
        carriers = tuple(one for one in new.members if is_carrier(one, seen, have.block))
        if seen.uuid == new.uuid and _never_ran(carriers, observation):
            return replace(new, half_made=carriers)
        device = replace(new.device, path=link(seen.uuid), seed=seen.uuid)
        return replace(new, uuid=seen.uuid, device=device, have=seen)
    array = seen.array
    chunk = array.chunk if new.level != "raid1" else 0
    now = component_now(observation, array)
    then = component_then(observation, array, new.members, have.block, chunk)
    widens = len(new.devices) > array.devices
    late = "" if then <= now else array.work or ("its new devices are in" if widens else "")
    used = then if now and then > now and not late else now
    size = geometry.array_size(new.level, used, array.devices, chunk) if used > now else array.size
    node = have.block.get(array.kname)
    device = replace(
        new.device, path=link(seen.uuid), seed=seen.uuid, size=size, there=True, sector=node.sector if node else 512
    )
    called = node_now(new.name, array, observation)
    return replace(
        new, uuid=seen.uuid, device=device, node=called, have=seen, chunk=chunk, used=used, now_used=now, late=late
    )


def _never_ran(carriers: Sequence[Device], observation: Observation) -> bool:
    """Whether all that a killed ``mdadm --create`` left are superblocks: the kernel counts events from its start on."""
    blocks = [superblock.read(observation, device.path) for device in carriers]
    return all(block is not None and block.events == 0 for block in blocks)


def _unfit(name: str, entry: Mapping[str, Any], data: Sequence[Device], seen: Sequence[Found]) -> Refusal | None:
    target = f"array {name}"
    level, least = entry["level"], geometry.LEAST[entry["level"]]
    if len(data) < least:
        return Refusal(target, f"{level} needs {least} devices, and {len(data)} are there", "name more disks")
    if len(seen) > 1:
        which = " and ".join(superblock.spelled(one.uuid) for one in seen)
        return Refusal(target, f"its devices carry different arrays ({which})", "name other devices, or clear them")
    largest, smallest = max(device.size for device in data), min(device.size for device in data)
    if not seen and (largest - smallest) * 100 > largest:
        return Refusal(
            target,
            f"its devices differ by more than 1% ({human(smallest)} to {human(largest)})",
            "use disks or partitions of one size",
        )
    return None


def _hindrances(wanted: Wanted, have: State, observation: Observation) -> Iterator[Refusal]:
    """Why an array that is there is not the one that the document means."""
    target, array = wanted.device.title, wanted.running
    if wanted.device.size <= 0:
        yield Refusal(target, "its devices are too small to hold anything beside its superblock", "use larger ones")
    if array is None:
        if have.block.get((observation.ask(NODES) or {}).get(wanted.name, "")):
            yield Refusal(target, f"another array runs as {wanted.node}", "choose another name")
        return
    if not array.active:
        yield Refusal(
            target,
            f"it has {len(array.members)} of its devices and does not run",
            "bring the others back, or start it without them by 'mdadm --run', when that is meant",
        )
        return
    if array.level != wanted.level:
        yield Refusal(target, f"it is {array.level} and not {wanted.level}", "write the level as it is; it stays")
    if array.devices > len(wanted.devices):
        yield Refusal(
            target,
            f"it has {array.devices} devices and the document names {len(wanted.devices)}",
            "name them all; an array is not made narrower",
        )
    mine = {one.kname for one in map(have.block.at, (device.path for device in wanted.members)) if one}
    mine |= {one.kname for one in replacing.leaving(wanted.members, array, have.block).values()}
    foreign = [one.kname for one in array.members if one.kname not in mine and not one.faulty]
    if foreign:
        names = ", ".join(_name(kname, have.block) for kname in foreign)
        yield Refusal(
            target, f"its {names} is not in the document", "name it among devices or spares, or take it out with mdadm"
        )


def _change(wanted: Wanted, array: Array, have: State, observation: Observation) -> Iterator[Action | Refusal | Note]:
    yield from _notes(wanted, array, have)
    new = [device for device in wanted.members if not is_member(device, array, have.block)]
    for device in new:
        # What carries this array left it: mdadm brings it up to date, and it holds nothing else.
        if device.there and not (wanted.have and is_carrier(device, wanted.have, have.block)):
            yield from unless_blank(observation, device, f"array {wanted.name}")
    if len(wanted.devices) > array.devices:
        if array.work:
            yield Note(wanted.device.title, f"{array.work}; it is widened by a run after that")
        else:
            yield actions.grow_devices(wanted, array, new)
        return
    yield from replacing.planned(wanted, array, have.block)
    taking_over = replacing.leaving(new, array, have.block)
    new = [device for device in new if device not in taking_over]
    if new:
        yield actions.add(wanted, new)
    if wanted.late:
        yield Note(wanted.device.title, f"{wanted.late}; it is grown by a run after that")
    elif wanted.used > wanted.now_used:
        yield actions.grow_size(wanted, array.size)


def _notes(wanted: Wanted, array: Array, have: State) -> Iterator[Note]:
    failed = [_name(one.kname, have.block) for one in array.members if one.faulty]
    if failed:
        yield Note(wanted.device.title, f"{', '.join(failed)} failed; put another disk in its place")
    if array.is_degraded or array.work:
        state = f"{array.working} of {array.devices} devices are in step"
        yield Note(wanted.device.title, f"{state}{'; ' + array.work if array.work else ''}")


def _name(kname: str, block: BlockDevices) -> str:
    """What people call a member: the serial number of its disk, or its stable link."""
    device = block.get(kname)
    if device is None:
        return "device that is gone"
    return device.serial or (device.by_id[0] if device.by_id else device.path)
