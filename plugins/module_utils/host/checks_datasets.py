# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Datasets and volumes of a pool: their names, and properties that ZFS would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .layout import size_problem
from .normal_form import property_bytes
from .problems import Path, Problem, near_name
from .sizes import MIB, SizeError, human, parse_bytes
from .zfs_properties import DATASET, ONLY_VOLUME, OTHER_WORDS, POOL, READ_ONLY

_OWN_WORDS = {"pool": (), "dataset": ("mount",), "volume": ("size", "sparse")}
_OFF = ("off", False, None)


def check_datasets(pool_name: str, pool: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    """Problems of the datasets, volumes and properties of one pool."""
    yield from _properties(pool.get("properties", {}), (*here, "properties"), "pool")
    root = pool.get("filesystem_properties", {})
    datasets, volumes = pool.get("datasets", {}), pool.get("volumes", {})
    yield from _properties(root, (*here, "filesystem_properties"), "dataset")
    for name, dataset in datasets.items():
        yield from _properties(dataset, (*here, "datasets", name), "dataset")
    for name, volume in volumes.items():
        yield from _properties(volume, (*here, "volumes", name), "volume")
        yield from _volume(volume, (*here, "volumes", name))
    yield from _names(pool_name, datasets, volumes, here)
    yield from _encryption(root, datasets, volumes, here)


def _names(pool: str, datasets: Mapping[str, Any], volumes: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    for section, names in (("datasets", datasets), ("volumes", volumes)):
        for name in names:
            where = (*here, section, name)
            parents = ["/".join(name.split("/")[:end]) for end in range(1, name.count("/") + 1)]
            above = next((parent for parent in parents if parent in volumes), None)
            if name in volumes and section == "datasets":
                message = f"'{name}' is both a dataset and a volume of this pool"
                yield Problem(where, message, "rename one of them")
            if above is not None:
                message = f"'{above}' is a volume, and nothing can lie below a volume"
                yield Problem(where, message, "rename one of them")
            if any(part in (".", "..") for part in name.split("/")):
                yield Problem(where, f"'{name}' has '.' or '..' as a part", "write plain names with '/' between them")
            if name == pool or name.startswith(pool + "/"):
                rest = name[len(pool) + 1 :]
                hint = f"write '{rest}'" if rest else "write its properties below filesystem_properties"
                yield Problem(where, f"'{name}' starts with the name of the pool, which is put before it anyway", hint)
            if len(pool) + 1 + len(name) > 255:
                message = f"the name has {len(pool) + 1 + len(name)} characters with the pool's, and ZFS takes 255"
                yield Problem(where, message, "shorten it")


def _properties(properties: Mapping[str, Any], here: Path, of: str) -> Iterator[Problem]:
    for name, value in properties.items():
        where = (*here, name)
        if name in _OWN_WORDS[of]:
            continue
        problem = _misplaced(name, where, of)
        if problem is not None:
            yield problem
            continue
        try:
            yield from _value(name, value, where, of)
        except SizeError as error:
            yield size_problem(where, error)


def _misplaced(name: str, where: Path, of: str) -> Problem | None:
    """A property that does not exist, cannot be set, or belongs elsewhere."""
    if name == "mount" and of == "volume":
        return Problem(where, "a volume is a block device and is not mounted", "remove mount, or write a dataset")
    if name in _OWN_WORDS["volume"] and of == "dataset":
        return Problem(where, f"'{name}' is for volumes", "write quota, or move this entry below volumes")
    if name in READ_ONLY and not (of == "pool" and name in POOL):
        return Problem(where, f"'{name}' is reported by ZFS and cannot be set", "remove it")
    if name in OTHER_WORDS and of != "pool" and (name != "volsize" or of == "volume"):
        return Problem(where, f"'{name}' has a word of its own here", f"write {OTHER_WORDS[name]}")
    if of == "pool":
        if name in POOL or "@" in name:
            return None
        if name in DATASET or name in ONLY_VOLUME or name == "mount":
            message = f"'{name}' is a property of datasets, not of the pool"
            return Problem(where, message, "write it below filesystem_properties or a dataset")
        return _misspelt(name, POOL, where, "pool")
    if ":" in name or "@" in name or name in DATASET:
        return _not_of_volumes(name, where) if of == "volume" else None
    if name in POOL:
        return Problem(where, f"'{name}' is a property of the pool, not of a {of}", "write it below properties")
    if name in ONLY_VOLUME:
        return None if of == "volume" else Problem(where, f"'{name}' is a property of volumes", "remove it")
    return _misspelt(name, DATASET | ONLY_VOLUME, where, of)


def _not_of_volumes(name: str, where: Path) -> Problem | None:
    if name == "recordsize":
        return Problem(where, "a volume has no recordsize", "write volblocksize")
    files = {"atime", "relatime", "quota", "refquota", "canmount", "acltype", "xattr", "exec", "setuid", "devices"}
    if name in files:
        return Problem(where, f"'{name}' is for datasets that hold files, and this is a volume", "remove it")
    return None


def _misspelt(name: str, known: frozenset[str], where: Path, of: str) -> Problem | None:
    """Near a known name it is a mistake; else it may be a property of a newer ZFS."""
    near = near_name(name, known, 0.75)
    if near is None:
        return None
    return Problem(where, f"ZFS knows no property '{name}' of a {of}", f"did you mean '{near}'?")


def _value(name: str, value: object, where: Path, of: str) -> Iterator[Problem]:
    if name in ("recordsize", "volblocksize"):
        size, most = property_bytes(value), 16 * MIB if name == "recordsize" else MIB // 8
        if size & (size - 1) or not 512 <= size <= most:
            top = "16 MiB" if name == "recordsize" else "128 KiB"
            message = f"'{value}' is no {name}"
            yield Problem(where, message, f"write a power of two from '512 B' to '{top}', such as '16 KiB'")
    elif name == "special_small_blocks":
        size = property_bytes(value) if value != "none" else -1
        if size and (size & (size - 1) or not 512 <= size <= 16 * MIB):
            message = f"'{value}' is no size of small blocks"
            yield Problem(where, message, "write 0, or a power of two, such as '32 KiB'")

    elif name in ("quota", "refquota", "reservation", "refreservation") and value not in ("none", "auto"):
        size = property_bytes(value)
        if 0 < size < MIB:
            yield Problem(
                where, f"'{value}' means {human(size)}", f"write a number and a unit, such as '{value} GiB', or none"
            )


def _volume(volume: Mapping[str, Any], here: Path) -> Iterator[Problem]:
    try:
        size = parse_bytes(volume["size"])
        block = property_bytes(volume.get("volblocksize", "16 KiB"))
    except SizeError as error:
        yield size_problem((*here, "size"), error)
        return
    if not size:
        yield Problem((*here, "size"), "a volume needs a size", "write more than nothing")
    elif block and size % block:
        shown = volume.get("volblocksize", "16 KiB")
        up, unit = -(-size // block) * block, "the default" if "volblocksize" not in volume else "its volblocksize"
        message = f"'{volume['size']}' is no multiple of {shown}, {unit}"
        yield Problem((*here, "size"), message, f"write '{up} B', or a size in MiB or GiB")


def _encryption(
    root: Mapping[str, Any], datasets: Mapping[str, Any], volumes: Mapping[str, Any], here: Path
) -> Iterator[Problem]:
    inside = {(*here, "datasets", name): (name, entry) for name, entry in datasets.items()}
    inside.update({(*here, "volumes", name): (name, entry) for name, entry in volumes.items()})
    yield from _key(root, False, (*here, "filesystem_properties"))
    for where, (name, entry) in inside.items():
        parents = ["/".join(name.split("/")[:end]) for end in range(1, name.count("/") + 1)]
        above = any(_encrypted(datasets.get(parent, {})) for parent in parents) or _encrypted(root)
        yield from _key(entry, above, where)


def _encrypted(entry: Mapping[str, Any]) -> bool:
    return entry.get("encryption") not in _OFF


def _key(entry: Mapping[str, Any], inherited: bool, where: Path) -> Iterator[Problem]:
    if "keylocation" in entry and "keyformat" not in entry:
        yield Problem(
            (*where, "keylocation"), "a key location needs a key format", "add keyformat: raw, hex or passphrase"
        )
    elif "keyformat" in entry and "keylocation" not in entry:
        hint = "add keylocation: file:///etc/zfs/keys/tank.key; nobody is there to type a key"
        yield Problem((*where, "keyformat"), "a key format needs the file of the key", hint)
    elif "keyformat" in entry and not _encrypted(entry) and not inherited:
        yield Problem((*where, "keyformat"), "there is a key, but no encryption", "add encryption: aes-256-gcm")
    elif _encrypted(entry) and "keyformat" not in entry and not inherited:
        hint = "add keyformat: raw and keylocation: file:///etc/zfs/keys/tank.key"
        yield Problem((*where, "encryption"), "encryption needs a key", hint)
