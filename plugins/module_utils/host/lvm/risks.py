# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person should know of the volume groups of a host, whatever the document asks: pools that fill, bad images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .report import LogicalVolume, VolumeGroup

_THRESHOLD = 80  # percent, where the document says nothing

_SICK = {
    "partial": "parts of it are on a physical volume that is missing; bring the disk back, or name another by replace",
    "refresh needed": "an image was away for a while; lvchange --refresh takes it in again",
    "mismatches exist": "its images differ in places; look at its disks, then lvchange --syncaction repair makes "
    "them equal",
    "failed": "its metadata or data failed and nothing can be written; it needs lvconvert --repair",
    "out_of_data": "it has no room left and writing to its volumes fails; give it more size",
    "metadata_read_only": "its metadata is damaged or full and is only read; it needs lvconvert --repair",
}


def notes(groups: Iterable[VolumeGroup], document: Mapping[str, Any]) -> Iterator[str]:
    """One sentence each, by name."""
    for group in sorted(groups, key=lambda one: one.name):
        pools = document.get("lvm", {}).get(group.name, {}).get("thin_pools", {})
        for volume in sorted(group.logical_volumes, key=lambda one: one.name):
            if volume.hidden:
                continue
            title = f"{group.name}/{volume.name}"
            if volume.health in _SICK:
                yield f"logical volume {title}: {_SICK[volume.health]}."
            if volume.type == "thin-pool":
                asked = pools.get(volume.name, {}).get("autoextend") or {}
                yield from _full(title, volume, asked.get("threshold", _THRESHOLD))


def _full(title: str, pool: LogicalVolume, threshold: int) -> Iterator[str]:
    if pool.data_percent is not None and pool.data_percent >= threshold:
        yield (
            f"thin pool {title}: its data is {pool.data_percent:g} % full, and {threshold} % is the threshold; "
            "give it more size before writing fails."
        )
    if pool.metadata_percent is not None and pool.metadata_percent >= threshold:
        yield (
            f"thin pool {title}: its metadata is {pool.metadata_percent:g} % full, and {threshold} % is the "
            "threshold; raise metadata_size, since a pool whose metadata is full stops and is repaired offline."
        )
