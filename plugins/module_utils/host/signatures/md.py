# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Linux md: the superblocks 0.90 and 1.0 at the end, 1.1 and 1.2 at the start."""

from __future__ import annotations

from collections.abc import Iterator

from .area import Area, Found

_MAGIC = 0xA92B4EFC  # md_p.h of Linux; version 0.90 is in the byte order of its machine, 1.x in little endian
_KIB64 = 64 * 1024


def find(area: Area) -> Iterator[Found]:
    sectors = area.size // 512
    for offset in (0, 4096, (sectors - 16) // 8 * 8 * 512):
        raw = area.read(offset, 32) if offset >= 0 else b""
        if len(raw) == 32 and _word(raw, 0, "little") == _MAGIC and _word(raw, 4, "little") == 1:
            yield Found("linux_raid_member", offset, _uuid(raw[16:32]))
    old = area.size // _KIB64 * _KIB64 - _KIB64
    raw = area.read(old, 64) if old >= 0 else b""
    for order in ("little", "big"):
        if len(raw) == 64 and _word(raw, 0, order) == _MAGIC and _word(raw, 4, order) == 0:
            yield Found("linux_raid_member", old, _uuid(raw[20:24] + raw[52:64]))


def _word(raw: bytes, at: int, order: str) -> int:
    return int.from_bytes(raw[at : at + 4], "big" if order == "big" else "little")


def _uuid(raw: bytes) -> str:
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
