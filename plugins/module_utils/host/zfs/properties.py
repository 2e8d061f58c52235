# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Properties as ZFS understands them: one spelling for each value. Facts from module/zcommon/zfs_prop.c, 2.1 to 2.4.

A declared property is right when its value is right, wherever the value comes from: local, inherited or default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..observation import ReadFile
from ..sizes import parse_bytes

INHERIT = "inherit"
NONE = "none"

# What only the creation of a dataset can give.
ONCE = frozenset(
    ("encryption", "keyformat", "pbkdf2iters", "volblocksize", "casesensitivity", "normalization", "utf8only")
)
# What changes only what is written from now on.
NOT_INHERITED = frozenset(("canmount", "quota", "refquota", "reservation", "refreservation", "volsize")) | ONCE
NEW_DATA_ONLY = frozenset(
    ("recordsize", "compression", "checksum", "copies", "dedup", "special_small_blocks", "dnodesize", "xattr")
)

_SIZES = frozenset(
    (
        "recordsize",
        "volblocksize",
        "volsize",
        "quota",
        "refquota",
        "reservation",
        "refreservation",
        "special_small_blocks",
    )
)
_COUNTS = frozenset(("filesystem_limit", "snapshot_limit"))
_QUOTAS = re.compile(r"^(?:default)?(?:user|group|project)(?:obj)?quota(?:@.+)?$")
_ZFS_SIZE = re.compile(r"^([0-9]+)(?:\.([0-9]+))?([KMGTPE]?)$", re.IGNORECASE)
_NO_LIMIT = str(2**64 - 1)

# Other spellings of a value, and the one that stands for all of them.
_ALIASES: Mapping[str, Mapping[str, str]] = {
    "acltype": {"posixacl": "posix", "noacl": "off", "disabled": "off"},
    "aclinherit": {"secure": "restricted"},
    "compression": {"gzip-6": "gzip", "zstd-fast-1": "zstd-fast"},
    "encryption": {"on": "aes-256-gcm"},
}
_VERSION = re.compile(r"^(\d+)\.(\d+)")
_XATTR_ON_IS_SA = (2, 3)
_SET_MOUNTS = (2, 2)  # changelist_postfix of libzfs_changelist.c

VERSION = ReadFile("/sys/module/zfs/version")


class PropertyError(ValueError):
    """A value that means nothing to ZFS; its text is a sentence without place."""


def canonical(name: str, value: object) -> str:
    """The text that ZFS takes and that two spellings of one value share: ``1 MiB``, ``1M`` and 1048576 are ``1048576``.

    :raises PropertyError: the value cannot be one of this property.
    """
    if ":" in name:
        return _own(name, value)
    if isinstance(value, bool):
        return "on" if value else "off"
    text = str(value).strip()
    if text == INHERIT:
        return text
    if _is_size(name):
        size = _size(name, text)
        # "use 'none' to disable quota/refquota", says zfs to a 0.
        return NONE if size == "0" and "quota" in name else size
    return text


def same(name: str, wanted: str, found: str, version: str | None) -> bool:
    """Whether a canonical value is what ``zfs get -p`` prints; ``version`` is what :data:`VERSION` answers."""
    return wanted == found or _meaning(name, wanted, version) == _meaning(name, found, version)


def pool_same(name: str, wanted: str, found: str) -> bool:
    """Whether a canonical pool property is what ``zpool get -p`` prints: a feature in use is an enabled one."""
    if name.startswith("feature@"):
        return found == wanted or (wanted == "enabled" and found == "active")
    return found == wanted or (found == "-" and wanted in ("", NONE))


def _own(name: str, value: object) -> str:
    if isinstance(value, bool):
        raise PropertyError(
            f"the value of '{name}' is on, yes or true to YAML; put it in quotes, since ZFS keeps its text"
        )
    return str(value)


def _is_size(name: str) -> bool:
    return name in _SIZES or _QUOTAS.match(name) is not None


def _size(name: str, text: str) -> str:
    if text in (NONE, "auto"):
        return text
    match = _ZFS_SIZE.match(text)
    if match is not None:
        whole, fraction, unit = match[1], match[2] or "", match[3].upper()
        scale: int = 1024 ** " KMGTPE".index(unit) if unit else 1
        return str(int(whole + fraction) * scale // 10 ** len(fraction))
    try:
        return str(parse_bytes(text))
    except ValueError as error:
        raise PropertyError(f"the value of '{name}' is no size: {error}") from error


def set_mounts(version: str | None) -> bool:
    """Whether ``zfs set mountpoint`` mounts what was not mounted; before, only what comes from none or legacy."""
    return not _older(version, _SET_MOUNTS)


def _older(version: str | None, than: tuple[int, int]) -> bool:
    match = _VERSION.match(version or "")
    return match is not None and (int(match[1]), int(match[2])) < than


def _meaning(name: str, text: str, version: str | None) -> str:
    if _is_size(name) or name in _COUNTS:
        return NONE if text in ("0", _NO_LIMIT) else text
    if name == "xattr" and text == "on":
        return "dir" if _older(version, _XATTR_ON_IS_SA) else "sa"
    return _ALIASES.get(name, {}).get(text, text)
