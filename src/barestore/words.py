# SPDX-License-Identifier: GPL-3.0-or-later
"""An action in a person's words: a sign, what it is, where, and before and after in few words.

Kinds that nobody told this page about are shown by their own names: a new kind needs nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.host.kinds.partition_table import TYPES
from ansible_collections.barestore.storage.plugins.module_utils.host.sizes import human

Json = Mapping[str, Any]

CREATES, CHANGES, GROWS, DESTROYS = "+", "~", "↑", "!"

_CREATING = frozenset(("create", "add", "format", "open", "assemble", "mount", "use", "import", "extend", "link"))
_GROWING = frozenset(("grow", "widen", "resize", "expand"))
_KINDS = {
    "disk": "disks",
    "md": "array",
    "luks": "encryption",
    "luks_volume": "encryption",
    "filesystem": "file system",
    "zfs_pool": "ZFS pool",
    "zfs_dataset": "dataset",
}
USES = {number: use for use, number in reversed(TYPES.items())}
_SILENT = frozenset(("uuid", "link", "device", "hostid", "extents"))
_FIRST = ("size", "data", "log", "cache", "special", "dedup", "spare", "type")
_NEW_SILENT = _SILENT | {"new"}
# ZFS says sizes as plain numbers.
_SIZES = frozenset(("recordsize", "volsize", "volblocksize", "quota", "refquota", "reservation", "refreservation"))


@dataclass(frozen=True)
class Line:
    """One action: ``target`` and ``detail`` speak of disks by serial."""

    sign: str
    what: str
    target: str
    where: str
    detail: str
    commands: tuple[str, ...]
    lost: tuple[str, ...]


class Disks:
    """The disks of one host by identity, to say serials where a plan says links."""

    def __init__(self, disks: Iterable[Json]) -> None:
        self._known = {str(disk["id"]): disk for disk in disks}
        names = sorted(self._known, key=len, reverse=True)
        self._pattern = re.compile("|".join(rf"(?:/dev/disk/by-id/)?{re.escape(name)}" for name in names) or r"(?!)")

    def serial(self, name: str) -> str:
        """What people call a disk; its link where nobody knows the disk."""
        disk = self._known.get(name, {})
        return str(disk.get("serial") or name)

    def say(self, text: str) -> str:
        """The text with serials in the place of links."""
        return self._pattern.sub(lambda found: self.serial(found[0].removeprefix("/dev/disk/by-id/")), text)

    def where(self, names: Sequence[str], most: int = 3) -> str:
        """``HDD0001 in 00:0c.0-scsi-0:0:0:0`` of one disk, serials of several."""
        if len(names) == 1:
            slot = short_slot(str(self._known.get(names[0], {}).get("slot") or ""))
            return f"{self.serial(names[0])} in {slot}" if slot else self.serial(names[0])
        serials = sorted(map(self.serial, names))
        more = f" and {len(serials) - most} more" if len(serials) > most else ""
        return ", ".join(serials[:most]) + more


def short_slot(slot: str) -> str:
    """A by-path name without what all of them share."""
    return slot.removeprefix("pci-0000:").removeprefix("pci-")


def line(action: Json, disks: Disks) -> Line:
    """One action in words."""
    kind, verb = str(action["kind"]), str(action["verb"])
    words = _KINDS.get(kind, kind.replace("_", " "))
    lost = tuple(f"{each['what']} on disk {disks.serial(str(each['disk']))}" for each in action.get("destroys", ()))
    detail = _DETAILS.get(kind, generic)(action.get("before") or {}, action.get("after") or {})
    return Line(
        DESTROYS if lost else _sign(verb),
        words if verb == "create" or verb in words.split() else f"{verb.replace('_', ' ')} {words}",
        disks.say(str(action["target"])),
        disks.where(action.get("disks", ())),
        disks.say(detail),
        tuple(map(command, action.get("commands", ()))),
        lost,
    )


def command(step: Json) -> str:
    """A step as it would be typed; what files it writes, where it is no command."""
    if "argv" in step:
        return " ".join(_quoted(str(word)) for word in step["argv"])
    if "edit" in step:
        return f"edit {step['edit']}: {step['after'] if step.get('after') is not None else 'remove ' + step['before']}"
    if "write" in step:
        return f"write {step['write']}"
    return f"link {step.get('link', '')} -> {step.get('target', '')}"


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w@%+=:,./~^-]+", word) else "'" + word.replace("'", "'\\''") + "'"


def _sign(verb: str) -> str:
    if verb in _CREATING:
        return CREATES
    return GROWS if verb in _GROWING else CHANGES


def _partition_table(before: Json, after: Json) -> str:
    old = {part["name"]: part for part in before.get("partitions", ())}
    said = []
    for part in after.get("partitions", ()):
        name, size = part["name"], human(part["size"])
        was = old.get(name)
        if was is None:
            said.append(f"{'+ ' if old else ''}{name} {size} {USES.get(part['type'], '')}".rstrip())
        elif was["size"] != part["size"]:
            said.append(f"{name} {human(was['size'])} → {size}")
    return ", ".join(said)


def _filesystem(before: Json, after: Json) -> str:
    if before:
        return generic(before, after)
    label = f"label {after['label']}" if after.get("label") else ""
    return ", ".join(str(each) for each in (after.get("type"), after.get("size"), label) if each)


def _mount(before: Json, after: Json) -> str:
    options = after.get("options")
    shown = {key: value for key, value in after.items() if key not in ("type", "options")}
    words = [str(after.get("type", "")), "" if options == "defaults,nofail" else str(options or "")]
    return ", ".join(each for each in (*words, generic(before, shown)) if each)


def _local_volume(before: Json, after: Json) -> str:
    return f"storage class {after['storage_class']}, {after['mode']}" if "storage_class" in after else ""


def _pins(before: Json, after: Json) -> str:
    new = {name: serials for name, serials in after.items() if before.get(name) != serials}
    return ", ".join(f"{name} {len(serials)}" for name, serials in new.items())


_DETAILS: Mapping[str, Callable[[Json, Json], str]] = {
    "partition_table": _partition_table,
    "filesystem": _filesystem,
    "mount": _mount,
    "swap": _mount,
    "local_volume": _local_volume,
    "disk": _pins,
}


def generic(before: Json, after: Json) -> str:
    """What differs of both sides, whatever the kind."""
    said = []
    silent = _SILENT if before else _NEW_SILENT
    for key in sorted({*before, *after} - silent, key=_place):
        old, new = before.get(key), after.get(key)
        if key not in after or (key in before and old == new):
            continue
        name = key.replace("_", " ")
        if key in before:
            said.append(f"{name} {value(key, old)} → {value(key, new)}")
        elif value(key, new):
            said.append(f"{name} {value(key, new)}")
    return ", ".join(said)


def _place(key: str) -> tuple[int, str]:
    return (_FIRST.index(key) if key in _FIRST else len(_FIRST), key)


def value(key: str, found: Any) -> str:
    """A value in few words; sizes as people write them."""
    if isinstance(found, bool):
        return "yes" if found else "no"
    if found is None:
        return "nothing"
    if isinstance(found, int) and key.endswith("size"):
        return human(found)
    if key in _SIZES and isinstance(found, str) and found.isdigit() and found != "0":
        return human(int(found))
    if isinstance(found, Mapping):
        return " ".join(f"{name}={value(name, each)}" for name, each in found.items())
    if isinstance(found, (list, tuple)):
        return " ".join(value(key, each) for each in found)
    return str(found)
