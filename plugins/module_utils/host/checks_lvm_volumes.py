# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One logical volume: how it lies on the disks, and what lies on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .layout import Layout, size_problem
from .problems import Path, Problem, did_you_mean
from .sizes import SizeError, parse_bytes, parse_size

_STRIPED = {"striped": 2, "raid5": 2, "raid6": 3, "raid10": 2}  # the fewest stripes, which is also what is taken
_MIRRORED = ("raid1", "raid10")


def check_volume(layout: Layout, group: Mapping[str, Any], volume: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    """Problems of one volume of one volume group."""
    thin = "thin_pool" in volume or volume.get("type") == "thin"
    yield from _size(volume, here, thin)
    if thin:
        yield from _thin(group, volume, here)
    else:
        yield from _striping(layout, group, volume, here)
        yield from _members(layout, group, volume, here)
    yield from _contents(volume, here)


def _size(volume: Mapping[str, Any], here: Path, thin: bool) -> Iterator[Problem]:
    where = (*here, "size")
    try:
        size = parse_size(volume["size"])
    except SizeError as error:
        yield size_problem(where, error)
        return
    if size.bytes == 0:
        yield Problem(where, f"'{volume['size']}' is no size for a volume", "write more than nothing")
    if thin and size.bytes is None:
        hint = "write the virtual size with a unit, such as '100 GiB'"
        yield Problem(where, f"a thin volume cannot have the size '{volume['size']}'", hint)


def _thin(group: Mapping[str, Any], volume: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    kind = volume.get("type", "thin")
    if kind != "thin":
        hint = f"remove type, or remove thin_pool for a {kind} volume"
        yield Problem((*here, "type"), f"a volume in a thin pool cannot be {kind}", hint)
    pools = group.get("thin_pools", {})
    if "thin_pool" not in volume:
        hint = "add thin_pool" + (f": {min(pools)}" if pools else ", and the pool below thin_pools")
        yield Problem((*here, "type"), "a thin volume needs a thin pool", hint)
    elif volume["thin_pool"] in group.get("volumes", {}) and volume["thin_pool"] not in pools:
        message = f"'{volume['thin_pool']}' is a volume and no thin pool"
        yield Problem((*here, "thin_pool"), message, did_you_mean(volume["thin_pool"], pools))
    elif volume["thin_pool"] not in pools:
        message = f"'{volume['thin_pool']}' is no thin pool of this volume group"
        yield Problem((*here, "thin_pool"), message, did_you_mean(volume["thin_pool"], pools))
    for key in ("stripes", "stripe_size", "mirrors", "physical_volumes", "cache"):
        if key in volume:
            hint = f"remove {key}; where the data lies is the matter of the pool"
            yield Problem((*here, key), f"a thin volume cannot have {key}", hint)


def _striping(layout: Layout, group: Mapping[str, Any], volume: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    kind = volume.get("type", "linear")
    for key in ("stripes", "stripe_size"):
        if key in volume and kind not in _STRIPED:
            hint = f"remove {key}, or write type: striped, raid5, raid6 or raid10"
            yield Problem((*here, key), f"a {kind} volume has no stripes", hint)
    if "mirrors" in volume and kind not in _MIRRORED:
        hint = "remove mirrors, or write type: raid1 or raid10"
        yield Problem((*here, "mirrors"), f"a {kind} volume has no mirrors", hint)
    if "stripe_size" in volume and kind in _STRIPED:
        yield from _stripe_size(group, volume, here)
    stripes = volume.get("stripes", _STRIPED.get(kind, 1)) if kind in _STRIPED else 1
    if stripes < _STRIPED.get(kind, 1):
        message = f"{kind} needs {_STRIPED[kind]} stripes or more"
        yield Problem((*here, "stripes"), message, f"write stripes: {_STRIPED[kind]}")
        return
    copies = 1 + volume.get("mirrors", 1) if kind in _MIRRORED else 1
    needed = stripes * copies + {"raid5": 1, "raid6": 2}.get(kind, 0)
    there = layout.total(volume.get("physical_volumes", group["physical_volumes"]))
    if there is not None and needed > there:
        key = next((each for each in ("stripes", "mirrors", "type") if each in volume), "type")
        message = (
            f"this {kind} volume needs {needed} physical volumes, and there {'is' if there == 1 else 'are'} {there}"
        )
        yield Problem((*here, key), message, "write another type or fewer stripes or mirrors, or add disks")


def _stripe_size(group: Mapping[str, Any], volume: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    where = (*here, "stripe_size")
    try:
        size = parse_bytes(volume["stripe_size"])
        extent = parse_bytes(group.get("extent_size", "4 MiB"))
    except SizeError as error:
        yield size_problem(where, error)
        return
    if size < 4096 or size & (size - 1) or size > extent:
        hint = "write a power of two of at least '4 KiB', and not above the extent size"
        yield Problem(where, f"'{volume['stripe_size']}' is no stripe size of LVM", hint)


def _members(layout: Layout, group: Mapping[str, Any], volume: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    lists = [((*here, "physical_volumes"), volume.get("physical_volumes", ()))]
    if "cache" in volume:
        cache = volume["cache"]
        lists.append(((*here, "cache", "physical_volumes"), cache["physical_volumes"]))
        try:
            if parse_size(cache["size"]).bytes == 0:
                yield Problem((*here, "cache", "size"), "a cache needs a size", "write more than nothing")
        except SizeError as error:
            yield size_problem((*here, "cache", "size"), error)
    members = group["physical_volumes"]
    certain = not any(layout.unknown(each, ()) for each in members)  # else the group's own list is the mistake
    for path, references in lists:
        for index, reference in enumerate(references):
            where = (*path, index)
            if certain and reference not in members:
                message = f"'{reference}' is no physical volume of this volume group"
                yield Problem(where, message, did_you_mean(reference, members))
            if reference in references[:index]:
                yield Problem(where, f"'{reference}' is listed twice", "remove one of them")
    own = volume.get("physical_volumes", members)
    cached = volume.get("cache", {}).get("physical_volumes", ())
    if cached and set(own) <= set(cached):
        hint = "write physical_volumes for the volume and for its cache, with different disks"
        yield Problem((*here, "cache", "physical_volumes"), "the cache lies on the same disks as the volume", hint)


def _contents(volume: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    if "swap" in volume:
        for key in ("filesystem", "mount"):
            if key in volume:
                hint = f"remove {key}, or remove swap"
                yield Problem((*here, key), f"a volume that is swap has no {key}", hint)
    elif "mount" in volume and "filesystem" not in volume:
        hint = "add filesystem: xfs, ext4 or vfat"
        yield Problem((*here, "mount"), "there is no filesystem to mount", hint)
