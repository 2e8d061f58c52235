# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bytes that tell what a device carries: which places are read, and the value that a detector finds in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MIB = 1024**2
_GIB = 1024**3
_END = MIB  # GPT, ZFS, md 0.90 and 1.0 and the firmware RAIDs keep their copies in the last MiB
_BLOCK = 4096

# Beyond the first MiB: the second LUKS2 header for each header size that there is (LUKS2 on-disk format, 2.1), the
# mirrors of Btrfs (superblock.rst of its documentation), the label copies of Ceph BlueStore (BlueStore.cc), the first
# copy of an ext superblock for each block size (at the second of its groups), and of an XFS one, at its second group.
LUKS2_SECOND = tuple(0x4000 << shift for shift in range(9))
BTRFS_MIRRORS = (64 * MIB, 256 * _GIB)
BLUESTORE_LABELS = (0, _GIB, 10 * _GIB, 100 * _GIB, 1000 * _GIB)
EXT_COPIES = (8 * MIB, 32 * MIB, 128 * MIB)
_XFS_LARGEST_GROUP = 1024 * _GIB // _BLOCK - 1


@dataclass(frozen=True)
class Found:
    """One thing found: its type in the words of libblkid, and where it starts, in bytes."""

    type: str
    offset: int
    uuid: str = ""

    def as_json(self) -> dict[str, str]:
        return {"type": self.type, "offset": hex(self.offset), "label": "", "uuid": self.uuid}


@dataclass(frozen=True)
class Area:
    """What was read of a device of ``size`` bytes: chunks by their offset."""

    size: int
    chunks: Mapping[int, bytes]

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of one chunk; fewer, or none, where they were not read."""
        for start, raw in self.chunks.items():
            if start <= offset < start + len(raw):
                return raw[offset - start : offset - start + length]
        return b""

    @property
    def digest(self) -> str:
        return digest(self.chunks.values())


def digest(chunks: Iterable[bytes]) -> str:
    """``sha256:...`` of chunks in the order of their places."""
    found = hashlib.sha256()
    for raw in chunks:
        found.update(raw)
    return "sha256:" + found.hexdigest()


def places(size: int) -> tuple[tuple[int, int], ...]:
    """(offset, length) of all that is read of a device, and zeroed by a wipe; in order, none over another."""
    if size <= MIB + _END:
        return ((0, size),) if size > 0 else ()
    spots = sorted({*LUKS2_SECOND, *BTRFS_MIRRORS, *BLUESTORE_LABELS, *EXT_COPIES, xfs_copy(size)})
    between = [(spot, _BLOCK) for spot in spots if spot >= MIB and spot + _BLOCK <= size - _END]
    return ((0, MIB), *between, (size - _END, _END))


def xfs_copy(size: int) -> int:
    """Where the second group begins when mkfs.xfs makes four of a disk of ``size`` bytes, or groups of 1 TiB."""
    return min(-(-(size // _BLOCK) // 4), _XFS_LARGEST_GROUP) * _BLOCK
