# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every reference leads somewhere, fits what the device is for, and no device has two owners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .checks_zfs import kind_of, vdevs
from .layout import Layout
from .normal_form import VDEV_CLASSES
from .problems import Path, Problem


@dataclass(frozen=True)
class Claim:
    """Somebody takes a device: ``uses`` are the uses that a partition may have for it."""

    reference: str
    path: Path
    owner: str
    uses: tuple[str, ...]


def claims(layout: Layout) -> Iterator[Claim]:
    """Every claim of the document, those first that are written beside the device itself."""
    document = layout.document
    for group, table in layout.tables.items():
        for index, partition in enumerate(table):
            if "filesystem" in partition and partition["use"] in ("filesystem", "esp"):
                where: Path = ("partitions", group, index, "filesystem")
                name = partition["name"]
                yield Claim(f"{group}.{name}", where, f"the filesystem of partition '{name}'", ("filesystem", "esp"))
    for group, entry in layout.volume_groups.items():
        for name, volume in entry.get("volumes", {}).items():
            for key in ("filesystem", "swap"):
                if key in volume:
                    where = ("lvm", group, "volumes", name, key)
                    yield Claim(f"{group}/{name}", where, f"the {key} of volume '{name}'", ())
                    break
    for name, entry in layout.arrays.items():
        for key in ("devices", "spares"):
            for index, reference in enumerate(entry.get(key, ())):
                yield Claim(reference, ("md", name, key, index), f"array '{name}'", ("raid",))
    for name, entry in layout.encrypted.items():
        yield Claim(entry["device"], ("luks", name, "device"), f"encrypted device '{name}'", ("luks",))
    for group, entry in layout.volume_groups.items():
        for index, reference in enumerate(entry["physical_volumes"]):
            where = ("lvm", group, "physical_volumes", index)
            yield Claim(reference, where, f"volume group '{group}'", ("lvm",))
    for name, pool in layout.pools.items():
        for part in VDEV_CLASSES:
            for path, vdev in vdevs(pool, part, ("zfs", name)):
                kind = kind_of(vdev)
                for index, reference in enumerate(vdev[kind]):
                    yield Claim(reference, (*path, kind, index), f"the {part} of pool '{name}'", ("zfs",))
    for name, entry in document.get("filesystems", {}).items():
        where = ("filesystems", name, "device")
        yield Claim(entry["device"], where, f"filesystem '{name}'", ("filesystem", "esp"))
    for name, entry in document.get("swap", {}).items():
        yield Claim(entry["device"], ("swap", name, "device"), f"swap '{name}'", ("swap",))
    for name, entry in document.get("local_volumes", {}).items():
        where = ("local_volumes", name, "source") if "source" in entry else ("local_volumes", name)
        yield Claim(entry.get("source", name), where, f"local volume '{name}'", ("local",))


def check_owners(layout: Layout) -> Iterator[Problem]:
    """References that lead nowhere, devices for something else, and devices with two owners."""
    owners: dict[str, Claim] = {}
    for claim in claims(layout):
        unknown = layout.unknown(claim.reference, claim.path)
        if unknown is not None:
            yield _of_local_volume(claim, unknown)
            continue
        partition = layout.partition(claim.reference) if claim.uses else None
        if partition is not None and partition["use"] not in claim.uses:
            message = f"'{claim.reference}' has use: {partition['use']}, and {claim.owner} needs use: {claim.uses[0]}"
            yield Problem(claim.path, message, "change the use of the partition, or name another")
            continue
        other = owners.setdefault(claim.reference, claim)
        if other.owner == claim.owner and other is not claim:
            yield Problem(claim.path, f"'{claim.reference}' is listed twice", "remove one of them")
        elif other is not claim:
            message = f"'{claim.reference}' belongs to {other.owner} already"
            yield Problem(claim.path, message, "a device has one owner; name another one, or remove one of the two")
    yield from _without_filesystem(layout, owners)


def _of_local_volume(claim: Claim, unknown: Problem) -> Problem:
    """A local volume without source takes its own name for one, which is worth saying."""
    if claim.path[0] == "local_volumes" and len(claim.path) == 2:
        message = f"without source, this means disk group '{claim.reference}', and {unknown.message}"
        return Problem(claim.path, message, f"add source; {unknown.hint}")
    return unknown


def _without_filesystem(layout: Layout, owners: dict[str, Claim]) -> Iterator[Problem]:
    for group, table in layout.tables.items():
        for index, partition in enumerate(table):
            reference = f"{group}.{partition['name']}"
            if partition["use"] == "filesystem" and "mount" not in partition and reference not in owners:
                hint = f"add filesystem: xfs here, or an entry below filesystems with device: {reference}"
                message = f"'{reference}' is for a filesystem, and none is written"
                yield Problem(("partitions", group, index, "use"), message, hint)
