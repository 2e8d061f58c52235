# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volume groups that LVM would refuse or that cannot hold what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from .checks_lvm_volumes import check_volume
from .layout import Layout, size_problem
from .problems import Path, Problem
from .sizes import MIB, SizeError, human, parse_bytes, parse_size

KIB = 1024
# Names that /dev has for other things; vgcreate refuses a name that exists there.
_TAKEN = frozenset(
    [
        "block",
        "bsg",
        "bus",
        "char",
        "console",
        "cpu",
        "disk",
        "dm",
        "dri",
        "fd",
        "full",
        "fuse",
        "hugepages",
        "hvc",
        "input",
        "kmsg",
        "log",
        "loop",
        "mapper",
        "mem",
        "mqueue",
        "net",
        "null",
        "nvme",
        "port",
        "ptmx",
        "pts",
        "random",
        "rtc",
        "shm",
        "snd",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "vfio",
        "vhost",
        "zero",
        "zfs",
        "zvol",
    ]
)
_RESERVED_STARTS = ("snapshot", "pvmove")
_RESERVED_PARTS = [
    "_cdata",
    "_cmeta",
    "_corig",
    "_cpool",
    "_cvol",
    "_wcorig",
    "_iorig",
    "_imeta",
    "_mimage",
    "_mlog",
    "_pmspare",
    "_rimage",
    "_rmeta",
    "_tdata",
    "_tmeta",
    "_vdata",
    "_vorigin",
]


def check_lvm(layout: Layout) -> Iterator[Problem]:
    """Problems of ``lvm``."""
    for name, group in layout.volume_groups.items():
        here: Path = ("lvm", name)
        if name in (".", ".."):
            yield Problem(here, f"'{name}' cannot be the name of a volume group", "rename it")
        elif name in _TAKEN:
            hint = f"rename it, such as '{name}_vg'"
            yield Problem(here, f"/dev/{name} belongs to the system, and LVM would put the volumes there", hint)
        yield from _extent_size(group, here)
        yield from _names(name, group, here)
        for pool_name, pool in group.get("thin_pools", {}).items():
            yield from _thin_pool(pool, (*here, "thin_pools", pool_name))
        for volume_name, volume in group.get("volumes", {}).items():
            yield from check_volume(layout, group, volume, (*here, "volumes", volume_name))
        yield from _sums(layout, name, group, here)


def _extent_size(group: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    if "extent_size" not in group:
        return
    try:
        size = parse_bytes(group["extent_size"])
    except SizeError as error:
        yield size_problem((*here, "extent_size"), error)
        return
    if size < 128 * KIB or size & (size - 1):
        hint = "write '4 MiB', the usual one, or another power of two of at least '128 KiB'"
        yield Problem((*here, "extent_size"), f"'{group['extent_size']}' is no extent size of LVM", hint)


def _names(group_name: str, group: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    for section in ("thin_pools", "volumes"):
        for name in group.get(section, {}):
            where = (*here, section, name)
            part = next((each for each in _RESERVED_PARTS if each in name), None)
            start = next((each for each in _RESERVED_STARTS if name.startswith(each)), None)
            if name in (".", ".."):
                yield Problem(where, f"'{name}' cannot be the name of a volume", "rename it")
            elif part or start:
                what = f"with '{part}' in it" if part else f"that start with '{start}'"
                yield Problem(where, f"LVM keeps names {what} for itself", "rename it")
            length = len(group_name.replace("-", "--")) + len(name.replace("-", "--")) + 1
            if length > 118:  # 127 for the device mapper, less what LVM appends, such as _rimage_0
                message = f"the names of the group and of '{name}' are too long together for the device mapper"
                yield Problem(where, message, f"shorten them by {length - 118} characters (a hyphen counts twice)")
    for name in group.get("volumes", {}):
        if name in group.get("thin_pools", {}):
            message = f"a thin pool of volume group '{group_name}' is named '{name}' too"
            yield Problem((*here, "volumes", name), message, "rename one of them")


def _thin_pool(pool: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    try:
        size = parse_size(pool["size"])
        if size.bytes is not None and size.bytes < 4 * MIB:
            yield Problem((*here, "size"), f"'{pool['size']}' is too small for a thin pool", "write '4 MiB' or more")
    except SizeError as error:
        yield size_problem((*here, "size"), error)
    try:
        chunk = parse_bytes(pool.get("chunk_size", "64 KiB"))
        if chunk % (64 * KIB) or not 64 * KIB <= chunk <= KIB * MIB:
            message = f"'{pool['chunk_size']}' is no chunk size of a thin pool"
            yield Problem((*here, "chunk_size"), message, "write a multiple of '64 KiB', up to '1 GiB'")
    except SizeError as error:
        yield size_problem((*here, "chunk_size"), error)
    metadata = pool.get("metadata_size", "auto")
    if metadata == "auto":
        return
    try:
        if not 2 * MIB <= parse_bytes(metadata) <= 16 * KIB * MIB:
            message = f"'{metadata}' is no metadata size of a thin pool"
            yield Problem((*here, "metadata_size"), message, "write auto, or '2 MiB' to '16 GiB'")
    except SizeError as error:
        yield size_problem((*here, "metadata_size"), error)


def _sums(layout: Layout, name: str, group: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    """What the pools and thick volumes ask for together, against the whole and against the largest disks."""
    fixed, shares, rest = 0, Fraction(0), ""
    most = layout.most_bytes_of_all(group["physical_volumes"])
    for path, entry in _thick(group, here):
        where = (*path, "size")
        try:
            size = parse_size(entry["size"])
        except SizeError:
            continue  # said already
        if size.rest and rest:
            yield Problem(where, f"'{rest}' has the rest of this volume group already", "write a size or a share")
        rest = str(path[-1]) if size.rest else rest
        if size.bytes is not None and most is not None and size.bytes > most:
            hint = f"write less, or give the group more or larger disks; '{name}' has {human(most)} at most"
            yield Problem(where, f"'{entry['size']}' is more than the volume group can have", hint)
            continue
        fixed, shares = fixed + (size.bytes or 0), shares + (size.share or 0)
        if shares > 1 and size.share:
            message = f"the shares of volume group '{name}' are {int(shares * 100)}% by now"
            yield Problem(where, message, "let the shares of one volume group be 100% at most")
    if rest and shares == 1:
        hint = "write smaller shares, or a size instead of rest"
        yield Problem(here, f"the shares are 100% and leave no rest for '{rest}'", hint)
    elif most is not None and fixed and shares <= 1 and fixed + int(most * shares) > most:
        asked = human(fixed) + (f" and {int(shares * 100)}%" if shares else "")
        hint = f"its disks have {human(most)} at most; write less, or give it more or larger disks"
        yield Problem(here, f"thin pools and volumes ask for {asked}, more than the volume group can have", hint)


def _thick(group: Mapping[str, Any], here: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for name, pool in group.get("thin_pools", {}).items():
        yield (*here, "thin_pools", name), pool
    for name, volume in group.get("volumes", {}).items():
        if "thin_pool" not in volume and volume.get("type") != "thin":
            yield (*here, "volumes", name), volume
