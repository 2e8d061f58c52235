# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mkfs, resize, label and mkswap of a simulated host, with the geometry and superblocks of the real tools.

Geometry is held against recordings of e2fsprogs 1.47.2 and xfsprogs 6.13 in test_model.py.
"""

from __future__ import annotations

import struct
import uuid as uuids
from collections.abc import Sequence

from simulated_block import GIB, MIB, Content, Node, require

TIB = 1024 * GIB


def up(value: int, unit: int) -> int:
    """How many units hold a value."""
    return -(-value // unit)


def options(words: Sequence[str], with_value: str, alone: str) -> tuple[dict[str, str], list[str]]:
    """Single-letter options as mkfs tools take them, and what is left; an unknown one is a failure."""
    out: dict[str, str] = {}
    rest = []
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("-"):
            rest.append(word)
        elif word[1] in alone:
            out[word[1]] = ""
        else:
            require(len(word) == 2 and word[1] in with_value and left, f"unknown option {word}")
            out[word[1]] = left.pop(0)
    return out, rest


def make(tool: str, words: Sequence[str], node: Node) -> None:
    """mkfs.ext4, mkfs.xfs or mkfs.vfat on a device; ``words`` without the device."""
    require(not node.busy, f"{tool}: {node.path} is in use")
    require(not node.signatures(), f"{tool}: {node.path} carries {node.signatures()}")
    if tool == "mkfs.ext4":
        given, rest = options(words, "ULmiNEbTO", "q")
        content = _ext4(node.size, given, node.sector)
    elif tool == "mkfs.xfs":
        given, rest = options(words, "mLlid", "qK")
        content = _xfs(node.size, given)
    else:
        given, rest = options(words, "inFsS", "I")
        require(node.kind != "disk" or "I" in given, "mkfs.vfat: device partition expected, not the whole disk")
        content = _vfat(node.size, given)
    require(not rest, f"{tool}: too many arguments: {rest}")
    node.content = content


def _ext4(size: int, given: dict[str, str], sector: int) -> Content:
    require("L" not in given or len(given["L"]) <= 16, "mkfs.ext4: label too long")
    small = size < 512 * MIB
    block = int(given.get("b") or max(sector, 1024 if small else 4096))
    ratio = 8192 if size < 3 * MIB else 4096 if small else 16384 if size < 4 * TIB else 32768
    ratio = 65536 if size >= 16 * TIB else ratio
    inodes = int(given.get("N") or size // block * block // int(given.get("i") or ratio))
    shape = {"block": block, "first": 1 if block == 1024 else 0, "per_group": 8 * block, "inode_size": 256}
    blocks = size // block
    while True:
        groups = -(-(blocks - shape["first"]) // shape["per_group"])
        filled = up(up(inodes, groups) * 256, block) * block // 256
        shape["inodes_per_group"] = max(8, filled - filled % 8)
        shape["reserved"] = _reserved(blocks, groups, shape)
        kept = _whole_groups(blocks, shape)
        if kept == blocks:
            break
        blocks = kept
    shape["blocks"] = blocks
    content = Content("ext4", given.get("U", ""), given.get("L", ""), "1.0", geometry=shape, offset="0x438")
    write_ext4(content)
    return content


def _reserved(blocks: int, groups: int, shape: dict[str, int]) -> int:
    """calc_reserved_gdt_blocks() of lib/ext2fs/initialize.c; beyond 2^32 blocks there is no resize inode."""
    if blocks >= 2**32:
        return 0
    most = min(blocks * 1024, 2**32 - 1)
    a_block = shape["block"] // 64
    wanted = up(up(most - shape["first"], shape["per_group"]), a_block) - up(groups, a_block)
    return min(wanted, shape["block"] // 4)


def _whole_groups(blocks: int, shape: dict[str, int]) -> int:
    """Without a last group that would hold little more than its own tables."""
    rest = (blocks - shape["first"]) % shape["per_group"]
    groups = -(-(blocks - shape["first"]) // shape["per_group"])
    overhead = 2 + -(-shape["inodes_per_group"] * 256 // shape["block"])
    if _carries_copy(groups - 1):
        overhead += 1 + -(-groups // (shape["block"] // 64)) + shape["reserved"]
    if groups == 1:
        require(rest == 0 or rest >= overhead, "mkfs.ext4: the device is too small")
        return blocks
    return blocks - rest if 0 < rest < overhead + 50 else blocks


def _carries_copy(group: int) -> bool:
    def power(base: int) -> bool:
        value = group
        while value % base == 0 and value > 1:
            value //= base
        return value == 1

    return group < 2 or any(map(power, (3, 5, 7)))


def write_ext4(content: Content) -> None:
    raw = bytearray(1024)
    shape = content.geometry
    struct.pack_into("<I", raw, 4, shape["blocks"] & 0xFFFFFFFF)
    struct.pack_into("<II", raw, 20, shape["first"], shape["block"].bit_length() - 11)
    struct.pack_into("<I", raw, 32, shape["per_group"])
    struct.pack_into("<I", raw, 40, shape["inodes_per_group"])
    raw[56:58] = b"\x53\xef"
    struct.pack_into("<H", raw, 88, 256)
    struct.pack_into("<I", raw, 96, 0x22C2)
    raw[104:120] = uuids.UUID(content.uuid).bytes
    struct.pack_into("<H", raw, 206, shape["reserved"])
    struct.pack_into("<H", raw, 254, 64)
    struct.pack_into("<I", raw, 336, shape["blocks"] >> 32)
    content.image[1024] = bytes(raw)


def _xfs(size: int, given: dict[str, str]) -> Content:
    require(size >= 300 * MIB, "mkfs.xfs: Filesystem must be larger than 300MB.")
    require("L" not in given or len(given["L"]) <= 12, "mkfs.xfs: label too long")
    words = dict(word.split("=", 1) for word in given.get("m", "").split(",") if word)
    blocks = size // 4096
    group = 2**28 - 1 if size >= 4 * TIB else -(-blocks // 4)
    log = min(max(16384, blocks // 2048), 2**19 - 1)
    shape = {"blocks": blocks, "group": group, "log": log}
    content = Content("xfs", words.get("uuid", ""), given.get("L", ""), None, geometry=shape)
    write_xfs(content)
    return content


def write_xfs(content: Content) -> None:
    raw = bytearray(512)
    shape = content.geometry
    raw[0:4] = b"XFSB"
    struct.pack_into(">IQ", raw, 4, 4096, shape["blocks"])
    raw[32:48] = uuids.UUID(content.uuid).bytes
    struct.pack_into(">Q", raw, 48, 2**24)
    struct.pack_into(">II", raw, 84, shape["group"], -(-shape["blocks"] // shape["group"]))
    struct.pack_into(">I", raw, 96, shape["log"])
    content.image[0] = bytes(raw)


def _vfat(size: int, given: dict[str, str]) -> Content:
    require("n" not in given or len(given["n"]) <= 11, "mkfs.vfat: label too long")
    wide = given.get("F", "32" if size >= 512 * MIB else "16") == "32"
    number = given.get("i", "")
    require(len(number) == 8, "mkfs.vfat: the volume id has eight hexadecimal digits")
    content = Content(
        "vfat", f"{number[:4]}-{number[4:]}", given.get("n", ""), "FAT32" if wide else "FAT16", offset="0x52"
    )
    content.image[67 if wide else 39] = bytes.fromhex(number)[::-1]
    return content


def mkswap(words: Sequence[str], node: Node) -> None:
    require(len(words) == 2 and words[0] == "--uuid", f"mkswap does not know {words}")
    require(not node.busy, f"mkswap: {node.path} is in use")
    require(not node.signatures(), f"mkswap: {node.path} carries {node.signatures()}")
    node.content = Content("swap", words[1], "", "1", offset="0xff6")
    node.content.image[1036] = uuids.UUID(words[1]).bytes


def resize2fs(node: Node, size: int | None = None) -> None:
    content = node.content
    require(content is not None and content.type == "ext4", f"resize2fs: no ext4 on {node.path}")
    assert content is not None
    require(node.users or content.geometry.pop("checked", None), "resize2fs: please run 'e2fsck -f' first")
    require(size is None or size <= node.size, "resize2fs: larger than the device")
    blocks = _whole_groups((size or node.size) // content.geometry["block"], content.geometry)
    require(size or blocks >= content.geometry["blocks"], "resize2fs: on-line shrinking not supported")
    content.geometry["blocks"] = blocks
    write_ext4(content)


def xfs_growfs(node: Node) -> None:
    """The kernel drops a last group below 64 blocks (xfs_growfs_data_private)."""
    content = node.content
    require(
        content is not None and content.type == "xfs" and node.users, f"xfs_growfs: no xfs mounted from {node.path}"
    )
    assert content is not None
    blocks = node.size // 4096
    rest = blocks % content.geometry["group"]
    content.geometry["blocks"] = blocks - rest if 0 < rest < 64 else blocks
    write_xfs(content)


def statfs(content: Content) -> dict[str, int]:
    """What a mounted file system says of itself; ext4 leaves out its tables."""
    if content.type == "xfs":
        return {"block_size": 4096, "blocks": content.geometry["blocks"] - content.geometry["log"]}
    return {"block_size": 4096, "blocks": content.geometry.get("blocks", 1000) * 95 // 100}
