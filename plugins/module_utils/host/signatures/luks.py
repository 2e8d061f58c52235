# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LUKS 1 and 2: the header, and the second one of LUKS2 for each size that headers can have."""

from __future__ import annotations

from collections.abc import Iterator

from .area import LUKS2_SECOND, Area, Found

_FIRST, _SECOND = b"LUKS\xba\xbe", b"SKUL\xba\xbe"  # LUKS1 and LUKS2 on-disk formats


def find(area: Area) -> Iterator[Found]:
    for offset, magic in ((0, _FIRST), *((one, _SECOND) for one in LUKS2_SECOND)):
        raw = area.read(offset, 208)
        if raw[:6] == magic and raw[6:8] in (b"\x00\x01", b"\x00\x02"):
            yield Found("crypto_LUKS", offset, raw[168:208].rstrip(b"\0").decode("ascii", "replace"))
