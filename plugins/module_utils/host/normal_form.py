# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One way to write each thing: what people may shorten is written out, and ZFS properties are texts.

``plain_values`` keeps every path of the document; ``long_form`` is what planning reads. Both give a
document that the schema still accepts, and both leave one that is in that form as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .sizes import parse_bytes

SIZE_PROPERTIES = frozenset(
    {
        "quota",
        "recordsize",
        "refquota",
        "refreservation",
        "reservation",
        "special_small_blocks",
        "volblocksize",
        "volsize",
    }
)
VDEV_CLASSES = ("data", "log", "special", "dedup", "cache", "spare")
VDEV_KINDS = ("stripe", "mirror", "raidz1", "raidz2", "raidz3", "draid1", "draid2", "draid3", "disks")
# Keys of datasets and volumes that are ours and not properties of ZFS.
NO_PROPERTIES = frozenset({"mount", "size", "sparse"})
_ZFS_SIZE = re.compile(r"^(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<unit>[KMGTP]?)$")


def entries(value: object) -> list[Any]:
    """One thing, or a list of them, as a list; nothing is an empty list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def filesystem_of(value: object) -> dict[str, Any]:
    """``xfs`` or ``{type: xfs}`` as a mapping; empty where there is none."""
    if isinstance(value, Mapping):
        return dict(value)
    return {"type": value} if value else {}


def mount_of(value: object) -> dict[str, Any]:
    """``/srv`` or ``{path: /srv}`` as a mapping; empty where there is none."""
    if isinstance(value, Mapping):
        return dict(value)
    return {"path": value} if value else {}


def swap_of(value: object) -> dict[str, Any] | None:
    """``true`` or ``{priority: 1}`` as a mapping; None where there is none."""
    if isinstance(value, Mapping):
        return dict(value)
    return {} if value is True else None


def property_bytes(value: object) -> int:
    """Bytes of a ZFS size: ``131072``, ``128K`` (powers of 1024, as ZFS means it) or ``128 KiB``.

    :raises SizeError: it is no size.
    """
    if isinstance(value, int):
        return value
    short = _ZFS_SIZE.match(value) if isinstance(value, str) else None
    if short is None:
        return parse_bytes(value)
    unit = short["unit"] + "iB" if short["unit"] else "B"
    return parse_bytes(f"{short['number']} {unit}")


def _on_off(value: object) -> object:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def property_text(name: str, value: object) -> str:
    """A property's value as ZFS prints it in exact form: ``on``, ``131072``, ``zstd``."""
    value = _on_off(value)
    if name in SIZE_PROPERTIES and value not in ("none", "auto", "inherit"):
        return str(property_bytes(value))
    return str(value)


def plain_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with ``on`` and ``off`` where YAML made booleans of them. No path changes."""
    return {**document, **({"zfs": _each(document["zfs"], _plain_pool)} if "zfs" in document else {})}


def _plain_pool(pool: Mapping[str, Any]) -> dict[str, Any]:
    plain = dict(pool)
    for section in ("properties", "filesystem_properties"):
        if section in pool:
            plain[section] = _plain_properties(pool[section])
    for section in ("datasets", "volumes"):
        if section in pool:
            plain[section] = _each(pool[section], _plain_properties)
    return plain


def _plain_properties(properties: Any) -> Any:
    if not isinstance(properties, Mapping):
        return properties
    return {name: value if name in NO_PROPERTIES else _on_off(value) for name, value in properties.items()}


def _each(section: Any, change: Any) -> Any:
    """Change each mapping of a section; whatever else stands there is for the schema to refuse."""
    if not isinstance(section, Mapping):
        return section
    return {name: change(entry) if isinstance(entry, Mapping) else entry for name, entry in section.items()}


def long_form(document: Mapping[str, Any]) -> dict[str, Any]:
    """A valid document with every shorthand written out and every ZFS property as exact text, keys in order.

    The order of keys means nothing to a person, so that it means nothing to the plan and its digest.
    """
    long = plain_values(_in_order(document))
    if "disks" in long:
        long["disks"] = _each(long["disks"], _long_group)
    if "partitions" in long:
        long["partitions"] = {
            group: [_long_device(partition) for partition in table] for group, table in long["partitions"].items()
        }
    if "md" in long:
        long["md"] = _each(long["md"], _long_array)
    if "luks" in long:
        long["luks"] = {name: {**_LUKS_DEFAULTS, **entry} for name, entry in long["luks"].items()}
    if "lvm" in long:
        long["lvm"] = _each(long["lvm"], _long_volume_group)
    if "zfs" in long:
        long["zfs"] = _each(long["zfs"], _long_pool)
    if "filesystems" in long:
        long["filesystems"] = _each(long["filesystems"], _long_device)
    if "local_volumes" in long:
        long["local_volumes"] = {
            name: {"source": name, "mode": "block", **entry} for name, entry in long["local_volumes"].items()
        }
    return long


def _in_order(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, (list, tuple)) else value


def _long_group(group: Mapping[str, Any]) -> dict[str, Any]:
    globs = ("serial", "wwn", "path", "model", "vendor", "slot", "transport")
    match = {key: entries(value) if key in globs else value for key, value in group["match"].items()}
    return {**group, "match": match}


def _long_device(entry: Mapping[str, Any]) -> dict[str, Any]:
    long = dict(entry)
    if "filesystem" in entry:
        long["filesystem"] = filesystem_of(entry["filesystem"])
    if "mount" in entry:
        long["mount"] = mount_of(entry["mount"])
    if "swap" in entry:
        long["swap"] = swap_of(entry["swap"])
    return long


def _long_array(array: Mapping[str, Any]) -> dict[str, Any]:
    chunk = {} if array["level"] == "raid1" else {"chunk_size": "512 KiB"}
    return {**chunk, "bitmap": "internal", "metadata": "1.2", **array}


_LUKS_DEFAULTS = {
    "unlock": "key_file",
    "cipher": "aes-xts-plain64",
    "key_size": 512,
    "pbkdf": {"type": "argon2id"},
    "discard": False,
    "nofail": True,
}


def _long_volume_group(group: Mapping[str, Any]) -> dict[str, Any]:
    long = {"extent_size": "4 MiB", **group}
    long["thin_pools"] = {name: {**_POOL_DEFAULTS, **pool} for name, pool in group.get("thin_pools", {}).items()}
    long["volumes"] = {
        name: {
            "size_policy": "at_least",
            "type": "thin" if "thin_pool" in volume else "linear",
            **_long_device(volume),
        }
        for name, volume in group.get("volumes", {}).items()
    }
    return long


_POOL_DEFAULTS = {
    "size_policy": "at_least",
    "metadata_size": "auto",
    "chunk_size": "64 KiB",
    "zero": False,
    "discards": "passdown",
}


def _long_pool(pool: Mapping[str, Any]) -> dict[str, Any]:
    long = dict(pool)
    for vdev_class in VDEV_CLASSES:
        if vdev_class in pool:
            long[vdev_class] = entries(pool[vdev_class])
    if "filesystem_properties" in pool:
        long["filesystem_properties"] = _long_properties(pool["filesystem_properties"])
    for section in ("datasets", "volumes"):
        long[section] = _each(pool.get(section, {}), _long_properties)
    return long


def _long_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if name in NO_PROPERTIES else property_text(name, value) for name, value in properties.items()}
