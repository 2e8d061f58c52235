# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filesystems and volumes of pools as a document wants them, and where they are mounted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Refusal
from ..carriers import carriers
from ..observation import Observation, StatPath
from ..sizes import parse_bytes
from .properties import INHERIT, PropertyError, canonical

UNMOUNTED = ("none", "legacy")
_NOT_PROPERTIES = ("mount", "size", "sparse")
_DEFAULT_BLOCK = 16384  # of OpenZFS 2.2 and later; 8192 before, which divides it


@dataclass(frozen=True)
class Dataset:
    """A filesystem, or a volume when ``size`` (bytes) is given; canonical properties without ``volsize``.

    ``sparse`` is None where the document says nothing; ``written`` is False of a parent that no line names.
    """

    name: str
    properties: Mapping[str, str]
    size: int = 0
    sparse: bool | None = None
    written: bool = True

    @property
    def pool(self) -> str:
        return self.name.split("/")[0]

    @property
    def parent(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def is_volume(self) -> bool:
        return self.size > 0

    @property
    def target(self) -> str:
        return f"dataset {self.name}"

    @property
    def key_file(self) -> str:
        """The path of the file with its key, or empty."""
        location = self.properties.get("keylocation", "")
        return location[len("file://") :] if location.startswith("file://") else ""

    def options(self) -> tuple[tuple[str, str], ...]:
        """The properties to give at creation, by name."""
        return tuple(sorted((key, value) for key, value in self.properties.items() if value != INHERIT))

    def mountpoint_when_new(self, inherited: str) -> str:
        """Where it is mounted when it is created and would inherit ``inherited``; empty when it is not mounted."""
        if self.is_volume or self.properties.get("canmount", "on") != "on":
            return ""
        path = self.properties.get("mountpoint", inherited)
        path = inherited if path == INHERIT else path
        return "" if path in UNMOUNTED else path

    def volsize(self, block: int = _DEFAULT_BLOCK) -> int:
        """Bytes of the volume: ZFS rounds up to its blocks."""
        block = int(self.properties.get("volblocksize", block))
        return -(-self.size // block) * block


def root(pool: str, document: Mapping[str, Any]) -> Dataset:
    """The dataset that has the name of its pool.

    :raises PropertyError: a value means nothing to ZFS.
    """
    return Dataset(pool, _properties(document.get("filesystem_properties", {})))


def wanted(pool: str, document: Mapping[str, Any]) -> Iterator[Dataset]:
    """The root, parents that no line names, filesystems and volumes: parents first.

    :raises PropertyError: a value means nothing to ZFS, or a name stands for a filesystem and a volume.
    """
    found = {pool: root(pool, document)}
    for name, entry in document.get("datasets", {}).items():
        found[f"{pool}/{name}"] = Dataset(f"{pool}/{name}", _properties(entry))
    for name, entry in document.get("volumes", {}).items():
        if f"{pool}/{name}" in found:
            raise PropertyError(f"'{name}' is named as a dataset and as a volume")
        found[f"{pool}/{name}"] = Dataset(
            f"{pool}/{name}", _properties(entry), parse_bytes(entry["size"]), entry.get("sparse")
        )
    for name in list(found):
        parts = name.split("/")
        for end in range(1, len(parts)):
            parent = "/".join(parts[:end])
            if found.setdefault(parent, Dataset(parent, {}, written=False)).is_volume:
                raise PropertyError(f"'{name}' lies below the volume '{parent}'")
    yield from sorted(found.values(), key=lambda one: one.name.split("/"))


def documents(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The lines of a pool of the document that hold properties of datasets."""
    yield document.get("filesystem_properties", {})
    yield from document.get("datasets", {}).values()
    yield from document.get("volumes", {}).values()


def property_names(document: Mapping[str, Any]) -> frozenset[str]:
    """The names of ZFS's properties in a pool of the document."""
    names = {key for entry in documents(document) for key in entry if key not in _NOT_PROPERTIES}
    return frozenset(names)


def referenced(document: Mapping[str, Any]) -> frozenset[str]:
    """The references on which the document builds file systems, swap, volume groups and local volumes."""
    names = {carrier.ref for carrier in carriers(document)}
    for group in document.get("lvm", {}).values():
        names.update(group.get("physical_volumes", ()))
    for name, entry in document.get("local_volumes", {}).items():
        names.add(entry.get("source", name))
    return frozenset(names)


def hindrances(
    dataset: Dataset, mountpoint: str, mounted: Mapping[str, str], observation: Observation
) -> Iterator[Refusal]:
    """Why a dataset can be neither made nor mounted: its key file, or what is at its mountpoint.

    ``mounted`` is the source of each mount by its path; ``mountpoint`` is empty where nothing will be mounted.
    """
    if dataset.key_file and observation.ask(StatPath(dataset.key_file)) is None:
        yield Refusal(dataset.target, f"its key file {dataset.key_file} is not on this host", "put it there first")
    if not mountpoint:
        return
    holder = mounted.get(mountpoint, dataset.name)
    found = observation.ask(StatPath(mountpoint))
    if holder != dataset.name:
        why, hint = f"{holder} is mounted on {mountpoint} already", "unmount it, or choose another path"
    elif found and found["type"] != "directory":
        why, hint = f"its mount {mountpoint} is a {found['type']} and no folder", "choose another path"
    elif found and not found["empty"]:
        why = f"its mount {mountpoint} is not an empty folder, and a mount would hide what is in it"
        hint = "move its files away first, or choose another path"
    else:
        return
    yield Refusal(dataset.target, why, hint)


def mounts_above(path: str) -> frozenset[str]:
    """What must be mounted before a path: everything that is mounted on a folder above it."""
    parts = path.strip("/").split("/") if path else []
    return frozenset(f"mount:/{'/'.join(parts[:end])}" for end in range(1, len(parts)))


def provides(dataset: Dataset, mountpoint: str) -> frozenset[str]:
    """What others may need of a dataset that is made or changed."""
    names = {f"zfs:{dataset.name}"}
    if dataset.is_volume:
        names.add(f"zvol:{dataset.name}")
    if mountpoint:
        names.add(f"mount:{mountpoint}")
    return frozenset(names)


def _properties(entry: Mapping[str, Any]) -> dict[str, str]:
    out = {key: canonical(key, value) for key, value in entry.items() if key not in _NOT_PROPERTIES}
    if "mount" in entry:
        if "mountpoint" in entry:
            raise PropertyError("mount and mountpoint are given, and they are one thing")
        out["mountpoint"] = str(entry["mount"])
    return out
