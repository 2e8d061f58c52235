# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ZFS: any of the four labels that holds an uberblock, in either byte order."""

from __future__ import annotations

from collections.abc import Iterator

from .area import Area, Found

_LABEL = 256 * 1024  # sizeof (vdev_label_t) of vdev_impl.h: 8 K blank, 8 K boot, 112 K pairs, 128 K uberblocks
_RING = 128 * 1024
_STEP = 1024  # uberblocks are at least this large, and all their sizes are multiples of it
_MAGIC = (0x00BAB10C).to_bytes(8, "little"), (0x00BAB10C).to_bytes(8, "big")


def find(area: Area) -> Iterator[Found]:
    end = area.size // _LABEL * _LABEL
    for label in (0, _LABEL, end - 2 * _LABEL, end - _LABEL):
        if label < 0:
            continue
        ring = area.read(label + _RING, _LABEL - _RING)
        if any(ring[at : at + 8] in _MAGIC for at in range(0, len(ring), _STEP)):
            yield Found("zfs_member", label)
