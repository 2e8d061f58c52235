# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two volumes of one disk, as far as their paths say: what Kubernetes alone knows, without a look at any host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .state import Volume

_PART = re.compile(r"^(.+)-part\d+$")


@dataclass(frozen=True)
class Shared:
    """Volumes of one node that lead to one device; ``inside`` are others that lead to partitions of it."""

    node: str
    disk: str
    names: tuple[str, ...]
    inside: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.inside:
            return f"{self.names[0]} is all of {self.disk} on {self.node}, and {', '.join(self.inside)} a part of it"
        return f"{', '.join(self.names)} all lead to {self.disk} on {self.node}"


def shared(volumes: Iterable[Volume]) -> Iterator[Shared]:
    """Volumes that could give one disk to two owners.

    A local volume's path ends with the name of its device below /dev/disk/by-id, which no other device has: the same
    end is the same device, whatever the folder, and ``-part1`` behind it is its first partition.
    """
    by_leaf: dict[tuple[str, str], list[Volume]] = {}
    for one in volumes:
        if one.path:
            by_leaf.setdefault((one.node, one.path.rpartition("/")[2]), []).append(one)
    inside: dict[tuple[str, str], list[str]] = {}
    for (node, leaf), found in by_leaf.items():
        part = _PART.match(leaf)
        if part is not None and (node, part.group(1)) in by_leaf:
            inside.setdefault((node, part.group(1)), []).extend(one.name for one in found)
    for (node, leaf), found in sorted(by_leaf.items()):
        names, parts = tuple(sorted(one.name for one in found)), tuple(sorted(inside.get((node, leaf), ())))
        disk = f"disk {found[0].serial}" if found[0].serial else f"device {leaf}"
        if len(names) > 1:
            yield Shared(node, disk, names)
        if parts:
            yield Shared(node, disk, names[:1], parts)
