# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pools whose vdevs cannot be made from their disks, or would lose the pool with one disk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .checks_datasets import check_datasets
from .layout import Layout
from .normal_form import VDEV_KINDS
from .problems import Path, Problem

_RESERVED = re.compile(r"^(mirror|raidz|draid|spare|log$|c[0-9])")
_PARITY = {f"{kind}{number}": number for kind in ("raidz", "draid") for number in (1, 2, 3)}


def check_zfs(layout: Layout) -> Iterator[Problem]:
    """Problems of ``zfs``."""
    for name, pool in layout.pools.items():
        here: Path = ("zfs", name)
        if _RESERVED.match(name):
            yield Problem(here, f"ZFS keeps the name '{name}' for itself", "rename the pool")
        for part in ("data", "special", "dedup", "log"):
            for path, vdev in vdevs(pool, part, here):
                yield from _vdev(layout, vdev, path, part)
        yield from _replication(layout, pool, here)
        yield from _spares(layout, pool, here)
        yield from check_datasets(name, pool, here)


def vdevs(pool: Mapping[str, Any], part: str, here: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The vdevs of one part of a pool, each with its path as it was written."""
    value = pool.get(part)
    if isinstance(value, Mapping):
        yield (*here, part), value
    elif value is not None:
        for index, each in enumerate(value):
            yield (*here, part, index), each


def kind_of(vdev: Mapping[str, Any]) -> str:
    """The one key of a vdev that says what it is."""
    return next(kind for kind in VDEV_KINDS if kind in vdev)


def _vdev(layout: Layout, vdev: Mapping[str, Any], path: Path, part: str) -> Iterator[Problem]:
    kind = kind_of(vdev)
    where = (*path, kind)
    if part == "log" and kind not in ("stripe", "mirror"):
        yield Problem(where, f"a log cannot be {kind}", "write mirror, or stripe for a single device")
        return
    for key in ("data", "spares"):
        if key in vdev and not kind.startswith("draid"):
            hint = f"remove {key}" + (", or name the disks below spare of the pool" if key == "spares" else "")
            yield Problem((*path, key), f"{key} is for dRAID, and this is {kind}", hint)
    if kind == "stripe":
        if "width" in vdev:
            hint = "remove width, or write mirror or raidz2 instead of stripe"
            yield Problem((*path, "width"), "a stripe has no width, each disk stands alone", hint)
        return
    total = layout.total(vdev[kind])
    width = vdev.get("width", total)
    if width is None:
        loose = [each for each in vdev[kind] if layout.count(each) is None][0]
        group = loose.partition(".")[0]
        if group in layout.groups:  # an unknown group is said elsewhere
            message = f"disk group '{group}' has no fixed count, and all its disks would make one {kind}"
            yield Problem(where, message, f"add width, such as width: {_fewest(kind) + 1}, or a count to the group")
        return
    at = (*path, "width") if "width" in vdev else where
    if "width" in vdev and total is not None and total % width:
        message = f"width {width} does not divide the {total} disks"
        yield Problem(at, message, f"write {_divisors(total, kind)}")
        return
    if width < _fewest(kind):
        disks = f"{width} disk" + "s" * (width != 1)
        message = f"a {kind} needs {_fewest(kind)} disks or more, and this has {disks}"
        yield Problem(at, message, _smaller(kind))
    elif kind.startswith("draid"):
        yield from _draid(vdev, kind, width, path)


def _fewest(kind: str) -> int:
    return 2 if kind == "mirror" else _PARITY[kind] + 1


def _smaller(kind: str) -> str:
    if kind == "mirror":
        return "add a disk, or write stripe to have no redundancy"
    return "add disks, or write " + ("mirror" if kind[-1] == "1" else f"{kind[:-1]}{int(kind[-1]) - 1} or mirror")


def _divisors(total: int, kind: str) -> str:
    fitting = [str(each) for each in range(_fewest(kind), total + 1) if total % each == 0][:6]
    return f"width: {' or '.join(fitting)}, or another count of disks" if fitting else "another count of disks"


def _draid(vdev: Mapping[str, Any], kind: str, width: int, path: Path) -> Iterator[Problem]:
    parity, spares = _PARITY[kind], vdev.get("spares", 0)
    most = width - parity - spares
    if most < 1:
        message = f"{parity} for parity and {spares} spares leave no data disk of {width}"
        key = "spares" if "spares" in vdev else kind
        yield Problem((*path, key), message, "write fewer spares, or give the vdev more disks")
    elif vdev.get("data", 1) > most:
        message = f"{vdev['data']} data disks, {parity} for parity and {spares} spares are more than the {width} disks"
        yield Problem((*path, "data"), message, f"write data: {most} or less, or give the vdev more disks")


def _redundancy(layout: Layout, vdev: Mapping[str, Any]) -> int:
    """How many disks of a vdev may fail; as far as is known."""
    kind = kind_of(vdev)
    if kind == "mirror":
        width = vdev.get("width", layout.total(vdev[kind]))
        return 1 if width is None else max(0, width - 1)
    return _PARITY.get(kind, 0)


def _replication(layout: Layout, pool: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    data = list(vdevs(pool, "data", here))
    first = kind_of(data[0][1])
    first_width = data[0][1].get("width", layout.total(data[0][1][first]))
    for path, vdev in data[1:]:
        kind = kind_of(vdev)
        width = vdev.get("width", layout.total(vdev[kind]))
        if kind != first:
            message = f"the data of this pool is {first}, and this is {kind}"
            yield Problem((*path, kind), message, f"write {first} here; ZFS refuses to mix them, as the weakest counts")
        elif kind != "stripe" and None not in (width, first_width) and width != first_width:
            message = f"this {kind} has {width} disks, and the first of the pool has {first_width}"
            yield Problem(path, message, "give all vdevs the same number of disks, by width")
    if all(_redundancy(layout, vdev) > 0 for _path, vdev in data):
        for part in ("special", "dedup"):
            for path, vdev in vdevs(pool, part, here):
                if kind_of(vdev) == "stripe":
                    message = f"the data survives the loss of a disk, but not of this {part} device"
                    hint = "write mirror with two disks; the whole pool is lost with it"
                    yield Problem((*path, "stripe"), message, hint)


def _spares(layout: Layout, pool: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    needed = 0
    for _path, vdev in vdevs(pool, "data", here):
        for reference in vdev[kind_of(vdev)]:
            if "." not in reference:
                needed = max(needed, layout.disk_range(reference).low)
    for path, vdev in vdevs(pool, "spare", here):
        for index, reference in enumerate(vdev["disks"]):
            most = layout.most_bytes(reference)
            if most is not None and most < needed:
                message = f"'{reference}' is smaller than the disks that it shall replace"
                yield Problem((*path, "disks", index), message, "name disks at least as large as those of the data")
