# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filesystems that mkfs would refuse, and mounts that would hide something or each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .layout import Layout
from .normal_form import filesystem_of, mount_of
from .problems import Path, Problem, path_text
from .sizes import MIB, SizeError, parse_size

_LABEL = {"ext4": 16, "xfs": 12, "vfat": 11}
_SMALLEST = {"xfs": 300 * MIB}
_PLACEHOLDER = re.compile(r"\{([^}]*)\}")
# Mounting over these hides them; below the first ones nothing of ours belongs at all.
_WITH_ALL_BELOW = ("/boot", "/dev", "/etc", "/proc", "/run", "/sys", "/usr", "/bin", "/sbin", "/lib", "/lib64")
_BARESTORE = "/var/lib/barestore"
_ALONE = ("/", "/var", "/var/lib", "/var/lib/dpkg", "/var/lib/rpm", "/root")


@dataclass(frozen=True)
class Filesystem:
    """One filesystem of the document; ``type_path`` and ``label_path`` are where these were written."""

    path: Path
    type: str
    label: str
    type_path: Path
    label_path: Path
    mount: object
    device: str
    size: str | None


@dataclass(frozen=True)
class _Mount:
    place: str
    path: Path
    pool: str | None


def filesystems(layout: Layout) -> Iterator[Filesystem]:
    """Every filesystem, wherever it was written."""
    for group, table in layout.tables.items():
        for index, entry in enumerate(table):
            if "filesystem" in entry:
                where = ("partitions", group, index)
                yield _beside(where, entry, f"{group}.{entry['name']}")
    for group, entries in layout.volume_groups.items():
        for name, entry in entries.get("volumes", {}).items():
            if "filesystem" in entry:
                yield _beside(("lvm", group, "volumes", name), entry, f"{group}/{name}")
    for name, entry in layout.document.get("filesystems", {}).items():
        here: Path = ("filesystems", name)
        label, mount = entry.get("label", ""), entry.get("mount")
        there = layout.partition(entry["device"]) or layout.volume(entry["device"]) or {}
        size = there.get("size")
        yield Filesystem(here, entry["type"], label, (*here, "type"), (*here, "label"), mount, entry["device"], size)


def _beside(where: Path, entry: Mapping[str, Any], device: str) -> Filesystem:
    made = filesystem_of(entry["filesystem"])
    here = (*where, "filesystem")
    long = isinstance(entry["filesystem"], Mapping)
    type_path, label_path = ((*here, "type"), (*here, "label")) if long else (here, here)
    label = made.get("label", "")
    return Filesystem(where, made["type"], label, type_path, label_path, entry.get("mount"), device, entry["size"])


def check_filesystems(layout: Layout) -> Iterator[Problem]:
    """Problems of filesystems and of everything that is mounted."""
    mounts: list[_Mount] = []
    for filesystem in filesystems(layout):
        yield from _made(filesystem)
        if filesystem.mount is None:
            continue
        mount = mount_of(filesystem.mount)
        path = (*filesystem.path, "mount", *(("path",) if isinstance(filesystem.mount, Mapping) else ()))
        mounts.append(_Mount(mount["path"], path, None))
        yield from _placeholder(layout, filesystem, mount["path"], path)
        if filesystem.type == "vfat":
            for key in ("owner", "group", "mode"):
                if key in mount:
                    hint = "write options: [uid=1000, gid=1000, umask=022] instead"
                    yield Problem((*path[:-1], key), f"vfat keeps no {key}", hint)
    for name, pool in layout.pools.items():
        for path, dataset in _datasets(name, pool):
            place = str(dataset.get("mount", ""))
            if place.startswith("/"):
                mounts.append(_Mount(place, (*path, "mount"), name))
    for each in mounts:
        yield from _system(each)
    yield from _each_other(mounts)


def _made(filesystem: Filesystem) -> Iterator[Problem]:
    kind, label = filesystem.type, filesystem.label
    if len(label) > _LABEL[kind]:
        message = f"the label '{label}' has {len(label)} characters, and {kind} takes {_LABEL[kind]}"
        yield Problem(filesystem.label_path, message, "shorten it")
    if filesystem.size is None or kind not in _SMALLEST:
        return
    try:
        size = parse_size(filesystem.size).bytes
    except SizeError:
        return  # said elsewhere
    if size is not None and size < _SMALLEST[kind]:
        message = f"'{filesystem.size}' is too small for {kind}, which needs 300 MiB"
        yield Problem(filesystem.type_path, message, "write ext4, or make the device larger")


def _placeholder(layout: Layout, filesystem: Filesystem, place: str, path: Path) -> Iterator[Problem]:
    words = _PLACEHOLDER.findall(place)
    odd = next((word for word in words if word != "serial"), None)
    if odd is not None or place.count("{") != len(words) or place.count("}") != len(words):
        shown = f"'{{{odd}}}' stands for nothing" if odd is not None else "the braces do not close"
        yield Problem(path, shown, "the one word that a mount can have is {serial}")
        return
    below = layout.below(filesystem.device)
    if "/" in below or below in layout.arrays:
        if words:
            message = f"{'an array' if below in layout.arrays else 'a logical volume'} has no serial number"
            yield Problem(path, message, "write a path without {serial}")
    elif not words and layout.may_be_many(filesystem.device):
        group = below.partition(".")[0]
        if group not in layout.groups:
            return  # said elsewhere
        message = f"each disk of group '{group}' would be mounted at '{place}'"
        yield Problem(path, message, f"write {{serial}} in the path, such as '{place.rstrip('/')}/{{serial}}'")


def _datasets(name: str, pool: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    yield ("zfs", name, "filesystem_properties"), pool.get("filesystem_properties", {})
    for dataset, properties in pool.get("datasets", {}).items():
        yield ("zfs", name, "datasets", dataset), properties


def _system(mount: _Mount) -> Iterator[Problem]:
    place = mount.place.rstrip("/") or "/"
    above = next((each for each in _WITH_ALL_BELOW if place == each or place.startswith(each + "/")), None)
    if above is not None:
        message = f"'{mount.place}' lies in '{above}', which belongs to the system"
        yield Problem(mount.path, message, "mount it elsewhere, such as below /srv")
    elif place in _ALONE:
        message = f"a mount at '{mount.place}' would hide files of the system"
        yield Problem(mount.path, message, "mount it elsewhere, such as below /srv")
    elif place == _BARESTORE or place.startswith(_BARESTORE + "/"):
        message = f"'{mount.place}' lies in '{_BARESTORE}', where barestore keeps its journal"
        yield Problem(mount.path, message, "mount it elsewhere, such as below /srv")


def _each_other(mounts: list[_Mount]) -> Iterator[Problem]:
    first: dict[str, _Mount] = {}
    for mount in mounts:
        other = first.setdefault(mount.place, mount)
        if other is not mount:
            message = f"'{mount.place}' is the mount point of {path_text(other.path)} too"
            yield Problem(mount.path, message, "give each a path of its own")
    for mount in first.values():
        parts = mount.place.split("/")
        above = [first["/".join(parts[:end])] for end in range(2, len(parts)) if "/".join(parts[:end]) in first]
        foreign = next((other for other in above if other.pool != mount.pool), None)
        if foreign is not None:
            message = f"'{mount.place}' lies below '{foreign.place}' of {path_text(foreign.path)}, which others mount"
            hint = "choose a path outside; which of the two is mounted first is not fixed"
            yield Problem(mount.path, message, hint)
