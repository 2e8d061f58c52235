# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Arrays and encrypted devices that the tools would refuse, or that would protect nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .checks_zfs import kind_of, vdevs
from .layout import Layout, size_problem
from .md.geometry import LEAST
from .normal_form import VDEV_CLASSES
from .problems import Path, Problem
from .sizes import SizeError, parse_bytes

KIB = 1024
_LEAST_ITERATIONS = {"argon2id": 4, "argon2i": 4, "pbkdf2": 1000}


def check_layers(layout: Layout) -> Iterator[Problem]:
    """Problems of ``md`` and ``luks``, and of what lies on them."""
    for section, names in (("md", layout.arrays), ("luks", layout.encrypted)):
        for name in names:
            yield from _name(layout, section, name)
    for name, array in layout.arrays.items():
        yield from _array(layout, array, ("md", name))
    for name, entry in layout.encrypted.items():
        yield from _encrypted(layout, entry, ("luks", name))
    yield from _pools(layout)


def _name(layout: Layout, section: str, name: str) -> Iterator[Problem]:
    if name in layout.groups:
        yield Problem((section, name), f"a disk group is named '{name}' too", "rename one of them", at_key=True)
    elif section == "luks" and name in layout.arrays:
        yield Problem((section, name), f"an array is named '{name}' too", "rename one of them", at_key=True)
    elif section == "luks" and name == "control":
        yield Problem((section, name), "/dev/mapper/control belongs to the device mapper", "rename it", at_key=True)


def _array(layout: Layout, array: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    level = array["level"]
    for key in ("devices", "spares"):
        for index, reference in enumerate(array.get(key, ())):
            if layout.is_layer(reference):
                what = "an array" if reference in layout.arrays else "an encrypted device"
                hint = "name disks or partitions; encrypt the array and not what it lies on"
                yield Problem((*here, key, index), f"'{reference}' is {what} itself", hint)
    total = layout.total(array["devices"])
    if total is not None and total < LEAST[level]:
        message = f"{level} needs {LEAST[level]} devices, and these are {total}"
        yield Problem((*here, "devices"), message, "name more disks, or raise the count of their group")
    if "chunk_size" not in array:
        return
    if level == "raid1":
        yield Problem((*here, "chunk_size"), "raid1 has no chunks: each device holds all", "remove it")
        return
    try:
        size = parse_bytes(array["chunk_size"])
    except SizeError as error:
        yield size_problem((*here, "chunk_size"), error)
        return
    if size & (size - 1) or not 4 * KIB <= size <= 64 * KIB * KIB:
        hint = "write '512 KiB', the usual one, or another power of two from '4 KiB' to '64 MiB'"
        yield Problem((*here, "chunk_size"), f"'{array['chunk_size']}' is no chunk size of an array", hint)


def _encrypted(layout: Layout, entry: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    if entry["device"] in layout.encrypted:
        hint = "encrypt once; name what this one lies on"
        yield Problem((*here, "device"), f"'{entry['device']}' is encrypted already", hint)
    unlock = entry.get("unlock", "key_file")
    if unlock != "key_file" and unlock not in entry:
        hint = "add what it shall be bound to, or write unlock: key_file"
        yield Problem((*here, "unlock"), f"nothing is written for {unlock}", hint)
    yield from _sector_size(entry, here)
    yield from _pbkdf(entry.get("pbkdf", {}), (*here, "pbkdf"))


def _sector_size(entry: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    if "sector_size" not in entry:
        return
    try:
        size = parse_bytes(entry["sector_size"])
    except SizeError as error:
        yield size_problem((*here, "sector_size"), error)
        return
    if size not in (512, 4096):
        message = f"'{entry['sector_size']}' is no sector size of an encrypted device"
        yield Problem((*here, "sector_size"), message, "write '512 B' or '4 KiB'")


def _pbkdf(pbkdf: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    kind = pbkdf.get("type", "argon2id")
    if "iterations" in pbkdf and pbkdf["iterations"] < _LEAST_ITERATIONS[kind]:
        message = f"{pbkdf['iterations']} iterations are too few for {kind}"
        yield Problem((*here, "iterations"), message, f"write {_LEAST_ITERATIONS[kind]} or more")
    if "memory" not in pbkdf:
        return
    if kind == "pbkdf2":
        yield Problem((*here, "memory"), "pbkdf2 takes no memory", "remove it, or write type: argon2id")
        return
    try:
        size = parse_bytes(pbkdf["memory"])
    except SizeError as error:
        yield size_problem((*here, "memory"), error)
        return
    if not 32 * KIB <= size <= 4 * KIB**3:
        message = f"'{pbkdf['memory']}' is no memory for {kind}"
        yield Problem((*here, "memory"), message, "write '32 KiB' to '4 GiB', such as '256 MiB'")


def _pools(layout: Layout) -> Iterator[Problem]:
    """ZFS mends only what it has twice itself: on an array it finds damage and cannot heal it."""
    for name, pool in layout.pools.items():
        for part in VDEV_CLASSES:
            for path, vdev in vdevs(pool, part, ("zfs", name)):
                kind = kind_of(vdev)
                for index, reference in enumerate(vdev[kind]):
                    below = layout.below(reference)
                    if below in layout.arrays:
                        hint = "give the pool the disks or partitions themselves, as mirror or raidz"
                        message = f"'{reference}' lies on an array, on which ZFS can heal nothing"
                        yield Problem((*path, kind, index), message, hint)
