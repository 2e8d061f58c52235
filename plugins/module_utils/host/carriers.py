# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the document puts on devices: file systems, mounts and swap, wherever in the document they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .state import Device


@dataclass(frozen=True)
class Carrier:
    """A device reference with what it shall carry; the mappings are empty where nothing is asked."""

    ref: str
    filesystem: Mapping[str, Any]
    mount: Mapping[str, Any]
    swap: Mapping[str, Any] | None

    def mount_path(self, device: Device) -> str:
        """Where one device of the reference is mounted: ``{serial}`` tells those of a group apart."""
        return str(self.mount["path"]).replace("{serial}", device.serial)


def carriers(document: Mapping[str, Any]) -> Iterator[Carrier]:
    """Of a document in long form, in its order: partitions, logical volumes, then the entries of their own.

    A partition for swap that has an entry under ``swap`` is that entry's.
    """
    detailed = {entry["device"] for entry in document.get("swap", {}).values()}
    for group, entries in document.get("partitions", {}).items():
        for entry in entries:
            ref = f"{group}.{entry['name']}"
            swap: dict[str, Any] | None = {} if entry.get("use") == "swap" and ref not in detailed else None
            yield from _carrier(ref, entry.get("filesystem"), entry, swap)
    for name, group in document.get("lvm", {}).items():
        for volume, entry in group["volumes"].items():
            yield from _carrier(f"{name}/{volume}", entry.get("filesystem"), entry, entry.get("swap"))
    for entry in document.get("filesystems", {}).values():
        yield from _carrier(entry["device"], entry, entry, None)
    for entry in document.get("swap", {}).values():
        yield from _carrier(entry["device"], None, {}, entry)


def _carrier(
    ref: str, filesystem: Mapping[str, Any] | None, entry: Mapping[str, Any], swap: Mapping[str, Any] | None
) -> Iterator[Carrier]:
    if filesystem or swap is not None:
        yield Carrier(ref, filesystem or {}, entry.get("mount", {}), swap)
