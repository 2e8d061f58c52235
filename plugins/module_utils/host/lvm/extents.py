# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Arithmetic of extents, as LVM does it: all counts are extents unless a name says bytes."""

from __future__ import annotations

from dataclasses import dataclass

from ..sizes import MIB, Size

# pvcreate is told this alignment, so that no disk's own hints move the first extent.
DATA_START = 1 * MIB

# lib/metadata/thin_manip.c of LVM2: 64 bytes for each chunk; its bounds are 2 MiB and 15.8125 GiB.
_BYTES_A_CHUNK = 64
_LEAST_METADATA = 2 * MIB
_MOST_METADATA = 16192 * MIB

# _raid_rmeta_extents() in lib/metadata/raid_manip.c: two superblocks and a bit for each region of 2 MiB.
_RAID_SUPERBLOCKS = 2 * 4096
_RAID_REGION = 2 * MIB


def up(value: int, unit: int) -> int:
    """How many units hold ``value``."""
    return -(-value // unit)


def physical_volume(device_bytes: int, extent_bytes: int, start_bytes: int = DATA_START) -> int:
    """Whole extents of a device behind its label and metadata."""
    return max(0, device_bytes - start_bytes) // extent_bytes


def pool_metadata_bytes(data_bytes: int, chunk_bytes: int) -> int:
    """Metadata of a thin pool, by LVM's own estimate, before it is rounded up to extents."""
    wanted = up(data_bytes, chunk_bytes) * _BYTES_A_CHUNK
    return min(_MOST_METADATA, max(_LEAST_METADATA, wanted))


def raid_metadata(image: int, extent_bytes: int) -> int:
    """The metadata volume beside one image of ``image`` extents."""
    regions = image * extent_bytes // _RAID_REGION
    return up(_RAID_SUPERBLOCKS + up(regions, 8), extent_bytes)


@dataclass(frozen=True)
class Geometry:
    """How a volume lies on physical volumes: ``images`` of them, of which ``data`` add up to its size."""

    images: int = 1
    data: int = 1
    raid: bool = False

    def cost(self, extents: int, extent_bytes: int) -> int:
        """What a volume of this size takes on each of its physical volumes."""
        image = up(extents, self.data)
        return image + (raid_metadata(image, extent_bytes) if self.raid and image else 0)


def wanted(size: Size, whole: int, extent_bytes: int, data: int = 1) -> int:
    """Extents of a size: bytes are rounded up, a share of the ``whole`` group down, each to whole stripes.

    A share never rounds to nothing. ``rest`` is not known here and counts as one stripe, the least.
    """
    if size.bytes is not None:
        return up(up(size.bytes, extent_bytes), data) * data
    if size.share is not None:
        return max(1, int(whole * size.share) // data) * data
    return data
