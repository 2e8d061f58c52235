# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels as their owners lay them out, for sparse images of any size: {offset: bytes}. The tools that write them are
not on every machine; where they are, the tests make the real thing as well."""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Callable, Mapping

Image = Mapping[int, bytes]
MIB = 1024**2
GIB = 1024**3
ID = uuid.UUID("7e57ab1e-0000-4000-8000-00000000001d")
_KIB256 = 256 * 1024


def gpt(size: int, sector: int = 512, *, primary: bool = True, backup: bool = True, protective: bool = True) -> Image:
    """UEFI 2.10, 5.3: two headers with their checksums, and the protective MBR; no partitions."""
    entries = bytes(128 * 128)
    last = size // sector - 1
    table = len(entries) // sector

    def header(own: int, other: int, first: int) -> bytes:
        fields = (b"EFI PART", 0x10000, 92, 0, 0, own, other, 2 + table, last - table - 1, ID.bytes_le, first, 128, 128)
        raw = struct.pack("<8sIIIIQQQQ16sQII", *fields) + struct.pack("<I", zlib.crc32(entries))
        return raw[:16] + struct.pack("<I", zlib.crc32(raw)) + raw[20:]

    out: dict[int, bytes] = {}
    if protective:
        entry = bytes((0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF)) + struct.pack("<II", 1, min(last, 0xFFFFFFFF))
        out[446] = entry + bytes(48) + b"\x55\xaa"
    if primary:
        out[sector] = header(1, last, 2)
    if backup:
        out[last * sector] = header(last, 1, last - table)
    return out


def dos(size: int) -> Image:
    entry = bytes((0x80, 0, 2, 0, 0x83, 0xFF, 0xFF, 0xFF)) + struct.pack("<II", 2048, size // 512 - 2048)
    return {446: entry + bytes(48) + b"\x55\xaa"}


def zfs(size: int, labels: tuple[int, ...] = (0, 1, 2, 3), order: str = "<") -> Image:
    """Uberblocks of 4 KiB (ashift 12) in the rings of some of the four labels, as vdev_label.c places them."""
    end = size // _KIB256 * _KIB256
    at = (0, _KIB256, end - 2 * _KIB256, end - _KIB256)
    block = struct.pack(f"{order}QQQQQ", 0x00BAB10C, 5000, 7, 12345, 1700000000)
    return {at[one] + 128 * 1024 + 4096 * slot: block for one in labels for slot in (4, 5, 6, 7, 8)}


def ext_copy(block: int) -> Image:
    """The superblock of ext at the beginning of its second group; its magic is at 56."""
    return {(8 * block + (block == 1024)) * block + 56: b"\x53\xef"}


def xfs_copy(size: int) -> Image:
    """The superblock of the second of four groups."""
    return {(size // 4096 + 3) // 4 * 4096: b"XFSB"}


def md(size: int, version: str) -> Image:
    """struct mdp_superblock_1 of md_p.h with its checksum; 0.90 is struct mdp_superblock_s."""
    if version == "0.90":
        at = size // 65536 * 65536 - 65536
        raw = struct.pack("<6I", 0xA92B4EFC, 0, 90, 0, 0, int.from_bytes(ID.bytes[:4], "little")).ljust(52, b"\0")
        raw = (raw + ID.bytes[4:]).ljust(4096, b"\0")
        return {at: raw}
    at = {"1.0": (size // 512 - 16) // 8 * 8 * 512, "1.1": 0, "1.2": 4096}[version]
    raw = struct.pack("<IIII", 0xA92B4EFC, 1, 0, 0) + ID.bytes + b"old".ljust(32, b"\0")
    raw = raw.ljust(128, b"\0") + struct.pack("<QQQ", 0, size // 512, at // 512)
    raw = raw.ljust(256, b"\0")
    total = sum(struct.unpack("<64I", raw))
    return {at: raw[:216] + struct.pack("<I", ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF) + raw[220:]}


def luks(version: int, *, first: bool = True, second: int = 0) -> Image:
    """The header of LUKS1 or 2; ``second`` is where the other one of LUKS2 lies."""
    text = str(ID).encode().ljust(40, b"\0")
    body = struct.pack(">H", version).ljust(162, b"\0") + text
    out = {0: b"LUKS\xba\xbe" + body} if first else {}
    return {**out, **({second: b"SKUL\xba\xbe" + body} if second else {})}


def lvm(sector: int = 1) -> Image:
    """label_header and pv_header of LVM2, in the given sector."""
    head = b"LABELONE" + struct.pack("<QII", sector, 0, 32) + b"LVM2 001" + ID.hex.encode()
    return {sector * 512: head}


def bluestore(offset: int = 0) -> Image:
    return {offset: b"bluestore block device\n" + str(ID).encode() + b"\n"}


CORPUS: dict[str, tuple[str, Callable[[int], Image]]] = {
    "gpt": ("gpt", gpt),
    "gpt-4096": ("gpt", lambda size: gpt(size, 4096)),
    "gpt-primary": ("gpt", lambda size: gpt(size, backup=False, protective=False)),
    "gpt-backup": ("gpt", lambda size: gpt(size, primary=False, protective=False)),
    "gpt-protective": ("PMBR", lambda size: gpt(size, primary=False, backup=False)),
    "dos": ("dos", dos),
    "zfs": ("zfs_member", zfs),
    **{
        f"zfs-label{one}": ("zfs_member", lambda size, one=one: zfs(size, (one,)))  # type: ignore[misc]
        for one in range(4)
    },
    **{
        f"ext-copy-{one}": ("unknown data", lambda size, one=one: ext_copy(one))  # type: ignore[misc]
        for one in (1024, 2048, 4096)
    },
    "xfs-copy": ("unknown data", xfs_copy),
    "zfs-big-endian": ("zfs_member", lambda size: zfs(size, order=">")),
    **{
        f"md-{one}": ("linux_raid_member", lambda size, one=one: md(size, one))  # type: ignore[misc]
        for one in ("0.90", "1.0", "1.1", "1.2")
    },
    "luks1": ("crypto_LUKS", lambda size: luks(1)),
    "luks2": ("crypto_LUKS", lambda size: luks(2, second=0x4000)),
    **{
        f"luks2-second-{0x4000 << one:#x}": (
            "crypto_LUKS",
            lambda size, one=one: luks(2, first=False, second=0x4000 << one),
        )  # type: ignore[misc]
        for one in range(9)
    },
    **{f"lvm-sector{one}": ("LVM2_member", lambda size, one=one: lvm(one)) for one in range(4)},  # type: ignore[misc]
    "bluestore": ("ceph_bluestore", lambda size: bluestore()),
    "bluestore-1GiB": ("ceph_bluestore", lambda size: bluestore(GIB)),
    "random": ("unknown data", lambda size: {4096: bytes(range(1, 200)) * 20}),
    "random-at-the-end": ("unknown data", lambda size: {size - 8192: bytes(range(1, 200)) * 20}),
    "ff-in-one-block": ("unknown data", lambda size: {4096: b"\xff" * 4096}),
}
"""Whole and damaged images by name: what must be found, and the bytes for a device of a size."""
