# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Partition tables: both copies of a GPT, and the table of an MBR."""

from __future__ import annotations

from collections.abc import Iterator

from .area import Area, Found

_HEADER = b"EFI PART"  # UEFI 2.10, 5.3.2: at sector 1, and in the last sector
_PROTECTIVE = 0xEE
# A boot sector of these ends like an MBR and has no table in it.
_BOOT_SECTORS = ((3, b"NTFS    "), (3, b"EXFAT   "), (54, b"FAT"), (82, b"FAT32   "), (3, b"-FVE-FS-"))


def find(area: Area) -> Iterator[Found]:
    for sector in (512, 4096):
        for offset in (sector, area.size - sector):
            if area.read(offset, 8) == _HEADER:
                yield Found("gpt", offset)
    first = area.read(0, 512)
    if first[510:512] != b"\x55\xaa" or any(first.startswith(text, at) for at, text in _BOOT_SECTORS):
        return
    entries = [first[446 + 16 * number : 462 + 16 * number] for number in range(4)]
    types = [entry[4] for entry in entries if entry[4] and any(entry[12:16])]
    if types and all(entry[0] in (0x00, 0x80) for entry in entries):
        yield Found("PMBR" if _PROTECTIVE in types else "dos", 0x1FE)
