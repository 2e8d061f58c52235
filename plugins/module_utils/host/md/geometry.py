# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How large an array becomes: told to mdadm in numbers, so that what lies above is planned before it exists."""

from __future__ import annotations

from collections.abc import Iterable

from ..sizes import MIB

# Fewest devices that hold data.
LEAST = {"raid1": 2, "raid5": 3, "raid6": 4, "raid10": 2}
_MOST_HEADROOM = 128 * MIB


def data_offset(sizes: Iterable[int], chunk: int) -> int:
    """Bytes before the data: superblock, bitmap, and room to reshape without a backup file, as mdadm leaves it."""
    headroom = max(4 * chunk, min(_MOST_HEADROOM, min(sizes) // 1024))
    return -(-(headroom + MIB) // MIB) * MIB


def component(size: int, offset: int, chunk: int) -> int:
    """Bytes that an array uses of a device: whole MiB and whole chunks."""
    unit = max(MIB, chunk)
    return max(0, size - offset) // unit * unit


def array_size(level: str, used: int, devices: int, chunk: int) -> int:
    """Bytes that an array offers, as the kernel counts them (two copies for raid10)."""
    if level == "raid1":
        return used
    if level == "raid10":
        return used // chunk * devices // 2 * chunk
    return used * (devices - {"raid5": 1, "raid6": 2}[level])
