# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ceph BlueStore: the label of an OSD, and the copies of it that newer releases keep far inside."""

from __future__ import annotations

from collections.abc import Iterator

from .area import BLUESTORE_LABELS, Area, Found

_TEXT = b"bluestore block device\n"  # BlueStore.cc; the UUID of the OSD follows as text


def find(area: Area) -> Iterator[Found]:
    for offset in BLUESTORE_LABELS:
        raw = area.read(offset, len(_TEXT) + 36)
        if raw.startswith(_TEXT):
            yield Found("ceph_bluestore", offset, raw[len(_TEXT) :].decode("ascii", "replace"))
