# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM: the label of a physical volume in any of the first four sectors."""

from __future__ import annotations

from collections.abc import Iterator

from .area import Area, Found


def find(area: Area) -> Iterator[Found]:
    for offset in range(0, 4 * 512, 512):
        raw = area.read(offset, 64)
        if raw[:8] == b"LABELONE" and raw[24:32] == b"LVM2 001":  # lib/label/label.h of LVM2
            text = raw[32:64].decode("ascii", "replace")
            ends = (0, 6, 10, 14, 18, 22, 26, 32)
            yield Found("LVM2_member", offset, "-".join(text[low:high] for low, high in zip(ends, ends[1:])))
