# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on each disk before and after a plan, drawn from the plan itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from ansible_collections.barestore.storage.plugins.module_utils.host.sizes import human
from barestore.words import USES, short_slot

Json = Mapping[str, Any]

_CONTENTS = {"LVM2_member": "LVM", "zfs_member": "ZFS", "crypto_LUKS": "LUKS", "linux_raid_member": "md"}
_ROLES = ("data", "log", "cache", "special", "dedup", "spare")


@dataclass
class Part:
    """A partition, or with number 0 the whole disk."""

    number: int
    name: str
    size: int
    carries: str
    new: bool = False


@dataclass
class Drawing:
    """One disk: ``now`` and ``then`` are what lies on it."""

    disk: Json
    now: list[Part] = field(default_factory=list)
    then: list[Part] = field(default_factory=list)


def drawings(disks: Sequence[Json], actions: Sequence[Json]) -> list[Drawing]:
    """The disks that a plan changes, in bus-path order."""
    found = {str(disk["id"]): Drawing(disk, now(disk), now(disk)) for disk in disks}
    mounts = {
        a["after"]["uuid"]: a["target"] for a in actions if a["kind"] == "mount" and (a["after"] or {}).get("uuid")
    }
    for action in actions:
        after = action.get("after") or {}
        draw = _DRAW.get(str(action["kind"]))
        if draw is not None:
            draw(action, after, found, mounts)
    return [one for one in found.values() if any(part.new for part in one.then)]


def table(drawn: Sequence[Drawing]) -> Table:
    """Serial, slot, size, and both sides; equal neighbours share a row."""
    out = Table.grid(padding=(0, 2, 0, 0))
    for _column in range(3):
        out.add_column(no_wrap=True)
    out.add_column(overflow="fold")
    for alike in _alike(drawn):
        first = alike[0].disk
        serials = [str(one.disk["serial"] or one.disk["id"]) for one in alike]
        name = serials[0] if len(alike) == 1 else f"{serials[0]} … {serials[-1]} ({len(alike)})"
        slot = short_slot(str(first["slot"])) if len(alike) == 1 else ""
        picture = Text.assemble(_side(alike[0].now), ("  →  ", "dim"), _side(alike[0].then))
        out.add_row(Text(name, "bold"), Text(slot, "dim"), Text(human(int(first["size"])), "dim"), picture)
    return out


def _alike(drawn: Sequence[Drawing]) -> Iterator[list[Drawing]]:
    group: list[Drawing] = []
    for one in drawn:
        if group and (one.disk["size"], one.now, one.then) != (group[0].disk["size"], group[0].now, group[0].then):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _side(parts: Sequence[Part]) -> Text:
    text = Text()
    for part in parts:
        if text:
            text.append(" │ ", "dim")
        size = human(part.size) if part.number else ""
        text.append(" ".join(each for each in (part.name, size, part.carries) if each), "green" if part.new else "")
    return text or Text("nothing", "dim")


def now(disk: Json) -> list[Part]:
    """What lies on a disk as the facts have it."""
    held = [
        Part(int(part["number"]), str(part["name"]), int(part["size"]), _content(part))
        for part in disk.get("holds", ())
    ]
    # ZFS makes two partitions of its own on a disk that it gets whole.
    if held and held[0].name.startswith("zfs-"):
        return [Part(0, "", int(disk["size"]), held[0].carries)]
    if held or not disk.get("content"):
        return held
    return [Part(0, "", int(disk["size"]), _content(disk))]


def _content(one: Json) -> str:
    content = str(one.get("content") or "")
    return " ".join(each for each in (_CONTENTS.get(content, content), str(one.get("label") or "")) if each)


def _put(drawing: Drawing | None, place: str | int, carries: str) -> None:
    """Say what a part carries; place is its name, its number, or empty for the whole disk."""
    if drawing is None:
        return
    if place in ("", 0):
        drawing.then = [Part(0, "", int(drawing.disk["size"]), carries, new=True)]
    for part in drawing.then:
        if place and place in (part.name, part.number):
            part.carries, part.new = carries, True


def _partition_table(action: Json, after: Json, found: Mapping[str, Drawing], mounts: Json) -> None:
    drawing = found.get(action["disks"][0]) if action["disks"] else None
    if drawing is None:
        return
    old = {part.name: part for part in drawing.now}
    drawing.then = [
        Part(one["number"], one["name"], one["size"], _kept(old.get(one["name"]), one), _is_new(old, one))
        for one in after.get("partitions", ())
    ]


def _kept(old: Part | None, one: Json) -> str:
    return old.carries if old else USES.get(one["type"], "")


def _is_new(old: Mapping[str, Part], one: Json) -> bool:
    return one["name"] not in old or old[one["name"]].size != one["size"]


def _referred(action: Json, found: Mapping[str, Drawing], carries: str) -> None:
    """Of a target such as ``log.fast@SERIAL`` or ``osd@SERIAL``; volumes lie on no disk of their own."""
    reference, at, _disk = str(action["target"]).partition("@")
    if at and len(action["disks"]) == 1:
        _put(found.get(action["disks"][0]), reference.partition(".")[2], carries)


def _physical_volume(action: Json, after: Json, found: Mapping[str, Drawing], mounts: Json) -> None:
    if action["verb"] == "create":
        _referred(action, found, f"LVM {after.get('group', '')}".rstrip())


def _filesystem(action: Json, after: Json, found: Mapping[str, Drawing], mounts: Json) -> None:
    if action["verb"] == "create":
        words = (str(after.get("type", "")), str(mounts.get(str(after.get("uuid")), "")))
        _referred(action, found, " ".join(each for each in words if each))


def _swap(action: Json, after: Json, found: Mapping[str, Drawing], mounts: Json) -> None:
    _referred(action, found, "swap")


def _local_volume(action: Json, after: Json, found: Mapping[str, Drawing], mounts: Json) -> None:
    name = str(action["target"]).partition("/")[0]
    for drawing, number in _devices(str(after.get("device", "")), found):
        _put(drawing, number, f"local volume {name}")


def _pool(action: Json, after: Json, found: Mapping[str, Drawing], mounts: Json) -> None:
    for role in _ROLES:
        for vdev in after.get(role, ()):
            for drawing, number in _devices(str(vdev), found):
                _put(drawing, number, f"ZFS {action['target']}{'' if role == 'data' else f' {role}'}")


def _devices(text: str, found: Mapping[str, Drawing]) -> Iterator[tuple[Drawing, int]]:
    """The disks or partitions that a text names by their links."""
    for word in re.split(r"[\s,()]+", text):
        name, part, number = word.removeprefix("/dev/disk/by-id/").rpartition("-part")
        if part and number.isdigit() and name in found:
            yield found[name], int(number)
        elif word.removeprefix("/dev/disk/by-id/") in found:
            yield found[word.removeprefix("/dev/disk/by-id/")], 0


_DRAW = {
    "partition_table": _partition_table,
    "physical_volume": _physical_volume,
    "filesystem": _filesystem,
    "swap": _swap,
    "local_volume": _local_volume,
    "zfs_pool": _pool,
}
