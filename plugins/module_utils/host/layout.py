# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a document names, how many devices each name means and how large these are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .problems import Path, Problem, did_you_mean
from .sizes import SizeError, SizeRange, parse_range, parse_size


def size_problem(path: Path, error: SizeError) -> Problem:
    """A size that cannot be read, as a problem."""
    message, _semicolon, hint = str(error).partition("; ")
    return Problem(path, message, hint or "write a number and a unit, such as '16 GiB'")


class Layout:
    """An index over a document that is valid by its schema."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.groups: Mapping[str, Mapping[str, Any]] = document.get("disks", {})
        self.tables: Mapping[str, Sequence[Mapping[str, Any]]] = document.get("partitions", {})
        self.arrays: Mapping[str, Mapping[str, Any]] = document.get("md", {})
        self.encrypted: Mapping[str, Mapping[str, Any]] = document.get("luks", {})
        self.volume_groups: Mapping[str, Mapping[str, Any]] = document.get("lvm", {})
        self.pools: Mapping[str, Mapping[str, Any]] = document.get("zfs", {})

    def partition(self, reference: str) -> Mapping[str, Any] | None:
        """The partition that ``group.partition`` means."""
        group, _dot, name = reference.partition(".")
        return next((each for each in self.tables.get(group, ()) if each["name"] == name), None)

    def volume(self, reference: str) -> Mapping[str, Any] | None:
        """The volume that ``volume_group/volume`` or ``pool/volume`` means."""
        group, _slash, name = reference.partition("/")
        owner = self.volume_groups.get(group, self.pools.get(group, {}))
        found: Mapping[str, Any] | None = owner.get("volumes", {}).get(name)
        return found

    def below(self, reference: str) -> str:
        """What carries an encrypted device, through all layers of encryption; else the reference itself."""
        seen: set[str] = set()
        while reference in self.encrypted and reference not in seen:
            seen.add(reference)
            reference = self.encrypted[reference]["device"]
        return reference

    def is_layer(self, reference: str) -> bool:
        """Whether this is the name of an array or of an encrypted device."""
        return reference in self.arrays or reference in self.encrypted

    def count(self, reference: str) -> int | None:
        """How many devices a reference means; None when only the host can tell."""
        if "/" in reference or reference in self.arrays:
            return 1
        if reference in self.encrypted:
            return self.count(self.below(reference))
        group = self.groups.get(reference.partition(".")[0], {})
        number = group.get("take", group.get("count"))
        return number if isinstance(number, int) else None

    def total(self, references: Iterable[str]) -> int | None:
        """How many devices several references mean together."""
        counts = [self.count(reference) for reference in references]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def may_be_many(self, reference: str) -> bool:
        """Whether a reference may mean more than one device."""
        return self.count(reference) != 1

    def disk_range(self, group: str) -> SizeRange:
        """The sizes that the disks of a group can have."""
        text = self.groups.get(group, {}).get("match", {}).get("size")
        try:
            return parse_range(text) if text is not None else SizeRange(0, None)
        except SizeError:
            return SizeRange(0, None)

    def most_bytes(self, reference: str) -> int | None:
        """The most that one device of a disk or partition reference can have; None when nothing bounds it."""
        reference = self.below(reference)
        if "/" in reference or reference in self.arrays:
            return None
        group, dot, _name = reference.partition(".")
        high = self.disk_range(group).high
        partition = self.partition(reference) if dot else None
        if partition is None:
            return high
        try:
            size = parse_size(partition["size"])
        except SizeError:
            return high
        return size.bytes if size.bytes is not None else size.of(high) if high is not None else None

    def most_bytes_of_all(self, references: Iterable[str]) -> int | None:
        """The most that all devices of several references can have together."""
        total = 0
        for reference in references:
            count, most = self.count(reference), self.most_bytes(reference)
            if count is None or most is None:
                return None
            total += count * most
        return total

    def unknown(self, reference: str, path: Path) -> Problem | None:
        """What is wrong with a reference by itself: something that the document does not have."""
        if "/" in reference:
            return self._unknown_volume(reference, path)
        if self.is_layer(reference):
            return None
        group, dot, _name = reference.partition(".")
        if group not in self.groups and not dot and (self.arrays or self.encrypted):
            hint = did_you_mean(group, [*self.groups, *self.arrays, *self.encrypted])
            return Problem(path, f"'{group}' is no disk group, no array and no encrypted device", hint)
        if group not in self.groups:
            known = [f"{name}.{each['name']}" for name, table in self.tables.items() for each in table] if dot else []
            hint = did_you_mean(reference, known) if known else did_you_mean(group, self.groups)
            return Problem(path, f"'{group}' is no disk group", hint)
        table = self.tables.get(group, ())
        if dot and not table:
            hint = f"write '{group}' for the whole disks, or add partitions.{group}"
            return Problem(path, f"disk group '{group}' has no partitions", hint)
        if dot and self.partition(reference) is None:
            known = [f"{group}.{each['name']}" for each in table]
            message = f"'{reference}' is no partition of disk group '{group}'"
            return Problem(path, message, did_you_mean(reference, known))
        if not dot and table:
            names = ", ".join(f"'{group}.{each['name']}'" for each in table)
            return Problem(path, f"the disks of group '{group}' are divided into partitions", f"write one of {names}")
        return None

    def _unknown_volume(self, reference: str, path: Path) -> Problem | None:
        group, _slash, name = reference.partition("/")
        if group in self.pools and group not in self.volume_groups:
            volumes = self.pools[group].get("volumes", {})
            if name in volumes:
                return None
            known = [f"{group}/{each}" for each in volumes]
            return Problem(path, f"'{reference}' is no volume of pool '{group}'", did_you_mean(reference, known))
        if group not in self.volume_groups:
            owners = [*self.volume_groups, *self.pools]
            return Problem(path, f"'{group}' is no volume group and no pool", did_you_mean(group, owners))
        inside = self.volume_groups[group]
        if name in inside.get("thin_pools", {}):
            hint = "name a volume; a volume with thin_pool lies in the pool"
            return Problem(path, f"'{reference}' is a thin pool and cannot be used itself", hint)
        if name not in inside.get("volumes", {}):
            known = [f"{group}/{each}" for each in inside.get("volumes", {})]
            message = f"'{reference}' is no volume of volume group '{group}'"
            return Problem(path, message, did_you_mean(reference, known))
        return None
