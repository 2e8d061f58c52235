# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How large a file system is and can become, from its own superblock: no process, whatever their number."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from .observation import Observation, ReadBlock, Run, StatFs

# mkfs.xfs leaves out a last allocation group smaller than this (xfsprogs, XFS_AG_MIN_BYTES).
_XFS_LEAST_GROUP = 16 * 1024**2
_XFS_IN_PROGRESS = 126  # sb_inprogress of struct xfs_dsb
# A last block group with fewer blocks than its tables and 50 more is left out (e2fsprogs, lib/ext2fs/initialize.c).
_EXT_LEAST_DATA = 50


@dataclass(frozen=True)
class Extent:
    """Bytes that a file system has now, and that it could have on its device."""

    size: int
    reachable: int


def extent(observation: Observation, kind: str, path: str, device_size: int, mountpoint: str) -> Extent | None:
    """Of an ext4 or xfs file system on ``path``; None when it is neither, or not answered yet."""
    if kind == "ext4":
        raw = observation.ask(ReadBlock(path, 1024, 1024))
        return _ext4(bytes.fromhex(raw), device_size) if raw else None
    if kind == "xfs":
        raw = observation.ask(ReadBlock(path, 0, 512))
        live = observation.ask(StatFs(mountpoint)) if mountpoint else {}
        if not raw or live is None:
            return None
        return _xfs(bytes.fromhex(raw), device_size, live.get("blocks", 0))
    return None


def half_made(observation: Observation, kind: str, path: str) -> bool:
    """Whether mkfs never ended, although its superblock is there: it writes that first, where others write it last."""
    if kind not in ("xfs", "vfat"):
        return False
    raw = bytes.fromhex(observation.ask(ReadBlock(path, 0, 512)) or "")
    if len(raw) < 512:
        return False
    if kind == "xfs":
        return raw[_XFS_IN_PROGRESS] != 0
    sector, reserved = struct.unpack_from("<H", raw, 11)[0], struct.unpack_from("<H", raw, 14)[0]
    length = struct.unpack_from("<H", raw, 22)[0] or struct.unpack_from("<I", raw, 36)[0]
    # Both tables begin with the byte that the boot sector has as well.
    starts = [observation.ask(ReadBlock(path, (reserved + length * one) * sector, 1)) for one in range(raw[16])]
    return any(start is not None and bytes.fromhex(start) != raw[21:22] for start in starts)


def least(observation: Observation, path: str) -> int | None:
    """Bytes that ext4 on ``path`` needs at the least for what it holds, by resize2fs; None when it does not say."""
    answer = observation.ask(Run(("resize2fs", "-P", path)))
    raw = observation.ask(ReadBlock(path, 1024, 1024))
    found = re.search(r": ([0-9]+)\s*$", answer["stdout"]) if answer and answer["rc"] == 0 else None
    if found is None or not raw:
        return None
    shift: int = struct.unpack_from("<I", bytes.fromhex(raw), 24)[0]
    return int(found[1]) * (1024 << shift)


def _ext4(raw: bytes, device_size: int) -> Extent | None:
    """Offsets of struct ext4_super_block (kernel documentation, filesystems/ext4/super.rst)."""
    if len(raw) < 1024 or raw[56:58] != b"\x53\xef":
        return None
    low, first, shift = (
        struct.unpack_from("<I", raw, 4)[0],
        struct.unpack_from("<I", raw, 20)[0],
        struct.unpack_from("<I", raw, 24)[0],
    )
    per_group, inodes_per_group = struct.unpack_from("<I", raw, 32)[0], struct.unpack_from("<I", raw, 40)[0]
    inode_size, reserved = struct.unpack_from("<H", raw, 88)[0], struct.unpack_from("<H", raw, 206)[0]
    incompat, desc_size = struct.unpack_from("<I", raw, 96)[0], struct.unpack_from("<H", raw, 254)[0]
    high = struct.unpack_from("<I", raw, 336)[0] if incompat & 0x80 else 0
    block = 1024 << shift
    blocks = device_size // block
    groups = -(-(blocks - first) // per_group)
    overhead = 2 + inodes_per_group * inode_size // block
    if _has_super(groups - 1):
        overhead += 1 + -(-groups * (desc_size or 32) // block) + reserved
    rest = (blocks - first) % per_group
    if groups > 1 and 0 < rest < overhead + _EXT_LEAST_DATA:
        blocks -= rest
    return Extent((low | high << 32) * block, blocks * block)


def _has_super(group: int) -> bool:
    """Whether a block group carries a copy of the superblock: 0, 1 and powers of 3, 5 and 7."""
    if group <= 1:
        return True
    for base in (3, 5, 7):
        power = base
        while power < group:
            power *= base
        if power == group:
            return True
    return False


def _xfs(raw: bytes, device_size: int, live_blocks: int) -> Extent | None:
    """Offsets of struct xfs_dsb. A mounted file system's superblock may lag on disk: statfs counts all but the log."""
    if len(raw) < 104 or raw[:4] != b"XFSB":
        return None
    block, blocks = struct.unpack_from(">I", raw, 4)[0], struct.unpack_from(">Q", raw, 8)[0]
    log_start, group_blocks = struct.unpack_from(">Q", raw, 48)[0], struct.unpack_from(">I", raw, 84)[0]
    log_blocks = struct.unpack_from(">I", raw, 96)[0]
    if live_blocks:
        blocks = max(blocks, live_blocks + (log_blocks if log_start else 0))
    reachable = device_size // block
    rest = reachable % group_blocks
    if rest * block < _XFS_LEAST_GROUP and reachable > group_blocks:
        reachable -= rest
    return Extent(blocks * block, reachable * block)
