# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All detectors of our own over the bytes of a device. They look where libblkid does not, or twice where it does."""

from __future__ import annotations

from collections.abc import Iterator

from . import ceph, luks, lvm, md, tables, zfs
from .area import Area, Found

UNKNOWN = "unknown data"
_DETECTORS = (tables.find, zfs.find, md.find, luks.find, lvm.find, ceph.find)


def known(area: Area) -> tuple[Found, ...]:
    """What the detectors know, in order of place."""
    return tuple(sorted({one for find in _DETECTORS for one in find(area)}, key=lambda one: (one.offset, one.type)))


def unknown(area: Area) -> Iterator[Found]:
    """Where bytes begin that are neither all zero nor all 0xff: nobody knows whose, so they are somebody's.

    They have no name of their own: part of their digest stands for it.
    """
    filled = [raw for raw in area.chunks.values() if raw]
    if not any(raw.count(raw[0]) != len(raw) or raw[0] not in (0x00, 0xFF) for raw in filled):
        return
    for offset, raw in area.chunks.items():
        rest = raw.lstrip(b"\x00\xff")
        if rest:
            yield Found(UNKNOWN, offset + len(raw) - len(rest), area.digest[7:23])
            return
    yield Found(UNKNOWN, 0, area.digest[7:23])
