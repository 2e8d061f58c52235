# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Disk groups that cannot be told apart or filled, and partition tables that cannot be made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from .layout import Layout, size_problem
from .normal_form import entries
from .problems import Path, Problem, did_you_mean
from .sizes import MIB, Size, SizeError, human, parse_range, parse_size

_KERNEL_NAME = re.compile(r"^(/dev/)?(sd[a-z*?]+|vd[a-z*?]+|xvd[a-z*?]+|hd[a-z*?]+|nvme[0-9*?]+n[0-9*?]+)$")
_GLOB = re.compile(r"[*?\[]")


def check_disks(layout: Layout) -> Iterator[Problem]:
    """Problems of ``disks``."""
    named: dict[tuple[str, str], str] = {}
    matches: dict[str, str] = {}
    for name, group in layout.groups.items():
        here: Path = ("disks", name)
        yield from _number(group, here)
        yield from _match(group, here)
        yield from _leaving(group, here)
        for key in ("serial", "wwn"):
            for index, text in enumerate(entries(group["match"].get(key))):
                if _GLOB.search(text):
                    continue
                other = named.setdefault((key, text.lower()), name)
                if other != name:
                    where = (
                        *here,
                        "match",
                        key,
                        *((index,) if isinstance(group["match"][key], list) else ()),
                    )
                    message = f"the disk with {key} '{text}' is in disk group '{other}' too"
                    yield Problem(where, message, "a disk is in one group at most; take it out of one of them")
        alike = repr(sorted((key, entries(value)) for key, value in group["match"].items()))
        other = matches.setdefault(alike, name)
        if other != name:
            hint = "a disk is in one group at most; add what tells them apart, such as size or slot"
            yield Problem((*here, "match"), f"this matches exactly what disk group '{other}' matches", hint)


def _number(group: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    if "count" in group and "take" in group:
        hint = "keep count to demand exactly so many, or take to choose some of more"
        yield Problem((*here, "take"), "count and take exclude each other", hint)
    if "count" not in group and "take" not in group:
        hint = "add count: 2 for exactly two, count: all, or take: 2 for two of more"
        yield Problem(here, "the number of disks is missing", hint)
    number = group.get("take", group.get("count"))
    for key in ("serial", "wwn"):
        texts = entries(group["match"].get(key))
        literal = texts and not any(_GLOB.search(text) for text in texts)
        if literal and isinstance(number, int) and number > len(texts):
            which = "take" if "take" in group else "count"
            message = f"{number} disks cannot come from {len(texts)} {key} number{'s' * (len(texts) != 1)}"
            message = message.replace("wwn number", "WWN").replace("serial number", "serial number")
            yield Problem((*here, which), message, f"write {which}: {len(texts)}, or name more disks")


def _leaving(group: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    places: dict[str, str] = {}
    for old, new in group.get("replace", {}).items():
        where = (*here, "replace", old)
        if new in places:
            message = f"'{new}' takes the place of '{places[new]}' already"
            yield Problem(where, message, "name another disk: one takes one place")
        places.setdefault(new, old)
        if old in group.get("retire", ()):
            hint = "remove it from retire when another disk takes its place"
            yield Problem(where, f"'{old}' is retired as well", hint)
        if new in group.get("retire", ()):
            yield Problem(where, f"'{new}' is retired and takes a place", "name another disk, or remove it from retire")


def _match(group: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    match = group["match"]
    if "size" in match:
        try:
            parse_range(match["size"])
        except SizeError as error:
            problem = size_problem((*here, "match", "size"), error)
            turned = "starts above" in problem.message
            hint = "write the smaller size first, such as '4 TB..8 TB'" if turned else problem.hint
            yield Problem(problem.path, problem.message, hint)
    if match.get("rotational") is True and entries(match.get("transport")) == ["nvme"]:
        hint = "remove one of rotational and transport"
        yield Problem((*here, "match", "rotational"), "no NVMe disk rotates, so this matches nothing", hint)
    for index, text in enumerate(entries(match.get("path"))):
        where = (*here, "match", "path", *((index,) if isinstance(match["path"], list) else ()))
        if _KERNEL_NAME.match(text):
            hint = "write the name of a link in /dev/disk/by-id or /dev/disk/by-path, or match the serial number"
            yield Problem(where, f"'{text}' is a name of the kernel, which changes from boot to boot", hint)
        elif "/" in re.sub("^/dev/disk/by-(path|id)/", "", text):
            hint = "write the name of a link in /dev/disk/by-id or /dev/disk/by-path"
            yield Problem(where, f"'{text}' is no link by which disks are known", hint)


def check_partitions(layout: Layout) -> Iterator[Problem]:
    """Problems of ``partitions``."""
    for group, table in layout.tables.items():
        here: Path = ("partitions", group)
        if group not in layout.groups:
            yield Problem(here, f"'{group}' is no disk group", did_you_mean(group, layout.groups))
        yield from _table(layout, group, table, here)


def _table(layout: Layout, group: str, table: Sequence[Mapping[str, Any]], here: Path) -> Iterator[Problem]:
    names: dict[str, int] = {}
    fixed, shares = 0, Fraction(0)
    for index, partition in enumerate(table):
        name, where = partition["name"], (*here, index)
        if name in names:
            message = f"partition {names[name] + 1} of this table has the name '{name}' already"
            yield Problem((*where, "name"), message, "give each partition of a disk a name of its own")
        names.setdefault(name, index)
        yield from _use(partition, where)
        try:
            size = parse_size(partition["size"])
        except SizeError as error:
            yield size_problem((*where, "size"), error)
            continue
        yield from _one_size(size, index == len(table) - 1, partition["size"], (*where, "size"))
        fixed, shares = fixed + (size.bytes or 0), shares + (size.share or 0)
        if shares > 1 and size.share:
            message = f"the shares of this table are {int(shares * 100)}% of the disk by now"
            yield Problem((*where, "size"), message, "let the shares of one disk be 100% at most")
        if shares == 1 and size.rest:
            hint = "write smaller shares, or remove this partition"
            yield Problem((*where, "size"), "the shares above are 100% of the disk and leave no rest", hint)
    most = layout.disk_range(group).high
    if most is not None and fixed + int(most * min(shares, Fraction(1))) > most and shares <= 1:
        message = f"the partitions ask for {human(fixed)}" + (f" and {int(shares * 100)}%" if shares else "")
        hint = f"the disks of group '{group}' have {human(most)} at most"
        yield Problem(here, message + ", more than a disk of this group has", hint)


def _one_size(size: Size, last: bool, text: str, where: Path) -> Iterator[Problem]:
    if size.rest and not last:
        hint = "move it to the end of the table, or write a size"
        yield Problem(where, "only the last partition can have the rest", hint)
    if size.bytes is not None and size.bytes < MIB:
        yield Problem(where, f"'{text}' is less than 1 MiB, the unit of partitions", "write '1 MiB' or more")


def _use(partition: Mapping[str, Any], where: Path) -> Iterator[Problem]:
    use = partition["use"]
    if use not in ("filesystem", "esp"):
        for key in ("filesystem", "mount"):
            if key in partition:
                hint = f"write use: filesystem, or remove {key}"
                yield Problem((*where, key), f"a partition with use: {use} has no {key} of its own", hint)
        return
    kind = partition.get("filesystem")
    kind = kind.get("type") if isinstance(kind, Mapping) else kind
    if use == "esp" and kind not in (None, "vfat"):
        yield Problem((*where, "filesystem"), f"an EFI system partition cannot be {kind}", "write vfat")
    if "mount" in partition and kind is None:
        yield Problem((*where, "mount"), "there is no filesystem to mount", "add filesystem: xfs, ext4 or vfat")
